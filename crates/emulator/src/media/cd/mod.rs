//! CD-R and CD-RW: tracks at once, sessions at once, packets.
//!
//! ```text
//! blank --WRITE, track at once--> track open --barrier--> track closed --WRITE--> next track
//!   |                                                        | CLOSE session, multi-session
//!   |                                                        v
//!   |                                                  session closed --WRITE--> ...
//!   |                                                        | CLOSE session, no other one
//!   +--SEND CUE SHEET, WRITE from the pause on, barrier------+--> complete
//! ```
//!
//! Every block is a write unit. A track recorded at once ends in two run-out blocks, which count
//! as its own and cannot be read, and the next one begins after a pause of 150; with less than
//! 4 seconds of data it is filled up. A closed session takes a lead-out and the next one's
//! lead-in. Packets of any size, or of 32 blocks, are joined by 7 link blocks, which count as
//! blocks too. What lies between tracks cannot be read.
//!
//! Not there: audio, whole sectors and sub-channels, titles, raw recording (write type 3), and
//! CD-RW formatted for packets. Each is refused where a host asks for it.
//!
//! Source: MMC-6; figures that its text leaves open are fields of the drive's profile.

mod cue;
mod ending;
mod features;
mod tables;

use reburn_blocks::{BlockCount, BlockRange, Lba, WriteUnit};
use reburn_mmc::command::{Blank, CloseFunction, ReadDiscStructure, TocFormat, TrackAddress};
use reburn_mmc::reply::{
    CueSheet, DiscInformation, DiscType, Feature, FormatCapacities, FormattedCapacity,
    TrackInformation, TrackResources, WriteParametersPage, WriteType,
};
use reburn_mmc::{Profile, Sense};

use super::sequence::{self, Sequence};
use super::{Job, Placement, Readable, Rules, Situation, TocTrack};
use crate::MediumKind;
use crate::state::{FormatState, MediumState, RecordingMode};
use crate::tracks::{TrackRecording, TrackState};

pub(crate) use cue::AtOnce;
pub(crate) use features::{RW_SUBTYPES, mastering, track_at_once};

use ending::{
    blank_tail, close_session, close_track, is_at_once, is_link, is_packets, readable_end,
};

/// The rules of CD-R and CD-RW.
pub(super) struct Cd;

/// Blocks that end a track or a packet.
const RUN_OUT: BlockCount = BlockCount::new(2);
/// Blocks of pause before a track.
const PAUSE_SECTORS: u32 = 150;
/// Blocks of a lead-in behind the first session.
const LEAD_IN_SECTORS: u32 = 4500;
/// Blocks of the first session's lead-out.
const FIRST_LEAD_OUT: u32 = 6750;
/// Blocks of the other sessions' lead-outs.
const LEAD_OUT: u32 = 2250;
/// The fewest blocks of a track, 4 seconds.
const TRACK_BLOCKS_MIN: BlockCount = BlockCount::new(300);
/// Blocks that join two packets.
const LINK: BlockCount = BlockCount::new(7);
/// Blocks of a packet of fixed size, the one size there is.
const PACKET: u32 = 32;
/// The most tracks of a disc.
const TRACKS_MAX: usize = 99;

/// The drive leaves room for the run-out.
fn area(now: Situation<'_>) -> BlockCount {
    BlockCount::new(now.kind.blocks_max().get() - RUN_OUT.get())
}

fn sequence(now: Situation<'_>) -> Sequence {
    let lead_out = if now.tracks().closed_sessions == 0 {
        FIRST_LEAD_OUT
    } else {
        LEAD_OUT
    };
    Sequence {
        unit: WriteUnit::FILE,
        area: area(now),
        track_gap: BlockCount::new(PAUSE_SECTORS),
        session_gap: BlockCount::new(lead_out + LEAD_IN_SECTORS + PAUSE_SECTORS),
        room_min: TRACK_BLOCKS_MIN,
        sessions_max: 99,
        tracks_max: TRACKS_MAX,
        closes_tracks: false,
        tells_reserved: false,
    }
}

