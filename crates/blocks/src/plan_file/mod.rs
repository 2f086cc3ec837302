//! A plan in a file, with the bytes of every block it records: made on one machine, recorded
//! on another.
//!
//! Layout, numbers little-endian:
//!
//! | bytes | what |
//! |------:|------|
//! | 8 | `RBRNPLAN` |
//! | 4 | version, 1; 2 for what is appended to a disc that is recorded once |
//! | 4 | length H of the header |
//! | H | the plan, as [`header`] encodes it |
//! | 32 | SHA-256 of everything before |
//! | 2048 × n | the blocks, in the order of the plan |
//! | 32 | SHA-256 of the blocks |
//!
//! Invariant: a [`PlanFile`] that could be opened has exactly the blocks that its plan lists.

mod header;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::io::read_range;
use crate::positioned::read_exact_at;
use crate::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Digest, ExtentMap, Lba, Plan, ReadError,
};

const MAGIC: &[u8; 8] = b"RBRNPLAN";
/// The newest version.
const VERSION: u32 = header::APPENDED;
const PREFIX_LEN: usize = 16;
const DIGEST_LEN: u64 = 32;
/// Blocks copied at a time.
const CHUNK: BlockCount = BlockCount::new(512);

/// Why a plan could not be saved or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanFileError {
    /// The file is something else.
    #[error("this is not a plan: it does not start with RBRNPLAN")]
    NotAPlan,
    /// The file was made by a later version.
    #[error(
        "this plan has version {found}, and version {VERSION} is the newest known here; use a \
         newer program"
    )]
    Version {
        /// Its version.
        found: u32,
    },
    /// The file is not as it was written.
    #[error("the plan is damaged: {reason}; copy or make it again")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// The host's file system failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A block of the result could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

fn damaged(reason: impl Into<String>) -> PlanFileError {
    PlanFileError::Damaged {
        reason: reason.into(),
    }
}

impl Plan {
    /// Saves the plan with the blocks it records, taken from `result`.
    pub fn save(&self, result: &dyn BlockRead, out: &mut dyn Write) -> Result<(), PlanFileError> {
        let header = header::encode(self);
        let len = u32::try_from(header.len()).map_err(|_| damaged("its header is too long"))?;
        let mut front = Vec::with_capacity(PREFIX_LEN + header.len());
        front.extend_from_slice(MAGIC);
        front.extend_from_slice(&header::version(self).to_le_bytes());
        front.extend_from_slice(&len.to_le_bytes());
        front.extend_from_slice(&header);
        out.write_all(&front)?;
        out.write_all(&Digest::of(&front).0)?;

        let mut hash = Sha256::new();
        let mut buf = vec![0; CHUNK.as_usize() * BLOCK_SIZE];
        for piece in self.modified.ranges().flat_map(|range| range.pieces(CHUNK)) {
            let bytes = &mut buf[..piece.block_count().as_usize() * BLOCK_SIZE];
            result.read_filled(piece.start_lba(), bytes)?;
            hash.update(&*bytes);
            out.write_all(bytes)?;
        }
        out.write_all(&hash.finalize())?;
        Ok(())
    }
}

/// An open plan: the [`Plan`] itself, and as a [`BlockRead`] the blocks it records.
#[derive(Debug)]
pub struct PlanFile {
    plan: Plan,
    file: File,
    /// Where in the file each listed range starts, in bytes.
    payload: ExtentMap<u64>,
    payload_start: u64,
}

