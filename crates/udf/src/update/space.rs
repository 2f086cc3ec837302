//! Which addresses of a partition are free, and taking some so that few allocation
//! units change.
//!
//! Invariant: an address is handed out at most once until it is released again.

use std::collections::{BTreeMap, BTreeSet};

use crate::write::PHYSICAL;

/// Runs of addresses: first, and one past the last; apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Runs(BTreeMap<u32, u32>);

/// Addresses of a partition.
#[derive(Debug)]
pub(super) struct Space {
    /// Addresses that a unit has.
    unit: u32,
    free: Runs,
    /// Those of the free addresses that are in whole free units which nothing of the old tree is
    /// in: such a unit changes where it is, and costs nothing but itself. None where every unit
    /// that changes moves.
    vacant: Runs,
    /// Units that change anyway.
    changing: BTreeSet<u32>,
    /// Whether none does, but those that are appended.
    are_units_kept: bool,
    /// One past the last address, in whole units once any was appended.
    end: u32,
    /// No changing unit below this one has a free address.
    exhausted_below: u32,
    /// The next block for directories, where these are not in the partition: [`PHYSICAL`].
    next_block: Option<u32>,
}

impl Runs {
    fn add(&mut self, (start, end): (u32, u32)) {
        if start >= end {
            return;
        }
        let (mut start, mut end) = (start, end);
        while let Some((&low, &high)) = self.0.range(..=end).next_back()
            && high >= start
        {
            self.0.remove(&low);
            (start, end) = (start.min(low), end.max(high));
        }
        self.0.insert(start, end);
    }

    fn cut(&mut self, (start, end): (u32, u32)) {
        while let Some((&low, &high)) = self.0.range(..end).next_back()
            && high > start
        {
            self.0.remove(&low);
            if low < start {
                self.0.insert(low, start);
            }
            if high > end {
                self.0.insert(end, high);
            }
            if low <= start {
                break;
            }
        }
    }

    fn has(&self, address: u32) -> bool {
        let before = self.0.range(..=address).next_back();
        before.is_some_and(|(_, &end)| end > address)
    }

    fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().map(|(&start, &end)| (start, end))
    }

    /// The first run of at least `count` addresses.
    fn first_fit(&self, count: u32) -> Option<u32> {
        let mut runs = self.0.iter();
        let (&start, _) = runs.find(|&(start, end)| end - start >= count)?;
        Some(start)
    }
}

impl Space {
    /// Addresses below `end` of which those in `mapped` exist, and those in `used` are taken;
    /// both ascending.
    pub(super) fn new(
        unit: u32,
        end: u32,
        mapped: impl Iterator<Item = (u32, u32)>,
        used: &[(u32, u32)],
    ) -> Self {
        let mut space = Self {
            unit,
            free: Runs::default(),
            vacant: Runs::default(),
            changing: BTreeSet::new(),
            are_units_kept: false,
            end,
            exhausted_below: 0,
            next_block: None,
        };
        for (start, end) in mapped {
            let mut next = start;
            let after = used.partition_point(|&(_, used_end)| used_end <= start);
            for &(used_start, used_end) in &used[after..] {
                if used_start >= end {
                    break;
                }
                space.release((next, used_start));
                next = next.max(used_end);
            }
            space.release((next, end));
        }
        space
    }

    /// Addresses below `end`, of whole units that are changed where they are as long as nothing
    /// is in them. Those in `used` are taken, ascending.
    pub(super) fn of_packets(unit: u32, end: u32, used: &[(u32, u32)]) -> Self {
        let mut space = Self::new(unit, end, [(0, end)].into_iter(), used);
        let whole = space.free.iter().map(|(start, end)| {
            let last = end - end % unit;
            (start.next_multiple_of(unit), last)
        });
        let whole: Vec<_> = whole.collect();
        for run in whole {
            space.vacant.add(run);
        }
        space
    }

    /// The same with blocks for directories that are not in the partition, in a row from this
    /// one on.
    pub(super) fn with_blocks_from(self, number: u32) -> Self {
        Self {
            next_block: Some(number | PHYSICAL),
            ..self
        }
    }

    /// Whether directories are in no units of the partition.
    pub(super) fn has_own_blocks(&self) -> bool {
        self.next_block.is_some()
    }

    /// The next blocks for a directory, where these are not in the partition.
    fn take_blocks(&mut self, count: u32) -> Option<Vec<u32>> {
        let start = self.next_block?;
        let end = start.checked_add(count)?;
        self.next_block = Some(end);
        self.changing.extend(start..end);
        Some((start..end).collect())
    }

    /// Makes addresses free.
    pub(super) fn release(&mut self, (start, end): (u32, u32)) {
        if start >= end || start & PHYSICAL != 0 {
            return;
        }
        self.free.add((start, end));
        self.exhausted_below = self.exhausted_below.min(start / self.unit);
    }

    /// Makes an address not free.
    pub(super) fn reserve(&mut self, address: u32) {
        self.cut((address, address + 1));
    }

