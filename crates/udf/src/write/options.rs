//! What a volume shall look like, and which wishes go together.
//!
//! | revision | partitions | access |
//! |---|---|---|
//! | 1.02 | plain | read-only, overwritable |
//! | 1.50 to 2.01 | plain | read-only, overwritable |
//! | | sparable | rewritable |
//! | | virtual | write-once |
//! | 2.50, 2.60 | metadata | read-only, overwritable; 2.60: pseudo-overwritable |
//! | | virtual | write-once |

use std::fmt;

use reburn_blocks::WriteUnit;
use reburn_tree::Timestamp;

use super::LayoutError;
use super::placed::{DATA_PARTITION, UPPER_PARTITION};
use crate::PartitionKind;
use crate::records::access;

/// Which revision a volume obeys, how it may be used, and what its descriptors say.
///
/// The default is UDF 2.50, read-only, for media with write units of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UdfOptions {
    /// The revision.
    pub revision: UdfRevision,
    /// How blocks of files' entries are found.
    pub partition: PartitionKind,
    /// What other systems may do with the partition.
    pub access: Access,
    /// What the medium loses at once when a write fails. Commit structures are alone in theirs.
    pub write_unit: WriteUnit,
    /// Whether small files lie in their entries. A disc whose files ISO 9660 shares needs
    /// them in blocks of their own.
    pub embed_files: bool,
    /// Whether a metadata partition has a second copy of all its blocks (UDF 2.2.10).
    pub duplicate_metadata: bool,
    /// When the volume is made. Volumes are never older than what is on them (UDF 3.1.1), so
    /// the time recorded is that of the newest file where that is later.
    pub time: Timestamp,
    /// Every unique id that the volume gives from now on is at least this (UDF 3.2.1.1): the
    /// number that the last volume in the same place had.
    pub next_unique_id: u64,
    /// Texts of the descriptors.
    pub texts: UdfTexts,
}

impl Default for UdfOptions {
    fn default() -> Self {
        Self::new(UdfRevision::V2_50)
    }
}

impl UdfOptions {
    /// A read-only volume on the partition that is usual: metadata from 2.50 on, plain before.
    pub fn new(revision: UdfRevision) -> Self {
        Self::with_partition(revision, revision.usual_partition())
    }

    /// A volume on a partition of that kind, with the access that belongs to it: write-once for
    /// a virtual one, rewritable for a sparable one, read-only for all others.
    pub fn with_partition(revision: UdfRevision, partition: PartitionKind) -> Self {
        Self {
            revision,
            partition,
            access: match partition {
                PartitionKind::Virtual => Access::WriteOnce,
                PartitionKind::Sparable => Access::Rewritable,
                PartitionKind::Plain | PartitionKind::Metadata => Access::ReadOnly,
            },
            write_unit: WriteUnit::FILE,
            embed_files: true,
            duplicate_metadata: false,
            time: Timestamp::EPOCH,
            next_unique_id: 0,
            texts: UdfTexts::default(),
        }
    }

    /// The partition of the entries: the one with file data, or the one that lies on it.
    pub(crate) const fn entry_partition(&self) -> u16 {
        match self.partition {
            PartitionKind::Metadata | PartitionKind::Virtual => UPPER_PARTITION,
            PartitionKind::Plain | PartitionKind::Sparable => DATA_PARTITION,
        }
    }

    /// Checks that revision, partition and access go together.
    pub(super) fn check(&self) -> Result<(), LayoutError> {
        let (revision, partition) = (self.revision.name(), self.partition);
        if !self.revision.partitions().contains(&partition) {
            return Err(LayoutError::Partition {
                revision,
                partition,
                choose: match self.revision {
                    UdfRevision::V1_02 => "a plain one, or a later revision",
                    UdfRevision::V2_50 | UdfRevision::V2_60 => "a metadata or a virtual one",
                    _ => "a plain, sparable or virtual one",
                },
            });
        }
        let is_pow = self.revision >= UdfRevision::V2_60;
        let (legal, choose) = match partition {
            PartitionKind::Virtual => (&[Access::WriteOnce][..], "write-once"),
            PartitionKind::Sparable => (&[Access::Rewritable][..], "rewritable"),
            PartitionKind::Metadata if is_pow => (
                &[
                    Access::ReadOnly,
                    Access::Overwritable,
                    Access::PseudoOverwritable,
                ][..],
                "read-only, overwritable or pseudo-overwritable",
            ),
            PartitionKind::Plain | PartitionKind::Metadata => (
                &[Access::ReadOnly, Access::Overwritable][..],
                "read-only or overwritable",
            ),
        };
        if !legal.contains(&self.access) {
            return Err(LayoutError::Access {
                revision,
                partition,
                access: self.access,
                choose,
            });
        }
        if self.duplicate_metadata && partition != PartitionKind::Metadata {
            return Err(LayoutError::NoMetadataPartition { partition });
        }
        Ok(())
    }

    /// The lowest revision that a writer must know (UDF 2.2.6.4).
    pub(super) const fn needed_to_write(&self) -> u16 {
        match self.access {
            Access::PseudoOverwritable => UdfRevision::V2_60.code(),
            _ => self.revision.needed_to_read(),
        }
    }
}

