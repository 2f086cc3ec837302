//! The identifiers of one directory: told apart and put in order.
//!
//! Directory records stand in ascending order of their identifiers (ECMA-119 9.3): first the
//! stem, then the extension, the shorter one filled up with spaces. Every d-character is
//! larger than `.`, and `.` is larger than a space, so that comparing the bytes of
//! `STEM.EXTENSION` gives the same order. Joliet and ISO 9660:1999 compare bytes as they are.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{DIGITS_MAX, NameRules};

/// Digits that a number starts with.
const DIGITS_MIN: usize = 3;

/// The identifiers of one directory, being collected or in order. Its memory serves one
/// directory after the other.
#[derive(Debug, Default)]
pub(crate) struct Names {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
    too_many: bool,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The first eight bytes of the identifier, to compare without a look at `bytes`.
    prefix: u64,
    /// The identifier.
    start: u32,
    len: u8,
    /// What it was before it got a number.
    name_start: u32,
    name_len: u8,
    stem_len: u8,
    exact: bool,
    directory: bool,
    /// Which name this is, in the order they came in.
    item: u32,
}

/// The next number for each shortened stem, extension and count of digits. Names that share
/// them share the number, so that none is tried twice.
#[derive(Debug, Default)]
struct Numbers {
    next: BTreeMap<Vec<u8>, u32>,
    key: Vec<u8>,
}

impl Numbers {
    /// Appends stem and extension with the next number between them.
    fn next(
        &mut self,
        rules: NameRules,
        parts: (&[u8], &[u8]),
        directory: bool,
        out: &mut Vec<u8>,
    ) {
        for digits in DIGITS_MIN..=DIGITS_MAX {
            let (stem, extension) = rules.shorten(parts, directory, digits);
            self.key.clear();
            self.key.push(digits as u8);
            self.key.extend_from_slice(stem);
            self.key.extend_from_slice(extension);
            let next = match self.next.get_mut(&self.key) {
                Some(next) => next,
                None => self.next.entry(self.key.clone()).or_default(),
            };
            if *next < 10u32.pow(digits as u32) {
                out.extend_from_slice(stem);
                rules.push_number(*next, digits, out);
                out.extend_from_slice(extension);
                *next += 1;
                return;
            }
        }
        unreachable!("a directory has fewer than 100 million names that share a stem");
    }
}

