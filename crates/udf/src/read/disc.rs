//! Bytes of a disc, by their distance from its start: a volume's blocks can be smaller or
//! larger than the disc's.
//!
//! What is read in small pieces comes from a window of [`WINDOW_BLOCKS`] blocks: entries of
//! files stand side by side.

use std::cell::RefCell;

use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRead, Lba, ReadError};

use crate::UdfError;

/// Blocks read at once; where that fails, only the one that is wanted.
const WINDOW_BLOCKS: u32 = 32;

/// A disc that is being read.
pub(super) struct Disc<'a> {
    source: &'a dyn BlockRead,
    window: RefCell<Window>,
}

#[derive(Default)]
struct Window {
    start: u32,
    bytes: Vec<u8>,
}

impl<'a> Disc<'a> {
    pub(super) fn new(source: &'a dyn BlockRead) -> Self {
        Self {
            source,
            window: RefCell::default(),
        }
    }

    /// Bytes of the disc.
    pub(super) fn len(&self) -> u64 {
        self.source.block_count().bytes()
    }

    /// Fills `buf` from byte `at` on. `what` is for the error.
    pub(super) fn read(&self, what: &'static str, at: u64, buf: &mut [u8]) -> Result<(), UdfError> {
        self.fill(at, buf)
            .map_err(|source| UdfError::Io { what, source })
    }

    /// The `len` bytes from byte `at` on. The caller has bounded `len`.
    pub(super) fn bytes(
        &self,
        what: &'static str,
        at: u64,
        len: usize,
    ) -> Result<Vec<u8>, UdfError> {
        let mut bytes = vec![0; len];
        self.read(what, at, &mut bytes)?;
        Ok(bytes)
    }

    fn fill(&self, mut at: u64, mut buf: &mut [u8]) -> Result<(), ReadError> {
        let mut window = self.window.borrow_mut();
        while !buf.is_empty() {
            let block = at / BLOCK_SIZE as u64;
            let lba = Lba::checked(block).ok_or(ReadError::OutOfRange {
                range: BlockRange::single(Lba::MAX),
                available: self.source.block_count(),
            })?;
            window.cover(self.source, lba)?;
            let start = u64::from(window.start) * BLOCK_SIZE as u64;
            let skipped = usize::try_from(at - start).unwrap_or(usize::MAX);
            let found = window.bytes.get(skipped..).unwrap_or_default();
            let len = found.len().min(buf.len());
            let (now, later) = buf.split_at_mut(len);
            now.copy_from_slice(&found[..len]);
            buf = later;
            at += len as u64;
        }
        Ok(())
    }
}

impl Window {
    /// Makes the window hold a block.
    fn cover(&mut self, source: &dyn BlockRead, lba: Lba) -> Result<(), ReadError> {
        let held = self.bytes.len() / BLOCK_SIZE;
        if lba.get() >= self.start && ((lba.get() - self.start) as usize) < held {
            return Ok(());
        }
        let start = lba.get() - lba.get() % WINDOW_BLOCKS;
        let end = source.block_count().get();
        let count = end.saturating_sub(start).min(WINDOW_BLOCKS) as usize;
        self.start = start;
        self.bytes.resize(count * BLOCK_SIZE, 0);
        let wanted_is_in = ((lba.get() - start) as usize) < count;
        if wanted_is_in && source.read_blocks(Lba::new(start), &mut self.bytes).is_ok() {
            return Ok(());
        }
        self.start = lba.get();
        self.bytes.resize(BLOCK_SIZE, 0);
        let read = source.read_blocks(lba, &mut self.bytes);
        if read.is_err() {
            self.bytes.clear();
        }
        read
    }
}

/// The blocks of the disc that `len` bytes from byte `at` on touch; none where there are no
/// such blocks.
pub(super) fn blocks_of(at: u64, len: u64) -> Option<BlockRange> {
    let last = at.checked_add(len)?.checked_sub(1)?;
    let lba = |byte: u64| Lba::checked(byte / BLOCK_SIZE as u64);
    (len > 0).then(|| BlockRange::new(lba(at)?, lba(last)?))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cross_windows_and_blocks() {
        let blocks: Vec<u8> = (0..251u8).cycle().take(100 * BLOCK_SIZE).collect();
        let disc = Disc::new(&blocks);
        for (at, len) in [(0, 5), (2040, 20), (65530, 70_000), (204_790, 10)] {
            let found = disc.bytes("test", at as u64, len).unwrap();
            assert_eq!(found, &blocks[at..at + len]);
        }
        assert!(disc.bytes("test", 204_799, 2).is_err());
        assert!(disc.bytes("test", u64::MAX - 1, 1).is_err());
    }

    #[test]
    fn blocks_hold_all_bytes() {
        assert_eq!(blocks_of(2047, 2).unwrap().to_string(), "0-1");
        assert_eq!(blocks_of(512, 512).unwrap().to_string(), "0");
        assert_eq!(blocks_of(0, 0), None);
        assert_eq!(blocks_of(u64::MAX, 2), None);
    }
}