/// A revision of UDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UdfRevision {
    /// 1.02, that of DVD-Video.
    V1_02,
    /// 1.50.
    V1_50,
    /// 2.00, the first with extended file entries.
    V2_00,
    /// 2.01.
    V2_01,
    /// 2.50, the first with a metadata partition: that of Blu-ray.
    V2_50,
    /// 2.60.
    V2_60,
}

impl UdfRevision {
    /// All of them, ascending.
    pub const ALL: [Self; 6] = [
        Self::V1_02,
        Self::V1_50,
        Self::V2_00,
        Self::V2_01,
        Self::V2_50,
        Self::V2_60,
    ];

    /// As it is recorded: two digits before the point, two behind it (UDF 2.1.5.3).
    pub const fn code(self) -> u16 {
        match self {
            Self::V1_02 => 0x0102,
            Self::V1_50 => 0x0150,
            Self::V2_00 => 0x0200,
            Self::V2_01 => 0x0201,
            Self::V2_50 => 0x0250,
            Self::V2_60 => 0x0260,
        }
    }

    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_02 => "1.02",
            Self::V1_50 => "1.50",
            Self::V2_00 => "2.00",
            Self::V2_01 => "2.01",
            Self::V2_50 => "2.50",
            Self::V2_60 => "2.60",
        }
    }

    /// The lowest revision that a reader must know for such a volume (UDF 2.2.6.4). 2.60 asks
    /// for no more than 2.50.
    pub(super) const fn needed_to_read(self) -> u16 {
        match self {
            Self::V2_60 => Self::V2_50.code(),
            other => other.code(),
        }
    }

    /// Whether it is recorded by ECMA-167 3rd edition: NSR03, tags of version 3, extended
    /// file entries.
    pub(crate) const fn is_third_edition(self) -> bool {
        self.code() >= 0x0200
    }

    /// The kind of partition for media that need no other: from 2.50 on one with metadata of
    /// its own (UDF 2.2.10).
    pub const fn usual_partition(self) -> PartitionKind {
        match self {
            Self::V2_50 | Self::V2_60 => PartitionKind::Metadata,
            _ => PartitionKind::Plain,
        }
    }

    /// The kinds of partition that a volume of this revision can have, the usual one first.
    pub const fn partitions(self) -> &'static [PartitionKind] {
        match self {
            Self::V1_02 => &[PartitionKind::Plain],
            Self::V1_50 | Self::V2_00 | Self::V2_01 => &[
                PartitionKind::Plain,
                PartitionKind::Sparable,
                PartitionKind::Virtual,
            ],
            Self::V2_50 | Self::V2_60 => &[PartitionKind::Metadata, PartitionKind::Virtual],
        }
    }
}

/// What other systems may do with the partition (ECMA-167 3/10.5.7, UDF 2.2.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing is changed in place. There is no bitmap of free space that a power cut could tear.
    ReadOnly,
    /// Blocks are appended, never changed; a virtual allocation table says which count.
    WriteOnce,
    /// Packets may be overwritten on media that wear out; a bitmap says which blocks are free.
    Rewritable,
    /// Any block may be overwritten; a bitmap says which are free.
    Overwritable,
    /// Any block may be overwritten, and the drive puts it elsewhere; there is no bitmap.
    PseudoOverwritable,
}

impl Access {
    /// As it is recorded.
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::PseudoOverwritable => access::PSEUDO_OVERWRITABLE,
            Self::ReadOnly => access::READ_ONLY,
            Self::WriteOnce => access::WRITE_ONCE,
            Self::Rewritable => access::REWRITABLE,
            Self::Overwritable => access::OVERWRITABLE,
        }
    }

    /// Whether a bitmap says which blocks are free (UDF 2.3.8).
    pub const fn has_bitmap(self) -> bool {
        matches!(self, Self::Rewritable | Self::Overwritable)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "read-only",
            Self::WriteOnce => "write-once",
            Self::Rewritable => "rewritable",
            Self::Overwritable => "overwritable",
            Self::PseudoOverwritable => "pseudo-overwritable",
        })
    }
}

/// Texts of the descriptors. All may have any character but U+FEFF and U+FFFE; a text takes one
/// byte a character, or two if it has characters past U+00FF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UdfTexts {
    /// Name of the volume; 30 bytes in all places, so that every reader shows the same
    /// (UDF 2.2.4.1). Empty names become `UDF`.
    pub label: String,
    /// Name of the set that the volume belongs to, after sixteen digits that tell it from
    /// others; 110 bytes (UDF 2.2.2.5).
    pub volume_set: String,
    /// Those sixteen digits, by which systems know a volume again; made of time and texts if
    /// empty.
    pub volume_set_digits: String,
    /// Who owns the volume; 34 bytes (UDF 2.2.7.2.3).
    pub owner: String,
    /// The owner's organization; 34 bytes (UDF 2.2.7.2.3).
    pub organization: String,
    /// How to reach the owner; 34 bytes (UDF 2.2.7.2.3).
    pub contact: String,
    /// Who wrote the volume, 23 characters of ASCII with `*` in front (UDF 2.1.5.2).
    pub developer: String,
}

impl Default for UdfTexts {
    fn default() -> Self {
        Self {
            label: String::new(),
            volume_set: String::new(),
            volume_set_digits: String::new(),
            owner: String::new(),
            organization: String::new(),
            contact: String::new(),
            developer: "*reburn".into(),
        }
    }
}
