//! A layout with addresses: every block of the metadata, made when it is asked for.

use std::fmt;
use std::sync::Arc;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba, ReadError};
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32};
use reburn_tree::{InodeId, NodeId, Tree};

use super::directory::Checkpoints;
use super::kept::EntryPlace;
use super::layout::ROOT_ENTRY;
use super::{Addresses, Layout};
use crate::PartitionKind;
use crate::records::{LongAd, ShortAd};

/// The partition that the data of files are in.
pub(super) const DATA_PARTITION: u16 = 0;
/// The metadata or virtual partition that lies on it.
pub(super) const UPPER_PARTITION: u16 = 1;

/// Where the data of files are, and what small ones hold.
pub trait FilePlacement {
    /// The block at which an extent of a file's data starts. `extent` counts those that
    /// [`file_extents`](super::file_extents) gives; it is asked for no hole, and for none of a file
    /// that is [embedded](Layout::is_embedded).
    fn extent_start(&self, inode: InodeId, extent: usize) -> Lba;

    /// Fills `content` with all bytes of a file that is [embedded](Layout::is_embedded). Not
    /// asked for files whose bytes are in memory.
    fn read_embedded(&self, inode: InodeId, content: &mut [u8]) -> Result<(), ReadError>;
}

/// A layout with addresses. Cheap to make and to drop: it only borrows.
#[derive(Clone, Copy)]
pub struct Placed<'a> {
    pub(super) layout: &'a Layout,
    pub(super) tree: &'a Tree,
    pub(super) addresses: &'a Addresses,
    pub(super) files: &'a dyn FilePlacement,
}

impl fmt::Debug for Placed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placed")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// A part of the metadata that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Its blocks.
    pub range: BlockRange,
    /// What it is.
    pub kind: RegionKind,
}

/// What a [`Region`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKind {
    /// The file set descriptor.
    FileSet,
    /// The entry of a folder, its directory, and the entries of files that are first named in
    /// it.
    Folder(NodeId),
    /// The stream directory of a file or folder, and the entries of its streams.
    Streams(InodeId),
    /// What the volume keeps for itself: the list of blocks that no file may use.
    System,
    /// Blocks that fill up the last allocation unit.
    Unused,
}

/// What was found out about the directory rendered last. Kept between calls, it makes reading
/// a large directory piece by piece as fast as reading it at once. Used with another layout, it
/// starts anew.
#[derive(Debug, Default)]
pub struct RenderCache {
    /// Which directory of which layout the checkpoints are of.
    directory: Option<(Arc<()>, usize)>,
    checkpoints: Checkpoints,
}

impl<'a> Placed<'a> {
    /// The run of all entries and directories.
    pub fn metadata_range(&self) -> BlockRange {
        self.addresses.metadata_range(self.layout)
    }

    /// The second copy of the metadata, where there is one. It has the same bytes.
    pub fn mirror_range(&self) -> Option<BlockRange> {
        self.addresses.mirror_range(self.layout)
    }

