//! What differs between two walks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::text::{escape, hex};
use crate::walk::{Entry, Kind, Walk};

/// What can differ between two entries of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The name is not there.
    Missing,
    /// The name should not be there.
    Unexpected,
    /// File, folder, link...
    Kind,
    /// The size of a file.
    Size,
    /// The bytes of a file.
    Content,
    /// Where a link points, or a device's numbers.
    Target,
    /// Permissions.
    Mode,
    /// Owner or group.
    Owner,
    /// Modification time, in seconds.
    Time,
    /// The count of names.
    Links,
}

/// One difference between what was expected and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The path, relative to the top.
    pub path: Vec<u8>,
    /// In what the two differ.
    pub aspect: Aspect,
    /// The entry that was expected; `None` for a name that should not be there.
    pub expected: Option<Entry>,
    /// The entry that was seen; `None` for a missing name.
    pub seen: Option<Entry>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = shortened(&escape(&self.path));
        let show = |entry: &Option<Entry>, show: &dyn Fn(&Entry) -> String| {
            entry.as_ref().map_or("nothing".to_owned(), show)
        };
        let both = |what: &str, aspect: &dyn Fn(&Entry) -> String| {
            let (seen, expected) = (show(&self.seen, aspect), show(&self.expected, aspect));
            format!("{path}: {what} {seen}, expected {expected}")
        };
        let text = match self.aspect {
            Aspect::Missing => format!(
                "{path}: {} missing",
                show(&self.expected, &|e| e.kind.to_string())
            ),
            Aspect::Unexpected => format!(
                "{path}: unexpected {}",
                show(&self.seen, &|e| e.kind.to_string())
            ),
            Aspect::Kind => both("is", &|entry| match entry.kind {
                Kind::Unreadable => {
                    format!("unreadable ({})", String::from_utf8_lossy(&entry.target))
                }
                kind => kind.to_string(),
            }),
            Aspect::Size => both("size", &|entry| entry.size.to_string()),
            Aspect::Content => both("content", &|entry| hex(&entry.digest)[..16].to_owned()),
            Aspect::Target => both("target", &|entry| shortened(&escape(&entry.target))),
            Aspect::Mode => both("mode", &|entry| format!("{:04o}", entry.mode)),
            Aspect::Owner => both("owner", &|entry| format!("{}:{}", entry.uid, entry.gid)),
            Aspect::Time => both("time", &|entry| entry.modified_s.to_string()),
            Aspect::Links => both("links", &|entry| entry.links.to_string()),
        };
        f.write_str(&text)
    }
}

/// A long word with its middle left out, and its length in characters instead.
fn shortened(word: &str) -> String {
    let chars: Vec<char> = word.chars().collect();
    if chars.len() <= 160 {
        return word.to_owned();
    }
    let part = |chars: &[char]| chars.iter().collect::<String>();
    let (head, tail) = (part(&chars[..60]), part(&chars[chars.len() - 60..]));
    format!("{head}...({} characters)...{tail}", chars.len())
}

/// Something that a reader is known not to give back, with the reason.
#[derive(Clone, Copy)]
pub struct Tolerance {
    /// A few words that name it.
    pub name: &'static str,
    /// Why the difference is no fault of what was written.
    pub because: &'static str,
    /// Whether a difference is one of this kind.
    pub forgives: fn(&Difference) -> bool,
}

/// The outcome of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    /// How many entries were compared.
    pub compared: usize,
    /// What differs, in the order of paths.
    pub differences: Vec<Difference>,
    /// How many differences each tolerance forgave.
    pub forgiven: BTreeMap<&'static str, usize>,
}

impl Comparison {
    fn add(&mut self, difference: Difference, tolerances: &[Tolerance]) {
        match tolerances
            .iter()
            .find(|tolerance| (tolerance.forgives)(&difference))
        {
            Some(tolerance) => *self.forgiven.entry(tolerance.name).or_default() += 1,
            None => self.differences.push(difference),
        }
    }
}

