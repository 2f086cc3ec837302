//! Sparing tables (UDF 2.2.12), which shall say the same. Readers take the first one of the map
//! that is whole, so that is what the others become.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_record::Record;

use super::{Examined, Flaw, FlawKind, Mend, range_of};
use crate::read::maps::parse_table;
use crate::read::partitions::Kind;
use crate::records::Tag;
use crate::update::tags;

impl Examined<'_> {
    pub(super) fn sparing_tables(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        for map in &self.volume.partitions.maps {
            if let Kind::Sparable(sparing) = &map.kind {
                let places = sparing.tables.sectors.iter();
                let places: Vec<_> = places
                    .filter_map(|&sector| Lba::checked(sector.into()))
                    .collect();
                self.compare_tables(&places, sparing.tables.bytes as usize, &mut flaws);
            }
        }
        flaws
    }

    fn compare_tables(&self, places: &[Lba], len: usize, flaws: &mut Vec<Flaw>) {
        let tables: Vec<_> = places.iter().map(|&lba| self.table(lba, len)).collect();
        let Some(first) = tables.iter().flatten().next() else {
            return;
        };
        for (&lba, table) in places.iter().zip(&tables) {
            let kind = match table {
                None => FlawKind::SparingTable,
                Some(table) if table[Tag::SIZE..len] == first[Tag::SIZE..len] => continue,
                Some(_) => FlawKind::SparingDiffers,
            };
            let mut bytes = first.clone();
            tags::set_location(&mut bytes, lba.get());
            flaws.push(Flaw {
                kind,
                range: range_of(lba, &bytes),
                mends: vec![Mend { start: lba, bytes }],
            });
        }
    }

    /// The blocks of a table, if it is whole.
    fn table(&self, lba: Lba, len: usize) -> Option<Vec<u8>> {
        /// More than any table has: its head and as many entries as it can count.
        const BLOCKS_MAX: u32 = 257;
        let count = BlockCount::checked((len as u64).div_ceil(BLOCK_SIZE as u64))?;
        let count = count.max(BlockCount::ONE);
        let range = BlockRange::with_count(lba, count).filter(|_| count.get() <= BLOCKS_MAX)?;
        let mut bytes = vec![0; count.as_usize() * BLOCK_SIZE];
        self.source
            .read_blocks(range.start_lba(), &mut bytes)
            .ok()?;
        let table = bytes.get(..len).filter(|table| table.len() > Tag::SIZE)?;
        parse_table(table, lba.get())?;
        Some(bytes)
    }
}
