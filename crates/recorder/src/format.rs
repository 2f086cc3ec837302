//! Formatting: which way, and waiting for its end.
//!
//! | medium | way |
//! |---|---|
//! | DVD+RW | 26h: the drive formats in the background, blocks can be written at once |
//! | DVD-RAM | 00h |
//! | BD-RE | 00h with the drive's default spare areas; 30h, 31h with less, if blocks lack |
//! | DVD-RW | 15h: overwritten from then on, and grows as it is written; 10h: all of it at once |
//! | CD-RW | 10h: packets that are overwritten |
//! | BD-R | 00h: its blocks can be replaced, or spare areas alone |
//!
//! The first three are formatted before they are recorded, if they need it; the others when asked
//! for.

use std::time::Duration;

use reburn_blocks::BlockCount;
use reburn_drive::{CommandError, DriveExt};
use reburn_mmc::reply::{BackgroundFormat, FormatDescriptor, FormatKind, FormatParameters};
use reburn_mmc::{Profile, SenseKey};

use crate::link::{FORMAT_LIMIT, Link, is_busy};
use crate::medium::{Medium, examine};
use crate::{DiscState, Event, FormatPolicy, RecordError};

/// How a medium is formatted when it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum FormatWay {
    /// The way that is ready soonest and lets blocks be overwritten: DVD-RW grows as it is written,
    /// blocks of a BD-R can be replaced.
    #[default]
    Usual,
    /// All of the medium at once, where that is another way: DVD-RW.
    Full,
    /// Spare areas for what cannot be recorded, and no more: BD-R.
    SpareAreas,
}

/// Formats the medium, whatever it holds; as it is then.
pub(crate) fn format(
    link: &mut Link<'_>,
    way: FormatWay,
    state: &mut DiscState,
) -> Result<Medium, RecordError> {
    let medium = examine(link)?;
    link.settle();
    let profile = medium.profile;
    let needed = BlockCount::ONE;
    let descriptor = wanted(&medium, way).ok_or(RecordError::NoFormat { profile, needed })?;
    let started = start(link, profile, descriptor);
    if started.is_ok() {
        *state = DiscState::Formatting;
    }
    started?;
    wait_for_end(link, profile)?;
    *state = DiscState::Formatted;
    examine(link)
}

/// What the drive is told; `None` if it does not offer that.
fn wanted(medium: &Medium, way: FormatWay) -> Option<FormatDescriptor> {
    /// Of a BD-R: blocks can be replaced, and not.
    const REPLACEABLE: u8 = 0;
    const SEQUENTIAL: u8 = 1;
    let (kind, subtype) = match (medium.profile, way) {
        (Profile::DVD_PLUS_RW | Profile::DVD_PLUS_RW_DL, FormatWay::Usual | FormatWay::Full) => {
            return Some(DVD_PLUS_RW);
        }
        (Profile::DVD_RAM | Profile::BD_RE, FormatWay::Usual | FormatWay::Full) => {
            (FormatKind::FULL, None)
        }
        (Profile::DVD_RW_SEQUENTIAL | Profile::DVD_RW_OVERWRITE, FormatWay::Usual) => {
            (FormatKind::QUICK, None)
        }
        (Profile::DVD_RW_SEQUENTIAL | Profile::DVD_RW_OVERWRITE, FormatWay::Full)
        | (Profile::CD_RW, FormatWay::Usual | FormatWay::Full) => {
            (FormatKind::REWRITABLE_FULL, None)
        }
        (Profile::BD_R_SEQUENTIAL, FormatWay::Usual | FormatWay::Full) => {
            (FormatKind::FULL, Some(REPLACEABLE))
        }
        (Profile::BD_R_SEQUENTIAL, FormatWay::SpareAreas) => (FormatKind::FULL, Some(SEQUENTIAL)),
        _ => return None,
    };
    let offered = medium.formats.iter().find(|offered| offered.kind == kind)?;
    Some(FormatDescriptor {
        subtype: subtype.unwrap_or(offered.subtype),
        ..*offered
    })
}

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
    *state = DiscState::Formatting;
    let started = start(link, profile, way);
    if matches!(
        started,
        Err(RecordError::Format { .. } | RecordError::WriteProtected { .. })
    ) {
        *state = DiscState::Unchanged; // refused
    }
    started?;
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

