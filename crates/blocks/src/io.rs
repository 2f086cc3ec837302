//! Sources and sinks of blocks.

use crate::{BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, Lba, ReadError, WriteError};

/// Anything that blocks can be read from: an image file, a disc in a drive, a result image.
pub trait BlockRead {
    /// How many blocks there are; reading past them is an error.
    fn block_count(&self) -> BlockCount;

    /// Fills `buf` with the blocks from `start` on.
    ///
    /// `buf.len()` is a multiple of [`BLOCK_SIZE`]; an empty buffer reads nothing.
    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError>;

    /// The blocks that mean something: all, unless the source knows better. The others are free
    /// space, and need neither be recorded nor be read.
    fn used_ranges(&self) -> BlockRangeList {
        BlockRange::with_count(Lba::ZERO, self.block_count())
            .into_iter()
            .collect()
    }

    /// Fills `buf` with the blocks from `start` on; those past the end are zeros, which is what
    /// fills up the last write unit of an image.
    fn read_filled(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let available = self.block_count().get().saturating_sub(start.get()) as usize;
        let (data, beyond) = buf.split_at_mut(available.saturating_mul(BLOCK_SIZE).min(buf.len()));
        beyond.fill(0);
        self.read_blocks(start, data)
    }
}

impl<T: BlockRead + ?Sized> BlockRead for &T {
    fn block_count(&self) -> BlockCount {
        (**self).block_count()
    }
    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        (**self).read_blocks(start, buf)
    }
    fn used_ranges(&self) -> BlockRangeList {
        (**self).used_ranges()
    }
}

impl<T: BlockRead + ?Sized> BlockRead for std::rc::Rc<T> {
    fn block_count(&self) -> BlockCount {
        (**self).block_count()
    }
    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        (**self).read_blocks(start, buf)
    }
    fn used_ranges(&self) -> BlockRangeList {
        (**self).used_ranges()
    }
}

impl<T: BlockRead + ?Sized> BlockRead for std::sync::Arc<T> {
    fn block_count(&self) -> BlockCount {
        (**self).block_count()
    }
    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        (**self).read_blocks(start, buf)
    }
    fn used_ranges(&self) -> BlockRangeList {
        (**self).used_ranges()
    }
}

/// Anything that blocks can be written to.
pub trait BlockWrite {
    /// Writes `data`, a multiple of [`BLOCK_SIZE`] long, from `start` on.
    fn write_blocks(&mut self, start: Lba, data: &[u8]) -> Result<(), WriteError>;

    /// Returns once everything written so far is durable: the barrier between two epochs.
    fn barrier(&mut self) -> Result<(), WriteError>;
}

/// Checks that a transfer of `len` bytes at `start` lies within `available` blocks.
///
/// Returns the range, or `None` for an empty transfer.
///
/// # Panics
/// If `len` is not a multiple of [`BLOCK_SIZE`]: a mistake of the caller, not of the data.
pub(crate) fn transfer_range(
    start: Lba,
    len: usize,
    available: BlockCount,
) -> Result<Option<BlockRange>, (BlockRange, BlockCount)> {
    assert!(
        len.is_multiple_of(BLOCK_SIZE),
        "a transfer of {len} bytes is not whole blocks"
    );
    if len == 0 {
        return Ok(None);
    }
    match BlockRange::with_count(start, BlockCount::in_buffer(len)) {
        Some(range) if range.end_exclusive() <= available.get() => Ok(Some(range)),
        Some(range) => Err((range, available)),
        None => Err((BlockRange::single(start), available)),
    }
}

/// [`transfer_range`] for a reader.
pub(crate) fn read_range(
    start: Lba,
    len: usize,
    available: BlockCount,
) -> Result<Option<BlockRange>, ReadError> {
    transfer_range(start, len, available)
        .map_err(|(range, available)| ReadError::OutOfRange { range, available })
}

/// A source of zeros: a blank disc.
#[derive(Debug, Clone, Copy)]
pub struct ZeroBlocks(pub BlockCount);

impl BlockRead for ZeroBlocks {
    fn block_count(&self) -> BlockCount {
        self.0
    }
    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        read_range(start, buf.len(), self.0)?;
        buf.fill(0);
        Ok(())
    }
}

/// Blocks in memory; a last partial block does not count.
impl BlockRead for [u8] {
    fn block_count(&self) -> BlockCount {
        BlockCount::checked((self.len() / BLOCK_SIZE) as u64).unwrap_or(BlockCount::MAX)
    }
    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        if let Some(range) = read_range(start, buf.len(), self.block_count())? {
            let first = range.start_lba().get() as usize * BLOCK_SIZE;
            buf.copy_from_slice(&self[first..first + buf.len()]);
        }
        Ok(())
    }
}

impl BlockRead for Vec<u8> {
    fn block_count(&self) -> BlockCount {
        self.as_slice().block_count()
    }
    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        self.as_slice().read_blocks(start, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_past_the_end_fill_up_with_zeros() {
        let source = vec![7; 2 * BLOCK_SIZE];
        let mut buf = vec![9; 2 * BLOCK_SIZE];
        source.read_filled(Lba::new(1), &mut buf).unwrap();
        assert_eq!([buf[0], buf[BLOCK_SIZE]], [7, 0]);
        source.read_filled(Lba::new(5), &mut buf).unwrap();
        assert!(buf.iter().all(|&byte| byte == 0));
        assert!(source.read_blocks(Lba::new(1), &mut buf).is_err());
    }
}
