//! Entries made one by one, in blocks of their partition that an edit chose.

use std::collections::BTreeMap;

use reburn_blocks::{BLOCK_SIZE, BlockRange, ReadError};
use reburn_record::Record;
use reburn_record::little_endian::U32;
use reburn_tree::{Content, InodeId, Kind, NodeId, Tree};

use super::attributes::{attributes, check_attributes};
use super::emit::seal;
use super::entry::{AdForm, Entry, EntryForm, type_of};
use super::extents::{
    EXTENT_BLOCKS_MAX, EXTENT_BYTES_MAX, FileExtent, cut, extents_over, file_extents,
    stays_in_place,
};
use super::placed::{DATA_PARTITION, long_ad, short_ad};
use super::streams::{check_stream, stream_bytes};
use super::symlink::{encode_target, encoded_target_len};
use super::{FilePlacement, LayoutError, UdfOptions};
use crate::records::{
    AllocationExtentDescriptor, ExtentKind, LongAd, ShortAd, file_type, icb_flags, tag_id,
};

/// The upper two bits of an extent's length where more descriptors follow (ECMA-167
/// 4/14.14.1.1).
const CONTINUATION: u32 = 3 << 30;
/// The same where no block is (ECMA-167 4/14.14.1.1).
const HOLE: u32 = 2 << 30;
/// The file has changed since it was archived (ECMA-167 4/14.6.8).
const ARCHIVE: u16 = 1 << 5;

/// What all new entries of an edit have in common.
#[derive(Clone, Copy)]
pub(crate) struct NewEntries<'a> {
    pub(crate) options: &'a UdfOptions,
    pub(crate) tree: &'a Tree,
    pub(crate) over: &'a Over,
}

/// Runs of blocks that the content of a new file goes into first, and only what they do not hold
/// elsewhere: those that the file had which it replaces. Only of files that have blocks.
pub(crate) type Over = BTreeMap<InodeId, Vec<BlockRange>>;

/// Where a new entry stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntryPlace {
    pub(crate) block: u32,
    pub(crate) unique_id: u64,
    /// Blocks that its allocation descriptors go on in.
    pub(crate) continuations: Vec<u32>,
    pub(crate) streams: StreamsAt,
    /// Whether it is the entry of a stream.
    pub(crate) is_stream: bool,
}

/// Where the named streams of a file are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StreamsAt {
    /// The block with the entry of the stream directory, if there is one.
    pub(crate) block: Option<u32>,
    /// The partition that this is in.
    pub(crate) partition: u16,
    /// Bytes of all streams.
    pub(crate) bytes: u64,
}

impl StreamsAt {
    /// What leads to the stream directory.
    pub(crate) fn icb(self) -> Option<LongAd> {
        let length = BLOCK_SIZE as u32;
        self.block
            .map(|block| long_ad(length, block, self.partition))
    }
}

/// Where a new directory's identifiers are.
#[derive(Debug)]
pub(crate) struct DirectoryPlace<'a> {
    pub(crate) links: u16,
    /// Its identifiers.
    pub(crate) bytes: &'a [u8],
    /// The blocks that they are in; none if they are in the entry.
    pub(crate) blocks: &'a [u32],
    /// Blocks of an allocation unit.
    pub(crate) unit: u32,
}

