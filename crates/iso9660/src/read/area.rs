//! Reading the system use area of a record and the areas where it continues (SUSP 5.1).
//!
//! Invariants: at most [`MAX_CONTINUATIONS`] areas are followed for a record, so a loop ends; a
//! block of continuations is taken in at most [`MAX_READINGS`] times, however many records lead
//! there, so that a small disc cannot become a large tree.

use std::collections::BTreeMap;

use reburn_blocks::{BLOCK_SIZE, BlockRange, Lba};

use super::disc::{CachedBlock, Disc};
use super::system_use::{SystemUse, entry_error};
use crate::records::Ce;
use crate::susp::Entries;
use crate::{Corrupt, IsoError, Place};

/// Continuation areas followed for one record, as many as Linux follows.
const MAX_CONTINUATIONS: usize = 32;

/// How often the bytes of a block may be taken in. Writers give each record an area of its own;
/// some leeway is for those that share areas of equal content.
const MAX_READINGS: usize = 16;

/// Reads system use areas, one after the other.
pub(super) struct SystemUseReader<'a> {
    disc: Disc<'a>,
    continuation: CachedBlock,
    /// The blocks that continuation areas are in, and how many bytes of entries were taken
    /// from each.
    taken: BTreeMap<Lba, usize>,
}

impl<'a> SystemUseReader<'a> {
    pub(super) fn new(disc: Disc<'a>) -> Self {
        Self {
            disc,
            continuation: CachedBlock::new(),
            taken: BTreeMap::new(),
        }
    }

    /// The blocks of all continuation areas so far.
    pub(super) fn blocks(&self) -> impl Iterator<Item = BlockRange> {
        self.taken.keys().map(|&block| BlockRange::single(block))
    }

    /// Puts into `found` what the area says that starts at `offset` in `block`.
    pub(super) fn read(
        &mut self,
        block: Lba,
        offset: usize,
        area: &[u8],
        found: &mut SystemUse,
    ) -> Result<(), IsoError> {
        found.clear();
        let (mut next, _) = read_area(block, offset, area, found)?;
        for _ in 0..MAX_CONTINUATIONS {
            let Some(ce) = next else { return Ok(()) };
            let range = self.disc.range(ce.ce.block.le(), 1, || ce.place("block"))?;
            let (offset, length) = (ce.ce.offset.le(), ce.ce.length.le());
            let block = range.start_lba();
            let bytes = self
                .continuation
                .load(self.disc, "a continuation area", block)?;
            let area = (offset as usize)
                .checked_add(length as usize)
                .and_then(|end| bytes.get(offset as usize..end))
                .ok_or_else(|| {
                    ce.place("offset")
                        .corrupt(Corrupt::ContinuationRange { offset, length })
                })?;
            let taken = self.taken.entry(block).or_default();
            let len;
            (next, len) = read_area(block, offset as usize, area, found)?;
            *taken += len;
            if *taken > MAX_READINGS * BLOCK_SIZE {
                let max = MAX_READINGS;
                return Err(ce
                    .place("block")
                    .corrupt(Corrupt::ContinuationShared { max }));
            }
        }
        match next {
            None => Ok(()),
            Some(ce) => Err(ce.place("head").corrupt(Corrupt::ContinuationChain {
                max: MAX_CONTINUATIONS,
            })),
        }
    }
}

/// A CE entry and where it stands.
struct Continuation {
    ce: Ce,
    block: Lba,
    offset: usize,
}

impl Continuation {
    fn place(&self, field: &'static str) -> Place {
        Place::of::<Ce>(self.block, self.offset, field)
    }
}

/// Takes the entries of one area, which starts at `offset` in `block`. Returns where they
/// continue, and how many bytes they have.
fn read_area(
    block: Lba,
    offset: usize,
    area: &[u8],
    found: &mut SystemUse,
) -> Result<(Option<Continuation>, usize), IsoError> {
    debug_assert!(area.is_empty() || offset + area.len() <= BLOCK_SIZE);
    let (mut next, mut len) = (None, 0);
    for entry in Entries::new(area) {
        let entry = entry.map_err(|error| entry_error(block, offset, error))?;
        let at = offset + entry.offset;
        len += entry.bytes.len();
        if entry.signature == *b"CE" {
            let (ce, _) = entry
                .view::<Ce>()
                .map_err(|error| entry_error(block, offset, error))?;
            next = Some(Continuation {
                ce: *ce,
                block,
                offset: at,
            });
        } else {
            found.take(block, at, &entry)?;
        }
    }
    Ok((next, len))
}
