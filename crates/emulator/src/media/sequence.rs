//! What media have in common that are recorded in sequence: tracks grow at their next writable
//! block, are closed, and make up sessions that are closed.
//!
//! ```text
//!          WRITE at the next writable block        barrier: whole write units
//! blank ------------------------------> recording ------------------------> incomplete
//!   | RESERVE                                ^  <------- WRITE at its end ------- |
//!   v                                        |                                    | CLOSE track
//! reserved ---------- WRITE -----------------+                                    v
//!                                                                              complete
//! CLOSE session: the session ends behind its last track, the next one begins after a gap.
//! ```
//!
//! Invariant: the next writable block is the first of a write unit whenever the buffer is empty.

use reburn_blocks::{BlockCount, BlockRange, Lba, WriteUnit};
use reburn_mmc::Sense;
use reburn_mmc::command::{Reservation, TrackAddress};
use reburn_mmc::reply::{
    DiscInformation, DiscStatus, SessionStatus, TrackInformation, TrackResources,
};

use super::{Job, Placement, Readable, Situation, TocTrack};
use crate::state::{FormatState, MediumState};
use crate::tracks::{Track, TrackState, TrackTable, blocks_between, number_of, round_up};

/// What differs between media that are recorded in sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence {
    pub unit: WriteUnit,
    /// Blocks that tracks may take.
    pub area: BlockCount,
    /// Blocks between two tracks of a session.
    pub track_gap: BlockCount,
    /// Blocks between two sessions.
    pub session_gap: BlockCount,
    /// With fewer blocks left, closing a session closes the disc.
    pub room_min: BlockCount,
    /// The session whose end closes the disc.
    pub sessions_max: u16,
    /// The most tracks of a session.
    pub tracks_max: usize,
    /// Whether closing a session closes its last track too.
    pub closes_tracks: bool,
    /// Whether closing a session tells reserved tracks from others that are not closed.
    pub tells_reserved: bool,
}

/// Why nothing can be written.
pub(super) fn writable(now: Situation<'_>) -> Result<(), Sense> {
    if now.state.format == FormatState::Interrupted {
        return Err(Sense::MEDIUM_FORMAT_CORRUPTED);
    }
    if now.tracks().finalized {
        return Err(now.profile.sequential.complete_write);
    }
    Ok(())
}

/// The state once everything is recorded: the track goes on at the next write unit.
pub(super) fn settled(now: Situation<'_>) -> MediumState {
    let Some(index) = now.tracks().recording() else {
        return now.state.clone();
    };
    let mut table = now.tracks().clone();
    let track = &mut table.tracks[index];
    track.next_writable = round_up(track.next_writable, now.kind.write_unit());
    track.state = if track.next_writable == track.start {
        TrackState::Blank
    } else {
        TrackState::Incomplete
    };
    now.with_tracks(table)
}

/// What READ finds: the tracks up to the last recorded block, and the gaps between them.
pub(super) fn readable(now: Situation<'_>, beyond: Option<Sense>) -> Result<Readable, Sense> {
    if now.state.format == FormatState::Interrupted {
        return Err(Sense::MEDIUM_FORMAT_CORRUPTED);
    }
    Ok(Readable {
        blocks: BlockCount::new(now.tracks().recorded_end().get()),
        beyond,
    })
}

/// The tracks of a table of contents: those that are closed.
pub(super) fn toc(now: Situation<'_>) -> Vec<TocTrack> {
    let closed = now.tracks().closed_tracks();
    closed
        .map(|(number, track)| TocTrack {
            number,
            session: track.session,
            start: track.start,
            end: track.end.unwrap_or(track.next_writable),
        })
        .collect()
}

/// The index of the track that a question is about.
pub(super) fn find(
    now: Situation<'_>,
    address: TrackAddress,
    open: bool,
    area: BlockCount,
) -> Result<usize, Sense> {
    /// The number that stands for the track that is not written yet.
    const INVISIBLE: u32 = 0xff;
    let table = now.tracks();
    let nowhere = Sense::INVALID_FIELD_IN_CDB;
    let found = match address {
        TrackAddress::Lba(lba) if lba.get() >= area.get() => return Err(Sense::LBA_OUT_OF_RANGE),
        TrackAddress::Lba(lba) => table.at(lba),
        TrackAddress::Track(INVISIBLE) => table.tracks.iter().rposition(Track::is_open),
        TrackAddress::Track(number) => table
            .track(number)
            .and_then(|_| (number as usize).checked_sub(1)),
        TrackAddress::Session(number) => {
            let session = u16::try_from(number).map_err(|_| nowhere)?;
            let tracks = table.tracks_of(session);
            tracks.map(|(first, _)| usize::from(first) - 1)
        }
    };
    let found = found.ok_or(nowhere)?;
    if !open {
        return Ok(found);
    }
    let later = table.tracks[found..].iter().position(Track::is_open);
    later.map(|distance| found + distance).ok_or(nowhere)
}

