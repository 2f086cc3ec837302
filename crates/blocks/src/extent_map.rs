//! A map from block ranges to where their content comes from.
//!
//! Invariants: segments ascend and never overlap; a segment knows how far into its value it
//! starts, so cutting one never changes the value.

use crate::{BlockCount, BlockRange, Lba};

/// Values laid over ranges of blocks. Building in ascending order is O(1) a range; lookup is
/// O(log n).
#[derive(Debug, Clone)]
pub struct ExtentMap<T> {
    segments: Vec<Segment<T>>,
}

#[derive(Debug, Clone)]
struct Segment<T> {
    range: BlockRange,
    /// Blocks between the start of the value and the start of `range`.
    skipped: BlockCount,
    value: T,
}

/// A part of a range that one value covers, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a, T> {
    /// The blocks of this part.
    pub range: BlockRange,
    /// The value and how many blocks into it the part starts; `None` in a gap.
    pub value: Option<(&'a T, BlockCount)>,
}

impl<T> Default for ExtentMap<T> {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
        }
    }
}

impl<T: Clone> ExtentMap<T> {
    /// A map in which no block has a value.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lays `value` over `range`; what lay there before is gone.
    pub fn insert(&mut self, range: BlockRange, value: T) {
        let first = self.first_reaching(range.start_lba());
        let covered = self.segments[first..]
            .partition_point(|segment| segment.range.start_lba() <= range.end_lba());
        let old = &self.segments[first..first + covered];
        let mut replacement = Vec::with_capacity(3);
        if let Some(segment) = old.first()
            && segment.range.start_lba() < range.start_lba()
        {
            replacement.push(segment.part(segment.range.start_lba(), before(range.start_lba())));
        }
        replacement.push(Segment {
            range,
            skipped: BlockCount::ZERO,
            value,
        });
        if let Some(segment) = old.last()
            && segment.range.end_lba() > range.end_lba()
        {
            replacement
                .push(segment.part(Lba::new(range.end_exclusive()), segment.range.end_lba()));
        }
        self.segments.splice(first..first + covered, replacement);
    }

    /// The value of a block and how many blocks into it the block lies.
    pub fn get(&self, lba: Lba) -> Option<(&T, BlockCount)> {
        let segment = self.segments.get(self.first_reaching(lba))?;
        let inside = segment.range.contains(lba);
        inside.then(|| {
            (
                &segment.value,
                segment.skipped + lba.blocks_since(segment.range.start_lba()),
            )
        })
    }

    /// The parts that make up `range`, ascending, gaps included.
    pub fn pieces(&self, range: BlockRange) -> impl Iterator<Item = Piece<'_, T>> {
        let mut index = self.first_reaching(range.start_lba());
        let mut next = Some(range.start_lba());
        std::iter::from_fn(move || {
            let start = next?;
            let segment = self.segments.get(index);
            let piece = match segment {
                Some(segment) if segment.range.start_lba() <= start => {
                    index += 1;
                    let end = segment.range.end_lba().min(range.end_lba());
                    let offset = segment.skipped + start.blocks_since(segment.range.start_lba());
                    Piece {
                        range: BlockRange::new(start, end)?,
                        value: Some((&segment.value, offset)),
                    }
                }
                Some(segment) => {
                    let end = before(segment.range.start_lba()).min(range.end_lba());
                    Piece {
                        range: BlockRange::new(start, end)?,
                        value: None,
                    }
                }
                None => Piece {
                    range: BlockRange::new(start, range.end_lba())?,
                    value: None,
                },
            };
            next = (piece.range.end_lba() < range.end_lba())
                .then(|| Lba::new(piece.range.end_exclusive()));
            Some(piece)
        })
    }

    /// Every range with its value and how many blocks into the value it starts, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (BlockRange, &T, BlockCount)> {
        self.segments
            .iter()
            .map(|segment| (segment.range, &segment.value, segment.skipped))
    }

    /// The first block after everything in the map.
    pub fn end(&self) -> BlockCount {
        self.segments.last().map_or(BlockCount::ZERO, |s| {
            BlockCount::new(s.range.end_exclusive())
        })
    }

    /// Index of the first segment that ends at or after `lba`.
    fn first_reaching(&self, lba: Lba) -> usize {
        match self.segments.last() {
            // The common case while a map is built in order.
            Some(last) if last.range.end_lba() < lba => self.segments.len(),
            _ => self
                .segments
                .partition_point(|segment| segment.range.end_lba() < lba),
        }
    }
}

impl<T: Clone> Segment<T> {
    /// The part of the segment from `start` to `end`, both inside it.
    fn part(&self, start: Lba, end: Lba) -> Self {
        let range = BlockRange::new(start, end).expect("a part of a segment has blocks");
        let skipped = self.skipped + start.blocks_since(self.range.start_lba());
        Self {
            range,
            skipped,
            value: self.value.clone(),
        }
    }
}

/// The block before `lba`, which is not the first.
fn before(lba: Lba) -> Lba {
    Lba::new(lba.get() - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every insertion and lookup agrees with an array that holds a value a block.
        #[test]
        fn agrees_with_an_array(
            inserts in prop::collection::vec((0u32..60, 1u32..20), 0..20),
            from in 0u32..60, len in 1u32..40,
        ) {
            let mut map = ExtentMap::new();
            let mut array = vec![None; 100];
            for (value, &(start, count)) in inserts.iter().enumerate() {
                let range =
                    BlockRange::with_count(Lba::new(start), BlockCount::new(count)).unwrap();
                map.insert(range, value);
                for offset in 0..count {
                    array[(start + offset) as usize] = Some((value, offset));
                }
            }
            for (lba, expected) in (0..).zip(&array) {
                let found = map.get(Lba::new(lba)).map(|(v, offset)| (*v, offset.get()));
                prop_assert_eq!(found, *expected);
            }
            let range = BlockRange::with_count(Lba::new(from), BlockCount::new(len)).unwrap();
            let mut seen = from;
            for piece in map.pieces(range) {
                prop_assert_eq!(piece.range.start_lba().get(), seen);
                for lba in seen..piece.range.end_exclusive() {
                    let inside = piece.value.map(|(v, o)| (*v, o.get() + lba - seen));
                    prop_assert_eq!(inside, array[lba as usize]);
                }
                seen = piece.range.end_exclusive();
            }
            prop_assert_eq!(seen, from + len);
        }
    }
}
