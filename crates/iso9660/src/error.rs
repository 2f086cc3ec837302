//! What can go wrong, in three kinds: the disc cannot be read, it uses something that is not
//! supported, or it contradicts itself. The latter two say where and carry every operand.

use std::fmt;

use reburn_blocks::{BlockCount, BlockRange, Lba, ReadError};
use reburn_record::{Field, Record};
use reburn_tree::TreeError;

use crate::Hierarchy;

/// Why a volume could not be read or laid out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IsoError {
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
    /// The volume has no such hierarchy.
    #[error("the volume has no {0} tree; choose one that it has")]
    NoHierarchy(Hierarchy),
    /// The tree in memory cannot hold what the volume has.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// A field on disc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The block.
    pub block: Lba,
    /// Where the field starts in the block, in bytes.
    pub offset: usize,
    /// The record that the field belongs to.
    pub record: &'static str,
    /// The field, named as in the standard.
    pub field: &'static str,
    /// The clause that defines it.
    pub clause: &'static str,
}

impl Place {
    /// The field of that name, in a record that starts at `offset` in `block`.
    ///
    /// # Panics
    /// If the record has no such field, in builds with debug assertions.
    pub fn of<R: Record>(block: Lba, offset: usize, field: &'static str) -> Self {
        let found = R::FIELDS.iter().find(|found| found.name == field);
        debug_assert!(found.is_some(), "{} has no field {field}", R::NAME);
        let row = found.copied().unwrap_or(Field {
            offset: 0,
            len: R::SIZE,
            name: field,
            clause: R::CLAUSE,
        });
        Self {
            block,
            offset: offset + row.offset,
            record: R::NAME,
            field,
            clause: row.clause,
        }
    }

    /// An error that says this place contradicts the standard.
    pub(crate) fn corrupt(self, problem: Corrupt) -> IsoError {
        IsoError::Corrupt {
            place: self,
            problem,
        }
    }

    /// An error that says this place needs something that is not supported.
    pub(crate) fn incompatible(self, feature: Incompatible) -> IsoError {
        IsoError::Incompatible {
            place: self,
            feature,
        }
    }
}

/// `block 20, byte 44 (DirectoryRecord.data_length, ECMA-119 9.1.4)`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Clauses of other standards come with their names.
        let standard = match self.clause.as_bytes() {
            [b'0'..=b'9', ..] => "ECMA-119 ",
            _ => "",
        };
        write!(
            f,
            "block {}, byte {} ({}.{}, {standard}{})",
            self.block, self.offset, self.record, self.field, self.clause
        )
    }
}

/// What a volume uses that is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Incompatible {
    /// No volume descriptor where one must be.
    #[error(
        "no ISO 9660 volume descriptor is here; if the disc has several sessions, name the \
         start of another one"
    )]
    NotIso9660,
    /// The draft that came before ISO 9660.
    #[error("this is a High Sierra volume, the draft before ISO 9660, which is not supported")]
    HighSierra,
    /// Blocks of another size.
    #[error("logical blocks of {0} bytes are not supported, only of 2048")]
    LogicalBlockSize(u16),
    /// A file in units with gaps between them.
    #[error("the file is interleaved ({unit} blocks, then a gap of {gap}): not supported")]
    Interleaved {
        /// Blocks of a unit.
        unit: u8,
        /// Blocks between units.
        gap: u8,
    },
    /// A component of a symbolic link that only its maker could follow.
    #[error(
        "a component with flags {flags:#04x} in the target of a symbolic link is not supported"
    )]
    LinkComponent {
        /// The flags (RRIP 4.1.3.1).
        flags: u8,
    },
    /// A file on another disc of a set.
    #[error("the file is on disc {file} of a set, and this is disc {disc}; use that disc")]
    OtherVolume {
        /// Number of the disc that the file is on.
        file: u16,
        /// Number of this disc.
        disc: u16,
    },
}

