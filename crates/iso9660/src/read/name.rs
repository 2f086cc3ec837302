//! From identifiers on disc to names in a tree.
//!
//! Readers everywhere accept more than the standards allow (lower case, many dots, no version),
//! so nothing here refuses a name.

use super::Hierarchy;

/// Appends to `name` what an identifier is called in a hierarchy; in Rock Ridge, where no
/// entry says otherwise. Returns the version that was cut off (ECMA-119 7.5.1).
pub(crate) fn append_name(
    hierarchy: Hierarchy,
    identifier: &[u8],
    is_directory: bool,
    name: &mut Vec<u8>,
) -> Option<u16> {
    let start = name.len();
    match hierarchy {
        Hierarchy::Joliet => append_ucs2(identifier, name),
        _ => name.extend_from_slice(identifier),
    }
    // ISO 9660:1999 has no versions: a semicolon there belongs to the name.
    if is_directory || hierarchy == Hierarchy::Enhanced {
        return None;
    }
    let (len, version) = split_version(&name[start..])?;
    name.truncate(start + len);
    // With a version, the dot stays even where there is no extension.
    if name[start..].ends_with(b".") && len > 1 {
        name.pop();
    }
    Some(version)
}

/// The length without `;` and digits at the end, and the number these digits name.
fn split_version(name: &[u8]) -> Option<(usize, u16)> {
    let semicolon = name.iter().rposition(|&byte| byte == b';')?;
    let digits = std::str::from_utf8(&name[semicolon + 1..]).ok()?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let version = plain.then(|| digits.parse().ok())??;
    (semicolon > 0).then_some((semicolon, version))
}

/// Appends text in big-endian UCS-2, as UTF-8. Surrogate pairs count as UTF-16, as Windows
/// writes them; a half of one becomes U+FFFD, and an odd byte at the end is dropped.
pub(crate) fn append_ucs2(text: &[u8], name: &mut Vec<u8>) {
    let units = text
        .as_chunks::<2>()
        .0
        .iter()
        .map(|unit| u16::from_be_bytes(*unit));
    for character in char::decode_utf16(units) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut utf8 = [0; 4];
        name.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
    }
}

/// Makes a name one that a path can have. Returns whether it was not.
pub(crate) fn mend(name: &mut Vec<u8>, start: usize) -> bool {
    match &mut name[start..] {
        [] => name.push(b'_'),
        [b'.'] => name[start] = b'_',
        [b'.', b'.'] => name[start..].fill(b'_'),
        bytes => {
            let mut mended = false;
            for byte in bytes.iter_mut().filter(|byte| matches!(byte, b'/' | 0)) {
                *byte = b'_';
                mended = true;
            }
            return mended;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(hierarchy: Hierarchy, identifier: &[u8]) -> (String, Option<u16>) {
        let mut name = Vec::new();
        let version = append_name(hierarchy, identifier, false, &mut name);
        (name.escape_ascii().to_string(), version)
    }

    #[test]
    fn versions_and_empty_extensions_go() {
        let plain = |identifier: &[u8]| named(Hierarchy::Plain, identifier);
        assert_eq!(plain(b"README.TXT;1"), ("README.TXT".into(), Some(1)));
        assert_eq!(plain(b"LINK.;1"), ("LINK".into(), Some(1)));
        assert_eq!(plain(b"A.B;32767"), ("A.B".into(), Some(32767)));
        assert_eq!(plain(b"relaxed.tar.gz"), ("relaxed.tar.gz".into(), None));
        assert_eq!(plain(b"dot."), ("dot.".into(), None));
        assert_eq!(plain(b"a;b"), ("a;b".into(), None));
        assert_eq!(plain(b"a;99999"), ("a;99999".into(), None));
        assert_eq!(plain(b";1"), (";1".into(), None));
        assert_eq!(plain(b".;1"), (".".into(), Some(1)));
        assert_eq!(named(Hierarchy::Enhanced, b"a;1"), ("a;1".into(), None));
    }

    #[test]
    fn ucs2_becomes_utf8() {
        let joliet = |text: &str| {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let mut name = Vec::new();
            append_name(Hierarchy::Joliet, &bytes, false, &mut name);
            String::from_utf8(name).unwrap()
        };
        assert_eq!(joliet("Ünï 漢字.txt;1"), "Ünï 漢字.txt");
        assert_eq!(joliet("clef 𝄞"), "clef 𝄞");
        let mut name = Vec::new();
        append_ucs2(&[0xd8, 0x34, 0, b'a', 0], &mut name);
        assert_eq!(name, "\u{fffd}a".as_bytes());
    }

    #[test]
    fn names_no_path_can_have_are_mended() {
        let mended = |name: &[u8]| {
            let mut bytes = [b"kept/", name].concat();
            let changed = mend(&mut bytes, 5);
            (bytes[5..].escape_ascii().to_string(), changed)
        };
        assert_eq!(mended(b"name"), ("name".into(), false));
        assert_eq!(mended(b""), ("_".into(), true));
        assert_eq!(mended(b"."), ("_".into(), true));
        assert_eq!(mended(b".."), ("__".into(), true));
        assert_eq!(mended(b"../etc\0"), (".._etc_".into(), true));
    }
}
