//! Sparing table (UDF 2.2.12): which packets of a partition are elsewhere.

use reburn_record::little_endian::{U16, U32};
use reburn_record::record;

use super::{EntityId, Tag};

record! {
    /// What a sparing table begins with; its entries follow.
    pub struct SparingTable: 56, "UDF 2.2.12" {
        0  tag: Tag, "2.2.12";
        16 sparing_identifier: EntityId, "2.2.12";
        48 reallocation_table_length: U16, "2.2.12";
        50 reserved: [u8; 2], "2.2.12";
        52 sequence_number: U32, "2.2.12";
    }
}

record! {
    /// A packet of the partition, by its first block, and the sector where it is instead.
    pub struct SparingEntry: 8, "UDF 2.2.12" {
        0 original_location: U32, "2.2.12";
        4 mapped_location: U32, "2.2.12";
    }
}

impl SparingEntry {
    /// The least value of `original_location` that is not a block: `0xffffffff` for a spare
    /// packet that is free, `0xfffffff0` for one that is damaged.
    pub const ORIGINAL_RESERVED: u32 = 0xffff_fff0;
    /// The `original_location` of a spare packet that is free.
    pub const ORIGINAL_FREE: u32 = 0xffff_ffff;
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::golden;

    /// By mkudffs.
    #[test]
    fn golden_bytes() {
        let mut bytes = vec![0; 16];
        bytes.extend(golden(
            "002a5544 46205370 6172696e 67205461 626c6500 00000000 50010405 00000000 20000000 \
             00000000 ffffffff 20010000 ffffffff 40010000",
        ));
        let (table, entries) = SparingTable::view(&bytes).unwrap();
        assert_eq!(table.sparing_identifier.name(), EntityId::SPARING_TABLE);
        assert_eq!(table.reallocation_table_length.get(), 32);
        let (first, rest) = SparingEntry::view(entries).unwrap();
        assert_eq!(first.original_location.get(), u32::MAX);
        assert_eq!(first.mapped_location.get(), 288);
        assert_eq!(rest.len(), SparingEntry::SIZE);
    }
}