impl Names {
    /// Forgets all names.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.slots.clear();
        self.too_many = false;
    }

    /// Makes room for that many more names with that many bytes in all.
    pub(crate) fn reserve(&mut self, rules: NameRules, names: usize, bytes: usize) {
        self.slots.reserve(names);
        self.bytes.reserve(bytes * rules.unit());
    }

    /// Whether there are more names than any directory can hold (ECMA-119 9.1.4). Names that
    /// were added then are lost.
    pub(crate) fn too_many(&self) -> bool {
        self.too_many
    }

    /// Adds the next name.
    pub(crate) fn push(&mut self, rules: NameRules, name: &[u8], directory: bool) {
        // Twice as many bytes can be in use once names have got numbers.
        if self.bytes.len() >= 1 << 31 {
            self.too_many = true;
            return;
        }
        let start = self.bytes.len();
        let mangled = rules.mangle(name, directory, &mut self.bytes);
        self.slots.push(Slot {
            prefix: prefix(&self.bytes[start..]),
            start: start as u32,
            len: (self.bytes.len() - start) as u8,
            name_start: start as u32,
            name_len: (self.bytes.len() - start) as u8,
            item: self.slots.len() as u32,
            stem_len: mangled.stem_len as u8,
            exact: mangled.exact,
            directory,
        });
    }

    /// Tells equal identifiers apart and puts all in order.
    ///
    /// Of equal ones the first keeps its identifier, names that came through whole before
    /// those that did not; the others get numbers.
    pub(crate) fn settle(&mut self, rules: NameRules) {
        self.sort();
        let mut numbers = Numbers::default();
        loop {
            let losers: Vec<usize> = (1..self.slots.len())
                .filter(|&at| self.same(at - 1, at))
                .collect();
            if losers.is_empty() {
                break;
            }
            // Two shortened stems can meet in one identifier, so this may take another turn;
            // numbers only grow, so the turns end.
            self.number(rules, &losers, &mut numbers);
            self.sort();
        }
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The item that stands at a place of the order, and its identifier.
    pub(crate) fn get(&self, place: usize) -> (usize, &[u8]) {
        let slot = &self.slots[place];
        (slot.item as usize, slot.of(&self.bytes))
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.slots.sort_by(|a, b| {
            a.compare(b, bytes)
                .then(b.exact.cmp(&a.exact))
                .then(a.item.cmp(&b.item))
        });
    }

    fn same(&self, a: usize, b: usize) -> bool {
        self.slots[a].compare(&self.slots[b], &self.bytes).is_eq()
    }

    /// Gives each of `losers` the next number that makes an identifier nobody has yet.
    fn number(&mut self, rules: NameRules, losers: &[usize], numbers: &mut Numbers) {
        let mut numbered = Vec::with_capacity(losers.len());
        let mut identifier = Vec::new();
        for &loser in losers {
            let slot = self.slots[loser];
            let (start, len) = (slot.name_start as usize, usize::from(slot.name_len));
            let parts = self.bytes[start..start + len].split_at(usize::from(slot.stem_len));
            loop {
                identifier.clear();
                numbers.next(rules, parts, slot.directory, &mut identifier);
                if !self.holds(&identifier) {
                    break;
                }
            }
            numbered.push((self.bytes.len() as u32, identifier.len() as u8));
            self.bytes.extend_from_slice(&identifier);
        }
        for (&loser, (start, len)) in losers.iter().zip(numbered) {
            let slot = &mut self.slots[loser];
            (slot.start, slot.len) = (start, len);
            slot.prefix = prefix(slot.of(&self.bytes));
        }
    }

    /// Whether an identifier is among the sorted slots.
    fn holds(&self, identifier: &[u8]) -> bool {
        self.slots
            .binary_search_by(|slot| slot.of(&self.bytes).cmp(identifier))
            .is_ok()
    }
}

impl Slot {
    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.start as usize + usize::from(self.len)]
    }

    fn compare(&self, other: &Self, bytes: &[u8]) -> Ordering {
        self.prefix
            .cmp(&other.prefix)
            .then_with(|| self.of(bytes).cmp(other.of(bytes)))
    }
}

