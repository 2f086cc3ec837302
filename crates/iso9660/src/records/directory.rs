//! Directory records (ECMA-119 9.1): a fixed head, then identifier, padding and system use.

use std::fmt;
use std::ops::BitOr;

use reburn_record::{Both16, Both32, FieldValue, record};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::DirectoryDate;

record! {
    /// The fixed part of a directory record. `identifier_length` bytes of identifier follow, a
    /// zero byte if that makes the length even, then the system use area.
    pub struct DirectoryRecord: 33, "ECMA-119 9.1" {
        0  length: u8, "9.1.1";
        1  extended_attribute_length: u8, "9.1.2";
        2  extent_location: Both32, "9.1.3";
        10 data_length: Both32, "9.1.4";
        18 date: DirectoryDate, "9.1.5";
        25 flags: FileFlags, "9.1.6";
        26 file_unit_size: u8, "9.1.7";
        27 interleave_gap: u8, "9.1.8";
        28 volume_sequence_number: Both16, "9.1.9";
        32 identifier_length: u8, "9.1.10";
    }
}

record! {
    /// The root's record inside a volume descriptor: its identifier is one zero byte.
    pub struct RootDirectoryRecord: 34, "ECMA-119 8.4.18" {
        0  head: DirectoryRecord, "9.1";
        33 identifier: u8, "9.1.11";
    }
}

impl DirectoryRecord {
    /// Bytes from the start of a record to its system use area, for an identifier of
    /// `identifier_length` bytes (ECMA-119 9.1.11, 9.1.12).
    pub const fn system_use_offset(identifier_length: u8) -> usize {
        // The head is odd, so an even identifier needs a byte of padding.
        (33 + identifier_length as usize).next_multiple_of(2)
    }
}

/// File flags of a directory record (ECMA-119 9.1.6).
#[derive(
    Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(transparent)]
pub struct FileFlags(u8);

impl FileFlags {
    /// A file with one section.
    pub const NONE: Self = Self(0);
    /// Existence: not to be made known to users.
    pub const HIDDEN: Self = Self(0x01);
    /// The record is a directory's.
    pub const DIRECTORY: Self = Self(0x02);
    /// An associated file: a second fork beside the file of the same name.
    pub const ASSOCIATED: Self = Self(0x04);
    /// The extended attribute record describes the format of records.
    pub const RECORD: Self = Self(0x08);
    /// The extended attribute record has owner and permissions.
    pub const PROTECTION: Self = Self(0x10);
    /// Not the last section of the file.
    pub const MULTI_EXTENT: Self = Self(0x80);

    /// These bits.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all bits of `flags` are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl BitOr for FileFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for FileFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_value(f)
    }
}

impl FieldValue for FileFlags {
    fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 8] = [
            "hidden",
            "directory",
            "associated",
            "record",
            "protection",
            "reserved-5",
            "reserved-6",
            "multi-extent",
        ];
        write!(f, "{:02x}", self.0)?;
        NAMES
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.0 >> bit & 1 == 1)
            .try_for_each(|(_, name)| write!(f, " {name}"))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use reburn_record::Record;

    use super::*;

    /// The record of a file `A.;1` at block 300 of 5 bytes, written 2024-02-29 12:30:15 UTC+1.
    const GOLDEN: [u8; 33] = [
        38, 0, 0x2c, 1, 0, 0, 0, 0, 1, 0x2c, 5, 0, 0, 0, 0, 0, 0, 5, 124, 2, 29, 12, 30, 15, 4,
        0x80, 0, 0, 1, 0, 0, 1, 4,
    ];

    #[test]
    fn golden_bytes() {
        let (record, rest) = DirectoryRecord::view(&GOLDEN).unwrap();
        assert!(rest.is_empty());
        assert_eq!(record.extent_location.get(), Ok(300));
        assert_eq!(record.data_length.get(), Ok(5));
        assert_eq!(
            record.date.timestamp().unwrap().to_string(),
            "2024-02-29 11:30:15"
        );
        assert!(record.flags.contains(FileFlags::MULTI_EXTENT));
        assert_snapshot!(record.dump(), @"
        DirectoryRecord (ECMA-119 9.1)
             0    1  length                           9.1.1     38
             1    1  extended_attribute_length        9.1.2     0
             2    8  extent_location                  9.1.3     300
            10    8  data_length                      9.1.4     5
            18    7  date                             9.1.5     DirectoryDate
            18    1  date.years_since_1900            9.1.5     124
            19    1  date.month                       9.1.5     2
            20    1  date.day                         9.1.5     29
            21    1  date.hour                        9.1.5     12
            22    1  date.minute                      9.1.5     30
            23    1  date.second                      9.1.5     15
            24    1  date.zone                        9.1.5     4
            25    1  flags                            9.1.6     80 multi-extent
            26    1  file_unit_size                   9.1.7     0
            27    1  interleave_gap                   9.1.8     0
            28    4  volume_sequence_number           9.1.9     1
            32    1  identifier_length                9.1.10    4
        ");
    }

    #[test]
    fn system_use_starts_even() {
        assert_eq!(DirectoryRecord::system_use_offset(1), 34);
        assert_eq!(DirectoryRecord::system_use_offset(4), 38);
        assert_eq!(DirectoryRecord::system_use_offset(5), 38);
        assert_eq!(DirectoryRecord::system_use_offset(255), 288);
    }
}