/// What a track says of itself; how it is recorded is up to the medium.
pub(super) fn track_information(
    now: Situation<'_>,
    index: usize,
    area: BlockCount,
) -> TrackInformation {
    let track = &now.tracks().tracks[index];
    let free = track.free_on(area);
    TrackInformation {
        track: number_of(index),
        session: track.session,
        track_mode: track.control,
        damaged: matches!(track.state, TrackState::Damaged { .. }),
        reserved: track.reserved && track.state != TrackState::Complete,
        blank: track.state == TrackState::Blank,
        start: track.start,
        next_writable: (!free.is_zero()).then_some(track.next_writable),
        free_blocks: free,
        packet_size: now.kind.write_unit().blocks(),
        track_size: blocks_between(track.start, track.end_on(area)),
        ..TrackInformation::DATA
    }
}

/// The last block recorded of a track.
pub(super) fn last_recorded(track: &Track) -> Option<Lba> {
    let begun = track.state != TrackState::Blank;
    let last = begun.then(|| track.next_writable.get().checked_sub(1));
    last.flatten().map(Lba::new)
}

/// The state of the disc.
pub(super) fn disc_information(now: Situation<'_>, area: BlockCount) -> DiscInformation {
    let table = now.tracks();
    let open = table.open_session();
    let damaged = |track: &Track| matches!(track.state, TrackState::Damaged { .. });
    let last_session = if table.finalized {
        SessionStatus::Complete
    } else if open.iter().any(damaged) {
        SessionStatus::Damaged
    } else if open.iter().all(Track::is_invisible) {
        SessionStatus::Empty
    } else {
        SessionStatus::Incomplete
    };
    let (first, last) = table.tracks_of(table.sessions()).unwrap_or((1, 1));
    let nowhere = DiscInformation::NOWHERE;
    DiscInformation {
        status: if table.finalized {
            DiscStatus::Complete
        } else if table.is_blank() {
            DiscStatus::Empty
        } else {
            DiscStatus::Appendable
        },
        last_session,
        erasable: false,
        sessions: table.sessions(),
        first_track_in_last_session: first,
        last_track_in_last_session: last,
        last_lead_in: match open.first() {
            None => nowhere,
            Some(_) if table.closed_sessions == 0 => 0,
            Some(track) => track.start.get(),
        },
        last_possible_lead_out: if table.finalized { nowhere } else { area.get() },
        ..DiscInformation::OVERWRITABLE
    }
}

impl Sequence {
    /// Where a write goes: to the open track that goes on where it starts.
    pub fn place(
        &self,
        now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        let table = now.tracks();
        let track = table
            .writable_at(range.start_lba())
            .ok_or(Sense::INVALID_ADDRESS_FOR_WRITE)?;
        let (end, bounded) = {
            let track = &table.tracks[track];
            (track.end_on(self.area), track.end.is_some())
        };
        if range.end_exclusive() > end.get() {
            return Err(if bounded {
                Sense::END_OF_USER_AREA
            } else {
                Sense::LBA_OUT_OF_RANGE
            });
        }
        let simulated = false;
        Ok((Placement::Append { track, simulated }, range.block_count()))
    }

    /// CLOSE TRACK SESSION of a track: nothing to do unless something is recorded in it, or
    /// reserved for it.
    pub fn close_track(&self, now: Situation<'_>, number: u16) -> Result<Job, Sense> {
        let track = now.tracks().track(u32::from(number));
        let track = track.ok_or(Sense::INVALID_FIELD_IN_CDB)?;
        if track.state == TrackState::Complete || track.is_invisible() {
            return Ok(Job::nothing(now));
        }
        let mut table = now.tracks().clone();
        self.end_track(&mut table, usize::from(number) - 1);
        Ok(Job {
            time: now.profile.mechanics.write_end,
            ..Job::at_once(now.with_tracks(table))
        })
    }

    /// Closes a track; what was reserved is filled with zeros. Behind the last one follows an
    /// invisible one if there is room.
    pub fn end_track(&self, table: &mut TrackTable, index: usize) {
        let is_last = index + 1 == table.tracks.len();
        let track = &mut table.tracks[index];
        // A track that was interrupted before anything was recorded takes a unit.
        let least = track.start + self.unit.blocks();
        let written = round_up(track.next_writable, self.unit).max(least);
        let end = track.end.unwrap_or(written.min(Lba::ZERO + self.area));
        track.end = Some(end);
        track.next_writable = end;
        track.state = TrackState::Complete;
        let session = track.session;
        if is_last {
            self.push_invisible(table, session, end, self.track_gap);
        }
    }

