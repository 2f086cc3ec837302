//! How packets, tracks and sessions of a CD end, and what of them can be read then.

use reburn_blocks::{BlockCount, Lba};
use reburn_mmc::Sense;

use super::{LINK, PACKET, RUN_OUT, TRACK_BLOCKS_MIN, area, sequence};
use crate::media::{Job, Situation};
use crate::state::MediumState;
use crate::tracks::{Track, TrackRecording, TrackState, TrackTable};

pub(super) const fn is_packets(track: &Track) -> bool {
    matches!(
        track.recording,
        TrackRecording::Incremental | TrackRecording::FixedPackets
    )
}

/// Ends a track behind its data: fills it up, if it is short, and adds the run-out.
fn end_track(now: Situation<'_>, table: &mut TrackTable, index: usize) {
    let track = &mut table.tracks[index];
    let shortest = track.start + TRACK_BLOCKS_MIN;
    let end = track.next_writable.max(shortest) + RUN_OUT;
    let end = end.min(Lba::ZERO + now.kind.blocks_max());
    track.end = Some(end);
    sequence(now).end_track(table, index);
}

/// The state once the packets, the track or the session in the buffer is on the medium.
pub(super) fn settled(now: Situation<'_>) -> MediumState {
    let Some(index) = now.tracks().recording() else {
        return now.state.clone();
    };
    let mut table = now.tracks().clone();
    let track = &mut table.tracks[index];
    match track.recording {
        TrackRecording::TrackAtOnce => end_track(now, &mut table, index),
        TrackRecording::DiscAtOnce if track.end != Some(track.next_writable) => {
            return now.state.clone(); // the session goes on
        }
        TrackRecording::DiscAtOnce => {
            track.state = TrackState::Complete;
            if table.open_session().iter().all(is_complete) {
                return end_session(&now.with_tracks(table), now);
            }
        }
        TrackRecording::Incremental | TrackRecording::FixedPackets => {
            track.next_writable = link(track, area(now));
            track.state = TrackState::Incomplete;
        }
    }
    now.with_tracks(table)
}

/// Where the next packet begins.
fn link(track: &Track, area: BlockCount) -> Lba {
    let mut end = track.next_writable;
    if track.recording == TrackRecording::FixedPackets {
        let whole = PACKET + LINK.get();
        let begun = (end.get() - track.start.get()) % whole;
        end += BlockCount::new(PACKET.saturating_sub(begun));
    }
    (end + LINK).min(track.end_on(area))
}

/// The session is recorded; whether another one can follow is as page 05h says.
fn end_session(state: &MediumState, now: Situation<'_>) -> MediumState {
    let closed = close_session(Situation { state, ..now });
    closed.map_or(state.clone(), |job| job.result)
}

fn is_complete(track: &Track) -> bool {
    track.state == TrackState::Complete
}

pub(super) fn close_session(now: Situation<'_>) -> Result<Job, Sense> {
    if now.write.multi_session == 0 {
        sequence(now).finalize(now)
    } else {
        sequence(now).close_session(now)
    }
}

pub(super) fn is_at_once(track: &Track) -> bool {
    track.recording == TrackRecording::DiscAtOnce && !track.is_invisible()
}

/// The block after a track's data.
pub(super) fn readable_end(track: &Track) -> Lba {
    let complete = track.state == TrackState::Complete;
    let run_out = complete && track.recording != TrackRecording::DiscAtOnce;
    let end = track.next_writable;
    if run_out {
        Lba::new(end.get().saturating_sub(RUN_OUT.get()))
    } else {
        end
    }
}

/// Whether a block joins two packets of fixed size. Where packets of other sizes end is not
/// known: there the blocks between read as zeros.
pub(super) fn is_link(track: &Track, lba: Lba) -> bool {
    let whole = PACKET + LINK.get();
    track.recording == TrackRecording::FixedPackets
        && (lba.get() - track.start.get()) % whole >= PACKET
}

/// CLOSE TRACK SESSION of a track in packets; the others are closed by the barrier.
pub(super) fn close_track(now: Situation<'_>, number: u16) -> Result<Job, Sense> {
    let track = now.tracks().track(u32::from(number));
    let track = track.ok_or(Sense::INVALID_FIELD_IN_CDB)?;
    if track.state == TrackState::Complete || track.is_invisible() {
        return Ok(Job::nothing(now));
    }
    if is_at_once(track) {
        return Err(Sense::COMMAND_SEQUENCE_ERROR);
    }
    let mut table = now.tracks().clone();
    let index = usize::from(number) - 1;
    // The link behind the last packet has the run-out already.
    let track = &mut table.tracks[index];
    let linked = track.next_writable.get().saturating_sub(LINK.get());
    track.next_writable = Lba::new(linked).max(track.start);
    end_track(now, &mut table, index);
    Ok(Job {
        time: now.profile.mechanics.write_end,
        ..Job::at_once(now.with_tracks(table))
    })
}

/// BLANK of an open track's tail: from a block on nothing is recorded in it any more.
pub(super) fn blank_tail(now: Situation<'_>, start: u32) -> Result<Job, Sense> {
    let start = Lba::checked(u64::from(start)).ok_or(Sense::LBA_OUT_OF_RANGE)?;
    let mut table = now.tracks().clone();
    let last = table.tracks.last_mut();
    let track = last
        .filter(|track| is_packets(track) && track.state == TrackState::Incomplete)
        .ok_or(Sense::ILLEGAL_MODE_FOR_TRACK)?;
    if !(track.start..=track.next_writable).contains(&start) {
        return Err(Sense::LBA_OUT_OF_RANGE);
    }
    track.next_writable = start;
    if start == track.start {
        *track = Track::invisible(track.session, start);
    }
    Ok(Job {
        time: now.profile.mechanics.write_end,
        ..Job::at_once(now.with_tracks(table))
    })
}
