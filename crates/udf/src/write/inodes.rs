//! Entries of folders, files and streams, and what continues them.

use reburn_blocks::{BLOCK_SIZE, ReadError};
use reburn_record::Record;
use reburn_record::little_endian::U32;
use reburn_tree::{Content, InodeId, Kind};

use super::EXTENT_BYTES_MAX;
use super::attributes::attributes;
use super::directory::{Checkpoints, DirectoryPlace, DirectoryWriter};
use super::emit::seal;
use super::entry::{AdForm, Entry, type_of};
use super::extents::file_extents;
use super::layout::Directory;
use super::placed::{DATA_PARTITION, Placed, long_ad, short_ad};
use super::symlink::encode_target;
use crate::PartitionKind;
use crate::records::{AllocationExtentDescriptor, file_type, icb_flags, tag_id};

/// The upper two bits of an extent's length where more descriptors follow (ECMA-167
/// 4/14.14.1.1).
const CONTINUATION: u32 = 3 << 30;
/// The same where no block is (ECMA-167 4/14.14.1.1).
const HOLE: u32 = 2 << 30;

/// The file has changed since it was archived, as every file has that no backup has seen
/// (ECMA-167 4/14.6.8).
const ARCHIVE: u16 = 1 << 5;

impl Placed<'_> {
    pub(super) fn directory_writer<'p>(&'p self, directory: &'p Directory) -> DirectoryWriter<'p> {
        let is_embedded = self.layout.directory_blocks(self.tree, directory) == 0;
        DirectoryWriter {
            placed: self,
            directory,
            place: self.directory_place(directory.start, is_embedded),
        }
    }

    /// Where a directory is whose entry is in block `start` of the metadata.
    pub(super) fn directory_place(&self, start: u32, is_embedded: bool) -> DirectoryPlace {
        DirectoryPlace {
            first_block: if is_embedded {
                self.metadata_block(start)
            } else {
                self.directory_block(start + 1)
            },
            is_embedded,
        }
    }

    /// How the ICB tag of a directory says where the directory is.
    pub(super) fn directory_flags(&self, is_embedded: bool) -> u16 {
        if is_embedded {
            icb_flags::EMBEDDED
        } else {
            self.layout.form.directory_ads.flag()
        }
    }

    /// Puts what leads to a directory behind its entry in block `start` at the end of `out`, which
    /// has room for so many descriptors.
    ///
    /// In a metadata partition they end where allocation units do, as far as there is room: units
    /// move on their own when the volume is edited, and Linux takes the blocks of one descriptor
    /// for contiguous on the disc.
    pub(super) fn directory_extents(&self, start: u32, bytes: u64, max: u64, out: &mut Vec<u8>) {
        // Short descriptors, which the other kinds have, mean the partition of the entry.
        let partition = match self.layout.options.partition {
            PartitionKind::Virtual => DATA_PARTITION,
            _ => self.layout.options.entry_partition(),
        };
        let mut at = self.directory_block(start + 1);
        let unit = self.layout.allocation_unit();
        let is_cut = self.layout.options.partition == PartitionKind::Metadata
            && bytes.div_ceil(unit.bytes() as u64) < max;
        let mut left = bytes;
        while left > 0 {
            let inside = u64::from(unit.blocks().get() - at % unit.blocks().get());
            let room = if is_cut {
                inside * BLOCK_SIZE as u64
            } else {
                EXTENT_BYTES_MAX
            };
            let now = left.min(room);
            let form = self.layout.form.directory_ads;
            push_ad(form, now as u32, at, partition, out);
            at += now.div_ceil(BLOCK_SIZE as u64) as u32;
            left -= now;
        }
    }

    /// The entry of a folder, with its directory if that fits.
    pub(super) fn write_folder(&self, directory: &Directory, out: &mut [u8]) {
        let inode = self.tree.inode(directory.node);
        let blocks = self.layout.directory_blocks(self.tree, directory);
        let mut tail = Vec::new();
        if blocks == 0 {
            tail.resize(directory.bytes as usize, 0);
            self.directory_writer(directory)
                .write(0, &mut tail, &mut Checkpoints::default());
        } else {
            let max = self.layout.form.directory_extents_max(self.tree, inode);
            self.directory_extents(directory.start, directory.bytes, max, &mut tail);
        }
        let (stream_directory, stream_bytes) = self.streams_of(inode);
        let entry = Entry {
            file_type: file_type::DIRECTORY,
            flags: self.directory_flags(blocks == 0),
            metadata: *self.tree.metadata(inode),
            // Its name, or for the root the way up from itself, and the way up from each folder.
            links: directory.subfolders + 1,
            information_length: directory.bytes,
            blocks_recorded: blocks.into(),
            stream_bytes,
            stream_directory,
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

    /// The entry of anything that is not a folder, or of a stream of `owner`.
    pub(super) fn write_file(
        &self,
        inode: InodeId,
        owner: Option<InodeId>,
        out: &mut [u8],
    ) -> Result<(), ReadError> {
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
                flags = layout.form.file_ads.flag();
                self.allocation(inode, 0, &mut tail);
            }
            _ => {}
        }
        if matches!(kind, Kind::File { .. }) {
            flags |= ARCHIVE;
        }
        let block = layout.entry_block(inode);
        let (file_type, unique_id) = match owner {
            None => {
                let revision = layout.options.revision;
                let file_type = type_of(revision, kind, tree.metadata(inode));
                (file_type, self.unique_id(inode))
            }
            Some(owner) => {
                flags |= icb_flags::STREAM;
                (file_type::FILE, self.stream_id(owner, inode))
            }
        };
        let (stream_directory, stream_bytes) = match owner {
            None => self.streams_of(inode),
            Some(_) => (None, 0),
        };
        let entry = Entry {
            file_type,
            flags,
            metadata: *tree.metadata(inode),
            // More than 16 bits were refused.
            links: tree.links(inode) as u16,
            information_length,
            blocks_recorded,
            stream_bytes,
            stream_directory,
            unique_id,
            attributes: self.attributes(inode),
            tail,
        };
        entry.write(&layout.options, self.metadata_block(block), out);
        Ok(())
    }

    /// A block with more allocation descriptors of a file.
    pub(super) fn write_continuation(&self, inode: InodeId, part: u32, out: &mut [u8]) {
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
        let mut put = |length: u32, block: u32, partition: u16| {
            push_ad(form.file_ads, length, block, partition, out);
        };
        for (index, extent) in all.skip(first as usize).take(count as usize) {
            if extent.is_hole {
                put(extent.bytes as u32 | HOLE, 0, DATA_PARTITION);
            } else {
                let start = self.files.extent_start(inode, index);
                let block = self.addresses.in_partition(start);
                put(extent.bytes as u32, block, DATA_PARTITION);
            }
        }
        if first + count < extents {
            let next = self.metadata_block(layout.entry_block(inode) + part + 1);
            let length = BLOCK_SIZE as u32 | CONTINUATION;
            put(length, next, self.layout.options.entry_partition());
        }
    }

    fn attributes(&self, inode: InodeId) -> Vec<u8> {
        let layout = self.layout;
        let block = self.metadata_block(layout.entry_block(inode));
        attributes(layout.form, &layout.options, self.tree, inode, block)
    }
}

/// Puts an allocation descriptor at the end of `out`. Short ones do not say which partition.
fn push_ad(form: AdForm, length: u32, block: u32, partition: u16, out: &mut Vec<u8>) {
    match form {
        AdForm::Short => out.extend_from_slice(short_ad(length.into(), block).bytes()),
        AdForm::Long => out.extend_from_slice(long_ad(length, block, partition).bytes()),
    }
}
