//! The drive itself: what is in it, what it is doing, and its power.
//!
//! Invariants: data reach the disc only as whole write units, in the order in which the host
//! wrote them; what a completed SYNCHRONIZE CACHE covered is on the disc; the state that a host
//! sees is that of the disc whenever the buffer is empty and no write is simulated; time moves
//! only by commands and by waiting.

use std::collections::VecDeque;
use std::time::Duration;

use reburn_blocks::{BlockCount, BlockRange};
use reburn_mmc::Sense;
use reburn_mmc::reply::MediaEvent;

use crate::buffer::WriteBuffer;
use crate::disc::unit_range;
use crate::media::{AtOnce, Rules, Situation, rules};
use crate::respond::Settings;
use crate::state::MediumState;
use crate::timing::Head;
use crate::{DiscError, DriveProfile, Faults, VirtualDisc};

/// A medium in the drive, with what the drive keeps for it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub disc: VirtualDisc,
    pub buffer: WriteBuffer,
    pub head: Head,
    /// Whether something was recorded since the last barrier.
    pub unsettled: bool,
    /// The medium's state as it will be when the buffer is on it, if that differs.
    pub live: Option<MediumState>,
    /// The session of a CD that is to be recorded at once, or is being.
    pub at_once: Option<AtOnce>,
}

impl Loaded {
    fn new(disc: VirtualDisc, profile: &DriveProfile) -> Self {
        Self {
            buffer: WriteBuffer::new(disc.kind().write_unit()),
            head: Head::new(profile, disc.kind()),
            disc,
            unsettled: false,
            live: None,
            at_once: None,
        }
    }

    /// The medium's state as the host knows it: with what is still in the buffer.
    pub fn state(&self) -> &MediumState {
        self.live.as_ref().unwrap_or_else(|| self.disc.state())
    }

    /// That state, to let it run ahead of the disc.
    pub fn live_mut(&mut self) -> &mut MediumState {
        let disc = &self.disc;
        self.live.get_or_insert_with(|| disc.state().clone())
    }

    /// The medium as its rules see it.
    pub fn situation<'a>(
        &'a self,
        profile: &'a DriveProfile,
        settings: &'a Settings,
    ) -> Situation<'a> {
        Situation {
            kind: self.disc.kind(),
            state: self.state(),
            profile,
            write: settings.write_parameters(),
        }
    }
}

/// What a drive is doing when it answered at once and goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub(crate) clock: Duration,
    pub(crate) last_write: Duration,
    /// Since when the drive records beside commands, because its buffer was full.
    pub(crate) draining: Option<Duration>,
    pub(crate) powered: bool,
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
            draining: None,
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
                live: medium.live.clone(),
                at_once: medium.at_once.clone(),
            })
        });
        Ok(Self {
            profile: self.profile.clone(),
            medium: medium.transpose()?,
            tray_open: self.tray_open,
            locked: self.locked,
            activity: self.activity.clone(),
            pending: self.pending.clone(),
            event: self.event,
            settings: self.settings.clone(),
            faults: self.faults.clone(),
            clock: self.clock,
            last_write: self.last_write,
            draining: self.draining,
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

    /// Blocks that READ CAPACITY counts.
    pub(crate) fn usable_blocks(&self) -> BlockCount {
        let counted = self.ask(|rules, now| Ok(rules.capacity(now)));
        counted.unwrap_or(BlockCount::ZERO)
    }

    /// Asks the rules of the medium behind a closed tray.
    pub(crate) fn ask<T>(
        &self,
        question: impl FnOnce(&dyn Rules, Situation<'_>) -> Result<T, Sense>,
    ) -> Result<T, Sense> {
        let now = self.loaded()?.situation(&self.profile, &self.settings);
        question(rules(now), now)
    }
}
