//! DVD-R with one or two layers, and DVD-RW recorded in sequence: bordered areas.
//!
//! ```text
//! blank --WRITE, incremental--> RZone open --CLOSE 1--> RZone closed --WRITE--> next RZone
//!   |                                                       | CLOSE 2, multi-session
//!   |                                                       v
//!   |                                                  border closed --WRITE--> ...
//!   |                                                       | CLOSE 2, no other session
//!   +--RESERVE, WRITE, disc at once----barrier at the end---+--> complete
//!
//! DVD-RW: BLANK 0 --> blank; BLANK 1 --> blank, but only for disc at once;
//!         FORMAT 00h, 10h, 15h --> restricted overwrite, see `dvd_overwrite`
//! ```
//!
//! A border takes 28,672 blocks, and where recording goes on after something was closed, a link
//! takes 16. An interruption leaves a damaged RZone: the next WRITE at its next writable block,
//! REPAIR TRACK or CLOSE repairs it, if the drive can. Disc at once cannot be repaired. With the
//! laser off (test write) everything is accepted and nothing recorded.
//!
//! Layer jump recording is not there: page 05h refuses its write type.

use reburn_blocks::{BlockCount, BlockRange};
use reburn_mmc::command::{
    Blank, CloseFunction, MediaType, ReadDiscStructure, Reservation, TrackAddress,
};
use reburn_mmc::reply::{
    DiscInformation, DvdMinusWriting, Feature, FormatCapacities, FormatParameters, FormattableWays,
    FormattedCapacity, IncrementalStreaming, PreRecorded, TrackInformation, TrackResources,
    WriteParametersPage, WriteType,
};
use reburn_mmc::{Profile, Sense};

use super::sequence::{self, Sequence};
use super::structures::{RECORDABLE, REWRITABLE, dvd_physical};
use super::{Job, Placement, Readable, Rules, Situation, TocTrack, dvd_overwrite};
use crate::MediumKind;
use crate::state::{FormatState, MediumState, RecordingMode};
use crate::tracks::{TrackRecording, TrackState, TrackTable};

/// The rules of DVD-R and sequential DVD-RW.
pub(super) struct DvdMinus;

/// What incremental recording leaves of a disc with one layer.
const INCREMENTAL_BLOCKS: BlockCount = BlockCount::new(2_297_888);

fn at_once(now: Situation<'_>) -> bool {
    now.write.write_type == WriteType::SESSION_AT_ONCE
        || now.state.mode == RecordingMode::DiscAtOnceOnly
}

fn area(now: Situation<'_>) -> BlockCount {
    let begun = now.tracks().tracks.first().map(|track| track.recording);
    let all = at_once(now) || begun == Some(TrackRecording::DiscAtOnce);
    if all || now.kind == MediumKind::DvdRDl {
        now.kind.blocks_max()
    } else {
        INCREMENTAL_BLOCKS
    }
}

fn sequence(now: Situation<'_>) -> Sequence {
    let habits = &now.profile.sequential;
    Sequence {
        unit: now.kind.write_unit(),
        area: area(now),
        track_gap: habits.dvd_minus_link,
        session_gap: habits.dvd_minus_border + habits.dvd_minus_link,
        room_min: now.kind.write_unit().blocks(),
        sessions_max: habits.dvd_minus_sessions_max,
        tracks_max: TrackTable::TRACKS_MAX,
        closes_tracks: false,
        tells_reserved: true,
    }
}

/// BLANK of a DVD-RW in any mode: everything, or as little as possible.
pub(super) fn blank(now: Situation<'_>, command: Blank) -> Result<Job, Sense> {
    let (mode, time) = match command.kind {
        0 => (
            RecordingMode::Sequential,
            now.whole_medium(now.kind.blocks_max()),
        ),
        1 => (RecordingMode::DiscAtOnceOnly, now.profile.mechanics.format),
        _ => return Err(Sense::INVALID_FIELD_IN_CDB),
    };
    Ok(Job {
        time,
        erases: true,
        result: MediumState {
            write_protected: now.state.write_protected,
            ..MediumState::with(FormatState::Unformatted, mode)
        },
    })
}

impl DvdMinus {
    fn is_rewritable(now: Situation<'_>) -> bool {
        now.kind == MediumKind::DvdRw
    }

