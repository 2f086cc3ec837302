//! One name, made to obey the rules of a hierarchy.
//!
//! What a hierarchy cannot hold becomes `_`, one for each character; names that are too long
//! lose their end, but keep the extension that programs go by. Two names may come out equal:
//! [`super::Names`] tells them apart.

/// Which identifiers a hierarchy takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameRules {
    /// d-characters (ECMA-119 7.5, 7.6).
    Plain(PlainLevel),
    /// Any bytes but control characters, at most 207 (ISO 9660:1999 7.5, 7.6).
    Enhanced,
    /// Big-endian 16-bit code units, at most this many (Joliet, "File and Directory
    /// Identifiers").
    Joliet(u8),
}

/// How long identifiers of d-characters may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlainLevel {
    /// Eight characters and three of extension (ECMA-119 10.1).
    Short,
    /// 30 characters with extension, 31 for directories (ECMA-119 7.5.1, 7.6.3).
    Long,
}

/// Code units that are left of a long extension behind a long stem.
const EXTENSION_KEPT: usize = 8;

/// Digits of the largest number that an identifier can get.
pub(crate) const DIGITS_MAX: usize = 8;

/// An identifier in the making, laid out at the end of a buffer: stem, then the extension
/// with its dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mangled {
    /// Bytes of the stem.
    pub stem_len: usize,
    /// Whether the name came through whole, but for the case of letters.
    pub exact: bool,
}

/// Lengths in code units, dot not counted.
#[derive(Debug, Clone, Copy)]
struct Limits {
    stem: usize,
    extension: usize,
    /// Stem and extension together, where there is one.
    both: usize,
}

impl NameRules {
    /// Bytes a code unit.
    pub(crate) fn unit(self) -> usize {
        if matches!(self, Self::Joliet(_)) {
            2
        } else {
            1
        }
    }

    fn limits(self, directory: bool) -> Limits {
        let (stem, extension, both) = match self {
            Self::Plain(PlainLevel::Short) => (8, 3, 11),
            Self::Plain(PlainLevel::Long) if directory => (31, 0, 31),
            Self::Plain(PlainLevel::Long) => (30, 30, 30),
            Self::Enhanced => (207, 206, 206),
            Self::Joliet(units) => {
                let units = usize::from(units);
                (units, units - 1, units - 1)
            }
        };
        Limits {
            stem,
            extension,
            both,
        }
    }

    /// Code units of the longest directory identifier.
    pub(crate) fn directory_len_max(self) -> usize {
        self.limits(true).stem
    }

    /// Appends the identifier of `name` to `out`, without version number.
    pub(crate) fn mangle(self, name: &[u8], directory: bool, out: &mut Vec<u8>) -> Mangled {
        let (stem, extension) = self.split(name, directory);
        let start = out.len();
        let mut exact = self.translate(stem, out);
        let stem_len = out.len() - start;
        let limits = self.limits(directory);
        let Some(extension) = extension else {
            let kept = self.cut(&out[start..], limits.stem);
            exact &= kept == stem_len;
            out.truncate(start + kept);
            return Mangled {
                stem_len: kept,
                exact,
            };
        };
        self.push_ascii(b'.', out);
        let extension_start = out.len();
        exact &= self.translate(extension, out);
        let extension_len = out.len() - extension_start;

        // A long extension leaves most room to the stem, a short one is kept whole.
        let unit = self.unit();
        let spare = limits.both.saturating_sub(stem_len / unit);
        let extension_max = limits.extension.min(spare.max(EXTENSION_KEPT));
        let extension_kept = self.cut(&out[extension_start..], extension_max);
        out.truncate(extension_start + extension_kept);
        let stem_max = limits.stem.min(limits.both - extension_kept / unit);
        let stem_kept = self.cut(&out[start..start + stem_len], stem_max);
        out.drain(start + stem_kept..start + stem_len);
        Mangled {
            stem_len: stem_kept,
            exact: exact && stem_kept == stem_len && extension_kept == extension_len,
        }
    }

