//! A sparable partition (UDF 2.2.9) as what an edit works in: packets with a changed block go to
//! spare packets as a whole, and then the sparing tables are written with the new places.
//!
//! A packet that the old tree has nothing in changes where it is, and one that is in a spare packet
//! can go back to where it belongs: readers look there only once a table says so. Spare packets
//! come first all the same, since whoever moved the packet may have known why.
//!
//! Folding is the same without any change: all packets go back to where they belong.
//!
//! Invariant: no new place holds anything that the old tree reads.

use std::collections::BTreeMap;

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, WriteUnit};

use super::bitmap::Bitmap;
use super::blocks::{BaseBlocks, Pieces};
use super::plan::{Planned, Source};
use super::space::Space;
use super::sparing_table::Tables;
use super::{UpdateError, UpdatePlaces, UpdateStructure};
use crate::read::Base;
use crate::{Entries, SparingStructures, Volume, VolumeStructures};

/// What an edit of a sparable partition must know of it.
#[derive(Debug)]
pub(super) struct SparablePartition {
    packet: u32,
    partition: BlockRange,
    tables: Tables,
    /// Packets that are elsewhere, by their first addresses.
    moved: BTreeMap<u32, Lba>,
    /// Spare packets that nothing is in, ascending.
    free: Vec<Lba>,
    /// Addresses that the old tree and the bitmap are in: first, and one past the last; ascending
    /// and apart.
    used: Vec<(u32, u32)>,
    bitmap: Option<Bitmap>,
    /// Blocks of the volume's structures inside the partition, file set among them.
    structures: BlockRangeList,
    /// Whether everything goes to where it belongs.
    folds: bool,
}

