//! The volume recognition sequence (ECMA-167 2/8, 2/9, 3/9), from byte 32768 of a session on.

use reburn_record::little_endian::{U32, U64};
use reburn_record::record;

use super::{DiscTime, EntityId};

record! {
    /// A structure of the sequence: what it is stands in the identifier.
    pub struct VolumeStructure: 2048, "ECMA-167 2/9.1" {
        0 structure_type: u8, "2/9.1.1";
        1 standard_identifier: [u8; 5], "2/9.1.2";
        6 structure_version: u8, "2/9.1.3";
        7 structure_data: [u8; 2041], "2/9.1.4";
    }
}

impl VolumeStructure {
    /// The sequence begins.
    pub const BEGIN: &[u8; 5] = b"BEA01";
    /// ECMA-167, second edition: UDF up to 1.50.
    pub const NSR02: &[u8; 5] = b"NSR02";
    /// ECMA-167, third edition: UDF from 2.00 on.
    pub const NSR03: &[u8; 5] = b"NSR03";
    /// A [`BootDescriptor`].
    pub const BOOT: &[u8; 5] = b"BOOT2";
    /// The sequence ends.
    pub const END: &[u8; 5] = b"TEA01";
}

record! {
    /// How to start a system from the volume.
    pub struct BootDescriptor: 2048, "ECMA-167 2/9.4" {
        0   structure_type: u8, "2/9.4.1";
        1   standard_identifier: [u8; 5], "2/9.4.2";
        6   structure_version: u8, "2/9.4.3";
        7   reserved_1: u8, "2/9.4.4";
        8   architecture_type: EntityId, "2/9.4.5";
        40  boot_identifier: EntityId, "2/9.4.6";
        72  boot_extent_location: U32, "2/9.4.7";
        76  boot_extent_length: U32, "2/9.4.8";
        80  load_address: U64, "2/9.4.9";
        88  start_address: U64, "2/9.4.10";
        96  descriptor_creation_date_and_time: DiscTime, "2/9.4.11";
        108 flags: [u8; 2], "2/9.4.12";
        110 reserved_2: [u8; 32], "2/9.4.13";
        142 boot_use: [u8; 1906], "2/9.4.14";
    }
}
