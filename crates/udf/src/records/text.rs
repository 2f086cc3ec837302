//! Text in OSTA compressed Unicode (UDF 2.1.1) and fields that hold it (UDF 2.1.3).

use std::fmt;

use reburn_record::FieldValue;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Text that was decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressedUnicode {
    /// The text; halves of surrogate pairs are U+FFFD.
    pub text: String,
    /// Whether every byte of it was as it should be.
    pub is_clean: bool,
    /// Whether the compression id marks the name of a deleted file (UDF 2.3.4.2).
    pub is_deleted: bool,
}

/// Decodes a compression id and the characters after it. An unknown id gives the bytes as
/// Latin-1.
pub fn decode_cs0(bytes: &[u8]) -> CompressedUnicode {
    let (id, data) = match bytes {
        [] => (8, bytes),
        [id, data @ ..] => (*id, data),
    };
    let mut is_clean = matches!(id, 8 | 16 | 254 | 255);
    let text = if matches!(id, 16 | 255) {
        let (units, odd) = data.as_chunks::<2>();
        is_clean &= odd.is_empty();
        char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit)))
            .map(|unit| {
                is_clean &= unit.is_ok();
                unit.unwrap_or(char::REPLACEMENT_CHARACTER)
            })
            .collect()
    } else {
        data.iter().map(|&byte| char::from(byte)).collect()
    };
    CompressedUnicode {
        text,
        is_clean,
        is_deleted: id >= 254,
    }
}

/// A field of text: compression id, characters, zeros, and in the last byte how many bytes of
/// the field are used.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(transparent)]
pub struct DString<const N: usize>([u8; N]);

impl<const N: usize> DString<N> {
    /// These bytes, as they are.
    pub const fn from_raw(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// All bytes of the field.
    pub const fn raw(&self) -> &[u8; N] {
        &self.0
    }

    /// The text. A length that the field cannot hold counts as all of it.
    pub fn decode(&self) -> CompressedUnicode {
        let used = usize::from(self.0[N - 1]);
        let mut decoded = decode_cs0(&self.0[..used.min(N - 1)]);
        decoded.is_clean &= used < N && used != 1;
        decoded
    }

    /// The text, for a person to read.
    pub fn text(&self) -> String {
        self.decode().text
    }
}

/// The text in quotes.
impl<const N: usize> fmt::Debug for DString<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl<const N: usize> FieldValue for DString<N> {
    fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::golden;

    #[test]
    fn sixteen_bits_a_character() {
        let mut bytes = [0; 128];
        let head = golden("10004d00 79002000 76006f00 6c007500 6d006500");
        bytes[..head.len()].copy_from_slice(&head);
        bytes[127] = 19;
        let decoded = DString::from_raw(bytes).decode();
        assert_eq!((&*decoded.text, decoded.is_clean), ("My volume", true));
    }

    #[test]
    fn eight_bits_a_character() {
        let field = DString::from_raw(*b"\x08Caf\xe9\0\0\x05");
        assert_eq!(field.text(), "Café");
        assert_eq!(DString::from_raw([0; 32]).text(), "");
    }

    #[test]
    fn nonsense_is_read_as_far_as_it_goes() {
        let field = DString::from_raw(*b"\x08AB\xff").decode();
        assert_eq!((&*field.text, field.is_clean), ("AB", false));
        let odd = decode_cs0(&[16, 0, b'a', 0xd8, 0x34, 0]);
        assert_eq!((&*odd.text, odd.is_clean), ("a\u{fffd}", false));
        assert!(decode_cs0(b"\xfename").is_deleted);
        assert!(!decode_cs0(b"\x09x").is_clean);
    }
}
