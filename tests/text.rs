//! Byte strings as one word of text: names of files are bytes, and a listing is lines.

/// The bytes as a word without spaces or control characters; UTF-8 stays readable.
///
/// `%`, white space, control characters and bytes that are not UTF-8 become `%XX`.
pub fn escape(bytes: &[u8]) -> String {
    let mut word = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '%' || c.is_whitespace() || c.is_control() {
                let mut buffer = [0; 4];
                push_hex(&mut word, c.encode_utf8(&mut buffer).as_bytes());
            } else {
                word.push(c);
            }
        }
        push_hex(&mut word, chunk.invalid());
    }
    word
}

fn push_hex(word: &mut String, bytes: &[u8]) {
    for byte in bytes {
        word.push('%');
        word.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
        word.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
    }
}

/// The bytes that [`escape`] made a word of; `None` if a `%` has no two digits behind it.
pub fn unescape(word: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Some(bytes)
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive() {
        let all: Vec<u8> = (0..=255).chain("été 100%\u{a0}日本".bytes()).collect();
        let word = escape(&all);
        assert!(!word.contains(char::is_whitespace));
        assert_eq!(unescape(&word), Some(all));
        assert_eq!(escape("a b%é".as_bytes()), "a%20b%25é");
        assert_eq!(escape(&[b'x', 0xFF]), "x%FF");
    }

    #[test]
    fn broken_escapes_are_refused() {
        assert_eq!(unescape("%4"), None);
        assert_eq!(unescape("%zz"), None);
    }
}
