//! From the buffer to the disc.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use reburn_blocks::Lba;
use reburn_mmc::Sense;

use crate::buffer::Buffered;
use crate::content::UnitError;
use crate::disc::unit_range;
use crate::emulator::Loaded;
use crate::media::{Situation, rules};
use crate::profile::PartialWrite;
use crate::respond::Settings;
use crate::state::RecordingMode;
use crate::tracks::TrackRecording;
use crate::{DriveProfile, Emulator, Fate, WriteFault};

/// Where a unit of the buffer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// To its own place.
    InPlace,
    /// To its own place, which is right behind what was recorded last.
    Append,
    /// To this unit, which shows in its place from then on.
    Replace(u32),
}

impl Loaded {
    /// Records one unit that left the buffer; the time that it took. A unit that fails is not
    /// tried again: its data are lost, and the sense says where.
    fn record(
        &mut self,
        profile: &DriveProfile,
        settings: &Settings,
        fault: Option<(Lba, WriteFault)>,
        number: u32,
        buffered: &Buffered,
    ) -> (Duration, Result<(), Sense>) {
        let unit = self.disc.kind().write_unit();
        let goal = self.goal(profile, settings, number);
        let taken = match goal {
            Ok(Goal::Replace(target)) => target,
            _ => number,
        };
        let (Some(range), Some(taken)) = (unit_range(unit, number), unit_range(unit, taken)) else {
            return (Duration::ZERO, Err(Sense::INTERNAL_FAILURE));
        };
        let goal = match goal {
            Ok(goal) => goal,
            Err(sense) => return (Duration::ZERO, Err(sense.at(range.start_lba().get()))),
        };
        let failed = Sense::WRITE_ERROR.at(range.start_lba().get());
        let mut time = Duration::ZERO;
        if !buffered.is_whole(unit) && goal != Goal::Append {
            time += self.head.read(profile, range);
        }
        let data = match self.complete(profile, goal, number, buffered) {
            Ok(data) => data,
            Err(sense) => {
                self.skip(goal, number);
                return (time, Err(sense.at(range.start_lba().get())));
            }
        };
        time += self.head.write(profile, taken, buffered.streaming);
        self.unsettled = true;
        let recorded = match fault {
            Some((_, WriteFault::Silent)) => {
                self.skip(goal, number);
                Ok(())
            }
            Some((lba, WriteFault::Fails(sense))) => {
                let lost = self.put(goal, number, None);
                lost.map_err(|_| failed).and(Err(sense.at(lba.get())))
            }
            // A power cut has no answer.
            Some((_, WriteFault::PowerCut(_))) | None => {
                self.put(goal, number, Some(data)).map_err(|_| failed)
            }
        };
        if recorded.is_err() {
            self.skip(goal, number);
        }
        (time, recorded)
    }

    /// Where a unit that leaves the buffer goes, as the medium stands.
    pub(crate) fn goal(
        &self,
        profile: &DriveProfile,
        settings: &Settings,
        number: u32,
    ) -> Result<Goal, Sense> {
        let state = self.disc.state();
        if !state.mode.is_sequential() {
            return Ok(Goal::InPlace);
        }
        let unit = self.disc.kind().write_unit();
        let recording = state.tracks.recording();
        let next = recording.map(|index| state.tracks.tracks[index].next_writable);
        if next.is_some_and(|next| unit.index_of(next) == number) {
            return Ok(Goal::Append);
        }
        if state.mode != RecordingMode::PseudoOverwrite {
            return Err(Sense::INTERNAL_FAILURE);
        }
        let now = Situation {
            kind: self.disc.kind(),
            state,
            profile,
            write: settings.write_parameters(),
        };
        let target = rules(now).replacement(now);
        let target = target.ok_or(Sense::SPACE_ALLOCATION_FAILED)?;
        Ok(Goal::Replace(target.unit))
    }

    /// Puts a unit on the medium, or (`None`) leaves what takes it unreadable.
    pub(crate) fn put(
        &mut self,
        goal: Goal,
        number: u32,
        data: Option<Arc<[u8]>>,
    ) -> io::Result<()> {
        match (goal, self.disc.state().mode, data) {
            (Goal::Append, _, data) => self.disc.append_unit(number, data),
            (Goal::Replace(target), _, data) => self.disc.replace_unit(number, target, data),
            (Goal::InPlace, RecordingMode::RandomOnce, data) => self.disc.record_once(number, data),
            (Goal::InPlace, _, None) => self.disc.lose_unit(number),
            (Goal::InPlace, RecordingMode::RestrictedOverwrite { .. }, Some(data)) => {
                self.disc.grow_to(number);
                self.disc.record_unit(number, data)
            }
            (Goal::InPlace, _, Some(data)) => self.disc.record_unit(number, data),
        }
    }

    /// Goes on as if the unit had been recorded: the place that it was promised is used up.
    pub(crate) fn skip(&mut self, goal: Goal, number: u32) {
        match goal {
            Goal::InPlace => {}
            Goal::Append => self.disc.use_up(number),
            Goal::Replace(target) => self.disc.use_up(target),
        }
    }

