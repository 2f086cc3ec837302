//! The boot catalog of El Torito: entries of 32 bytes.

use reburn_record::little_endian::{U16, U32};
use reburn_record::{Text, record};

record! {
    /// The first entry: that this is a catalog. The sum of its words is zero.
    pub struct ValidationEntry: 32, "El Torito 2.1" {
        0  header_id: u8, "2.1";
        1  platform_id: u8, "2.1";
        2  reserved: [u8; 2], "2.1";
        4  id_string: Text<24>, "2.1";
        28 checksum: U16, "2.1";
        30 key_bytes: [u8; 2], "2.1";
    }
}

record! {
    /// An image that can be started: the initial entry, or one of a section.
    pub struct BootEntry: 32, "El Torito 2.2, 2.4" {
        0  boot_indicator: u8, "2.2";
        1  boot_media_type: u8, "2.2";
        2  load_segment: U16, "2.2";
        4  system_type: u8, "2.2";
        5  unused: u8, "2.2";
        6  sector_count: U16, "2.2";
        8  load_rba: U32, "2.2";
        12 selection_criteria_type: u8, "2.4";
        13 selection_criteria: [u8; 19], "2.4";
    }
}

record! {
    /// How many entries of one platform follow.
    pub struct SectionHeader: 32, "El Torito 2.3" {
        0 header_indicator: u8, "2.3";
        1 platform_id: u8, "2.3";
        2 section_entries: U16, "2.3";
        4 id_string: Text<28>, "2.3";
    }
}

record! {
    /// More selection criteria of the entry before.
    pub struct SectionExtension: 32, "El Torito 2.5" {
        0 extension_indicator: u8, "2.5";
        1 extension_follows: u8, "2.5";
        2 selection_criteria: [u8; 30], "2.5";
    }
}

impl ValidationEntry {
    /// Value of `header_id`.
    pub const HEADER_ID: u8 = 1;
    /// Value of `key_bytes`.
    pub const KEY_BYTES: [u8; 2] = [0x55, 0xaa];
}

impl BootEntry {
    /// Value of `boot_indicator`: the image can be started.
    pub const BOOTABLE: u8 = 0x88;
    /// Value of `boot_indicator`: it cannot.
    pub const NOT_BOOTABLE: u8 = 0;
}

impl SectionHeader {
    /// Value of `header_indicator`: more sections follow.
    pub const MORE: u8 = 0x90;
    /// Value of `header_indicator`: this is the last section.
    pub const LAST: u8 = 0x91;
}

impl SectionExtension {
    /// Value of `extension_indicator`.
    pub const INDICATOR: u8 = 0x44;
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;

    /// Of a disc for BIOS and UEFI.
    #[test]
    fn golden_bytes() {
        let mut bytes = [0; 32];
        bytes[..12].copy_from_slice(b"\x88\0\0\0\0\0\0\x08\x27\0\0\0");
        let (entry, _) = BootEntry::view(&bytes).unwrap();
        assert_eq!(entry.boot_indicator, BootEntry::BOOTABLE);
        assert_eq!((entry.sector_count.get(), entry.load_rba.get()), (2048, 39));
        bytes[..4].copy_from_slice(b"\x91\xef\x01\0");
        let (header, _) = SectionHeader::view(&bytes).unwrap();
        assert_eq!(header.header_indicator, SectionHeader::LAST);
        assert_eq!(header.section_entries.get(), 1);
    }
}