    /// What is left of a stem and of an extension (dot included) when a number of `digits`
    /// digits comes between them.
    pub(crate) fn shorten<'a>(
        self,
        (stem, extension): (&'a [u8], &'a [u8]),
        directory: bool,
        digits: usize,
    ) -> (&'a [u8], &'a [u8]) {
        let limits = self.limits(directory);
        if extension.is_empty() {
            let kept = self.cut(stem, limits.stem - digits);
            return (&stem[..kept], extension);
        }
        let extension = &extension[..self.cut(extension, 1 + limits.both - DIGITS_MAX)];
        let extension_units = extension.len() / self.unit() - 1;
        let stem_max = limits.stem.min(limits.both - extension_units);
        (&stem[..self.cut(stem, stem_max - digits)], extension)
    }

    /// Appends a number of `digits` digits.
    pub(crate) fn push_number(self, number: u32, digits: usize, out: &mut Vec<u8>) {
        for place in (0..digits as u32).rev() {
            let digit = number / 10u32.pow(place) % 10;
            self.push_ascii(b'0' + digit as u8, out);
        }
    }

    /// Stem and extension: what stands before and after the last dot, unless that is the first
    /// or the last character. Directories of d-characters have no extension (ECMA-119 7.6.1).
    fn split(self, name: &[u8], directory: bool) -> (&[u8], Option<&[u8]>) {
        if directory && matches!(self, Self::Plain(_)) {
            return (name, None);
        }
        match name.iter().rposition(|&byte| byte == b'.') {
            Some(dot) if dot > 0 && dot + 1 < name.len() => (&name[..dot], Some(&name[dot + 1..])),
            _ => (name, None),
        }
    }

    /// Appends `part` in the characters of this hierarchy; whether it came through whole.
    fn translate(self, part: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            // Control characters are no use in a name, and one of them alone would be the
            // identifier of the parent.
            Self::Enhanced => {
                let allowed = |byte: u8| if byte < b' ' { b'_' } else { byte };
                out.extend(part.iter().map(|&byte| allowed(byte)));
                part.iter().all(|&byte| byte >= b' ')
            }
            Self::Plain(_) => {
                let mut exact = true;
                for_each_char(part, |c| {
                    let mapped = d_character(c);
                    exact &= mapped.is_some();
                    out.push(mapped.unwrap_or(b'_'));
                });
                exact
            }
            Self::Joliet(_) => {
                let mut exact = true;
                for_each_char(part, |c| {
                    let allowed = c.filter(|&c| joliet_allows(c));
                    exact &= allowed.is_some();
                    for unit in allowed.unwrap_or('_').encode_utf16(&mut [0; 2]) {
                        out.extend_from_slice(&unit.to_be_bytes());
                    }
                });
                exact
            }
        }
    }

    /// How many bytes of `part` stay when it is cut to `max` code units; no character is
    /// halved.
    fn cut(self, part: &[u8], max: usize) -> usize {
        let mut len = max * self.unit();
        if part.len() <= len {
            return part.len();
        }
        match self {
            Self::Plain(_) => {}
            // Not in the middle of a UTF-8 sequence, as far as there is one.
            Self::Enhanced => {
                let boundary = (0..=len.min(3)).find(|back| part[len - back] & 0xC0 != 0x80);
                len -= boundary.unwrap_or(0);
            }
            // Not after the first half of a surrogate pair.
            Self::Joliet(_) => {
                if len >= 2 && part[len - 2] & 0xFC == 0xD8 {
                    len -= 2;
                }
            }
        }
        len
    }

    fn push_ascii(self, character: u8, out: &mut Vec<u8>) {
        if self.unit() == 2 {
            out.push(0);
        }
        out.push(character);
    }
}

