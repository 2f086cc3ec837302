//! Entries that stay where they are when a volume is changed, and the unique ids of all.
//!
//! Invariants: an entry stays only if nothing that it says changed; whatever was on the volume
//! before keeps its unique id (UDF 3.2.1.1), and ids of new files are higher than all before.

use std::collections::{BTreeMap, BTreeSet};

use reburn_tree::{InodeId, NodeId, Tree};

use super::layout::FIRST_UNIQUE_ID;
use crate::read::Entries;

/// What is on the disc already. Folders are laid out anew all the same, since each leads to what
/// is in it and back.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// Where entries are: in the plain or sparable partition of the volume.
    pub entries: &'a Entries,
    /// Files whose entries say something else than they shall.
    pub changed: &'a BTreeSet<InodeId>,
}

impl Kept<'_> {
    /// The block of a file's entry, if that can stay.
    pub(super) fn block(&self, inode: InodeId) -> Option<u32> {
        let entry = self.entries.get(inode)?;
        // The highest bit tells blocks of the partition from those of the new metadata.
        (!self.changed.contains(&inode) && entry.block < !KEPT).then_some(entry.block)
    }
}

/// Marks a block as one of the partition, rather than of the new metadata.
const KEPT: u32 = 1 << 31;

/// No block of that number exists.
const NO_ENTRY: u32 = u32::MAX;

/// No file has that unique id.
const NO_ID: u64 = u64::MAX;

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryPlace {
    /// In a block of the new metadata, counted from its first.
    New(u32),
    /// In a block of the partition.
    Kept(u32),
}

/// Where the entry of each inode is, and its unique id. Four bytes an inode; twelve where there
/// are entries from before.
#[derive(Debug)]
pub(super) struct EntryPlaces {
    blocks: Vec<u32>,
    /// The ids of what was on the volume before; empty if nothing was.
    ids: Vec<u64>,
    /// What the number of a new entry's block is added to.
    first_id: u64,
    /// The first name of files with several names whose entries are kept.
    first_names: BTreeMap<InodeId, NodeId>,
}

impl EntryPlaces {
    /// No entry has a place yet.
    pub(super) fn new(tree: &Tree, kept: Option<&Kept<'_>>) -> Self {
        let count = tree.inode_limit();
        let id = |index: usize, kept: &Kept<'_>| {
            kept.entries
                .at(index)
                .map_or(NO_ID, |entry| entry.unique_id)
        };
        Self {
            blocks: vec![NO_ENTRY; count],
            ids: kept.map_or_else(Vec::new, |kept| (0..count).map(|at| id(at, kept)).collect()),
            first_id: FIRST_UNIQUE_ID.into(),
            first_names: BTreeMap::new(),
        }
    }

    /// How many inodes there are.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn is_placed(&self, inode: InodeId) -> bool {
        self.blocks[inode.index()] != NO_ENTRY
    }

    /// Places an entry in a block of the new metadata.
    pub(super) fn set(&mut self, inode: InodeId, block: u32) {
        self.blocks[inode.index()] = block;
    }

    /// Leaves an entry in a block of the partition; `node` is the first name that leads to it.
    pub(super) fn keep(&mut self, tree: &Tree, inode: InodeId, block: u32, node: NodeId) {
        self.blocks[inode.index()] = block | KEPT;
        if tree.links(inode) > 1 {
            self.first_names.insert(inode, node);
        }
    }

    pub(super) fn get(&self, inode: InodeId) -> EntryPlace {
        match self.blocks[inode.index()] {
            block if block & KEPT == 0 => EntryPlace::New(block),
            block => EntryPlace::Kept(block & !KEPT),
        }
    }

    /// Whether `node` is the name that a kept entry's own unique id goes with.
    pub(super) fn is_first_name(&self, inode: InodeId, node: NodeId) -> bool {
        self.first_names
            .get(&inode)
            .is_none_or(|first| *first == node)
    }

    /// Ids from now on are `floor` or higher, for `count` blocks and links.
    pub(super) fn start_ids(&mut self, floor: u64, count: u32) {
        self.first_id = first_id(floor, count);
    }

    /// The id of an entry in block `block` of the new metadata that was not there before.
    pub(super) fn new_id(&self, block: u32) -> u64 {
        self.first_id + u64::from(block)
    }

    /// The unique id of an entry; two never have the same, since no two share a block.
    pub(super) fn id(&self, inode: InodeId) -> u64 {
        match (self.ids.get(inode.index()), self.get(inode)) {
            (Some(&id), _) if id != NO_ID => id,
            (_, EntryPlace::New(block) | EntryPlace::Kept(block)) => self.new_id(block),
        }
    }
}

/// The first of `count` ids in a row from `floor` on whose lower halves are none of the first
/// sixteen numbers, which other systems use (UDF 3.2.1.1).
fn first_id(floor: u64, count: u32) -> u64 {
    const HALF: u64 = 1 << 32;
    let reserved = u64::from(FIRST_UNIQUE_ID);
    let low = floor % HALF;
    if low < reserved {
        floor - low + reserved
    } else if low + u64::from(count) > HALF {
        floor - low + HALF + reserved
    } else {
        floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_avoid_the_first_sixteen_numbers() {
        assert_eq!(first_id(0, 5), 16);
        assert_eq!(first_id(16, 5), 16);
        assert_eq!(first_id(1000, 5), 1000);
        assert_eq!(first_id(0xffff_fffb, 5), 0xffff_fffb);
        assert_eq!(first_id(0xffff_fffc, 5), 0x1_0000_0010);
        assert_eq!(first_id(0x1_0000_0003, 5), 0x1_0000_0010);
    }
}
