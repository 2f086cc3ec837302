//! A whole result written to a file.
//!
//! Invariants: free space and runs of zeros become holes where the host has them; large host files
//! are copied by the host's own means, which shares their blocks where it can.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, ReadError};
use reburn_tree::{Content, Kind};

use crate::ResultImage;
use crate::extract::write_sparse;
use crate::new_blocks::Source;
use crate::source::shrank;

/// Blocks written at a time.
const CHUNK: BlockCount = BlockCount::new(512);
/// From this size on a host file is handed to the host to copy.
const LARGE_FILE: u64 = 8 << 20;

/// Why a result could not be written to a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteOutError {
    /// The result could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file could not be written.
    #[error("{source} at byte {offset} of the image")]
    Write {
        /// Where, in bytes.
        offset: u64,
        /// The host's error.
        source: io::Error,
    },
}

impl ResultImage<'_> {
    /// Writes every block of the result to an empty file, and tells `progress` how many blocks
    /// were written, from time to time.
    pub fn write_to(
        &self,
        out: &mut File,
        progress: &mut dyn FnMut(BlockCount),
    ) -> Result<(), WriteOutError> {
        let total = self.total_blocks();
        let mut buf = vec![0; CHUNK.as_usize() * BLOCK_SIZE];
        let mut done = BlockCount::ZERO;
        for range in &self.used_ranges() {
            let mut at = range.start_lba();
            out.seek(SeekFrom::Start(at.byte_offset()))
                .map_err(write_error_at(at))?;
            let mut left = range.block_count();
            while !left.is_zero() {
                progress(done);
                let count = if let Some(copied) = self.copy_large_file(at, out)? {
                    copied
                } else {
                    let count = left.min(CHUNK);
                    let chunk = &mut buf[..count.as_usize() * BLOCK_SIZE];
                    self.read_blocks(at, chunk)?;
                    write_sparse(out, chunk).map_err(write_error_at(at))?;
                    count
                };
                done += count;
                at += count;
                left = left - count.min(left);
            }
        }
        progress(total);
        let end = Lba::new(total.get());
        out.set_len(total.bytes()).map_err(write_error_at(end))
    }

    /// If a large host file, in one run, covers `at`, copies the rest of it and says how many
    /// blocks that were.
    fn copy_large_file(
        &self,
        at: Lba,
        out: &mut File,
    ) -> Result<Option<BlockCount>, WriteOutError> {
        let found = self.new.as_ref().and_then(|new| new.sources.get(at));
        let Some((&Source::File(inode, before), skipped)) = found else {
            return Ok(None);
        };
        if self.placement.start(inode).is_none() {
            return Ok(None);
        }
        let skipped = before + skipped;
        let Kind::File {
            size,
            content: Content::Host(path),
        } = self.tree.kind(inode)
        else {
            return Ok(None);
        };
        let rest = size - skipped.bytes().min(size);
        if rest < LARGE_FILE {
            return Ok(None);
        }
        let path = path.to_path();
        let copy = |out: &mut File| -> io::Result<Option<u64>> {
            let mut file = File::open(&path)?;
            if has_holes(&file.metadata()?) {
                return Ok(None);
            }
            file.seek(SeekFrom::Start(skipped.bytes()))?;
            let copied = io::copy(&mut Read::by_ref(&mut file).take(rest), out)?;
            if copied < rest {
                return Ok(Some(copied));
            }
            let filled = rest.next_multiple_of(BLOCK_SIZE as u64) - rest;
            out.seek_relative(i64::try_from(filled).expect("less than a block"))?;
            Ok(Some(copied))
        };
        match copy(out) {
            Ok(None) => Ok(None),
            Ok(Some(copied)) if copied < rest => {
                Err(shrank(&path, skipped.bytes() + copied, size).into())
            }
            Ok(Some(_)) => {
                let range = BlockCount::for_bytes(rest).and_then(|n| BlockRange::with_count(at, n));
                Ok(range.map(BlockRange::block_count))
            }
            // The reader or the writer failed; the slow way tells which.
            Err(_) => {
                out.seek(SeekFrom::Start(at.byte_offset()))
                    .map_err(write_error_at(at))?;
                Ok(None)
            }
        }
    }
}

/// What failed to be written from `at` on.
fn write_error_at(at: Lba) -> impl Fn(io::Error) -> WriteOutError {
    move |source| WriteOutError::Write {
        offset: at.byte_offset(),
        source,
    }
}

/// Whether the host stores fewer blocks than the file has, so that copying them would cost
/// more than reading and skipping the zeros.
#[cfg(unix)]
fn has_holes(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.blocks().saturating_mul(512) < metadata.len()
}

#[cfg(not(unix))]
fn has_holes(_: &std::fs::Metadata) -> bool {
    false
}
