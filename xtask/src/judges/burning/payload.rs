//! What is burned: images and folders whose every byte is known.

use std::fs;
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use reburn_blocks::BLOCK_SIZE;

use crate::judges::evidence::{Evidence, failed};

/// Blocks of the two images: no whole number of write units, and more than the 300 sectors that
/// a CD's track has at least.
const IMAGE_BLOCKS: [u32; 2] = [1201, 611];

/// Two images and two folders, for a first session and a second.
pub struct Payload {
    /// The images.
    pub images: [Image; 2],
    /// The folders.
    pub folders: [PathBuf; 2],
    /// The files of the folders: name, and content.
    pub files: Vec<(String, Vec<u8>)>,
}

/// An image without meaning.
pub struct Image {
    /// Where it lies.
    pub path: PathBuf,
    /// Its bytes.
    pub content: Vec<u8>,
    /// Its length.
    pub blocks: u32,
}

impl Payload {
    /// Makes everything in a folder of its own.
    pub fn make(evidence: &Evidence, judge: &str) -> Result<Self, String> {
        let folder = evidence.scratch(&format!("{judge} payload"))?;
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut bytes = |count: usize| {
            let mut bytes = vec![0; count];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let store = |path: &Path, content: &[u8]| fs::write(path, content).map_err(failed(path));
        let mut image = |name: &str, blocks: u32| {
            let path = folder.join(name);
            let content = bytes(blocks as usize * BLOCK_SIZE);
            store(&path, &content)?;
            Ok::<_, String>(Image {
                path,
                content,
                blocks,
            })
        };
        let images = [
            image("first.img", IMAGE_BLOCKS[0])?,
            image("second.img", IMAGE_BLOCKS[1])?,
        ];
        let folders = [folder.join("first"), folder.join("second")];
        let mut files = Vec::new();
        for (below, name, length) in [
            (0, "large.bin", 2_000_003),
            (0, "small.txt", 17),
            (1, "later.bin", 900_001),
            (1, "empty", 0),
        ] {
            fs::create_dir_all(&folders[below]).map_err(failed(&folders[below]))?;
            let content = bytes(length);
            store(&folders[below].join(name), &content)?;
            files.push((name.to_owned(), content));
        }
        Ok(Self {
            images,
            folders,
            files,
        })
    }

    /// Whether a folder, or folders below it, hold every file as it is.
    pub fn is_in(&self, folder: &Path) -> Result<(), String> {
        for (name, content) in &self.files {
            let found = find(folder, name).ok_or_else(|| format!("`{name}` is not there"))?;
            let read = fs::read(&found).map_err(failed(&found))?;
            same(name, &read, content)?;
        }
        Ok(())
    }
}

/// Whether two runs of bytes are the same; if not, where they differ first.
pub fn same(what: &str, read: &[u8], written: &[u8]) -> Result<(), String> {
    if read.len() != written.len() {
        return Err(format!(
            "{what} has {} bytes where {} were written",
            read.len(),
            written.len()
        ));
    }
    match read
        .iter()
        .zip(written)
        .position(|(read, written)| read != written)
    {
        Some(at) => Err(format!(
            "{what} differs at byte {at} (block {})",
            at / BLOCK_SIZE
        )),
        None => Ok(()),
    }
}

/// A file of this name in a folder or one level below.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let direct = folder.join(name);
    if direct.is_file() {
        return Some(direct);
    }
    let below = fs::read_dir(folder).ok()?.flatten();
    below
        .map(|entry| entry.path().join(name))
        .find(|path| path.is_file())
}
