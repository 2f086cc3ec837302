//! Volume descriptors (ECMA-119 8): one block each, from block 16 of a session on.

use reburn_record::little_endian::U32 as U32Le;
use reburn_record::{Both16, Both32, Text, big_endian, record};

use super::{RootDirectoryRecord, VolumeDate};

record! {
    /// What all volume descriptors begin with.
    pub struct VolumeDescriptorHead: 7, "ECMA-119 8.1" {
        0 descriptor_type: u8, "8.1.1";
        1 standard_identifier: [u8; 5], "8.1.2";
        6 version: u8, "8.1.3";
    }
}

record! {
    /// Primary, supplementary and enhanced volume descriptor. They share one layout; the
    /// primary one leaves `volume_flags` and `escape_sequences` zero (8.4.4, 8.4.9). Text of
    /// a supplementary descriptor is in the characters that its escape sequences name.
    pub struct VolumeDescriptor: 2048, "ECMA-119 8.4, 8.5" {
        0    descriptor_type: u8, "8.4.1";
        1    standard_identifier: [u8; 5], "8.4.2";
        6    version: u8, "8.4.3";
        7    volume_flags: u8, "8.5.3";
        8    system_identifier: Text<32>, "8.4.5";
        40   volume_identifier: Text<32>, "8.4.6";
        72   unused_7: [u8; 8], "8.4.7";
        80   volume_space_size: Both32, "8.4.8";
        88   escape_sequences: [u8; 32], "8.5.6";
        120  volume_set_size: Both16, "8.4.10";
        124  volume_sequence_number: Both16, "8.4.11";
        128  logical_block_size: Both16, "8.4.12";
        132  path_table_size: Both32, "8.4.13";
        140  path_table_l: U32Le, "8.4.14";
        144  optional_path_table_l: U32Le, "8.4.15";
        148  path_table_m: big_endian::U32, "8.4.16";
        152  optional_path_table_m: big_endian::U32, "8.4.17";
        156  root: RootDirectoryRecord, "8.4.18";
        190  volume_set_identifier: Text<128>, "8.4.19";
        318  publisher_identifier: Text<128>, "8.4.20";
        446  data_preparer_identifier: Text<128>, "8.4.21";
        574  application_identifier: Text<128>, "8.4.22";
        702  copyright_file_identifier: Text<37>, "8.4.23";
        739  abstract_file_identifier: Text<37>, "8.4.24";
        776  bibliographic_file_identifier: Text<37>, "8.4.25";
        813  creation_date: VolumeDate, "8.4.26";
        830  modification_date: VolumeDate, "8.4.27";
        847  expiration_date: VolumeDate, "8.4.28";
        864  effective_date: VolumeDate, "8.4.29";
        881  file_structure_version: u8, "8.4.30";
        882  reserved_31: u8, "8.4.31";
        883  application_use: [u8; 512], "8.4.32";
        1395 reserved_33: [u8; 653], "8.4.33";
    }
}

record! {
    /// Boot record. Its use by El Torito puts the address of the boot catalog first into the
    /// bytes left to the boot system.
    pub struct BootRecord: 2048, "ECMA-119 8.2" {
        0  descriptor_type: u8, "8.2.1";
        1  standard_identifier: [u8; 5], "8.2.2";
        6  version: u8, "8.2.3";
        7  boot_system_identifier: Text<32>, "8.2.4";
        39 boot_identifier: Text<32>, "8.2.5";
        71 boot_catalog: U32Le, "El Torito 2.0";
        75 boot_system_use: [u8; 1973], "8.2.6";
    }
}

impl BootRecord {
    /// Value of `boot_system_identifier`, filled up with zero bytes, that announces a boot
    /// catalog (El Torito 2.0).
    pub const EL_TORITO: &[u8; 23] = b"EL TORITO SPECIFICATION";
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use reburn_record::Record;

    use super::*;

    #[test]
    fn a_descriptor_dumps_with_clauses() {
        let mut descriptor = VolumeDescriptor::zeroed();
        descriptor.descriptor_type = super::super::PRIMARY;
        descriptor.standard_identifier = super::super::STANDARD_IDENTIFIER;
        descriptor.volume_identifier = Text::new(b"DISC").unwrap();
        descriptor.volume_space_size = Both32::new(300);
        descriptor.root.head.extent_location = Both32::new(22);
        let dump = descriptor.dump().to_string();
        let head: Vec<_> = dump.lines().take(10).collect();
        assert_snapshot!(head.join("\n"), @r#"
        VolumeDescriptor (ECMA-119 8.4, 8.5)
             0    1  descriptor_type                  8.4.1     1
             1    5  standard_identifier              8.4.2     43 44 30 30 31
             6    1  version                          8.4.3     0
             7    1  volume_flags                     8.5.3     0
             8   32  system_identifier                8.4.5     ""
            40   32  volume_identifier                8.4.6     "DISC"
            72    8  unused_7                         8.4.7     00 00 00 00 00 00 00 00
            80    8  volume_space_size                8.4.8     300
            88   32  escape_sequences                 8.5.6     32 x 00
        "#);
        let root = dump
            .lines()
            .find(|line| line.contains("root.head.extent_location"));
        assert_eq!(
            root,
            Some("   158    8  root.head.extent_location        9.1.3     22")
        );
    }
}
