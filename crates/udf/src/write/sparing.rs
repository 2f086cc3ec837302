//! Sparing tables (UDF 2.2.12): which packets of a sparable partition are in spare packets.
//!
//! Invariants: entries stand in the order of their original locations, unused spare packets
//! last; all tables of a volume are equal but for their tags.

use reburn_blocks::{BlockRange, Lba};
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32};

use super::emit::udf_identifier;
use super::{Placed, SparingAddresses};
use crate::records::{EntityId, SparingEntry, SparingTable, tag_id};

impl Placed<'_> {
    /// Bytes of each table.
    pub(super) fn sparing_table_bytes(&self, sparing: &SparingAddresses) -> usize {
        let packets = sparing.spares.block_count().units(self.layout.packet());
        SparingTable::SIZE + packets as usize * SparingEntry::SIZE
    }

    /// The table that belongs at `lba`.
    pub(super) fn sparing_table(&self, sparing: &SparingAddresses, lba: Lba) -> Vec<u8> {
        let used = sparing.moved.iter();
        let used = used.map(|(&from, &to)| (self.addresses.in_partition(from), to.get()));
        let packet = self.layout.packet().blocks();
        let spares = sparing.spares.pieces(packet).map(BlockRange::start_lba);
        let is_used = |lba: &Lba| sparing.moved.values().any(|to| to == lba);
        let unused = spares.filter(|lba| !is_used(lba));
        let unused = unused.map(|lba| (SparingEntry::ORIGINAL_FREE, lba.get()));

        let mut entries = Vec::new();
        for (original, mapped) in used.chain(unused) {
            let entry = SparingEntry {
                original_location: U32::new(original),
                mapped_location: U32::new(mapped),
            };
            entries.extend_from_slice(entry.bytes());
        }
        let revision = self.layout.options.revision;
        let mut table = SparingTable::zeroed();
        table.sparing_identifier = udf_identifier(EntityId::SPARING_TABLE, revision);
        table.reallocation_table_length = U16::new((entries.len() / SparingEntry::SIZE) as u16);
        table.sequence_number = U32::new(sparing.sequence_number);
        let table = [table.bytes(), &entries].concat();
        debug_assert_eq!(table.len(), self.sparing_table_bytes(sparing));
        self.sealed_block(&table, tag_id::SPARING_TABLE, lba)
    }
}
