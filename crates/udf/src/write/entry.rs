//! File entries and extended file entries (ECMA-167 4/14.9, 4/14.17), a block each.
//!
//! Invariants: an entry is one block; what comes after its fixed part, attributes and then
//! allocation descriptors or content, never leaves it.

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32, U64};
use reburn_tree::{InodeId, Kind, Metadata, Timestamp, Tree};

use super::emit::{developer, disc_time, seal};
use super::{UdfOptions, UdfRevision};
use crate::records::{
    AllocationExtentDescriptor, AttributeHead, DeviceSpecification, EntityId,
    ExtendedAttributeHeader, ExtendedFileEntry, FileEntry, FileTimes, IcbTag, LongAd, ShortAd,
    attribute_type, file_type, icb_flags, tag_id,
};

/// No group of attributes of that kind (UDF 3.3.4.1); before 2.00 it is their length.
const NO_ATTRIBUTES: u32 = u32::MAX;
/// Bytes of an attribute with one time: head, length, which times, the time.
const FILE_TIMES_BYTES: usize = FileTimes::SIZE + 12;
/// Bytes of an attribute with device numbers and who made them (UDF 3.3.4.4).
const DEVICE_BYTES: usize = DeviceSpecification::SIZE + EntityId::SIZE;

/// How entries of a volume look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryForm {
    /// Whether they are extended (UDF 2.3.6).
    is_extended: bool,
    /// Whether the data of files are in another partition than their entries.
    has_long_ads: bool,
}

impl EntryForm {
    pub(super) fn of(revision: UdfRevision) -> Self {
        Self {
            is_extended: revision.is_third_edition(),
            has_long_ads: revision.has_metadata_partition(),
        }
    }

    fn head_bytes(self) -> usize {
        if self.is_extended {
            ExtendedFileEntry::SIZE
        } else {
            FileEntry::SIZE
        }
    }

    /// Bytes of an inode's extended attributes.
    fn attribute_bytes(self, tree: &Tree, inode: InodeId) -> usize {
        let created = tree.metadata(inode).created.is_some();
        let times = usize::from(created && !self.is_extended) * FILE_TIMES_BYTES;
        let device = usize::from(device(tree, inode).is_some()) * DEVICE_BYTES;
        match times + device {
            0 => 0,
            bytes => ExtendedAttributeHeader::SIZE + bytes,
        }
    }

    /// Bytes of an inode's entry that content or allocation descriptors can have.
    pub(super) fn room(self, tree: &Tree, inode: InodeId) -> u64 {
        (BLOCK_SIZE - self.head_bytes() - self.attribute_bytes(tree, inode)) as u64
    }

    /// Short allocation descriptors that an inode's entry can have.
    pub(super) fn short_ads(self, tree: &Tree, inode: InodeId) -> u64 {
        self.room(tree, inode) / ShortAd::SIZE as u64
    }

    /// Bytes of one allocation descriptor of a file.
    pub(super) fn ad_bytes(self) -> usize {
        if self.has_long_ads {
            LongAd::SIZE
        } else {
            ShortAd::SIZE
        }
    }

    /// The kind of a file's allocation descriptors.
    pub(super) fn ad_kind(self) -> u16 {
        if self.has_long_ads {
            icb_flags::LONG
        } else {
            icb_flags::SHORT
        }
    }

    /// Allocation descriptors of a file that its entry holds.
    fn ads_in_entry(self, tree: &Tree, inode: InodeId) -> u64 {
        self.room(tree, inode) / self.ad_bytes() as u64
    }

    /// Allocation descriptors that a continuation holds.
    fn ads_in_continuation(self) -> u64 {
        ((BLOCK_SIZE - AllocationExtentDescriptor::SIZE) / self.ad_bytes()) as u64
    }

    /// Blocks that continue a file's allocation descriptors. Each block but the last spends one
    /// descriptor on the way to the next (ECMA-167 4/12).
    pub(super) fn continuations(self, tree: &Tree, inode: InodeId, extents: u64) -> u64 {
        let (first, more) = (self.ads_in_entry(tree, inode), self.ads_in_continuation());
        if extents <= first {
            return 0;
        }
        (extents - (first - 1))
            .saturating_sub(1)
            .div_ceil(more - 1)
            .max(1)
    }

