//! What a reader says of a disc, and what two discs that it could be hold.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use reburn_tests::{Kind, Walk};

use crate::judges::evidence::{failed, walk};

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// The Linux kernel, mounting read-only.
    Kernel,
    /// libblkid, by which desktops find out what to mount.
    Blkid,
    /// 7-Zip, extracting everything.
    SevenZip,
    /// The reader of this workspace.
    Own,
}

impl Reader {
    pub const ALL: [Self; 4] = [Self::Kernel, Self::Blkid, Self::SevenZip, Self::Own];
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kernel => "kernel",
            Self::Blkid => "libblkid",
            Self::SevenZip => "7-Zip",
            Self::Own => "reburn",
        })
    }
}

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All of the tree before the change, and nothing else.
    Old,
    /// All of the tree after it.
    New,
    /// The volume by its type and name, which both trees have.
    Known,
    /// The volume by its type, without a name.
    Unnamed,
    /// An error, or no volume: the reader promises nothing.
    Refused(String),
    /// What is neither of the two trees, without an error.
    Other(String),
}

impl Answer {
    /// A word for tables.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Known => "known",
            Self::Unnamed => "unnamed",
            Self::Refused(_) => "refused",
            Self::Other(_) => "other",
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Refused(why) | Self::Other(why) => write!(f, " ({why})"),
            _ => Ok(()),
        }
    }
}

/// The two trees that a disc may hold.
#[derive(Debug, Clone)]
pub struct Trees {
    old: Contents,
    new: Contents,
}

/// Kind, size, time of a file, and digest, by path.
type Contents = BTreeMap<Vec<u8>, (Kind, u64, i64, Vec<u8>)>;

impl Trees {
    /// The trees of two folders of the host.
    pub fn of(old: &Path, new: &Path) -> Result<Self, String> {
        let contents = |folder| walk(folder).map(|walk| contents(&walk));
        Ok(Self {
            old: contents(old)?,
            new: contents(new)?,
        })
    }

    /// What a reader says that shows this.
    pub fn judge(&self, seen: &Walk) -> Answer {
        let unreadable = |(_, entry): &(_, &reburn_tests::Entry)| entry.kind == Kind::Unreadable;
        if let Some((path, entry)) = seen.entries.iter().find(unreadable) {
            let path = String::from_utf8_lossy(path);
            let why = String::from_utf8_lossy(&entry.target);
            return Answer::Refused(format!("{path}: {why}"));
        }
        let seen = contents(seen);
        if seen == self.old {
            return Answer::Old;
        }
        if seen == self.new {
            return Answer::New;
        }
        let differs = |tree: &Contents| {
            let paths = tree.keys().chain(seen.keys());
            let mut odd = paths.filter(|path| tree.get(*path) != seen.get(*path));
            let path = odd.next().map_or(&b""[..], |path| path);
            String::from_utf8_lossy(path).into_owned()
        };
        let (old, new) = (differs(&self.old), differs(&self.new));
        Answer::Other(format!("not old for `{old}`, not new for `{new}`"))
    }
}

fn contents(walk: &Walk) -> Contents {
    let entries = walk.entries.iter().filter(|(path, _)| *path != b".");
    entries
        .map(|(path, entry)| {
            // Extraction changes the times of folders.
            let time = match entry.kind {
                Kind::File => entry.modified_s,
                _ => 0,
            };
            let content = (entry.kind, entry.size, time, entry.digest.clone());
            (path.clone(), content)
        })
        .collect()
}

/// The answer of a kernel, from the listing of its walk or what `mount` said instead.
pub fn of_kernel(trees: &Trees, listing: &Path, errors: &Path) -> Result<Answer, String> {
    let Ok(text) = fs::read_to_string(listing) else {
        return Ok(Answer::Refused(first_line(errors)?));
    };
    Ok(match Walk::parse(&text) {
        Ok(walk) => trees.judge(&walk),
        Err(line) => Answer::Other(format!("an odd line: {line}")),
    })
}

/// The answer of libblkid, from what `blkid -o export` printed and its exit code.
pub fn of_blkid(expected: (&str, &str), printed: &Path, code: &Path) -> Result<Answer, String> {
    let text = fs::read_to_string(printed).map_err(failed(printed))?;
    let fact = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default()
    };
    let seen = (fact("TYPE="), fact("LABEL="));
    Ok(match first_line(code)?.as_str() {
        "0" if seen == expected => Answer::Known,
        "0" if seen == (expected.0, "") => Answer::Unnamed,
        "0" => Answer::Other(format!("type and label are {seen:?}")),
        "2" if text.is_empty() => Answer::Refused("no volume".into()),
        code => Answer::Refused(format!("ended with {code}")),
    })
}

/// The answer of 7-Zip, from the folder that it extracted into, what it said, and its exit code.
pub fn of_seven_zip(
    trees: &Trees,
    folder: &Path,
    said: &Path,
    code: &Path,
) -> Result<Answer, String> {
    if first_line(code)? == "0" && folder.exists() {
        return Ok(trees.judge(&walk(folder)?));
    }
    let text = fs::read_to_string(said).map_err(failed(said))?;
    let mut lines = text
        .lines()
        .filter(|line| line.contains("ERROR") || line.contains("rror:"));
    let why = lines.next().unwrap_or("no reason given");
    Ok(Answer::Refused(why.to_owned()))
}

/// The first line of a small file.
fn first_line(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(failed(path))?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        }
        folder
    }

    use std::fs::File;

    #[test]
    fn a_mixture_is_neither_tree() {
        let (old, new) = (
            folder(&[("a", "1"), ("b", "1")]),
            folder(&[("a", "2"), ("b", "2")]),
        );
        let trees = Trees::of(old.path(), new.path()).unwrap();
        assert_eq!(trees.judge(&walk(old.path()).unwrap()), Answer::Old);
        assert_eq!(trees.judge(&walk(new.path()).unwrap()), Answer::New);
        let mixed = folder(&[("a", "1"), ("b", "2")]);
        let answer = trees.judge(&walk(mixed.path()).unwrap());
        assert_eq!(
            answer.to_string(),
            "other (not old for `b`, not new for `a`)"
        );
        let fewer = folder(&[("a", "1")]);
        assert_eq!(trees.judge(&walk(fewer.path()).unwrap()).word(), "other");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let old = folder(&[("a", "1")]);
        let trees = Trees::of(old.path(), old.path()).unwrap();
        let mut seen = walk(old.path()).unwrap();
        seen.entries.get_mut(&b"a"[..]).unwrap().kind = Kind::Unreadable;
        assert_eq!(trees.judge(&seen).word(), "refused");
    }

    #[test]
    fn libblkid_must_find_type_and_name() {
        let facts = folder(&[
            ("printed", "TYPE=udf\nLABEL=CRASH\n"),
            ("code", "0\n"),
            ("no", ""),
        ]);
        let at = |name| facts.path().join(name);
        let ask = |expected| of_blkid(expected, &at("printed"), &at("code")).unwrap();
        assert_eq!(ask(("udf", "CRASH")), Answer::Known);
        assert_eq!(ask(("udf", "OTHER")).word(), "other");
        fs::write(at("code"), "2\n").unwrap();
        let none = of_blkid(("udf", "CRASH"), &at("no"), &at("code")).unwrap();
        assert_eq!(none, Answer::Refused("no volume".into()));
    }
}
