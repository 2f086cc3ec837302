//! The directories of one hierarchy: which there are, in which order, and how large.
//!
//! Invariants: directories stand in the order of the path table, that is by level, then by
//! parent, then by identifier (ECMA-119 6.9.1); so the children of a directory follow each
//! other, in the order in which their records stand in it.

use reburn_blocks::{BLOCK_SIZE, BlockCount};
use reburn_record::Record;
use reburn_tree::{NodeId, Tree};

use super::LayoutError;
use super::directory::{DirectoryWriter, Sources};
use super::listing::Listing;
use super::relocation::Relocation;
use crate::Hierarchy;
use crate::names::NameRules;
use crate::records::PathTableRecordL;

/// The last directory that a path table can name as a parent (ECMA-119 9.4.4).
const PARENT_NUMBER_MAX: usize = u16::MAX as usize;

/// Blocks of records whose length in bytes can be stated (ECMA-119 9.1.4).
const RECORD_BLOCKS_MAX: u32 = u32::MAX / BLOCK_SIZE as u32;

/// A directory as one hierarchy records it. Its records come first, then what continues
/// their system use areas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Directory {
    /// The folder; the root also for the relocation folder that the tree does not have.
    pub(super) node: NodeId,
    /// Which directory it is recorded in.
    pub(super) parent: u32,
    /// Where the directories recorded in it begin.
    pub(super) first_child: u32,
    /// Folders in the folder, wherever they are recorded.
    pub(super) subfolders: u32,
    /// Blocks from the first block of all metadata.
    pub(super) start: u32,
    pub(super) record_blocks: u32,
    pub(super) continuation_blocks: u32,
    identifier_start: u32,
    identifier_len: u8,
}

impl Directory {
    fn new(node: NodeId, parent: u32) -> Self {
        Self {
            node,
            parent,
            first_child: 0,
            subfolders: 0,
            start: 0,
            record_blocks: 0,
            continuation_blocks: 0,
            identifier_start: 0,
            identifier_len: 0,
        }
    }

    fn place(&mut self, next: &mut u64) {
        self.start = *next as u32;
        *next += u64::from(self.blocks());
    }

    pub(super) fn blocks(&self) -> u32 {
        self.record_blocks + self.continuation_blocks
    }

    /// Bytes of its records (ECMA-119 9.1.4).
    pub(super) fn data_length(&self) -> u32 {
        self.record_blocks * BLOCK_SIZE as u32
    }
}

/// One hierarchy of a layout.
#[derive(Debug)]
pub(super) struct HierarchyLayout {
    pub(super) kind: Hierarchy,
    pub(super) rules: NameRules,
    pub(super) directories: Vec<Directory>,
    pub(super) relocation: Option<Relocation>,
    /// Blocks from the first block of all metadata to the type L path table; the type M table
    /// follows.
    pub(super) path_table_start: u32,
    /// Bytes of a path table (ECMA-119 8.4.13).
    pub(super) path_table_bytes: u32,
    /// The directories in the order of their blocks, where that is not the order of the path
    /// table.
    block_order: Option<Vec<u32>>,
    /// The directories' identifiers, in their order, each with an even number of bytes.
    identifiers: Vec<u8>,
}

impl HierarchyLayout {
    /// Finds all directories and reckons how large they are.
    pub(super) fn new(
        tree: &Tree,
        kind: Hierarchy,
        rules: NameRules,
        relocation: Option<Relocation>,
        serials: &[u32],
    ) -> Result<Self, LayoutError> {
        let mut hierarchy = Self {
            kind,
            rules,
            directories: vec![Directory::new(Tree::ROOT, 0)],
            relocation,
            path_table_start: 0,
            path_table_bytes: 0,
            block_order: None,
            identifiers: Vec::new(),
        };
        hierarchy.name_directory(0, &[0]);
        let mut listing = Listing::default();
        let mut index = 0;
        while index < hierarchy.directories.len() {
            listing.fill(tree, &hierarchy, index);
            if listing.too_many() {
                return Err(LayoutError::DirectoryTooLarge {
                    path: tree.display_path(hierarchy.directories[index].node),
                });
            }
            hierarchy.add_children(tree, &listing, index)?;
            hierarchy.check_path_table()?;
            hierarchy.measure(tree, &listing, index, serials)?;
            index += 1;
        }
        hierarchy.directories.shrink_to_fit();
        hierarchy.identifiers.shrink_to_fit();
        Ok(hierarchy)
    }

    /// Whether records have entries of Rock Ridge.
    pub(super) fn has_rock_ridge(&self) -> bool {
        self.kind == Hierarchy::RockRidge
    }

    /// The identifier of a directory; one zero byte for the root (ECMA-119 9.4.5).
    pub(super) fn identifier(&self, index: usize) -> &[u8] {
        let directory = &self.directories[index];
        let start = directory.identifier_start as usize;
        &self.identifiers[start..start + usize::from(directory.identifier_len)]
    }

    /// Blocks of one path table.
    pub(super) fn path_table_blocks(&self) -> u32 {
        self.path_table_bytes.div_ceil(BLOCK_SIZE as u32)
    }

    /// Gives path tables their places, from `next` on.
    pub(super) fn place_path_tables(&mut self, next: &mut u64) {
        self.path_table_start = *next as u32;
        *next += 2 * u64::from(self.path_table_blocks());
    }