impl NewEntries<'_> {
    fn form(&self) -> EntryForm {
        EntryForm::of(self.options)
    }

    /// Bytes that content or allocation descriptors of a new entry can have.
    pub(crate) fn room(&self, inode: InodeId) -> u64 {
        self.form().room(self.tree, inode)
    }

    /// Whether a file's content lies in its entry. Content of the base that can stay in its
    /// blocks does.
    pub(crate) fn is_embedded(&self, inode: InodeId) -> bool {
        match self.tree.kind(inode) {
            Kind::File { size: 0, .. } => true,
            Kind::File {
                content: Content::Base(extents),
                ..
            } if stays_in_place(extents) => false,
            Kind::File { size, .. } => self.options.embed_files && size <= self.room(inode),
            _ => false,
        }
    }

    /// The extents of a file that is not embedded.
    fn extents(&self, inode: InodeId) -> Vec<FileExtent> {
        match (self.over.get(&inode), self.tree.kind(inode)) {
            (Some(runs), Kind::File { size, .. }) => extents_over(size, runs).collect(),
            _ => file_extents(self.tree, inode).collect(),
        }
    }

    /// Blocks that continue a file's allocation descriptors.
    pub(crate) fn continuations(&self, inode: InodeId) -> u64 {
        if self.is_embedded(inode) {
            return 0;
        }
        let extents = self.extents(inode).len() as u64;
        self.form().continuations(self.tree, inode, extents)
    }

    /// Extended attributes of an inode, for the entry in `block`.
    pub(crate) fn attributes(&self, inode: InodeId, block: u32) -> Vec<u8> {
        attributes(self.form(), self.options, self.tree, inode, block)
    }

    /// Checks what attributes and streams of a file or folder must obey.
    pub(crate) fn check_extras(&self, node: NodeId) -> Result<(), LayoutError> {
        check_attributes(self.form(), self.tree, node)?;
        let owner = self.tree.inode(node);
        for (name, stream) in self.tree.streams(owner) {
            if let Err(reason) = check_stream(self.tree, owner, name, stream) {
                let name = String::from_utf8_lossy(name).into_owned();
                let path = self.tree.display_path(node);
                return Err(LayoutError::Stream { path, name, reason });
            }
        }
        Ok(())
    }

    /// Bytes of all streams of a file.
    pub(crate) fn stream_bytes(&self, owner: InodeId) -> u64 {
        stream_bytes(self.tree, owner)
    }

    /// Checks what an entry of anything but a folder must obey.
    pub(crate) fn check(&self, node: NodeId) -> Result<(), LayoutError> {
        let inode = self.tree.inode(node);
        let path = || self.tree.display_path(node);
        self.check_extras(node)?;
        let links = u64::from(self.tree.links(inode));
        if links > u16::MAX.into() {
            let path = path();
            return Err(LayoutError::TooManyLinks { path, links });
        }
        if let Kind::Symlink(target) = self.tree.kind(inode) {
            let (len, max) = (encoded_target_len(target), self.room(inode));
            if len > max {
                let path = path();
                return Err(LayoutError::SymlinkTooLong { path, len, max });
            }
        }
        Ok(())
    }

    /// Puts the entry of anything but a folder into `out`, a block of zeros. `partition` has the
    /// data of files.
    pub(crate) fn write_file(
        &self,
        inode: InodeId,
        place: &EntryPlace,
        partition: BlockRange,
        files: &dyn FilePlacement,
        out: &mut [u8],
    ) -> Result<(), ReadError> {
        let kind = self.tree.kind(inode);
        let mut tail = Vec::new();
        let (mut information_length, mut blocks_recorded) = (0, 0);
        let mut flags = icb_flags::EMBEDDED;
        match kind {
            Kind::Symlink(target) => {
                encode_target(target, &mut tail);
                information_length = tail.len() as u64;
            }
            Kind::File { size, content } if self.is_embedded(inode) => {
                information_length = size;
                tail.resize(size as usize, 0);
                match content {
                    Content::Bytes(bytes) => tail.copy_from_slice(bytes),
                    _ if size > 0 => files.read_embedded(inode, &mut tail)?,
                    _ => {}
                }
            }
            Kind::File { size, .. } => {
                information_length = size;
                let extents = self.extents(inode);
                blocks_recorded = extents.iter().map(FileExtent::blocks).sum();
                flags = self.form().file_ads.flag();
                self.allocation(inode, place, 0, partition, files, &mut tail);
            }
            _ => {}
        }
        if matches!(kind, Kind::File { .. }) {
            flags |= ARCHIVE;
        }
        let file_type = if place.is_stream {
            flags |= icb_flags::STREAM;
            file_type::FILE
        } else {
            type_of(self.options.revision, kind, self.tree.metadata(inode))
        };
        let entry = Entry {
            file_type,
            flags,
            metadata: *self.tree.metadata(inode),
            // More than 16 bits were refused.
            links: self.tree.links(inode) as u16,
            information_length,
            blocks_recorded,
            stream_bytes: place.streams.bytes,
            stream_directory: place.streams.icb(),
            unique_id: place.unique_id,
            attributes: self.attributes(inode, place.block),
            tail,
        };
        entry.write(self.options, place.block, out);
        Ok(())
    }

    /// Puts a block with more allocation descriptors of a file into `out`, a block of zeros:
    /// the first (1), the second, and so on.
    pub(crate) fn write_continuation(
        &self,
        inode: InodeId,
        place: &EntryPlace,
        part: u32,
        partition: BlockRange,
        files: &dyn FilePlacement,
        out: &mut [u8],
    ) {
        let mut ads = Vec::new();
        self.allocation(inode, place, part, partition, files, &mut ads);
        let block = place.continuations[part as usize - 1];
        continuation(self.options, &ads, block, out);
    }

    /// The allocation descriptors in a file's entry (part 0) or in one of its continuations.
    fn allocation(
        &self,
        inode: InodeId,
        place: &EntryPlace,
        part: u32,
        partition: BlockRange,
        files: &dyn FilePlacement,
        out: &mut Vec<u8>,
    ) {
        let all = self.extents(inode);
        let extents = all.len() as u64;
        let (first, count) = self
            .form()
            .extents_in(self.tree, inode, extents, part.into());
        let all = all.iter().enumerate();
        for (index, extent) in all.skip(first as usize).take(count as usize) {
            let (length, block) = if extent.is_hole {
                (extent.bytes as u32 | HOLE, 0)
            } else {
                let start = files.extent_start(inode, index);
                assert!(
                    partition.contains(start),
                    "block {start} is not in the partition {partition}"
                );
                let block = start.blocks_since(partition.start_lba()).get();
                (extent.bytes as u32, block)
            };
            self.push_ad(length, block, DATA_PARTITION, out);
        }
        if first + count < extents {
            let next = place.continuations[part as usize];
            let length = BLOCK_SIZE as u32 | CONTINUATION;
            self.push_ad(length, next, self.options.entry_partition(), out);
        }
    }

    /// A descriptor in the form that those of files have.
    fn push_ad(&self, length: u32, block: u32, partition: u16, out: &mut Vec<u8>) {
        match self.form().file_ads {
            AdForm::Short => out.extend_from_slice(short_ad(length.into(), block).bytes()),
            AdForm::Long => out.extend_from_slice(long_ad(length, block, partition).bytes()),
        }
    }

    /// Puts the entry of a folder into `out`, a block of zeros.
    pub(crate) fn write_folder(
        &self,
        inode: InodeId,
        place: &EntryPlace,
        directory: &DirectoryPlace<'_>,
        out: &mut [u8],
    ) {
        let (flags, tail) = directory.body();
        let entry = Entry {
            file_type: file_type::DIRECTORY,
            flags,
            metadata: *self.tree.metadata(inode),
            links: directory.links,
            information_length: directory.bytes.len() as u64,
            blocks_recorded: directory.blocks.len() as u64,
            stream_bytes: place.streams.bytes,
            stream_directory: place.streams.icb(),
            unique_id: place.unique_id,
            attributes: self.attributes(inode, place.block),
            tail,
        };
        entry.write(self.options, place.block, out);
    }
}

