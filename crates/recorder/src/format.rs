//! Formatting: which way, and waiting for its end.
//!
//! | medium | way |
//! |---|---|
//! | DVD+RW | 26h: the drive formats in the background, blocks can be written at once |
//! | DVD-RAM | 00h |
//! | BD-RE | 00h with the drive's default spare areas, 30h or 31h with smaller or no ones where only they give enough blocks |

use std::time::Duration;

use reburn_blocks::BlockCount;
use reburn_drive::{CommandError, DriveExt};
use reburn_mmc::reply::{BackgroundFormat, FormatDescriptor, FormatKind, FormatParameters};
use reburn_mmc::{Profile, SenseKey};

use crate::link::{FORMAT_LIMIT, Link, is_busy};
use crate::medium::{Medium, examine};
use crate::{DiscState, Event, FormatPolicy, RecordError};

/// How often the drive is asked how far it got.
const POLL: Duration = Duration::from_secs(1);

/// Formats a medium that needs it; the medium as it is then. `state` says what became of what
/// it held.
pub(crate) fn ensure_formatted(
    link: &mut Link<'_>,
    medium: Medium,
    needed: BlockCount,
    policy: FormatPolicy,
    state: &mut DiscState,
) -> Result<Medium, RecordError> {
    if medium.formatted {
        return Ok(medium);
    }
    let profile = medium.profile;
    if policy == FormatPolicy::Never {
        return Err(RecordError::NotFormatted { profile });
    }
    let way = choose(&medium, needed).ok_or(RecordError::NoFormat { profile, needed })?;
    start(link, profile, way)?;
    *state = DiscState::Formatting;
    wait_for_end(link, profile)?;
    *state = DiscState::Formatted;
    let formatted = examine(link)?;
    if formatted.formatted {
        Ok(formatted)
    } else {
        Err(RecordError::NotFormatted { profile })
    }
}

/// Has a DVD+RW go on with a background format that was stopped. What it holds stays.
pub(crate) fn resume_format(
    link: &mut Link<'_>,
    medium: &Medium,
    policy: FormatPolicy,
) -> Result<(), RecordError> {
    const RESTART: u32 = 1;
    if medium.background_format != BackgroundFormat::Stopped || policy == FormatPolicy::Never {
        return Ok(());
    }
    start(
        link,
        medium.profile,
        FormatDescriptor {
            parameter: RESTART,
            ..DVD_PLUS_RW
        },
    )?;
    wait_for_end(link, medium.profile)
}

/// All of a DVD+RW, from its beginning.
const DVD_PLUS_RW: FormatDescriptor = FormatDescriptor {
    blocks: BlockCount::MAX,
    kind: FormatKind::DVD_PLUS_RW,
    subtype: 0,
    parameter: 0,
};

/// The way that gives enough blocks: the drive's default if that does, else the one that
/// leaves the most spare blocks.
fn choose(medium: &Medium, needed: BlockCount) -> Option<FormatDescriptor> {
    let kinds: &[FormatKind] = match medium.profile {
        Profile::DVD_PLUS_RW | Profile::DVD_PLUS_RW_DL => &[FormatKind::DVD_PLUS_RW],
        Profile::DVD_RAM => &[FormatKind::FULL],
        Profile::BD_RE => &[
            FormatKind::FULL,
            FormatKind::BD_RE_SPARE,
            FormatKind::BD_RE_NO_SPARE,
        ],
        _ => &[],
    };
    let enough = |way: &&FormatDescriptor| kinds.contains(&way.kind) && way.blocks >= needed;
    let mut ways = medium.formats.iter().filter(enough);
    let default = ways.clone().find(|way| way.kind == FormatKind::FULL);
    let way = default.or_else(|| ways.by_ref().min_by_key(|way| way.blocks))?;
    Some(if way.kind == FormatKind::DVD_PLUS_RW {
        DVD_PLUS_RW
    } else {
        *way
    })
}

fn start(
    link: &mut Link<'_>,
    profile: Profile,
    descriptor: FormatDescriptor,
) -> Result<(), RecordError> {
    let parameters = FormatParameters {
        immediate: true,
        no_certification: false,
        options_valid: false,
        descriptor,
    };
    link.ask(|drive| drive.format_unit(&parameters))
        .map_err(|error| failed(error, profile))
}

fn wait_for_end(link: &mut Link<'_>, profile: Profile) -> Result<(), RecordError> {
    let mut waited = Duration::ZERO;
    loop {
        let error = match link.drive.test_unit_ready() {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let passing = |sense| is_busy(&sense) || sense.key == SenseKey::UnitAttention;
        let Some(sense) = error.sense().filter(|&sense| passing(sense)) else {
            return Err(RecordError::Format {
                profile,
                source: error,
            });
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
        link.emit(Event::Formatting {
            permille: progress.map(permille),
        })?;
        link.drive.wait(POLL);
        waited += POLL;
    }
}

/// Thousandths of what drives count in 1/65536.
fn permille(progress: u16) -> u16 {
    (u32::from(progress) * 1000 / 65536) as u16
}

fn failed(error: RecordError, profile: Profile) -> RecordError {
    match error {
        RecordError::Command(source @ CommandError::Sense { .. }) => {
            RecordError::Format { profile, source }
        }
        error => error,
    }
}
