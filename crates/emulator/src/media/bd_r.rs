//! BD-R with one to four layers: recorded in sequence as it is sold, or in the mode that a
//! format of the blank disc chose.
//!
//! ```text
//! blank --WRITE----------------------------> sequential, no spare clusters
//!   | FORMAT 00h, 32h, subtype 0 ----------> sequential, recorded clusters can be replaced
//!   |                  subtype 1 ----------> sequential, with spare clusters
//!   +------------------subtype 2 ----------> any order, each cluster once
//! sequential: as the module `sequence` draws it; CLOSE 6 --> complete
//! ```
//!
//! A replaced cluster keeps its address; the drive records it at the next writable block of the
//! last open track or in a spare cluster, as its profile says, and that place is used up.

use reburn_blocks::{BlockCount, BlockRange, Lba};
use reburn_mmc::command::{CloseFunction, ReadDiscStructure, Reservation, TrackAddress};
use reburn_mmc::reply::{
    BdWriteClasses, DiscInformation, Feature, FormatCapacities, FormatDescriptor, FormatKind,
    FormatParameters, FormattableWays, PseudoOverwriteResources, TrackInformation, TrackResources,
};
use reburn_mmc::{Profile, Sense};

use super::sequence::{self, Sequence};
use super::{Job, Placement, Readable, Rules, Situation, Target, TocTrack, structures, way};
use crate::profile::Replacement;
use crate::state::{FormatState, MediumState, RecordingMode};
use crate::tracks::{Track, TrackTable, round_up};

/// The rules of BD-R.
pub(super) struct BdR;

/// The versions of BD-R by class: 1.1 to 1.3 of class 1.
pub(crate) const VERSIONS: [u16; 4] = [0, 0x000e, 0, 0];

/// Spare clusters a layer of the smallest and the largest choice listed.
const SPARE_CLUSTERS: [u32; 2] = [0x1000, 0x3_1000];

fn sequence(now: Situation<'_>) -> Sequence {
    let habits = &now.profile.sequential;
    Sequence {
        unit: now.kind.write_unit(),
        area: now.state.user_area(now.kind),
        track_gap: BlockCount::ZERO,
        session_gap: habits.bd_r_session_gap,
        room_min: now.kind.write_unit().blocks(),
        sessions_max: habits.bd_r_sessions_max,
        tracks_max: TrackTable::TRACKS_MAX,
        closes_tracks: habits.session_close_closes_track
            || now.state.mode == RecordingMode::RandomOnce,
        tells_reserved: false,
    }
}

fn blank(now: Situation<'_>) -> bool {
    now.tracks().is_blank()
}

/// Spare clusters: all of them; none before a format.
fn spares(now: Situation<'_>) -> u32 {
    let blocks = now.kind.blocks_max().get() - now.state.user_area(now.kind).get();
    blocks / now.kind.write_unit().blocks().get()
}

/// The capacity with so many spare clusters; `None` if nothing is left.
fn capacity(now: Situation<'_>, spare_clusters: u32) -> Option<BlockCount> {
    let spare = spare_clusters.checked_mul(32)?;
    let blocks = now.kind.blocks_max().get().checked_sub(spare)?;
    (blocks > 0).then(|| BlockCount::new(blocks))
}

/// The index of the open track that takes replaced clusters.
fn taking(now: Situation<'_>) -> Option<usize> {
    let area = now.state.user_area(now.kind);
    let room = |track: &Track| track.is_open() && !track.free_on(area).is_zero();
    let table = now.tracks();
    table
        .recording()
        .filter(|index| room(&table.tracks[*index]))
        .or_else(|| table.tracks.iter().rposition(room))
}

impl BdR {
    fn default_spare(now: Situation<'_>) -> u32 {
        now.profile.spare_clusters_per_layer * now.kind.layers()
    }

    /// Where a write over recorded clusters goes.
    fn place_over(
        &self,
        now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        let table = now.tracks();
        let refused = Err(Sense::INVALID_ADDRESS_FOR_WRITE);
        let Some(track) = table
            .at(range.start_lba())
            .map(|index| &table.tracks[index])
        else {
            return refused;
        };
        if range.start_lba() >= track.next_writable {
            return refused;
        }
        let recorded = track.next_writable.get() - range.start_lba().get();
        let covered = range.block_count().min(BlockCount::new(recorded));
        let grows = covered < range.block_count();
        let takes_next = now.profile.sequential.replacement == Replacement::NextWritable;
        // What follows would have to go where the replaced clusters went.
        let misses = grows && (takes_next || table.writable_at(track.next_writable).is_none());
        if misses {
            return refused;
        }
        if self.replacement(now).is_none() {
            return Err(Sense::SPACE_ALLOCATION_FAILED);
        }
        Ok((Placement::Replace, covered))
    }
}