    /// The parts of the metadata in the order of their blocks, without gaps.
    pub fn regions(&self) -> impl Iterator<Item = Region> + 'a {
        let (layout, start) = (self.layout, self.addresses.metadata);
        let range = move |from: u32, to: u32| {
            BlockRange::with_count(start + BlockCount::new(from), BlockCount::new(to - from))
        };
        let file_set = (RegionKind::FileSet, range(0, ROOT_ENTRY));
        let folders = layout.directories.iter().enumerate();
        let folders = folders.map(move |(index, directory)| {
            let next = layout.directories.get(index + 1);
            let end = next.map_or(layout.streams_start, |next| next.start);
            (
                RegionKind::Folder(directory.node),
                range(directory.start, end),
            )
        });
        let streams = layout.stream_directories.iter().enumerate();
        let streams = streams.map(move |(index, directory)| {
            let next = layout.stream_directories.get(index + 1);
            let end = next.map_or(layout.system_start, |next| next.start);
            (
                RegionKind::Streams(directory.owner),
                range(directory.start, end),
            )
        });
        let used = layout.used_blocks();
        let system = (RegionKind::System, range(layout.system_start, used));
        let unused = range(used, layout.metadata_blocks().get());
        std::iter::once(file_set)
            .chain(folders)
            .chain(streams)
            .chain([system, (RegionKind::Unused, unused)])
            .filter_map(|(kind, range)| {
                Some(Region {
                    range: range?,
                    kind,
                })
            })
    }

    /// Fills `buf` with the blocks of the metadata, or of their second copy, from `start` on.
    /// Fails only where the content of an embedded file cannot be read.
    ///
    /// # Panics
    /// If `buf` is not whole blocks, if not all of them are in one of
    /// [`metadata_range`](Self::metadata_range) and [`mirror_range`](Self::mirror_range), or if
    /// the tree turns out to have changed since it was laid out.
    pub fn read_metadata(
        &self,
        start: Lba,
        buf: &mut [u8],
        cache: &mut RenderCache,
    ) -> Result<(), ReadError> {
        assert!(buf.len().is_multiple_of(BLOCK_SIZE), "not whole blocks");
        let copies = [Some(self.metadata_range()), self.mirror_range()];
        let copy = copies
            .into_iter()
            .flatten()
            .find(|copy| copy.contains(start));
        let copy = copy.unwrap_or_else(|| panic!("block {start} is not metadata"));
        let end = u64::from(start.get()) + (buf.len() / BLOCK_SIZE) as u64;
        assert!(
            end <= copy.end_exclusive().into(),
            "blocks up to {end} are not all in the metadata {copy}"
        );
        buf.fill(0);
        let mut block = start.blocks_since(copy.start_lba()).get();
        let mut rest = buf;
        while !rest.is_empty() {
            let done = self.write_part(block, rest, cache)?;
            rest = &mut rest[done as usize * BLOCK_SIZE..];
            block += done;
        }
        Ok(())
    }

    /// Puts the block, or some blocks of one directory, into `buf`; how many.
    fn write_part(
        &self,
        block: u32,
        buf: &mut [u8],
        cache: &mut RenderCache,
    ) -> Result<u32, ReadError> {
        let layout = self.layout;
        let first = &mut buf[..BLOCK_SIZE];
        if block < ROOT_ENTRY {
            self.file_set(first);
            Ok(1)
        } else if block < layout.streams_start {
            self.write_folder_part(block, buf, cache)
        } else if block < layout.system_start {
            self.write_stream_part(block, buf)
        } else {
            if block < layout.used_blocks() {
                self.write_system(block, first);
            }
            Ok(1)
        }
    }

    fn write_folder_part(
        &self,
        block: u32,
        buf: &mut [u8],
        cache: &mut RenderCache,
    ) -> Result<u32, ReadError> {
        let layout = self.layout;
        let index = layout.directory_at(block).expect("the root begins before");
        let directory = &layout.directories[index];
        let blocks = layout.directory_blocks(self.tree, directory);
        let offset = block - directory.start;
        let first = &mut buf[..BLOCK_SIZE];
        if offset == 0 {
            self.write_folder(directory, first);
            Ok(1)
        } else if offset <= blocks {
            let (from, part) = directory_part(offset, blocks, buf);
            let known = cache
                .directory
                .as_ref()
                .is_some_and(|known| Arc::ptr_eq(&known.0, &layout.identity) && known.1 == index);
            if !known {
                cache.checkpoints.clear();
                cache.directory = Some((Arc::clone(&layout.identity), index));
            }
            self.directory_writer(directory)
                .write(from, part, &mut cache.checkpoints);
            Ok((part.len() / BLOCK_SIZE) as u32)
        } else {
            self.write_file_part(layout.file_at(index, block), block, None, first)?;
            Ok(1)
        }
    }

    fn write_stream_part(&self, block: u32, buf: &mut [u8]) -> Result<u32, ReadError> {
        let layout = self.layout;
        let index = layout.stream_directory_at(block);
        let directory = &layout.stream_directories[index];
        let blocks = layout.stream_directory_blocks(directory);
        let offset = block - directory.start;
        let first = &mut buf[..BLOCK_SIZE];
        if offset == 0 {
            self.write_stream_directory(directory, first);
            Ok(1)
        } else if offset <= blocks {
            let (from, part) = directory_part(offset, blocks, buf);
            self.write_stream_identifiers(directory, from, part);
            Ok((part.len() / BLOCK_SIZE) as u32)
        } else {
            let stream = layout.stream_at(index, block);
            self.write_file_part(stream, block, Some(directory.owner), first)?;
            Ok(1)
        }
    }

    /// The entry of a file or stream, or what continues it.
    fn write_file_part(
        &self,
        inode: InodeId,
        block: u32,
        owner: Option<InodeId>,
        out: &mut [u8],
    ) -> Result<(), ReadError> {
        match block - self.layout.entry_block(inode) {
            0 => self.write_file(inode, owner, out),
            part => {
                self.write_continuation(inode, part, out);
                Ok(())
            }
        }
    }

    /// The number that a block of the metadata has in the partition of the entries.
    pub(super) fn metadata_block(&self, block: u32) -> u32 {
        match self.layout.options.partition {
            PartitionKind::Metadata | PartitionKind::Virtual => block,
            PartitionKind::Plain | PartitionKind::Sparable => self.physical_block(block),
        }
    }

    /// The number that it has in the partition of the directories.
    pub(super) fn directory_block(&self, block: u32) -> u32 {
        match self.layout.options.partition {
            PartitionKind::Metadata => block,
            _ => self.physical_block(block),
        }
    }

    fn physical_block(&self, block: u32) -> u32 {
        self.addresses.in_partition(self.addresses.metadata) + block
    }

    /// An extent of the metadata.
    pub(super) fn metadata_ad(&self, block: u32, bytes: u32) -> LongAd {
        long_ad(
            bytes,
            self.metadata_block(block),
            self.layout.options.entry_partition(),
        )
    }

    /// What leads to an inode's entry.
    pub(super) fn icb(&self, inode: InodeId) -> LongAd {
        match self.layout.places.get(inode) {
            EntryPlace::New(block) => self.metadata_ad(block, BLOCK_SIZE as u32),
            EntryPlace::Kept(block) => long_ad(BLOCK_SIZE as u32, block, DATA_PARTITION),
        }
    }

    /// The unique id of an entry (UDF 3.2.1.1).
    pub(super) fn unique_id(&self, inode: InodeId) -> u64 {
        if inode == self.tree.inode(Tree::ROOT) {
            return 0;
        }
        self.layout.places.id(inode)
    }

    /// The unique id of a name whose file was named before: beyond those of all entries.
    pub(super) fn link_id(&self, link: u32) -> u64 {
        self.layout.places.new_id(self.layout.used_blocks()) + u64::from(link)
    }
}

/// What of `buf` is for a directory of so many blocks, and the byte of the directory that it
/// begins with: `buf` begins with the block that is the `offset`-th from 1 on.
fn directory_part(offset: u32, blocks: u32, buf: &mut [u8]) -> (u64, &mut [u8]) {
    let wanted = (buf.len() / BLOCK_SIZE) as u32;
    let count = wanted.min(blocks - (offset - 1));
    let from = u64::from(offset - 1) * BLOCK_SIZE as u64;
    (from, &mut buf[..count as usize * BLOCK_SIZE])
}

pub(super) fn short_ad(bytes: u64, block: u32) -> ShortAd {
    ShortAd {
        extent_length: U32::new(bytes as u32),
        extent_position: U32::new(block),
    }
}

pub(super) fn long_ad(length: u32, block: u32, partition: u16) -> LongAd {
    let mut ad = LongAd::zeroed();
    ad.extent_length = U32::new(length);
    ad.extent_location.logical_block_number = U32::new(block);
    ad.extent_location.partition_reference_number = U16::new(partition);
    ad
}
