//! A virtual partition (UDF 2.2.8, 2.2.11) as what an edit works in, on media where blocks are
//! appended: entries keep their addresses, each of which a virtual allocation table leads to a
//! block of the partition below. What changes goes behind everything that is there, and a new
//! table says so.
//!
//! ```text
//! changed directories, new and changed entries | file data | the table, its entry last
//! ```
//!
//! Directories have no virtual addresses: they are numbered as they stand, in the partition below.
//! While an edit is worked out such a number is told from an address by its highest bit, and
//! blocks are handed out in the order in which they will stand, so that identifiers can be tagged
//! with theirs.
//!
//! Invariants: no block before the first appended one is written; every block from there to the
//! last entry is; an address that nothing is at any more leads nowhere.

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, Lba};
use reburn_tree::Timestamp;

use super::blocks::Pieces;
use super::integrity::Counts;
use super::plan::Planned;
use super::space::Space;
use super::{UpdateError, UpdatePlaces};
use crate::write::{PHYSICAL, VirtualTable};
use crate::{EditObstacle, Entries, Volume};

/// What an edit of a virtual partition must know of it.
#[derive(Debug)]
pub(super) struct VirtualPartition {
    /// The partition below.
    partition: BlockRange,
    /// The first block that is appended.
    first: Lba,
    /// The entry of the table so far.
    previous: Lba,
    /// The volume's name, which tables carry on.
    label: String,
}

impl VirtualPartition {
    pub(super) fn load(
        volume: &Volume,
        partition: BlockRange,
        first: Lba,
    ) -> Result<Self, UpdateError> {
        let previous = volume.virtual_table_entry();
        let previous = previous.ok_or(EditObstacle::Partitions)?;
        if first <= previous || !partition.contains(first) {
            return Err(UpdateError::PartitionFull);
        }
        Ok(Self {
            partition,
            first,
            previous,
            label: volume.label(),
        })
    }

    /// The number of a block in the partition below.
    fn number(&self, lba: Lba) -> u32 {
        lba.blocks_since(self.partition.start_lba()).get()
    }

    /// Addresses that are free, and numbers of blocks for directories.
    pub(super) fn space(&self, main: &Pieces, entries: &Entries) -> Space {
        let all = [(0, main.end())];
        let space = Space::new(1, main.end(), all.into_iter(), entries.used());
        space.with_blocks_from(self.number(self.first))
    }

    /// Blocks that are there: nothing new may be among them.
    pub(super) fn old_ranges(&self) -> BlockRangeList {
        let before = self.number(self.first);
        BlockRange::with_count(self.partition.start_lba(), BlockCount::new(before))
            .into_iter()
            .collect()
    }

    /// Where everything new goes: directories first, as they were numbered, then entries.
    pub(super) fn places(&self, units: &[u32]) -> UpdatePlaces {
        let directories = units.iter().filter(|&&unit| unit & PHYSICAL != 0).count();
        let mut next = self.first + BlockCount::new(directories as u32);
        let place = |&unit: &u32| {
            if unit & PHYSICAL != 0 {
                return self.partition.start_lba() + BlockCount::new(unit & !PHYSICAL);
            }
            let here = next;
            next += BlockCount::ONE;
            here
        };
        UpdatePlaces {
            units: units.iter().map(place).collect(),
            ..UpdatePlaces::default()
        }
    }

    /// The table of the edit, for metadata at these places.
    pub(super) fn table(
        &self,
        (planned, counts): (&Planned, Counts),
        main: &Pieces,
        time: Timestamp,
    ) -> VirtualTable {
        let is_free = |address: u32| {
            let after = planned.free.partition_point(|&(_, end)| end <= address);
            planned
                .free
                .get(after)
                .is_some_and(|&(start, _)| start <= address)
        };
        let entry = |address: u32| {
            let at = main.locate(address).filter(|_| !is_free(address));
            at.map_or(VirtualTable::NOWHERE, |lba| self.number(lba))
        };
        VirtualTable {
            label: self.label.clone(),
            previous: self.number(self.previous),
            entries: (0..planned.end).map(entry).collect(),
            unique_id: planned.next_unique_id - 1,
            files: counts.files(),
            directories: counts.directories(),
            time,
        }
    }
}
