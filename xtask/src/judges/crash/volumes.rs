//! Volumes with a change that is recorded, or could be: on media, for every protocol.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use reburn_blocks::{BlockCount, BlockRead, BlockWrite, ImageFile, Lba, Plan};
use reburn_image::{
    FileSystemImage, FileSystems, HostOptions, ImportOptions, Medium, ResultImage, View,
};
use reburn_tree::Timestamp;

use super::answer::Trees;
use crate::judges::evidence::failed;
use crate::simulate::scenario::Format;

/// What the volumes are called.
pub const LABEL: &str = "CRASH";

/// When they are made, and changed.
const MADE: i64 = 1_700_000_000;
const CHANGED: i64 = 1_700_086_400;

/// Two folders: before a change and after it.
pub struct Folders {
    pub old: PathBuf,
    pub new: PathBuf,
    pub trees: Trees,
}

impl Folders {
    /// Makes both below `folder`. They hold files and folders only, which every reader knows, some
    /// of them small enough to lie in entries.
    pub fn make(folder: &Path) -> Result<Self, String> {
        let (old, new) = (folder.join("old"), folder.join("new"));
        let both = [
            ("kept.txt", 20),
            ("large.bin", 100_000),
            ("folder/deeper/kept.bin", 5000),
        ];
        let before = [("folder/changed.bin", 3000), ("folder/removed.bin", 9000)];
        let after = [
            ("folder/changed.bin", 40_001),
            ("added.bin", 2500),
            ("other/added.txt", 30),
        ];
        for (folder, own, seed) in [(&old, &before[..], 1), (&new, &after[..], 2)] {
            for (name, len) in both {
                write(&folder.join(name), len, 0).map_err(failed(folder))?;
            }
            for (name, len) in own {
                write(&folder.join(name), *len, seed).map_err(failed(folder))?;
            }
        }
        let trees = Trees::of(&old, &new)?;
        Ok(Self { old, new, trees })
    }
}

/// A file whose content and time come from its length and a seed.
fn write(path: &Path, len: u32, seed: u32) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let byte = |at: u32| {
        let [.., byte, _] = (at ^ len ^ seed << 20)
            .wrapping_mul(2_654_435_761)
            .to_le_bytes();
        byte
    };
    let bytes: Vec<u8> = (0..len).map(byte).collect();
    fs::write(path, bytes)?;
    let time = UNIX_EPOCH + Duration::from_secs(1_600_000_000 + u64::from(seed));
    File::options().write(true).open(path)?.set_modified(time)
}

/// A kind of volume on a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    pub format: Format,
    pub medium: Medium,
}

impl Kind {
    /// The file systems that readers look for on it.
    pub fn views(self) -> &'static [View] {
        match self.format {
            Format::Iso => &[View::Iso],
            Format::Udf(..) => &[View::Udf],
            Format::Bridge(_) => &View::ALL,
        }
    }

    /// Makes a volume of a folder in an image as long as the medium.
    pub fn make(self, folder: &Path, path: &Path) -> Result<(), String> {
        let time = Timestamp::from_seconds(MADE);
        let volume: FileSystems = self.format.volume(LABEL, time);
        let mut image = FileSystemImage::new(self.medium, volume, time);
        image
            .add_host(folder, b"/", HostOptions::default())
            .map_err(text)?;
        let mut file = File::create(path).map_err(failed(path))?;
        let result = image.result().map_err(text)?;
        result.write_to(&mut file, &mut |_| {}).map_err(text)?;
        let whole = self.medium.capacity().unwrap_or(result.total_blocks());
        file.set_len(whole.bytes()).map_err(failed(path))
    }

    /// Works out what to record over a volume so that it holds another folder, and hands plan and
    /// result to `with`.
    pub fn change<T>(
        self,
        disc: &dyn BlockRead,
        folder: &Path,
        with: impl FnOnce(&Plan, &ResultImage<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let options = ImportOptions {
            medium: self.medium,
            hierarchy: None,
            time: Timestamp::from_seconds(CHANGED),
            accept_losses: false,
            append: None,
        };
        let mut image = FileSystemImage::import(disc, &options).map_err(text)?;
        image
            .sync_host(folder, HostOptions::default())
            .map_err(text)?;
        let result = image.result().map_err(text)?;
        with(&result.plan().map_err(text)?, &result)
    }

    /// Records the change of [`change`](Self::change) in the image at `path`.
    pub fn record(self, path: &Path, folder: &Path) -> Result<(), String> {
        let disc = ImageFile::open(path).map_err(failed(path))?;
        let mut out = ImageFile::open_writable(path).map_err(failed(path))?;
        self.change(&disc, folder, |plan, result| {
            for range in plan.modified.ranges() {
                let bytes = read(result, range.start_lba(), range.block_count())?;
                out.write_blocks(range.start_lba(), &bytes).map_err(text)?;
            }
            Ok(())
        })
    }
}

/// That many blocks.
pub fn read(disc: &dyn BlockRead, start: Lba, count: BlockCount) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; count.as_usize() * reburn_blocks::BLOCK_SIZE];
    disc.read_filled(start, &mut bytes).map_err(text)?;
    Ok(bytes)
}

/// Any error as a sentence.
pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.format, self.medium)
    }
}