    /// The unit of an address will change.
    pub(super) fn change(&mut self, address: u32) {
        let unit = address / self.unit;
        if self.changing.insert(unit) {
            self.exhausted_below = self.exhausted_below.min(unit);
            let end = (unit + 1).saturating_mul(self.unit);
            self.vacant.cut((unit * self.unit, end));
        }
    }

    /// Lets units stay where they are: no address costs more than another.
    pub(super) fn keep_units(&mut self) {
        self.are_units_kept = true;
    }

    /// Addresses that a unit has.
    pub(super) fn unit(&self) -> u32 {
        self.unit
    }

    /// Whether an address is free.
    pub(super) fn is_free(&self, address: u32) -> bool {
        self.free.has(address)
    }

    /// Whether addresses that follow each other will be in units of which one changes and that
    /// so may be apart on the disc.
    pub(super) fn is_torn(&self, start: u32, end: u32) -> bool {
        let (first, last) = (start / self.unit, (end - 1) / self.unit);
        first != last && self.changing.range(first..=last).next().is_some()
    }

    /// Free addresses, ascending: first, and one past the last.
    pub(super) fn free(&self) -> Vec<(u32, u32)> {
        self.free.iter().collect()
    }

    /// Units that change, ascending, and one past the last address.
    pub(super) fn finish(mut self, end_before: u32) -> (Vec<u32>, u32) {
        if let Some(&last) = self.changing.range(..PHYSICAL / self.unit).next_back() {
            self.end = self.end.max((last + 1).saturating_mul(self.unit));
        }
        // What is appended starts a unit; the one before it is made whole.
        if self.end > end_before && !end_before.is_multiple_of(self.unit) {
            self.changing.insert(end_before / self.unit);
        }
        (self.changing.into_iter().collect(), self.end)
    }

    /// The units that were appended, and one past the last address.
    pub(super) fn appended(&self, end_before: u32) -> (Vec<u32>, u32) {
        let units = end_before / self.unit..self.end.div_ceil(self.unit);
        if self.end == end_before {
            return (Vec::new(), self.end);
        }
        (units.collect(), self.end)
    }

    /// An address: in a unit that changes anyway, else in any other, else in a new one.
    pub(super) fn take(&mut self) -> u32 {
        let start = match self.first_changing() {
            Some(start) => start,
            None => self.any_run(1).unwrap_or_else(|| self.append(1)),
        };
        self.cut((start, start + 1));
        self.change(start);
        start
    }

    /// `count` addresses that follow each other as far as that changes no more units: in units
    /// that change anyway, else in other ones, else in pieces of the former and a new run.
    pub(super) fn take_run(&mut self, count: u32) -> Vec<u32> {
        if let Some(taken) = self.take_blocks(count) {
            return taken;
        }
        let pieces = self.changing_pieces();
        let fits = |&(start, end): &(u32, u32)| end - start >= count;
        let found = pieces.iter().copied().find(fits);
        if let Some(start) = found
            .map(|(start, _)| start)
            .or_else(|| self.any_run(count))
        {
            return self.take_exactly(start, count);
        }
        let mut taken = Vec::new();
        for (start, end) in pieces {
            let left = count - taken.len() as u32;
            taken.extend(self.take_exactly(start, left.min(end - start)));
        }
        let left = count - taken.len() as u32;
        if left > 0 {
            let start = self.any_run(left).unwrap_or_else(|| self.append(left));
            taken.extend(self.take_exactly(start, left));
        }
        taken
    }

    /// `count` addresses that follow each other.
    pub(super) fn take_contiguous(&mut self, count: u32) -> Vec<u32> {
        if let Some(taken) = self.take_blocks(count) {
            return taken;
        }
        let start = self.any_run(count).unwrap_or_else(|| self.append(count));
        self.take_exactly(start, count)
    }

    fn take_exactly(&mut self, start: u32, count: u32) -> Vec<u32> {
        self.cut((start, start + count));
        let mut at = start;
        while at < start + count {
            self.change(at);
            at = (at / self.unit + 1) * self.unit;
        }
        (start..start + count).collect()
    }

    /// Where so many addresses follow each other, if anywhere: in units that nothing is in before
    /// all others.
    fn any_run(&self, count: u32) -> Option<u32> {
        let vacant = self.vacant.first_fit(count);
        vacant.or_else(|| self.free.first_fit(count))
    }

    /// New units for at least `count` addresses; the first address. What is free at the end
    /// counts.
    fn append(&mut self, count: u32) -> u32 {
        let start = match self.free.0.last_key_value() {
            Some((&start, &end)) if end == self.end => start,
            _ => self.end,
        };
        let missing = count - (self.end - start).min(count);
        let end = (self.end + missing).next_multiple_of(self.unit);
        let appended = (self.end, end);
        self.end = end;
        self.release(appended);
        start
    }

    /// The first free address in a unit that changes.
    fn first_changing(&mut self) -> Option<u32> {
        if self.are_units_kept {
            return self.free.first_fit(1);
        }
        for &unit in self.changing.range(self.exhausted_below..) {
            let (low, high) = (unit * self.unit, (unit + 1) * self.unit);
            let before = self.free.0.range(..=low).next_back();
            if before.is_some_and(|(_, &end)| end > low) {
                return Some(low);
            }
            if let Some((&start, _)) = self.free.0.range(low..high).next() {
                return Some(start);
            }
            self.exhausted_below = unit + 1;
        }
        None
    }

