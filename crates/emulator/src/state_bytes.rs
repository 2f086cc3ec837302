//! How a medium's state stands in a disc's file.
//!
//! | offset | bytes | holds |
//! |---:|---:|---|
//! | 0 | 1 | format: 0 none, 1 formatted, 2 interrupted |
//! | 1 | 1 | 1 if write-protected |
//! | 2 | 1 | background format: 0 none, 1 stopped, 2 running, 3 complete |
//! | 3 | 1 | mode, below |
//! | 4 | 4 | blocks for data, if formatted |
//! | 8 | 4 | blocks that the background format has passed |
//! | 12 | 4 | replacements |
//! | 16 | 4 | spare clusters used |
//! | 20 | 2 | closed sessions |
//! | 22 | 2 | number of tracks |
//! | 24 | 1 | 1 if finalized |
//! | 25 | 7 | zeros |
//! | 32 | 20 a track | the tracks, below |
//!
//! Modes: 0 overwrite, 1 restricted overwrite, 2 the same with an intermediate border,
//! 3 sequential, 4 disc at once only, 5 pseudo-overwrite, 6 random once.
//!
//! A track: session (2), state (1), recording (1), start (4), end or FFFFFFFFh (4), next
//! writable block (4), flags (1: 1 reserved, 2 repairable), control bits (1), zeros (2).

use std::sync::Arc;

use reburn_blocks::{BlockCount, Lba};

use crate::MediumKind;
use crate::state::{Background, FormatState, MediumState, RecordingMode};
use crate::tracks::{Track, TrackRecording, TrackState, TrackTable};

const HEAD_LEN: usize = 32;
const TRACK_LEN: usize = 20;
const NO_END: u32 = u32::MAX;

/// The longest state, of a table that is full.
pub(crate) const STATE_LEN_MAX: usize = HEAD_LEN + TRACK_LEN * TrackTable::TRACKS_MAX;

/// The state as bytes.
pub(crate) fn encode(state: &MediumState) -> Vec<u8> {
    let (format, blocks) = match state.format {
        FormatState::Unformatted => (0, BlockCount::ZERO),
        FormatState::Formatted(blocks) => (1, blocks),
        FormatState::Interrupted => (2, BlockCount::ZERO),
    };
    let (background, passed) = match state.background {
        Background::None => (0, BlockCount::ZERO),
        Background::Stopped(passed) => (1, passed),
        Background::Running(passed) => (2, passed),
        Background::Complete => (3, BlockCount::ZERO),
    };
    let mode = match state.mode {
        RecordingMode::Overwrite => 0,
        RecordingMode::RestrictedOverwrite { intermediate } => 1 + u8::from(intermediate),
        RecordingMode::Sequential => 3,
        RecordingMode::DiscAtOnceOnly => 4,
        RecordingMode::PseudoOverwrite => 5,
        RecordingMode::RandomOnce => 6,
    };
    let table = &state.tracks;
    let tracks = u16::try_from(table.tracks.len()).unwrap_or(u16::MAX);
    let mut bytes = vec![format, u8::from(state.write_protected), background, mode];
    for number in [
        blocks.get(),
        passed.get(),
        state.replacements,
        state.spares_used,
    ] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(table.closed_sessions.to_be_bytes());
    bytes.extend(tracks.to_be_bytes());
    bytes.push(u8::from(table.finalized));
    bytes.resize(HEAD_LEN, 0);
    for track in &table.tracks {
        encode_track(track, &mut bytes);
    }
    bytes
}

