//! Many faults together, drawn by a caller's random numbers and shown as text.

use std::fmt;

use reburn_blocks::{BlockCount, Lba};
use reburn_mmc::Sense;

use super::{At, CommandFault, ReadFault, WriteFault};
use crate::Fate;

/// One fault and where or when it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedFault {
    /// A write unit that is recorded.
    Write(At, WriteFault),
    /// A write unit that is read.
    Read(At, ReadFault),
    /// A command.
    Command(At, CommandFault),
}

/// Faults to be planted together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultPlan {
    /// The faults, in no order.
    pub faults: Vec<PlannedFault>,
}

impl FaultPlan {
    /// `count` faults on a medium of `blocks` blocks and during the next `commands` commands.
    ///
    /// `below` draws a number smaller than its argument, which is never 0. No random number is
    /// drawn elsewhere: the same draws give the same plan.
    pub fn random(
        count: usize,
        blocks: BlockCount,
        commands: u64,
        mut below: impl FnMut(u64) -> u64,
    ) -> Self {
        let faults = (0..count)
            .map(|_| {
                let kind = below(KINDS);
                let at = if below(2) == 0 {
                    let block = below(u64::from(blocks.get().max(1)));
                    At::Block(Lba::checked(block).unwrap_or_default())
                } else {
                    At::After(below(commands.max(1)))
                };
                let tries = u32::try_from(below(4)).unwrap_or_default() + 1;
                planned(kind, at, tries)
            })
            .collect();
        Self { faults }
    }
}

/// How many kinds [`planned`] tells apart.
const KINDS: u64 = 15;

/// A fault of a kind. Faults that strike every command at a block would never end, so those of
/// commands are always planted by count.
fn planned(kind: u64, at: At, tries: u32) -> PlannedFault {
    let once = match at {
        At::Block(lba) => At::After(u64::from(lba.get() % 64)),
        after @ At::After(_) => after,
    };
    let fails = |sense| PlannedFault::Write(at, WriteFault::Fails(sense));
    let cut = |fate| PlannedFault::Write(once, WriteFault::PowerCut(fate));
    let command = |fault| PlannedFault::Command(once, fault);
    match kind {
        0 => fails(Sense::WRITE_ERROR),
        1 => PlannedFault::Write(at, WriteFault::Silent),
        2 => fails(Sense::AUTO_REALLOCATION_FAILED),
        3 => fails(Sense::NO_DEFECT_SPARE),
        4 => fails(Sense::TRACKING_SERVO_FAILURE),
        5 => cut(Fate::Old),
        6 => cut(Fate::New),
        7 => cut(Fate::Unreadable),
        8 => PlannedFault::Read(at, ReadFault::UNCORRECTABLE),
        9 => PlannedFault::Read(at, ReadFault::transient(tries)),
        10 => command(CommandFault::Refused(Sense::LONG_WRITE_IN_PROGRESS)),
        11 => command(CommandFault::Effort(Sense::RECOVERED_WITH_CORRECTION)),
        12 => command(CommandFault::Reset),
        13 => command(CommandFault::Removal),
        _ => command(CommandFault::Underrun),
    }
}

/// A line: `write, at block 7: silently lost`.
impl fmt::Display for PlannedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(at, fault) => {
                write!(f, "write, {at}: ")?;
                match fault {
                    WriteFault::Fails(sense) => write!(f, "fails, {sense}"),
                    WriteFault::Silent => f.write_str("silently lost"),
                    WriteFault::PowerCut(fate) => write!(f, "power cut, unit {fate}"),
                }
            }
            Self::Read(at, ReadFault { sense, tries }) => {
                write!(f, "read, {at}: {sense}")?;
                match tries {
                    Some(tries) => write!(f, ", {tries} times"),
                    None => f.write_str(", always"),
                }
            }
            Self::Command(at, fault) => {
                write!(f, "command, {at}: ")?;
                match fault {
                    CommandFault::Refused(sense) => write!(f, "refused, {sense}"),
                    CommandFault::Effort(sense) => write!(f, "done, {sense}"),
                    CommandFault::Reset => f.write_str("reset"),
                    CommandFault::Removal => f.write_str("medium taken out"),
                    CommandFault::Underrun => f.write_str("data late"),
                }
            }
        }
    }
}

/// A line for each fault.
impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_same_draws_give_the_same_plan() {
        let plan = |step: u64| {
            let mut number = 0;
            FaultPlan::random(15, BlockCount::new(1000), 100, |limit| {
                number += step;
                number % limit
            })
        };
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(11));
    }

    #[test]
    fn every_kind_reads_as_a_line() {
        let at = At::Block(Lba::new(40));
        let faults = (0..KINDS).map(|kind| planned(kind, at, 2)).collect();
        let shown = FaultPlan { faults }
            .to_string()
            .replace("logical unit not ready, long write in progress", "..")
            .replace("recovered data with error correction applied", "..");
        assert_snapshot!(shown, @r"
        write, at block 40: fails, medium error: write error (3/0C/00)
        write, at block 40: silently lost
        write, at block 40: fails, medium error: write error, auto reallocation failed (3/0C/02)
        write, at block 40: fails, medium error: no defect spare location available (3/32/00)
        write, at block 40: fails, hardware error: tracking servo failure (4/09/01)
        write, after 40 others: power cut, unit old
        write, after 40 others: power cut, unit new
        write, after 40 others: power cut, unit unreadable
        read, at block 40: medium error: L-EC uncorrectable error (3/11/05), always
        read, at block 40: medium error: unrecovered read error (3/11/00), 2 times
        command, after 40 others: refused, not ready: .. (2/04/08)
        command, after 40 others: done, recovered error: .. (1/18/00)
        command, after 40 others: reset
        command, after 40 others: medium taken out
        command, after 40 others: data late
        ");
    }
}