impl SparablePartition {
    /// Reads tables and bitmap, and checks that packets can be whole write units.
    pub(super) fn load(
        volume: &Volume,
        structures: &VolumeStructures,
        (base, disc): (&Base<'_>, &dyn BlockRead),
        (sparing, partition): (&SparingStructures, BlockRange),
        entries: &Entries,
        unit: WriteUnit,
    ) -> Result<Self, UpdateError> {
        let cannot = |reason| UpdateError::Sparing { reason };
        let unlike = cannot("packets are not whole write units of the medium");
        let Some(packet) = WriteUnit::new(sparing.packet.get()) else {
            return Err(unlike);
        };
        let is_whole = |range: BlockRange| range.align_outward(packet) == range;
        if !sparing.packet.get().is_multiple_of(unit.blocks().get()) || !is_whole(partition) {
            return Err(unlike);
        }
        let blocks = BaseBlocks {
            main: Pieces::new(base.main_pieces()),
            mirror: None,
        };
        let bits = partition.block_count().get();
        let bitmap = Bitmap::load(volume, &blocks, disc, bits)?;
        let start = partition.start_lba();
        let is_packet = |from: Lba| from.is_aligned(packet) && partition.contains(from);
        if !sparing.moved.keys().all(|&from| is_packet(from)) {
            return Err(cannot("a table names packets that are none"));
        }
        let moved = sparing.moved.iter();
        let moved = moved.map(|(from, &to)| (from.blocks_since(start).get(), to));
        let disc_end = disc.block_count().get();
        let is_usable = |spare: &Lba| {
            let end = u64::from(spare.get()) + u64::from(sparing.packet.get());
            spare.is_aligned(unit) && end <= disc_end.into()
        };
        let mut used = entries.used().to_vec();
        used.extend(bitmap.as_ref().map(Bitmap::addresses));
        // Whatever a disc has in the partition that does not belong there stays.
        let inside = volume.structure_ranges(partition);
        used.extend(inside.iter().map(|range| {
            let first = range.start_lba().blocks_since(start).get();
            (first, first + range.block_count().get())
        }));
        Ok(Self {
            packet: sparing.packet.get(),
            partition,
            tables: Tables::load(volume, disc, sparing, unit)?,
            moved: moved.collect(),
            free: structures
                .free_spares()
                .into_iter()
                .filter(is_usable)
                .collect(),
            used: joined(used),
            bitmap,
            structures: inside,
            folds: false,
        })
    }

    /// Has all packets go back to where they belong; their numbers, but for those that nothing is
    /// in. `None` if something is where one of them belongs.
    pub(super) fn fold(&mut self) -> Option<Vec<u32>> {
        self.folds = true;
        let moved = self.moved.keys().map(|from| from / self.packet);
        let units: Vec<u32> = moved.filter(|&unit| !self.is_vacant(unit)).collect();
        units
            .iter()
            .all(|&unit| self.can_go_home(unit))
            .then_some(units)
    }

    /// Blocks of a packet.
    pub(super) fn packet(&self) -> u32 {
        self.packet
    }

    /// Addresses that are free.
    pub(super) fn space(&self) -> Space {
        let end = self.partition.block_count().get();
        Space::of_packets(self.packet, end, &self.used)
    }

    /// Takes in where file data will be: has the bitmap changed if there is one, and says how many
    /// blocks it has as free.
    pub(super) fn note_data(
        &mut self,
        disc: &dyn BlockRead,
        base: &BaseBlocks,
        planned: &mut Planned,
        data: &BlockRangeList,
    ) -> Result<Option<u32>, UpdateError> {
        let Some(bitmap) = &mut self.bitmap else {
            return Ok(None);
        };
        let start = self.partition.start_lba();
        let inside = data.intersection(&BlockRangeList::from_iter([self.partition]));
        let mut used = self.used.clone();
        used.extend(planned.sources.keys().map(|&at| (at, at + 1)));
        used.extend(inside.iter().map(|range| {
            let first = range.start_lba().blocks_since(start).get();
            (first, first + range.block_count().get())
        }));
        let free = bitmap.set_used(joined(used));
        let (first, _) = bitmap.addresses();
        for number in bitmap.changed(base, disc)? {
            let address = first + number;
            planned.sources.insert(address, Source::Bitmap(number));
            planned.change_unit(address / self.packet);
        }
        Ok(Some(free))
    }

    /// Where units go: to where they are if nothing is there, else to spare packets.
    pub(super) fn places(&self, units: &[u32]) -> Result<UpdatePlaces, UpdateError> {
        let exchanged: Vec<u32> = units
            .iter()
            .copied()
            .filter(|&u| !self.is_vacant(u))
            .collect();
        let is_moved =
            |unit: &u32| self.moved.contains_key(&(unit * self.packet)) && self.can_go_home(*unit);
        let missing = if self.folds {
            exchanged.len()
        } else {
            exchanged.len().saturating_sub(self.free.len())
        };
        let back: Vec<u32> = exchanged
            .iter()
            .copied()
            .filter(is_moved)
            .take(missing)
            .collect();
        if back.len() < missing {
            return Err(UpdateError::SparesFull {
                needed: exchanged.len() - back.len(),
                free: self.free.len(),
            });
        }
        let mut free = self.free.iter();
        let place = |&unit: &u32| {
            let stays = self.is_vacant(unit) || back.contains(&unit);
            let spare = if stays { None } else { free.next() };
            spare.copied().unwrap_or_else(|| self.home(unit))
        };
        Ok(UpdatePlaces {
            units: units.iter().map(place).collect(),
            ..UpdatePlaces::default()
        })
    }

    /// The sparing tables for units at these places. Packets that nothing was in before leave
    /// their spare packets.
    pub(super) fn structures(&self, units: &[u32], places: &UpdatePlaces) -> Vec<UpdateStructure> {
        let mut moved = self.moved.clone();
        moved.retain(|from, _| !self.is_vacant(from / self.packet));
        for (&unit, &lba) in units.iter().zip(&places.units) {
            let from = unit * self.packet;
            if lba == self.home(unit) {
                moved.remove(&from);
            } else {
                moved.insert(from, lba);
            }
        }
        self.tables.render(&moved)
    }

    /// Blocks where no file data may be: those of units that change where they are, and of packets
    /// that readers look for elsewhere.
    pub(super) fn reserved(&self, units: &[u32]) -> BlockRangeList {
        let moved = self.moved.keys().map(|from| from / self.packet);
        let units = units.iter().copied().chain(moved);
        units
            .filter_map(|unit| self.range(self.home(unit)))
            .collect()
    }

    /// Blocks of free spare packets.
    pub(super) fn spare_ranges(&self) -> BlockRangeList {
        self.free
            .iter()
            .filter_map(|&spare| self.range(spare))
            .collect()
    }

    /// Blocks of the disc that the old tree is in.
    pub(super) fn old_ranges(&self, base: &BaseBlocks) -> BlockRangeList {
        base.main.ranges_of(&self.used)
    }

    /// Whether nothing of the old tree is at an address.
    pub(super) fn is_unused(&self, address: u32) -> bool {
        !self.touches(address, address + 1)
    }

    /// Where a block of the disc that may be in a spare packet belongs.
    pub(super) fn home_of(&self, lba: Lba) -> Lba {
        let packet = BlockCount::new(self.packet);
        let range = |to: Lba| BlockRange::with_count(to, packet);
        let mut moved = self.moved.iter();
        let found = moved.find(|&(_, &to)| range(to).is_some_and(|range| range.contains(lba)));
        found.map_or(lba, |(&from, &to)| {
            self.partition.start_lba() + BlockCount::new(from) + lba.blocks_since(to)
        })
    }

    pub(super) fn bitmap(&self) -> Option<&Bitmap> {
        self.bitmap.as_ref()
    }

    /// Whether the old tree has nothing in a unit, nor anything where it belongs.
    fn is_vacant(&self, unit: u32) -> bool {
        !self.touches(unit * self.packet, (unit + 1) * self.packet) && self.can_go_home(unit)
    }

    /// Whether nothing of the volume's structures is where a packet belongs that is elsewhere.
    fn can_go_home(&self, unit: u32) -> bool {
        self.range(self.home(unit))
            .is_some_and(|range| !self.structures.intersects(range))
    }

    fn touches(&self, start: u32, end: u32) -> bool {
        let after = self
            .used
            .partition_point(|&(_, used_end)| used_end <= start);
        self.used
            .get(after)
            .is_some_and(|&(used_start, _)| used_start < end)
    }

    /// Where a unit belongs.
    fn home(&self, unit: u32) -> Lba {
        self.partition.start_lba() + BlockCount::new(unit * self.packet)
    }

    fn range(&self, start: Lba) -> Option<BlockRange> {
        BlockRange::with_count(start, BlockCount::new(self.packet))
    }
}

/// The same addresses, ascending and apart.
fn joined(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}