impl PlanFile {
    /// Whether a file starts like a plan.
    pub fn recognise(path: &Path) -> io::Result<bool> {
        let mut start = Vec::new();
        File::open(path)?
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)?;
        Ok(start == MAGIC)
    }

    /// Opens a saved plan and checks its header and length, not yet the blocks.
    pub fn open(path: &Path) -> Result<Self, PlanFileError> {
        let file = File::open(path)?;
        let file_len = file.metadata()?.len();
        let mut prefix = [0; PREFIX_LEN];
        if file_len < PREFIX_LEN as u64 {
            return Err(PlanFileError::NotAPlan);
        }
        read_exact_at(&file, &mut prefix, 0)?;
        let word = |at: usize| {
            u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]])
        };
        if &prefix[..8] != MAGIC {
            return Err(PlanFileError::NotAPlan);
        }
        if !(header::PLAIN..=VERSION).contains(&word(8)) {
            return Err(PlanFileError::Version { found: word(8) });
        }
        let header_end = PREFIX_LEN as u64 + u64::from(word(12));
        let payload_start = header_end + DIGEST_LEN;
        if payload_start + DIGEST_LEN > file_len {
            return Err(damaged("the file ends inside its header"));
        }
        let mut front = vec![0; PREFIX_LEN + word(12) as usize];
        read_exact_at(&file, &mut front, 0)?;
        let mut digest = [0; 32];
        read_exact_at(&file, &mut digest, header_end)?;
        if Digest::of(&front).0 != digest {
            return Err(damaged(
                "its header does not have the digest stored behind it",
            ));
        }
        let plan = header::decode(&front[PREFIX_LEN..], word(8))?;

        let mut payload = ExtentMap::new();
        let mut at = payload_start;
        for range in plan.modified.ranges() {
            payload.insert(range, at);
            at += range.block_count().bytes();
        }
        if at + DIGEST_LEN != file_len {
            let expected = at + DIGEST_LEN;
            return Err(damaged(format!(
                "it has {file_len} bytes instead of {expected}"
            )));
        }
        Ok(Self {
            plan,
            file,
            payload,
            payload_start,
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Reads every block and compares them with the digest stored behind them.
    pub fn check_blocks(&self) -> Result<(), PlanFileError> {
        let end = self.payload_start + self.plan.modified.block_count().bytes();
        let mut hash = Sha256::new();
        let mut buf = vec![0; CHUNK.as_usize() * BLOCK_SIZE];
        let mut at = self.payload_start;
        while at < end {
            let len = usize::try_from(end - at).map_or(buf.len(), |n| n.min(buf.len()));
            read_exact_at(&self.file, &mut buf[..len], at)?;
            hash.update(&buf[..len]);
            at += len as u64;
        }
        let mut stored = [0; 32];
        read_exact_at(&self.file, &mut stored, end)?;
        if stored != <[u8; 32]>::from(hash.finalize()) {
            return Err(damaged(
                "its blocks do not have the digest stored behind them",
            ));
        }
        Ok(())
    }
}

/// The blocks of the result, as far as the plan records them; others are an error.
impl BlockRead for PlanFile {
    fn block_count(&self) -> BlockCount {
        self.payload.end().max(self.plan.total_blocks)
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Some(range) = read_range(start, buf.len(), self.block_count())? else {
            return Ok(());
        };
        for piece in self.payload.pieces(range) {
            let Some((&file_start, skipped)) = piece.value else {
                return Err(not_in_plan(piece.range));
            };
            let from = piece.range.start_lba().blocks_since(start).as_usize() * BLOCK_SIZE;
            let len = piece.range.block_count().as_usize() * BLOCK_SIZE;
            let at = file_start + skipped.bytes();
            read_exact_at(&self.file, &mut buf[from..from + len], at).map_err(|source| {
                ReadError::Io {
                    lba: piece.range.start_lba(),
                    source,
                }
            })?;
        }
        Ok(())
    }
}

fn not_in_plan(range: BlockRange) -> ReadError {
    let reason = format!("the plan does not record blocks {range}, so it does not hold them");
    ReadError::Unreadable {
        lba: range.start_lba(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::sample_plan;

    /// A plan of units 64-79 and 16-31 over a result whose blocks hold their own number.
    fn saved() -> (Plan, Vec<u8>) {
        let result: Vec<u8> = (0..96u8)
            .flat_map(|number| std::iter::repeat_n(number, BLOCK_SIZE))
            .collect();
        let plan = sample_plan();
        let mut out = Vec::new();
        plan.save(&result, &mut out).unwrap();
        (plan, out)
    }

    fn open(bytes: &[u8]) -> Result<PlanFile, PlanFileError> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("plan");
        std::fs::write(&path, bytes)?;
        PlanFile::open(&path)
    }

    #[test]
    fn a_saved_plan_comes_back_with_its_blocks() {
        let (plan, bytes) = saved();
        let file = open(&bytes).unwrap();
        assert_eq!(file.plan(), &plan);
        file.check_blocks().unwrap();
        let mut block = vec![0; 2 * BLOCK_SIZE];
        for lba in [16, 30, 64, 78] {
            file.read_blocks(Lba::new(lba), &mut block).unwrap();
            assert_eq!([block[0], block[BLOCK_SIZE]].map(u32::from), [lba, lba + 1]);
        }
        let refused = file.read_blocks(Lba::new(31), &mut block).unwrap_err();
        assert!(
            refused.to_string().contains("does not record blocks 32"),
            "{refused}"
        );
    }

    #[test]
    fn damage_anywhere_is_noticed() {
        let (_, bytes) = saved();
        for at in (0..bytes.len()).step_by(89) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            let noticed = open(&damaged).and_then(|file| file.check_blocks());
            assert!(noticed.is_err(), "a flipped bit at {at} went unnoticed");
        }
        for len in [0, 7, 15, 16, 60, bytes.len() - 1] {
            assert!(open(&bytes[..len]).is_err(), "cut to {len} bytes");
        }
    }
}
