//! Blanking CD-RW and DVD-RW (MMC-6, BLANK).
//!
//! As little as possible leaves a DVD-RW that is recorded at once; only a full blank lets it take
//! data in pieces again. A CD-RW takes both ways.

use std::time::Duration;

use reburn_drive::{CommandError, DriveExt, RecordingExt};
use reburn_mmc::{Profile, Sense, SenseKey};

use crate::link::{FORMAT_LIMIT, Link, is_busy};
use crate::medium::{Medium, examine};
use crate::{DiscState, Event, RecordError};

/// How often the drive is asked how far it got.
const POLL: Duration = Duration::from_secs(1);

/// How much of a disc is blanked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlankWay {
    /// All of it: takes as long as recording it.
    Full,
    /// What tells drives that something is there: takes a minute or two.
    Minimal,
}

/// Blanks the disc; the medium as it is then.
pub(crate) fn blank(
    link: &mut Link<'_>,
    way: BlankWay,
    state: &mut DiscState,
) -> Result<Medium, RecordError> {
    let profile = examine(link)?.profile;
    link.settle();
    if !matches!(
        profile,
        Profile::CD_RW | Profile::DVD_RW_SEQUENTIAL | Profile::DVD_RW_OVERWRITE
    ) {
        return Err(RecordError::NotBlankable { profile });
    }
    let begun = link.ask(|drive| drive.begin_blank(way == BlankWay::Full));
    begun.map_err(|error| failed(error, profile))?;
    *state = DiscState::Blanking;
    wait_for_end(link, profile)?;
    *state = DiscState::Blank;
    examine(link)
}

fn wait_for_end(link: &mut Link<'_>, profile: Profile) -> Result<(), RecordError> {
    let mut waited = Duration::ZERO;
    loop {
        let ready = link.drive.test_unit_ready();
        // Some drives own up to it here alone.
        let ready = ready.and_then(|()| link.drive.disc_information().map(drop));
        let Err(source) = ready else {
            return Ok(());
        };
        let passing = |sense: &Sense| is_busy(sense) || sense.key == SenseKey::UnitAttention;
        let Some(sense) = source.sense().filter(passing) else {
            return Err(RecordError::Blank { profile, source });
        };
        if waited >= FORMAT_LIMIT {
            return Err(RecordError::NotReady {
                sense,
                waited_seconds: waited.as_secs(),
            });
        }
        let progress = sense
            .progress
            .or_else(|| link.drive.request_sense().ok()?.progress);
        link.emit(Event::Blanking {
            permille: progress.map(crate::format::permille),
        })?;
        link.drive.wait(POLL);
        waited += POLL;
    }
}

fn failed(error: RecordError, profile: Profile) -> RecordError {
    match error {
        RecordError::Command(source @ CommandError::Sense { .. }) => {
            RecordError::Blank { profile, source }
        }
        error => error,
    }
}
