//! Partition maps (ECMA-167 3/10.7, UDF 2.2.8 to 2.2.10), one after the other behind the
//! logical volume descriptor.

use reburn_record::little_endian::{U16, U32};
use reburn_record::record;

use super::EntityId;

record! {
    /// What all partition maps begin with.
    pub struct MapHead: 2, "ECMA-167 3/10.7.1" {
        0 partition_map_type: u8, "3/10.7.1.1";
        1 partition_map_length: u8, "3/10.7.1.2";
    }
}

record! {
    /// A partition as its descriptor says.
    pub struct TypeOneMap: 6, "ECMA-167 3/10.7.2" {
        0 head: MapHead, "3/10.7.1";
        2 volume_sequence_number: U16, "3/10.7.2.3";
        4 partition_number: U16, "3/10.7.2.4";
    }
}

record! {
    /// What all maps that UDF defines have in common.
    pub struct TypeTwoMap: 40, "UDF 2.2.8" {
        0  head: MapHead, "ECMA-167 3/10.7.1";
        2  reserved: [u8; 2], "2.2.8";
        4  partition_type_identifier: EntityId, "2.2.8";
        36 volume_sequence_number: U16, "2.2.8";
        38 partition_number: U16, "2.2.8";
    }
}

record! {
    /// A partition whose blocks are found through a virtual allocation table.
    pub struct VirtualMap: 64, "UDF 2.2.8" {
        0  common: TypeTwoMap, "2.2.8";
        40 reserved: [u8; 24], "2.2.8";
    }
}

record! {
    /// A partition of which packets can be replaced.
    pub struct SparableMap: 64, "UDF 2.2.9" {
        0  common: TypeTwoMap, "2.2.9";
        40 packet_length: U16, "2.2.9";
        42 number_of_sparing_tables: u8, "2.2.9";
        43 reserved: u8, "2.2.9";
        44 size_of_each_sparing_table: U32, "2.2.9";
        48 location_1: U32, "2.2.9";
        52 location_2: U32, "2.2.9";
        56 location_3: U32, "2.2.9";
        60 location_4: U32, "2.2.9";
    }
}

impl SparableMap {
    /// Where sparing tables can be, and the fields that say so. Only as many count as there are.
    pub fn locations(&self) -> [(u32, &'static str); 4] {
        [
            (self.location_1.get(), "location_1"),
            (self.location_2.get(), "location_2"),
            (self.location_3.get(), "location_3"),
            (self.location_4.get(), "location_4"),
        ]
    }
}

record! {
    /// A partition whose blocks are those of a file.
    pub struct MetadataMap: 64, "UDF 2.2.10" {
        0  common: TypeTwoMap, "2.2.10";
        40 metadata_file_location: U32, "2.2.10";
        44 metadata_mirror_file_location: U32, "2.2.10";
        48 metadata_bitmap_file_location: U32, "2.2.10";
        52 allocation_unit_size: U32, "2.2.10";
        56 alignment_unit_size: U16, "2.2.10";
        58 flags: u8, "2.2.10";
        59 reserved: [u8; 5], "2.2.10";
    }
}

impl MetadataMap {
    /// Value of `metadata_bitmap_file_location` where there is none.
    pub const NO_BITMAP: u32 = u32::MAX;
    /// Bit of `flags`: the mirror file has blocks of its own.
    pub const DUPLICATE: u8 = 1;
}

/// Names in [`TypeTwoMap::partition_type_identifier`].
pub mod map_identifier {
    /// See [`VirtualMap`](super::VirtualMap).
    pub const VIRTUAL: &[u8] = b"*UDF Virtual Partition";
    /// See [`SparableMap`](super::SparableMap).
    pub const SPARABLE: &[u8] = b"*UDF Sparable Partition";
    /// See [`MetadataMap`](super::MetadataMap).
    pub const METADATA: &[u8] = b"*UDF Metadata Partition";
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::golden;

    /// By macOS.
    #[test]
    fn golden_metadata_map() {
        let bytes = golden(
            "02400000 002a5544 46204d65 74616461 74612050 61727469 74696f6e 60020301 00000000 \
             01000000 01000000 fd070000 02000000 20000000 01000000 00000000",
        );
        let (map, rest) = MetadataMap::view(&bytes).unwrap();
        assert!(rest.is_empty());
        assert_eq!(map.common.head.partition_map_length, 64);
        assert_eq!(
            map.common.partition_type_identifier.name(),
            map_identifier::METADATA
        );
        assert_eq!(map.metadata_file_location.get(), 1);
        assert_eq!(map.metadata_mirror_file_location.get(), 2045);
        assert_eq!(map.metadata_bitmap_file_location.get(), 2);
        assert_eq!(map.allocation_unit_size.get(), 32);
        assert_eq!(map.alignment_unit_size.get(), 1);
    }

    /// By mkudffs.
    #[test]
    fn golden_sparable_map() {
        let mut bytes = vec![0; 36];
        bytes.extend(golden(
            "01000000 20000200 38010000 a0000000 e01f0000 00000000 00000000",
        ));
        let (map, _) = SparableMap::view(&bytes).unwrap();
        assert_eq!(map.common.volume_sequence_number.get(), 1);
        assert_eq!(map.packet_length.get(), 32);
        assert_eq!(map.number_of_sparing_tables, 2);
        assert_eq!(map.size_of_each_sparing_table.get(), 312);
        assert_eq!((map.location_1.get(), map.location_2.get()), (160, 8160));
    }

    /// By Nero.
    #[test]
    fn golden_virtual_map() {
        let bytes = golden(
            "02400000 002a5544 46205669 72747561 6c205061 72746974 696f6e00 60020500 00000000 \
             01000000 00000000 00000000 00000000 00000000 00000000 00000000",
        );
        let (map, _) = VirtualMap::view(&bytes).unwrap();
        let identifier = &map.common.partition_type_identifier;
        assert_eq!(identifier.name(), map_identifier::VIRTUAL);
        assert_eq!(map.common.volume_sequence_number.get(), 1);
        assert_eq!(map.common.partition_number.get(), 0);
    }
}
