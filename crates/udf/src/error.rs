//! What can go wrong, in three kinds: the disc cannot be read, it uses something that is not
//! supported, or it contradicts itself. The latter two say where and carry every operand.

use std::fmt;

use reburn_blocks::{BLOCK_SIZE, Lba, ReadError};
use reburn_record::{Field, Record};
use reburn_tree::TreeError;

use crate::records::TagFault;

/// Why a volume could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UdfError {
    /// The medium or the host failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being read.
        what: &'static str,
        /// What happened.
        source: ReadError,
    },
    /// The volume is valid, as far as known, but uses something that is not supported.
    #[error("{place}: {feature}")]
    Incompatible {
        /// Where it says so.
        place: Place,
        /// What it uses.
        feature: Incompatible,
    },
    /// The volume contradicts itself or its standard.
    #[error("{place}: {problem}")]
    Corrupt {
        /// Where it does.
        place: Place,
        /// In what.
        problem: Corrupt,
    },
    /// The tree in memory cannot hold what the volume has.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// A field on disc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The block of 2048 bytes, whatever the size of the volume's own blocks.
    pub block: Lba,
    /// Where the field starts in the block, in bytes. Past the block where a record crosses
    /// its end.
    pub offset: usize,
    /// The record that the field belongs to.
    pub record: &'static str,
    /// The field, named as in the standard.
    pub field: &'static str,
    /// The standard: `ECMA-167` or `UDF`.
    pub standard: &'static str,
    /// The clause that defines it.
    pub clause: &'static str,
}

impl Place {
    /// The field of that name, in a record that starts `at` bytes into the disc.
    ///
    /// # Panics
    /// If the record has no such field, in builds with debug assertions.
    pub fn of<R: Record>(at: u64, field: &'static str) -> Self {
        let found = R::FIELDS.iter().find(|found| found.name == field);
        debug_assert!(found.is_some(), "{} has no field {field}", R::NAME);
        let row = found.copied().unwrap_or(Field {
            offset: 0,
            len: R::SIZE,
            name: field,
            clause: R::CLAUSE,
        });
        let standard = match row.clause.as_bytes() {
            // Clauses of another standard than the record's come with its name.
            [b'0'..=b'9', ..] if R::CLAUSE.starts_with("UDF") => "UDF ",
            [b'0'..=b'9', ..] => "ECMA-167 ",
            _ => "",
        };
        let within = at % BLOCK_SIZE as u64;
        Self {
            block: Lba::checked(at / BLOCK_SIZE as u64).unwrap_or(Lba::MAX),
            offset: usize::try_from(within).unwrap_or(0) + row.offset,
            record: R::NAME,
            field,
            standard,
            clause: row.clause,
        }
    }

    /// An error that says this place contradicts the standard.
    pub(crate) fn corrupt(self, problem: impl Into<Corrupt>) -> UdfError {
        UdfError::Corrupt {
            place: self,
            problem: problem.into(),
        }
    }

    /// An error that says this place needs something that is not supported.
    pub(crate) fn incompatible(self, feature: Incompatible) -> UdfError {
        UdfError::Incompatible {
            place: self,
            feature,
        }
    }
}

/// `block 256, byte 16 (AnchorPointer.main_sequence, ECMA-167 3/10.2.2)`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "block {}, byte {} ({}.{}, {}{})",
            self.block, self.offset, self.record, self.field, self.standard, self.clause
        )
    }
}

/// What a volume uses that is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incompatible {
    /// No recognition sequence and no anchor.
    #[error(
        "no UDF volume is here; if the disc has several sessions, name the start of another one"
    )]
    NotUdf,
    /// A revision of UDF that does not exist yet.
    #[error("readers must know UDF revision {0:x}, and this one knows up to 260")]
    Revision(u16),
    /// Blocks of a size that UDF does not allow, or that no anchor was found with.
    #[error("logical blocks of {stated} bytes do not suit sectors of {sector}")]
    BlockSize {
        /// As the logical volume says.
        stated: u32,
        /// As the place of the anchor says.
        sector: u32,
    },
    /// A partition map of a kind that UDF does not define.
    #[error("a partition map of type {kind}, {length} bytes long, is not known")]
    PartitionMap {
        /// Its type.
        kind: u8,
        /// Its length.
        length: u8,
    },
    /// A partition of a kind that UDF does not define.
    #[error("the partition's type identifier is none that UDF defines")]
    PartitionType,
    /// An ICB strategy other than 4 and 4096.
    #[error("ICB strategy {0} is not supported, only 4 and 4096")]
    Strategy(u16),
    /// Descriptors of a form that does not exist.
    #[error("allocation descriptors of form {0} are not known")]
    DescriptorForm(u16),
    /// Compressed extents.
    #[error("the extent has {recorded} bytes recorded for {information}: compressed or encoded")]
    Compressed {
        /// Bytes on disc.
        recorded: u32,
        /// Bytes that they stand for.
        information: u32,
    },
    /// A transformed file.
    #[error("the file is transformed in a way that only its writer knows")]
    Transformed,
}

