//! The tag that every descriptor begins with, and how it is checked (ECMA-167 3/7.2, 4/7.2).

use reburn_record::little_endian::{U16, U32};
use reburn_record::{Record, crc16, record};

record! {
    /// What a descriptor is, where it should be, and whether it is whole. The location is a
    /// sector of the volume in volume descriptors, a block of a partition in all others.
    pub struct Tag: 16, "ECMA-167 3/7.2" {
        0  tag_identifier: U16, "3/7.2.1";
        2  descriptor_version: U16, "3/7.2.2";
        4  tag_checksum: u8, "3/7.2.3";
        5  reserved: u8, "3/7.2.4";
        6  tag_serial_number: U16, "3/7.2.5";
        8  descriptor_crc: U16, "3/7.2.6";
        10 descriptor_crc_length: U16, "3/7.2.7";
        12 tag_location: U32, "3/7.2.8";
    }
}

/// Values of [`Tag::tag_identifier`] (ECMA-167 3/7.2.1, 4/7.2.1; UDF 2.2.12).
pub mod tag_id {
    /// Sparing table (UDF 2.2.12).
    pub const SPARING_TABLE: u16 = 0;
    /// Primary volume descriptor.
    pub const PRIMARY_VOLUME: u16 = 1;
    /// Anchor volume descriptor pointer.
    pub const ANCHOR: u16 = 2;
    /// Volume descriptor pointer.
    pub const VOLUME_POINTER: u16 = 3;
    /// Implementation use volume descriptor.
    pub const IMPLEMENTATION_USE: u16 = 4;
    /// Partition descriptor.
    pub const PARTITION: u16 = 5;
    /// Logical volume descriptor.
    pub const LOGICAL_VOLUME: u16 = 6;
    /// Unallocated space descriptor.
    pub const UNALLOCATED_SPACE: u16 = 7;
    /// Terminating descriptor.
    pub const TERMINATING: u16 = 8;
    /// Logical volume integrity descriptor.
    pub const INTEGRITY: u16 = 9;
    /// File set descriptor.
    pub const FILE_SET: u16 = 256;
    /// File identifier descriptor.
    pub const FILE_IDENTIFIER: u16 = 257;
    /// Allocation extent descriptor.
    pub const ALLOCATION_EXTENT: u16 = 258;
    /// Indirect entry.
    pub const INDIRECT_ENTRY: u16 = 259;
    /// Terminal entry.
    pub const TERMINAL_ENTRY: u16 = 260;
    /// File entry.
    pub const FILE_ENTRY: u16 = 261;
    /// Extended attribute header descriptor.
    pub const ATTRIBUTE_HEADER: u16 = 262;
    /// Unallocated space entry.
    pub const SPACE_ENTRY: u16 = 263;
    /// Space bitmap descriptor.
    pub const SPACE_BITMAP: u16 = 264;
    /// Partition integrity entry.
    pub const PARTITION_INTEGRITY: u16 = 265;
    /// Extended file entry.
    pub const EXTENDED_FILE_ENTRY: u16 = 266;
}

/// What is wrong with a tag, or with the descriptor behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagFault {
    /// Fewer bytes than a tag has.
    #[error("only {0} bytes are left for a descriptor")]
    Short(usize),
    /// The sum of the tag's bytes.
    #[error("the tag's checksum is {computed:#04x}, not {stated:#04x} as it says")]
    Checksum {
        /// As stated.
        stated: u8,
        /// As it should be.
        computed: u8,
    },
    /// Another descriptor than the one that must be here.
    #[error("a descriptor with tag {found} is here, not with tag {expected}")]
    Identifier {
        /// As stated.
        found: u16,
        /// As it should be.
        expected: u16,
    },
    /// A version of the tag that does not exist.
    #[error("the tag's version is {0}; only 2 and 3 exist")]
    Version(u16),
    /// The check is over more bytes than are there.
    #[error("the descriptor's check covers {length} bytes, and {available} are left")]
    CrcLength {
        /// As stated.
        length: u16,
        /// Bytes after the tag.
        available: usize,
    },
    /// The descriptor's bytes are not those that were written.
    #[error("the descriptor's check is {computed:#06x}, not {stated:#06x} as its tag says")]
    Crc {
        /// As stated.
        stated: u16,
        /// Over the bytes that are there.
        computed: u16,
    },
    /// The descriptor was written for another place.
    #[error("the descriptor was written for block {stated}, and this is block {expected}")]
    Location {
        /// As stated.
        stated: u32,
        /// Where it is.
        expected: u32,
    },
}

