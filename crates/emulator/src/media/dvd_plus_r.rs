//! DVD+R with one or two layers: fragments make up sessions, 2048 blocks apart.
//!
//! ```text
//! blank --WRITE--> fragment open --CLOSE 1--> fragment closed --WRITE--> next fragment open
//!                        |                          |
//!                        +--------CLOSE 2-----------+--> session closed --WRITE--> ...
//!                        +--------CLOSE 5, 6--------+--> complete
//! ```
//!
//! Page 05h does not count. With two layers a session closes only if its fragments are closed.

use reburn_blocks::{BlockCount, BlockRange};
use reburn_mmc::command::{CloseFunction, MediaType, ReadDiscStructure, Reservation, TrackAddress};
use reburn_mmc::reply::{
    DiscInformation, Feature, FormatCapacities, FormattedCapacity, IncrementalStreaming,
    TrackInformation, TrackResources,
};
use reburn_mmc::{Profile, Sense};

use super::sequence::{self, Sequence};
use super::structures::dvd_physical;
use super::{Job, Placement, Readable, Rules, Situation, TocTrack};
use crate::MediumKind;
use crate::tracks::TrackState;

/// The rules of DVD+R.
pub(super) struct DvdPlusR;

/// The most fragments of a session; the last one cannot be reserved.
const FRAGMENTS_MAX: usize = 16;
/// Write units that a disc must have left for another session.
const UNITS_MIN: u32 = 65;

fn dual_layer(now: Situation<'_>) -> bool {
    now.kind == MediumKind::DvdPlusRDl
}

fn sequence(now: Situation<'_>) -> Sequence {
    let unit = now.kind.write_unit();
    let habits = &now.profile.sequential;
    let dual_layer = dual_layer(now);
    Sequence {
        unit,
        area: now.kind.blocks_max(),
        track_gap: BlockCount::ZERO,
        session_gap: habits.dvd_plus_r_session_gap,
        room_min: BlockCount::new(UNITS_MIN * unit.blocks().get()),
        sessions_max: if dual_layer {
            habits.dvd_plus_r_dl_sessions_max
        } else {
            habits.dvd_plus_r_sessions_max
        },
        tracks_max: FRAGMENTS_MAX,
        closes_tracks: habits.session_close_closes_track && !dual_layer,
        tells_reserved: false,
    }
}

impl Rules for DvdPlusR {
    fn profile(&self, now: Situation<'_>) -> Profile {
        if dual_layer(now) {
            Profile::DVD_PLUS_R_DL
        } else {
            Profile::DVD_PLUS_R
        }
    }

    fn features(&self, now: Situation<'_>) -> Vec<Feature> {
        let write = !now.tracks().finalized;
        let mut features = vec![if dual_layer(now) {
            Feature::DvdPlusRDualLayer { write }
        } else {
            Feature::DvdPlusR { write }
        }];
        features.extend(write.then(|| {
            Feature::IncrementalStreaming(IncrementalStreaming {
                data_types: 0x0100,
                counts_tracks: true,
                underrun_protection: true,
                ..IncrementalStreaming::default()
            })
        }));
        features
    }

    fn capacity(&self, now: Situation<'_>) -> BlockCount {
        BlockCount::new(now.tracks().closed_end().get())
    }

    fn area(&self, now: Situation<'_>) -> BlockCount {
        now.kind.blocks_max()
    }

    fn readable(&self, now: Situation<'_>) -> Result<Readable, Sense> {
        sequence::readable(now, now.profile.sequential.unwritten_dvd_read)
    }

    fn writable(&self, now: Situation<'_>) -> Result<(), Sense> {
        sequence::writable(now)
    }

    fn place(
        &self,
        now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        sequence(now).place(now, range)
    }

    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        let blocks = now.kind.blocks_max();
        FormatCapacities {
            current: if now.tracks().is_blank() {
                FormattedCapacity::Unformatted(blocks)
            } else {
                FormattedCapacity::Formatted(BlockCount::new(now.tracks().closed_end().get()))
            },
            formattable: Vec::new(),
        }
    }

    fn close(&self, now: Situation<'_>, function: CloseFunction, track: u16) -> Result<Job, Sense> {
        let sequence = sequence(now);
        match function {
            CloseFunction::Track => sequence.close_track(now, track),
            CloseFunction::Session => sequence.close_session(now),
            CloseFunction::FinalizeMinimal | CloseFunction::Finalize => sequence.finalize(now),
            CloseFunction::DualLayer if dual_layer(now) => sequence.finalize(now),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }

    fn reserve(&self, now: Situation<'_>, wanted: Reservation) -> Result<Job, Sense> {
        match wanted {
            Reservation::Size(_) => sequence(now).reserve(now, wanted),
            Reservation::SplitAt(_) => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }

    fn disc_information(&self, now: Situation<'_>) -> DiscInformation {
        sequence::disc_information(now, self.area(now))
    }

    fn track_resources(&self, now: Situation<'_>) -> Result<TrackResources, Sense> {
        Ok(sequence(now).track_resources(now))
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
        Ok(TrackInformation {
            // Reserved or not is told before blank or not.
            blank: track.state == TrackState::Blank && !track.reserved,
            ..sequence::track_information(now, index, area)
        })
    }

    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack> {
        sequence::toc(now)
    }

    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        const ADIP_LEN: usize = 256;
        let book_type = if dual_layer(now) { 0x0e } else { 0x0a };
        let physical = dvd_physical(book_type, 1, now.kind.layers(), now.kind.blocks_max());
        match (command.media, command.format) {
            (MediaType::Dvd, 0x00 | 0x10) => Ok(physical),
            // Address in pregroove: as the physical information, with who made the disc.
            (MediaType::Dvd, 0x11) => {
                let mut adip = physical[..ADIP_LEN].to_vec();
                adip[19..25].copy_from_slice(b"REBURN");
                adip[27..30].copy_from_slice(b"VRT");
                Ok(adip)
            }
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }
}
