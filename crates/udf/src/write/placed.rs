//! A layout with addresses: every block of the metadata, made when it is asked for.

use std::fmt;
use std::sync::Arc;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba, ReadError};
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32};
use reburn_tree::{Content, InodeId, Kind, NodeId, Tree};

use super::directory::{Checkpoints, DirectoryWriter};
use super::emit::seal;
use super::entry::{Entry, attributes, type_of};
use super::extents::{cut, file_extents};
use super::kept::EntryPlace;
use super::layout::{Directory, ROOT_ENTRY};
use super::symlink::encode_target;
use super::{Addresses, EXTENT_BYTES_MAX, Layout};
use crate::records::{AllocationExtentDescriptor, LongAd, ShortAd, file_type, icb_flags, tag_id};

/// The upper two bits of an extent's length where more descriptors follow (ECMA-167
/// 4/14.14.1.1).
const CONTINUATION: u32 = 3 << 30;
/// The same where no block is (ECMA-167 4/14.14.1.1).
const HOLE: u32 = 2 << 30;

/// The partition that the metadata are in where there is a metadata partition.
const METADATA_PARTITION: u16 = 1;

/// Where the data of files are, and what small ones hold.
pub trait FilePlacement {
    /// The block at which an extent of a file's data starts. `extent` counts those that
    /// [`file_extents`] gives; it is asked for no hole, and for none of a file that is
    /// [embedded](Layout::is_embedded).
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
            let end = next.map_or(layout.used_blocks(), |next| next.start);
            (
                RegionKind::Folder(directory.node),
                range(directory.start, end),
            )
        });
        let unused = range(layout.used_blocks(), layout.metadata_blocks().get());
        std::iter::once(file_set)
            .chain(folders)
            .chain([(RegionKind::Unused, unused)])
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
        let Some(index) = layout.directory_at(block) else {
            self.file_set(first);
            return Ok(1);
        };
        if block >= layout.used_blocks() {
            return Ok(1);
        }
        let directory = &layout.directories[index];
        let blocks = layout.directory_blocks(self.tree, directory);
        let offset = block - directory.start;
        if offset == 0 {
            self.write_folder(directory, first);
            Ok(1)
        } else if offset <= blocks {
            let wanted = (buf.len() / BLOCK_SIZE) as u32;
            let count = wanted.min(blocks - (offset - 1));
            let from = u64::from(offset - 1) * BLOCK_SIZE as u64;
            let known = cache
                .directory
                .as_ref()
                .is_some_and(|known| Arc::ptr_eq(&known.0, &layout.identity) && known.1 == index);
            if !known {
                cache.checkpoints.clear();
                cache.directory = Some((Arc::clone(&layout.identity), index));
            }
            let buf = &mut buf[..count as usize * BLOCK_SIZE];
            self.directory_writer(directory)
                .write(from, buf, &mut cache.checkpoints);
            Ok(count)
        } else {
            let inode = layout.file_at(index, block);
            let part = block - layout.entry_block(inode);
            if part == 0 {
                self.write_file(inode, first)?;
            } else {
                self.write_continuation(inode, part, first);
            }
            Ok(1)
        }
    }

    fn directory_writer<'p>(&'p self, directory: &'p Directory) -> DirectoryWriter<'p> {
        let is_embedded = self.layout.directory_blocks(self.tree, directory) == 0;
        let first = directory.start + u32::from(!is_embedded);
        DirectoryWriter {
            placed: self,
            directory,
            first_block: self.metadata_block(first),
            is_embedded,
        }
    }

    /// The entry of a folder, with its directory if that fits.
    fn write_folder(&self, directory: &Directory, out: &mut [u8]) {
        let inode = self.tree.inode(directory.node);
        let blocks = self.layout.directory_blocks(self.tree, directory);
        let mut tail = Vec::new();
        if blocks == 0 {
            tail.resize(directory.bytes as usize, 0);
            self.directory_writer(directory)
                .write(0, &mut tail, &mut Checkpoints::default());
        } else {
            let mut at = self.metadata_block(directory.start + 1);
            for bytes in cut(directory.bytes, EXTENT_BYTES_MAX) {
                tail.extend_from_slice(short_ad(bytes, at).bytes());
                at += EXTENT_BYTES_MAX as u32 / BLOCK_SIZE as u32;
            }
        }
        let entry = Entry {
            file_type: file_type::DIRECTORY,
            flags: if blocks == 0 {
                icb_flags::EMBEDDED
            } else {
                icb_flags::SHORT
            },
            metadata: *self.tree.metadata(inode),
            // Its name, or for the root the way up from itself, and the way up from each folder.
            links: directory.subfolders + 1,
            information_length: directory.bytes,
            blocks_recorded: blocks.into(),
            unique_id: self.unique_id(inode),
            attributes: self.attributes(inode),
            tail,
        };
        entry.write(
            &self.layout.options,
            self.metadata_block(directory.start),
            out,
        );
    }

    /// The entry of anything that is not a folder.
    fn write_file(&self, inode: InodeId, out: &mut [u8]) -> Result<(), ReadError> {
        let (tree, layout) = (self.tree, self.layout);
        let kind = tree.kind(inode);
        let mut tail = Vec::new();
        let (mut information_length, mut blocks_recorded) = (0, 0);
        let mut flags = icb_flags::EMBEDDED;
        match kind {
            Kind::Symlink(target) => {
                encode_target(target, &mut tail);
                information_length = tail.len() as u64;
            }
            Kind::File { size, content } if layout.is_embedded(tree, inode) => {
                information_length = size;
                tail.resize(size as usize, 0);
                match content {
                    Content::Bytes(bytes) => tail.copy_from_slice(bytes),
                    _ if size > 0 => self.files.read_embedded(inode, &mut tail)?,
                    _ => {}
                }
            }
            Kind::File { size, .. } => {
                information_length = size;
                let extents = file_extents(tree, inode);
                blocks_recorded = extents.map(|extent| extent.blocks()).sum();
                flags = layout.form.ad_kind();
                self.allocation(inode, 0, &mut tail);
            }
            _ => {}
        }
        if matches!(kind, Kind::File { .. }) {
            flags |= ARCHIVE;
        }
        let block = layout.entry_block(inode);
        let entry = Entry {
            file_type: type_of(layout.options.revision, kind, tree.metadata(inode)),
            flags,
            metadata: *tree.metadata(inode),
            // More than 16 bits were refused.
            links: tree.links(inode) as u16,
            information_length,
            blocks_recorded,
            unique_id: self.unique_id(inode),
            attributes: self.attributes(inode),
            tail,
        };
        entry.write(&layout.options, self.metadata_block(block), out);
        Ok(())
    }

    /// A block with more allocation descriptors of a file.
    fn write_continuation(&self, inode: InodeId, part: u32, out: &mut [u8]) {
        let mut ads = Vec::new();
        self.allocation(inode, part, &mut ads);
        let mut head = AllocationExtentDescriptor::zeroed();
        head.length_of_allocation_descriptors = U32::new(ads.len() as u32);
        let end = AllocationExtentDescriptor::SIZE + ads.len();
        out[..AllocationExtentDescriptor::SIZE].copy_from_slice(head.bytes());
        out[AllocationExtentDescriptor::SIZE..end].copy_from_slice(&ads);
        let block = self.metadata_block(self.layout.entry_block(inode) + part);
        let revision = self.layout.options.revision;
        seal(&mut out[..end], tag_id::ALLOCATION_EXTENT, revision, block);
    }

    /// The allocation descriptors in a file's entry (part 0) or in one of its continuations.
    fn allocation(&self, inode: InodeId, part: u32, out: &mut Vec<u8>) {
        let (tree, layout) = (self.tree, self.layout);
        let extents = file_extents(tree, inode).count() as u64;
        let form = layout.form;
        let (first, count) = form.extents_in(tree, inode, extents, part.into());
        let all = file_extents(tree, inode).enumerate();
        let has_long = form.ad_kind() == icb_flags::LONG;
        let mut put = |length: u32, block: u32, partition: u16| {
            if has_long {
                out.extend_from_slice(long_ad(length, block, partition).bytes());
            } else {
                out.extend_from_slice(short_ad(length.into(), block).bytes());
            }
        };
        for (index, extent) in all.skip(first as usize).take(count as usize) {
            if extent.is_hole {
                put(extent.bytes as u32 | HOLE, 0, 0);
            } else {
                let start = self.files.extent_start(inode, index);
                put(extent.bytes as u32, self.addresses.in_partition(start), 0);
            }
        }
        if first + count < extents {
            let next = self.metadata_block(layout.entry_block(inode) + part + 1);
            let length = BLOCK_SIZE as u32 | CONTINUATION;
            put(length, next, self.metadata_partition());
        }
    }

    fn attributes(&self, inode: InodeId) -> Vec<u8> {
        let layout = self.layout;
        let block = self.metadata_block(layout.entry_block(inode));
        attributes(layout.form, &layout.options, self.tree, inode, block)
    }

    /// The number that a block of the metadata has in its partition.
    pub(super) fn metadata_block(&self, block: u32) -> u32 {
        if self.layout.options.revision.has_metadata_partition() {
            block
        } else {
            self.addresses.in_partition(self.addresses.metadata) + block
        }
    }

    fn metadata_partition(&self) -> u16 {
        if self.layout.options.revision.has_metadata_partition() {
            METADATA_PARTITION
        } else {
            0
        }
    }

    /// An extent of the metadata.
    pub(super) fn metadata_ad(&self, block: u32, bytes: u32) -> LongAd {
        long_ad(bytes, self.metadata_block(block), self.metadata_partition())
    }

    /// What leads to an inode's entry.
    pub(super) fn icb(&self, inode: InodeId) -> LongAd {
        match self.layout.places.get(inode) {
            EntryPlace::New(block) => self.metadata_ad(block, BLOCK_SIZE as u32),
            EntryPlace::Kept(block) => long_ad(BLOCK_SIZE as u32, block, 0),
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

/// The file has changed since it was archived, as every file has that no backup has seen
/// (ECMA-167 4/14.6.8).
const ARCHIVE: u16 = 1 << 5;

fn short_ad(bytes: u64, block: u32) -> ShortAd {
    ShortAd {
        extent_length: U32::new(bytes as u32),
        extent_position: U32::new(block),
    }
}

fn long_ad(length: u32, block: u32, partition: u16) -> LongAd {
    let mut ad = LongAd::zeroed();
    ad.extent_length = U32::new(length);
    ad.extent_location.logical_block_number = U32::new(block);
    ad.extent_location.partition_reference_number = U16::new(partition);
    ad
}
