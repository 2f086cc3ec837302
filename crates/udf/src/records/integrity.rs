//! Logical volume integrity descriptor (ECMA-167 3/10.10, UDF 2.2.6).

use reburn_record::little_endian::{U16, U32, U64};
use reburn_record::record;

use super::{DiscTime, EntityId, ExtentAd, Tag};

record! {
    /// Whether the volume was left in order. Free blocks and sizes of all partitions follow, a
    /// number of four bytes each, then [`IntegrityUse`].
    pub struct LogicalVolumeIntegrity: 80, "ECMA-167 3/10.10" {
        0  tag: Tag, "3/10.10.1";
        16 recording_date_and_time: DiscTime, "3/10.10.2";
        28 integrity_type: U32, "3/10.10.3";
        32 next_integrity_extent: ExtentAd, "3/10.10.4";
        40 next_unique_id: U64, "UDF 3.2.1.1";
        48 contents_use: [u8; 24], "3/10.10.5";
        72 number_of_partitions: U32, "3/10.10.6";
        76 length_of_implementation_use: U32, "3/10.10.7";
    }
}

impl LogicalVolumeIntegrity {
    /// Value of `integrity_type`: the volume may be inconsistent.
    pub const OPEN: u32 = 0;
    /// Value of `integrity_type`: the volume is consistent.
    pub const CLOSED: u32 = 1;
}

record! {
    /// How much there is on the volume, and which revisions of UDF it takes.
    pub struct IntegrityUse: 46, "UDF 2.2.6.4" {
        0  implementation_identifier: EntityId, "2.2.6.4";
        32 number_of_files: U32, "2.2.6.4";
        36 number_of_directories: U32, "2.2.6.4";
        40 minimum_udf_read_revision: U16, "2.2.6.4";
        42 minimum_udf_write_revision: U16, "2.2.6.4";
        44 maximum_udf_write_revision: U16, "2.2.6.4";
    }
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::golden;

    /// Of a volume that macOS made.
    #[test]
    fn golden_bytes() {
        let mut bytes = vec![0; 28];
        bytes.extend(golden(
            "01000000 00000000 00000000 10000000 00000000 00000000 00000000 00000000 00000000 \
             00000000 00000000 02000000 2e000000 d9070000 1e000000 fe070000 20000000",
        ));
        let (integrity, tables) = LogicalVolumeIntegrity::view(&bytes).unwrap();
        assert_eq!(
            integrity.integrity_type.get(),
            LogicalVolumeIntegrity::CLOSED
        );
        assert_eq!(integrity.next_unique_id.get(), 16);
        assert_eq!(integrity.number_of_partitions.get(), 2);
        assert_eq!(integrity.length_of_implementation_use.get(), 46);
        assert_eq!(U32::view_all(tables), [2009, 30, 2046, 32]);
        let mut bytes = vec![0; 32];
        bytes.extend(golden("00000000 01000000 50025002 6002"));
        let (used, _) = IntegrityUse::view(&bytes).unwrap();
        assert_eq!(used.number_of_directories.get(), 1);
        assert_eq!(used.minimum_udf_read_revision.get(), 0x0250);
        assert_eq!(used.maximum_udf_write_revision.get(), 0x0260);
    }

    trait ViewAll {
        fn view_all(bytes: &[u8]) -> Vec<u32>;
    }

    impl ViewAll for U32 {
        fn view_all(bytes: &[u8]) -> Vec<u32> {
            let (numbers, _) = bytes.as_chunks::<4>();
            numbers.iter().map(|n| u32::from_le_bytes(*n)).collect()
        }
    }
}
