//! Text in fields of fixed size.

use std::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::FieldValue;

/// Text of one byte a character, filled up with spaces (ECMA-119 7.4.3.2). Which characters
/// are allowed is the field's business.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(transparent)]
pub struct Text<const N: usize>([u8; N]);

/// A text is longer than its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text of {len} bytes does not fit into a field of {field} bytes")]
pub struct TextTooLong {
    /// Bytes of the text.
    pub len: usize,
    /// Bytes of the field.
    pub field: usize,
}

impl<const N: usize> Text<N> {
    /// A field of spaces.
    pub const BLANK: Self = Self([b' '; N]);

    /// `text`, filled up with spaces.
    pub fn new(text: &[u8]) -> Result<Self, TextTooLong> {
        let mut field = [b' '; N];
        field
            .get_mut(..text.len())
            .ok_or(TextTooLong {
                len: text.len(),
                field: N,
            })?
            .copy_from_slice(text);
        Ok(Self(field))
    }

    /// These bytes, as they are.
    pub const fn from_raw(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// All bytes of the field.
    pub const fn raw(&self) -> &[u8; N] {
        &self.0
    }

    /// The text without the spaces after it, nor the zero bytes that some writers put there.
    pub fn trimmed(&self) -> &[u8] {
        let filler = |byte: &u8| matches!(byte, b' ' | 0);
        let len = self.0.iter().rposition(|byte| !filler(byte));
        &self.0[..len.map_or(0, |last| last + 1)]
    }
}

/// The trimmed text in quotes; other than printable ASCII as escapes.
impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.trimmed().escape_ascii())
    }
}

impl<const N: usize> FieldValue for Text<N> {
    fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_filled_up_with_spaces() {
        let text = Text::<6>::new(b"REBURN").unwrap();
        assert_eq!(text.raw(), b"REBURN");
        assert_eq!(Text::<6>::new(b"A B").unwrap().raw(), b"A B   ");
        assert_eq!(
            Text::<6>::new(b"TOO LONG"),
            Err(TextTooLong { len: 8, field: 6 })
        );
    }

    #[test]
    fn filling_is_not_part_of_the_text() {
        assert_eq!(Text::from_raw(*b" A B \0").trimmed(), b" A B");
        assert_eq!(Text::<4>::BLANK.trimmed(), b"");
        assert_eq!(format!("{:?}", Text::from_raw(*b"\"\xff  ")), r#""\"\xff""#);
    }
}
