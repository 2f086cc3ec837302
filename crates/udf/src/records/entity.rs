//! Who or what something belongs to: entity identifiers and character sets (ECMA-167 1/7.2.1,
//! 1/7.4; UDF 2.1.2, 2.1.5).

use std::borrow::Cow;

use reburn_record::little_endian::U16;
use reburn_record::{Record, Text, record};

record! {
    /// The character set of a field; always OSTA compressed Unicode in UDF.
    pub struct CharSpec: 64, "ECMA-167 1/7.2.1" {
        0 character_set_type: u8, "1/7.2.1.1";
        1 character_set_information: Text<63>, "1/7.2.1.2";
    }
}

record! {
    /// An identifier, and a suffix whose form goes by what is identified.
    #[derive(Hash)]
    pub struct EntityId: 32, "ECMA-167 1/7.4" {
        0  flags: u8, "1/7.4.1";
        1  identifier: Text<23>, "1/7.4.2";
        24 suffix: [u8; 8], "1/7.4.3";
    }
}

record! {
    /// Suffix of the domain's identifier.
    pub struct DomainSuffix: 8, "UDF 2.1.5.3" {
        0 udf_revision: U16, "2.1.5.3";
        2 domain_flags: u8, "2.1.5.3";
        3 reserved: [u8; 5], "2.1.5.3";
    }
}

record! {
    /// Suffix of identifiers that UDF defines.
    pub struct UdfSuffix: 8, "UDF 2.1.5.3" {
        0 udf_revision: U16, "2.1.5.3";
        2 os_class: u8, "2.1.5.3";
        3 os_identifier: u8, "2.1.5.3";
        4 reserved: [u8; 4], "2.1.5.3";
    }
}

impl EntityId {
    /// The domain of all UDF volumes.
    pub const DOMAIN: &[u8] = b"*OSTA UDF Compliant";
    /// Of the implementation use volume descriptor that UDF defines.
    pub const LV_INFO: &[u8] = b"*UDF LV Info";
    /// Of sparing tables.
    pub const SPARING_TABLE: &[u8] = b"*UDF Sparing Table";
    /// Of virtual allocation tables before UDF 2.00.
    pub const VIRTUAL_TABLE: &[u8] = b"*UDF Virtual Alloc Tbl";

    /// Of the attribute of virtual allocation tables before UDF 2.00.
    pub const VAT_EXTENSION: &[u8] = b"*UDF VAT LVExtension";
    /// What all attributes and streams begin with that UDF defines.
    pub const UDF_DEFINED: &[u8] = b"*UDF ";

    /// The identifier without the zero bytes after it.
    pub fn name(&self) -> &[u8] {
        self.identifier.trimmed()
    }

    /// The identifier, for a person to read.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.name())
    }

    /// The suffix, as that of a domain.
    pub fn domain(&self) -> DomainSuffix {
        let mut suffix = DomainSuffix::zeroed();
        let [low, high, flags, reserved @ ..] = self.suffix;
        suffix.udf_revision = U16::from_bytes([low, high]);
        suffix.domain_flags = flags;
        suffix.reserved = reserved;
        suffix
    }

    /// The suffix, as that of an identifier that UDF defines.
    pub fn udf(&self) -> UdfSuffix {
        let [low, high, os_class, os_identifier, reserved @ ..] = self.suffix;
        UdfSuffix {
            udf_revision: U16::from_bytes([low, high]),
            os_class,
            os_identifier,
            reserved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::golden;

    #[test]
    fn golden_bytes() {
        let bytes =
            golden("002a4f53 54412055 44462043 6f6d706c 69616e74 00000000 60020000 00000000");
        let (id, _) = EntityId::view(&bytes).unwrap();
        assert_eq!(id.name(), EntityId::DOMAIN);
        assert_eq!(id.domain().udf_revision.get(), 0x0260);
        let bytes =
            golden("002a5544 46204d65 74616461 74612050 61727469 74696f6e 60020301 00000000");
        let (id, _) = EntityId::view(&bytes).unwrap();
        assert_eq!(id.text(), "*UDF Metadata Partition");
        assert_eq!((id.udf().os_class, id.udf().os_identifier), (3, 1));
    }
}
