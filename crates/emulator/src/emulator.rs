//! The drive itself: what is in it, what it is doing, and its power.
//!
//! Invariants: data reach the disc only as whole write units, in the order in which the host
//! wrote them; what a completed SYNCHRONIZE CACHE covered is on the disc; time moves only by
//! commands and by waiting.

use std::collections::VecDeque;
use std::time::Duration;

use reburn_blocks::{BlockCount, BlockRange};
use reburn_mmc::Sense;
use reburn_mmc::reply::MediaEvent;

use crate::buffer::WriteBuffer;
use crate::disc::unit_range;
use crate::media::{Job, Situation};
use crate::respond::Settings;
use crate::state::{Background, FormatState, MediumState};
use crate::timing::{Head, blocks_in};
use crate::{DiscError, DriveProfile, Faults, VirtualDisc};

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

/// A medium in the drive, with what the drive keeps for it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub disc: VirtualDisc,
    pub buffer: WriteBuffer,
    pub head: Head,
    /// Whether something was recorded since the last barrier.
    pub unsettled: bool,
}

impl Loaded {
    fn new(disc: VirtualDisc, profile: &DriveProfile) -> Self {
        Self {
            buffer: WriteBuffer::new(disc.kind().write_unit()),
            head: Head::new(profile, disc.kind()),
            disc,
            unsettled: false,
        }
    }

    /// The medium as its rules see it.
    pub fn situation<'a>(&self, profile: &'a DriveProfile) -> Situation<'a> {
        Situation {
            kind: self.disc.kind(),
            state: self.disc.state(),
            profile,
        }
    }
}

/// What a drive is doing when it answered at once and goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Idle,
    /// Spinning up a medium; when ready, it reports a new one or not.
    Loading {
        until: Duration,
        new: bool,
    },
    /// Formatting or closing; what the medium is afterwards, and what the drive says until
    /// then.
    Working {
        since: Duration,
        until: Duration,
        result: MediumState,
        sense: Sense,
    },
    /// Emptying the buffer.
    Flushing {
        until: Duration,
    },
}

/// An emulated optical drive.
///
/// It is powered on when made. Dropping it is a power cut: what a disc in a file has not been
/// given by SYNCHRONIZE CACHE, eject or stop is lost.
#[derive(Debug)]
pub struct Emulator {
    pub(crate) profile: DriveProfile,
    pub(crate) medium: Option<Loaded>,
    pub(crate) tray_open: bool,
    pub(crate) locked: bool,
    pub(crate) activity: Activity,
    /// Unit attentions and deferred errors, to be reported one by one.
    pub(crate) pending: VecDeque<Sense>,
    pub(crate) event: MediaEvent,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    clock: Duration,
    last_write: Duration,
    powered: bool,
}

/// A drive can be served from another thread than the one that made it.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Emulator>();
};

impl Emulator {
    /// A drive without a disc.
    pub fn new(profile: DriveProfile) -> Self {
        Self {
            settings: Settings::new(&profile),
            profile,
            medium: None,
            tray_open: false,
            locked: false,
            activity: Activity::Idle,
            pending: VecDeque::from([Sense::POWER_ON_RESET]),
            event: MediaEvent::None,
            faults: Faults::default(),
            clock: Duration::ZERO,
            last_write: Duration::ZERO,
            powered: true,
        }
    }

    /// A drive of the default profile that has had a disc in it for a while: ready, with only
    /// its power-on to report.
    pub fn with_disc(disc: VirtualDisc) -> Self {
        Self::with_profile(DriveProfile::default(), disc)
    }

    /// [`Emulator::with_disc`] for another drive.
    pub fn with_profile(profile: DriveProfile, disc: VirtualDisc) -> Self {
        let mut drive = Self::new(profile);
        drive.medium = Some(Loaded::new(disc, &drive.profile));
        drive
    }

