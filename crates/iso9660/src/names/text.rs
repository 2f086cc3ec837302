//! Texts of volume descriptors, in the characters that each field takes.

use super::mangle::d_character;

/// `text` in d-characters, letters in upper case, `_` for anything else (ECMA-119 7.4.1).
pub(crate) fn d_characters(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| d_character(Some(c)).unwrap_or(b'_'))
        .collect()
}

/// `text` in a-characters, letters in upper case, `_` for anything else (ECMA-119 7.4.1).
pub(crate) fn a_characters(text: &str) -> Vec<u8> {
    const SPECIAL: &[u8] = b" !\"%&'()*+,-./:;<=>?";
    text.chars()
        .map(|c| match u8::try_from(c) {
            Ok(byte) if SPECIAL.contains(&byte) => byte,
            _ => d_character(Some(c)).unwrap_or(b'_'),
        })
        .collect()
}

/// `text` in big-endian code units, cut to fill at most `field` bytes and filled up with
/// spaces. No surrogate pair is halved; a last odd byte is zero (Joliet).
pub(crate) fn ucs2_text<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let units = N / 2;
    let mut used = 0;
    for c in text.chars() {
        let mut pair = [0; 2];
        let encoded = c.encode_utf16(&mut pair);
        if used + encoded.len() > units {
            break;
        }
        for unit in encoded {
            field[used * 2..used * 2 + 2].copy_from_slice(&unit.to_be_bytes());
            used += 1;
        }
    }
    for space in used..units {
        field[space * 2 + 1] = b' ';
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_mapped() {
        assert_eq!(d_characters("My disc 1.0"), b"MY_DISC_1_0");
        assert_eq!(a_characters("Größe: 5!"), b"GR__E: 5!");
    }

    #[test]
    fn code_units_fill_the_field() {
        assert_eq!(&ucs2_text::<6>("é"), b"\x00\xe9\x00 \x00 ");
        assert_eq!(&ucs2_text::<7>("abcd"), b"\x00a\x00b\x00c\x00");
        assert_eq!(&ucs2_text::<6>("ab😀"), b"\x00a\x00b\x00 ");
    }
}
