//! DVD-RAM: always formatted, unless a format was interrupted; the drive replaces bad blocks.

use std::time::Duration;

use reburn_blocks::{BlockCount, Lba};
use reburn_mmc::command::{CloseFunction, MediaType, ReadDiscStructure, TrackAddress};
use reburn_mmc::reply::{
    DiscInformation, Feature, FormatCapacities, FormatDescriptor, FormatKind, FormatParameters,
    FormattableWays, TrackInformation,
};
use reburn_mmc::{Profile, Sense};

use super::structures::{REWRITABLE, dvd_physical};
use super::{Job, Rules, Situation, TocTrack, overwritable, way};
use crate::state::{FormatState, MediumState};

/// The rules of DVD-RAM.
pub(super) struct DvdRam;

/// The ways to format: with the ordinary spare area, with none, and with larger ones.
fn ways() -> Vec<FormatDescriptor> {
    const BLOCK_SIZE: u32 = 0x800;
    vec![
        way(FormatKind::FULL, BlockCount::new(2_236_704), BLOCK_SIZE),
        way(FormatKind::FULL, BlockCount::new(2_295_072), BLOCK_SIZE),
        way(
            FormatKind::SPARE_AREA,
            BlockCount::new(2_226_976),
            BLOCK_SIZE,
        ),
        way(
            FormatKind::SPARE_AREA,
            BlockCount::new(2_217_248),
            BLOCK_SIZE,
        ),
    ]
}

impl Rules for DvdRam {
    fn profile(&self, _now: Situation<'_>) -> Profile {
        Profile::DVD_RAM
    }

    fn features(&self, now: Situation<'_>) -> Vec<Feature> {
        let ways = FormattableWays {
            expandable: true,
            certification: true,
            ..FormattableWays::default()
        };
        let mut features = vec![
            Feature::Formattable(ways),
            Feature::DefectManagement {
                spare_area_information: true,
            },
        ];
        features.extend(overwritable::random_writable(now));
        features
    }

    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack> {
        overwritable::toc(now)
    }

    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        FormatCapacities {
            current: now.formatted_capacity(now.kind.blocks_max()),
            formattable: ways(),
        }
    }

    fn format(&self, now: Situation<'_>, parameters: &FormatParameters) -> Result<Job, Sense> {
        let wanted = parameters.descriptor;
        let known = ways()
            .iter()
            .any(|way| (way.kind, way.blocks) == (wanted.kind, wanted.blocks));
        if !known {
            return Err(Sense::INVALID_FIELD_IN_PARAMETERS);
        }
        let certified = !(parameters.options_valid && parameters.no_certification);
        let certification = if certified {
            now.whole_medium(wanted.blocks)
        } else {
            Duration::ZERO
        };
        Ok(Job {
            time: now.profile.mechanics.format + certification,
            erases: true,
            result: MediumState {
                format: FormatState::Formatted(wanted.blocks),
                ..now.state.clone()
            },
        })
    }

    fn close(
        &self,
        now: Situation<'_>,
        _function: CloseFunction,
        _track: u16,
    ) -> Result<Job, Sense> {
        overwritable::nothing_to_close(now)
    }

    fn disc_information(&self, _now: Situation<'_>) -> DiscInformation {
        DiscInformation::OVERWRITABLE
    }

    fn track_information(
        &self,
        now: Situation<'_>,
        address: TrackAddress,
        _open: bool,
    ) -> Result<TrackInformation, Sense> {
        overwritable::check_address(now, address)?;
        Ok(TrackInformation {
            last_recorded: now.state.blocks().get().checked_sub(1).map(Lba::new),
            ..overwritable::only_track(now)
        })
    }

    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        match (command.media, command.format) {
            (MediaType::Dvd, 0x00) => {
                Ok(dvd_physical(1, 6, 1, REWRITABLE, now.state.blocks()).encode())
            }
            // Cartridge: none; then write protection of the disc.
            (MediaType::Dvd, 0x09) => Ok(vec![u8::from(now.state.write_protected) << 2, 0, 0, 0]),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }
}