impl Rules for BdR {
    fn profile(&self, now: Situation<'_>) -> Profile {
        match now.state.mode {
            RecordingMode::RandomOnce => Profile::BD_R_RANDOM,
            _ => Profile::BD_R_SEQUENTIAL,
        }
    }

    fn features(&self, now: Situation<'_>) -> Vec<Feature> {
        let mut features = Vec::new();
        if spares(now) > 0 {
            features.push(Feature::DefectManagement {
                spare_area_information: true,
            });
        }
        if now.tracks().finalized {
            return features;
        }
        features.push(Feature::BdWrite(BdWriteClasses {
            r: VERSIONS,
            ..BdWriteClasses::default()
        }));
        if blank(now) && now.state.format == FormatState::Unformatted {
            features.push(Feature::Formattable(FormattableWays {
                random_recording: true,
                ..FormattableWays::default()
            }));
        }
        match now.state.mode {
            RecordingMode::PseudoOverwrite => features.push(Feature::BdPseudoOverwrite),
            RecordingMode::RandomOnce => features.push(Feature::WriteOnce {
                block_size: 2048,
                blocking: now.kind.write_unit(),
                error_recovery_page: true,
            }),
            _ => {}
        }
        features
    }

    fn capacity(&self, now: Situation<'_>) -> BlockCount {
        match now.state.mode {
            RecordingMode::Sequential => BlockCount::new(now.tracks().closed_end().get()),
            _ => now.state.user_area(now.kind),
        }
    }

    fn area(&self, now: Situation<'_>) -> BlockCount {
        now.state.user_area(now.kind)
    }

    fn readable(&self, now: Situation<'_>) -> Result<Readable, Sense> {
        if now.state.mode == RecordingMode::RandomOnce {
            return Ok(Readable {
                blocks: self.area(now),
                beyond: None,
            });
        }
        sequence::readable(now, now.profile.sequential.unwritten_bd_read)
    }

    fn writable(&self, now: Situation<'_>) -> Result<(), Sense> {
        sequence::writable(now)
    }

    fn place(
        &self,
        now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        if now.state.mode == RecordingMode::RandomOnce {
            return Ok((Placement::InPlace, range.block_count()));
        }
        let replaceable = now.state.mode == RecordingMode::PseudoOverwrite;
        match sequence(now).place(now, range) {
            Err(Sense::INVALID_ADDRESS_FOR_WRITE) if replaceable => self.place_over(now, range),
            other => other,
        }
    }

