//! Extended attributes (ECMA-167 4/14.10, UDF 3.3.4): in a file's entry, or in a file of their
//! own.

use reburn_record::little_endian::{U16, U32, U64};
use reburn_record::{Record, record};

use super::{DString, EntityId, Tag};

record! {
    /// What a space of extended attributes begins with.
    pub struct ExtendedAttributeHeader: 24, "ECMA-167 4/14.10.1" {
        0  tag: Tag, "4/14.10.1.1";
        16 implementation_attributes_location: U32, "4/14.10.1.2";
        20 application_attributes_location: U32, "4/14.10.1.3";
    }
}

record! {
    /// What every attribute begins with.
    pub struct AttributeHead: 12, "ECMA-167 4/14.10.2" {
        0 attribute_type: U32, "4/14.10.2.1";
        4 attribute_subtype: u8, "4/14.10.2.2";
        5 reserved: [u8; 3], "4/14.10.2.3";
        8 attribute_length: U32, "4/14.10.2.4";
    }
}

record! {
    /// Times of a file; those that the bits announce follow.
    pub struct FileTimes: 20, "ECMA-167 4/14.10.5" {
        0  head: AttributeHead, "4/14.10.5.1";
        12 data_length: U32, "4/14.10.5.5";
        16 file_time_existence: U32, "4/14.10.5.6";
    }
}

impl FileTimes {
    /// Bit of `file_time_existence`: the time of creation, the first of those that follow.
    pub const CREATION: u32 = 1;
}

record! {
    /// The numbers of a device.
    pub struct DeviceSpecification: 24, "ECMA-167 4/14.10.7" {
        0  head: AttributeHead, "4/14.10.7.1";
        12 implementation_use_length: U32, "4/14.10.7.5";
        16 major_device_identification: U32, "4/14.10.7.6";
        20 minor_device_identification: U32, "4/14.10.7.7";
    }
}

record! {
    /// An attribute that its identifier gives a meaning: of implementations (4/14.10.8) or of
    /// applications (4/14.10.9). Those of UDF begin with a checksum.
    pub struct UseAttribute: 50, "ECMA-167 4/14.10.8" {
        0  head: AttributeHead, "4/14.10.8.1";
        12 use_length: U32, "4/14.10.8.5";
        16 identifier: EntityId, "4/14.10.8.6";
        48 header_checksum: U16, "UDF 3.3.4.5";
    }
}

impl UseAttribute {
    /// Where content begins: with a checksum in those of UDF, and at once in others.
    pub const CONTENT: usize = Self::SIZE - 2;

    /// The sum of the bytes before it, as it should be (UDF 3.3.4.5).
    pub fn checksum(&self) -> u16 {
        let covered = &self.bytes()[..Self::CONTENT];
        covered
            .iter()
            .fold(0, |sum: u16, &byte| sum.wrapping_add(byte.into()))
    }
}

record! {
    /// What a virtual allocation table of UDF 1.50 says of the volume, in an attribute of its
    /// entry: it follows the attribute's checksum.
    pub struct VirtualTableExtension: 144, "UDF 1.50 errata 3.3.4.5.1.4" {
        0  verification_id: U64, "errata";
        8  number_of_files: U32, "errata";
        12 number_of_directories: U32, "errata";
        16 logical_volume_identifier: DString<128>, "errata";
    }
}

/// Values of [`AttributeHead::attribute_type`].
pub mod attribute_type {
    /// Character set information (ECMA-167 4/14.10.3).
    pub const CHARACTER_SET: u32 = 1;
    /// See [`FileTimes`](super::FileTimes).
    pub const FILE_TIMES: u32 = 5;
    /// Information times (ECMA-167 4/14.10.6).
    pub const INFORMATION_TIMES: u32 = 6;
    /// See [`DeviceSpecification`](super::DeviceSpecification).
    pub const DEVICE: u32 = 12;
    /// See [`UseAttribute`](super::UseAttribute).
    pub const IMPLEMENTATION_USE: u32 = 2048;
    /// See [`UseAttribute`](super::UseAttribute).
    pub const APPLICATION_USE: u32 = 65536;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::golden;

    /// Of the entry of a virtual allocation table by mkudffs.
    #[test]
    fn golden_bytes() {
        let mut bytes = golden(
            "00080000 01000000 c4000000 92000000 002a5544 46205641 54204c56 45787465 6e73696f \
             6e000000 50010405 00000000 4c081000 00000000 00000000 00000100 0000086c 6162",
        );
        bytes.resize(196, 0);
        let (attribute, rest) = UseAttribute::view(&bytes).unwrap();
        assert_eq!(attribute.identifier.name(), EntityId::VAT_EXTENSION);
        assert_eq!(attribute.header_checksum.get(), attribute.checksum());
        let (extension, padding) = VirtualTableExtension::view(rest).unwrap();
        assert_eq!(padding.len(), 2);
        assert_eq!(extension.verification_id.get(), 16);
        assert_eq!(extension.number_of_directories.get(), 1);
    }
}