/// Says how many entries were compared, what was forgiven, and the first twenty differences.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries", self.compared)?;
        if !self.differences.is_empty() {
            write!(f, ", {} differences", self.differences.len())?;
        }
        for (name, count) in &self.forgiven {
            write!(f, ", {count} forgiven ({name})")?;
        }
        for difference in self.differences.iter().take(20) {
            write!(f, "\n  {difference}")?;
        }
        if self.differences.len() > 20 {
            write!(f, "\n  ... and {} more", self.differences.len() - 20)?;
        }
        Ok(())
    }
}

/// Compares every name, and everything about it.
pub fn compare(expected: &Walk, seen: &Walk, tolerances: &[Tolerance]) -> Comparison {
    let mut comparison = Comparison::default();
    let paths: BTreeSet<_> = expected.entries.keys().chain(seen.entries.keys()).collect();
    for path in paths {
        comparison.compared += 1;
        let (expected, seen) = (expected.entries.get(path), seen.entries.get(path));
        for aspect in differing_aspects(expected, seen) {
            let difference = Difference {
                path: path.clone(),
                aspect,
                expected: expected.cloned(),
                seen: seen.cloned(),
            };
            comparison.add(difference, tolerances);
        }
    }
    comparison
}

fn differing_aspects(expected: Option<&Entry>, seen: Option<&Entry>) -> Vec<Aspect> {
    let (expected, seen) = match (expected, seen) {
        (Some(expected), Some(seen)) => (expected, seen),
        (Some(_), None) => return vec![Aspect::Missing],
        (None, _) => return vec![Aspect::Unexpected],
    };
    if expected.kind != seen.kind {
        return vec![Aspect::Kind];
    }
    let checks = [
        (Aspect::Size, expected.size == seen.size),
        (
            Aspect::Content,
            expected.digest == seen.digest || expected.size != seen.size,
        ),
        (Aspect::Target, expected.target == seen.target),
        (Aspect::Mode, expected.mode == seen.mode),
        (
            Aspect::Owner,
            (expected.uid, expected.gid) == (seen.uid, seen.gid),
        ),
        (Aspect::Time, expected.modified_s == seen.modified_s),
        (Aspect::Links, expected.links == seen.links),
    ];
    checks
        .into_iter()
        .filter(|(_, equal)| !equal)
        .map(|(aspect, _)| aspect)
        .collect()
}

/// Compares what a file system with poorer names must still carry: the content of every
/// file, under whatever name, and under its own path where `carries` says that the path can
/// be written unchanged.
///
/// Empty files and everything that is neither file nor folder are left out.
pub fn compare_contents(
    expected: &Walk,
    seen: &Walk,
    carries: &dyn Fn(&[u8]) -> bool,
    tolerances: &[Tolerance],
) -> Comparison {
    let mut comparison = Comparison::default();
    for (path, entry) in &expected.entries {
        let plain = matches!(entry.kind, Kind::File | Kind::Directory);
        if !plain || !carries(path) {
            continue;
        }
        comparison.compared += 1;
        let found = seen.entries.get(path);
        for aspect in differing_aspects(Some(entry), found) {
            if matches!(aspect, Aspect::Mode | Aspect::Owner | Aspect::Links) {
                continue;
            }
            let expected = Some(entry.clone());
            let difference = Difference {
                path: path.clone(),
                aspect,
                expected,
                seen: found.cloned(),
            };
            comparison.add(difference, tolerances);
        }
    }
    let (mut missing, mut extra) = (contents(expected), contents(seen));
    for (content, paths) in &mut missing {
        if let Some(others) = extra.get_mut(content) {
            let common = paths.len().min(others.len());
            comparison.compared += common;
            paths.drain(..common);
            others.drain(..common);
        }
    }
    let lost = missing
        .into_values()
        .flatten()
        .map(|path| (path, Aspect::Missing));
    let strange = extra
        .into_values()
        .flatten()
        .map(|path| (path, Aspect::Unexpected));
    for (path, aspect) in lost.chain(strange) {
        let (walk, other) = (expected.entries.get(path), seen.entries.get(path));
        let difference = match aspect {
            Aspect::Missing => (walk.cloned(), None),
            _ => (None, other.cloned()),
        };
        let (expected, seen) = difference;
        comparison.add(
            Difference {
                path: path.to_vec(),
                aspect,
                expected,
                seen,
            },
            tolerances,
        );
    }
    comparison
}