/// Calls `each` for every character; bytes that are not UTF-8 count as a character each.
fn for_each_char(part: &[u8], mut each: impl FnMut(Option<char>)) {
    if part.is_ascii() {
        return part.iter().for_each(|&byte| each(Some(byte.into())));
    }
    for chunk in part.utf8_chunks() {
        chunk.valid().chars().for_each(|c| each(Some(c)));
        chunk.invalid().iter().for_each(|_| each(None));
    }
}

/// The d-character for a character, letters in upper case (ECMA-119 7.4.1).
pub(super) fn d_character(c: Option<char>) -> Option<u8> {
    match c? {
        c @ ('A'..='Z' | '0'..='9' | '_' | 'a'..='z') => Some((c as u8).to_ascii_uppercase()),
        _ => None,
    }
}

/// Joliet, "Allowed Character Set".
fn joliet_allows(c: char) -> bool {
    !matches!(c, '\0'..='\x1f' | '*' | '/' | ':' | ';' | '?' | '\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHORT: NameRules = NameRules::Plain(PlainLevel::Short);
    const LONG: NameRules = NameRules::Plain(PlainLevel::Long);

    fn mangle(rules: NameRules, name: &[u8], directory: bool) -> (String, bool) {
        let mut out = Vec::new();
        let mangled = rules.mangle(name, directory, &mut out);
        let text = match rules {
            NameRules::Joliet(_) => {
                let units: Vec<_> = out
                    .chunks(2)
                    .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                    .collect();
                String::from_utf16(&units).unwrap()
            }
            _ => String::from_utf8_lossy(&out).into_owned(),
        };
        (text, mangled.exact)
    }

    fn file(rules: NameRules, name: &str) -> String {
        mangle(rules, name.as_bytes(), false).0
    }

    fn directory(rules: NameRules, name: &str) -> String {
        mangle(rules, name.as_bytes(), true).0
    }

    #[test]
    fn short_names_are_8_and_3() {
        assert_eq!(file(SHORT, "readme.txt"), "README.TXT");
        assert_eq!(file(SHORT, "Makefile"), "MAKEFILE");
        assert_eq!(file(SHORT, "configuration.json"), "CONFIGUR.JSO");
        assert_eq!(file(SHORT, "archive.tar.gz"), "ARCHIVE_.GZ");
        assert_eq!(file(SHORT, ".bashrc"), "_BASHRC");
        assert_eq!(file(SHORT, "a.b."), "A_B_");
        assert_eq!(file(SHORT, "é ü.ñ"), "___._");
        assert_eq!(directory(SHORT, "site.d"), "SITE_D");
        assert_eq!(directory(SHORT, "documents"), "DOCUMENT");
    }

    #[test]
    fn long_names_are_30_or_31() {
        let a = "a".repeat(40);
        assert_eq!(file(LONG, &a), "A".repeat(30));
        assert_eq!(directory(LONG, &a), "A".repeat(31));
        assert_eq!(
            file(LONG, &format!("{a}.json")),
            format!("{}.JSON", "A".repeat(26))
        );
        assert_eq!(
            file(LONG, &format!("a.{a}")),
            format!("A.{}", "A".repeat(29))
        );
        assert_eq!(
            file(LONG, &format!("{a}.{a}")),
            format!("{}.{}", "A".repeat(22), "A".repeat(8))
        );
    }

    #[test]
    fn joliet_keeps_all_but_eight_characters() {
        let rules = NameRules::Joliet(64);
        assert_eq!(file(rules, "Größe: 5?.txt"), "Größe_ 5_.txt");
        assert_eq!(
            mangle(rules, b"\xff\xfe.txt", false),
            ("__.txt".into(), false)
        );
        assert_eq!(mangle(rules, b"a b", true), ("a b".into(), true));
        let long = format!("{}.jpeg", "x".repeat(90));
        assert_eq!(file(rules, &long), format!("{}.jpeg", "x".repeat(59)));
        assert_eq!(directory(rules, &"x".repeat(90)), "x".repeat(64));
    }

    #[test]
    fn no_character_is_halved() {
        let faces = "😀".repeat(60);
        assert_eq!(file(NameRules::Joliet(64), &faces), "😀".repeat(32));
        assert_eq!(file(NameRules::Joliet(103), &faces), "😀".repeat(51));
        let faces = format!("a{faces}");
        assert_eq!(
            file(NameRules::Enhanced, &faces),
            format!("a{}", "😀".repeat(51))
        );
    }

    #[test]
    fn enhanced_names_stay_as_they_are() {
        let name = b"any \xff bytes;*?";
        let mut out = Vec::new();
        assert!(NameRules::Enhanced.mangle(name, false, &mut out).exact);
        assert_eq!(out, name);
        assert_eq!(
            mangle(NameRules::Enhanced, b"\x01", true),
            ("_".into(), false)
        );
    }

    #[test]
    fn numbers_take_the_end_of_the_stem() {
        let numbered = |stem, extension, (number, digits)| {
            let out = numbered(SHORT, (stem, extension), false, (number, digits));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(numbered(b"CONFIGUR", b".JSO", (7, 3)), "CONFI007.JSO");
        assert_eq!(numbered(b"A", b"", (12345, 5)), "A12345");
        assert_eq!(numbered(b"CONFIGUR", b"", (7, 8)), "00000007");
    }

    fn numbered(
        rules: NameRules,
        parts: (&[u8], &[u8]),
        directory: bool,
        (number, digits): (u32, usize),
    ) -> Vec<u8> {
        let (stem, extension) = rules.shorten(parts, directory, digits);
        let mut out = stem.to_vec();
        rules.push_number(number, digits, &mut out);
        out.extend_from_slice(extension);
        out
    }

    proptest! {
        /// Whatever the name and number, lengths and characters hold.
        #[test]
        fn limits_hold(
            name in prop::collection::vec(any::<u8>(), 1..300), directory: bool,
            number in 0u32..1000,
        ) {
            let joliet = [64, 103].map(NameRules::Joliet);
            for rules in [SHORT, LONG, NameRules::Enhanced].into_iter().chain(joliet) {
                let mut plain = Vec::new();
                let stem_len = rules.mangle(&name, directory, &mut plain).stem_len;
                let parts = plain.split_at(stem_len);
                let few = numbered(rules, parts, directory, (number, 3));
                let many = numbered(rules, parts, directory, (number, DIGITS_MAX));
                for identifier in [&plain, &few, &many] {
                    prop_assert!(!identifier.is_empty());
                    prop_assert!(legal(rules, identifier, directory), "{rules:?} {identifier:?}");
                }
            }
        }
    }

    /// The rules, once more, from the standards' point of view.
    fn legal(rules: NameRules, identifier: &[u8], directory: bool) -> bool {
        let plain = |stem_max, extension_max, both_max| {
            let mut parts = identifier.split(|&byte| byte == b'.');
            let stem = parts.next().unwrap();
            let extension = parts.next().unwrap_or(b"");
            parts.next().is_none()
                && !(directory && identifier.contains(&b'.'))
                && stem.len() <= stem_max
                && extension.len() <= extension_max
                && stem.len() + extension.len() <= both_max
                && stem
                    .iter()
                    .chain(extension)
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
        };
        match rules {
            SHORT => plain(8, 3, 11),
            LONG if directory => plain(31, 0, 31),
            LONG => plain(30, 30, 30),
            NameRules::Enhanced => identifier.len() <= 207,
            NameRules::Joliet(units) => {
                let units_max = usize::from(units);
                let units: Vec<_> = identifier
                    .chunks(2)
                    .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                    .collect();
                units.len() <= units_max && String::from_utf16(&units).is_ok()
            }
        }
    }
}
