//! DVD-RAM: always formatted, unless a format was interrupted; the drive replaces bad blocks.

use std::time::Duration;

use reburn_blocks::{BlockCount, Lba};
use reburn_mmc::Sense;
use reburn_mmc::command::{CloseFunction, MediaType, ReadDiscStructure};
use reburn_mmc::reply::{
    DiscInformation, FormatCapacities, FormatDescriptor, FormatKind, FormatParameters,
    TrackInformation,
};

use super::{Job, Rules, Situation, dvd_physical, nothing_to_close, only_track, way};
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
                ..now.state
            },
        })
    }

    fn close(&self, now: Situation<'_>, _function: CloseFunction) -> Result<Job, Sense> {
        nothing_to_close(now)
    }

    fn disc_information(&self, _now: Situation<'_>) -> DiscInformation {
        DiscInformation::OVERWRITABLE
    }

    fn track_information(&self, now: Situation<'_>) -> TrackInformation {
        TrackInformation {
            last_recorded: now.state.blocks().get().checked_sub(1).map(Lba::new),
            ..only_track(now)
        }
    }

    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        match (command.media, command.format) {
            (MediaType::Dvd, 0x00) => Ok(dvd_physical(1, 6, now.state.blocks())),
            // Cartridge: none; then write protection of the disc.
            (MediaType::Dvd, 0x09) => Ok(vec![u8::from(now.state.write_protected) << 2, 0, 0, 0]),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }
}
