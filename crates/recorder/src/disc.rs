//! The disc as a source of blocks, read with patience.

use std::cell::RefCell;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, ReadError};
use reburn_drive::{CommandError, DriveExt};

use crate::RecordError;
use crate::link::Link;
use crate::verify::is_unreadable;

/// Reads the medium through a link. The last error of the drive is kept, because a
/// [`ReadError`] can only carry its sentence.
pub(crate) struct Disc<'l, 'a> {
    link: RefCell<&'l mut Link<'a>>,
    count: BlockCount,
    failure: RefCell<Option<RecordError>>,
}

impl<'l, 'a> Disc<'l, 'a> {
    pub(crate) fn new(link: &'l mut Link<'a>, count: BlockCount) -> Self {
        Self {
            link: RefCell::new(link),
            count,
            failure: RefCell::new(None),
        }
    }

    /// Whether the last read failed because the medium could not be read there.
    pub(crate) fn is_unreadable(&self) -> bool {
        let failure = self.failure.borrow();
        failure.as_ref().is_some_and(is_unreadable)
    }

    /// What a failed read means for the recording.
    pub(crate) fn explain(self, error: ReadError) -> RecordError {
        match self.failure.into_inner() {
            Some(RecordError::Command(CommandError::Sense { .. })) | None => {
                RecordError::DiscUnreadable { source: error }
            }
            Some(failure) => failure,
        }
    }
}

impl BlockRead for Disc<'_, '_> {
    fn block_count(&self) -> BlockCount {
        self.count
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Some(range) = BlockRange::with_count(start, BlockCount::in_buffer(buf.len())) else {
            return Ok(());
        };
        if range.end_exclusive() > self.count.get() {
            let available = self.count;
            return Err(ReadError::OutOfRange { range, available });
        }
        debug_assert!(buf.len().is_multiple_of(BLOCK_SIZE));
        let read = self.link.borrow_mut().ask(|drive| drive.read(start, buf));
        read.map_err(|error| {
            let unreadable = ReadError::Unreadable {
                lba: first_failed(&error, range),
                reason: error.to_string(),
            };
            *self.failure.borrow_mut() = Some(error);
            unreadable
        })
    }
}

/// The block that the drive names, or the first one it was asked for.
pub(crate) fn first_failed(error: &RecordError, range: BlockRange) -> Lba {
    let RecordError::Command(CommandError::Sense {
        sense,
        range: asked,
        ..
    }) = error
    else {
        return range.start_lba();
    };
    let asked = asked.unwrap_or(range);
    let named = sense
        .information
        .and_then(|block| Lba::checked(u64::from(block)));
    named
        .filter(|&lba| asked.contains(lba))
        .unwrap_or(asked.start_lba())
}
