//! Unallocated space descriptor (ECMA-167 3/10.8).

use reburn_record::little_endian::U32;
use reburn_record::record;

use super::Tag;

record! {
    /// Sectors outside all partitions that nothing uses: extents follow the record.
    pub struct UnallocatedSpace: 24, "ECMA-167 3/10.8" {
        0  tag: Tag, "3/10.8.1";
        16 sequence_number: U32, "3/10.8.2";
        20 number_of_allocation_descriptors: U32, "3/10.8.3";
    }
}