    fn replacement(&self, now: Situation<'_>) -> Option<Target> {
        let unit = now.kind.write_unit();
        let area = self.area(now).units(unit);
        if now.state.replacements >= now.profile.sequential.replacements_max {
            return None;
        }
        let spare = (now.state.spares_used < spares(now)).then(|| Target {
            unit: area + now.state.spares_used,
            track: None,
        });
        let next = taking(now).map(|index| {
            let next = now.tracks().tracks[index].next_writable;
            Target {
                unit: unit.index_of(round_up(next, unit)),
                track: Some(index),
            }
        });
        let next = next.filter(|target| target.unit < area);
        match now.profile.sequential.replacement {
            Replacement::NextWritable => next.or(spare),
            Replacement::Spare => spare.or(next),
        }
    }

    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        let default = Self::default_spare(now);
        let [small, large] = SPARE_CLUSTERS.map(|clusters| clusters * now.kind.layers());
        let choices = [
            (FormatKind::FULL, default),
            (FormatKind::BD_R_SPARE, default),
            (FormatKind::BD_R_SPARE, large),
            (FormatKind::BD_R_SPARE, small),
        ];
        let ways = choices.into_iter();
        FormatCapacities {
            current: now.formatted_capacity(now.kind.blocks_max()),
            formattable: ways
                .filter_map(|(kind, spare)| Some(way(kind, capacity(now, spare)?, spare)))
                .collect(),
        }
    }

    /// The number of blocks is not looked at but where the spare clusters are not given.
    fn format(&self, now: Situation<'_>, parameters: &FormatParameters) -> Result<Job, Sense> {
        let refused = Sense::INVALID_FIELD_IN_PARAMETERS;
        if !blank(now) || now.state.format != FormatState::Unformatted {
            return Err(now.profile.sequential.written_format);
        }
        let FormatDescriptor {
            kind,
            subtype,
            parameter,
            blocks,
        } = parameters.descriptor;
        let spare = match kind {
            FormatKind::FULL if parameter == 0 => Self::default_spare(now),
            FormatKind::BD_R_SPARE if parameter == 0 => {
                let left = now.kind.blocks_max().get().checked_sub(blocks.get());
                left.ok_or(refused)? / 32
            }
            FormatKind::FULL | FormatKind::BD_R_SPARE => parameter,
            _ => return Err(refused),
        };
        let blocks = capacity(now, spare).ok_or(refused)?;
        let mode = match subtype {
            0 => RecordingMode::PseudoOverwrite,
            1 => RecordingMode::Sequential,
            2 => RecordingMode::RandomOnce,
            _ => return Err(refused),
        };
        Ok(Job {
            time: now.profile.mechanics.format,
            ..Job::at_once(MediumState {
                write_protected: now.state.write_protected,
                ..MediumState::with(FormatState::Formatted(blocks), mode)
            })
        })
    }

    fn close(&self, now: Situation<'_>, function: CloseFunction, track: u16) -> Result<Job, Sense> {
        let sequence = sequence(now);
        let random = now.state.mode == RecordingMode::RandomOnce;
        match function {
            CloseFunction::Track | CloseFunction::Session if random => Ok(Job::nothing(now)),
            CloseFunction::Track => sequence.close_track(now, track),
            CloseFunction::Session => sequence.close_session(now),
            CloseFunction::Finalize if random => {
                let mut table = now.tracks().clone();
                for track in table
                    .tracks
                    .iter_mut()
                    .filter(|track| !track.is_invisible())
                {
                    track.next_writable = track.end_on(sequence.area);
                }
                let state = &now.with_tracks(table);
                sequence.finalize(Situation { state, ..now })
            }
            CloseFunction::Finalize => sequence.finalize(now),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }

    fn reserve(&self, now: Situation<'_>, wanted: Reservation) -> Result<Job, Sense> {
        if now.state.mode == RecordingMode::RandomOnce {
            return Err(Sense::CANNOT_WRITE_FORMAT);
        }
        sequence(now).reserve(now, wanted)
    }

    fn disc_information(&self, now: Situation<'_>) -> DiscInformation {
        sequence::disc_information(now, self.area(now))
    }

    fn track_resources(&self, now: Situation<'_>) -> Result<TrackResources, Sense> {
        Ok(sequence(now).track_resources(now))
    }

    fn pseudo_overwrite(&self, now: Situation<'_>) -> Result<PseudoOverwriteResources, Sense> {
        if now.state.mode != RecordingMode::PseudoOverwrite {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        let left = now.profile.sequential.replacements_max;
        let left = left.saturating_sub(now.state.replacements);
        Ok(PseudoOverwriteResources {
            remaining_replacements: left,
            map_entries: now.state.replacements,
            remaining_updates: left,
        })
    }

    fn track_information(
        &self,
        now: Situation<'_>,
        address: TrackAddress,
        open: bool,
    ) -> Result<TrackInformation, Sense> {
        let area = self.area(now);
        let index = sequence::find(now, address, open, area)?;
        let track = &now.tracks().tracks[index];
        let mut information = sequence::track_information(now, index, area);
        information.last_recorded = sequence::last_recorded(track);
        if now.state.mode == RecordingMode::RandomOnce {
            information.next_writable = None;
        }
        Ok(information)
    }

    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack> {
        if now.state.mode == RecordingMode::RandomOnce {
            return vec![TocTrack {
                number: 1,
                session: 1,
                start: Lba::ZERO,
                end: Lba::ZERO + self.area(now),
            }];
        }
        sequence::toc(now)
    }

    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        let formatted = now.state.format != FormatState::Unformatted;
        let spares = formatted.then_some((spares(now), now.state.spares_used));
        structures::blu_ray(now, command, *b"BDR", spares)
    }
}
