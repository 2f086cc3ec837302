//! What the drive does beside and between commands: loading, formatting, flushing, moving the
//! tray.

use std::time::Duration;

use reburn_mmc::Sense;
use reburn_mmc::reply::MediaEvent;

use crate::Emulator;
use crate::emulator::Activity;
use crate::media::Job;
use crate::state::{Background, FormatState, MediumState};
use crate::timing::blocks_in;

impl Emulator {
    /// Lets time pass while the drive is idle: it empties its buffer, goes on formatting.
    pub(crate) fn idle(&mut self, time: Duration) {
        if !self.powered {
            self.clock += time;
            return;
        }
        let idle_before = self.activity == Activity::Idle;
        self.clock += time;
        self.catch_up();
        if !idle_before {
            return;
        }
        let waiting = self.clock.saturating_sub(self.last_write);
        if waiting >= self.profile.mechanics.idle_flush
            && let Err(sense) = self.flush_idle()
        {
            self.pending.push_back(sense.as_deferred());
        }
        self.format_in_background(time);
    }

    fn format_in_background(&mut self, time: Duration) {
        let Some(medium) = &mut self.medium else {
            return;
        };
        let state = medium.disc.state().clone();
        let Background::Running(passed) = state.background else {
            return;
        };
        let whole = medium.disc.kind().capacity();
        let passed = passed
            .checked_add(blocks_in(medium.head.write_speed, time))
            .map_or(whole, |passed| passed.min(whole));
        let background = if passed < whole {
            Background::Running(passed)
        } else {
            self.event = MediaEvent::FormatCompleted;
            Background::Complete
        };
        let stored = medium.disc.set_state(MediumState {
            background,
            ..state
        });
        if stored.is_err() {
            self.pending.push_back(Sense::FORMAT_FAILED.as_deferred());
        }
    }

    /// Ends what has had its time.
    pub(crate) fn catch_up(&mut self) {
        self.drain();
        match self.activity.clone() {
            Activity::Loading { until, new } if self.clock >= until => {
                self.activity = Activity::Idle;
                if new {
                    self.pending.push_back(Sense::MEDIUM_CHANGED);
                    self.event = MediaEvent::NewMedia;
                }
            }
            Activity::Working { until, result, .. } if self.clock >= until => {
                self.activity = Activity::Idle;
                if let Err(sense) = self.finish_job(result) {
                    self.pending.push_back(sense.as_deferred());
                }
            }
            Activity::Flushing { until } if self.clock >= until => {
                self.activity = Activity::Idle;
                let clock = self.clock;
                if let Err(sense) = self.flush_all() {
                    self.pending.push_back(sense.as_deferred());
                }
                self.clock = clock; // its time has passed already
            }
            _ => {}
        }
    }

    /// Waits for what has to end before the next command can be worked on.
    pub(crate) fn wait_for_flush(&mut self) {
        if let Activity::Flushing { until } = self.activity {
            self.clock = self.clock.max(until);
            self.catch_up();
        }
    }

    /// Begins a job on the medium: at once, or beside the commands that follow.
    ///
    /// A job that erases leaves the medium unformatted until it is done, whatever happens.
    pub(crate) fn start_job(
        &mut self,
        job: Job,
        immediate: bool,
        busy: Sense,
    ) -> Result<(), Sense> {
        if job.erases {
            let medium = self.medium.as_mut().ok_or(Sense::NO_MEDIUM)?;
            medium.buffer.clear();
            medium.live = None;
            medium.at_once = None;
            let state = medium.disc.state();
            let interrupted = MediumState {
                write_protected: state.write_protected,
                ..MediumState::with(FormatState::Interrupted, state.mode)
            };
            medium
                .disc
                .set_state(interrupted)
                .and_then(|()| medium.disc.erase())
                .map_err(|_| Sense::FORMAT_FAILED)?;
        }
        if immediate && !job.time.is_zero() {
            self.activity = Activity::Working {
                since: self.clock,
                until: self.clock + job.time,
                result: job.result,
                sense: busy,
            };
            return Ok(());
        }
        self.clock += job.time;
        self.finish_job(job.result)
    }

    fn finish_job(&mut self, result: MediumState) -> Result<(), Sense> {
        let medium = self.medium.as_mut().ok_or(Sense::NO_MEDIUM)?;
        medium.live = None;
        let stored = medium.disc.set_state(result);
        stored.map_err(|_| Sense::FORMAT_FAILED)
    }

    /// How far the running operation got, in 1/65536.
    pub(crate) fn progress(&self, since: Duration, until: Duration) -> u16 {
        let done = self.clock.saturating_sub(since).as_millis();
        let whole = until.saturating_sub(since).as_millis().max(1);
        u16::try_from(done * 65536 / whole).unwrap_or(u16::MAX)
    }

    /// Opens the tray, unless it is locked; the buffer goes to the disc first.
    pub(crate) fn open_tray(&mut self) -> Result<(), Sense> {
        if self.locked {
            return Err(Sense::REMOVAL_PREVENTED);
        }
        if !self.tray_open {
            self.stop()?;
            self.clock += self.profile.mechanics.eject;
            self.tray_open = true;
            self.activity = Activity::Idle;
            self.event = MediaEvent::MediaRemoval;
        }
        Ok(())
    }

    /// Closes the tray; a disc on it is loaded.
    pub(crate) fn close_tray(&mut self) {
        self.tray_open = false;
        if self.medium.is_some() {
            let until = self.clock + self.profile.mechanics.load;
            self.activity = Activity::Loading { until, new: true };
        }
    }

    /// Finishes what is going on, so that the disc can stop turning.
    pub(crate) fn stop(&mut self) -> Result<(), Sense> {
        self.flush_all()?;
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        let state = medium.disc.state().clone();
        if let Background::Running(passed) = state.background {
            let background = Background::Stopped(passed);
            let stored = medium.disc.set_state(MediumState {
                background,
                ..state
            });
            stored.map_err(|_| Sense::WRITE_ERROR)?;
        }
        Ok(())
    }
}