    /// Which extents a file's entry (0) or one of its continuations (1, 2, ...) holds: the
    /// first, and how many.
    pub(super) fn extents_in(
        self,
        tree: &Tree,
        inode: InodeId,
        extents: u64,
        part: u64,
    ) -> (u64, u64) {
        let (first, more) = (self.ads_in_entry(tree, inode), self.ads_in_continuation());
        let last = self.continuations(tree, inode, extents);
        let start = match part {
            0 => 0,
            part => first - 1 + (part - 1) * (more - 1),
        };
        let end = if part == last {
            extents
        } else {
            first - 1 + part * (more - 1)
        };
        (start, end - start)
    }
}

fn device(tree: &Tree, inode: InodeId) -> Option<(u32, u32)> {
    match tree.kind(inode) {
        Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
            Some((major, minor))
        }
        _ => None,
    }
}

/// Extended attributes of an inode (ECMA-167 4/14.10), for the entry in `block`.
pub(super) fn attributes(
    form: EntryForm,
    options: &UdfOptions,
    tree: &Tree,
    inode: InodeId,
    block: u32,
) -> Vec<u8> {
    let mut out = Vec::new();
    let bytes = form.attribute_bytes(tree, inode);
    if bytes == 0 {
        return out;
    }
    let mut header = ExtendedAttributeHeader::zeroed();
    let none = if options.revision.is_third_edition() {
        NO_ATTRIBUTES
    } else {
        bytes as u32
    };
    header.implementation_attributes_location = U32::new(none);
    header.application_attributes_location = U32::new(none);
    out.extend_from_slice(header.bytes());
    seal(&mut out, tag_id::ATTRIBUTE_HEADER, options.revision, block);

    if let Some(created) = tree.metadata(inode).created
        && !form.is_extended
    {
        let mut times = FileTimes::zeroed();
        times.head = attribute_head(attribute_type::FILE_TIMES, FILE_TIMES_BYTES);
        times.data_length = U32::new(12);
        times.file_time_existence = U32::new(FileTimes::CREATION);
        out.extend_from_slice(times.bytes());
        out.extend_from_slice(disc_time(created).bytes());
    }
    if let Some((major, minor)) = device(tree, inode) {
        let mut device = DeviceSpecification::zeroed();
        device.head = attribute_head(attribute_type::DEVICE, DEVICE_BYTES);
        device.implementation_use_length = U32::new(EntityId::SIZE as u32);
        device.major_device_identification = U32::new(major);
        device.minor_device_identification = U32::new(minor);
        out.extend_from_slice(device.bytes());
        out.extend_from_slice(developer(options).bytes());
    }
    debug_assert_eq!(out.len(), bytes);
    out
}

fn attribute_head(kind: u32, bytes: usize) -> AttributeHead {
    let mut head = AttributeHead::zeroed();
    head.attribute_type = U32::new(kind);
    head.attribute_subtype = 1;
    head.attribute_length = U32::new(bytes as u32);
    head
}

/// The file type of an inode (ECMA-167 4/14.6.6). Real-time files are as old as UDF 2.01
/// (UDF 2.3.5.2.1).
pub(super) fn type_of(revision: UdfRevision, kind: Kind<'_>, metadata: &Metadata) -> u8 {
    match kind {
        Kind::File { .. } if metadata.real_time && revision >= UdfRevision::V2_01 => {
            file_type::REAL_TIME
        }
        Kind::Directory => file_type::DIRECTORY,
        Kind::File { .. } => file_type::FILE,
        Kind::Symlink(_) => file_type::SYMLINK,
        Kind::CharDevice { .. } => file_type::CHAR_DEVICE,
        Kind::BlockDevice { .. } => file_type::BLOCK_DEVICE,
        Kind::Fifo => file_type::FIFO,
        Kind::Socket => file_type::SOCKET,
    }
}

/// What an entry says.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) file_type: u8,
    /// Flags of the ICB tag, the kind of allocation descriptors among them.
    pub(super) flags: u16,
    pub(super) metadata: Metadata,
    pub(super) links: u16,
    pub(super) information_length: u64,
    pub(super) blocks_recorded: u64,
    pub(super) unique_id: u64,
    pub(super) attributes: Vec<u8>,
    /// Allocation descriptors or content.
    pub(super) tail: Vec<u8>,
}

impl Entry {
    /// Puts the entry into `out`, a block of zeros that the partition knows as `block`.
    pub(super) fn write(&self, options: &UdfOptions, block: u32, out: &mut [u8]) {
        let head = if options.revision.is_third_edition() {
            let head = self.extended(options);
            out[..ExtendedFileEntry::SIZE].copy_from_slice(head.bytes());
            ExtendedFileEntry::SIZE
        } else {
            let head = self.plain(options);
            out[..FileEntry::SIZE].copy_from_slice(head.bytes());
            FileEntry::SIZE
        };
        let tail = head + self.attributes.len();
        let end = tail + self.tail.len();
        out[head..tail].copy_from_slice(&self.attributes);
        out[tail..end].copy_from_slice(&self.tail);
        let id = if options.revision.is_third_edition() {
            tag_id::EXTENDED_FILE_ENTRY
        } else {
            tag_id::FILE_ENTRY
        };
        seal(&mut out[..end], id, options.revision, block);
    }