/// The first eight bytes, zeros after a shorter identifier. Where prefixes differ, they stand
/// in the order of the identifiers.
fn prefix(identifier: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = identifier.len().min(8);
    first[..len].copy_from_slice(&identifier[..len]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::PlainLevel;
    use super::*;

    const SHORT: NameRules = NameRules::Plain(PlainLevel::Short);
    const LONG: NameRules = NameRules::Plain(PlainLevel::Long);

    /// Identifiers in order, each with the name it stands for. Names that end with `/` are
    /// directories.
    fn settle(rules: NameRules, names: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut settled = Names::default();
        for name in names {
            let directory = name.ends_with(b"/");
            settled.push(rules, name.strip_suffix(b"/").unwrap_or(name), directory);
        }
        settled.settle(rules);
        in_order(&settled)
            .map(|(item, identifier)| (identifier.to_vec(), names[item].to_vec()))
            .collect()
    }

    /// Items and their identifiers, in order.
    fn in_order(names: &Names) -> impl Iterator<Item = (usize, &[u8])> {
        (0..names.slots.len()).map(|place| names.get(place))
    }

    fn lines(rules: NameRules, names: &[&[u8]]) -> Vec<String> {
        settle(rules, names)
            .iter()
            .map(|(identifier, name)| {
                format!("{}={}", identifier.escape_ascii(), name.escape_ascii())
            })
            .collect()
    }

    #[test]
    fn equal_identifiers_are_numbered() {
        assert_eq!(
            lines(
                SHORT,
                &[
                    b"long name 1.txt",
                    b"long name 2.txt",
                    b"long_nam.txt",
                    b"LONG_000.TXT"
                ]
            ),
            [
                "LONG_000.TXT=LONG_000.TXT",
                "LONG_001.TXT=long name 1.txt",
                "LONG_002.TXT=long name 2.txt",
                "LONG_NAM.TXT=long_nam.txt",
            ]
        );
    }

    #[test]
    fn the_name_that_fits_keeps_its_identifier() {
        assert_eq!(
            lines(LONG, &[b"A B", b"a_b", b"A_B/"]),
            ["A_B=a_b", "A_B000=A_B/", "A_B001=A B"]
        );
    }

    #[test]
    fn more_than_a_thousand_get_more_digits() {
        let names: Vec<_> = (0..1500)
            .map(|n| format!("same name {n:04}.text"))
            .collect();
        let names: Vec<_> = names.iter().map(String::as_bytes).collect();
        let settled = settle(SHORT, &names);
        assert_eq!(settled[0].0, b"SAME0000.TEX");
        assert_eq!(settled[498].0, b"SAME0498.TEX");
        assert_eq!(settled[499].0, b"SAME_000.TEX");
        assert_eq!(settled[1499].0, b"SAME_NAM.TEX");
    }

    #[test]
    fn joliet_sorts_by_code_unit() {
        let order: Vec<_> = settle(
            NameRules::Joliet(64),
            &[
                "data".as_bytes(),
                "EFI".as_bytes(),
                "Ä".as_bytes(),
                "Ā".as_bytes(),
            ],
        )
        .into_iter()
        .map(|(_, name)| String::from_utf8(name).unwrap())
        .collect();
        assert_eq!(order, ["EFI", "data", "Ä", "Ā"]);
    }

    /// ECMA-119 9.3, word by word: stems filled up with spaces, then extensions.
    fn padded_order(a: &[u8], b: &[u8]) -> Ordering {
        let parts = |id: &[u8]| {
            let dot = id.iter().position(|&byte| byte == b'.').unwrap_or(id.len());
            let fill = |part: &[u8]| {
                let mut filled = [b' '; 31];
                filled[..part.len()].copy_from_slice(part);
                filled
            };
            (fill(&id[..dot]), fill(id.get(dot + 1..).unwrap_or(b"")))
        };
        parts(a).cmp(&parts(b))
    }

    fn names() -> impl Strategy<Value = Vec<Vec<u8>>> {
        // Few characters and lengths around the limits, so that identifiers meet.
        let name = prop::collection::vec(prop::sample::select(b"aAb0 .\xc3\xa9".to_vec()), 1..14);
        let long = (name.clone(), 0usize..40).prop_map(|(mut name, more)| {
            name.extend(std::iter::repeat_n(b'x', more));
            name
        });
        prop::collection::vec(long, 0..60)
    }

    proptest! {
        #[test]
        fn identifiers_are_unique_and_in_order(names in names(), folders in any::<u64>()) {
            for rules in [SHORT, LONG, NameRules::Enhanced, NameRules::Joliet(64)] {
                let mut settled = Names::default();
                for (index, name) in names.iter().enumerate() {
                    settled.push(rules, name, folders >> (index % 64) & 1 == 1);
                }
                settled.settle(rules);
                let all: Vec<_> = in_order(&settled).map(|(_, identifier)| identifier).collect();
                let mut items: Vec<_> = in_order(&settled).map(|(item, _)| item).collect();
                items.sort_unstable();
                prop_assert!(items.into_iter().eq(0..names.len()));
                for pair in all.windows(2) {
                    prop_assert!(pair[0] < pair[1]);
                    if matches!(rules, NameRules::Plain(_)) {
                        prop_assert!(padded_order(pair[0], pair[1]).is_lt());
                    }
                }
            }
        }
    }
}