    /// A copy of the drive, its buffer and its disc; it shares all content, so it costs little.
    /// [`DiscError::NotShareable`] if the disc records into a file.
    pub fn snapshot(&self) -> Result<Self, DiscError> {
        let medium = self.medium.as_ref().map(|medium| {
            Ok(Loaded {
                disc: medium.disc.snapshot()?,
                buffer: medium.buffer.clone(),
                head: medium.head.clone(),
                unsettled: medium.unsettled,
            })
        });
        Ok(Self {
            profile: self.profile.clone(),
            medium: medium.transpose()?,
            tray_open: self.tray_open,
            locked: self.locked,
            activity: self.activity,
            pending: self.pending.clone(),
            event: self.event,
            settings: self.settings.clone(),
            faults: self.faults.clone(),
            clock: self.clock,
            last_write: self.last_write,
            powered: self.powered,
        })
    }

    /// What kind of drive it is.
    pub fn profile(&self) -> &DriveProfile {
        &self.profile
    }

    /// The time that passed in the model since the drive was made.
    pub fn modelled_time(&self) -> Duration {
        self.clock
    }

    /// The faults planted in the drive.
    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// The disc in the drive, or on its open tray.
    pub fn disc(&self) -> Option<&VirtualDisc> {
        self.medium.as_ref().map(|medium| &medium.disc)
    }

    /// The disc in the drive, to scratch it or to protect it.
    pub fn disc_mut(&mut self) -> Option<&mut VirtualDisc> {
        self.medium.as_mut().map(|medium| &mut medium.disc)
    }

    /// The write units in the buffer, oldest first: what a power cut now may lose.
    pub fn buffered(&self) -> Vec<BlockRange> {
        let ranges = self.medium.iter().flat_map(|medium| {
            let unit = medium.disc.kind().write_unit();
            let order = medium.buffer.order();
            order.filter_map(move |number| unit_range(unit, number))
        });
        ranges.collect()
    }

    /// Puts a disc in and closes the tray; the one that was in comes out as
    /// [`Emulator::take_disc`] gives it.
    pub fn insert(&mut self, disc: VirtualDisc) -> Option<VirtualDisc> {
        let previous = self.take_disc();
        self.medium = Some(Loaded::new(disc, &self.profile));
        self.close_tray();
        previous
    }

    /// Takes the disc out by force, whatever the drive is doing with it: what the buffer held
    /// is lost. A host ejects with START STOP UNIT first.
    pub fn take_disc(&mut self) -> Option<VirtualDisc> {
        let medium = self.medium.take()?;
        self.activity = Activity::Idle;
        self.event = MediaEvent::MediaRemoval;
        Some(medium.disc)
    }

    /// Someone presses the eject button: the tray opens, or, if the host locked it, the host
    /// hears of the wish.
    pub fn press_eject(&mut self) {
        if self.open_tray().is_err() {
            self.event = MediaEvent::EjectRequest;
        }
    }

    /// The power fails. `fate` says of each write unit in the buffer, oldest first, what is on
    /// the disc then; a real drive records one at a time, so at most one is
    /// [`Fate::Unreadable`]. A running format leaves the medium unformatted.
    ///
    /// Every command fails until [`Emulator::power_on`].
    pub fn power_cut(&mut self, mut fate: impl FnMut(BlockRange) -> Fate) -> std::io::Result<()> {
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

    pub(crate) fn is_powered(&self) -> bool {
        self.powered
    }

    /// Lets time pass while the drive works.
    pub(crate) fn spend(&mut self, time: Duration) {
        self.clock += time;
    }

    pub(crate) fn note_write(&mut self) {
        self.last_write = self.clock;
    }

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
            && let Err(sense) = self.flush_all()
        {
            self.pending.push_back(sense.as_deferred());
        }
        self.format_in_background(time);
    }

    fn format_in_background(&mut self, time: Duration) {
        let Some(medium) = &mut self.medium else {
            return;
        };
        let state = medium.disc.state();
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
        match self.activity {
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
            let interrupted = MediumState {
                format: FormatState::Interrupted,
                background: Background::None,
                ..medium.disc.state()
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
        let state = medium.disc.state();
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

    /// Blocks of the medium that can be used now.
    pub(crate) fn usable_blocks(&self) -> BlockCount {
        let disc = self.disc();
        disc.map_or(BlockCount::ZERO, |disc| disc.state().blocks())
    }
}
