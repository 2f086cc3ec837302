//! Reading blocks, with errors that say what they were to hold.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba};

use crate::{Corrupt, IsoError, Place};

/// A disc that is being read.
#[derive(Clone, Copy)]
pub(super) struct Disc<'a> {
    source: &'a dyn BlockRead,
}

impl<'a> Disc<'a> {
    pub(super) fn new(source: &'a dyn BlockRead) -> Self {
        Self { source }
    }

    /// How many blocks the disc has.
    pub(super) fn end(self) -> BlockCount {
        self.source.block_count()
    }

    /// Fills `buf`, whole blocks, from `start` on.
    pub(super) fn read(
        self,
        what: &'static str,
        start: Lba,
        buf: &mut [u8],
    ) -> Result<(), IsoError> {
        self.source
            .read_blocks(start, buf)
            .map_err(|source| IsoError::Io { what, source })
    }

    /// The `blocks` from `start` on, if the disc has them. `place` is where they are named.
    pub(super) fn range(
        self,
        start: u32,
        blocks: u64,
        place: impl FnOnce() -> Place,
    ) -> Result<BlockRange, IsoError> {
        addressable(start, blocks)
            .filter(|range| range.end_exclusive() <= self.end().get())
            .ok_or_else(|| place().corrupt(past_end(start, blocks, self.end())))
    }
}

/// The `blocks` from `start` on, as far as they have addresses.
pub(super) fn addressable(start: u32, blocks: u64) -> Option<BlockRange> {
    BlockRange::with_count(Lba::checked(start.into())?, BlockCount::checked(blocks)?)
}

pub(super) fn past_end(start: u32, blocks: u64, end: BlockCount) -> Corrupt {
    Corrupt::PastEnd { start, blocks, end }
}

/// A block in memory, read again only when another one is wanted.
pub(super) struct CachedBlock {
    lba: Option<Lba>,
    bytes: Box<[u8; BLOCK_SIZE]>,
}

impl CachedBlock {
    pub(super) fn new() -> Self {
        Self {
            lba: None,
            bytes: Box::new([0; BLOCK_SIZE]),
        }
    }

    /// The bytes of a block.
    pub(super) fn load(
        &mut self,
        disc: Disc<'_>,
        what: &'static str,
        lba: Lba,
    ) -> Result<&[u8; BLOCK_SIZE], IsoError> {
        if self.lba != Some(lba) {
            self.lba = None;
            disc.read(what, lba, self.bytes.as_mut_slice())?;
            self.lba = Some(lba);
        }
        Ok(&self.bytes)
    }
}
