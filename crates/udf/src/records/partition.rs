//! Partition descriptor (ECMA-167 3/10.5) and the header in it (4/14.3).

use reburn_record::little_endian::{U16, U32};
use reburn_record::record;

use super::{EntityId, ShortAd, Tag};

record! {
    /// A run of sectors that logical blocks are in.
    pub struct Partition: 512, "ECMA-167 3/10.5" {
        0   tag: Tag, "3/10.5.1";
        16  sequence_number: U32, "3/10.5.2";
        20  partition_flags: U16, "3/10.5.3";
        22  partition_number: U16, "3/10.5.4";
        24  partition_contents: EntityId, "3/10.5.5";
        56  header: PartitionHeader, "3/10.5.6";
        184 access_type: U32, "3/10.5.7";
        188 starting_location: U32, "3/10.5.8";
        192 partition_length: U32, "3/10.5.9";
        196 implementation_identifier: EntityId, "3/10.5.10";
        228 implementation_use: [u8; 128], "3/10.5.11";
        356 reserved: [u8; 156], "3/10.5.12";
    }
}

record! {
    /// Where the tables of free space are.
    pub struct PartitionHeader: 128, "ECMA-167 4/14.3" {
        0  unallocated_space_table: ShortAd, "4/14.3.1";
        8  unallocated_space_bitmap: ShortAd, "4/14.3.2";
        16 partition_integrity_table: ShortAd, "4/14.3.3";
        24 freed_space_table: ShortAd, "4/14.3.4";
        32 freed_space_bitmap: ShortAd, "4/14.3.5";
        40 reserved: [u8; 88], "4/14.3.6";
    }
}

/// Values of [`Partition::access_type`] (ECMA-167 3/10.5.7, UDF 2.2.14.2).
pub mod access {
    /// Pseudo-overwritable (UDF 2.60).
    pub const PSEUDO_OVERWRITABLE: u32 = 0;
    /// Read only.
    pub const READ_ONLY: u32 = 1;
    /// Write once.
    pub const WRITE_ONCE: u32 = 2;
    /// Rewritable, after preparation.
    pub const REWRITABLE: u32 = 3;
    /// Overwritable.
    pub const OVERWRITABLE: u32 = 4;
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::golden;

    /// Of a volume that macOS made.
    #[test]
    fn golden_bytes() {
        let mut bytes = vec![0; 512];
        let head = golden("03000000 01000000 002b4e53 52303300");
        bytes[16..32].copy_from_slice(&head);
        bytes[184..196].copy_from_slice(&golden("04000000 01010000 fe070000"));
        let (partition, _) = Partition::view(&bytes).unwrap();
        assert_eq!(partition.sequence_number.get(), 3);
        assert_eq!(partition.partition_flags.get(), 1);
        assert_eq!(partition.partition_contents.name(), b"+NSR03");
        assert_eq!(partition.access_type.get(), access::OVERWRITABLE);
        assert_eq!(partition.starting_location.get(), 257);
        assert_eq!(partition.partition_length.get(), 2046);
    }
}
