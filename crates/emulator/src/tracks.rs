//! Tracks and sessions of a medium that is recorded in sequence.
//!
//! Invariants, checked by [`TrackTable::check`]:
//!
//! 1. tracks ascend and are disjoint, and end on the medium; their numbers count from 1;
//! 2. sessions count from 1, each has a track, and only the last one is open;
//! 3. only the last track may be without an end; it reaches to the end of the medium;
//! 4. a track's next writable block lies in it, or at its end when it is full; a complete one
//!    is full;
//! 5. tracks of closed sessions are complete; at most one track is being recorded;
//! 6. a finalized disc has no open track.
//!
//! Sources: MMC-6, READ TRACK INFORMATION and CLOSE TRACK SESSION.

use reburn_blocks::{BlockCount, Lba, WriteUnit};

/// How far a track got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackState {
    /// Nothing is recorded in it.
    Blank,
    /// Something is, all of it in whole write units, and more can be.
    Incomplete,
    /// It is being recorded: a power cut now interrupts it.
    Recording,
    /// Recording it was interrupted in a way that the medium shows.
    Damaged {
        /// Whether it can be repaired, and recorded on from where it was interrupted.
        repairable: bool,
    },
    /// Closed.
    Complete,
}

/// How a track is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackRecording {
    /// Write by write: DVD and Blu-ray, and CD in packets of any size.
    Incremental,
    /// In packets of a fixed size (CD, formatted DVD-RW).
    FixedPackets,
    /// In one go, and closed by the barrier that ends it (CD).
    TrackAtOnce,
    /// The whole session or disc in one go.
    DiscAtOnce,
}

/// One track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Track {
    /// The session it is in, counted from 1.
    pub session: u16,
    /// Its first block.
    pub start: Lba,
    /// The block after its last one; `None` while nothing bounds it but the medium.
    pub end: Option<Lba>,
    /// The block to be recorded next: where the track starts if it is blank.
    pub next_writable: Lba,
    /// How far it got.
    pub state: TrackState,
    /// Whether its size was reserved.
    pub reserved: bool,
    /// How it is recorded.
    pub recording: TrackRecording,
    /// Control bits, 4 for data.
    pub control: u8,
}

impl Track {
    /// A blank data track without an end.
    pub const fn invisible(session: u16, start: Lba) -> Self {
        Self {
            session,
            start,
            end: None,
            next_writable: start,
            state: TrackState::Blank,
            reserved: false,
            recording: TrackRecording::Incremental,
            control: 4,
        }
    }

    /// Whether something can be recorded in it.
    pub const fn is_open(&self) -> bool {
        match self.state {
            TrackState::Blank | TrackState::Incomplete | TrackState::Recording => true,
            TrackState::Damaged { repairable } => repairable,
            TrackState::Complete => false,
        }
    }

    /// Whether nothing is recorded in it and nothing bounds it.
    pub fn is_invisible(&self) -> bool {
        self.state == TrackState::Blank && self.end.is_none()
    }

    /// The block after its last one on a medium of `capacity` blocks.
    pub fn end_on(&self, capacity: BlockCount) -> Lba {
        self.end.unwrap_or(Lba::ZERO + capacity)
    }

    /// Blocks that can still be recorded in it.
    pub fn free_on(&self, capacity: BlockCount) -> BlockCount {
        if self.is_open() {
            blocks_between(self.next_writable, self.end_on(capacity))
        } else {
            BlockCount::ZERO
        }
    }
}

/// Blocks from one address to another; none if they are the other way round.
pub(crate) fn blocks_between(start: Lba, end: Lba) -> BlockCount {
    BlockCount::new(end.get().saturating_sub(start.get()))
}

/// The next multiple of `unit`; no medium is so large that there is none.
pub(crate) fn round_up(lba: Lba, unit: WriteUnit) -> Lba {
    lba.align_up(unit).unwrap_or(lba)
}

/// All tracks of a medium, by session. Empty on media whose blocks are written in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrackTable {
    /// The tracks, ascending; the number of the first is 1.
    pub tracks: Vec<Track>,
    /// How many sessions are closed: the first ones.
    pub closed_sessions: u16,
    /// Whether nothing can ever be appended.
    pub finalized: bool,
}

impl TrackTable {
    /// The most tracks that a table has room for.
    pub const TRACKS_MAX: usize = 2000;

    /// A blank medium: one session with one track, both empty.
    pub fn blank() -> Self {
        Self {
            tracks: vec![Track::invisible(1, Lba::ZERO)],
            closed_sessions: 0,
            finalized: false,
        }
    }

    /// The number of sessions; the last one may be empty.
    pub const fn sessions(&self) -> u16 {
        if self.finalized {
            self.closed_sessions
        } else {
            self.closed_sessions + 1
        }
    }

