//! Power: what a cut leaves behind, and starting anew.

use std::collections::VecDeque;
use std::io;

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
    pub fn power_cut(&mut self, mut fate: impl FnMut(BlockRange) -> Fate) -> io::Result<()> {
        self.powered = false;
        self.activity = Activity::Idle;
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
        medium.disc.store_state()?;
        medium.disc.settle()?;
        let repairable = self.profile.sequential.damage_is_repairable;
        let state = medium.disc.state().clone();
        medium
            .disc
            .set_state(state.after_power_cut(kind, repairable))
    }

    /// A host resets the drive: settings are as after power on, the tray is unlocked, and what
    /// was to be reported is forgotten. The disc stays in, what runs goes on, and the buffer
    /// keeps its data unless the drive's profile says that it loses them. Whoever resets a
    /// drive tells its hosts.
    pub fn reset(&mut self) {
        self.locked = false;
        self.settings = Settings::new(&self.profile);
        self.pending.clear();
        if self.profile.reset_empties_buffer
            && let Some(medium) = &mut self.medium
        {
            medium.buffer.clear();
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