/// In what a volume contradicts itself or its standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Corrupt {
    /// A tag or what is behind it is damaged, or in another place than it belongs.
    #[error(transparent)]
    Tag(#[from] TagFault),
    /// A recognition sequence, but no anchor.
    #[error("the volume begins here, but none of the places for an anchor has one")]
    NoAnchor,
    /// A sequence without a descriptor that it must have.
    #[error("the volume descriptor sequence has no {0}")]
    Missing(&'static str),
    /// A chain of sequences that is too long, or a loop.
    #[error("the sequence goes on more than {max} times; no writer needs that")]
    Chain {
        /// How many are followed.
        max: u32,
    },
    /// The maps and their number or length disagree.
    #[error("the partition maps end after {found} of {stated}")]
    MapTable {
        /// Maps that are there.
        found: u32,
        /// Maps that should be there.
        stated: u32,
    },
    /// A map names a partition that has no descriptor.
    #[error("partition {0} has no descriptor")]
    NoPartition(u16),
    /// An address in a partition that has no map.
    #[error("the logical volume has no partition map {0}")]
    NoMap(u16),
    /// An address outside its partition.
    #[error("block {block} is outside the partition, which has {length}")]
    OutsidePartition {
        /// The block.
        block: u32,
        /// Blocks of the partition.
        length: u32,
    },
    /// A block of a virtual or metadata partition that is nowhere.
    #[error("block {0} of the partition is not recorded anywhere")]
    Unmapped(u32),
    /// A packet length that packets cannot have.
    #[error("packets of {0} blocks; a power of two is needed")]
    PacketLength(u16),
    /// No copy of the sparing table can be read.
    #[error("none of the {0} sparing tables is whole")]
    NoSparingTable(u8),
    /// No virtual allocation table near the end.
    #[error(
        "no virtual allocation table is at the end of what is recorded, block {0}; if the disc \
         goes on after the last recorded block, name that block"
    )]
    NoVirtualTable(Lba),
    /// A virtual allocation table whose lengths do not fit.
    #[error("a table of {length} bytes cannot have a header of {header}")]
    VirtualTable {
        /// Bytes of the table.
        length: u64,
        /// Bytes before its entries, or after them before UDF 2.00.
        header: u32,
    },
    /// A file of another type than it must be here.
    #[error("a file of type {found} is here, not of type {expected}")]
    FileType {
        /// As the entry says.
        found: u8,
        /// As it should say.
        expected: u8,
    },
    /// A length that does not fit into what it is part of.
    #[error("a length of {length} bytes does not fit into the {available} that are there")]
    Length {
        /// As stated.
        length: u64,
        /// Bytes there are.
        available: u64,
    },
    /// Fewer bytes are described than the file has.
    #[error("the file has {length} bytes, and its descriptors lead to {described}")]
    Uncovered {
        /// The information length.
        length: u64,
        /// Bytes of all extents.
        described: u64,
    },
    /// A block of allocation descriptors that belongs to two chains, or twice to one.
    #[error("the descriptors go on in a block that was read as such before")]
    DescriptorLoop,
    /// A directory with two names, or below itself.
    #[error("the directory was reached another way before")]
    DirectoryReachedTwice,
    /// Blocks that two directories share.
    #[error("the directory's blocks overlap those of another one")]
    DirectoryOverlap,
    /// The root is not a directory.
    #[error("a directory must be here, and a file of type {0} is")]
    NotADirectory(u8),
    /// A device without numbers.
    #[error("the file is a device, but no attribute gives its numbers")]
    NoDeviceNumbers,
    /// A component of a symbolic link that cannot be.
    #[error("component of type {0} in the target of a symbolic link is not known or cut off")]
    PathComponent(u8),
    /// More of something than any disc holds.
    #[error("{count} {what} are more than the {max} that are accepted")]
    TooMany {
        /// How many there are at least.
        count: u64,
        /// Of what.
        what: &'static str,
        /// How many are accepted.
        max: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{AnchorPointer, MetadataMap};

    #[test]
    fn errors_name_place_and_clause() {
        let place = Place::of::<AnchorPointer>(256 * 2048, "main_sequence");
        assert_eq!(
            place
                .corrupt(Corrupt::Missing("partition descriptor"))
                .to_string(),
            "block 256, byte 16 (AnchorPointer.main_sequence, ECMA-167 3/10.2.2): the volume \
             descriptor sequence has no partition descriptor"
        );
        let place = Place::of::<MetadataMap>(2048 + 446, "flags");
        assert_eq!(
            place.to_string(),
            "block 1, byte 504 (MetadataMap.flags, UDF 2.2.10)"
        );
    }
}
