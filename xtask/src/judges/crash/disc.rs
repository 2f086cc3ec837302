//! A disc as a fault or a power cut left it: an image, and what some of its blocks hold instead.
//!
//! Nothing is copied for a state. A guest maps the blocks of a device to the image, to a file of
//! patches, or to the target of the device mapper that fails; the own reader reads the same map.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRead, ExtentMap, ImageFile, Lba, ReadError,
};

use crate::judges::evidence::failed;

/// Sectors of the kernel in a block.
const SECTORS: u64 = 4;

/// What some blocks hold instead of what the image has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// The drive reports an error.
    Unreadable,
    /// What the file of patches has from this block on.
    Patch(Lba),
}

/// A file of blocks that some states have instead of the image's; equal ones stand there once.
pub struct Patches {
    path: PathBuf,
    file: File,
    end: Lba,
    known: HashMap<Vec<u8>, Lba>,
}

impl Patches {
    /// An empty file at `path`.
    pub fn create(path: PathBuf) -> Result<Self, String> {
        let file = File::create(&path).map_err(failed(&path))?;
        Ok(Self {
            path,
            file,
            end: Lba::ZERO,
            known: HashMap::new(),
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whole blocks, which some state has somewhere.
    pub fn add(&mut self, bytes: &[u8]) -> Result<Instead, String> {
        if let Some(&at) = self.known.get(bytes) {
            return Ok(Instead::Patch(at));
        }
        self.file.write_all(bytes).map_err(failed(&self.path))?;
        let at = self.end;
        self.end = at + BlockCount::in_buffer(bytes.len());
        self.known.insert(bytes.to_vec(), at);
        Ok(Instead::Patch(at))
    }

    /// Fills the file up so that it is a device of some size.
    pub fn finish(&self) -> Result<(), String> {
        let length = self.end.byte_offset().max(1).next_multiple_of(1 << 16);
        self.file.set_len(length).map_err(failed(&self.path))
    }
}

/// The table with which the device mapper shows `blocks` blocks of IMAGE with changes. The two
/// words stand for devices that only the guest knows.
pub fn table(blocks: BlockCount, instead: &ExtentMap<Instead>) -> String {
    let mut table = String::new();
    let whole = BlockRange::with_count(Lba::ZERO, blocks);
    for piece in whole.iter().flat_map(|&whole| instead.pieces(whole)) {
        let sector = |lba: Lba| u64::from(lba.get()) * SECTORS;
        let start = sector(piece.range.start_lba());
        let count = u64::from(piece.range.block_count().get()) * SECTORS;
        let target = match piece.value {
            None => format!("linear IMAGE {start}"),
            Some((Instead::Unreadable, _)) => "error".to_owned(),
            Some((Instead::Patch(at), skipped)) => {
                format!("linear PATCHES {}", sector(*at + skipped))
            }
        };
        // Writing into memory does not fail.
        let _ = writeln!(table, "{start} {count} {target}");
    }
    table
}

/// The same for the own reader.
pub struct MappedDisc<'a> {
    image: ImageFile,
    patches: ImageFile,
    instead: &'a ExtentMap<Instead>,
}

impl<'a> MappedDisc<'a> {
    /// Opens both files.
    pub fn open(
        image: &Path,
        patches: &Path,
        instead: &'a ExtentMap<Instead>,
    ) -> Result<Self, String> {
        Ok(Self {
            image: ImageFile::open(image).map_err(failed(image))?,
            patches: ImageFile::open(patches).map_err(failed(patches))?,
            instead,
        })
    }
}

impl BlockRead for MappedDisc<'_> {
    fn block_count(&self) -> BlockCount {
        self.image.block_count()
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Some(range) = BlockRange::with_count(start, BlockCount::in_buffer(buf.len())) else {
            return Ok(());
        };
        let mut rest = buf;
        for piece in self.instead.pieces(range) {
            let len = piece.range.block_count().as_usize() * BLOCK_SIZE;
            let (part, behind) = rest.split_at_mut(len);
            rest = behind;
            let lba = piece.range.start_lba();
            match piece.value {
                None => self.image.read_blocks(lba, part)?,
                Some((Instead::Patch(at), skipped)) => {
                    self.patches.read_blocks(*at + skipped, part)?;
                }
                Some((Instead::Unreadable, _)) => {
                    let reason = "its write unit was torn".into();
                    return Err(ReadError::Unreadable { lba, reason });
                }
            }
        }
        Ok(())
    }
}

/// Writes the table of a state where the guest finds it.
pub fn save_table(
    path: &Path,
    blocks: BlockCount,
    instead: &ExtentMap<Instead>,
) -> Result<(), String> {
    fs::write(path, table(blocks, instead)).map_err(failed(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> BlockRange {
        BlockRange::new(Lba::new(start), Lba::new(end)).unwrap()
    }

    #[test]
    fn a_table_covers_every_sector() {
        let mut instead = ExtentMap::new();
        instead.insert(range(16, 31), Instead::Unreadable);
        instead.insert(range(48, 49), Instead::Patch(Lba::new(7)));
        // What is laid over later hides the start of a patch.
        instead.insert(range(48, 48), Instead::Unreadable);
        assert_eq!(
            table(BlockCount::new(100), &instead),
            "0 64 linear IMAGE 0\n\
             64 64 error\n\
             128 64 linear IMAGE 128\n\
             192 4 error\n\
             196 4 linear PATCHES 32\n\
             200 200 linear IMAGE 200\n"
        );
    }

    #[test]
    fn the_own_reader_sees_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("image");
        fs::write(&image, [1; 4 * BLOCK_SIZE]).unwrap();
        let mut patches = Patches::create(folder.path().join("patches")).unwrap();
        let first = patches.add(&[2; BLOCK_SIZE]).unwrap();
        assert_eq!(first, Instead::Patch(Lba::ZERO));
        let second = patches.add(&[3; BLOCK_SIZE]).unwrap();
        assert_eq!(patches.add(&[2; BLOCK_SIZE]).unwrap(), first);
        patches.finish().unwrap();
        let mut instead = ExtentMap::new();
        instead.insert(range(1, 1), second);
        instead.insert(range(3, 3), Instead::Unreadable);
        let disc = MappedDisc::open(&image, patches.path(), &instead).unwrap();
        let mut blocks = [0; 3 * BLOCK_SIZE];
        disc.read_blocks(Lba::ZERO, &mut blocks).unwrap();
        let firsts: Vec<u8> = blocks.chunks(BLOCK_SIZE).map(|block| block[0]).collect();
        assert_eq!(firsts, [1, 3, 1]);
        assert!(disc.read_blocks(Lba::new(1), &mut blocks).is_err());
    }
}
