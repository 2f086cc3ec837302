//! Where the entries of a tree's files are on the disc it was read from, and which blocks of
//! their partition are taken: what an edit needs to leave the others alone.

// Halves of 64 bits, and blocks of files whose blocks 32 bits count.
#![allow(clippy::cast_possible_truncation)]

use std::collections::BTreeSet;

use reburn_blocks::{BLOCK_SIZE, BlockRangeList};
use reburn_tree::InodeId;

use super::body::{Body, Source};
use super::entry::Entry;
use super::partitions::{Kind, Partitions, Side};

/// The entry of a file on the disc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryAt {
    /// Its block, in the partition that the file set is in.
    pub block: u32,
    /// Its unique id (UDF 3.2.1.1).
    pub unique_id: u64,
}

/// Where the entry of each inode is. Takes 12 bytes an inode.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    /// By [`InodeId::index`].
    list: Vec<Packed>,
    /// Blocks of the file set's partition that anything is in, as they are numbered there:
    /// first and one past the last, ascending and apart.
    used: Vec<(u32, u32)>,
    /// Runs of directories there that go past a multiple of [`UNIT_MIN`], or of a packet.
    long_runs: Vec<DirectoryRun>,
    /// Files in directories that are the volume's own, and in no tree.
    own_files: u32,
}

/// Blocks of a directory that follow each other in a metadata partition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DirectoryRun {
    pub(crate) first: u32,
    /// One past the last.
    pub(crate) end: u32,
    /// The block of the directory's entry.
    pub(crate) entry: u32,
}

/// The least blocks that a metadata file grows by (UDF 2.2.10).
const UNIT_MIN: u32 = 32;

/// An [`EntryAt`], or [`Packed::NONE`].
#[derive(Debug, Clone, Copy)]
struct Packed {
    block: u32,
    unique_id: [u32; 2],
}

impl Packed {
    const NONE: Self = Self {
        block: u32::MAX,
        unique_id: [0; 2],
    };
}

impl Entries {
    /// The entry of an inode; `None` for one that is not on the disc, and for entries that are
    /// in another partition than the file set or have newer versions elsewhere (strategy 4096).
    pub fn get(&self, inode: InodeId) -> Option<EntryAt> {
        self.at(inode.index())
    }

    /// [`get`](Self::get) by the index of an inode.
    pub(crate) fn at(&self, index: usize) -> Option<EntryAt> {
        let packed = self.list.get(index)?;
        let [low, high] = packed.unique_id;
        (packed.block != Packed::NONE.block).then_some(EntryAt {
            block: packed.block,
            unique_id: u64::from(high) << 32 | u64::from(low),
        })
    }

    /// Takes in the entry of an inode.
    pub(super) fn note(&mut self, inode: InodeId, entry: Option<EntryAt>) {
        let Some(entry) = entry else { return };
        if self.list.len() <= inode.index() {
            self.list.resize(inode.index() + 1, Packed::NONE);
        }
        let halves = [entry.unique_id, entry.unique_id >> 32];
        self.list[inode.index()] = Packed {
            block: entry.block,
            unique_id: halves.map(|half| half as u32),
        };
    }

    /// Works out which blocks of the file set's partition, if that is a metadata or sparable one,
    /// are taken: those that are in `ranges` of the disc's blocks, and those of the file set,
    /// which are numbered in the partition.
    pub(super) fn note_used(
        &mut self,
        (partitions, partition): (&Partitions, u16),
        ranges: [&BlockRangeList; 2],
        file_set: (u32, u32),
    ) {
        let mut used = vec![file_set];
        for side in [Side::Main, Side::Mirror] {
            let pieces = partitions.pieces(partition, side);
            for ranges in ranges {
                blocks_of(&pieces, ranges, partitions.block_bytes(), &mut used);
            }
            if !partitions.has_mirror(partition) {
                break;
            }
        }
        used.sort_unstable();
        for (first, end) in used {
            match self.used.last_mut() {
                Some(last) if first <= last.1 => last.1 = last.1.max(end),
                _ => self.used.push((first, end)),
            }
        }
    }

    /// Takes in where a directory is. `partition` is the one that the file set is in.
    pub(super) fn note_directory(
        &mut self,
        entry: &Entry,
        body: &Body,
        (partitions, partition): (&Partitions, u16),
    ) {
        let Source::Runs(runs) = &body.source else {
            return;
        };
        let size = partitions.block_size;
        let unit = match partitions.map(partition).map(|map| &map.kind) {
            Ok(Kind::Sparable(sparing)) => sparing.packet.max(1),
            _ => UNIT_MIN,
        };
        for run in runs {
            let first = run.address.block;
            let count = run.bytes.div_ceil(size.into());
            let end = u32::try_from(count).map_or(u32::MAX, |count| first.saturating_add(count));
            let is_long = end > first && first / unit != (end - 1) / unit;
            let is_inside = run.address.partition == partition;
            if is_long && is_inside && entry.block.address.partition == partition {
                let entry = entry.block.address.block;
                self.long_runs.push(DirectoryRun { first, end, entry });
            }
        }
    }

    /// Takes in a file of the volume's own.
    pub(super) fn note_own_file(&mut self) {
        self.own_files += 1;
    }

    /// Files in directories that are the volume's own, and in no tree.
    pub(crate) fn own_files(&self) -> u32 {
        self.own_files
    }

    pub(crate) fn long_runs(&self) -> &[DirectoryRun] {
        &self.long_runs
    }

    /// Those of some blocks that have an entry of an inode in them.
    pub(crate) fn known(&self, blocks: &BTreeSet<u32>) -> BTreeSet<u32> {
        if blocks.is_empty() {
            return BTreeSet::new();
        }
        let list = self.list.iter().map(|packed| packed.block);
        list.filter(|block| blocks.contains(block)).collect()
    }

    /// Blocks of the file set's partition that anything is in, ascending and apart: first and one
    /// past the last.
    pub(crate) fn used(&self) -> &[(u32, u32)] {
        &self.used
    }
}

impl EntryAt {
    /// Where an entry is. `partition` is the one that the file set is in.
    pub(super) fn of(entry: &Entry, partition: u16) -> Option<Self> {
        const STRATEGY: u16 = 4;
        let address = entry.block.address;
        let is_plain = entry.icb.strategy_type.get() == STRATEGY;
        (address.partition == partition && is_plain).then_some(Self {
            block: address.block,
            unique_id: entry.unique_id,
        })
    }
}

/// The blocks of a partition in these pieces that ranges of the disc's blocks touch.
fn blocks_of(
    pieces: &[(u32, u64, u32)],
    ranges: &BlockRangeList,
    size: u64,
    used: &mut Vec<(u32, u32)>,
) {
    for &(first, sector, count) in pieces {
        let (start, end) = (sector * size, (sector + u64::from(count)) * size);
        let ranges = ranges.ranges();
        let from = ranges
            .partition_point(|range| u64::from(range.end_exclusive()) * BLOCK_SIZE as u64 <= start);
        for range in &ranges[from..] {
            let low = range.start_lba().byte_offset().max(start);
            let high = (u64::from(range.end_exclusive()) * BLOCK_SIZE as u64).min(end);
            if low >= high {
                break;
            }
            let block = |byte: u64| first + ((byte - start) / size) as u32;
            used.push((block(low), block(high - 1) + 1));
        }
    }
}