/// How a host wants tracks to be recorded.
fn recording(write: &WriteParametersPage) -> TrackRecording {
    match write.write_type {
        WriteType::PACKET if write.fixed_packet => TrackRecording::FixedPackets,
        WriteType::PACKET => TrackRecording::Incremental,
        WriteType::SESSION_AT_ONCE => TrackRecording::DiscAtOnce,
        _ => TrackRecording::TrackAtOnce,
    }
}

impl Rules for Cd {
    fn profile(&self, now: Situation<'_>) -> Profile {
        match now.kind {
            MediumKind::CdRw => Profile::CD_RW,
            _ => Profile::CD_R,
        }
    }

    fn features(&self, now: Situation<'_>) -> Vec<Feature> {
        features::of_medium(now)
    }

    /// What the cue sheet says of a session's sectors counts for write type 2.
    fn takes_write_parameters(&self, page: &WriteParametersPage) -> bool {
        const USER_DATA: u8 = 8;
        match page.write_type {
            WriteType::PACKET => {
                page.data_block_type == USER_DATA
                    && (!page.fixed_packet || page.packet_size == PACKET)
            }
            WriteType::TRACK_AT_ONCE => page.data_block_type == USER_DATA,
            WriteType::SESSION_AT_ONCE => true,
            _ => false,
        }
    }

    fn capacity(&self, now: Situation<'_>) -> BlockCount {
        BlockCount::new(now.tracks().closed_end().get())
    }

    fn area(&self, now: Situation<'_>) -> BlockCount {
        area(now)
    }

    fn readable(&self, now: Situation<'_>) -> Result<Readable, Sense> {
        sequence::readable(now, Some(Sense::LBA_OUT_OF_RANGE))
    }

    fn unreadable_in(&self, now: Situation<'_>, range: BlockRange) -> Option<(Lba, Sense)> {
        let table = now.tracks();
        let mut lba = range.start_lba();
        while lba <= range.end_lba() {
            let track = table.at(lba).map(|index| &table.tracks[index])?;
            let end = readable_end(track);
            if lba >= end || is_link(track, lba) {
                return Some((lba, now.profile.sequential.between_cd_tracks_read));
            }
            lba = if track.recording == TrackRecording::FixedPackets {
                lba + BlockCount::ONE
            } else {
                end
            };
        }
        None
    }

    fn writable(&self, now: Situation<'_>) -> Result<(), Sense> {
        if now.state.format == FormatState::Interrupted {
            return Err(Sense::MEDIUM_FORMAT_CORRUPTED);
        }
        if now.tracks().finalized {
            return Err(now.profile.sequential.complete_write);
        }
        Ok(())
    }

    fn place(
        &self,
        now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        let wanted = recording(now.write);
        let simulated = now.write.test_write;
        let table = now.tracks();
        let start = range.start_lba();
        let at_once = wanted == TrackRecording::DiscAtOnce;
        if at_once && !table.open_session().iter().any(is_at_once) {
            return Err(Sense::COMMAND_SEQUENCE_ERROR);
        }
        let track = table.writable_at(start);
        let begun = track.map(|index| &table.tracks[index]);
        if begun.is_some_and(|track| matches!(track.state, TrackState::Damaged { .. })) {
            return Err(Sense::INVALID_ADDRESS_FOR_WRITE);
        }
        if begun.is_some_and(|track| !track.is_invisible() && track.recording != wanted) {
            return Err(Sense::ILLEGAL_MODE_FOR_TRACK);
        }
        // A session at once goes on in the next track.
        let within = begun.and_then(|track| {
            let left = track.free_on(area(now)).min(range.block_count());
            BlockRange::with_count(start, left).filter(|_| at_once)
        });
        let (placement, count) = sequence(now).place(now, within.unwrap_or(range))?;
        Ok(match placement {
            Placement::Append { track, .. } => (Placement::Append { track, simulated }, count),
            other => (other, count),
        })
    }

    fn recording(&self, now: Situation<'_>) -> TrackRecording {
        recording(now.write)
    }

