//! A medium that is recorded from its next writable address on: what is on it, and where it goes
//! on.
//!
//! Sources: MMC-6 READ DISC INFORMATION, READ TRACK INFORMATION, and READ TOC/PMA/ATIP, whose
//! format 1 names the last closed session.

use std::fmt;

use reburn_blocks::{BlockCount, Lba, WriteUnit};
use reburn_drive::{CommandError, DriveExt, RecordingExt};
use reburn_mmc::command::TrackAddress;
use reburn_mmc::reply::{Configuration, DiscInformation, DiscStatus, SessionStatus};
use reburn_mmc::{Profile, SenseKey};

use crate::RecordError;
use crate::link::Link;

/// How far a medium is recorded whose blocks are recorded one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// Whether it is blank, can be appended to, or is closed for good.
    pub status: DiscStatus,
    /// How far the last session is.
    pub last_session: SessionStatus,
    /// How many sessions there are, the one that is open or still empty included.
    pub sessions: u16,
    /// The first block of the last closed session: block 0 while none is closed.
    pub session_start: Lba,
    /// The track that is recorded next; none on a disc that is closed.
    pub track: Option<OpenTrack>,
    /// Whether it takes data in pieces: not a DVD-RW that was blanked as little as possible, which
    /// is recorded at once.
    pub in_pieces: bool,
}

/// The track that is recorded next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenTrack {
    /// Its number.
    pub number: u16,
    /// Its first block.
    pub start: Lba,
    /// The next writable address; none if an interruption took it.
    pub next_writable: Option<Lba>,
    /// Blocks that it still takes.
    pub free: BlockCount,
    /// Whether an interruption damaged it.
    pub is_damaged: bool,
}

impl Sequence {
    /// The next writable address, if there is one.
    pub fn next_writable(&self) -> Option<Lba> {
        self.track?.next_writable
    }

    /// Whether what is recorded next begins a session.
    pub fn begins_session(&self) -> bool {
        self.last_session == SessionStatus::Empty
    }

    /// Whether an interruption left something that must be mended first.
    pub fn is_damaged(&self) -> bool {
        self.last_session == SessionStatus::Damaged || self.track.is_some_and(|t| t.is_damaged)
    }

    /// Asks for it, on a medium that is recorded so.
    pub(crate) fn examine(
        link: &mut Link<'_>,
        profile: Profile,
        configuration: &Configuration,
    ) -> Result<Self, RecordError> {
        const INCREMENTAL: u16 = 0x0021;
        let disc = link.ask(|drive| drive.disc_information())?;
        let toc = match disc.status {
            DiscStatus::Empty => None,
            _ => known(link.ask(|drive| drive.last_closed_session()))?,
        };
        let start = toc.and_then(|toc| Lba::checked(toc.first_track.address.into()));
        let track = match disc.status {
            DiscStatus::Complete => None,
            _ => open_track(link, &disc)?,
        };
        let incremental = configuration.feature(INCREMENTAL);
        Ok(Self {
            status: disc.status,
            last_session: disc.last_session,
            sessions: disc.sessions,
            session_start: start.unwrap_or(Lba::ZERO),
            track,
            in_pieces: profile != Profile::DVD_RW_SEQUENTIAL
                || incremental.is_none_or(|feature| feature.current),
        })
    }
}

/// The track that is recorded next: the last one, whatever drives call it.
fn open_track(
    link: &mut Link<'_>,
    disc: &DiscInformation,
) -> Result<Option<OpenTrack>, RecordError> {
    /// The track that is not begun yet, for drives that do not count it.
    const INVISIBLE: u32 = 0xff;
    let last = u32::from(disc.last_track_in_last_session.max(1));
    let mut found = None;
    for number in [last, INVISIBLE] {
        let asked = link.ask(|drive| drive.track_information(TrackAddress::Track(number)));
        let Some(track) = known(asked)? else { continue };
        let open = OpenTrack {
            number: track.track,
            start: track.start,
            next_writable: track.next_writable,
            free: track.free_blocks,
            is_damaged: track.damaged,
        };
        if open.next_writable.is_some() {
            return Ok(Some(open));
        }
        found.get_or_insert(open);
    }
    Ok(found)
}

