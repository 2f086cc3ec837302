//! BD-RE with one to three layers: blank until formatted, with spare clusters as the host
//! wants.
//!
//! Capacity in blocks = all blocks - 32 x spare clusters. Format 30h takes 4096 spare clusters
//! at least, 31h takes none; 00h is 30h with the drive's default.

use std::time::Duration;

use reburn_blocks::BlockCount;
use reburn_mmc::command::{CloseFunction, ReadDiscStructure, TrackAddress};
use reburn_mmc::reply::{
    BdWriteClasses, DiscInformation, DiscStatus, Feature, FormatCapacities, FormatDescriptor,
    FormatKind, FormatParameters, FormattableWays, SessionStatus, TrackInformation,
};
use reburn_mmc::{Profile, Sense};

use super::{Job, Rules, Situation, TocTrack, overwritable, structures, way};
use crate::state::{FormatState, MediumState};

/// The rules of BD-RE.
pub(super) struct BdRe;

/// The versions of BD-RE by class: 2.1 and 3.0 of class 1.
pub(crate) const VERSIONS: [u16; 4] = [0, 0x000c, 0, 0];

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

/// The spare clusters that format 30h asks for. Hosts that name only the capacity (growisofs does)
/// get what is left.
fn spare_of(now: Situation<'_>, wanted: FormatDescriptor) -> Option<u32> {
    let max = now.kind.blocks_max().get();
    let spare = match wanted.parameter {
        0 => max.checked_sub(wanted.blocks.get())? / 32,
        spare => spare,
    };
    (spare >= SPARE_CLUSTERS_MIN).then_some(spare)
}

impl BdRe {
    fn default_spare(now: Situation<'_>) -> u32 {
        now.profile.spare_clusters_per_layer * now.kind.layers()
    }
}

impl Rules for BdRe {
    fn profile(&self, _now: Situation<'_>) -> Profile {
        Profile::BD_RE
    }

    fn features(&self, now: Situation<'_>) -> Vec<Feature> {
        let ways = FormattableWays {
            spare_areas: true,
            expandable: true,
            quick_certification: true,
            certification: true,
            random_recording: false,
        };
        let mut features = vec![
            Feature::Formattable(ways),
            Feature::DefectManagement {
                spare_area_information: true,
            },
            Feature::BdWrite(BdWriteClasses {
                re: VERSIONS,
                ..BdWriteClasses::default()
            }),
        ];
        features.extend(overwritable::random_writable(now));
        features
    }

    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack> {
        overwritable::toc(now)
    }

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
            FormatKind::BD_RE_SPARE => spare_of(now, wanted).ok_or(refused)?,
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
        let spare = (now.kind.blocks_max().get() - now.state.blocks().get()) / 32;
        let formatted = now.state.format != FormatState::Unformatted;
        structures::blu_ray(now, command, *b"BDW", formatted.then_some((spare, 0)))
    }
}