    fn settled(&self, now: Situation<'_>) -> MediumState {
        ending::settled(now)
    }

    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        let end = now.tracks().closed_end();
        FormatCapacities {
            current: if end == Lba::ZERO {
                FormattedCapacity::Unformatted(area(now))
            } else {
                FormattedCapacity::Formatted(BlockCount::new(end.get()))
            },
            formattable: Vec::new(),
        }
    }

    /// BLANK: everything, as little as possible, or what the open track holds.
    fn blank(&self, now: Situation<'_>, command: Blank) -> Result<Job, Sense> {
        if now.kind != MediumKind::CdRw {
            return Err(Sense::CANNOT_FORMAT_MEDIUM);
        }
        let time = match command.kind {
            0 => now.whole_medium(now.kind.blocks_max()),
            1 => now.profile.mechanics.format,
            4 => return blank_tail(now, command.start),
            _ => return Err(Sense::INVALID_FIELD_IN_CDB),
        };
        Ok(Job {
            time,
            erases: true,
            result: MediumState {
                write_protected: now.state.write_protected,
                ..MediumState::with(FormatState::Unformatted, RecordingMode::Sequential)
            },
        })
    }

    fn close(&self, now: Situation<'_>, function: CloseFunction, track: u16) -> Result<Job, Sense> {
        if now.write.test_write {
            return Ok(Job::nothing(now));
        }
        match function {
            CloseFunction::Track => close_track(now, track),
            CloseFunction::Session => close_session(now),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }

    /// A track that an interruption damaged cannot go on: it ends where it was interrupted.
    fn repair(&self, now: Situation<'_>, track: u16) -> Result<Job, Sense> {
        close_track(now, track)
    }

    fn disc_information(&self, now: Situation<'_>) -> DiscInformation {
        let nowhere = DiscInformation::NOWHERE;
        let complete = now.tracks().finalized;
        let last = tables::last_lead_out(now).field();
        DiscInformation {
            erasable: now.kind == MediumKind::CdRw,
            disc_type: if now.tracks().closed_sessions == 0 {
                DiscType::UNDEFINED
            } else {
                DiscType::CD_ROM
            },
            last_lead_in: tables::next_lead_in(now).map_or(nowhere, reburn_mmc::Msf::field),
            last_possible_lead_out: if complete { nowhere } else { last },
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
        const UNKNOWN: u8 = 0x0f;
        let index = sequence::find(now, address, open, area(now))?;
        let track = &now.tracks().tracks[index];
        let blank = track.is_invisible();
        let packet = is_packets(track) && !blank;
        let fixed_packet = packet && track.recording == TrackRecording::FixedPackets;
        let complete = track.state == TrackState::Complete;
        Ok(TrackInformation {
            reserved: !blank && (complete || !packet),
            blank,
            packet,
            fixed_packet,
            track_mode: track.control | u8::from(packet),
            data_mode: if blank { UNKNOWN } else { 1 },
            packet_size: BlockCount::new(if fixed_packet { PACKET } else { 0 }),
            last_recorded: None,
            ..sequence::track_information(now, index, area(now))
        })
    }

    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack> {
        let closed = now.tracks().closed_sessions;
        let mut tracks = sequence::toc(now);
        tracks.retain(|track| track.session <= closed);
        tracks
    }

    fn cd_table(&self, now: Situation<'_>, format: TocFormat, first: u8) -> Result<Vec<u8>, Sense> {
        tables::table(now, format, first)
    }

    fn session_at_once(&self, now: Situation<'_>, sheet: &CueSheet) -> Result<AtOnce, Sense> {
        let table = now.tracks();
        let last = table.tracks.last().filter(|track| track.is_invisible());
        let next = last.ok_or(Sense::COMMAND_SEQUENCE_ERROR)?;
        if now.write.write_type != WriteType::SESSION_AT_ONCE || table.open_session().len() > 1 {
            return Err(Sense::COMMAND_SEQUENCE_ERROR);
        }
        AtOnce::new(sheet, table.tracks.len(), next.start, area(now))
    }

    fn structure(&self, _: Situation<'_>, _: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        Err(Sense::CANNOT_READ_FORMAT)
    }
}
