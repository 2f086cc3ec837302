//! Names as UDF records them: OSTA compressed Unicode of at most 255 bytes (UDF 2.1.1, 2.3.4.7).
//!
//! Invariants: a name that is UTF-8, fits, and has none of the characters that UDF forbids is
//! recorded as it is; every other name is translated: what cannot be recorded becomes `_`, what
//! is too long is cut, and `#` with four hexadecimal digits of the original's checksum is put
//! before its extension (UDF 4.2.2.1).

use std::borrow::Cow;

use reburn_record::crc16;

/// Bytes that a name can take on disc, its compression id included (ECMA-167 4/14.4.4).
pub(super) const NAME_BYTES_MAX: usize = 255;

/// Characters of an extension that survive a translation (UDF 4.2.2.1).
const EXTENSION_MAX: usize = 5;

/// Compression id of one byte a character (UDF 2.1.1).
const EIGHT_BIT: u8 = 8;
/// Compression id of two bytes a character, the most significant first (UDF 2.1.1).
const SIXTEEN_BIT: u8 = 16;

/// Bytes that `text` takes in OSTA compressed Unicode, its compression id included; none for
/// an empty text.
pub(crate) fn encoded_len(text: &str) -> usize {
    if text.is_empty() {
        return 0;
    }
    1 + if is_eight_bit(text) {
        text.chars().count()
    } else {
        2 * text.encode_utf16().count()
    }
}

/// Puts `text` at the end of `out` in OSTA compressed Unicode, in as few bytes as possible.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    if is_eight_bit(text) {
        out.push(EIGHT_BIT);
        out.extend(text.chars().map(|c| c as u8));
    } else {
        out.push(SIXTEEN_BIT);
        out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    }
}

/// Whether every character of `text` can be recorded (UDF 2.1.1).
pub(super) fn is_recordable(text: &str) -> bool {
    text.chars().all(is_allowed)
}

/// The name that a tree's name is recorded as. Borrowed if nothing had to be translated.
pub(crate) fn recorded_name(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(name)
        && is_recordable(text)
        && encoded_len(text) <= NAME_BYTES_MAX
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(translated(name))
}

fn is_eight_bit(text: &str) -> bool {
    // Up to U+007F a byte is a character; most names need no second look.
    text.is_ascii() || text.chars().all(|c| u32::from(c) <= 0xff)
}

/// The byte order mark and its mirror image are no characters in UDF; zero and the separator
/// of paths are none in names.
fn is_allowed(c: char) -> bool {
    !matches!(c, '\0' | '/' | '\u{feff}' | '\u{fffe}')
}

fn translated(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        let replaced = |c| if is_allowed(c) { c } else { '_' };
        text.extend(chunk.valid().chars().map(replaced));
        text.extend(chunk.invalid().iter().map(|_| '_'));
    }
    let mark = format!("#{:04X}", crc16(name));
    let (stem, extension) = split_extension(&text);
    let (mut stem, extension) = (stem.to_owned(), extension.to_owned());
    loop {
        let whole = format!("{stem}{mark}{extension}");
        if encoded_len(&whole) <= NAME_BYTES_MAX {
            return whole;
        }
        stem.pop();
    }
}

/// A name in front of its last dot, and the dot with a short extension, if it has one.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name[dot + 1..].chars().count() <= EXTENSION_MAX => {
            name.split_at(dot)
        }
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        encode(text, &mut out);
        assert_eq!(out.len(), encoded_len(text));
        out
    }

    #[test]
    fn names_take_one_byte_a_character_where_they_can() {
        assert_eq!(encoded(""), b"");
        assert_eq!(encoded("abc"), b"\x08abc");
        assert_eq!(encoded("\u{fc}"), b"\x08\xfc");
        assert_eq!(encoded("a\u{20ac}"), b"\x10\0a\x20\xac");
        assert_eq!(encoded("\u{1f600}"), b"\x10\xd8\x3d\xde\x00");
    }

    #[test]
    fn names_that_fit_are_kept() {
        for name in [
            "a",
            "\u{fc}ber.txt",
            &"x".repeat(254),
            &"\u{20ac}".repeat(127),
        ] {
            assert!(matches!(recorded_name(name.as_bytes()), Cow::Borrowed(kept) if kept == name));
        }
    }

    #[test]
    fn names_that_do_not_fit_keep_their_ends() {
        let name = format!("{}.jpeg", "x".repeat(250));
        let recorded = recorded_name(name.as_bytes());
        assert_eq!(recorded.len(), 254);
        assert!(recorded.starts_with("xxx") && recorded.ends_with(".jpeg"));
        assert_eq!(&recorded[244..245], "#");
        assert_ne!(
            recorded,
            recorded_name(format!("{}y.jpeg", "x".repeat(249)).as_bytes())
        );
    }

    #[test]
    fn bytes_that_are_no_characters_are_replaced() {
        let recorded = recorded_name(b"caf\xe9.txt");
        assert!(
            recorded.starts_with("caf_#") && recorded.ends_with(".txt"),
            "{recorded}"
        );
        assert!(recorded_name("a\u{feff}".as_bytes()).starts_with("a_#"));
    }

    proptest! {
        #[test]
        fn every_name_becomes_one_that_fits(name in prop::collection::vec(1u8.., 1..400)) {
            let recorded = recorded_name(&name);
            prop_assert!(is_recordable(&recorded));
            prop_assert!((2..=NAME_BYTES_MAX).contains(&encoded_len(&recorded)));
        }
    }
}