impl NewEntries<'_> {
    /// Puts the entry of the stream directory of `owner` into `out`, a block of zeros. It has
    /// the owner's unique id (UDF 3.2.1.1).
    pub(crate) fn write_stream_directory(
        &self,
        owner: InodeId,
        place: &EntryPlace,
        directory: &DirectoryPlace<'_>,
        out: &mut [u8],
    ) {
        let (flags, tail) = directory.body();
        let entry = Entry {
            flags,
            metadata: *self.tree.metadata(owner),
            information_length: directory.bytes.len() as u64,
            blocks_recorded: directory.blocks.len() as u64,
            unique_id: place.unique_id,
            tail,
            ..Entry::of_system(file_type::STREAM_DIRECTORY, self.options.time)
        };
        entry.write(self.options, place.block, out);
    }

    /// Bytes that the entry of a stream directory has for it.
    pub(crate) fn stream_directory_room(&self) -> u64 {
        (BLOCK_SIZE - self.form().head_bytes()) as u64
    }
}

impl DirectoryPlace<'_> {
    /// The directory, or what leads to it, and how the ICB tag announces that.
    fn body(&self) -> (u16, Vec<u8>) {
        if self.blocks.is_empty() {
            (icb_flags::EMBEDDED, self.bytes.to_vec())
        } else {
            let bytes = self.bytes.len() as u64;
            (
                directory_flags(self.blocks),
                directory_ads(self.blocks, bytes, self.unit),
            )
        }
    }
}