    /// Gives directories their places, from `next` on.
    ///
    /// They stand in the order of the path table, except that moved folders with all that is
    /// in them come before the rest: a reader that goes through the disc once, as libarchive
    /// does, can then put them back wherever they belong.
    pub(super) fn place_directories(&mut self, next: &mut u64) {
        let Some(relocation) = &self.relocation else {
            for directory in &mut self.directories {
                directory.place(next);
            }
            return;
        };
        let mut order = Vec::with_capacity(self.directories.len());
        let mut moved = vec![false; self.directories.len()];
        for relocated in &relocation.moved {
            let folder = self.directories[relocated.directory as usize].parent;
            moved[folder as usize] = true;
        }
        for (index, directory) in self.directories.iter().enumerate() {
            moved[index] |= moved[directory.parent as usize];
            if index == 0 || moved[index] {
                order.push(index as u32);
            }
        }
        order.extend((1..moved.len() as u32).filter(|&index| !moved[index as usize]));
        for &index in &order {
            self.directories[index as usize].place(next);
        }
        self.block_order = Some(order);
    }

    /// All directories, in the order of their blocks.
    pub(super) fn by_block(&self) -> impl Iterator<Item = usize> {
        (0..self.directories.len()).map(|place| self.nth_by_block(place))
    }

    /// The directory that holds a block of the metadata, if it is this hierarchy's.
    pub(super) fn directory_at(&self, block: u32) -> Option<usize> {
        let starts_before =
            |place: usize| self.directories[self.nth_by_block(place)].start <= block;
        let place = partition_point(self.directories.len(), starts_before).checked_sub(1)?;
        let index = self.nth_by_block(place);
        let directory = &self.directories[index];
        (block - directory.start < directory.blocks()).then_some(index)
    }

    fn nth_by_block(&self, place: usize) -> usize {
        match &self.block_order {
            Some(order) => order[place] as usize,
            None => place,
        }
    }

    /// Whether this is a relocation folder that the tree does not have.
    pub(super) fn is_relocation_folder(&self, index: usize) -> bool {
        index != 0 && self.directories[index].node == Tree::ROOT
    }

    /// Adds the directories recorded in the one that `listing` lists.
    fn add_children(
        &mut self,
        tree: &Tree,
        listing: &Listing,
        index: usize,
    ) -> Result<(), LayoutError> {
        let first_child = self.directories.len();
        let mut subfolders = 0;
        for place in 0..listing.len() {
            let (member, identifier) = listing.get(place);
            let child = member.directory(tree).map(|node| {
                let child = self.directories.len();
                self.directories.push(Directory::new(node, index as u32));
                self.name_directory(child, identifier);
                child as u32
            });
            if let Some(relocation) = &mut self.relocation {
                relocation.note(member, index as u32, child);
            }
            subfolders += u32::from(member.is_subfolder(tree));
        }
        let has_children = self.directories.len() > first_child;
        if has_children && index >= PARENT_NUMBER_MAX {
            return Err(LayoutError::TooManyDirectories {
                path: tree.display_path(self.directories[index].node),
                number: index as u32 + 1,
            });
        }
        let directory = &mut self.directories[index];
        directory.first_child = first_child as u32;
        directory.subfolders = subfolders;
        Ok(())
    }

    fn name_directory(&mut self, index: usize, identifier: &[u8]) {
        let directory = &mut self.directories[index];
        directory.identifier_start = self.identifiers.len() as u32;
        directory.identifier_len = identifier.len() as u8;
        self.identifiers.extend_from_slice(identifier);
        // As in the path table, so that places there can be told from places here.
        if !identifier.len().is_multiple_of(2) {
            self.identifiers.push(0);
        }
        self.path_table_bytes = self.path_table_offset(index + 1) as u32;
    }

    /// Checks that the length of a path table can be stated (ECMA-119 8.4.13).
    fn check_path_table(&self) -> Result<(), LayoutError> {
        let bytes = self.path_table_offset(self.directories.len());
        if bytes > u32::MAX.into() {
            let blocks = bytes.div_ceil(BLOCK_SIZE as u64);
            return Err(LayoutError::MetadataTooLarge { blocks });
        }
        Ok(())
    }

    /// Where the record of a directory starts in a path table.
    pub(super) fn path_table_offset(&self, index: usize) -> u64 {
        let directory = self.directories.get(index);
        let identifiers = directory.map_or(self.identifiers.len(), |directory| {
            directory.identifier_start as usize
        });
        (index * PathTableRecordL::SIZE + identifiers) as u64
    }

    /// The directory whose record a byte of a path table belongs to.
    pub(super) fn path_table_index(&self, offset: u64) -> usize {
        let starts_before = |index: usize| self.path_table_offset(index) <= offset;
        partition_point(self.directories.len(), starts_before).saturating_sub(1)
    }

    /// Reckons the blocks of a directory.
    fn measure(
        &mut self,
        tree: &Tree,
        listing: &Listing,
        index: usize,
        serials: &[u32],
    ) -> Result<(), LayoutError> {
        let sources = Sources::unplaced(tree, self, serials);
        let size = DirectoryWriter::new(sources, listing, index).measure();
        let blocks = |bytes: u64| BlockCount::for_bytes(bytes).map(BlockCount::get);
        let records = blocks(size.records).filter(|&blocks| blocks <= RECORD_BLOCKS_MAX);
        let (Some(records), Some(continuations)) = (records, blocks(size.continuations)) else {
            return Err(LayoutError::DirectoryTooLarge {
                path: tree.display_path(self.directories[index].node),
            });
        };
        let directory = &mut self.directories[index];
        directory.record_blocks = records;
        directory.continuation_blocks = continuations;
        Ok(())
    }
}

/// The first of `len` places for which `before`, true of all places up to there, is not true.
fn partition_point(len: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low.midpoint(high);
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