    /// The first track, where the whole disc is recorded in one go.
    fn place_at_once(
        now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        let [first, rest @ ..] = &now.tracks().tracks[..] else {
            return Err(Sense::ILLEGAL_MODE_FOR_TRACK);
        };
        let begun =
            first.state == TrackState::Recording && first.recording == TrackRecording::DiscAtOnce;
        let alone = rest.iter().all(crate::tracks::Track::is_invisible);
        if !alone || !(begun || first.state == TrackState::Blank) {
            return Err(Sense::ILLEGAL_MODE_FOR_TRACK);
        }
        sequence(now).place(now, range)
    }

    /// Whether disc at once has reached its end: all that was reserved, or what was written.
    fn is_all_written(now: Situation<'_>) -> bool {
        let table = now.tracks();
        table.recording().is_some_and(|index| {
            let track = &table.tracks[index];
            track.end.is_none_or(|end| end == track.next_writable)
        })
    }

    fn is_disc_at_once(now: Situation<'_>) -> bool {
        let table = now.tracks();
        table
            .recording()
            .is_some_and(|index| table.tracks[index].recording == TrackRecording::DiscAtOnce)
    }
}

impl Rules for DvdMinus {
    fn profile(&self, now: Situation<'_>) -> Profile {
        match now.kind {
            MediumKind::DvdRw => Profile::DVD_RW_SEQUENTIAL,
            MediumKind::DvdRDl => Profile::DVD_R_DL_SEQUENTIAL,
            _ => Profile::DVD_R,
        }
    }

    fn features(&self, now: Situation<'_>) -> Vec<Feature> {
        let mut features = Vec::new();
        let rewritable = Self::is_rewritable(now);
        if rewritable {
            features.push(Feature::Formattable(FormattableWays::default()));
        }
        if now.tracks().finalized {
            return features;
        }
        if now.state.mode != RecordingMode::DiscAtOnceOnly {
            features.push(Feature::IncrementalStreaming(IncrementalStreaming {
                data_types: 0x0100,
                counts_tracks: true,
                underrun_protection: true,
                link_sizes: vec![0x10],
                ..IncrementalStreaming::default()
            }));
        }
        features.push(Feature::DvdMinusWrite(DvdMinusWriting {
            underrun_protection: true,
            dual_layer: now.kind == MediumKind::DvdRDl,
            test_write: true,
            rewritable,
        }));
        features
    }

    fn takes_write_parameters(&self, page: &WriteParametersPage) -> bool {
        [WriteType::PACKET, WriteType::SESSION_AT_ONCE].contains(&page.write_type)
    }

    fn capacity(&self, now: Situation<'_>) -> BlockCount {
        BlockCount::new(now.tracks().closed_end().get())
    }

    fn area(&self, now: Situation<'_>) -> BlockCount {
        area(now)
    }

    fn readable(&self, now: Situation<'_>) -> Result<Readable, Sense> {
        sequence::readable(now, now.profile.sequential.unwritten_dvd_read)
    }

    fn recording(&self, now: Situation<'_>) -> TrackRecording {
        if at_once(now) {
            TrackRecording::DiscAtOnce
        } else {
            TrackRecording::Incremental
        }
    }

    fn writable(&self, now: Situation<'_>) -> Result<(), Sense> {
        sequence::writable(now)
    }

    fn place(
        &self,
        now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        let wrong_mode = Sense::ILLEGAL_MODE_FOR_TRACK;
        if now.state.mode == RecordingMode::DiscAtOnceOnly
            && now.write.write_type != WriteType::SESSION_AT_ONCE
        {
            return Err(wrong_mode);
        }
        let (placement, count) = if at_once(now) {
            Self::place_at_once(now, range)?
        } else {
            sequence(now).place(now, range)?
        };
        let Placement::Append { track, .. } = placement else {
            return Ok((placement, count));
        };
        let begun = &now.tracks().tracks[track];
        let others = begun.state != TrackState::Blank && begun.recording != self.recording(now);
        if others {
            return Err(wrong_mode);
        }
        let simulated = now.write.test_write;
        Ok((Placement::Append { track, simulated }, count))
    }

