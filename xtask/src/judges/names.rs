//! Which names a poorer file system carries unchanged, and which became of which.

use std::collections::BTreeMap;

use reburn_tests::{Entry, Kind, Walk};

/// Whether every part of a path satisfies `carries`.
pub fn all_parts(path: &[u8], carries: impl Fn(&[u8]) -> bool) -> bool {
    path.split(|byte| *byte == b'/').all(carries)
}

/// Whether Joliet carries a name of at most `limit` UCS-2 characters as it is.
///
/// Microsoft's Joliet specification, section "Joliet recursion of directory names": UCS-2,
/// without control characters and `* / : ; ? \`.
pub fn joliet_carries(name: &[u8], limit: usize) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let allowed = |c: char| {
        u32::from(c) < 0x1_0000 && !c.is_control() && !"*/:;?\\".contains(c) && c != '\u{feff}'
    };
    name.chars().count() <= limit && name.chars().all(allowed)
}

/// Whether a program that also wants to please Windows keeps a name as it is: no dots or
/// spaces at either end, nothing that a shell there would trip over, no two names that only
/// the end tells apart.
pub fn survives_windows(name: &[u8]) -> bool {
    let odd = |byte: &u8| byte.is_ascii_control() || b"\"*/:;<>?\\|".contains(byte);
    name == b"."
        || !(name.iter().any(odd) || name.ends_with(b".") || name.ends_with(b" ") || name == b" ")
}

/// Bytes that a name takes in UDF, its compression id included: one a character, or two where
/// one does not reach (UDF 2.1.1).
pub fn udf_name_bytes(name: &str) -> usize {
    1 + if name.chars().all(|c| c <= '\u{ff}') {
        name.chars().count()
    } else {
        2 * name.encode_utf16().count()
    }
}

/// Whether UDF carries a name as it is: text of at most 255 bytes with its compression id, in
/// one byte a character or two, without the two byte order marks (UDF 2.1.1, 2.3.4.7).
pub fn udf_carries(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    udf_name_bytes(name) <= 255 && !name.contains(['\u{feff}', '\u{fffe}'])
}

/// Gives names that had to be translated, as `carries` says, back what they were: what stands
/// in the same folder, is of the same kind, size, time and content, and has no other name.
/// Returns how many.
pub fn restore_translated(expected: &Walk, seen: &mut Walk, carries: fn(&[u8]) -> bool) -> usize {
    let mut restored = Walk::default();
    // Folders by what they are called in the volume, and by their own names.
    let mut folders: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut taken = std::collections::BTreeSet::new();
    let mut count = 0;
    for (path, entry) in &seen.entries {
        let name = last_part(path);
        let folder = &path[..(path.len() - name.len()).saturating_sub(1)];
        let folder = folders.get(folder).cloned().unwrap_or(folder.to_vec());
        let mut whole = below(&folder, name);
        if !expected.entries.contains_key(&whole) {
            let origin = origins(expected, &folder, entry)
                .find(|origin| !taken.contains(*origin) && !carries(last_part(origin)));
            if let Some(origin) = origin {
                taken.insert(origin);
                whole.clone_from(origin);
                count += 1;
            }
        }
        if entry.kind == Kind::Directory {
            folders.insert(path.clone(), whole.clone());
        }
        restored.entries.insert(whole, entry.clone());
    }
    *seen = restored;
    count
}

fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() {
        name.to_vec()
    } else {
        [folder, name].join(&b'/')
    }
}

fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// What in `folder` is like `entry` but for its name.
fn origins<'a>(
    expected: &'a Walk,
    folder: &[u8],
    entry: &Entry,
) -> impl Iterator<Item = &'a Vec<u8>> {
    let (prefix, entry) = (below(folder, b""), entry.clone());
    let inside = expected.entries.range(prefix.clone()..);
    inside
        .take_while({
            let prefix = prefix.clone();
            move |(path, _)| path.starts_with(&prefix)
        })
        .filter(move |(path, other)| {
            let name = &path[prefix.len()..];
            let alike = |one: &Entry| (one.kind, one.size, one.modified_s);
            !name.contains(&b'/')
                && alike(other) == alike(&entry)
                && (&other.digest, &other.target) == (&entry.digest, &entry.target)
        })
        .map(|(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn udf_counts_bytes() {
        assert!(udf_carries("x".repeat(254).as_bytes()));
        assert!(!udf_carries("x".repeat(255).as_bytes()));
        assert!(udf_carries("\u{fc}".repeat(254).as_bytes()));
        assert!(udf_carries("\u{20ac}".repeat(127).as_bytes()));
        assert!(!udf_carries("\u{20ac}".repeat(128).as_bytes()));
        assert!(!udf_carries("\u{1f600}".repeat(64).as_bytes()));
        assert!(!udf_carries(b"\xff") && !udf_carries("a\u{feff}".as_bytes()));
    }

    #[test]
    fn translated_names_are_found_by_what_they_stand_for() {
        let long = "x".repeat(255);
        let walk = |folder: &str, names: [&str; 3]| {
            let text = format!(
                "folder 0755 0 0 7 1 0 - {folder}\nfile 0644 0 0 1 1 3 aa {folder}/{}\n\
                 file 0644 0 0 1 1 3 ab {folder}/{}\nfile 0644 0 0 1 1 3 ac {folder}/{}\n",
                names[0], names[1], names[2]
            );
            Walk::parse(&text).unwrap()
        };
        let other = "y".repeat(255);
        let expected = walk(&long, [&long, &other, "short"]);
        let mut seen = walk("x#1", ["x#2", "x#3", "short"]);
        assert_eq!(restore_translated(&expected, &mut seen, udf_carries), 3);
        assert_eq!(seen, expected);
        // What can be recorded as it is must not come back as something else.
        let mut seen = walk(&long, [&long, &other, "other"]);
        assert_eq!(restore_translated(&expected, &mut seen, udf_carries), 0);
    }

    #[test]
    fn joliet_counts_characters_and_refuses_some() {
        assert!(joliet_carries("é".repeat(64).as_bytes(), 64));
        assert!(!joliet_carries("é".repeat(65).as_bytes(), 64));
        for name in ["a;1", "a*", "a\u{7}", "💿"] {
            assert!(!joliet_carries(name.as_bytes(), 64), "{name:?}");
        }
        assert!(!joliet_carries(b"\xff", 64));
    }

    #[test]
    fn windows_takes_dots_and_spaces_inside_only() {
        assert!(survives_windows(b"a. b") && survives_windows(b".") && survives_windows(b".a"));
        assert!(!survives_windows(b"a.") && !survives_windows(b"a ") && !survives_windows(b"a:b"));
    }
}
