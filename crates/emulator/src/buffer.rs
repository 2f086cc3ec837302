//! A drive's write buffer: write units that a host has written and the medium does not have.
//!
//! Invariants: units leave in the order in which they came; a unit stands in the buffer once,
//! with the newest bytes of each of its blocks; nothing here survives a power cut.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use reburn_blocks::{BLOCK_SIZE, WriteUnit};

/// One write unit in the buffer.
#[derive(Debug, Clone)]
pub(crate) struct Buffered {
    /// A whole unit; blocks never written hold zeros.
    pub data: Arc<[u8]>,
    /// The blocks written, a bit each.
    written: u64,
    /// Whether the host wants speed and not a check.
    pub streaming: bool,
}

impl Buffered {
    /// Whether every block of the unit was written.
    pub fn is_whole(&self, unit: WriteUnit) -> bool {
        self.written == mask(0, unit.bytes())
    }

    /// Whether the blocks of these bytes were all written.
    fn covers(&self, offset: usize, len: usize) -> bool {
        let wanted = mask(offset, len);
        self.written & wanted == wanted
    }

    /// Copies the blocks that were written over `buf`, which holds the unit from byte `offset`
    /// on.
    pub fn copy_over(&self, offset: usize, buf: &mut [u8]) {
        let first = offset / BLOCK_SIZE;
        for (index, block) in buf.chunks_exact_mut(BLOCK_SIZE).enumerate() {
            let number = first + index;
            if self.written >> number & 1 == 1 {
                let start = number * BLOCK_SIZE;
                block.copy_from_slice(&self.data[start..start + BLOCK_SIZE]);
            }
        }
    }
}

/// A bit for each block of `len` bytes at `offset`. Units have at most 32 blocks.
fn mask(offset: usize, len: usize) -> u64 {
    ((1u64 << (len / BLOCK_SIZE)) - 1) << (offset / BLOCK_SIZE)
}

/// The write buffer.
#[derive(Debug, Clone)]
pub(crate) struct WriteBuffer {
    unit: WriteUnit,
    units: BTreeMap<u32, Buffered>,
    order: VecDeque<u32>,
}

impl WriteBuffer {
    /// Nothing, for a medium with this write unit.
    pub fn new(unit: WriteUnit) -> Self {
        Self {
            unit,
            units: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// How many units are in it.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// The units, oldest first.
    pub fn order(&self) -> impl Iterator<Item = u32> {
        self.order.iter().copied()
    }

    /// The unit, if it is in the buffer.
    pub fn get(&self, number: u32) -> Option<&Buffered> {
        self.units.get(&number)
    }

    /// Whether all of these bytes are in the buffer.
    pub fn covers(&self, number: u32, offset: usize, len: usize) -> bool {
        self.get(number)
            .is_some_and(|unit| unit.covers(offset, len))
    }

    /// Whether one of the blocks of these bytes is in the buffer.
    pub fn overlaps(&self, number: u32, offset: usize, len: usize) -> bool {
        self.get(number)
            .is_some_and(|unit| unit.written & mask(offset, len) != 0)
    }

    /// The oldest unit.
    pub fn oldest(&self) -> Option<&Buffered> {
        self.order.front().and_then(|number| self.get(*number))
    }

    /// Whether every unit in it was written as a whole.
    pub fn is_whole(&self) -> bool {
        self.units.values().all(|unit| unit.is_whole(self.unit))
    }

    /// Takes the bytes of whole blocks at `offset` of a unit.
    pub fn write(&mut self, number: u32, offset: usize, data: &[u8], streaming: bool) {
        let written = mask(offset, data.len());
        let whole = data.len() == self.unit.bytes();
        if let Some(unit) = self.units.get_mut(&number) {
            if whole {
                unit.data = Arc::from(data);
            } else {
                Arc::make_mut(&mut unit.data)[offset..offset + data.len()].copy_from_slice(data);
            }
            unit.written |= written;
            unit.streaming &= streaming;
            return;
        }
        let data = if whole {
            Arc::from(data)
        } else {
            let mut unit = vec![0; self.unit.bytes()];
            unit[offset..offset + data.len()].copy_from_slice(data);
            Arc::from(unit)
        };
        let unit = Buffered {
            data,
            written,
            streaming,
        };
        self.units.insert(number, unit);
        self.order.push_back(number);
    }

    /// Takes out the oldest unit.
    pub fn pop_oldest(&mut self) -> Option<(u32, Buffered)> {
        let number = self.order.pop_front()?;
        let unit = self.units.remove(&number)?;
        Some((number, unit))
    }

    /// Puts a unit back that was taken out, as the oldest one.
    pub fn put_back(&mut self, number: u32, unit: Buffered) {
        self.order.retain(|other| *other != number);
        self.order.push_front(number);
        self.units.insert(number, unit);
    }

    /// Takes out one unit.
    pub fn take(&mut self, number: u32) -> Option<Buffered> {
        let unit = self.units.remove(&number)?;
        self.order.retain(|other| *other != number);
        Some(unit)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.units.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_a_unit_gather() {
        let unit = WriteUnit::DVD;
        let mut buffer = WriteBuffer::new(unit);
        buffer.write(7, BLOCK_SIZE, &[1; 2 * BLOCK_SIZE], false);
        buffer.write(3, 0, &vec![9; unit.bytes()], false);
        buffer.write(7, 2 * BLOCK_SIZE, &[2; BLOCK_SIZE], true);
        assert_eq!(buffer.order().collect::<Vec<_>>(), [7, 3]);
        assert!(buffer.covers(7, BLOCK_SIZE, 2 * BLOCK_SIZE));
        assert!(!buffer.covers(7, 0, 2 * BLOCK_SIZE));
        assert!(buffer.get(3).unwrap().is_whole(unit));

        let (number, part) = buffer.pop_oldest().unwrap();
        assert_eq!(number, 7);
        assert!(!part.is_whole(unit) && !part.streaming);
        let mut read = vec![5; 4 * BLOCK_SIZE];
        part.copy_over(0, &mut read);
        let firsts: Vec<u8> = read.iter().step_by(BLOCK_SIZE).copied().collect();
        assert_eq!(firsts, [5, 1, 2, 5]);
    }

    #[test]
    fn a_unit_written_block_by_block_becomes_whole() {
        let unit = WriteUnit::BLU_RAY;
        let mut buffer = WriteBuffer::new(unit);
        for block in (0..32u8).rev() {
            assert!(!buffer.get(0).is_some_and(|whole| whole.is_whole(unit)));
            let offset = usize::from(block) * BLOCK_SIZE;
            buffer.write(0, offset, &[block; BLOCK_SIZE], false);
        }
        assert_eq!(buffer.len(), 1);
        assert!(buffer.take(0).unwrap().is_whole(unit));
        assert_eq!(buffer.len(), 0);
    }
}
