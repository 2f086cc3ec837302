//! Closing tracks, sessions and discs, and waiting until it is done.
//!
//! | medium | track | session | for good |
//! |---|---|---|---|
//! | CD | by SYNCHRONIZE CACHE | 02h | the same, with no next session in the write parameters |
//! | DVD-R, DVD-RW | 01h | 02h | the same, with no next session in the write parameters |
//! | DVD+R, BD-R | 01h | 02h | 06h, or 05h |
//!
//! Invariant: nothing more is recorded on the disc before the drive is at rest again.

use std::time::Duration;

use reburn_drive::{CommandError, Drive, RecordingExt};
use reburn_mmc::command::CloseFunction;
use reburn_mmc::{Profile, Sense, SenseKey};

use crate::link::Link;
use crate::options::Close;
use crate::write::at_rest;
use crate::{Event, RecordError};

/// How long closing a session or blanking a disc may take.
const CLOSE_LIMIT: Duration = Duration::from_hours(1);

/// Closes what was recorded in a track, as far as `close` says.
pub(crate) fn close(
    link: &mut Link<'_>,
    profile: Profile,
    track: u16,
    close: Close,
) -> Result<(), RecordError> {
    if close == Close::LeaveOpen {
        return Ok(());
    }
    link.emit(Event::Closing)?;
    let failed = |error| failed(error, profile);
    if !is_cd(profile) {
        step(link, CloseFunction::Track, track).map_err(failed)?;
    }
    let by_function = matches!(
        profile,
        Profile::DVD_PLUS_R | Profile::DVD_PLUS_R_DL | Profile::BD_R_SEQUENTIAL
    );
    if close == Close::Session || !by_function {
        return step(link, CloseFunction::Session, 0).map_err(failed);
    }
    match step(link, CloseFunction::Finalize, 0) {
        Err(RecordError::Command(error)) if error.is(&Sense::INVALID_FIELD_IN_CDB) => {
            step(link, CloseFunction::FinalizeMinimal, 0).map_err(failed)
        }
        result => result.map_err(failed),
    }
}

/// Carries out one closing, and waits for its end.
fn step(link: &mut Link<'_>, function: CloseFunction, track: u16) -> Result<(), RecordError> {
    until_done(link, |drive| drive.begin_close(function, track))
}

/// Begins something that takes long, and waits for its end.
pub(crate) fn until_done(
    link: &mut Link<'_>,
    begin: impl FnMut(&mut dyn Drive) -> Result<(), CommandError>,
) -> Result<(), RecordError> {
    link.wait_for(CLOSE_LIMIT, begin)?;
    link.wait_for(CLOSE_LIMIT, at_rest)
}

/// Whether tracks end by themselves when the drive's buffer is empty.
pub(crate) const fn is_cd(profile: Profile) -> bool {
    matches!(profile, Profile::CD_R | Profile::CD_RW)
}

/// What the drive said of a closing is about the closing.
fn failed(error: RecordError, profile: Profile) -> RecordError {
    match error {
        RecordError::Command(source @ CommandError::Sense { sense, .. })
            if sense.key != SenseKey::UnitAttention =>
        {
            RecordError::Close { profile, source }
        }
        error => error,
    }
}
