//! Motion of the mechanism: START STOP UNIT.

use reburn_drive::software::{Answer, Outcome};
use reburn_mmc::Sense;
use reburn_mmc::command::{StartStop, StartStopUnit};

use crate::Emulator;
use crate::emulator::Activity;

impl Emulator {
    pub(super) fn start_stop(&mut self, command: StartStopUnit) -> Outcome {
        match command.action {
            StartStop::Eject => self.open_tray()?,
            StartStop::Stop => self.stop()?,
            StartStop::Load => {
                if self.tray_open {
                    self.close_tray();
                }
                if self.medium.is_none() {
                    return Err(Sense::NO_MEDIUM_TRAY_CLOSED);
                }
                if !command.immediate
                    && let Activity::Loading { until, .. } = self.activity
                {
                    self.spend(until.saturating_sub(self.modelled_time()));
                    self.catch_up();
                }
            }
            StartStop::Start => {
                self.loaded()?;
            }
            StartStop::Power(_) => {}
            StartStop::FormatLayer(_) => return Err(Sense::INVALID_FIELD_IN_CDB),
        }
        Ok(Answer::DONE)
    }
}
