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
    /// Every command fails until [`Emulator::power_on`].
    pub fn power_cut(&mut self, mut fate: impl FnMut(BlockRange) -> Fate) -> io::Result<()> {
        self.powered = false;
        self.activity = Activity::Idle;
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        let unit = medium.disc.kind().write_unit();
        while let Some((number, buffered)) = medium.buffer.pop_oldest() {
            let Some(range) = unit_range(unit, number) else {
                continue;
            };
            match fate(range) {
                Fate::Old => {}
                Fate::Unreadable => medium.disc.lose_unit(number)?,
                // A part of a unit that cannot be read could not have been recorded.
                Fate::New => {
                    if let Ok(data) = medium.complete(&self.profile, number, &buffered) {
                        medium.disc.record_unit(number, data)?;
                    }
                }
            }
        }
        medium.disc.settle()?;
        let state = medium.disc.state().after_power_cut();
        medium.disc.set_state(state)
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