impl TagFault {
    /// The field of the tag that is wrong.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Short(_) | Self::Identifier { .. } => "tag_identifier",
            Self::Checksum { .. } => "tag_checksum",
            Self::Version(_) => "descriptor_version",
            Self::CrcLength { .. } => "descriptor_crc_length",
            Self::Crc { .. } => "descriptor_crc",
            Self::Location { .. } => "tag_location",
        }
    }
}

impl Tag {
    /// The sum of the tag's bytes without the sum itself (ECMA-167 3/7.2.3).
    pub fn checksum(&self) -> u8 {
        let sum = self.bytes().iter().copied().fold(0, u8::wrapping_add);
        sum.wrapping_sub(self.tag_checksum)
    }

    /// The tag at the start of `bytes`, if it and the bytes that it vouches for are whole.
    /// Where it should be and what it should be is for [`Tag::expect`].
    pub fn check(bytes: &[u8]) -> Result<&Self, TagFault> {
        let (tag, rest) = Self::view(bytes).map_err(|_| TagFault::Short(bytes.len()))?;
        let (stated, computed) = (tag.tag_checksum, tag.checksum());
        if stated != computed {
            return Err(TagFault::Checksum { stated, computed });
        }
        let version = tag.descriptor_version.get();
        if !matches!(version, 2 | 3) {
            return Err(TagFault::Version(version));
        }
        let length = tag.descriptor_crc_length.get();
        let available = rest.len();
        let covered = rest
            .get(..length.into())
            .ok_or(TagFault::CrcLength { length, available })?;
        let (stated, computed) = (tag.descriptor_crc.get(), crc16(covered));
        if stated != computed {
            return Err(TagFault::Crc { stated, computed });
        }
        Ok(tag)
    }

    /// [`Tag::check`], and that the descriptor is the one that belongs into block `location`.
    pub fn expect(bytes: &[u8], identifier: u16, location: u32) -> Result<&Self, TagFault> {
        let tag = Self::check(bytes)?;
        tag.is(identifier)?;
        tag.at(location)?;
        Ok(tag)
    }

    /// Whether the descriptor is of this kind.
    pub fn is(&self, expected: u16) -> Result<(), TagFault> {
        match self.tag_identifier.get() {
            found if found == expected => Ok(()),
            found => Err(TagFault::Identifier { found, expected }),
        }
    }

    /// Whether the descriptor was written for this block.
    pub fn at(&self, expected: u32) -> Result<(), TagFault> {
        match self.tag_location.get() {
            stated if stated == expected => Ok(()),
            stated => Err(TagFault::Location { stated, expected }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::golden;

    /// Root directory's entry for its parent, as macOS writes it.
    fn parent() -> Vec<u8> {
        golden(
            "01010300 64000100 1c291800 01000000 01000a00 00100000 01000000 01000000 00000000 \
             00000000",
        )
    }

    #[test]
    fn a_whole_tag_passes() {
        let bytes = parent();
        let tag = Tag::expect(&bytes, tag_id::FILE_IDENTIFIER, 1).unwrap();
        assert_eq!(tag.descriptor_version.get(), 3);
        assert_eq!(tag.descriptor_crc.get(), 0x291c);
        assert_eq!(tag.descriptor_crc_length.get(), 24);
    }

    #[test]
    fn each_fault_is_named() {
        let fault = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = parent();
            change(&mut bytes);
            let fault = Tag::expect(&bytes, tag_id::FILE_IDENTIFIER, 1);
            fault.unwrap_err()
        };
        let (stated, computed) = (0x65, 0x64);
        let checksum = TagFault::Checksum { stated, computed };
        assert_eq!(fault(&|bytes| bytes[4] ^= 1), checksum);
        assert_eq!(fault(&|bytes| bytes[30] ^= 1).field(), "descriptor_crc");
        let (length, available) = (24, 23);
        let cut_off = TagFault::CrcLength { length, available };
        assert_eq!(fault(&|bytes| bytes.truncate(39)), cut_off);
        assert_eq!(fault(&|bytes| bytes.truncate(9)), TagFault::Short(9));
        // The checksum goes with what it is over.
        let changed = |at: usize, byte: u8| {
            fault(&|bytes| {
                bytes[4] = bytes[4].wrapping_add(byte).wrapping_sub(bytes[at]);
                bytes[at] = byte;
            })
        };
        assert_eq!(changed(2, 4), TagFault::Version(4));
        let (stated, expected) = (2, 1);
        assert_eq!(changed(12, 2), TagFault::Location { stated, expected });
        let (found, expected) = (256, 257);
        assert_eq!(changed(0, 0), TagFault::Identifier { found, expected });
    }
}
