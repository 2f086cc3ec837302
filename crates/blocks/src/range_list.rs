//! An ordered set of blocks, kept as the fewest possible ranges.
//!
//! Invariants: ranges ascend, never overlap and never touch (touching ranges are one).

use std::fmt;

use crate::{BlockCount, BlockRange, Lba, WriteUnit};

/// A set of blocks as ascending, disjoint, coalesced ranges.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct BlockRangeList {
    ranges: Vec<BlockRange>,
}

impl BlockRangeList {
    /// No blocks.
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[BlockRange] {
        &self.ranges
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> std::iter::Copied<std::slice::Iter<'_, BlockRange>> {
        self.ranges.iter().copied()
    }

    /// Whether no block is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many blocks are in the set.
    pub fn block_count(&self) -> BlockCount {
        self.iter().map(BlockRange::block_count).sum()
    }

    /// The last block of the set.
    pub fn last_lba(&self) -> Option<Lba> {
        self.ranges.last().map(|range| range.end_lba())
    }

    /// Whether the block is in the set. O(log n).
    pub fn contains(&self, lba: Lba) -> bool {
        let after = self.ranges.partition_point(|range| range.end_lba() < lba);
        self.ranges
            .get(after)
            .is_some_and(|range| range.contains(lba))
    }

    /// Whether the set and the range have a block in common. O(log n).
    pub fn intersects(&self, other: BlockRange) -> bool {
        let after = self
            .ranges
            .partition_point(|range| range.end_lba() < other.start_lba());
        self.ranges
            .get(after)
            .is_some_and(|range| range.intersection(other).is_some())
    }

    /// Adds the blocks of `added`. O(1) past the end, O(n) elsewhere.
    pub fn insert(&mut self, added: BlockRange) {
        // Everything that overlaps or touches `added` melts into it.
        let first = self
            .ranges
            .partition_point(|range| range.end_exclusive() < added.start_lba().get());
        let last = first
            + self.ranges[first..]
                .partition_point(|range| range.start_lba().get() <= added.end_exclusive());
        let merged = self.ranges[first..last].iter().fold(added, |sum, range| {
            BlockRange::new(
                sum.start_lba().min(range.start_lba()),
                sum.end_lba().max(range.end_lba()),
            )
            .unwrap_or(sum)
        });
        self.ranges.splice(first..last, [merged]);
    }

    /// The blocks in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// The blocks in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let (mut a, mut b) = (self.iter().peekable(), other.iter().peekable());
        while let (Some(&left), Some(&right)) = (a.peek(), b.peek()) {
            ranges.extend(left.intersection(right));
            if left.end_lba() < right.end_lba() {
                a.next();
            } else {
                b.next();
            }
        }
        Self { ranges }
    }

    /// The blocks of this set that `other` does not hold.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let mut holes = other.iter().peekable();
        for range in self {
            let mut start = u64::from(range.start_lba().get());
            let end = u64::from(range.end_exclusive());
            while let Some(&hole) = holes.peek() {
                if u64::from(hole.start_lba().get()) >= end {
                    break;
                }
                ranges.extend(span(start, u64::from(hole.start_lba().get())));
                start = start.max(u64::from(hole.end_exclusive()));
                if start > end {
                    break; // the hole reaches into the next range
                }
                holes.next();
            }
            ranges.extend(span(start, end));
        }
        Self { ranges }
    }

    /// The blocks of 0 to `end` (exclusive) that this set does not hold.
    #[must_use]
    pub fn complement(&self, end: BlockCount) -> Self {
        let whole: Self = span(0, u64::from(end.get())).into_iter().collect();
        whole.difference(self)
    }

    /// Every block of every write unit that the set touches.
    #[must_use]
    pub fn align_outward(&self, unit: WriteUnit) -> Self {
        self.iter().map(|range| range.align_outward(unit)).collect()
    }

    /// The blocks of those write units that lie in the set as a whole.
    #[must_use]
    pub fn align_inward(&self, unit: WriteUnit) -> Self {
        self.iter()
            .filter_map(|range| range.align_inward(unit))
            .collect()
    }

    /// The first place where `count` blocks follow each other in the set, starting at a
    /// multiple of `align`.
    pub fn first_fit(&self, count: BlockCount, align: WriteUnit) -> Option<BlockRange> {
        self.iter().find_map(|range| {
            let start = range.start_lba().align_up(align)?;
            let fit = BlockRange::with_count(start, count)?;
            (fit.end_lba() <= range.end_lba()).then_some(fit)
        })
    }
}

