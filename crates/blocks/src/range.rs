//! A run of blocks, first and last inclusive, never empty.

use std::fmt;

use crate::{BlockCount, Lba, WriteUnit};

/// A non-empty run of consecutive blocks. Both ends belong to it, as in IMAPI's
/// `IBlockRange`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRange {
    start: Lba,
    end: Lba,
}

impl BlockRange {
    /// The blocks from `start_lba` to `end_lba`, both inclusive; `None` if the end comes
    /// first.
    pub fn new(start_lba: Lba, end_lba: Lba) -> Option<Self> {
        (start_lba <= end_lba).then_some(Self {
            start: start_lba,
            end: end_lba,
        })
    }

    /// One block.
    pub const fn single(lba: Lba) -> Self {
        Self {
            start: lba,
            end: lba,
        }
    }

    /// `count` blocks from `start_lba`; `None` if `count` is zero or the run leaves the
    /// address space.
    pub fn with_count(start_lba: Lba, count: BlockCount) -> Option<Self> {
        let end = start_lba.checked_add(BlockCount::new(count.get().checked_sub(1)?))?;
        Some(Self {
            start: start_lba,
            end,
        })
    }

    /// The first block.
    pub const fn start_lba(self) -> Lba {
        self.start
    }

    /// The last block, part of the range.
    pub const fn end_lba(self) -> Lba {
        self.end
    }

    /// How many blocks the range holds, at least one.
    pub const fn block_count(self) -> BlockCount {
        BlockCount::new(self.end.get() - self.start.get() + 1)
    }

    /// The number of the block after the last one.
    pub const fn end_exclusive(self) -> u32 {
        self.end.get() + 1
    }

    /// Whether the block is part of the range.
    pub fn contains(self, lba: Lba) -> bool {
        self.start <= lba && lba <= self.end
    }

    /// The blocks that both ranges hold.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// The smallest run of whole write units that holds the range (clipped at [`Lba::MAX`]).
    #[must_use]
    pub fn align_outward(self, unit: WriteUnit) -> Self {
        let start = self.start.align_down(unit);
        let last = self.end.align_down(unit);
        let end = last
            .checked_add(unit.blocks() - BlockCount::ONE)
            .unwrap_or(Lba::MAX);
        Self { start, end }
    }

    /// The largest run of whole write units inside the range.
    #[must_use]
    pub fn align_inward(self, unit: WriteUnit) -> Option<Self> {
        let start = self.start.align_up(unit)?;
        let end = self.end_exclusive() / unit.blocks().get() * unit.blocks().get();
        (start.get() < end).then(|| Self {
            start,
            end: Lba::new(end - 1),
        })
    }

    /// The range cut into pieces of at most `count` blocks, ascending.
    ///
    /// # Panics
    /// If `count` is zero.
    pub fn pieces(self, count: BlockCount) -> impl Iterator<Item = Self> {
        assert!(!count.is_zero(), "pieces of zero blocks");
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let start = rest?.start;
            let full = Self::with_count(start, count).map_or(self.end, Self::end_lba);
            let end = full.min(self.end);
            rest = (end < self.end).then(|| Self {
                start: Lba::new(end.get() + 1),
                ..self
            });
            Some(Self { start, end })
        })
    }
}

/// `start-end`, or one number for a single block.
impl fmt::Display for BlockRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            write!(f, "{}", self.start)
        } else {
            write!(f, "{}-{}", self.start, self.end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, end: u32) -> BlockRange {
        BlockRange::new(Lba::new(start), Lba::new(end)).unwrap()
    }

    #[test]
    fn ends_are_inclusive() {
        assert_eq!(range(3, 5).block_count().get(), 3);
        assert_eq!(
            BlockRange::with_count(Lba::new(3), BlockCount::new(3)),
            Some(range(3, 5))
        );
        assert_eq!(BlockRange::with_count(Lba::new(3), BlockCount::ZERO), None);
        assert_eq!(BlockRange::new(Lba::new(5), Lba::new(3)), None);
    }

    #[test]
    fn alignment_keeps_whole_units() {
        assert_eq!(range(17, 40).align_outward(WriteUnit::DVD), range(16, 47));
        assert_eq!(
            range(17, 50).align_inward(WriteUnit::DVD),
            Some(range(32, 47))
        );
        assert_eq!(range(17, 30).align_inward(WriteUnit::DVD), None);
    }

    #[test]
    fn pieces_cover_the_range() {
        let pieces: Vec<_> = range(10, 16).pieces(BlockCount::new(3)).collect();
        assert_eq!(pieces, [range(10, 12), range(13, 15), range(16, 16)]);
    }
}