    fn plain(&self, options: &UdfOptions) -> FileEntry {
        let mut entry = FileEntry::zeroed();
        let metadata = &self.metadata;
        entry.icb_tag = self.icb_tag();
        entry.uid = U32::new(metadata.uid);
        entry.gid = U32::new(metadata.gid);
        entry.permissions = U32::new(permissions(metadata.permissions));
        entry.file_link_count = U16::new(self.links);
        entry.information_length = U64::new(self.information_length);
        entry.logical_blocks_recorded = U64::new(self.blocks_recorded);
        entry.access_date_and_time = disc_time(metadata.accessed.unwrap_or(metadata.modified));
        entry.modification_date_and_time = disc_time(metadata.modified);
        entry.attribute_date_and_time = disc_time(metadata.changed.unwrap_or(metadata.modified));
        entry.checkpoint = U32::new(1);
        entry.implementation_identifier = developer(options);
        entry.unique_id = U64::new(self.unique_id);
        entry.length_of_extended_attributes = U32::new(self.attributes.len() as u32);
        entry.length_of_allocation_descriptors = U32::new(self.tail.len() as u32);
        entry
    }

    fn extended(&self, options: &UdfOptions) -> ExtendedFileEntry {
        let mut entry = ExtendedFileEntry::zeroed();
        let metadata = &self.metadata;
        entry.icb_tag = self.icb_tag();
        entry.uid = U32::new(metadata.uid);
        entry.gid = U32::new(metadata.gid);
        entry.permissions = U32::new(permissions(metadata.permissions));
        entry.file_link_count = U16::new(self.links);
        entry.information_length = U64::new(self.information_length);
        entry.object_size = U64::new(self.information_length);
        entry.logical_blocks_recorded = U64::new(self.blocks_recorded);
        entry.access_date_and_time = disc_time(metadata.accessed.unwrap_or(metadata.modified));
        entry.modification_date_and_time = disc_time(metadata.modified);
        entry.creation_date_and_time =
            disc_time(metadata.created.unwrap_or_else(|| oldest(metadata)));
        entry.attribute_date_and_time = disc_time(metadata.changed.unwrap_or(metadata.modified));
        entry.checkpoint = U32::new(1);
        entry.implementation_identifier = developer(options);
        entry.unique_id = U64::new(self.unique_id);
        entry.length_of_extended_attributes = U32::new(self.attributes.len() as u32);
        entry.length_of_allocation_descriptors = U32::new(self.tail.len() as u32);
        entry
    }

    fn icb_tag(&self) -> IcbTag {
        const STRATEGY: u16 = 4;
        let mode = self.metadata.permissions;
        let special = [
            (0o4000, icb_flags::SETUID),
            (0o2000, icb_flags::SETGID),
            (0o1000, icb_flags::STICKY),
        ];
        let special = special.into_iter().filter(|(bit, _)| mode & bit != 0);
        let mut tag = IcbTag::zeroed();
        tag.strategy_type = U16::new(STRATEGY);
        tag.maximum_number_of_entries = U16::new(1);
        tag.file_type = self.file_type;
        tag.flags = U16::new(special.fold(self.flags, |flags, (_, flag)| flags | flag));
        tag
    }
}

/// The earliest time that is known of a file: the best guess of when it was created.
fn oldest(metadata: &Metadata) -> Timestamp {
    let times = [metadata.accessed, metadata.changed];
    times
        .into_iter()
        .flatten()
        .fold(metadata.modified, Timestamp::min)
}

/// Permissions of POSIX as five bits each for others, group and owner: execute, write, read,
/// change attributes, delete (ECMA-167 4/14.9.5). The owner has the last two where the owner
/// may write (UDF 3.3.3.3).
fn permissions(mode: u16) -> u32 {
    const OWNER_ATTRIBUTES_AND_DELETE: u32 = 0b11 << 13;
    let class = |shift: u16| u32::from(mode >> shift & 0o7);
    let owner = if mode & 0o200 == 0 {
        0
    } else {
        OWNER_ATTRIBUTES_AND_DELETE
    };
    class(0) | class(3) << 5 | class(6) << 10 | owner
}