/// `start..end` as a range, if there is anything in it and it is addressable.
fn span(start: u64, end: u64) -> Option<BlockRange> {
    BlockRange::new(Lba::checked(start)?, Lba::checked(end.checked_sub(1)?)?)
}

impl FromIterator<BlockRange> for BlockRangeList {
    fn from_iter<I: IntoIterator<Item = BlockRange>>(ranges: I) -> Self {
        let mut sorted: Vec<_> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut list = Self::new();
        for range in sorted {
            list.insert(range);
        }
        list
    }
}

impl Extend<BlockRange> for BlockRangeList {
    fn extend<I: IntoIterator<Item = BlockRange>>(&mut self, ranges: I) {
        *self = self.iter().chain(ranges).collect();
    }
}

impl<'a> IntoIterator for &'a BlockRangeList {
    type Item = BlockRange;
    type IntoIter = std::iter::Copied<std::slice::Iter<'a, BlockRange>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The ranges with blanks between them: `16-31 64`.
impl fmt::Display for BlockRangeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            range.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::*;

    fn list(ranges: &[(u32, u32)]) -> BlockRangeList {
        ranges
            .iter()
            .map(|&(start, end)| BlockRange::new(Lba::new(start), Lba::new(end)).unwrap())
            .collect()
    }

    #[test]
    fn touching_ranges_become_one() {
        assert_eq!(list(&[(5, 9), (0, 4), (20, 20)]).to_string(), "0-9 20");
        let mut grown = list(&[(0, 1), (4, 5), (8, 9)]);
        grown.insert(BlockRange::new(Lba::new(2), Lba::new(7)).unwrap());
        assert_eq!(grown.to_string(), "0-9");
    }

    #[test]
    fn first_fit_respects_alignment() {
        let free = list(&[(3, 40), (64, 200)]);
        let fit = free.first_fit(BlockCount::new(32), WriteUnit::DVD).unwrap();
        assert_eq!(fit.to_string(), "64-95");
        assert_eq!(free.first_fit(BlockCount::new(500), WriteUnit::DVD), None);
    }

    fn blocks(list: &BlockRangeList) -> BTreeSet<u32> {
        list.iter()
            .flat_map(|r| r.start_lba().get()..r.end_exclusive())
            .collect()
    }

    fn arbitrary() -> impl Strategy<Value = BlockRangeList> {
        prop::collection::vec((0u32..120, 0u32..12), 0..12).prop_map(|pairs| {
            pairs
                .into_iter()
                .map(|(start, len)| {
                    BlockRange::new(Lba::new(start), Lba::new(start + len)).unwrap()
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn algebra_agrees_with_sets(a in arbitrary(), b in arbitrary()) {
            let (sa, sb) = (blocks(&a), blocks(&b));
            prop_assert_eq!(blocks(&a.union(&b)), &sa | &sb);
            prop_assert_eq!(blocks(&a.intersection(&b)), &sa & &sb);
            prop_assert_eq!(blocks(&a.difference(&b)), &sa - &sb);
            let all: BTreeSet<u32> = (0..90).collect();
            prop_assert_eq!(blocks(&a.complement(BlockCount::new(90))), &all - &sa);
            for results in [a.union(&b), a.intersection(&b), a.difference(&b)] {
                let gaps = results.ranges().windows(2).all(|w| {
                    w[0].end_exclusive() < w[1].start_lba().get()
                });
                prop_assert!(gaps, "ranges touch or overlap: {}", results);
            }
        }

        #[test]
        fn alignment_agrees_with_sets(a in arbitrary()) {
            let set = blocks(&a);
            let unit = WriteUnit::new(8).unwrap();
            let whole = |u: u32, all: bool| -> bool {
                let mut members = (u * 8..u * 8 + 8).map(|n| set.contains(&n));
                if all { members.all(|m| m) } else { members.any(|m| m) }
            };
            let units = |all| (0..20u32).filter(move |&u| whole(u, all));
            let expand = |all| units(all).flat_map(|u| u * 8..u * 8 + 8);
            prop_assert_eq!(blocks(&a.align_outward(unit)), expand(false).collect::<BTreeSet<_>>());
            prop_assert_eq!(blocks(&a.align_inward(unit)), expand(true).collect::<BTreeSet<_>>());
        }
    }
}