/// In what a volume contradicts itself or its standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Corrupt {
    /// A descriptor set without a primary volume descriptor.
    #[error("the descriptors from here on have no primary volume descriptor among them")]
    NoPrimary,
    /// A record too short for what it must hold.
    #[error("a length of {length} is too short: the record takes at least {needed} bytes")]
    RecordTooShort {
        /// The length stated.
        length: usize,
        /// The least it can be.
        needed: usize,
    },
    /// A record that runs into the next block.
    #[error("a record of {length} bytes does not end in this block, which has {left} bytes left")]
    RecordCrossesBlock {
        /// The length stated.
        length: usize,
        /// Bytes from its start to the end of the block.
        left: usize,
    },
    /// A directory without any bytes.
    #[error("the directory has no bytes, not even those of its own record")]
    EmptyDirectory,
    /// An extent that the medium cannot hold.
    #[error("{blocks} blocks from block {start} on end after the last block of the disc, {end}")]
    PastEnd {
        /// The first block stated.
        start: u32,
        /// How many there would be.
        blocks: u64,
        /// The number of the block after the last one.
        end: BlockCount,
    },
    /// A directory in the blocks of another one.
    #[error("the directory at blocks {range} overlaps one that was reached another way")]
    DirectoryReachedTwice {
        /// The blocks of the directory.
        range: BlockRange,
    },
    /// A file that breaks off.
    #[error("the file has more sections, but the record after this one is not of that file")]
    MissingSection,
    /// An entry that does not fit into its area.
    #[error(
        "entry {:?} of {length} bytes does not fit: it takes at least {needed} bytes, and {left} \
         are left",
        .signature.escape_ascii().to_string()
    )]
    EntryLength {
        /// Which entry.
        signature: [u8; 2],
        /// Its length as stated.
        length: usize,
        /// The least that it must have.
        needed: usize,
        /// Bytes left in the area.
        left: usize,
    },
    /// A continuation that is not inside one block.
    #[error("{length} bytes at byte {offset} do not lie within one block")]
    ContinuationRange {
        /// The offset stated.
        offset: u32,
        /// The length stated.
        length: u32,
    },
    /// A chain of continuations that is too long, or a loop.
    #[error("the record continues more than {max} times; no writer needs that")]
    ContinuationChain {
        /// How many are followed.
        max: usize,
    },
    /// A block that the areas of too many records continue in.
    #[error("records continue in this block more than {max} times over; no writer needs that")]
    ContinuationShared {
        /// How often each byte may be used.
        max: usize,
    },
    /// Mode and record disagree about what the file is.
    #[error(
        "mode {mode:o} does not suit a record {}",
        if *.directory { "of a directory" } else { "that is not of a directory" }
    )]
    Mode {
        /// The mode stated.
        mode: u32,
        /// Whether the record is a directory's.
        directory: bool,
    },
    /// A symbolic link that leads nowhere.
    #[error("the file is a symbolic link, but no SL entry gives its target")]
    NoTarget,
    /// A device without numbers.
    #[error("the file is a device, but no PN entry gives its numbers")]
    NoDeviceNumbers,
    /// The place of a moved directory leads to something else.
    #[error("block {location} does not begin with a directory's own record")]
    NotADirectory {
        /// The block that should hold the directory.
        location: u32,
    },
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
    use crate::records::{DirectoryRecord, Px};

    #[test]
    fn errors_name_place_and_clause() {
        let place = Place::of::<DirectoryRecord>(Lba::new(20), 34, "data_length");
        assert_eq!(
            place.corrupt(Corrupt::EmptyDirectory).to_string(),
            "block 20, byte 44 (DirectoryRecord.data_length, ECMA-119 9.1.4): the directory has \
             no bytes, not even those of its own record"
        );
        let place = Place::of::<Px>(Lba::new(20), 100, "mode");
        let problem = Corrupt::Mode {
            mode: 0o100_644,
            directory: true,
        };
        assert_eq!(
            place.corrupt(problem).to_string(),
            "block 20, byte 104 (Px.mode, RRIP 4.1.1): mode 100644 does not suit a record of a \
             directory"
        );
        let problem = Corrupt::EntryLength {
            signature: *b"N\xff",
            length: 3,
            needed: 4,
            left: 100,
        };
        assert_eq!(
            problem.to_string(),
            r#"entry "N\\xff" of 3 bytes does not fit: it takes at least 4 bytes, and 100 are left"#
        );
    }
}
