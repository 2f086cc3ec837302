//! Logical volume descriptor (ECMA-167 3/10.6).

use reburn_record::little_endian::U32;
use reburn_record::record;

use super::{CharSpec, DString, EntityId, ExtentAd, LongAd, Tag};

record! {
    /// Size of blocks, where the file set is, and which partitions there are: their maps
    /// follow the record.
    pub struct LogicalVolume: 440, "ECMA-167 3/10.6" {
        0   tag: Tag, "3/10.6.1";
        16  sequence_number: U32, "3/10.6.2";
        20  descriptor_character_set: CharSpec, "3/10.6.3";
        84  logical_volume_identifier: DString<128>, "3/10.6.4";
        212 logical_block_size: U32, "3/10.6.5";
        216 domain_identifier: EntityId, "3/10.6.6";
        248 logical_volume_contents_use: LongAd, "3/10.6.7";
        264 map_table_length: U32, "3/10.6.8";
        268 number_of_partition_maps: U32, "3/10.6.9";
        272 implementation_identifier: EntityId, "3/10.6.10";
        304 implementation_use: [u8; 128], "3/10.6.11";
        432 integrity_sequence_extent: ExtentAd, "3/10.6.12";
    }
}

record! {
    /// What our own writer leaves in `implementation_use`: where the integrity sequence goes on
    /// when it is full. Nobody else reads it (ECMA-167 3/10.6.11).
    pub struct SpareIntegrity: 24, "ECMA-167 3/10.6.11" {
        0  magic: [u8; 16], "3/10.6.11";
        16 extent: ExtentAd, "3/7.1";
    }
}

impl SpareIntegrity {
    /// Tells the note from what other writers have there.
    pub const MAGIC: &[u8; 16] = b"reburn integrity";
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::golden;

    /// Of a volume that macOS made.
    #[test]
    fn golden_bytes() {
        let mut bytes = vec![0; 440];
        let middle = golden(
            "00100000 002a4f53 54412055 44462043 6f6d706c 69616e74 00000000 60020000 00000000 \
             00100000 00000000 01000000 00000000 46000000 02000000",
        );
        bytes[212..272].copy_from_slice(&middle);
        let (volume, maps) = LogicalVolume::view(&bytes).unwrap();
        assert!(maps.is_empty());
        assert_eq!(volume.logical_block_size.get(), 4096);
        assert_eq!(volume.domain_identifier.domain().udf_revision.get(), 0x0260);
        let contents = &volume.logical_volume_contents_use.extent_location;
        assert_eq!(contents.partition_reference_number.get(), 1);
        assert_eq!(volume.map_table_length.get(), 70);
        assert_eq!(volume.number_of_partition_maps.get(), 2);
    }
}
