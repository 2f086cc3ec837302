//! Free space of a partition, as a bitmap or as extents (ECMA-167 4/14.11, 4/14.12).

use reburn_record::little_endian::U32;
use reburn_record::record;

use super::{IcbTag, Tag};

record! {
    /// What a bitmap of blocks begins with: a bit a block follows, 1 for a free one, from the
    /// lowest bit of the first byte on.
    pub struct SpaceBitmap: 24, "ECMA-167 4/14.12" {
        0  tag: Tag, "4/14.12.1";
        16 number_of_bits: U32, "4/14.12.2";
        20 number_of_bytes: U32, "4/14.12.3";
    }
}

record! {
    /// Extents of free blocks follow, as short allocation descriptors.
    pub struct UnallocatedSpaceEntry: 40, "ECMA-167 4/14.11" {
        0  tag: Tag, "4/14.11.1";
        16 icb_tag: IcbTag, "4/14.11.2";
        36 length_of_allocation_descriptors: U32, "4/14.11.3";
    }
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::{ExtentKind, ShortAd, golden};

    /// Of a metadata bitmap file by macOS.
    #[test]
    fn golden_bitmap() {
        let bytes = golden("08010300 82000100 99b10800 23000000 20000000 04000000 fcffffff");
        let tag = Tag::expect(&bytes, 264, 35).unwrap();
        assert_eq!(tag.descriptor_crc_length.get(), 8);
        let (bitmap, bits) = SpaceBitmap::view(&bytes).unwrap();
        assert_eq!(bitmap.number_of_bits.get(), 32);
        let free: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
        assert_eq!(free, 30);
    }

    #[test]
    fn golden_extents() {
        let mut bytes = vec![0; 16];
        bytes.extend(golden(
            "00000000 04000000 01000001 00000000 00000000 08000000 00d0ef40 04000000",
        ));
        let (entry, extents) = UnallocatedSpaceEntry::view(&bytes).unwrap();
        assert_eq!(entry.length_of_allocation_descriptors.get(), 8);
        let (extent, _) = ShortAd::view(extents).unwrap();
        let (kind, len) = ExtentKind::split(extent.extent_length.get());
        assert_eq!((kind, len), (ExtentKind::Allocated, 15716352));
        assert_eq!(extent.extent_position.get(), 4);
    }
}
