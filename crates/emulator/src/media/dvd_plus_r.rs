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
use reburn_mmc::command::{
    CloseFunction, MediaType, ReadDiscStructure, Reservation, SendDiscStructure, TrackAddress,
};
use reburn_mmc::reply::{
    DiscInformation, Feature, FormatCapacities, FormattedCapacity, GrooveInformation,
    IncrementalStreaming, LayerCapacity, TrackInformation, TrackResources,
};
use reburn_mmc::{Profile, Sense};

use super::sequence::{self, Sequence};
use super::structures::{RECORDABLE, dvd_physical};
use super::{Job, Placement, Readable, Rules, Situation, TocTrack};
use crate::MediumKind;
use crate::state::{FormatState, MediumState};
use crate::tracks::TrackState;

/// The rules of DVD+R.
pub(super) struct DvdPlusR;

/// The most fragments of a session; the last one cannot be reserved.
const FRAGMENTS_MAX: usize = 16;
/// The format of READ and SEND DISC STRUCTURE that holds the size of the first layer.
const LAYER_CAPACITY: u8 = 0x20;
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
        area: now.state.user_area(now.kind),
        track_gap: BlockCount::ZERO,
        session_gap: habits.dvd_plus_r_session_gap,
        room_min: BlockCount::new(UNITS_MIN * unit.blocks().get()),
        sessions_max: if dual_layer {
            // A layer that was made shorter costs a session.
            let shorter = now.state.format != FormatState::Unformatted;
            habits.dvd_plus_r_dl_sessions_max - u16::from(shorter)
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
        now.state.user_area(now.kind)
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
        let blocks = self.area(now);
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
        let book = if dual_layer(now) { 0x0e } else { 0x0a };
        let (layers, blocks) = (now.kind.layers(), self.area(now));
        let physical = dvd_physical(book, 1, layers, RECORDABLE, blocks);
        match (command.media, command.format) {
            (MediaType::Dvd, 0x00 | 0x10) => Ok(physical.encode()),
            (MediaType::Dvd, 0x11) => Ok(GrooveInformation {
                physical,
                manufacturer: *b"REBURN\0\0",
                media_type: *b"VRT",
                revision: 0,
            }
            .encode()),
            (MediaType::Dvd, LAYER_CAPACITY) if dual_layer(now) => Ok(LayerCapacity {
                fixed: !now.tracks().is_blank(),
                blocks: BlockCount::new(blocks.get() / 2),
            }
            .encode()),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }

    /// The first layer of a blank disc with two can be made shorter; the second one then ends
    /// where it begins.
    fn send_structure(
        &self,
        now: Situation<'_>,
        command: SendDiscStructure,
        data: &[u8],
    ) -> Result<Job, Sense> {
        let refused = Sense::INVALID_FIELD_IN_PARAMETERS;
        let known = (command.media, command.format) == (MediaType::Dvd, LAYER_CAPACITY);
        if !known || !dual_layer(now) {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        if !now.tracks().is_blank() {
            return Err(Sense::COMMAND_SEQUENCE_ERROR);
        }
        let wanted = LayerCapacity::decode(data).map_err(|error| error.as_sense())?;
        let blocks = wanted.blocks.round_up(now.kind.write_unit());
        let longest = BlockCount::new(now.kind.blocks_max().get() / 2);
        if blocks.is_zero() || blocks > longest {
            return Err(refused);
        }
        Ok(Job::at_once(MediumState {
            format: FormatState::Formatted(blocks + blocks),
            ..now.state.clone()
        }))
    }
}
