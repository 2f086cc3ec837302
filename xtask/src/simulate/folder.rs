//! Seeded folders on the host, and seeded changes to them.
//!
//! Invariants: the same seed gives the same names, content and times; every change gets a later
//! time than anything before it, so that it is seen.

use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::scenario::Edit;

/// When everything in a new folder was last modified.
const FIRST_SECOND: u64 = 1_500_000_000;
/// Files in a new folder.
const FILES: usize = 60;

/// A folder that a seed makes and changes.
#[derive(Debug)]
pub struct SeededFolder {
    path: PathBuf,
    random: ChaCha8Rng,
    /// The time of the next change.
    second: u64,
    /// Names handed out so far.
    names: u32,
}

impl SeededFolder {
    /// A folder that exists already, to be changed.
    pub fn adopt(path: PathBuf, seed: u64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        // After any file that is there.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            path,
            random,
            second: now.map_or(FIRST_SECOND, |d| d.as_secs()) + 60,
            names: 0,
        }
    }

    /// Makes a new folder with files and folders in it.
    pub fn make(path: PathBuf, seed: u64) -> io::Result<Self> {
        fs::create_dir(&path)?;
        let random = ChaCha8Rng::seed_from_u64(seed);
        let mut folder = Self {
            path,
            random,
            second: FIRST_SECOND,
            names: 0,
        };
        let mut folders = vec![folder.path.clone()];
        for _ in 0..FILES {
            let parent = folders[folder.random.random_range(0..folders.len())].clone();
            if folder.random.random_ratio(1, 5) {
                let name = folder.name();
                fs::create_dir(parent.join(&name))?;
                folders.push(parent.join(name));
            } else {
                folder.add_file(&parent)?;
            }
        }
        for path in folders {
            touch(&path, FIRST_SECOND)?;
        }
        Ok(folder)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes `count` changes of a kind.
    pub fn change(&mut self, edit: Edit, count: usize) -> io::Result<()> {
        for _ in 0..count {
            self.second += 1;
            let kind = match edit {
                Edit::Mixed => Edit::SINGLE[self.random.random_range(0..Edit::SINGLE.len())],
                other => other,
            };
            self.change_one(kind)?;
        }
        Ok(())
    }

    fn change_one(&mut self, edit: Edit) -> io::Result<()> {
        match edit {
            Edit::Content => self.rewrite(|_, len| len),
            Edit::Growth => self.rewrite(|random, len| len + random.random_range(1..100_000)),
            Edit::Shrinking => self.rewrite(|random, len| random.random_range(0..=len / 2)),
            Edit::Addition => {
                let parent = self.pick(fs::FileType::is_dir)?;
                if self.random.random_ratio(1, 4) {
                    let new = parent.join(self.name());
                    fs::create_dir(&new)?;
                    self.add_file(&new)?;
                    return touch(&new, self.second);
                }
                self.add_file(&parent)
            }
            Edit::Removal => {
                // Mostly files: a folder near the root would take everything with it.
                let whole_folder = self.random.random_ratio(1, 8);
                let victim = self.pick(|found| found.is_dir() == whole_folder)?;
                match (victim == self.path, whole_folder) {
                    (true, _) => Ok(()),
                    (false, true) => fs::remove_dir_all(victim),
                    (false, false) => fs::remove_file(victim),
                }
            }
            Edit::Rename => {
                let moved = self.pick(|_| true)?;
                let parent = self.pick(fs::FileType::is_dir)?;
                if moved == self.path || parent.starts_with(&moved) {
                    return Ok(());
                }
                fs::rename(moved, parent.join(self.name()))
            }
            Edit::Nothing | Edit::Mixed => Ok(()),
        }
    }

    /// Gives a file new content, as long as `len` says.
    fn rewrite(&mut self, len: impl Fn(&mut ChaCha8Rng, usize) -> usize) -> io::Result<()> {
        let path = self.pick(fs::FileType::is_file)?;
        if path == self.path {
            return Ok(()); // no file is left
        }
        let old = usize::try_from(fs::metadata(&path)?.len()).unwrap_or(0);
        let len = len(&mut self.random, old);
        self.write(&path, len)
    }

    fn add_file(&mut self, parent: &Path) -> io::Result<()> {
        // Sizes around block boundaries, and some larger ones.
        let len = match self.random.random_range(0..6) {
            0 => 0,
            1 => 2048 * self.random.random_range(1..4),
            2 => 2048 * self.random.random_range(1..4) + 1,
            3 => self.random.random_range(1..2048),
            4 => self.random.random_range(2048..100_000),
            _ => self.random.random_range(1..10_000),
        };
        let path = parent.join(self.name());
        self.write(&path, len)
    }

    fn write(&mut self, path: &Path, len: usize) -> io::Result<()> {
        let mut content = vec![0; len];
        self.random.fill_bytes(&mut content);
        File::create(path)?.write_all(&content)?;
        touch(path, self.second)
    }

    /// A name that nothing has yet, some of them long or not Latin.
    fn name(&mut self) -> String {
        self.names += 1;
        let number = self.names;
        match self.random.random_range(0..5) {
            0 => format!("a rather long name with blanks in it, number {number}.tar.gz"),
            1 => format!("имя-{number}.txt"),
            2 => format!("{}{number}", "long".repeat(40)),
            3 => format!("file{number}.TXT"),
            _ => format!("n{number}"),
        }
    }

    /// Something below the folder that is of the wanted type, or the folder itself.
    fn pick(&mut self, wanted: impl Fn(&fs::FileType) -> bool) -> io::Result<PathBuf> {
        let mut found = vec![self.path.clone()];
        let mut pending = vec![self.path.clone()];
        while let Some(folder) = pending.pop() {
            let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
            entries.sort_by_key(fs::DirEntry::file_name);
            for entry in entries {
                let file_type = entry.file_type()?;
                if file_type.is_dir() {
                    pending.push(entry.path());
                }
                if wanted(&file_type) {
                    found.push(entry.path());
                }
            }
        }
        let first = usize::from(found.len() > 1 && !wanted(&fs::metadata(&self.path)?.file_type()));
        Ok(found.swap_remove(self.random.random_range(first..found.len())))
    }
}

fn touch(path: &Path, second: u64) -> io::Result<()> {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    File::open(path)?.set_times(FileTimes::new().set_modified(time))
}
