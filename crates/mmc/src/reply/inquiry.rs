//! The standard data of INQUIRY: who the drive is.

use reburn_record::{Record, record};

use crate::DecodeError;
use crate::bytes::len8;

record! {
    /// The standard data of INQUIRY.
    struct StandardInquiry: 36, "SPC-3 6.4.2" {
        0  device_type: u8, "6.4.2";
        1  removable: u8, "6.4.2";
        2  version: u8, "6.4.2";
        3  response_format: u8, "6.4.2";
        4  additional_length: u8, "6.4.2";
        5  flags: [u8; 3], "6.4.2";
        8  vendor: [u8; 8], "6.4.2";
        16 product: [u8; 16], "6.4.2";
        32 revision: [u8; 4], "6.4.2";
    }
}

/// Who the drive is. The three names are ASCII, 8, 16 and 4 characters long; longer ones are
/// cut and other characters replaced when encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InquiryData {
    /// What kind of device answers: 5 for an optical drive.
    pub device_type: u8,
    /// Whether its medium can be removed.
    pub removable: bool,
    /// The version of SPC that it follows: 5 is SPC-3.
    pub version: u8,
    /// Its maker.
    pub vendor: String,
    /// Its model.
    pub product: String,
    /// The version of its firmware.
    pub revision: String,
}

impl InquiryData {
    /// The device type of optical drives.
    pub const OPTICAL: u8 = 5;

    /// The reply, 36 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let record = StandardInquiry {
            device_type: self.device_type & 0x1f,
            removable: u8::from(self.removable) << 7,
            version: self.version,
            response_format: 0x32,
            additional_length: len8(StandardInquiry::SIZE - 5),
            flags: [0; 3],
            vendor: padded(&self.vendor),
            product: padded(&self.product),
            revision: padded(&self.revision),
        };
        record.bytes().to_vec()
    }

    /// The reply in `bytes`, of which 36 must be present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (record, _) = StandardInquiry::view(bytes)?;
        Ok(Self {
            device_type: record.device_type & 0x1f,
            removable: record.removable >> 7 == 1,
            version: record.version,
            vendor: text(&record.vendor),
            product: text(&record.product),
            revision: text(&record.revision),
        })
    }
}

/// The text, cut or filled with blanks.
fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    for (byte, character) in field.iter_mut().zip(text.chars()) {
        *byte = match character {
            ' '..='~' => character as u8,
            _ => b'?',
        };
    }
    field
}

/// The text without the blanks around it; bytes that are not printable become `?`.
fn text(field: &[u8]) -> String {
    let printable = field.iter().map(|&byte| match byte {
        b' '..=b'~' => char::from(byte),
        0 => ' ',
        _ => '?',
    });
    printable.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drive() -> InquiryData {
        InquiryData {
            device_type: InquiryData::OPTICAL,
            removable: true,
            version: 5,
            vendor: "REBURN".into(),
            product: "VIRTUAL BD-RE".into(),
            revision: "0.1".into(),
        }
    }

    #[test]
    fn golden_bytes() {
        let bytes = b"\x05\x80\x05\x32\x1f\0\0\0REBURN  VIRTUAL BD-RE   0.1 ";
        assert_eq!(drive().encode(), bytes);
        assert_eq!(InquiryData::decode(bytes), Ok(drive()));
        assert!(InquiryData::decode(&bytes[..35]).is_err());
    }

    #[test]
    fn names_are_cut_and_cleaned() {
        let mut odd = drive();
        odd.vendor = "Ä too long".into();
        let decoded = InquiryData::decode(&odd.encode()).unwrap();
        assert_eq!(decoded.vendor, "? too lo");
    }
}
