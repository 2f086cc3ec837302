//! A layout with addresses: every block of the metadata, made when it is asked for.

use std::fmt;
use std::sync::Arc;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_tree::{InodeId, NodeId, Tree};

use super::Layout;
use super::descriptors::Descriptors;
use super::directory::{DirectoryWriter, Sources};
use super::hierarchy::HierarchyLayout;
use super::listing::Listing;
use super::path_table::{PathTable, write_path_table};
use super::progress::Checkpoints;
use super::window::Window;
use crate::Hierarchy;

/// Where the data of files are.
///
/// A closure `Fn(InodeId, usize) -> Lba` is one.
pub trait FilePlacement {
    /// The block at which a section of a file's data starts. `section` counts those that
    /// [`section_lengths`](super::section_lengths) gives; it is asked for no other.
    fn section_start(&self, inode: InodeId, section: usize) -> Lba;
}

impl<F: Fn(InodeId, usize) -> Lba> FilePlacement for F {
    fn section_start(&self, inode: InodeId, section: usize) -> Lba {
        self(inode, section)
    }
}

/// A layout with addresses. Cheap to make and to drop: it only borrows.
#[derive(Clone, Copy)]
pub struct Placed<'a> {
    pub(super) layout: &'a Layout,
    pub(super) tree: &'a Tree,
    pub(super) metadata: BlockRange,
    pub(super) files: &'a dyn FilePlacement,
}

impl fmt::Debug for Placed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placed")
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// A part of the metadata that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Its blocks.
    pub range: BlockRange,
    /// The hierarchy it belongs to.
    pub hierarchy: Hierarchy,
    /// What it is.
    pub kind: RegionKind,
}

/// What a [`Region`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKind {
    /// A path table.
    PathTable(PathTable),
    /// The records of a folder, and after them what continues their system use areas.
    Directory(NodeId),
    /// The records of the folder that moved folders are in, where the tree has no such folder.
    RelocationFolder,
}

/// What was found out about the directory rendered last. Kept between calls, it makes reading
/// a large directory piece by piece as fast as reading it at once. Used with another layout, it
/// starts anew.
#[derive(Default)]
pub struct RenderCache {
    listing: Listing,
    /// Which hierarchy and directory of which layout the listing is of.
    listed: Option<(Arc<()>, usize, usize)>,
    checkpoints: Checkpoints,
}

impl fmt::Debug for RenderCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderCache")
            .field("listed", &self.listed)
            .finish_non_exhaustive()
    }
}

impl<'a> Placed<'a> {
    /// The volume descriptors, in whole blocks, for 16 blocks after the start of a session.
    ///
    /// `volume_space` is the size of the volume in blocks, counted from the start of the
    /// session (ECMA-119 8.4.8); `application_use` stands in the primary descriptor as it is
    /// (8.4.32).
    pub fn descriptors(&self, volume_space: BlockCount, application_use: &[u8; 512]) -> Vec<u8> {
        Descriptors::new(self, volume_space, application_use).render()
    }

    /// The run of all path tables and directories.
    pub fn metadata_range(&self) -> BlockRange {
        self.metadata
    }

    /// Path tables and directories in the order of their blocks, without gaps.
    pub fn regions(&self) -> impl Iterator<Item = Region> {
        let hierarchies = &self.layout.hierarchies;
        let tables = hierarchies.iter().flat_map(|hierarchy| {
            let blocks = hierarchy.path_table_blocks();
            let tables = [
                (PathTable::L, hierarchy.path_table_start),
                (PathTable::M, hierarchy.path_table_start + blocks),
            ];
            tables.map(|(table, start)| (hierarchy, start, blocks, RegionKind::PathTable(table)))
        });
        let directories = hierarchies.iter().flat_map(|hierarchy| {
            hierarchy.by_block().map(move |index| {
                let directory = &hierarchy.directories[index];
                let kind = if hierarchy.is_relocation_folder(index) {
                    RegionKind::RelocationFolder
                } else {
                    RegionKind::Directory(directory.node)
                };
                (hierarchy, directory.start, directory.blocks(), kind)
            })
        });
        tables
            .chain(directories)
            .filter_map(|(hierarchy, start, blocks, kind)| {
                let start = self.metadata.start_lba() + BlockCount::new(start);
                Some(Region {
                    range: BlockRange::with_count(start, BlockCount::new(blocks))?,
                    hierarchy: hierarchy.kind,
                    kind,
                })
            })
    }

