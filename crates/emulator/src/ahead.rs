//! What the host sees of a medium before the medium has it: the state that runs ahead of the
//! disc while writes are in the buffer, and the track that they go to.

use std::sync::Arc;

use reburn_blocks::{BlockCount, BlockRange, Lba};
use reburn_mmc::Sense;

use crate::Emulator;
use crate::disc::end_of_unit;
use crate::media::Placement;
use crate::state::{FormatState, RecordingMode};
use crate::tracks::TrackState;

impl Emulator {
    /// Makes the track ready that a write goes to: another one that was being recorded is
    /// settled first.
    pub(crate) fn prepare(&mut self, placement: Placement) -> Result<(), Sense> {
        let (index, simulated) = match placement {
            Placement::Append { track, simulated } => (Some(track), simulated),
            Placement::Replace => {
                let target = self.ask(|rules, now| Ok(rules.replacement(now)))?;
                (target.and_then(|target| target.track), false)
            }
            Placement::InPlace if self.loaded()?.disc.state().mode.has_tracks() => (Some(0), false),
            Placement::InPlace => return Ok(()),
        };
        let Some(index) = index else {
            return Ok(());
        };
        let recording = self.ask(|rules, now| Ok(rules.recording(now)))?;
        let medium = self.loaded_mut()?;
        if medium.state().tracks.recording() == Some(index) {
            return Ok(());
        }
        if medium.live.is_some() || medium.buffer.len() > 0 {
            self.flush_all().map_err(Sense::as_deferred)?;
        }
        let medium = self.loaded_mut()?;
        let mut state = medium.disc.state().clone();
        let Some(track) = Arc::make_mut(&mut state.tracks).tracks.get_mut(index) else {
            return Err(Sense::INVALID_ADDRESS_FOR_WRITE);
        };
        if track.state == TrackState::Blank {
            track.recording = recording;
        }
        track.state = TrackState::Recording;
        if simulated {
            *medium.live_mut() = state;
            return Ok(());
        }
        let stored = medium.disc.set_state(state);
        stored.map_err(|_| Sense::WRITE_ERROR)
    }

    /// Sets aside what will take a replaced unit.
    pub(crate) fn reserve_replacement(&mut self) -> Result<(), Sense> {
        let target = self.ask(|rules, now| Ok(rules.replacement(now)))?;
        let target = target.ok_or(Sense::SPACE_ALLOCATION_FAILED)?;
        let medium = self.loaded_mut()?;
        let kind = medium.disc.kind();
        let live = medium.live_mut();
        live.replacements += 1;
        match target.track {
            Some(_) => live.reached(end_of_unit(kind, target.unit)),
            None => live.spares_used += 1,
        }
        Ok(())
    }

    /// Lets the state that the host sees run ahead of the disc, past blocks in the buffer.
    pub(crate) fn run_ahead(
        &mut self,
        placement: Placement,
        range: BlockRange,
    ) -> Result<(), Sense> {
        let medium = self.loaded_mut()?;
        let end = Lba::checked(u64::from(range.end_exclusive())).unwrap_or(Lba::MAX);
        let mode = medium.state().mode;
        match placement {
            Placement::Append { .. } => medium.live_mut().reached(end),
            Placement::InPlace if mode == RecordingMode::RandomOnce => {
                let live = medium.live_mut();
                live.reached(end.max(live.tracks.recorded_end()));
            }
            Placement::InPlace => {
                let size = medium.state().blocks();
                if matches!(mode, RecordingMode::RestrictedOverwrite { .. })
                    && end.get() > size.get()
                {
                    medium.live_mut().format = FormatState::Formatted(BlockCount::new(end.get()));
                }
            }
            Placement::Replace => {}
        }
        Ok(())
    }
}
