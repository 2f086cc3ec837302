//! DVD+RW: blank until formatted; the format goes on in the background while the disc is used.
//!
//! ```text
//! blank --FORMAT 26h--> formatted, background running --all of it--> complete
//!                            | CLOSE 0, CLOSE 2, eject       ^
//!                            v                               | FORMAT 26h with restart
//!                         stopped ---------------------------+
//! ```
//!
//! A reset or power cut loses the place of the background format, never data.

use std::time::Duration;

use reburn_blocks::BlockCount;
use reburn_mmc::command::{CloseFunction, MediaType, ReadDiscStructure, TrackAddress};
use reburn_mmc::reply::{
    BackgroundFormat, DiscInformation, DiscStatus, Feature, FormatCapacities, FormatKind,
    FormatParameters, FormattableWays, SessionStatus, TrackInformation,
};
use reburn_mmc::{Profile, Sense};

use super::structures::{REWRITABLE, dvd_physical};
use super::{Job, Rules, Situation, TocTrack, overwritable, way};
use crate::state::{Background, FormatState, MediumState};

/// The rules of DVD+RW.
pub(super) struct DvdPlusRw;

/// The bit of the format's parameter that continues a stopped format.
const RESTART: u32 = 1;

impl Rules for DvdPlusRw {
    fn profile(&self, _now: Situation<'_>) -> Profile {
        Profile::DVD_PLUS_RW
    }

    fn features(&self, now: Situation<'_>) -> Vec<Feature> {
        let mut features = vec![
            Feature::Formattable(FormattableWays::default()),
            Feature::DvdPlusRw {
                write: true,
                quick_start: true,
                close_only: false,
            },
        ];
        features.extend(overwritable::random_writable(now));
        features
    }

    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack> {
        overwritable::toc(now)
    }

    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        let blocks = now.kind.capacity();
        FormatCapacities {
            current: now.formatted_capacity(blocks),
            formattable: vec![way(FormatKind::DVD_PLUS_RW, blocks, 0)],
        }
    }

    fn format(&self, now: Situation<'_>, parameters: &FormatParameters) -> Result<Job, Sense> {
        let wanted = parameters.descriptor;
        let whole = [now.kind.capacity(), BlockCount::MAX].contains(&wanted.blocks);
        if wanted.kind != FormatKind::DVD_PLUS_RW || !whole {
            return Err(Sense::INVALID_FIELD_IN_PARAMETERS);
        }
        if wanted.parameter & RESTART == 0 {
            return Ok(Job {
                time: now.profile.mechanics.format,
                erases: true,
                result: MediumState {
                    format: FormatState::Formatted(now.kind.capacity()),
                    background: Background::Running(BlockCount::ZERO),
                    ..now.state.clone()
                },
            });
        }
        let background = match now.state.background {
            Background::None => return Err(Sense::INVALID_FIELD_IN_PARAMETERS),
            Background::Stopped(passed) => Background::Running(passed),
            other => other,
        };
        Ok(Job {
            time: Duration::ZERO,
            erases: false,
            result: MediumState {
                background,
                ..now.state.clone()
            },
        })
    }

    fn close(
        &self,
        now: Situation<'_>,
        function: CloseFunction,
        _track: u16,
    ) -> Result<Job, Sense> {
        let job = |time, background| Job {
            time,
            erases: false,
            result: MediumState {
                background,
                ..now.state.clone()
            },
        };
        let stopped = match now.state.background {
            Background::Running(passed) => Background::Stopped(passed),
            other => other,
        };
        let lead_out = now.profile.mechanics.close;
        match (function, now.state.background) {
            (CloseFunction::StopFormat, _) => Ok(job(Duration::ZERO, stopped)),
            // A lead-out after what was written, so that other drives read it already.
            (CloseFunction::Session, Background::Running(_)) => Ok(job(lead_out, stopped)),
            (CloseFunction::SessionComplete, Background::Running(passed)) => {
                let left = now.kind.capacity() - passed;
                Ok(job(now.whole_medium(left) + lead_out, Background::Complete))
            }
            (CloseFunction::Session | CloseFunction::SessionComplete, other) => {
                Ok(job(Duration::ZERO, other))
            }
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }

    fn disc_information(&self, now: Situation<'_>) -> DiscInformation {
        let background_format = match now.state.background {
            Background::None => BackgroundFormat::None,
            Background::Stopped(_) => BackgroundFormat::Stopped,
            Background::Running(_) => BackgroundFormat::Running,
            Background::Complete => BackgroundFormat::Complete,
        };
        let blank = now.state.blocks().is_zero();
        DiscInformation {
            status: if blank {
                DiscStatus::Empty
            } else {
                DiscStatus::Complete
            },
            last_session: if blank {
                SessionStatus::Empty
            } else {
                SessionStatus::Complete
            },
            background_format,
            ..DiscInformation::OVERWRITABLE
        }
    }

    fn track_information(
        &self,
        now: Situation<'_>,
        address: TrackAddress,
        _open: bool,
    ) -> Result<TrackInformation, Sense> {
        overwritable::check_address(now, address)?;
        Ok(overwritable::only_track(now))
    }

    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        match (command.media, command.format) {
            (MediaType::Dvd, 0x00 | 0x10) => {
                Ok(dvd_physical(9, 2, 1, REWRITABLE, now.kind.capacity()).encode())
            }
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }
}
