//! Faults of one sort, by block and by count.

use std::collections::BTreeMap;

use reburn_blocks::{BlockRange, Lba};

use super::At;

/// Faults of one sort.
#[derive(Debug, Clone)]
pub(super) struct Table<F> {
    by_block: BTreeMap<Lba, F>,
    by_count: BTreeMap<u64, F>,
    /// How many events there were.
    count: u64,
}

impl<F> Default for Table<F> {
    fn default() -> Self {
        Self {
            by_block: BTreeMap::new(),
            by_count: BTreeMap::new(),
            count: 0,
        }
    }
}

impl<F: Copy> Table<F> {
    pub fn plant(&mut self, at: At, fault: F) {
        match at {
            At::Block(lba) => self.by_block.insert(lba, fault),
            At::After(others) => self
                .by_count
                .insert(self.count.saturating_add(others), fault),
        };
    }

    /// Takes away what was planted at a block.
    pub fn remove(&mut self, lba: Lba) {
        self.by_block.remove(&lba);
    }

    /// The fault that strikes an event that concerns these blocks; with it, the block it was
    /// planted at. One planted by count is gone then.
    pub fn strike(&mut self, range: Option<BlockRange>) -> Option<(Option<Lba>, F)> {
        let number = self.count;
        self.count += 1;
        if !self.by_count.is_empty()
            && let Some(fault) = self.by_count.remove(&number)
        {
            return Some((None, fault));
        }
        if self.by_block.is_empty() {
            return None;
        }
        let range = range?;
        let mut planted = self.by_block.range(range.start_lba()..=range.end_lba());
        planted.next().map(|(lba, fault)| (Some(*lba), *fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_begin_when_a_fault_is_planted() {
        let mut table = Table::default();
        assert_eq!(table.strike(None), None);
        table.plant(At::After(1), 'a');
        let block_5 = BlockRange::new(Lba::new(5), Lba::new(5));
        table.plant(At::Block(Lba::new(5)), 'b');
        assert_eq!(table.strike(None), None);
        assert_eq!(table.strike(None), Some((None, 'a')));
        assert_eq!(table.strike(None), None);
        let at_5 = Some((Some(Lba::new(5)), 'b'));
        assert_eq!(table.strike(block_5), at_5);
        assert_eq!(table.strike(block_5), at_5, "a fault at a block stays");
        table.remove(Lba::new(5));
        assert_eq!(table.strike(block_5), None);
    }
}