/// The answer to a question that a drive may not understand, or that the disc may not answer.
pub(crate) fn known<T>(answer: Result<T, RecordError>) -> Result<Option<T>, RecordError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(RecordError::Command(CommandError::Sense { sense, .. }))
            if matches!(
                sense.key,
                SenseKey::IllegalRequest | SenseKey::MediumError | SenseKey::BlankCheck
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What a medium of this kind records at once, if its blocks are recorded one after the other.
pub(crate) fn write_unit(profile: Profile) -> Option<WriteUnit> {
    match profile {
        Profile::CD_R | Profile::CD_RW => Some(WriteUnit::FILE),
        Profile::DVD_R
        | Profile::DVD_RW_SEQUENTIAL
        | Profile::DVD_R_DL_SEQUENTIAL
        | Profile::DVD_PLUS_R
        | Profile::DVD_PLUS_R_DL => Some(WriteUnit::DVD),
        Profile::BD_R_SEQUENTIAL => Some(WriteUnit::BLU_RAY),
        _ => None,
    }
}

/// One sentence, without the medium's name in front.
impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = |f: &mut fmt::Formatter<'_>| match self.next_writable() {
            Some(lba) => write!(f, "at block {lba}"),
            None => f.write_str("nowhere: the drive names no block"),
        };
        match (self.status, self.last_session) {
            (DiscStatus::Empty, _) => f.write_str("blank"),
            (DiscStatus::Complete, _) => f.write_str("closed for good, nothing can be added"),
            (_, SessionStatus::Empty | SessionStatus::Complete) => {
                let closed = self.sessions.saturating_sub(1).max(1);
                let ending = if closed == 1 { "" } else { "s" };
                write!(f, "{closed} closed session{ending}, the next one begins ")?;
                next(f)
            }
            (_, SessionStatus::Incomplete) => {
                write!(f, "session {} is open, it goes on ", self.sessions)?;
                next(f)
            }
            (_, SessionStatus::Damaged) => {
                let number = self.sessions;
                write!(
                    f,
                    "session {number} was interrupted and is damaged, it goes on "
                )?;
                next(f)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(status: DiscStatus, last_session: SessionStatus, next: Option<u32>) -> Sequence {
        Sequence {
            status,
            last_session,
            sessions: 2,
            session_start: Lba::ZERO,
            track: Some(OpenTrack {
                number: 2,
                start: Lba::new(4096),
                next_writable: next.map(Lba::new),
                free: BlockCount::new(1000),
                is_damaged: false,
            }),
            in_pieces: true,
        }
    }

    #[test]
    fn states_are_told_in_words() {
        use DiscStatus::{Appendable, Complete, Empty};
        let told = [
            sequence(Empty, SessionStatus::Empty, Some(0)),
            sequence(Appendable, SessionStatus::Empty, Some(4096)),
            sequence(Appendable, SessionStatus::Incomplete, Some(4128)),
            sequence(Appendable, SessionStatus::Damaged, None),
            sequence(Complete, SessionStatus::Complete, None),
        ];
        let told = told.map(|sequence| sequence.to_string()).join("\n");
        let expected = "blank\n\
            1 closed session, the next one begins at block 4096\n\
            session 2 is open, it goes on at block 4128\n\
            session 2 was interrupted and is damaged, it goes on nowhere: the drive names no block\n\
            closed for good, nothing can be added";
        assert_eq!(told, expected);
    }

    #[test]
    fn an_open_session_begins_none() {
        let open = sequence(
            DiscStatus::Appendable,
            SessionStatus::Incomplete,
            Some(4128),
        );
        assert!(!open.begins_session());
        assert_eq!(open.next_writable(), Some(Lba::new(4128)));
    }
}
