//! Power: what a cut leaves behind, and starting anew.

use std::collections::VecDeque;
use std::{fmt, io};

use reburn_blocks::BlockRange;
use reburn_mmc::Sense;
use reburn_mmc::reply::MediaEvent;

use crate::Emulator;
use crate::disc::unit_range;
use crate::emulator::Activity;
use crate::respond::Settings;
use crate::timing::Head;

/// What becomes of a write unit in the buffer when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was not recorded yet: the disc has the old bytes.
    Old,
    /// It was recorded in time: the disc has the new bytes.
    New,
    /// It was being recorded: the disc has neither.
    Unreadable,
}

/// `old`, `new`, `unreadable`.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Unreadable => "unreadable",
        })
    }
}

impl Emulator {
    /// The power fails. `fate` says of each write unit in the buffer, oldest first, what is on
    /// the disc then; a real drive records one at a time, so at most one is
    /// [`Fate::Unreadable`]. A running format leaves the medium unformatted.
    ///
    /// On a medium that is recorded in sequence what is on the disc is a prefix: every unit is
    /// asked for, but behind the first one that is not [`Fate::New`] all count as
    /// [`Fate::Old`], and recording goes on behind the prefix and a unit that is unreadable. A
    /// replaced unit of a BD-R that is unreadable leaves what it was to replace.
    ///
    /// Every command fails until [`Emulator::power_on`].
    pub fn power_cut(&mut self, fate: impl FnMut(BlockRange) -> Fate) -> io::Result<()> {
        self.powered = false;
        self.activity = Activity::Idle;
        self.draining = None;
        self.lose_buffer(fate)
    }

    /// What is in the buffer ends as `fate` says; see [`Emulator::power_cut`].
    pub(crate) fn lose_buffer(
        &mut self,
        mut fate: impl FnMut(BlockRange) -> Fate,
    ) -> io::Result<()> {
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        let kind = medium.disc.kind();
        let in_sequence = medium.disc.state().mode.is_sequential();
        let mut ended = false;
        while let Some((number, buffered)) = medium.buffer.pop_oldest() {
            let Some(range) = unit_range(kind.write_unit(), number) else {
                continue;
            };
            let fate = match fate(range) {
                _ if ended => Fate::Old,
                fate => fate,
            };
            ended = in_sequence && fate != Fate::New;
            if fate == Fate::Old {
                continue;
            }
            let Ok(goal) = medium.goal(&self.profile, &self.settings, number) else {
                continue;
            };
            if fate == Fate::Unreadable {
                medium.put(goal, number, None)?;
                continue;
            }
            match medium.complete(&self.profile, goal, number, &buffered) {
                Ok(data) => medium.put(goal, number, Some(data))?,
                // A part of a unit that cannot be read could not have been recorded.
                Err(_) => medium.skip(goal, number),
            }
        }
        medium.live = None;
        medium.at_once = None;
        medium.disc.store_state()?;
        medium.disc.settle()?;
        let repairable = self.profile.sequential.damage_is_repairable;
        let state = medium.disc.state().clone();
        medium
            .disc
            .set_state(state.after_power_cut(kind, repairable))
    }

    /// The drive is reset: it forgets settings, locks and what it had to report. Whether the
    /// buffer survives is up to its profile; if not, its data end as in a power cut that comes
    /// too early for all of them. A format or blanking goes on.
    pub fn reset(&mut self) {
        let kept = self.profile.reset_keeps_buffer;
        let lost = if kept { Ok(()) } else { self.discard_buffer() };
        self.locked = false;
        self.settings = Settings::new(&self.profile);
        self.pending = VecDeque::from([Sense::POWER_ON_RESET]);
        if lost.is_err() {
            self.pending.push_back(Sense::WRITE_ERROR.as_deferred());
        }
    }

    /// The power comes back: the drive starts anew and loads the disc that is in it.
    pub fn power_on(&mut self) {
        self.powered = true;
        self.locked = false;
        self.settings = Settings::new(&self.profile);
        self.pending = VecDeque::from([Sense::POWER_ON_RESET]);
        self.event = MediaEvent::None;
        if let Some(medium) = &mut self.medium {
            medium.buffer.clear();
            medium.head = Head::new(&self.profile, medium.disc.kind());
            medium.unsettled = false;
            let until = self.clock + self.profile.mechanics.load;
            self.activity = Activity::Loading { until, new: false };
        }
    }
}
