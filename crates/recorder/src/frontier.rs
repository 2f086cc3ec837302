//! Media that are overwritten up to a block, and from there on take blocks in order only: a BD-R
//! whose blocks can be replaced, and a DVD-RW whose border still grows.
//!
//! Invariant: what is recorded at the frontier leaves no gap; what fills one up is zeros, or what
//! the source has there.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Epoch, Lba, ModifiedBlocks,
    ReadError,
};

/// The blocks to record, and those of them that only fill up gaps behind the frontier.
pub(crate) fn filled_up(
    blocks: &ModifiedBlocks,
    frontier: Lba,
) -> (ModifiedBlocks, BlockRangeList) {
    let mut edge = u64::from(frontier.get());
    let mut fill = BlockRangeList::new();
    let unit = blocks.write_unit();
    let epochs = blocks.epochs().iter().map(|epoch| {
        let mut ranges = epoch.ranges.clone();
        for range in &epoch.ranges {
            let start = u64::from(range.start_lba().get());
            if start > edge
                && let Some(from) = Lba::checked(edge)
                && let Some(gap) = BlockCount::checked(start - edge)
                    .and_then(|count| BlockRange::with_count(from, count))
            {
                ranges.insert(gap.align_outward(unit));
                fill.insert(gap);
            }
            edge = edge.max(range.end_exclusive().into());
        }
        Epoch {
            role: epoch.role,
            ranges,
        }
    });
    let epochs: Vec<_> = epochs.collect();
    (ModifiedBlocks::new(unit, epochs), fill)
}

/// A source with something in every gap.
pub(crate) struct Filled<'s> {
    pub(crate) source: &'s dyn BlockRead,
    pub(crate) fill: BlockRangeList,
}

impl BlockRead for Filled<'_> {
    fn block_count(&self) -> BlockCount {
        self.source.block_count()
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Err(error) = self.source.read_blocks(start, buf) else {
            return Ok(());
        };
        // A saved plan holds what it records and nothing else.
        for (index, block) in buf.chunks_mut(BLOCK_SIZE).enumerate() {
            let skipped = BlockCount::checked(index as u64).unwrap_or(BlockCount::MAX);
            let Some(lba) = start.checked_add(skipped) else {
                return Err(error);
            };
            match self.source.read_blocks(lba, block) {
                Err(_) if self.fill.contains(lba) => block.fill(0),
                result => result?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use reburn_blocks::{EpochRole, WriteUnit};

    use super::*;

    #[test]
    fn gaps_behind_the_frontier_are_filled_in_the_epoch_that_makes_them() {
        let ranges = |all: &[(u32, u32)]| {
            let range = |&(start, end): &(u32, u32)| {
                BlockRange::new(Lba::new(start), Lba::new(end)).unwrap()
            };
            all.iter().map(range).collect::<BlockRangeList>()
        };
        let epoch = |role, all| Epoch {
            role,
            ranges: ranges(all),
        };
        let blocks = ModifiedBlocks::new(
            WriteUnit::DVD,
            [
                epoch(EpochRole::Shadow, &[(32, 47), (128, 143), (160, 175)]),
                epoch(EpochRole::Commit, &[(16, 31)]),
            ],
        );
        let (filled, fill) = filled_up(&blocks, Lba::new(96));
        let listed: Vec<_> = filled.ranges().map(|range| range.to_string()).collect();
        assert_eq!(listed, ["32-47", "96-175", "16-31"]);
        assert_eq!(fill.to_string(), "96-127 144-159");
        let (same, fill) = filled_up(&blocks, Lba::new(1000));
        assert_eq!(same, blocks);
        assert!(fill.is_empty());
    }
}
