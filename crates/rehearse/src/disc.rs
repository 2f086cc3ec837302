//! A disc after a power cut, and what a reader reads of a disc.

use std::cell::RefCell;
use std::collections::HashSet;

use reburn_blocks::{BlockCount, BlockRange, BlockRead, Lba, ReadError};

use crate::units::{State, Units};

/// A disc as a power cut left it.
pub struct CrashDisc<'a> {
    units: &'a Units<'a>,
    state: &'a State,
    count: BlockCount,
}

impl<'a> CrashDisc<'a> {
    pub(crate) fn new(units: &'a Units<'a>, state: &'a State) -> Self {
        Self {
            units,
            state,
            count: units.block_count(state),
        }
    }
}

impl BlockRead for CrashDisc<'_> {
    fn block_count(&self) -> BlockCount {
        self.count
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Some(range) = BlockRange::with_count(start, BlockCount::in_buffer(buf.len())) else {
            return Ok(());
        };
        if range.end_exclusive() > self.count.get() {
            return Err(ReadError::OutOfRange {
                range,
                available: self.count,
            });
        }
        self.units.read(self.state, start, buf)
    }
}

/// A disc that notes what is read of it, each range once, in the order of the first reads.
///
/// Readers of UDF read ahead, and where that fails only what they need. A *narrow* disc refuses to
/// read ahead where units were written, so that its notes say what is needed.
pub(crate) struct Noted<'a> {
    disc: &'a dyn BlockRead,
    reads: RefCell<Vec<BlockRange>>,
    seen: RefCell<HashSet<BlockRange>>,
}

impl<'a> Noted<'a> {
    pub(crate) fn new(disc: &'a dyn BlockRead) -> Self {
        Self {
            disc,
            reads: RefCell::default(),
            seen: RefCell::default(),
        }
    }

    /// The same disc, narrow, for as long as `look` takes.
    pub(crate) fn narrowed<T>(
        &self,
        units: &Units<'_>,
        look: impl FnOnce(&dyn BlockRead) -> T,
    ) -> T {
        look(&Narrow { noted: self, units })
    }

    pub(crate) fn into_reads(self) -> Vec<BlockRange> {
        self.reads.into_inner()
    }
}

impl BlockRead for Noted<'_> {
    fn block_count(&self) -> BlockCount {
        self.disc.block_count()
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let range = BlockRange::with_count(start, BlockCount::in_buffer(buf.len()));
        // What lies past the end is told by the number of blocks alone.
        let inside = range.filter(|r| r.end_exclusive() <= self.disc.block_count().get());
        if let Some(range) = inside
            && self.seen.borrow_mut().insert(range)
        {
            self.reads.borrow_mut().push(range);
        }
        self.disc.read_blocks(start, buf)
    }
}

/// A noted disc that gives blocks of units one at a time.
struct Narrow<'n, 'u> {
    noted: &'n Noted<'n>,
    units: &'n Units<'u>,
}

impl BlockRead for Narrow<'_, '_> {
    fn block_count(&self) -> BlockCount {
        self.noted.block_count()
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let range = BlockRange::with_count(start, BlockCount::in_buffer(buf.len()));
        let ahead = range.filter(|range| range.block_count() > BlockCount::ONE);
        match ahead.and_then(|range| self.units.touches(range)) {
            None => self.noted.read_blocks(start, buf),
            Some(lba) => Err(ReadError::Unreadable {
                lba,
                reason: "it was written, and is read alone".into(),
            }),
        }
    }
}
