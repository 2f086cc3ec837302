//! Allocation extent descriptor (ECMA-167 4/14.5): where a file's descriptors go on.

use reburn_record::little_endian::U32;
use reburn_record::record;

use super::Tag;

record! {
    /// What an extent of allocation descriptors begins with; they follow.
    pub struct AllocationExtentDescriptor: 24, "ECMA-167 4/14.5" {
        0  tag: Tag, "4/14.5.1";
        16 previous_allocation_extent_location: U32, "4/14.5.2";
        20 length_of_allocation_descriptors: U32, "4/14.5.3";
    }
}
