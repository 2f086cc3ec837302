//! What shall go wrong: faults that a test plants in a drive, at a block or by count.
//!
//! Three things can go wrong: a write unit that is recorded, one that is read, and a command
//! as a whole. The same plan of faults and the same commands give the same answers; a
//! [`FaultPlan`] puts many together and can be shown as text.
//!
//! What stays broken without a drive is planted in the disc, see
//! [`VirtualDisc::make_unreadable`](crate::VirtualDisc::make_unreadable).

mod plan;
mod strike;
mod table;

use std::fmt;

use reburn_blocks::{BlockRange, Lba, WriteUnit};
use reburn_mmc::Sense;

pub(crate) use strike::Struck;

pub use plan::{FaultPlan, PlannedFault};
use table::Table;

use crate::Fate;
use crate::disc::unit_range;

/// Where or when a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// Whenever the write unit that holds this block is concerned, until the faults are cleared.
    Block(Lba),
    /// Once, after so many others since the fault was planted: 0 is the next one.
    After(u64),
}

/// `block 7`, `after 3 others`.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(lba) => write!(f, "at block {lba}"),
            Self::After(count) => write!(f, "after {count} others"),
        }
    }
}

/// How a write goes wrong when it reaches the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteFault {
    /// It fails with this sense, and the write unit is unreadable afterwards: 3/0C/00 as a rule,
    /// 3/32/00 or 3/0C/02 if nothing is left to take its place, 4/09/01 if the laser lost the
    /// track.
    Fails(Sense),
    /// It is reported as done, and the medium stays as it was.
    Silent,
    /// The power fails while this write unit is being recorded: it ends as said, and what else
    /// is in the buffer is lost.
    PowerCut(Fate),
}

impl WriteFault {
    /// It fails with 3/0C/00.
    pub const ERROR: Self = Self::Fails(Sense::WRITE_ERROR);
}

/// How a read goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadFault {
    /// What the drive says: 3/11/05 as a rule.
    pub sense: Sense,
    /// How often it fails before it succeeds; `None` for always.
    pub tries: Option<u32>,
}

impl ReadFault {
    /// Cannot be corrected, ever.
    pub const UNCORRECTABLE: Self = Self {
        sense: Sense::UNCORRECTABLE_ERROR,
        tries: None,
    };

    /// Fails so many times with 3/11/00, then succeeds.
    pub const fn transient(tries: u32) -> Self {
        Self {
            sense: Sense::UNRECOVERED_READ_ERROR,
            tries: Some(tries),
        }
    }
}

/// How a command goes wrong as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandFault {
    /// It is not carried out, and refused with this sense: 3/73/03 when the laser's power cannot
    /// be calibrated, 4/3E/02, 2/04/08.
    Refused(Sense),
    /// It is carried out, and answered with this sense of key 1, recovered error.
    Effort(Sense),
    /// The drive resets instead of carrying it out: 6/29/00 answers it.
    Reset,
    /// Someone takes the medium out just before: what the buffer held is lost.
    Removal,
    /// The host is late with its data. Without underrun protection, a write that must not be
    /// interrupted fails with 3/0C/09.
    Underrun,
}

/// Faults planted in a drive. They stay until they strike, or until they are cleared.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    writes: Table<WriteFault>,
    reads: Table<ReadFault>,
    commands: Table<CommandFault>,
    /// Commands by operation code, each counted for itself.
    by_opcode: Vec<(u8, Table<CommandFault>)>,
}

impl Faults {
    /// Makes every write of the write unit that holds `lba` go wrong.
    pub fn plant_write(&mut self, lba: Lba, fault: WriteFault) {
        self.writes.plant(At::Block(lba), fault);
    }

    /// Makes a write unit go wrong that is recorded there, or then.
    pub fn plant_write_at(&mut self, at: At, fault: WriteFault) {
        self.writes.plant(at, fault);
    }

    /// Makes a write unit go wrong that is read from the medium there, or then. What the buffer
    /// has is not read from the medium.
    pub fn plant_read(&mut self, at: At, fault: ReadFault) {
        self.reads.plant(at, fault);
    }

    /// Makes a command go wrong: one that reads or writes this block, or by count.
    pub fn plant_command(&mut self, at: At, fault: CommandFault) {
        self.commands.plant(at, fault);
    }

