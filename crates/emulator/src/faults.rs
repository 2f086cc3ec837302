//! What shall go wrong: faults that a test plants in a drive.
//!
//! A read error is planted in the disc, see
//! [`VirtualDisc::make_unreadable`](crate::VirtualDisc::make_unreadable).

use std::collections::BTreeMap;

use reburn_blocks::{Lba, WriteUnit};

/// How a write goes wrong when it reaches the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// It fails with 3/0C/00, and the write unit is unreadable afterwards.
    Error,
    /// It is reported as done, and the medium stays as it was.
    Silent,
}

/// Faults planted in a drive, by block. They stay until they are cleared.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    writes: BTreeMap<Lba, WriteFault>,
}

impl Faults {
    /// Makes every write of the write unit that holds `lba` go wrong.
    pub fn plant_write(&mut self, lba: Lba, fault: WriteFault) {
        self.writes.insert(lba, fault);
    }

    /// Takes all faults away.
    pub fn clear(&mut self) {
        self.writes.clear();
    }

    /// The first fault planted in a write unit, and where.
    pub(crate) fn write_fault(&self, unit: WriteUnit, number: u32) -> Option<(Lba, WriteFault)> {
        if self.writes.is_empty() {
            return None;
        }
        let range = crate::disc::unit_range(unit, number)?;
        let mut planted = self.writes.range(range.start_lba()..=range.end_lba());
        planted.next().map(|(lba, fault)| (*lba, *fault))
    }
}
