//! Sparing tables (UDF 2.2.12) that are written anew: they name the same spare packets as before,
//! for other packets of the partition.
//!
//! Invariants: all tables say the same, and their number is above all before; entries stand in the
//! order of their original locations, since Linux stops at the first that is behind what it looks
//! for; each table is one block, since Linux reads no more, and alone in its write unit.

use std::collections::BTreeMap;

use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba, WriteUnit};
use reburn_record::Record;
use reburn_record::little_endian::U32;

use super::{UpdateError, UpdateRole, UpdateStructure, tags};
use crate::records::{EntityId, SparingEntry, SparingTable, Tag, tag_id};
use crate::{SparingStructures, Volume};

/// The tables of a volume, in the order of the map.
#[derive(Debug)]
pub(super) struct Tables {
    /// The block of each, and its write unit with everything in it.
    places: Vec<(Lba, Lba, Vec<u8>)>,
    /// The bytes of the first, which counts.
    first: Vec<u8>,
    /// Spare packets that cannot be used, as the first table marks them: original location, and
    /// where they are.
    damaged: Vec<(u32, u32)>,
    /// All others.
    spares: Vec<u32>,
    /// The highest number of a table that is whole.
    number: u32,
}

impl Tables {
    /// Reads the tables. Of those after the first any may be damaged or of another edit.
    pub(super) fn load(
        volume: &Volume,
        disc: &dyn BlockRead,
        sparing: &SparingStructures,
        unit: WriteUnit,
    ) -> Result<Self, UpdateError> {
        let cannot = |reason| UpdateError::Sparing { reason };
        if sparing.tables.len() < 2 {
            return Err(cannot("there is one only, and a torn write would lose it"));
        }
        let mut places = Vec::new();
        let mut found = Vec::new();
        for &table in &sparing.tables {
            if let Some(other) = volume.other_in_unit(table, unit) {
                let entry = table;
                return Err(UpdateError::SharedWriteUnit { entry, other, unit });
            }
            let start = table.align_down(unit);
            let mut bytes = vec![0; unit.bytes()];
            // A unit that cannot be read has nothing in it that could be kept.
            if disc.read_filled(start, &mut bytes).is_err() {
                bytes.fill(0);
            }
            let at = table.blocks_since(start).as_usize() * BLOCK_SIZE;
            found.push(whole(&bytes[at..at + BLOCK_SIZE], table));
            places.push((table, start, bytes));
        }
        let is_alone = |start| {
            places
                .iter()
                .filter(|(_, other, _)| *other == start)
                .count()
                == 1
        };
        if !places.iter().all(|&(_, start, _)| is_alone(start)) {
            return Err(cannot("two share a write unit"));
        }
        let Some(Some(first)) = found.first().cloned() else {
            return Err(cannot(
                "the first is damaged or longer than a block; if it is damaged, repair it first",
            ));
        };
        let numbers = found.iter().flatten().filter_map(|table| number(table));
        let number = numbers.max().unwrap_or(0);
        let (mut damaged, mut spares) = (Vec::new(), Vec::new());
        for (original, mapped) in entries(&first) {
            let is_damaged =
                (SparingEntry::ORIGINAL_RESERVED..SparingEntry::ORIGINAL_FREE).contains(&original);
            if is_damaged {
                damaged.push((original, mapped));
            } else {
                spares.push(mapped);
            }
        }
        Ok(Self {
            places,
            first,
            damaged,
            spares,
            number,
        })
    }

    /// The tables that say where packets are, those after the first first. `moved` has original
    /// locations and blocks of the disc.
    pub(super) fn render(&self, moved: &BTreeMap<u32, Lba>) -> Vec<UpdateStructure> {
        let mut entries: Vec<_> = moved.iter().map(|(&from, to)| (from, to.get())).collect();
        let used: Vec<u32> = entries.iter().map(|&(_, to)| to).collect();
        let free = self.spares.iter().filter(|spare| !used.contains(spare));
        entries.extend(free.map(|&spare| (SparingEntry::ORIGINAL_FREE, spare)));
        entries.extend(&self.damaged);
        entries.sort_unstable();
        let mut table = self.first.clone();
        if let Ok((head, _)) = SparingTable::view(&table) {
            let mut head = *head;
            head.sequence_number = U32::new(self.number.wrapping_add(1));
            table[..SparingTable::SIZE].copy_from_slice(head.bytes());
        }
        let slots = table[SparingTable::SIZE..].chunks_exact_mut(SparingEntry::SIZE);
        for (slot, (original, mapped)) in slots.zip(entries) {
            let entry = SparingEntry {
                original_location: U32::new(original),
                mapped_location: U32::new(mapped),
            };
            slot.copy_from_slice(entry.bytes());
        }
        let structure = |(index, (lba, start, unit)): (usize, &(Lba, Lba, Vec<u8>))| {
            let role = match index {
                0 => UpdateRole::FirstTable,
                _ => UpdateRole::LaterTable,
            };
            let mut table = table.clone();
            tags::set_location(&mut table, lba.get());
            let covered = table.len() - Tag::SIZE;
            tags::reseal(&mut table, covered);
            table.resize(BLOCK_SIZE, 0);
            let mut bytes = unit.clone();
            let at = lba.blocks_since(*start).as_usize() * BLOCK_SIZE;
            bytes[at..at + BLOCK_SIZE].copy_from_slice(&table);
            UpdateStructure {
                role,
                start: *start,
                bytes,
            }
        };
        self.places
            .iter()
            .enumerate()
            .rev()
            .map(structure)
            .collect()
    }
}

/// The bytes of a table that is whole and in one block.
fn whole(block: &[u8], lba: Lba) -> Option<Vec<u8>> {
    Tag::expect(block, tag_id::SPARING_TABLE, lba.get()).ok()?;
    let (table, _) = SparingTable::view(block).ok()?;
    let count = usize::from(table.reallocation_table_length.get());
    let bytes = block.get(..SparingTable::SIZE + count * SparingEntry::SIZE)?;
    (table.sparing_identifier.name() == EntityId::SPARING_TABLE).then(|| bytes.to_vec())
}

fn number(table: &[u8]) -> Option<u32> {
    Some(SparingTable::view(table).ok()?.0.sequence_number.get())
}

/// Original location of each entry, and where it leads.
fn entries(table: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    let entries = table[SparingTable::SIZE..].chunks_exact(SparingEntry::SIZE);
    let entries = entries.filter_map(|bytes| SparingEntry::view(bytes).ok());
    entries.map(|(entry, _)| (entry.original_location.get(), entry.mapped_location.get()))
}