    /// Fills `buf` with the blocks of the metadata from `start` on.
    ///
    /// # Panics
    /// If `buf` is not whole blocks, if not all of them are in
    /// [`metadata_range`](Self::metadata_range), or if the tree turns out to have changed since
    /// it was laid out.
    pub fn read_metadata(&self, start: Lba, buf: &mut [u8], cache: &mut RenderCache) {
        let end = u64::from(start.get()) + (buf.len() / BLOCK_SIZE) as u64;
        assert!(
            start >= self.metadata.start_lba()
                && end <= self.metadata.end_exclusive().into()
                && buf.len().is_multiple_of(BLOCK_SIZE),
            "{} bytes from block {start} on are not blocks of the metadata {}",
            buf.len(),
            self.metadata
        );
        buf.fill(0);
        let mut block = start.blocks_since(self.metadata.start_lba()).get();
        let mut rest = buf;
        while !rest.is_empty() {
            let done = self.write_region(block, rest, cache);
            rest = &mut rest[done as usize * BLOCK_SIZE..];
            block += done;
        }
    }

    /// Puts the blocks from `block` on into `buf` that belong to one area; how many.
    fn write_region(&self, block: u32, buf: &mut [u8], cache: &mut RenderCache) -> u32 {
        let wanted = (buf.len() / BLOCK_SIZE) as u32;
        for (number, hierarchy) in self.layout.hierarchies.iter().enumerate() {
            let blocks = hierarchy.path_table_blocks();
            for (table, start) in [
                (PathTable::L, hierarchy.path_table_start),
                (PathTable::M, hierarchy.path_table_start + blocks),
            ] {
                if (start..start + blocks).contains(&block) {
                    let count = wanted.min(start + blocks - block);
                    let mut window = window(block - start, count, buf);
                    write_path_table(&self.sources(hierarchy), table, &mut window);
                    return count;
                }
            }
            if let Some(index) = hierarchy.directory_at(block) {
                return self.write_directory((number, index), block, wanted, buf, cache);
            }
        }
        unreachable!("regions cover the metadata without gaps")
    }

    fn write_directory(
        &self,
        (number, index): (usize, usize),
        block: u32,
        wanted: u32,
        buf: &mut [u8],
        cache: &mut RenderCache,
    ) -> u32 {
        let hierarchy = &self.layout.hierarchies[number];
        let directory = hierarchy.directories[index];
        let sources = self.sources(hierarchy);
        let layout = &self.layout.identity;
        let known = cache.listed.as_ref().is_some_and(|listed| {
            Arc::ptr_eq(&listed.0, layout) && (listed.1, listed.2) == (number, index)
        });
        if !known {
            cache.listing.fill(self.tree, hierarchy, index);
            cache.listed = Some((Arc::clone(layout), number, index));
            cache.checkpoints.clear();
        }
        let mut writer = DirectoryWriter::new(sources, &cache.listing, index);
        let offset = block - directory.start;
        if offset < directory.record_blocks {
            let count = wanted.min(directory.record_blocks - offset);
            writer.write_records(&mut cache.checkpoints, &mut window(offset, count, buf));
            count
        } else {
            let count = wanted.min(directory.blocks() - offset);
            writer.write_continuations(&mut cache.checkpoints, &mut window(offset, count, buf));
            count
        }
    }

    pub(super) fn sources(&self, hierarchy: &'a HierarchyLayout) -> Sources<'a> {
        Sources {
            tree: self.tree,
            hierarchy,
            serials: &self.layout.serials,
            metadata_start: self.metadata.start_lba(),
            files: self.files,
        }
    }
}

/// A window on `count` blocks of a region from its block `offset` on, in the front of `buf`.
fn window(offset: u32, count: u32, buf: &mut [u8]) -> Window<'_> {
    let bytes = count as usize * BLOCK_SIZE;
    Window::new(u64::from(offset) * BLOCK_SIZE as u64, &mut buf[..bytes])
}
