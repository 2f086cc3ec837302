//! Keys and values of login and text requests: `key=value`, each ended by a zero byte.
//!
//! A text may go on in further requests, so it is collected first, up to [`TEXT_MAX`].
//!
//! Source: RFC 7143, sections 6.1 and 6.2.

/// Bytes of text that a request and those that continue it may have together.
pub(super) const TEXT_MAX: usize = 16 * 1024;

/// What a value may be at most in bytes, for all keys that allow no longer ones (6.1).
const VALUE_MAX: usize = 255;

/// The longest value of keys that hold numbers in base 64 or hexadecimal: 1024 bytes of them.
const BINARY_MAX: usize = 2 + 2 * 1024;

/// Why a text is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TextError {
    #[error("a text of more than {TEXT_MAX} bytes")]
    TooLong,
    #[error("a text that is no list of keys with values")]
    Malformed,
}

/// Collects a text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces(Vec<u8>);

impl Pieces {
    /// Takes the next piece.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), TextError> {
        if self.0.len() + piece.len() > TEXT_MAX {
            return Err(TextError::TooLong);
        }
        self.0.extend_from_slice(piece);
        Ok(())
    }

    /// The keys and values of all pieces; the next text begins.
    pub fn finish(&mut self) -> Result<Vec<(String, String)>, TextError> {
        parse(&std::mem::take(&mut self.0))
    }
}

/// Keys and values in their order.
fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, TextError> {
    let mut pairs = Vec::new();
    // Some initiators fill the segment with zeros.
    for pair in bytes
        .split(|byte| *byte == 0)
        .filter(|pair| !pair.is_empty())
    {
        let pair = str::from_utf8(pair).map_err(|_| TextError::Malformed)?;
        let (key, value) = pair.split_once('=').ok_or(TextError::Malformed)?;
        let limit = if key.starts_with("CHAP_") {
            BINARY_MAX
        } else {
            VALUE_MAX
        };
        if !is_key(key) || value.len() > limit {
            return Err(TextError::Malformed);
        }
        pairs.push((key.to_owned(), value.to_owned()));
    }
    Ok(pairs)
}

/// Letters, digits and four signs, at most 63, beginning with a letter (6.1).
fn is_key(key: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || ".-+@_".contains(c);
    (1..=63).contains(&key.len())
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(is_letter)
}

/// Keys and values as a text to send.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answers(Vec<u8>);

impl Answers {
    /// Appends a key with its value.
    pub fn add(&mut self, key: &str, value: &str) {
        for part in [key, "=", value, "\0"] {
            self.0.extend_from_slice(part.as_bytes());
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text with the ends of values shown.
    #[cfg(test)]
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.0)
            .replace('\0', "; ")
            .trim_end()
            .to_owned()
    }
}

/// A number, decimal or hexadecimal (6.1).
pub(super) fn number(value: &str) -> Option<u32> {
    match value
        .strip_prefix("0x")
        .or_else(|| value.strip_prefix("0X"))
    {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if value.starts_with('+') => None,
        None => value.parse().ok(),
    }
}

/// The bytes of a large number, hexadecimal or base 64 (6.1).
pub(super) fn binary(value: &str) -> Option<Vec<u8>> {
    match value.get(..2)? {
        "0x" | "0X" => from_hexadecimal(&value.as_bytes()[2..]),
        "0b" | "0B" => from_base64(&value.as_bytes()[2..]),
        _ => None,
    }
}

fn from_hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        (byte as char)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    // An odd number of digits leaves out a leading zero.
    let (first, rest) = digits.split_at(digits.len() % 2);
    let first = first.iter().map(|byte| digit(*byte));
    let rest = rest
        .chunks(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?));
    first.chain(rest).collect()
}

fn from_base64(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let unpadded = digits
        .strip_suffix(b"==")
        .or(digits.strip_suffix(b"="))
        .unwrap_or(digits);
    let mut bytes = Vec::new();
    for group in unpadded.chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let mut bits = 0;
        for index in 0..4 {
            bits = bits << 6 | u32::from(group.get(index).map_or(Some(0), |byte| digit(*byte))?);
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

/// A large number in hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::from("0x");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_lists_of_keys() {
        let mut pieces = Pieces::default();
        pieces.add(b"InitiatorName=iqn.a\0Session").unwrap();
        pieces.add(b"Type=Normal\0X-a.b=\0\0\0").unwrap();
        let pairs = pieces.finish().unwrap();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        let expected = [
            ("InitiatorName", "iqn.a"),
            ("SessionType", "Normal"),
            ("X-a.b", ""),
        ];
        assert_eq!(pairs, expected);
        assert_eq!(
            pieces.finish(),
            Ok(Vec::new()),
            "the next text is a new one"
        );
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let long = format!("A={}\0", "x".repeat(256));
        for text in [
            &b"no value\0"[..],
            b"=value\0",
            b"1=2\0",
            b"a b=c\0",
            b"A=\xff\0",
            long.as_bytes(),
        ] {
            let mut pieces = Pieces::default();
            pieces.add(text).unwrap();
            assert_eq!(pieces.finish(), Err(TextError::Malformed), "{text:?}");
        }
        let mut pieces = Pieces::default();
        pieces.add(&[b'a'; TEXT_MAX]).unwrap();
        assert_eq!(pieces.add(b"a"), Err(TextError::TooLong));
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        assert_eq!(number("8192"), Some(8192));
        assert_eq!(number("0x2000"), Some(8192));
        for bad in ["", "0x", "-1", "+1", "0x+1", "4294967296", "8k"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn large_numbers_are_hexadecimal_or_base_64() {
        assert_eq!(binary("0x0aFF"), Some(vec![0x0a, 0xff]));
        assert_eq!(binary("0xaff"), Some(vec![0x0a, 0xff]));
        assert_eq!(binary("0bCv8="), Some(vec![0x0a, 0xff]));
        assert_eq!(binary("0bCv8A"), Some(vec![0x0a, 0xff, 0]));
        for bad in ["", "0", "12", "0xg0", "0bA", "0bA*==", "0b=A=="] {
            assert_eq!(binary(bad), None, "{bad}");
        }
        assert_eq!(hexadecimal(&[0x0a, 0xff]), "0x0aff");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut pieces = Pieces::default();
            pieces.add(&bytes).unwrap();
            for (key, value) in pieces.finish().unwrap_or_default() {
                let _ = (number(&value), binary(&value));
                prop_assert!(is_key(&key));
            }
        }

        #[test]
        fn hexadecimal_leads_back(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            prop_assert_eq!(binary(&hexadecimal(&bytes)), Some(bytes));
        }
    }
}