    /// Free addresses in units that change, runs across units joined.
    fn changing_pieces(&self) -> Vec<(u32, u32)> {
        if self.are_units_kept {
            return self.free.iter().collect();
        }
        let mut pieces: Vec<(u32, u32)> = Vec::new();
        for &unit in &self.changing {
            let (low, high) = (unit * self.unit, (unit + 1) * self.unit);
            let before = self.free.0.range(..low).next_back();
            let inside = self.free.0.range(low..high);
            for (&start, &end) in before.into_iter().chain(inside) {
                let (start, end) = (start.max(low), end.min(high));
                match pieces.last_mut() {
                    _ if start >= end => {}
                    Some(last) if last.1 == start => last.1 = end,
                    _ => pieces.push((start, end)),
                }
            }
        }
        pieces
    }

    fn cut(&mut self, taken: (u32, u32)) {
        self.free.cut(taken);
        self.vacant.cut(taken);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn space(used: &[(u32, u32)]) -> Space {
        Space::new(32, 96, [(0, 64), (64, 96)].into_iter(), used)
    }

    #[test]
    fn units_that_change_come_first() {
        let mut space = space(&[(0, 40), (41, 70)]);
        assert_eq!(space.take(), 40);
        assert_eq!(space.take(), 70);
        space.change(0);
        space.release((5, 6));
        assert_eq!(space.take(), 5);
        assert_eq!(space.take_run(3), [71, 72, 73]);
        assert_eq!(space.finish(96), (vec![0, 1, 2], 96));
    }

    #[test]
    fn what_does_not_fit_is_appended() {
        let mut space = space(&[(0, 90)]);
        assert_eq!(space.take_run(40).len(), 40);
        let (units, end) = space.finish(96);
        assert_eq!((units, end), (vec![2, 3, 4], 160));
        let mut partial = Space::new(32, 40, [(0, 40)].into_iter(), &[(0, 40)]);
        assert_eq!(partial.take(), 40);
        assert_eq!(partial.take_contiguous(30)[0], 41);
        assert_eq!(partial.finish(40), (vec![1, 2], 96));
    }

    #[test]
    fn kept_units_are_filled_before_any_is_appended() {
        let mut space = space(&[(0, 10), (12, 20), (22, 40), (41, 96)]);
        space.keep_units();
        assert_eq!(space.take(), 10);
        assert_eq!(space.take_run(2), [20, 21]);
        assert_eq!(space.appended(96), (vec![], 96));
        assert_eq!(space.take_run(4), [11, 40, 96, 97]);
        assert_eq!(space.appended(96), (vec![3], 128));
    }

    #[test]
    fn pieces_are_used_before_new_units() {
        let mut space = space(&[(0, 10), (12, 20), (22, 96)]);
        space.change(0);
        let mut taken = space.take_run(4);
        taken.sort_unstable();
        assert_eq!(taken, [10, 11, 20, 21]);
        assert_eq!(space.finish(96), (vec![0], 96));
    }

    #[test]
    fn units_that_nothing_is_in_come_before_partly_used_ones() {
        let mut space = Space::of_packets(16, 96, &[(0, 10), (40, 41)]);
        assert_eq!(space.take(), 16);
        assert_eq!(space.take(), 17);
        assert_eq!(space.take_run(20)[0], 48);
        // The rest of the changed ones, before what is free in the others.
        assert_eq!(space.take_run(14)[0], 18);
        assert_eq!(space.take_run(12)[0], 68);
        assert_eq!(space.take_run(16)[0], 80);
        assert_eq!(space.take(), 10);
        assert_eq!(space.finish(96), (vec![0, 1, 3, 4, 5], 96));
    }

    proptest! {
        #[test]
        fn no_address_is_given_twice(
            used in prop::collection::btree_set(0u32..96, 0..90),
            counts in prop::collection::vec(1u32..50, 1..12),
            changing in prop::collection::vec(0u32..96, 0..3),
        ) {
            let ranges: Vec<_> = used.iter().map(|&at| (at, at + 1)).collect();
            let mut space = space(&ranges);
            for address in changing {
                space.change(address);
            }
            let mut taken = used;
            for count in counts {
                let run = match count {
                    1 => vec![space.take()],
                    count if count % 3 == 0 => space.take_contiguous(count),
                    count => space.take_run(count),
                };
                prop_assert_eq!(run.len(), count as usize);
                for at in run {
                    prop_assert!(taken.insert(at), "{} twice", at);
                    prop_assert!(space.changing.contains(&(at / 32)));
                }
            }
            let last = *taken.last().unwrap();
            let (units, end) = space.finish(96);
            prop_assert!(last < end && end.is_multiple_of(32));
            prop_assert!(units.iter().all(|unit| (unit + 1) * 32 <= end));
        }
    }
}
