//! The medium in a drive as a source of blocks.

use std::cell::RefCell;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, ReadError};

use crate::{CommandError, Drive, DriveExt};

/// Reads blocks through a drive. The size of the medium is taken once, when this is made.
#[derive(Debug)]
pub struct DriveReader<D> {
    drive: RefCell<D>,
    count: BlockCount,
}

impl<D: Drive> DriveReader<D> {
    /// A reader of the medium in `drive`; pass `&mut drive` to have it back afterwards. What
    /// the drive has to report since its last command, a reset or a new medium, is passed over.
    pub fn new(mut drive: D) -> Result<Self, CommandError> {
        drive.clear_attentions()?;
        let count = drive.block_count()?;
        Ok(Self::with_count(drive, count))
    }

    /// A reader of the first `count` blocks, whatever the drive says of its size.
    pub fn with_count(drive: D, count: BlockCount) -> Self {
        let drive = RefCell::new(drive);
        Self { drive, count }
    }

    /// The drive.
    pub fn into_inner(self) -> D {
        self.drive.into_inner()
    }
}

impl<D: Drive> BlockRead for DriveReader<D> {
    fn block_count(&self) -> BlockCount {
        self.count
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let count = BlockCount::checked((buf.len() / BLOCK_SIZE) as u64);
        if count == Some(BlockCount::ZERO) {
            return Ok(());
        }
        let range = count.and_then(|count| BlockRange::with_count(start, count));
        let inside = range.is_some_and(|range| range.end_exclusive() <= self.count.get());
        if !inside {
            return Err(ReadError::OutOfRange {
                range: range.unwrap_or(BlockRange::single(start)),
                available: self.count,
            });
        }
        self.drive
            .borrow_mut()
            .read(start, buf)
            .map_err(|error| ReadError::Unreadable {
                lba: failed_block(&error).unwrap_or(start),
                reason: error.to_string(),
            })
    }
}

/// The first block that a failed read names, or the first one it asked for.
fn failed_block(error: &CommandError) -> Option<Lba> {
    let CommandError::Sense { range, sense, .. } = error else {
        return None;
    };
    let named = sense
        .information
        .and_then(|block| Lba::checked(u64::from(block)))
        .filter(|&block| range.is_none_or(|range| range.contains(block)));
    named.or(range.map(BlockRange::start_lba))
}