/// Lets the border of a DVD-RW grow that is finished, if something must be written behind it.
pub(crate) fn ensure_growing(
    link: &mut Link<'_>,
    medium: &Medium,
    end: u32,
) -> Result<(), RecordError> {
    /// Blocks of a write unit.
    const UNIT: u32 = 16;
    let is_behind = medium.frontier.is_some_and(|frontier| end > frontier.get());
    if medium.profile != Profile::DVD_RW_OVERWRITE || medium.border_open || !is_behind {
        return Ok(());
    }
    let descriptor = FormatDescriptor {
        blocks: BlockCount::ZERO,
        kind: FormatKind::QUICK_GROW,
        subtype: 0,
        parameter: UNIT,
    };
    start(link, medium.profile, descriptor)?;
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
pub(crate) fn permille(progress: u16) -> u16 {
    (u32::from(progress) * 1000 / 65536) as u16
}

fn failed(error: RecordError, profile: Profile) -> RecordError {
    const WRITE_PROTECTED: u8 = 0x27;
    match error {
        RecordError::Command(CommandError::Sense { sense, .. })
            if sense.key == SenseKey::DataProtect && sense.asc == WRITE_PROTECTED =>
        {
            RecordError::WriteProtected { profile }
        }
        RecordError::Command(source @ CommandError::Sense { .. }) => {
            RecordError::Format { profile, source }
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use reburn_blocks::WriteUnit;

    use super::*;

    fn medium(profile: Profile, formats: &[(u8, u32)]) -> Medium {
        let way = |&(kind, blocks)| FormatDescriptor {
            blocks: BlockCount::new(blocks),
            kind: FormatKind(kind),
            subtype: 0,
            parameter: 0,
        };
        Medium {
            drive: "TEST".into(),
            profile,
            write_unit: WriteUnit::BLU_RAY,
            capacity: BlockCount::ZERO,
            writable: BlockCount::ZERO,
            formatted: false,
            blank: true,
            overwritable: false,
            frontier: None,
            border_open: false,
            background_format: BackgroundFormat::None,
            sequence: None,
            formats: formats.iter().map(way).collect(),
        }
    }

    /// The kind and blocks of the way chosen for so many blocks.
    fn chosen(medium: &Medium, needed: u32) -> Option<(u8, u32)> {
        let way = choose(medium, BlockCount::new(needed))?;
        Some((way.kind.0, way.blocks.get()))
    }

    #[test]
    fn a_bd_re_keeps_its_spare_areas_if_it_can() {
        let ways = [
            (0x30, 900),
            (0x30, 1100),
            (0x00, 1000),
            (0x31, 1200),
            (0x32, 5000),
        ];
        let medium = medium(Profile::BD_RE, &ways);
        assert_eq!(chosen(&medium, 100), Some((0x00, 1000)));
        assert_eq!(chosen(&medium, 1000), Some((0x00, 1000)));
        assert_eq!(chosen(&medium, 1001), Some((0x30, 1100)));
        assert_eq!(chosen(&medium, 1101), Some((0x31, 1200)));
        assert_eq!(chosen(&medium, 1201), None);
    }

    #[test]
    fn dvds_have_one_way_each() {
        let ways = [(0x26, 1000), (0x00, 1000)];
        let most = u32::MAX; // the whole disc
        assert_eq!(
            chosen(&medium(Profile::DVD_PLUS_RW, &ways), 100),
            Some((0x26, most))
        );
        assert_eq!(
            chosen(&medium(Profile::DVD_RAM, &ways), 100),
            Some((0x00, 1000))
        );
        assert_eq!(chosen(&medium(Profile::DVD_RAM, &ways), 1001), None);
        assert_eq!(chosen(&medium(Profile::BD_R_SEQUENTIAL, &ways), 100), None);
    }

    #[test]
    fn progress_is_told_in_thousandths() {
        assert_eq!([0, 0x8000, 0xffff].map(permille), [0, 500, 999]);
    }
}