    fn settled(&self, now: Situation<'_>) -> MediumState {
        if !Self::is_disc_at_once(now) {
            return sequence::settled(now);
        }
        if !Self::is_all_written(now) {
            return now.state.clone();
        }
        let mut table = now.tracks().clone();
        let sequence = sequence(now);
        if let Some(index) = table.recording() {
            sequence.end_track(&mut table, index);
        }
        let state = now.with_tracks(table);
        let ended = Situation {
            state: &state,
            ..now
        };
        let closed = if now.write.multi_session == 0 {
            sequence.finalize(ended)
        } else {
            sequence.close_session(ended)
        };
        closed.map_or(state.clone(), |job| job.result)
    }

    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        let blocks = BlockCount::new(now.tracks().closed_end().get());
        FormatCapacities {
            current: if blocks.is_zero() {
                FormattedCapacity::Unformatted(area(now))
            } else {
                FormattedCapacity::Formatted(blocks)
            },
            formattable: if Self::is_rewritable(now) {
                dvd_overwrite::ways(now)
            } else {
                Vec::new()
            },
        }
    }

    fn format(&self, now: Situation<'_>, parameters: &FormatParameters) -> Result<Job, Sense> {
        if Self::is_rewritable(now) {
            dvd_overwrite::format(now, parameters)
        } else {
            Err(Sense::CANNOT_FORMAT_MEDIUM)
        }
    }

    fn blank(&self, now: Situation<'_>, command: Blank) -> Result<Job, Sense> {
        if Self::is_rewritable(now) {
            blank(now, command)
        } else {
            Err(Sense::CANNOT_FORMAT_MEDIUM)
        }
    }

    fn close(&self, now: Situation<'_>, function: CloseFunction, track: u16) -> Result<Job, Sense> {
        let sequence = sequence(now);
        let job = match function {
            CloseFunction::Track => sequence.close_track(now, track)?,
            CloseFunction::Session if now.write.multi_session == 0 => sequence.finalize(now)?,
            CloseFunction::Session => sequence.close_session(now)?,
            _ => return Err(Sense::INVALID_FIELD_IN_CDB),
        };
        if now.write.test_write {
            return Ok(Job::nothing(now));
        }
        Ok(job)
    }

    fn reserve(&self, now: Situation<'_>, wanted: Reservation) -> Result<Job, Sense> {
        let Reservation::Size(_) = wanted else {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        };
        if at_once(now) && !now.tracks().is_blank() {
            return Err(Sense::COMMAND_SEQUENCE_ERROR);
        }
        let mut job = sequence(now).reserve(now, wanted)?;
        let mut table = (*job.result.tracks).clone();
        if let Some(track) = table.tracks.iter_mut().rfind(|track| track.reserved) {
            track.recording = self.recording(now);
        }
        job.result.tracks = table.into();
        Ok(job)
    }

    fn repair(&self, now: Situation<'_>, track: u16) -> Result<Job, Sense> {
        let index = usize::from(track).checked_sub(1);
        let index = index.filter(|index| *index < now.tracks().tracks.len());
        let index = index.ok_or(Sense::INVALID_FIELD_IN_CDB)?;
        let mut table = now.tracks().clone();
        let track = &mut table.tracks[index];
        match track.state {
            TrackState::Damaged { repairable: true } if track.next_writable == track.start => {
                track.state = TrackState::Blank;
            }
            TrackState::Damaged { repairable: true } => track.state = TrackState::Incomplete,
            TrackState::Damaged { repairable: false } => return Err(Sense::WRITE_RECOVERY_FAILED),
            _ => return Ok(Job::nothing(now)),
        }
        Ok(Job {
            time: now.profile.mechanics.write_end,
            ..Job::at_once(now.with_tracks(table))
        })
    }

    fn disc_information(&self, now: Situation<'_>) -> DiscInformation {
        DiscInformation {
            erasable: Self::is_rewritable(now),
            ..sequence::disc_information(now, area(now))
        }
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
        let index = sequence::find(now, address, open, area(now))?;
        let track = &now.tracks().tracks[index];
        let incremental = if track.is_invisible() {
            !at_once(now)
        } else {
            track.recording == TrackRecording::Incremental
        };
        Ok(TrackInformation {
            packet: incremental,
            last_recorded: sequence::last_recorded(track),
            ..sequence::track_information(now, index, area(now))
        })
    }

    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack> {
        sequence::toc(now)
    }

    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        let (book, layer_kinds) = if Self::is_rewritable(now) {
            (3, REWRITABLE)
        } else {
            (2, RECORDABLE)
        };
        let version = if now.kind == MediumKind::DvdRDl { 6 } else { 5 };
        let (layers, blocks) = (now.kind.layers(), now.kind.blocks_max());
        let physical = dvd_physical(book, version, layers, layer_kinds, blocks);
        match (command.media, command.format) {
            (MediaType::Dvd, 0x00 | 0x10) => Ok(physical.encode()),
            (MediaType::Dvd, 0x0e) => Ok(PreRecorded {
                manufacturer: *b"REBURN",
                manufacturer_2: *b"VIRTUA",
            }
            .encode()),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }
}
