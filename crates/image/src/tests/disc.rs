//! A disc in memory of which only blocks that are not zeros take room, and the contract of modified
//! blocks on it: for volumes that fill a medium.

use std::collections::BTreeMap;
use std::sync::Arc;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, BlockWrite, CrashClass, Lba,
    Plan, ReadError, WriteError,
};

use super::{contents_of, import};
use crate::{Medium, ResultImage};

/// Every path with its content.
pub(super) type Contents = Vec<(String, Option<Vec<u8>>)>;

/// Cheap to copy. Blocks that are not in the map are zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Disc {
    blocks: BTreeMap<Lba, Arc<[u8]>>,
    count: BlockCount,
}

impl Disc {
    /// The disc that a whole image is recorded on.
    pub(super) fn of(result: &ResultImage<'_>) -> Self {
        let total = result.total_blocks();
        let mut disc = Self {
            blocks: BTreeMap::new(),
            count: result.medium().capacity().unwrap_or(total),
        };
        for range in &result.used_ranges() {
            disc.copy(range, result);
        }
        disc
    }

    /// Takes over blocks of a result; those behind its end are zeros.
    pub(super) fn copy(&mut self, range: BlockRange, from: &dyn BlockRead) {
        let mut block = vec![0; BLOCK_SIZE];
        for one in range.pieces(BlockCount::ONE) {
            from.read_filled(one.start_lba(), &mut block).unwrap();
            self.write_blocks(one.start_lba(), &block).unwrap();
        }
    }

    /// The blocks that are not zeros.
    pub(super) fn recorded(&self) -> Vec<Lba> {
        self.blocks.keys().copied().collect()
    }

    pub(super) fn block(&self, lba: Lba) -> Vec<u8> {
        self.blocks
            .get(&lba)
            .map_or_else(|| vec![0; BLOCK_SIZE], |block| block.to_vec())
    }
}

impl BlockRead for Disc {
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
        buf.fill(0);
        for (lba, block) in self.blocks.range(range.start_lba()..=range.end_lba()) {
            let at = lba.blocks_since(start).as_usize() * BLOCK_SIZE;
            buf[at..at + BLOCK_SIZE].copy_from_slice(block);
        }
        Ok(())
    }
}

impl BlockWrite for Disc {
    fn write_blocks(&mut self, start: Lba, data: &[u8]) -> Result<(), WriteError> {
        let mut lba = start;
        for block in data.chunks(BLOCK_SIZE) {
            if block.iter().all(|&byte| byte == 0) {
                self.blocks.remove(&lba);
            } else {
                self.blocks.insert(lba, block.into());
            }
            lba += BlockCount::ONE;
            self.count = self.count.max(BlockCount::new(lba.get()));
        }
        Ok(())
    }

    fn barrier(&mut self) -> Result<(), WriteError> {
        Ok(())
    }
}

/// What is on the disc.
pub(super) fn contents(disc: &Disc, medium: Medium) -> Contents {
    contents_of(import(disc, medium).tree(), disc)
}

/// The disc after each epoch of the plan.
pub(super) fn record(disc: &Disc, plan: &Plan, result: &ResultImage<'_>) -> Vec<Disc> {
    let mut now = disc.clone();
    let mut states = Vec::new();
    for epoch in plan.modified.epochs() {
        for range in &epoch.ranges {
            now.copy(range, result);
        }
        states.push(now.clone());
    }
    states
}

/// Checks every promise of the contract, that the old tree is there after the first epoch of a plan
/// with a class, and that the new one is there at the end; gives back the new disc.
pub(super) fn check_contract(disc: &Disc, result: &ResultImage<'_>) -> Disc {
    let medium = result.medium();
    let plan = result.plan().unwrap();
    let unit = plan.modified.write_unit();
    let states = record(disc, &plan, result);
    let new = states.last().cloned().unwrap_or_else(|| disc.clone());
    let whole = BlockRange::with_count(Lba::ZERO, result.total_blocks());
    let whole: BlockRangeList = whole.into_iter().collect();
    for range in &result.used_ranges().intersection(&whole) {
        let count = range.block_count().as_usize() * BLOCK_SIZE;
        let (mut seen, mut wanted) = (vec![0; count], vec![0; count]);
        new.read_blocks(range.start_lba(), &mut seen).unwrap();
        result.read_blocks(range.start_lba(), &mut wanted).unwrap();
        assert!(seen == wanted, "blocks {range} differ from the result");
    }
    let old_end = disc.block_count().get();
    for range in plan.modified.ranges() {
        assert_eq!(range, range.align_outward(unit), "not whole write units");
        for one in range.pieces(unit.blocks()) {
            let mut blocks = one.pieces(BlockCount::ONE).map(BlockRange::start_lba);
            let differs = blocks.any(|lba| disc.block(lba) != new.block(lba));
            assert!(
                differs || one.end_lba().get() >= old_end,
                "blocks {one} do not differ"
            );
        }
    }
    assert!(plan.lower_bound <= plan.modified.block_count());
    if let Some(shadow) = states.first().filter(|_| plan.class != CrashClass::None) {
        assert_eq!(contents(shadow, medium), contents(disc, medium));
    }
    assert_eq!(contents(&new, medium), contents_of(result.tree(), disc));
    new
}
