//! BD-RE with one to three layers: blank until formatted, with spare clusters as the host
//! wants.
//!
//! Capacity in blocks = all blocks - 32 x spare clusters. Format 30h takes 4096 spare clusters
//! at least, 31h takes none; 00h is 30h with the drive's default.

use std::time::Duration;

use reburn_blocks::BlockCount;
use reburn_mmc::Sense;
use reburn_mmc::command::{CloseFunction, MediaType, ReadDiscStructure};
use reburn_mmc::reply::{
    DiscInformation, DiscStatus, FormatCapacities, FormatKind, FormatParameters, SessionStatus,
    TrackInformation,
};

use super::{Job, Rules, Situation, nothing_to_close, only_track, way};
use crate::state::{FormatState, MediumState};

/// The rules of BD-RE.
pub(super) struct BdRe;

/// The fewest spare clusters of format 30h.
const SPARE_CLUSTERS_MIN: u32 = 0x1000;
/// Spare clusters of the largest choice listed, on each layer.
const SPARE_CLUSTERS_LARGE: u32 = 0x5000;
/// What format 31h has in its parameter: the block size.
const BLOCK_SIZE: u32 = 0x800;

/// The capacity with so many spare clusters; `None` if they are more than half the disc.
fn capacity(now: Situation<'_>, spare_clusters: u32) -> Option<BlockCount> {
    let max = now.kind.blocks_max();
    let spare = spare_clusters.checked_mul(32)?;
    (spare <= max.get() / 2).then(|| BlockCount::new(max.get() - spare))
}

impl BdRe {
    fn default_spare(now: Situation<'_>) -> u32 {
        now.profile.spare_clusters_per_layer * now.kind.layers()
    }
}

impl Rules for BdRe {
    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        let layers = now.kind.layers();
        let default = Self::default_spare(now);
        let choices = [
            (FormatKind::FULL, default),
            (FormatKind::BD_RE_SPARE, default),
            (FormatKind::BD_RE_SPARE, SPARE_CLUSTERS_LARGE * layers),
            (FormatKind::BD_RE_SPARE, SPARE_CLUSTERS_MIN * layers),
        ];
        let mut formattable: Vec<_> = choices
            .into_iter()
            .filter_map(|(kind, spare)| Some(way(kind, capacity(now, spare)?, spare)))
            .collect();
        let all = now.kind.blocks_max();
        formattable.push(way(FormatKind::BD_RE_NO_SPARE, all, BLOCK_SIZE));
        FormatCapacities {
            current: now.formatted_capacity(all),
            formattable,
        }
    }

    fn format(&self, now: Situation<'_>, parameters: &FormatParameters) -> Result<Job, Sense> {
        let refused = Sense::INVALID_FIELD_IN_PARAMETERS;
        let wanted = parameters.descriptor;
        let spare = match wanted.kind {
            FormatKind::FULL => Self::default_spare(now),
            FormatKind::BD_RE_SPARE if wanted.parameter >= SPARE_CLUSTERS_MIN => wanted.parameter,
            FormatKind::BD_RE_NO_SPARE => 0,
            _ => return Err(refused),
        };
        let blocks = capacity(now, spare).ok_or(refused)?;
        if wanted.blocks != blocks && wanted.blocks != BlockCount::MAX {
            return Err(refused);
        }
        let certification = match wanted.subtype {
            0 | 1 => Duration::ZERO,
            2 => now.whole_medium(blocks),
            _ => now.profile.mechanics.format, // a quick one, of samples
        };
        Ok(Job {
            time: now.profile.mechanics.format + certification,
            erases: true,
            result: MediumState {
                format: FormatState::Formatted(blocks),
                ..now.state
            },
        })
    }

    fn close(&self, now: Situation<'_>, _function: CloseFunction) -> Result<Job, Sense> {
        nothing_to_close(now)
    }

    fn disc_information(&self, now: Situation<'_>) -> DiscInformation {
        if now.state.blocks().is_zero() {
            return DiscInformation {
                status: DiscStatus::Empty,
                last_session: SessionStatus::Empty,
                ..DiscInformation::OVERWRITABLE
            };
        }
        DiscInformation::OVERWRITABLE
    }

    fn track_information(&self, now: Situation<'_>) -> TrackInformation {
        only_track(now)
    }

    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        match (command.media, command.format) {
            (MediaType::BluRay, 0x00) => Ok(disc_information_unit(now)),
            (MediaType::BluRay, 0x0a) => {
                let spare = (now.kind.blocks_max().get() - now.state.blocks().get()) / 32;
                let mut data = vec![0; 12];
                data[4..8].copy_from_slice(&spare.to_be_bytes()); // all of them free
                data[8..12].copy_from_slice(&spare.to_be_bytes());
                Ok(data)
            }
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }
}

/// The disc information of a BD-RE: one unit, with its header and who made the medium.
fn disc_information_unit(now: Situation<'_>) -> Vec<u8> {
    const LEN: usize = 4098;
    const MANUFACTURER: usize = 100;
    const MEDIA_TYPE: usize = 106;
    let mut data = vec![0; LEN];
    data[..3].copy_from_slice(b"DI\x01");
    data[8..11].copy_from_slice(b"BDW");
    data[12] = now.kind.layers().to_be_bytes()[3];
    data[MANUFACTURER..MANUFACTURER + 6].copy_from_slice(b"REBURN");
    data[MEDIA_TYPE..MEDIA_TYPE + 3].copy_from_slice(b"VRT");
    data
}
