//! Answers to commands, one file a family.

mod cd;
mod identity;
mod medium;
mod settings;
mod status;
mod transfer;

pub(crate) use settings::Settings;

use reburn_drive::software::{Answer, Outcome, list};
use reburn_drive::{Data, TransportError};
use reburn_mmc::command::Command;
use reburn_mmc::{Cdb, Sense};

use crate::Emulator;

impl Emulator {
    /// Answers a command that moves no blocks and takes no parameters.
    pub(crate) fn respond(&mut self, command: &Command) -> Outcome {
        match command {
            Command::TestUnitReady(_) => self.loaded().map(|_| Answer::DONE),
            Command::RequestSense(command) => {
                let sense = self.current_sense();
                Ok(Answer::bytes(sense.encode().to_vec(), command.allocation))
            }
            Command::Inquiry(command) => self.inquiry(*command),
            Command::GetConfiguration(command) => Ok(self.configuration(*command)),
            Command::GetEventStatus(command) => Ok(self.event_status(*command)),
            Command::MechanismStatus(command) => Ok(self.mechanism_status(*command)),
            Command::StartStopUnit(command) => self.start_stop(*command),
            Command::PreventAllow(command) => {
                self.locked = command.prevent;
                Ok(Answer::DONE)
            }
            Command::ModeSense(command) => self.mode_sense(*command),
            Command::SetCdSpeed(command) => Ok(self.set_speed(*command)),
            Command::GetPerformance(command) => self.performance(*command),
            Command::ReadBufferCapacity(command) => Ok(self.buffer_capacity(*command)),
            Command::SynchronizeCache(command) => self.synchronize(*command),
            Command::Verify10(command) => self.verify(*command),
            Command::Seek10(command) => self.seek(command.lba),
            Command::ReadBuffer(_) => Err(Sense::INVALID_FIELD_IN_CDB),
            command => self.respond_for_medium(command),
        }
    }

    /// Carries out a command that comes with a list of parameters.
    pub(crate) fn parameters(
        &mut self,
        cdb: &Cdb,
        command: &Command,
        data: &Data<'_>,
    ) -> Result<Outcome, TransportError> {
        let sent = list(cdb, data)?;
        let cut = |len: u16| &sent[..sent.len().min(usize::from(len))];
        let done = match command {
            Command::FormatUnit(_) => self.format(sent),
            Command::ModeSelect(command) => self.mode_select(*command, cut(command.list_length)),
            Command::SetStreaming(command) => {
                self.set_streaming(*command, cut(command.list_length))
            }
            Command::SendDiscStructure(command) => {
                self.send_structure(*command, cut(command.list_length))
            }
            Command::SendCueSheet(command) => {
                let len = usize::try_from(command.list_length).unwrap_or(usize::MAX);
                self.cue_sheet(&sent[..sent.len().min(len)])
            }
            _ => Err(Sense::INVALID_COMMAND),
        };
        Ok(done.map(|()| Answer::Done(sent.len())))
    }
}