    /// [`Faults::plant_command`] that counts only commands with this operation code.
    pub fn plant_opcode(&mut self, opcode: u8, at: At, fault: CommandFault) {
        let index = self.by_opcode.iter().position(|(code, _)| *code == opcode);
        let index = index.unwrap_or_else(|| {
            self.by_opcode.push((opcode, Table::default()));
            self.by_opcode.len() - 1
        });
        self.by_opcode[index].1.plant(at, fault);
    }

    /// Plants everything that a plan has.
    pub fn plant(&mut self, plan: &FaultPlan) {
        for fault in &plan.faults {
            match *fault {
                PlannedFault::Write(at, fault) => self.plant_write_at(at, fault),
                PlannedFault::Read(at, fault) => self.plant_read(at, fault),
                PlannedFault::Command(at, fault) => self.plant_command(at, fault),
            }
        }
    }

    /// Takes all faults away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What happens to a write unit that is recorded now, and the block at fault.
    pub(crate) fn on_record(&mut self, unit: WriteUnit, number: u32) -> Option<(Lba, WriteFault)> {
        let range = unit_range(unit, number);
        let (lba, fault) = self.writes.strike(range)?;
        Some((lba.or(range.map(BlockRange::start_lba))?, fault))
    }

    /// What happens to a write unit that is read from the medium now, and the block at fault.
    pub(crate) fn on_read(&mut self, unit: WriteUnit, number: u32) -> Option<(Lba, Sense)> {
        let range = unit_range(unit, number)?;
        let (lba, fault) = self.reads.strike(Some(range))?;
        let left = fault.tries.map(|tries| tries.saturating_sub(1));
        let first = lba.unwrap_or(range.start_lba());
        match left {
            Some(0) => self.reads.remove(first),
            // A fault planted by count becomes one of the place where it struck.
            Some(tries) => {
                let tries = Some(tries);
                self.reads
                    .plant(At::Block(first), ReadFault { tries, ..fault });
            }
            None => {}
        }
        Some((first, fault.sense))
    }

    /// What happens to a command that reads or writes these blocks, if any.
    pub(crate) fn on_command(
        &mut self,
        opcode: u8,
        range: Option<BlockRange>,
    ) -> Option<CommandFault> {
        let any = self.commands.strike(range);
        let tables = self.by_opcode.iter_mut();
        let of_opcode = tables
            .filter(|(code, _)| *code == opcode)
            .find_map(|(_, table)| table.strike(range));
        any.or(of_opcode).map(|(_, fault)| fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transient_read_error_passes() {
        let mut faults = Faults::default();
        faults.plant_read(At::Block(Lba::new(40)), ReadFault::transient(2));
        let unit = WriteUnit::DVD;
        let struck = Some((Lba::new(40), Sense::UNRECOVERED_READ_ERROR));
        assert_eq!(faults.on_read(unit, 1), None);
        assert_eq!(faults.on_read(unit, 2), struck);
        assert_eq!(faults.on_read(unit, 2), struck);
        assert_eq!(faults.on_read(unit, 2), None);
    }

    #[test]
    fn a_read_error_by_count_stays_where_it_struck() {
        let mut faults = Faults::default();
        faults.plant_read(At::After(1), ReadFault::transient(2));
        let unit = WriteUnit::DVD;
        assert_eq!(faults.on_read(unit, 7), None);
        assert!(faults.on_read(unit, 8).is_some());
        assert_eq!(faults.on_read(unit, 9), None);
        assert!(faults.on_read(unit, 8).is_some());
        assert_eq!(faults.on_read(unit, 8), None);
    }

    #[test]
    fn commands_are_counted_together_or_by_their_code() {
        let mut faults = Faults::default();
        faults.plant_opcode(0x2a, At::After(1), CommandFault::Reset);
        faults.plant_command(At::After(3), CommandFault::Underrun);
        let mut answers = Vec::new();
        for opcode in [0x2a, 0x28, 0x2a, 0x2a, 0x2a] {
            answers.push(faults.on_command(opcode, None));
        }
        let reset = Some(CommandFault::Reset);
        let late = Some(CommandFault::Underrun);
        assert_eq!(answers, [None, None, reset, late, None]);
    }
}
