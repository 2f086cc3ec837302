//! One command after the other: what comes before any answer, and who answers.

use std::io;
use std::time::Duration;

use reburn_drive::software::deliver;
use reburn_drive::{Data, Drive, Reply, TransportError};
use reburn_mmc::command::Command;
use reburn_mmc::{Cdb, Sense};

use crate::Emulator;
use crate::emulator::{Activity, Loaded};
use crate::faults::Struck;

/// Whether a command is answered whatever the drive has to report or is busy with (MMC-6,
/// section on unit attentions).
fn is_always_answered(command: &Command) -> bool {
    matches!(
        command,
        Command::Inquiry(_)
            | Command::RequestSense(_)
            | Command::GetConfiguration(_)
            | Command::GetEventStatus(_)
    )
}

/// Whether a command is answered while a medium is loaded or formatted.
fn is_answered_when_busy(command: &Command) -> bool {
    is_always_answered(command)
        || matches!(
            command,
            Command::ModeSense(_)
                | Command::MechanismStatus(_)
                | Command::PreventAllow(_)
                | Command::ReadBufferCapacity(_)
        )
}

impl Drive for Emulator {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        if !self.is_powered() {
            return Err(no_power());
        }
        self.spend(self.profile.mechanics.command);
        self.catch_up();
        if !self.is_powered() {
            return Err(no_power()); // it failed while recording
        }
        let command = match self.admit(cdb) {
            Ok(command) => command,
            Err(sense) => return Ok(Reply::refused(sense)),
        };
        let struck = if is_always_answered(&command) {
            Struck::Done(None)
        } else {
            self.strike(cdb, &command)
        };
        let effort = match struck {
            Struck::Refused(sense) => return Ok(Reply::refused(sense)),
            Struck::Done(effort) => effort,
        };
        let reply = self.carry_out(cdb, command, data)?;
        if !self.is_powered() {
            return Err(no_power()); // it failed meanwhile
        }
        Ok(Reply {
            sense: reply.sense.or(effort),
            ..reply
        })
    }

    fn wait(&mut self, time: Duration) {
        self.idle(time);
    }
}

/// Why a drive that is off does not answer.
fn no_power() -> TransportError {
    let off = io::Error::new(io::ErrorKind::NotConnected, "the drive has no power");
    TransportError::Lost(off)
}

impl Emulator {
    fn carry_out(
        &mut self,
        cdb: &Cdb,
        command: Command,
        data: Data<'_>,
    ) -> Result<Reply, TransportError> {
        match command {
            Command::Read10(_) | Command::Read12(_) => self.send(cdb, &command, data),
            Command::Write10(_) | Command::Write12(_) | Command::WriteAndVerify(_) => {
                self.take(cdb, &command, &data)
            }
            Command::ReadCd(command) => self.send_sectors(cdb, &command, data),
            Command::ReadCdMsf(command) => match Self::by_address(&command) {
                Ok(command) => self.send_sectors(cdb, &command, data),
                Err(sense) => Ok(Reply::refused(sense)),
            },
            Command::FormatUnit(_)
            | Command::ModeSelect(_)
            | Command::SetStreaming(_)
            | Command::SendDiscStructure(_)
            | Command::SendCueSheet(_) => {
                let outcome = self.parameters(cdb, &command, &data)?;
                deliver(cdb, outcome, data)
            }
            command => deliver(cdb, self.respond(&command), data),
        }
    }

    /// The command, if the drive can turn to it now.
    fn admit(&mut self, cdb: &Cdb) -> Result<Command, Sense> {
        let decoded = Command::from_cdb(cdb);
        if decoded.as_ref().is_ok_and(is_always_answered) {
            return decoded;
        }
        if let Some(sense) = self.pending.pop_front() {
            return Err(sense);
        }
        let command = decoded?;
        if !is_answered_when_busy(&command)
            && let Some(busy) = self.busy(&command)
        {
            return Err(busy);
        }
        if moves_blocks(&command) {
            self.wait_for_flush();
        }
        Ok(command)
    }

    /// What keeps the drive from this command.
    fn busy(&self, command: &Command) -> Option<Sense> {
        match &self.activity {
            Activity::Idle => None,
            Activity::Loading { .. } => Some(Sense::BECOMING_READY),
            &Activity::Working {
                since,
                until,
                sense,
                ..
            } => Some(sense.with_progress(self.progress(since, until))),
            Activity::Flushing { .. } => {
                let tells = match command {
                    Command::TestUnitReady(_) => self.profile.ready_tells_of_flush,
                    Command::ReadDiscInformation(_) | Command::ReadTrackInformation(_) => true,
                    _ => false,
                };
                tells.then_some(Sense::OPERATION_IN_PROGRESS)
            }
        }
    }

    /// What the drive would report now if it were asked for sense.
    pub(crate) fn current_sense(&mut self) -> Sense {
        self.pending.pop_front().unwrap_or_else(|| {
            let asked = Command::TestUnitReady(reburn_mmc::command::TestUnitReady);
            self.busy(&asked).unwrap_or(Sense::NONE)
        })
    }

    /// The medium, if there is one behind a closed tray.
    pub(crate) fn loaded(&self) -> Result<&Loaded, Sense> {
        if self.tray_open {
            return Err(Sense::NO_MEDIUM_TRAY_OPEN);
        }
        self.medium.as_ref().ok_or(Sense::NO_MEDIUM_TRAY_CLOSED)
    }

    /// [`Emulator::loaded`], to change it.
    pub(crate) fn loaded_mut(&mut self) -> Result<&mut Loaded, Sense> {
        if self.tray_open {
            return Err(Sense::NO_MEDIUM_TRAY_OPEN);
        }
        self.medium.as_mut().ok_or(Sense::NO_MEDIUM_TRAY_CLOSED)
    }
}

/// Commands that wait for a flush that goes on beside them.
fn moves_blocks(command: &Command) -> bool {
    matches!(
        command,
        Command::Read10(_)
            | Command::Read12(_)
            | Command::Write10(_)
            | Command::Write12(_)
            | Command::WriteAndVerify(_)
            | Command::Verify10(_)
            | Command::ReadCd(_)
            | Command::ReadCdMsf(_)
            | Command::SendCueSheet(_)
            | Command::SendDiscStructure(_)
            | Command::SynchronizeCache(_)
            | Command::FormatUnit(_)
            | Command::CloseTrackSession(_)
            | Command::ReserveTrack(_)
            | Command::RepairTrack(_)
            | Command::Blank(_)
            | Command::StartStopUnit(_)
    )
}