    /// Adds an invisible track after a gap; whether there is room for one.
    pub fn push_invisible(
        &self,
        table: &mut TrackTable,
        session: u16,
        end: Lba,
        gap: BlockCount,
    ) -> bool {
        let start = end.checked_add(gap).unwrap_or(Lba::MAX);
        let fits = start.get() < self.area.get() && table.tracks.len() < TrackTable::TRACKS_MAX;
        if fits {
            table.tracks.push(Track::invisible(session, start));
        }
        fits
    }

    /// CLOSE TRACK SESSION of the open session. An empty one stays as it is.
    pub fn close_session(&self, now: Situation<'_>) -> Result<Job, Sense> {
        let Some(mut table) = self.ended_session(now)? else {
            return Ok(Job::nothing(now));
        };
        let session = table.closed_sessions;
        let end = table.closed_end();
        let left = blocks_between(end, Lba::ZERO + self.area);
        let room = left >= self.session_gap + self.room_min;
        let follows = room
            && session < self.sessions_max
            && self.push_invisible(&mut table, session + 1, end, self.session_gap);
        table.finalized = !follows;
        Ok(Job {
            time: now.profile.mechanics.close,
            ..Job::at_once(now.with_tracks(table))
        })
    }

    /// CLOSE TRACK SESSION of the disc, for good. A blank one stays as it is.
    pub fn finalize(&self, now: Situation<'_>) -> Result<Job, Sense> {
        let mut table = match self.ended_session(now)? {
            Some(table) => table,
            None if now.tracks().closed_sessions == 0 || now.tracks().finalized => {
                return Ok(Job::nothing(now));
            }
            None => {
                let mut table = now.tracks().clone();
                table.tracks.retain(|track| !track.is_invisible());
                table
            }
        };
        table.finalized = true;
        Ok(Job {
            time: now.profile.mechanics.close,
            ..Job::at_once(now.with_tracks(table))
        })
    }

    /// The tracks with the open session closed and nothing behind it; `None` if it is empty or
    /// there is none.
    fn ended_session(&self, now: Situation<'_>) -> Result<Option<TrackTable>, Sense> {
        let mut table = now.tracks().clone();
        let open = table.open_session();
        if open.iter().all(Track::is_invisible) {
            return Ok(None);
        }
        let first = table.tracks.len() - open.len();
        for index in first..table.tracks.len() {
            let track = &table.tracks[index];
            if track.state == TrackState::Complete || track.is_invisible() {
                continue;
            }
            if self.tells_reserved && track.reserved {
                return Err(Sense::RESERVED_TRACK_NOT_FULL);
            }
            if !self.closes_tracks {
                return Err(Sense::INCOMPLETE_TRACK_IN_SESSION);
            }
            self.end_track(&mut table, index);
        }
        table.tracks.retain(|track| !track.is_invisible());
        table.closed_sessions += 1;
        Ok(Some(table))
    }

    /// RESERVE TRACK: the invisible track gets a size, and another one follows.
    pub fn reserve(&self, now: Situation<'_>, wanted: Reservation) -> Result<Job, Sense> {
        let table = now.tracks();
        if table.finalized {
            return Err(now.profile.sequential.complete_write);
        }
        let last = table.tracks.last().filter(|track| track.is_invisible());
        let last = last.ok_or(Sense::COMMAND_SEQUENCE_ERROR)?;
        let full = table.open_session().len() >= self.tracks_max;
        if full || table.tracks.len() >= TrackTable::TRACKS_MAX {
            return Err(Sense::NO_MORE_RESERVATIONS);
        }
        let size = match wanted {
            Reservation::Size(size) => size,
            Reservation::SplitAt(lba) => blocks_between(last.start, lba),
        };
        let end = last
            .start
            .checked_add(size)
            .and_then(|end| end.align_up(self.unit))
            .filter(|end| !size.is_zero() && end.get() <= self.area.get())
            .ok_or(Sense::INVALID_FIELD_IN_CDB)?;
        let mut table = table.clone();
        if let Some(track) = table.tracks.last_mut() {
            track.end = Some(end);
            track.reserved = true;
            let session = track.session;
            self.push_invisible(&mut table, session, end, BlockCount::ZERO);
        }
        Ok(Job::at_once(now.with_tracks(table)))
    }

    /// READ DISC INFORMATION about tracks.
    pub fn track_resources(&self, now: Situation<'_>) -> TrackResources {
        let table = now.tracks();
        let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let open = table.tracks.iter().filter(|track| track.is_open()).count();
        TrackResources {
            tracks_max: count(TrackTable::TRACKS_MAX),
            tracks: count(table.tracks.len()),
            appendable_max: count(self.tracks_max),
            appendable: count(open),
        }
    }
}
