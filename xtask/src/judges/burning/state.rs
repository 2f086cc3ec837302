//! What state a medium must be in: what the standard's commands say of it, and the figures that
//! follow from what was written.

use std::fmt;

use reburn_blocks::Lba;
use reburn_drive::{CommandError, DriveExt};
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_mmc::command::TrackAddress;
use reburn_mmc::reply::{DiscStatus, SessionStatus};

/// What commands say of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    status: DiscStatus,
    last_session: SessionStatus,
    sessions: u16,
    tracks: u16,
    next_writable: Option<u32>,
    /// Blocks that can be read.
    capacity: u32,
}

impl State {
    /// Asks a drive with this disc in it, as a host finds it when it puts it in.
    pub fn of(disc: VirtualDisc) -> Result<Self, String> {
        let mut drive = Emulator::with_disc(disc);
        Self::ask(&mut drive).map_err(|error| error.to_string())
    }

    fn ask(drive: &mut Emulator) -> Result<Self, CommandError> {
        drive.clear_attentions()?;
        let disc = drive.disc_information()?;
        let tracks = disc.last_track_in_last_session;
        let track = drive.track_information(TrackAddress::Track(u32::from(tracks)))?;
        Ok(Self {
            status: disc.status,
            last_session: disc.last_session,
            sessions: disc.sessions,
            tracks,
            next_writable: track.next_writable.map(Lba::get),
            capacity: drive.block_count()?.get(),
        })
    }
}

/// How a program must leave a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// As it is sold.
    Blank,
    /// Sessions closed, and another can follow.
    Sessions(u16),
    /// Tracks closed in a session that is not.
    OpenTracks(u16),
    /// So many sessions, and nothing can follow.
    Closed(u16),
    /// Formatted: any block can be written.
    Formatted,
    /// A DVD-RW after its quick format: writing in its one border begins at block 0.
    Intermediate,
}

/// How a medium lays out what is appended to it.
struct Layout {
    /// What is written is rounded up to this.
    unit: u32,
    /// Blocks behind the data of a track that count as its own.
    run_out: u32,
    /// From the end of the first session to the next, where it is known.
    first_gap: u32,
    /// From the end of a later session to the next, where it is known.
    gap: Option<u32>,
}

/// The figures of `mmc`'s media that are recorded in sequence.
fn layout(kind: MediumKind) -> Layout {
    let (unit, run_out, first_gap, gap) = match kind {
        MediumKind::CdR | MediumKind::CdRw => (1, 2, 11_400, Some(6900)),
        MediumKind::DvdR | MediumKind::DvdRDl | MediumKind::DvdRw => (16, 0, 28_688, None),
        MediumKind::DvdPlusR | MediumKind::DvdPlusRDl => (16, 0, 2048, Some(2048)),
        _ => (32, 0, 0, Some(0)),
    };
    Layout {
        unit,
        run_out,
        first_gap,
        gap,
    }
}

/// What must be found.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    after: After,
    /// Where the last session's data end; `None` if it does not matter or is not known.
    end: Option<u32>,
    /// Whether the session was recorded at once, which leaves no run-out behind a CD's track.
    at_once: bool,
}

impl Expected {
    /// A state, whatever its figures.
    pub fn state(after: After) -> Self {
        Self {
            after,
            end: None,
            at_once: false,
        }
    }

    /// A state after so many blocks were recorded from `start` on, last of all.
    pub fn recorded(after: After, start: u32, blocks: u32) -> Self {
        Self {
            after,
            end: Some(start + blocks),
            at_once: false,
        }
    }

    /// A disc recorded at once, from block 0 on.
    pub fn at_once(blocks: u32) -> Self {
        Self {
            at_once: true,
            ..Self::recorded(After::Closed(1), 0, blocks)
        }
    }

    /// Whether the medium is in this state.
    pub fn check(&self, kind: MediumKind, found: &State) -> Result<(), String> {
        use {DiscStatus as Disc, SessionStatus as Session};
        let (status, last_session, sessions, tracks) = match self.after {
            After::Blank => (Disc::Empty, Session::Empty, 1, 1),
            After::Sessions(closed) => (Disc::Appendable, Session::Empty, closed + 1, closed + 1),
            After::OpenTracks(tracks) => (Disc::Appendable, Session::Incomplete, 1, tracks + 1),
            After::Closed(sessions) => (Disc::Complete, Session::Complete, sessions, sessions),
            After::Formatted => (Disc::Complete, Session::Complete, 1, 1),
            After::Intermediate => (Disc::Appendable, Session::Incomplete, 1, 1),
        };
        self.must("the disc's status", found.status, status)?;
        self.must("the last session", found.last_session, last_session)?;
        self.must("the number of sessions", found.sessions, sessions)?;
        self.must("the number of tracks", found.tracks, tracks)?;
        self.check_figures(kind, found)
    }

    /// Whether the capacity and the next block to write follow from what was written.
    fn check_figures(&self, kind: MediumKind, found: &State) -> Result<(), String> {
        const CAPACITY: &str = "the capacity";
        const NEXT: &str = "the next block to write";
        let layout = layout(kind);
        let run_out = if self.at_once { 0 } else { layout.run_out };
        let end = self
            .end
            .map(|end| end.next_multiple_of(layout.unit) + run_out);
        match (self.after, end) {
            (After::Sessions(closed), Some(end)) => {
                self.must(CAPACITY, found.capacity, end)?;
                let first = (closed == 1).then_some(layout.first_gap);
                match first.or(layout.gap) {
                    Some(gap) => self.must(NEXT, found.next_writable, Some(end + gap)),
                    None => Ok(()),
                }
            }
            (After::OpenTracks(_), Some(end)) => self.must(NEXT, found.next_writable, Some(end)),
            (After::Closed(_), Some(end)) => {
                self.must(CAPACITY, found.capacity, end)?;
                self.must(NEXT, found.next_writable, None)
            }
            (After::Blank, _) => self.must(CAPACITY, found.capacity, 0),
            (After::Intermediate, _) => self.must(NEXT, found.next_writable, Some(0)),
            // A quick format of DVD-RW grows with what is written.
            (After::Formatted, _) if kind != MediumKind::DvdRw && found.capacity < 1_000_000 => {
                let capacity = found.capacity;
                Err(format!("a formatted medium shows {capacity} blocks"))
            }
            _ => Ok(()),
        }
    }

    fn must<T: Copy + PartialEq + fmt::Debug>(
        &self,
        what: &str,
        is: T,
        be: T,
    ) -> Result<(), String> {
        if is == be {
            return Ok(());
        }
        let after = self.after;
        Err(format!(
            "{what} is {is:?} and must be {be:?} after {after:?}"
        ))
    }
}

/// Where the session behind the first one begins.
pub fn second_session(kind: MediumKind, blocks_of_first: u32) -> u32 {
    let layout = layout(kind);
    blocks_of_first.next_multiple_of(layout.unit) + layout.run_out + layout.first_gap
}