    /// The track with a number; numbers count from 1.
    pub fn track(&self, number: u32) -> Option<&Track> {
        let index = (number as usize).checked_sub(1)?;
        self.tracks.get(index)
    }

    /// The numbers of a session's first and last track.
    pub fn tracks_of(&self, session: u16) -> Option<(u16, u16)> {
        let is_in = |track: &Track| track.session == session;
        let first = self.tracks.iter().position(is_in)?;
        let last = self.tracks.iter().rposition(is_in)?;
        Some((number_of(first), number_of(last)))
    }

    /// The index of the track that is being recorded.
    pub fn recording(&self) -> Option<usize> {
        let recording = |track: &Track| track.state == TrackState::Recording;
        self.tracks.iter().rposition(recording)
    }

    /// The index of the open track whose next writable block is this one.
    pub fn writable_at(&self, lba: Lba) -> Option<usize> {
        let continues = |track: &Track| track.is_open() && track.next_writable == lba;
        self.tracks.iter().rposition(continues)
    }

    /// The index of the last track that starts at a block or before it.
    pub fn at(&self, lba: Lba) -> Option<usize> {
        let after = self.tracks.partition_point(|track| track.start <= lba);
        after.checked_sub(1)
    }

    /// Whether nothing was ever recorded, reserved or closed.
    pub fn is_blank(&self) -> bool {
        self.closed_sessions == 0 && !self.finalized && self.tracks.iter().all(Track::is_invisible)
    }

    /// The block after the last one that is recorded, in any track.
    pub fn recorded_end(&self) -> Lba {
        let recorded = |track: &&Track| track.state != TrackState::Blank;
        let last = self.tracks.iter().rfind(recorded);
        last.map_or(Lba::ZERO, |track| track.next_writable)
    }

    /// The block after the last one of the last closed session.
    pub fn closed_end(&self) -> Lba {
        let closed = |track: &&Track| track.session <= self.closed_sessions;
        let last = self.tracks.iter().rfind(closed);
        last.map_or(Lba::ZERO, |track| track.end.unwrap_or(track.next_writable))
    }

    /// The tracks that are closed, with their numbers.
    pub fn closed_tracks(&self) -> impl DoubleEndedIterator<Item = (u16, &Track)> {
        let numbered = self.tracks.iter().enumerate();
        numbered
            .filter(|(_, track)| track.state == TrackState::Complete)
            .map(|(index, track)| (number_of(index), track))
    }

    /// The tracks of the last session, if it is open.
    pub fn open_session(&self) -> &[Track] {
        let first = self
            .tracks
            .partition_point(|track| track.session <= self.closed_sessions);
        &self.tracks[first..]
    }

    /// Says which invariant does not hold on a medium of `capacity` blocks.
    pub fn check(&self, capacity: BlockCount) -> Result<(), String> {
        let mut end = Lba::ZERO;
        let mut session = 1;
        for (index, track) in self.tracks.iter().enumerate() {
            let number = number_of(index);
            let fail = |what: &str| Err(format!("track {number} {what}"));
            if track.start < end {
                return fail("overlaps the one before");
            }
            if track.session != session && (track.session != session + 1 || index == 0) {
                return fail("is in a session out of order");
            }
            session = track.session;
            if track.end.is_none() && index + 1 != self.tracks.len() {
                return fail("has no end, but another one follows");
            }
            end = track.end_on(capacity);
            if end < track.start || end.get() > capacity.get() {
                return fail("ends past the medium");
            }
            if !(track.start..=end).contains(&track.next_writable) {
                return fail("goes on outside itself");
            }
            if track.state == TrackState::Blank && track.next_writable != track.start {
                return fail("is blank but begun");
            }
            if track.state == TrackState::Incomplete && track.next_writable == track.start {
                return fail("is incomplete with nothing in it");
            }
            let closed = track.state == TrackState::Complete;
            if closed && track.end != Some(track.next_writable) {
                return fail("is complete but not full");
            }
            if !closed && (self.finalized || track.session <= self.closed_sessions) {
                return fail("is open in a closed session");
            }
        }
        let recording = |track: &&Track| track.state == TrackState::Recording;
        if self.tracks.iter().filter(recording).count() > 1 {
            return Err("two tracks are being recorded".into());
        }
        let empty = self.tracks.is_empty() && self.closed_sessions == 0 && !self.finalized;
        if !empty && session != self.sessions() {
            return Err(format!(
                "{session} sessions, of which {} are closed",
                self.closed_sessions
            ));
        }
        if self.tracks.len() > Self::TRACKS_MAX {
            return Err(format!("{} tracks", self.tracks.len()));
        }
        Ok(())
    }
}

/// The number of the track at an index.
pub(crate) fn number_of(index: usize) -> u16 {
    u16::try_from(index + 1).unwrap_or(u16::MAX)
}