/// Tells a block that a directory stands in, below a virtual partition, from one of the partition
/// that its entry is in.
pub(crate) const PHYSICAL: u32 = 1 << 31;

/// How the ICB tag announces what [`directory_ads`] gives for these blocks.
pub(crate) fn directory_flags(blocks: &[u32]) -> u16 {
    match blocks {
        [] => icb_flags::EMBEDDED,
        [first, ..] if first & PHYSICAL != 0 => icb_flags::LONG,
        _ => icb_flags::SHORT,
    }
}

/// Allocation descriptors of a directory of that many bytes in these blocks, cut where
/// allocation units of `unit` blocks end. Units move on their own, and Linux takes the blocks of
/// one descriptor for contiguous on the disc. They are long where the blocks are [`PHYSICAL`].
pub(crate) fn directory_ads(blocks: &[u32], bytes: u64, unit: u32) -> Vec<u8> {
    let is_followed = |a: &u32, b: &u32| a.checked_add(1) == Some(*b) && !b.is_multiple_of(unit);
    let mut ads = Vec::new();
    let mut left = bytes;
    for run in blocks.chunk_by(is_followed) {
        let here = left.min(run.len() as u64 * BLOCK_SIZE as u64);
        left -= here;
        if run[0] & PHYSICAL == 0 {
            ads.extend_from_slice(short_ad(here, run[0]).bytes());
            continue;
        }
        let mut block = run[0] & !PHYSICAL;
        for bytes in cut(here, EXTENT_BYTES_MAX) {
            ads.extend_from_slice(long_ad(bytes as u32, block, DATA_PARTITION).bytes());
            block += EXTENT_BLOCKS_MAX.get();
        }
    }
    ads
}

/// What leads to an entry. Of the unique id, the lower half counts (UDF 2.3.4.3).
pub(crate) fn entry_ad(block: u32, partition: u16, unique_id: u64) -> LongAd {
    let mut ad = long_ad(BLOCK_SIZE as u32, block, partition);
    ad.unique_id = U32::new(unique_id as u32);
    ad
}

/// Puts allocation descriptors into `out`, a block of zeros that the partition knows as `block`
/// (ECMA-167 4/14.5).
pub(crate) fn continuation(options: &UdfOptions, ads: &[u8], block: u32, out: &mut [u8]) {
    let mut head = AllocationExtentDescriptor::zeroed();
    head.length_of_allocation_descriptors = U32::new(ads.len() as u32);
    let end = AllocationExtentDescriptor::SIZE + ads.len();
    out[..AllocationExtentDescriptor::SIZE].copy_from_slice(head.bytes());
    out[AllocationExtentDescriptor::SIZE..end].copy_from_slice(ads);
    let revision = options.revision;
    seal(&mut out[..end], tag_id::ALLOCATION_EXTENT, revision, block);
}

/// A short descriptor of whole blocks, of a hole, or of the block that descriptors go on in.
pub(crate) fn file_ad(kind: ExtentKind, blocks: u32, block: u32) -> ShortAd {
    let bits = match kind {
        ExtentKind::Recorded => 0,
        ExtentKind::Allocated => 1 << 30,
        ExtentKind::Hole => HOLE,
        ExtentKind::Continuation => CONTINUATION,
    };
    short_ad(((blocks * BLOCK_SIZE as u32) | bits).into(), block)
}