/// The names under which each content stands.
fn contents(walk: &Walk) -> BTreeMap<(u64, &[u8]), Vec<&[u8]>> {
    let mut contents = BTreeMap::<_, Vec<_>>::new();
    for (path, entry) in &walk.entries {
        if entry.kind == Kind::File && entry.size > 0 {
            let content = (entry.size, entry.digest.as_slice());
            contents.entry(content).or_default().push(path.as_slice());
        }
    }
    contents
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: u8) -> Entry {
        Entry {
            kind: Kind::File,
            size: 3,
            mode: 0o644,
            uid: 0,
            gid: 0,
            modified_s: 7,
            links: 1,
            digest: vec![content; 32],
            target: Vec::new(),
        }
    }

    fn walk(entries: &[(&str, Entry)]) -> Walk {
        let entries = entries
            .iter()
            .map(|(path, entry)| (path.as_bytes().to_vec(), entry.clone()));
        Walk {
            entries: entries.collect(),
        }
    }

    #[test]
    fn every_aspect_is_seen() {
        let folder = Entry {
            kind: Kind::Directory,
            size: 0,
            digest: Vec::new(),
            ..file(0)
        };
        let link = |target: &str| Entry {
            kind: Kind::Symlink,
            size: 0,
            digest: Vec::new(),
            target: target.into(),
            ..file(0)
        };
        let expected = walk(&[
            ("a", file(1)),
            ("b", file(2)),
            ("c", folder),
            ("l", link("x")),
        ]);
        assert_eq!(compare(&expected, &expected, &[]).to_string(), "4 entries");

        let other = Entry {
            mode: 0o600,
            uid: 5,
            modified_s: 8,
            links: 2,
            ..file(9)
        };
        let longer = Entry { size: 4, ..file(9) };
        let seen = walk(&[
            ("a", other),
            ("b", longer),
            ("c", file(3)),
            ("d", file(4)),
            ("l", link("y")),
        ]);
        assert_eq!(
            compare(&expected, &seen, &[]).to_string(),
            "5 entries, 9 differences\n  \
             a: content 0909090909090909, expected 0101010101010101\n  \
             a: mode 0600, expected 0644\n  \
             a: owner 5:0, expected 0:0\n  \
             a: time 8, expected 7\n  \
             a: links 2, expected 1\n  \
             b: size 4, expected 3\n  \
             c: is file, expected folder\n  \
             d: unexpected file\n  \
             l: target y, expected x"
        );
    }

    #[test]
    fn tolerances_forgive_what_they_name_and_no_more() {
        let expected = walk(&[("a", file(1)), ("b", file(2))]);
        let seen = walk(&[(
            "a",
            Entry {
                links: 3,
                mode: 0,
                ..file(1)
            },
        )]);
        let tolerance = Tolerance {
            name: "links",
            because: "the reader counts them otherwise",
            forgives: |difference| difference.aspect == Aspect::Links,
        };
        assert_eq!(
            compare(&expected, &seen, &[tolerance]).to_string(),
            "2 entries, 2 differences, 1 forgiven (links)\n  \
             a: mode 0000, expected 0644\n  \
             b: file missing"
        );
    }

    #[test]
    fn contents_are_found_under_other_names() {
        let short = |path: &[u8]| path.len() <= 4;
        let expected = walk(&[
            ("abcd", file(1)),
            ("longer name", file(2)),
            ("other name", file(2)),
        ]);
        let seen = walk(&[("abcd", file(1)), ("long~1", file(2)), ("long~2", file(2))]);
        assert!(
            compare_contents(&expected, &seen, &short, &[])
                .differences
                .is_empty()
        );

        let seen = walk(&[("abce", file(1)), ("long~1", file(2)), ("long~2", file(3))]);
        assert_eq!(
            compare_contents(&expected, &seen, &short, &[]).to_string(),
            "3 entries, 3 differences\n  \
             abcd: file missing\n  \
             other%20name: file missing\n  \
             long~2: unexpected file"
        );
    }
}
