//! Where new blocks may go.
//!
//! Invariants: only write units without a live block are handed out, so that nothing written
//! before the commit shares a write unit with the old tree; no block is handed out twice.

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, Lba, WriteUnit};

/// Free runs of blocks, handed out from the lowest address up.
#[derive(Debug)]
pub(crate) struct FreeSpace {
    /// Ascending; the first may be partly used up.
    runs: Vec<BlockRange>,
}

impl FreeSpace {
    /// Everything below `end` in write units that `live` does not touch.
    pub(crate) fn new(live: &BlockRangeList, end: BlockCount, unit: WriteUnit) -> Self {
        let free = live.complement(end).align_inward(unit);
        Self {
            runs: free.iter().collect(),
        }
    }

    /// Takes `count` blocks in a row that start at a multiple of `align`; `None` if there are
    /// none, or if `count` is zero.
    pub(crate) fn take(&mut self, count: BlockCount, align: WriteUnit) -> Option<BlockRange> {
        let (index, taken) = self.runs.iter().enumerate().find_map(|(index, run)| {
            let taken = BlockRange::with_count(run.start_lba().align_up(align)?, count)?;
            (taken.end_lba() <= run.end_lba()).then_some((index, taken))
        })?;
        let run = self.runs[index];
        let after = Lba::checked(taken.end_exclusive().into());
        let after = after.and_then(|start| BlockRange::new(start, run.end_lba()));
        let before = taken.start_lba().get().checked_sub(1).map(Lba::new);
        let before = before.and_then(|end| BlockRange::new(run.start_lba(), end));
        self.runs
            .splice(index..=index, before.into_iter().chain(after));
        Some(taken)
    }

    /// The length of the longest run.
    pub(crate) fn longest(&self) -> BlockCount {
        self.runs
            .iter()
            .map(|run| run.block_count())
            .max()
            .unwrap_or_default()
    }

    /// How many blocks are free.
    pub(crate) fn block_count(&self) -> BlockCount {
        self.runs.iter().map(|run| run.block_count()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(ranges: &[(u32, u32)]) -> BlockRangeList {
        let range = |&(start, end): &(u32, u32)| BlockRange::new(Lba::new(start), Lba::new(end));
        ranges.iter().filter_map(range).collect()
    }

    #[test]
    fn units_with_a_live_block_are_never_handed_out() {
        let end = BlockCount::new(160);
        let mut free = FreeSpace::new(&live(&[(0, 31), (70, 70)]), end, WriteUnit::DVD);
        assert_eq!(free.block_count().get(), 32 + 80);
        let mut take = |count, align| {
            free.take(BlockCount::new(count), align)
                .map(|range| range.to_string())
        };
        assert_eq!(take(5, WriteUnit::FILE).as_deref(), Some("32-36"));
        assert_eq!(take(40, WriteUnit::BLU_RAY).as_deref(), Some("96-135"));
        assert_eq!(take(16, WriteUnit::FILE).as_deref(), Some("37-52"));
        assert_eq!(take(16, WriteUnit::FILE).as_deref(), Some("80-95"));
        assert_eq!(take(25, WriteUnit::FILE), None);
        assert_eq!(take(24, WriteUnit::FILE).as_deref(), Some("136-159"));
        assert_eq!(free.longest().get(), 11);
    }
}
