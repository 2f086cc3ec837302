//! File entries and extended file entries (ECMA-167 4/14.9, 4/14.17), a block each.
//!
//! Invariants: an entry is one block; what comes after its fixed part, attributes and then
//! allocation descriptors or content, never leaves it.

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32, U64};
use reburn_tree::{InodeId, Kind, Metadata, Timestamp, Tree};

use super::attributes::attribute_bytes;
use super::emit::{developer, disc_time, seal};
use super::{UdfOptions, UdfRevision};
use crate::PartitionKind;
use crate::records::{
    AllocationExtentDescriptor, ExtendedFileEntry, FileEntry, IcbTag, LongAd, ShortAd, file_type,
    icb_flags, tag_id,
};

/// A form of allocation descriptors (ECMA-167 4/14.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AdForm {
    /// In the partition of the entry, or what that lies on.
    Short,
    /// In any partition.
    Long,
}

impl AdForm {
    /// Bytes of one.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Short => ShortAd::SIZE,
            Self::Long => LongAd::SIZE,
        }
    }

    /// How an ICB tag announces them.
    pub(super) const fn flag(self) -> u16 {
        match self {
            Self::Short => icb_flags::SHORT,
            Self::Long => icb_flags::LONG,
        }
    }
}

/// How entries of a volume look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryForm {
    /// Whether they are extended (UDF 2.3.6).
    pub(super) is_extended: bool,
    /// How they lead to the data of files, which are never in the partition that entries of a
    /// metadata or virtual one are in.
    pub(super) file_ads: AdForm,
    /// How they lead to directories, which are in a metadata partition (UDF 2.2.13.1), but not
    /// in a virtual one (UDF 2.2.11).
    pub(super) directory_ads: AdForm,
}

impl EntryForm {
    pub(super) fn of(options: &UdfOptions) -> Self {
        let (file_ads, directory_ads) = match options.partition {
            PartitionKind::Plain | PartitionKind::Sparable => (AdForm::Short, AdForm::Short),
            PartitionKind::Metadata => (AdForm::Long, AdForm::Short),
            // Short ones would do (UDF 2.3.10), but not all readers take them for physical.
            PartitionKind::Virtual => (AdForm::Long, AdForm::Long),
        };
        Self {
            is_extended: options.revision.is_third_edition(),
            file_ads,
            directory_ads,
        }
    }

    /// Bytes of an entry before its attributes.
    pub(super) const fn head_bytes(self) -> usize {
        if self.is_extended {
            ExtendedFileEntry::SIZE
        } else {
            FileEntry::SIZE
        }
    }

    /// Bytes of an inode's entry that content or allocation descriptors can have.
    pub(super) fn room(self, tree: &Tree, inode: InodeId) -> u64 {
        let used = self.head_bytes() as u64 + attribute_bytes(self, tree, inode);
        (BLOCK_SIZE as u64).saturating_sub(used)
    }

    /// Extents of a directory that its entry can lead to.
    pub(super) fn directory_extents_max(self, tree: &Tree, inode: InodeId) -> u64 {
        self.room(tree, inode) / self.directory_ads.bytes() as u64
    }

    /// Allocation descriptors of a file that its entry holds.
    fn ads_in_entry(self, tree: &Tree, inode: InodeId) -> u64 {
        self.room(tree, inode) / self.file_ads.bytes() as u64
    }

    /// Allocation descriptors that a continuation holds.
    fn ads_in_continuation(self) -> u64 {
        ((BLOCK_SIZE - AllocationExtentDescriptor::SIZE) / self.file_ads.bytes()) as u64
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
    /// Bytes of named streams.
    pub(super) stream_bytes: u64,
    /// The directory of named streams, if there is one.
    pub(super) stream_directory: Option<LongAd>,
    pub(super) unique_id: u64,
    pub(super) attributes: Vec<u8>,
    /// Allocation descriptors or content.
    pub(super) tail: Vec<u8>,
}

impl Entry {
    /// An empty file of the volume itself, whose entry nobody owns and no name leads to.
    pub(super) fn of_system(file_type: u8, time: Timestamp) -> Self {
        let metadata = Metadata {
            uid: u32::MAX,
            gid: u32::MAX,
            ..Metadata::with_permissions(0).modified_at(time)
        };
        Self {
            file_type,
            flags: icb_flags::SHORT,
            metadata,
            links: 0,
            information_length: 0,
            blocks_recorded: 0,
            stream_bytes: 0,
            stream_directory: None,
            unique_id: 0,
            attributes: Vec::new(),
            tail: Vec::new(),
        }
    }

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
        entry.object_size = U64::new(self.information_length + self.stream_bytes);
        entry.logical_blocks_recorded = U64::new(self.blocks_recorded);
        entry.access_date_and_time = disc_time(metadata.accessed.unwrap_or(metadata.modified));
        entry.modification_date_and_time = disc_time(metadata.modified);
        entry.creation_date_and_time =
            disc_time(metadata.created.unwrap_or_else(|| oldest(metadata)));
        entry.attribute_date_and_time = disc_time(metadata.changed.unwrap_or(metadata.modified));
        entry.checkpoint = U32::new(1);
        if let Some(icb) = self.stream_directory {
            entry.stream_directory_icb = icb;
        }
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
pub(crate) fn permissions(mode: u16) -> u32 {
    const OWNER_ATTRIBUTES_AND_DELETE: u32 = 0b11 << 13;
    let class = |shift: u16| u32::from(mode >> shift & 0o7);
    let owner = if mode & 0o200 == 0 {
        0
    } else {
        OWNER_ATTRIBUTES_AND_DELETE
    };
    class(0) | class(3) << 5 | class(6) << 10 | owner
}
