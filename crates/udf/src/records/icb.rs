//! Information control blocks (ECMA-167 4/14.6 to 4/14.8): what leads to a file's entry.

use reburn_record::little_endian::{U16, U32};
use reburn_record::record;

use super::{LbAddr, LongAd, Tag};

record! {
    /// What a file is, and how its blocks are described.
    pub struct IcbTag: 20, "ECMA-167 4/14.6" {
        0  prior_recorded_number_of_direct_entries: U32, "4/14.6.1";
        4  strategy_type: U16, "4/14.6.2";
        6  strategy_parameter: [u8; 2], "4/14.6.3";
        8  maximum_number_of_entries: U16, "4/14.6.4";
        10 reserved: u8, "4/14.6.5";
        11 file_type: u8, "4/14.6.6";
        12 parent_icb_location: LbAddr, "4/14.6.7";
        18 flags: U16, "4/14.6.8";
    }
}

record! {
    /// Where a newer entry of the file is.
    pub struct IndirectEntry: 52, "ECMA-167 4/14.7" {
        0  tag: Tag, "4/14.7.1";
        16 icb_tag: IcbTag, "4/14.7.2";
        36 indirect_icb: LongAd, "4/14.7.3";
    }
}

record! {
    /// No newer entry of the file follows.
    pub struct TerminalEntry: 36, "ECMA-167 4/14.8" {
        0  tag: Tag, "4/14.8.1";
        16 icb_tag: IcbTag, "4/14.8.2";
    }
}

/// Values of [`IcbTag::file_type`] (ECMA-167 4/14.6.6, UDF 2.3.5.2).
pub mod file_type {
    /// Not stated; a virtual allocation table before UDF 2.00.
    pub const UNSPECIFIED: u8 = 0;
    /// Unallocated space entry.
    pub const UNALLOCATED_SPACE: u8 = 1;
    /// Directory.
    pub const DIRECTORY: u8 = 4;
    /// File.
    pub const FILE: u8 = 5;
    /// Block device.
    pub const BLOCK_DEVICE: u8 = 6;
    /// Character device.
    pub const CHAR_DEVICE: u8 = 7;
    /// Extended attributes of a file.
    pub const ATTRIBUTES: u8 = 8;
    /// Named pipe.
    pub const FIFO: u8 = 9;
    /// Socket.
    pub const SOCKET: u8 = 10;
    /// Symbolic link.
    pub const SYMLINK: u8 = 12;
    /// Stream directory.
    pub const STREAM_DIRECTORY: u8 = 13;
    /// Virtual allocation table.
    pub const VIRTUAL_TABLE: u8 = 248;
    /// Real-time file.
    pub const REAL_TIME: u8 = 249;
    /// Metadata file.
    pub const METADATA: u8 = 250;
    /// Mirror of the metadata file.
    pub const METADATA_MIRROR: u8 = 251;
    /// Bitmap of the metadata file.
    pub const METADATA_BITMAP: u8 = 252;
}

/// Bits of [`IcbTag::flags`] (ECMA-167 4/14.6.8).
pub mod icb_flags {
    /// Which descriptors describe the file's blocks.
    pub const DESCRIPTORS: u16 = 0x07;
    /// Value of these bits: [`ShortAd`](super::super::ShortAd).
    pub const SHORT: u16 = 0;
    /// Value of these bits: [`LongAd`](super::super::LongAd).
    pub const LONG: u16 = 1;
    /// Value of these bits: [`ExtAd`](super::super::ExtAd).
    pub const EXTENDED: u16 = 2;
    /// Value of these bits: the file's bytes stand where descriptors would.
    pub const EMBEDDED: u16 = 3;
    /// Set user id.
    pub const SETUID: u16 = 0x40;
    /// Set group id.
    pub const SETGID: u16 = 0x80;
    /// Sticky.
    pub const STICKY: u16 = 0x100;
    /// The file is the system's own.
    pub const SYSTEM: u16 = 0x400;
    /// The bytes are transformed in a way that only their writer knows.
    pub const TRANSFORMED: u16 = 0x800;
    /// The file is a named stream.
    pub const STREAM: u16 = 0x2000;
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::golden;

    /// Of a root directory with strategy 4096.
    #[test]
    fn golden_bytes() {
        let bytes = golden("00000000 00100100 02000004 00000000 00000300");
        let (tag, _) = IcbTag::view(&bytes).unwrap();
        assert_eq!(tag.strategy_type.get(), 4096);
        assert_eq!(tag.maximum_number_of_entries.get(), 2);
        assert_eq!(tag.file_type, file_type::DIRECTORY);
        assert_eq!(
            tag.flags.get() & icb_flags::DESCRIPTORS,
            icb_flags::EMBEDDED
        );
    }

    /// Of a metadata file that macOS made.
    #[test]
    fn golden_metadata_file() {
        let bytes = golden(
            "0a010300 2c000100 ea62d000 01000000 00000000 04000000 010000fa 00000000 00002000",
        );
        let (entry, _) = TerminalEntry::view(&bytes).unwrap();
        assert_eq!(entry.icb_tag.strategy_type.get(), 4);
        assert_eq!(entry.icb_tag.file_type, file_type::METADATA);
        assert_eq!(entry.tag.tag_checksum, entry.tag.checksum());
    }
}
