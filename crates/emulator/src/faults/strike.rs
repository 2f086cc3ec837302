//! Faults of commands as a whole: what they do to the drive and what it answers.

use std::sync::Arc;

use reburn_blocks::{BlockCount, BlockRange};
use reburn_mmc::command::Command;
use reburn_mmc::reply::MediaEvent;
use reburn_mmc::{Cdb, Sense};

use super::CommandFault;
use crate::profile::LateErrors;
use crate::tracks::TrackState;
use crate::{Emulator, Fate};

/// What a fault leaves of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Struck {
    /// It is carried out; if nothing else is wrong, this is said of it.
    Done(Option<Sense>),
    /// It is answered with this and not carried out.
    Refused(Sense),
}

impl Emulator {
    /// What planted faults do to a command that the drive turns to now.
    pub(crate) fn strike(&mut self, cdb: &Cdb, command: &Command) -> Struck {
        let Some(fault) = self.faults.on_command(cdb.opcode(), blocks_of(command)) else {
            return Struck::Done(None);
        };
        match fault {
            CommandFault::Refused(sense) => Struck::Refused(sense),
            CommandFault::Effort(sense) => Struck::Done(Some(sense)),
            CommandFault::Reset => {
                self.reset();
                Struck::Refused(self.pending.pop_front().unwrap_or(Sense::POWER_ON_RESET))
            }
            CommandFault::Removal => {
                self.pull_out();
                Struck::Done(None)
            }
            CommandFault::Underrun if is_write(command) => match self.underrun() {
                Ok(()) => Struck::Done(None),
                Err(sense) => Struck::Refused(sense),
            },
            CommandFault::Underrun => Struck::Done(None),
        }
    }

    /// An error of an earlier write that this command meets, as the drive tells it.
    pub(crate) fn late(&self, sense: Sense) -> Sense {
        match self.profile.late_errors {
            LateErrors::Deferred => sense.as_deferred(),
            LateErrors::Current => sense,
        }
    }

    /// The medium is pulled out, locked in or not: what the buffer held is lost.
    fn pull_out(&mut self) {
        if self.discard_buffer().is_err() {
            self.pending.push_back(Sense::WRITE_ERROR.as_deferred());
        }
        self.activity = crate::emulator::Activity::Idle;
        self.tray_open = true;
        self.locked = false;
        self.event = MediaEvent::MediaRemoval;
    }

    /// The buffer ran empty. Without underrun protection a track that is being recorded ends
    /// there, and cannot be recorded on.
    fn underrun(&mut self) -> Result<(), Sense> {
        if self.settings.write_parameters().underrun_protection {
            return Ok(());
        }
        let Some(medium) = &self.medium else {
            return Ok(());
        };
        let Some(index) = medium.state().tracks.recording() else {
            return Ok(());
        };
        self.empty_buffer()?;
        let medium = self.loaded_mut()?;
        medium.live = None;
        medium.at_once = None;
        let mut state = medium.disc.state().clone();
        if let Some(track) = Arc::make_mut(&mut state.tracks).tracks.get_mut(index) {
            track.state = TrackState::Damaged { repairable: false };
        }
        let stored = medium.disc.set_state(state);
        stored.map_err(|_| Sense::WRITE_ERROR)?;
        Err(Sense::LOSS_OF_STREAMING)
    }
}

const fn is_write(command: &Command) -> bool {
    matches!(
        command,
        Command::Write10(_) | Command::Write12(_) | Command::WriteAndVerify(_)
    )
}

/// The blocks that a command reads or writes.
fn blocks_of(command: &Command) -> Option<BlockRange> {
    let count = |blocks: u16| BlockCount::new(u32::from(blocks));
    let (lba, count) = match command {
        Command::Read10(command) => (command.lba, count(command.blocks)),
        Command::Read12(command) => (command.lba, command.blocks),
        Command::Write10(command) => (command.address.lba()?, count(command.blocks)),
        Command::Write12(command) => (command.address.lba()?, command.blocks),
        Command::WriteAndVerify(command) => (command.lba, count(command.blocks)),
        Command::Verify10(command) => (command.lba, count(command.blocks)),
        Command::ReadCd(command) => (command.address.lba()?, BlockCount::new(command.sectors)),
        _ => return None,
    };
    BlockRange::with_count(lba, count)
}

impl Emulator {
    /// What the buffer holds is lost, as with the power.
    pub(crate) fn discard_buffer(&mut self) -> std::io::Result<()> {
        self.lose_buffer(|_| Fate::Old)
    }
}
