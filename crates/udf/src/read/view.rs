//! What is shown of a volume's structure.

use std::fmt;

use crate::records::access;

/// A revision of UDF, as it stands on disc: `0x0250` is 2.50.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u16);

impl Revision {
    /// The highest revision that there is, and that is read here.
    pub const LATEST: Self = Self(0x0260);
}

/// `2.50`.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:02x}", self.0 >> 8, self.0 & 0xff)
    }
}

/// How blocks of a partition are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartitionKind {
    /// Where the partition is.
    Plain,
    /// There, but for packets that were replaced (UDF 2.2.9).
    Sparable,
    /// Through a virtual allocation table (UDF 2.2.8).
    Virtual,
    /// In a file (UDF 2.2.10).
    Metadata,
}

impl fmt::Display for PartitionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Sparable => "sparable",
            Self::Virtual => "virtual",
            Self::Metadata => "metadata",
        })
    }
}

/// How a partition can be written (ECMA-167 3/10.5.7, UDF 2.2.14.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessType {
    /// As if it could be overwritten; the drive puts blocks elsewhere.
    PseudoOverwritable,
    /// Not at all.
    ReadOnly,
    /// Each block once.
    WriteOnce,
    /// After preparation.
    Rewritable,
    /// Any block at any time.
    Overwritable,
    /// A number that has no meaning.
    Unknown(u32),
}

impl AccessType {
    /// The type that stands as this number on disc.
    pub const fn from_number(number: u32) -> Self {
        match number {
            access::PSEUDO_OVERWRITABLE => Self::PseudoOverwritable,
            access::READ_ONLY => Self::ReadOnly,
            access::WRITE_ONCE => Self::WriteOnce,
            access::REWRITABLE => Self::Rewritable,
            access::OVERWRITABLE => Self::Overwritable,
            other => Self::Unknown(other),
        }
    }
}

impl fmt::Display for AccessType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PseudoOverwritable => "pseudo-overwritable",
            Self::ReadOnly => "read-only",
            Self::WriteOnce => "write-once",
            Self::Rewritable => "rewritable",
            Self::Overwritable => "overwritable",
            Self::Unknown(number) => return write!(f, "access type {number}"),
        })
    }
}

/// A partition of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionView {
    /// How its blocks are found.
    pub kind: PartitionKind,
    /// Its number in the partition descriptor.
    pub number: u16,
    /// First sector, in logical blocks from the start of the disc.
    pub start: u32,
    /// How many blocks the partition descriptor gives it.
    pub blocks: u32,
    /// How it can be written.
    pub access: AccessType,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_read_as_their_names() {
        assert_eq!(Revision(0x0102).to_string(), "1.02");
        assert_eq!(Revision::LATEST.to_string(), "2.60");
    }
}