    /// The unit as it will be recorded: what the host wrote, and the rest from the disc; zeros
    /// where nothing was recorded yet.
    pub(crate) fn complete(
        &self,
        profile: &DriveProfile,
        goal: Goal,
        number: u32,
        buffered: &Buffered,
    ) -> Result<Arc<[u8]>, Sense> {
        if buffered.is_whole(self.disc.kind().write_unit()) {
            return Ok(Arc::clone(&buffered.data));
        }
        let mut whole = vec![0; buffered.data.len()];
        if goal == Goal::Append {
            buffered.copy_over(0, &mut whole);
            return Ok(whole.into());
        }
        match self.disc.read_unit(number, 0, &mut whole) {
            Ok(()) => {}
            Err(UnitError::Unreadable) if profile.partial_write == PartialWrite::FillsWithZeros => {
                whole.fill(0);
            }
            Err(_) => return Err(Sense::WRITE_ERROR),
        }
        buffered.copy_over(0, &mut whole);
        Ok(whole.into())
    }
}

impl Emulator {
    /// Records the oldest unit of the buffer, if there is one.
    pub(crate) fn flush_oldest(&mut self) -> Result<(), Sense> {
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        let Some((number, buffered)) = medium.buffer.pop_oldest() else {
            return Ok(());
        };
        self.record(number, &buffered)
    }

    fn record(&mut self, number: u32, buffered: &Buffered) -> Result<(), Sense> {
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        let unit = medium.disc.kind().write_unit();
        let fault = self.faults.on_record(unit, number);
        if let Some((_, WriteFault::PowerCut(fate))) = fault {
            medium.buffer.put_back(number, buffered.clone());
            let cut = unit_range(unit, number);
            let left = self.power_cut(|range| if Some(range) == cut { fate } else { Fate::Old });
            return left.map_err(|_| Sense::WRITE_ERROR);
        }
        let (time, recorded) =
            medium.record(&self.profile, &self.settings, fault, number, buffered);
        self.spend(time);
        recorded
    }

    /// Records one unit ahead of the others, if it is in the buffer.
    pub(crate) fn flush_unit(&mut self, number: u32) -> Result<(), Sense> {
        let taken = self
            .medium
            .as_mut()
            .map(|medium| medium.buffer.take(number));
        match taken.flatten() {
            Some(buffered) => self.record(number, &buffered),
            None => Ok(()),
        }
    }

    /// Records everything in the buffer.
    pub(crate) fn empty_buffer(&mut self) -> Result<(), Sense> {
        while self.buffered_units() > 0 {
            self.flush_oldest()?;
        }
        Ok(())
    }

    /// Records everything in the buffer and waits for it to be durable: the barrier. What was
    /// only simulated is forgotten.
    pub(crate) fn flush_all(&mut self) -> Result<(), Sense> {
        self.empty_buffer()?;
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        medium.live = None;
        if medium
            .at_once
            .as_ref()
            .is_some_and(|session| session.left() == 0)
        {
            medium.at_once = None;
        }
        let now = medium.situation(&self.profile, &self.settings);
        let settled = rules(now).settled(now);
        let stored = medium.disc.set_state(settled);
        if !medium.unsettled {
            return stored.map_err(|_| Sense::WRITE_ERROR);
        }
        medium.unsettled = false;
        let stored = stored
            .and_then(|()| medium.disc.store_state())
            .and_then(|()| medium.disc.settle())
            .and_then(|()| medium.disc.sync());
        self.spend(self.profile.mechanics.write_end);
        stored.map_err(|_| Sense::WRITE_ERROR)
    }

    /// Records what an idle drive records: everything, but a write unit that is not whole where
    /// the host may still go on with it.
    pub(crate) fn flush_idle(&mut self) -> Result<(), Sense> {
        let Some(medium) = &self.medium else {
            return Ok(());
        };
        let state = medium.disc.state();
        let open = state.tracks.recording();
        let at_once = open.is_some_and(|index| {
            matches!(
                state.tracks.tracks[index].recording,
                TrackRecording::DiscAtOnce | TrackRecording::TrackAtOnce
            )
        });
        let goes_on = medium.live.is_some() && state.mode.has_tracks();
        if !goes_on || (medium.buffer.is_whole() && !at_once && medium.buffer.len() > 0) {
            return self.flush_all();
        }
        let unit = medium.disc.kind().write_unit();
        while self
            .medium
            .as_ref()
            .and_then(|medium| medium.buffer.oldest())
            .is_some_and(|oldest| oldest.is_whole(unit))
        {
            self.flush_oldest()?;
        }
        self.settle()
    }

    pub(crate) fn settle(&mut self) -> Result<(), Sense> {
        let Some(medium) = &self.medium else {
            return Ok(());
        };
        medium.disc.settle().map_err(|_| Sense::WRITE_ERROR)
    }

    pub(crate) fn buffered_units(&self) -> usize {
        let medium = self.medium.as_ref();
        medium.map_or(0, |medium| medium.buffer.len())
    }

    /// How long it takes to record what is in the buffer now.
    pub(crate) fn flush_time(&self) -> Duration {
        let Some(medium) = &self.medium else {
            return Duration::ZERO;
        };
        let unit = medium.disc.kind().write_unit();
        let mut head = medium.head.clone();
        let units = medium
            .buffer
            .order()
            .filter_map(|number| Some((unit_range(unit, number)?, medium.buffer.get(number)?)));
        let recording: Duration = units
            .map(|(range, buffered)| head.write(&self.profile, range, buffered.streaming))
            .sum();
        recording + self.profile.mechanics.write_end
    }
}
