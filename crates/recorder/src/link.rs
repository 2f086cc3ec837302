//! A drive that is asked with patience.
//!
//! Drives answer "not now" for many reasons: they become ready, write a long buffer, were reset,
//! or have a new medium to report. Here is decided which of these pass by waiting, which are
//! heard out once, and which end the recording.

use std::ops::ControlFlow;
use std::time::Duration;

use reburn_drive::{CommandError, Drive, DriveExt};
use reburn_mmc::command::StartStop;
use reburn_mmc::{Sense, SenseKey};

use crate::medium::supported;
use crate::{Event, RecordError};

/// How long a drive may need to become ready after a medium was inserted.
pub(crate) const READY_LIMIT: Duration = Duration::from_mins(1);
/// How long a drive may hold off a write, or take to empty its buffer.
pub(crate) const WRITE_LIMIT: Duration = Duration::from_secs(200);
/// How long a format may take: several hours for a large disc with certification.
pub(crate) const FORMAT_LIMIT: Duration = Duration::from_hours(6);

/// The first wait; each further one is twice as long, up to the last. A buffer has room again
/// after some milliseconds, a disc needs seconds to spin up.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Changes of the drive's state to be heard out before a command: power on, a new medium, new
/// parameters, and each of them from another host.
const ATTENTIONS_MAX: usize = 8;

/// A drive and someone to tell about it.
pub(crate) struct Link<'a> {
    pub(crate) drive: &'a mut dyn Drive,
    events: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    /// Whether the medium is the one that was examined, so that a change ends the recording.
    settled: bool,
}

impl<'a> Link<'a> {
    pub(crate) fn new(
        drive: &'a mut dyn Drive,
        events: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Self {
        Self {
            drive,
            events,
            settled: false,
        }
    }

    /// Reports a step, after which the caller may want to stop.
    pub(crate) fn emit(&mut self, event: Event) -> Result<(), RecordError> {
        match (self.events)(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(RecordError::Cancelled),
        }
    }

    /// From here on, another medium is an error.
    pub(crate) fn settle(&mut self) {
        self.settled = true;
    }

    /// Carries out a command that leaves the medium as it is. Waits while the drive is busy and
    /// hears out what it has to report.
    pub(crate) fn ask<T>(
        &mut self,
        mut command: impl FnMut(&mut dyn Drive) -> Result<T, CommandError>,
    ) -> Result<T, RecordError> {
        for _ in 0..ATTENTIONS_MAX {
            match self.wait_for(READY_LIMIT, &mut command) {
                Err(RecordError::Command(error)) if is_report(&error) => {}
                result => return result,
            }
        }
        self.wait_for(READY_LIMIT, command)
    }

    /// Carries out a command, waiting while the drive is busy, for so long at most. What the
    /// drive reports instead of carrying it out is an error.
    pub(crate) fn wait_for<T>(
        &mut self,
        limit: Duration,
        mut command: impl FnMut(&mut dyn Drive) -> Result<T, CommandError>,
    ) -> Result<T, RecordError> {
        let mut waited = Duration::ZERO;
        let mut pause = FIRST_WAIT;
        let mut started = false;
        loop {
            let error = match command(self.drive) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let busy = error.sense().filter(is_busy);
            let Some(sense) = busy else {
                return Err(self.translate(error));
            };
            if sense.is(&Sense::START_NEEDED) {
                if started {
                    return Err(self.translate(error));
                }
                started = true;
                match self.drive.start_stop(StartStop::Start) {
                    // A report is not to be lost; of a failure, the command itself will tell.
                    Err(error) if is_report(&error) => return Err(self.translate(error)),
                    _ => continue,
                }
            }
            if waited >= limit {
                return Err(RecordError::NotReady {
                    sense,
                    waited_seconds: waited.as_secs(),
                });
            }
            self.emit(Event::Waiting { sense })?;
            self.drive.wait(pause);
            waited += pause;
            pause = (pause * 2).min(LAST_WAIT);
        }
    }

    /// Makes what was sent durable, telling nobody: for the way out. Whether it succeeded. A
    /// reset on the way counts as failure, since it may have emptied the buffer.
    pub(crate) fn flush(&mut self) -> bool {
        let mut waited = Duration::ZERO;
        loop {
            match self.drive.synchronize_cache() {
                Ok(()) => return true,
                Err(error) if waited < WRITE_LIMIT && is_busy_error(&error) => {
                    self.drive.wait(LAST_WAIT);
                    waited += LAST_WAIT;
                }
                Err(_) => return false,
            }
        }
    }

    /// What a failed command means for the recording.
    fn translate(&self, error: CommandError) -> RecordError {
        const NO_MEDIUM: u8 = 0x3a;
        let Some(sense) = error.sense() else {
            return RecordError::Command(error);
        };
        if sense.key == SenseKey::NotReady && sense.asc == NO_MEDIUM {
            return RecordError::NoMedium { sense };
        }
        if sense.is(&Sense::MEDIUM_CHANGED) && self.settled {
            return RecordError::MediumChanged { sense };
        }
        if sense.is(&Sense::SPACE_ALLOCATION_FAILED) {
            return RecordError::HostFull { sense };
        }
        RecordError::Command(error)
    }

    /// Keeps the medium in the drive until the lock goes out of scope, however that happens.
    pub(crate) fn lock(&mut self) -> Result<Locked<'_, 'a>, RecordError> {
        self.prevent_removal()?;
        Ok(Locked(self))
    }

    /// Locks the medium in, for a drive that has a lock; another one is watched all the same.
    pub(crate) fn prevent_removal(&mut self) -> Result<(), RecordError> {
        supported(self.ask(|drive| drive.prevent_removal(true))).map(drop)
    }
}

/// Whether waiting may help: not ready for a reason that passes (SPC-3 annex D, 2/04/xx).
pub(crate) fn is_busy(sense: &Sense) -> bool {
    const NOT_READY: u8 = 0x04;
    sense.key == SenseKey::NotReady && sense.asc == NOT_READY
}

fn is_busy_error(error: &CommandError) -> bool {
    error.sense().is_some_and(|sense| is_busy(&sense))
}

/// Whether the drive reports something instead of carrying out a command.
fn is_report(error: &CommandError) -> bool {
    let report = |sense: Sense| sense.key == SenseKey::UnitAttention || sense.deferred;
    error.sense().is_some_and(report)
}

/// A link whose medium stays in the drive.
pub(crate) struct Locked<'l, 'a>(&'l mut Link<'a>);

impl<'a> std::ops::Deref for Locked<'_, 'a> {
    type Target = Link<'a>;
    fn deref(&self) -> &Link<'a> {
        self.0
    }
}

impl<'a> std::ops::DerefMut for Locked<'_, 'a> {
    fn deref_mut(&mut self) -> &mut Link<'a> {
        self.0
    }
}

impl Drop for Locked<'_, '_> {
    fn drop(&mut self) {
        // Once more for a drive that has a reset to report first. A drive that does not answer
        // has forgotten the lock.
        if self.0.drive.prevent_removal(false).is_err() {
            self.0.drive.prevent_removal(false).ok();
        }
    }
}
