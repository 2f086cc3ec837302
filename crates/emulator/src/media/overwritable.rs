//! What media have in common whose blocks are written in any order: one session of one track
//! that reaches to the end of the format.

use reburn_blocks::Lba;
use reburn_mmc::Sense;
use reburn_mmc::command::TrackAddress;
use reburn_mmc::reply::{Feature, TrackInformation};

use super::{Job, Readable, Situation, TocTrack};
use crate::state::FormatState;

/// What makes a formatted medium writable.
pub(super) fn random_writable(now: Situation<'_>) -> Option<Feature> {
    let last = now.state.blocks().get().checked_sub(1)?;
    let unit = now.kind.write_unit();
    Some(Feature::random_writable(Lba::new(last), unit))
}

/// How a read of the medium is answered.
pub(super) fn readable(now: Situation<'_>) -> Result<Readable, Sense> {
    match now.state.format {
        FormatState::Unformatted => Err(now.profile.unformatted_read),
        FormatState::Interrupted => Err(Sense::MEDIUM_FORMAT_CORRUPTED),
        FormatState::Formatted(blocks) => Ok(Readable {
            blocks,
            beyond: Some(Sense::LBA_OUT_OF_RANGE),
        }),
    }
}

/// Why nothing can be written.
pub(super) fn writable(now: Situation<'_>) -> Result<(), Sense> {
    match now.state.format {
        FormatState::Unformatted => Err(now.profile.unformatted_write),
        FormatState::Interrupted => Err(Sense::MEDIUM_FORMAT_CORRUPTED),
        FormatState::Formatted(_) => Ok(()),
    }
}

/// CLOSE TRACK SESSION on media that know no sessions: drives differ.
pub(super) fn nothing_to_close(now: Situation<'_>) -> Result<Job, Sense> {
    if !now.profile.close_is_ignored {
        return Err(Sense::INVALID_FIELD_IN_CDB);
    }
    Ok(Job::nothing(now))
}

/// Whether a question is about the one track there is.
pub(super) fn check_address(now: Situation<'_>, address: TrackAddress) -> Result<(), Sense> {
    let blocks = now.state.blocks().get().max(1);
    match address {
        TrackAddress::Lba(lba) if lba.get() >= blocks => Err(Sense::LBA_OUT_OF_RANGE),
        TrackAddress::Track(number) | TrackAddress::Session(number) if number != 1 => {
            Err(Sense::INVALID_FIELD_IN_CDB)
        }
        _ => Ok(()),
    }
}

/// The one track.
pub(super) fn only_track(now: Situation<'_>) -> TrackInformation {
    let blocks = now.state.blocks();
    TrackInformation {
        blank: blocks.is_zero(),
        packet_size: now.kind.write_unit().blocks(),
        track_size: blocks,
        ..TrackInformation::DATA
    }
}

/// The one track, as drives make it up.
pub(super) fn toc(now: Situation<'_>) -> Vec<TocTrack> {
    vec![TocTrack {
        number: 1,
        session: 1,
        start: Lba::ZERO,
        end: Lba::new(now.state.blocks().get()),
    }]
}
