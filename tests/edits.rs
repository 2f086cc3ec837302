//! Edits of a difficult tree, in rounds: what a person does to a folder between two discs.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::difficult_tree::set_modified;

/// How many rounds of edits there are.
pub const ROUNDS: u32 = 3;

/// Makes the edits of `round`, counted from one, in a tree made by
/// [`DifficultTree`](crate::DifficultTree). Each round needs the ones before it.
pub fn edit(folder: &Path, round: u32) -> io::Result<()> {
    let edit = Edit {
        folder,
        seconds: 1_800_000_000 + u64::from(round) * 1000,
    };
    match round {
        1 => edit.change_and_add(),
        2 => edit.remove_and_rename(),
        3 => edit.restructure(),
        _ => Ok(()),
    }
}

struct Edit<'a> {
    folder: &'a Path,
    /// The time that everything touched in this round gets.
    seconds: u64,
}

impl Edit<'_> {
    fn write(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let path = self.folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
        self.touch(&path)
    }

    fn touch(&self, path: &Path) -> io::Result<()> {
        set_modified(path, self.seconds, 987_654_321)
    }

    /// Same size, larger, smaller; new files, folders and links.
    fn change_and_add(&self) -> io::Result<()> {
        self.write("sizes/2048", &[0xA5; 2048])?;
        self.write("sizes/2049", &vec![0x5A; 70_000])?;
        self.write("sizes/65537", b"short now")?;
        self.write("sizes/0", b"no longer empty")?;
        let mut grown = File::options()
            .append(true)
            .open(self.folder.join("deep/level 01/at level 1"))?;
        grown.write_all(&[7; 5000])?;
        self.touch(&self.folder.join("deep/level 01/at level 1"))?;
        self.write("added/new file", b"new")?;
        self.write(
            "added/one/two/three/four/five/six/seven/eight/nine/deep and new",
            b"deep",
        )?;
        self.write(&format!("added/{}", "ł".repeat(127)), b"a long name")?;
        for number in 0..50 {
            self.write(
                &format!("crowd/added {number}"),
                format!("{number}").as_bytes(),
            )?;
        }
        symlink("../sizes/1", self.folder.join("added/link"))?;
        fs::hard_link(
            self.folder.join("hard links/copy"),
            self.folder.join("added/hard link"),
        )
    }

    /// Files, links and whole folders go or get another name; metadata alone changes.
    fn remove_and_rename(&self) -> io::Result<()> {
        for number in (0..300).step_by(3) {
            fs::remove_file(self.folder.join(format!("crowd/{number}")))?;
        }
        fs::remove_file(self.folder.join("hard links/second"))?;
        fs::remove_file(self.folder.join("links/dangling"))?;
        fs::remove_dir_all(self.folder.join("deep/siblings/b/c/d/e/f/7"))?;
        fs::rename(
            self.folder.join("sizes/4096"),
            self.folder.join("sizes/four thousand"),
        )?;
        fs::rename(
            self.folder.join("scripts"),
            self.folder.join("renamed scripts"),
        )?;
        fs::rename(
            self.folder.join("collisions/readme"),
            self.folder.join("collisions/rEADME"),
        )?;
        fs::set_permissions(self.folder.join("sizes/1"), Permissions::from_mode(0o751))?;
        self.touch(&self.folder.join("sizes/2047"))
    }

    /// Kinds change, deep folders move, and freed space is wanted again.
    fn restructure(&self) -> io::Result<()> {
        let deep = self.folder.join("deep/level 01/level 02/level 03");
        fs::rename(&deep, self.folder.join("moved up"))?;
        fs::rename(
            self.folder.join("times"),
            self.folder.join("deep/level 01/level 02/times"),
        )?;
        fs::remove_file(self.folder.join("links/relative"))?;
        self.write("links/relative", b"a file where a link was")?;
        fs::remove_file(self.folder.join("sizes/1"))?;
        self.write("sizes/1/now", b"a folder where a file was")?;
        fs::remove_file(self.folder.join("links/up"))?;
        symlink("../sizes/four thousand", self.folder.join("links/up"))?;
        fs::remove_dir_all(self.folder.join("added"))?;
        self.write("sizes/2049", &vec![0x11; 300_000])?;
        for number in 0..200 {
            self.write(&format!("many/{}/{number}", number % 7), &[1; 3000])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DifficultTree, Walk, compare};

    #[test]
    fn every_round_changes_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        let tree = DifficultTree {
            crowd: 300,
            ..DifficultTree::default()
        };
        tree.make(dir.path()).unwrap();
        let mut before = Walk::of(dir.path()).unwrap();
        for round in 1..=ROUNDS {
            edit(dir.path(), round).unwrap();
            let after = Walk::of(dir.path()).unwrap();
            assert!(
                compare(&before, &after, &[]).differences.len() > 20,
                "round {round}"
            );
            before = after;
        }
    }
}