fn encode_track(track: &Track, bytes: &mut Vec<u8>) {
    let (state, repairable) = match track.state {
        TrackState::Blank => (0, false),
        TrackState::Incomplete => (1, false),
        TrackState::Recording => (2, false),
        TrackState::Damaged { repairable } => (3, repairable),
        TrackState::Complete => (4, false),
    };
    let recording = match track.recording {
        TrackRecording::Incremental => 0,
        TrackRecording::FixedPackets => 1,
        TrackRecording::TrackAtOnce => 2,
        TrackRecording::DiscAtOnce => 3,
    };
    bytes.extend(track.session.to_be_bytes());
    bytes.extend([state, recording]);
    for lba in [
        track.start.get(),
        track.end.map_or(NO_END, Lba::get),
        track.next_writable.get(),
    ] {
        bytes.extend(lba.to_be_bytes());
    }
    let flags = u8::from(track.reserved) | u8::from(repairable) << 1;
    bytes.extend([flags, track.control, 0, 0]);
}

/// The state in `bytes`; the error says what makes no sense.
pub(crate) fn decode(bytes: &[u8], kind: MediumKind) -> Result<MediumState, String> {
    let Some(head) = bytes.get(..HEAD_LEN) else {
        return Err(format!("a state of {} bytes", bytes.len()));
    };
    let count = |offset| BlockCount::new(u32_at(head, offset));
    let (blocks, passed) = (count(4), count(8));
    let format = match head[0] {
        0 => FormatState::Unformatted,
        1 => FormatState::Formatted(blocks),
        2 => FormatState::Interrupted,
        other => return Err(format!("format state {other}")),
    };
    if passed > kind.blocks_max() {
        let max = kind.blocks_max();
        return Err(format!("{passed} blocks formatted, of at most {max}"));
    }
    let background = match head[2] {
        0 => Background::None,
        1 => Background::Stopped(passed),
        2 => Background::Running(passed),
        3 => Background::Complete,
        other => return Err(format!("background format state {other}")),
    };
    let mode = match head[3] {
        0 => RecordingMode::Overwrite,
        code @ (1 | 2) => RecordingMode::RestrictedOverwrite {
            intermediate: code == 2,
        },
        3 => RecordingMode::Sequential,
        4 => RecordingMode::DiscAtOnceOnly,
        5 => RecordingMode::PseudoOverwrite,
        6 => RecordingMode::RandomOnce,
        other => return Err(format!("mode {other}")),
    };
    let tracks = usize::from(u16_at(head, 22));
    let entries = bytes[HEAD_LEN..].chunks_exact(TRACK_LEN);
    if entries.len() != tracks || !entries.remainder().is_empty() {
        return Err(format!("{tracks} tracks in {} bytes", bytes.len()));
    }
    let state = MediumState {
        format,
        background,
        write_protected: head[1] != 0,
        mode,
        tracks: Arc::new(TrackTable {
            tracks: entries.map(decode_track).collect::<Result<_, _>>()?,
            closed_sessions: u16_at(head, 20),
            finalized: head[24] != 0,
        }),
        replacements: u32_at(head, 12),
        spares_used: u32_at(head, 16),
    };
    state.check(kind)?;
    Ok(state)
}

fn decode_track(bytes: &[u8]) -> Result<Track, String> {
    let lba = |offset| {
        let number = u32_at(bytes, offset);
        Lba::checked(u64::from(number)).ok_or(format!("block {number} in a track"))
    };
    let flags = bytes[16];
    Ok(Track {
        session: u16_at(bytes, 0),
        state: match bytes[2] {
            0 => TrackState::Blank,
            1 => TrackState::Incomplete,
            2 => TrackState::Recording,
            3 => TrackState::Damaged {
                repairable: flags & 2 != 0,
            },
            4 => TrackState::Complete,
            other => return Err(format!("track state {other}")),
        },
        recording: match bytes[3] {
            0 => TrackRecording::Incremental,
            1 => TrackRecording::FixedPackets,
            2 => TrackRecording::TrackAtOnce,
            3 => TrackRecording::DiscAtOnce,
            other => return Err(format!("recording {other} of a track")),
        },
        start: lba(4)?,
        end: (u32_at(bytes, 8) != NO_END).then(|| lba(8)).transpose()?,
        next_writable: lba(12)?,
        reserved: flags & 1 != 0,
        control: bytes[17],
    })
}

fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_be_bytes([bytes[offset], bytes[offset + 1]])
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_be_bytes([0, 1, 2, 3].map(|index| bytes[offset + index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes_of_an_overwritable_medium() {
        let state = MediumState {
            format: FormatState::Formatted(BlockCount::new(0x23_0540)),
            background: Background::Running(BlockCount::new(0x10)),
            write_protected: true,
            ..MediumState::factory(MediumKind::DvdPlusRw)
        };
        let mut bytes = [0; HEAD_LEN];
        bytes[..12].copy_from_slice(&[1, 1, 2, 0, 0, 0x23, 5, 0x40, 0, 0, 0, 0x10]);
        assert_eq!(encode(&state), bytes);
        assert_eq!(decode(&bytes, MediumKind::DvdPlusRw), Ok(state.clone()));
        let cut = state.after_power_cut(MediumKind::DvdPlusRw, true);
        assert_eq!(cut.background, Background::Stopped(BlockCount::ZERO));
    }

    /// A DVD+R with a closed session, a reserved track and an invisible one.
    fn two_sessions() -> MediumState {
        let track = |session, start: u32, end, next: u32, state, reserved| Track {
            end,
            next_writable: Lba::new(next),
            state,
            reserved,
            ..Track::invisible(session, Lba::new(start))
        };
        let tracks = vec![
            track(
                1,
                0,
                Some(Lba::new(0x100)),
                0x100,
                TrackState::Complete,
                false,
            ),
            track(
                2,
                0x900,
                Some(Lba::new(0xa00)),
                0x910,
                TrackState::Recording,
                true,
            ),
            track(2, 0xa00, None, 0xa00, TrackState::Blank, false),
        ];
        MediumState {
            tracks: Arc::new(TrackTable {
                tracks,
                closed_sessions: 1,
                finalized: false,
            }),
            ..MediumState::factory(MediumKind::DvdPlusR)
        }
    }

    #[test]
    fn golden_bytes_of_tracks() {
        let state = two_sessions();
        let bytes = encode(&state);
        assert_eq!(bytes[20..25], [0, 1, 0, 3, 0]);
        let second = [
            0, 2, 2, 0, 0, 0, 9, 0, 0, 0, 10, 0, 0, 0, 9, 0x10, 1, 4, 0, 0,
        ];
        assert_eq!(bytes[52..72], second);
        assert_eq!(bytes[80..84], [0xff; 4]);
        assert_eq!(decode(&bytes, MediumKind::DvdPlusR), Ok(state));
    }

    #[test]
    fn nonsense_is_refused() {
        let good = encode(&MediumState::formatted(MediumKind::BdRe));
        for (offset, value) in [(0, 3), (2, 4), (3, 3), (3, 7), (4, 0xff), (7, 1), (8, 0xff)] {
            let mut bytes = good.clone();
            bytes[offset] = value;
            let result = decode(&bytes, MediumKind::BdRe);
            assert!(result.is_err(), "byte {offset} as {value}: {result:?}");
        }
        let good = encode(&two_sessions());
        for (offset, value) in [
            (21, 2),
            (23, 2),
            (24, 1),
            (33, 2),
            (34, 5),
            (35, 4),
            (43, 1),
            (54, 4),
            (58, 0),
            (74, 1),
        ] {
            let mut bytes = good.clone();
            bytes[offset] = value;
            let result = decode(&bytes, MediumKind::DvdPlusR);
            assert!(result.is_err(), "byte {offset} as {value}: {result:?}");
        }
        assert!(decode(&good[..71], MediumKind::DvdPlusR).is_err());
        for state in [MediumState::factory, MediumState::formatted] {
            for kind in MediumKind::ALL {
                let state = state(kind);
                assert_eq!(decode(&encode(&state), kind), Ok(state));
            }
        }
    }
}
