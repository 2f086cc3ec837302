//! What a medium remembers besides its content. How it stands in a disc's file: `state_bytes`.

use std::sync::Arc;

use reburn_blocks::{BlockCount, Lba};

use crate::MediumKind;
use crate::tracks::{TrackRecording, TrackState, TrackTable, round_up};

/// How a medium is formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatState {
    /// As it came from the factory. Media that are recorded in sequence need no format.
    Unformatted,
    /// With so many blocks for data.
    Formatted(BlockCount),
    /// A format was interrupted: nothing can be read or written before the next one.
    Interrupted,
}

/// How far the background format of a DVD+RW got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Not begun, or not that kind of medium.
    None,
    /// Stopped after so many blocks.
    Stopped(BlockCount),
    /// Running, past so many blocks.
    Running(BlockCount),
    /// Done.
    Complete,
}

/// Where blocks may be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordingMode {
    /// Anywhere, again and again.
    Overwrite,
    /// Anywhere below the border, in whole write units (DVD-RW); while the border is
    /// intermediate it grows with what is written right at its end.
    RestrictedOverwrite {
        /// Whether the border still grows.
        intermediate: bool,
    },
    /// At the next writable block of a track.
    Sequential,
    /// As [`RecordingMode::Sequential`], the whole disc in one go: a DVD-RW that was blanked
    /// minimally.
    DiscAtOnceOnly,
    /// As [`RecordingMode::Sequential`]; what is recorded can be replaced, and the drive
    /// records it elsewhere (BD-R).
    PseudoOverwrite,
    /// Anywhere, once (BD-R).
    RandomOnce,
}

impl RecordingMode {
    /// Whether the medium has a table of tracks.
    pub const fn has_tracks(self) -> bool {
        matches!(
            self,
            Self::Sequential | Self::DiscAtOnceOnly | Self::PseudoOverwrite | Self::RandomOnce
        )
    }

    /// Whether blocks go where the last ones ended.
    pub const fn is_sequential(self) -> bool {
        self.has_tracks() && !matches!(self, Self::RandomOnce)
    }
}

/// What a medium remembers besides its content. A copy costs a few references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediumState {
    /// How it is formatted.
    pub format: FormatState,
    /// How far its background format got.
    pub background: Background,
    /// Whether a tab or a command forbids writing.
    pub write_protected: bool,
    /// Where blocks may be recorded.
    pub mode: RecordingMode,
    /// Its sessions and tracks, if it is recorded in sequence.
    pub tracks: Arc<TrackTable>,
    /// How often a recorded write unit was replaced (BD-R).
    pub replacements: u32,
    /// How many spare clusters took what was replaced (BD-R).
    pub spares_used: u32,
}

impl MediumState {
    /// As a medium is sold: DVD-RAM formatted, the others blank.
    pub fn factory(kind: MediumKind) -> Self {
        let mode = if kind.is_overwritable() {
            RecordingMode::Overwrite
        } else {
            RecordingMode::Sequential
        };
        let format = match kind {
            MediumKind::DvdRam => FormatState::Formatted(kind.capacity()),
            _ => FormatState::Unformatted,
        };
        Self::with(format, mode)
    }

    /// Formatted in the ordinary way, with nothing left to be done: a DVD-RW in restricted
    /// overwrite mode, a BD-R for pseudo-overwrite. A medium that knows no format is as it is
    /// sold.
    pub fn formatted(kind: MediumKind) -> Self {
        let formatted = FormatState::Formatted(kind.capacity());
        match kind {
            kind if kind.is_overwritable() => Self {
                background: match kind {
                    MediumKind::DvdPlusRw => Background::Complete,
                    _ => Background::None,
                },
                ..Self::with(formatted, RecordingMode::Overwrite)
            },
            kind if kind.is_bd_r() => Self::with(formatted, RecordingMode::PseudoOverwrite),
            MediumKind::DvdRw => {
                let intermediate = false;
                Self::with(
                    formatted,
                    RecordingMode::RestrictedOverwrite { intermediate },
                )
            }
            kind => Self::factory(kind),
        }
    }

    /// Nothing recorded, in this format and mode.
    pub(crate) fn with(format: FormatState, mode: RecordingMode) -> Self {
        let tracks = if mode.has_tracks() {
            TrackTable::blank()
        } else {
            TrackTable::default()
        };
        Self {
            format,
            background: Background::None,
            write_protected: false,
            mode,
            tracks: Arc::new(tracks),
            replacements: 0,
            spares_used: 0,
        }
    }

    /// Blocks that hold data: on media written in any order all of them, none unless formatted;
    /// on others up to the last recorded one.
    pub fn blocks(&self) -> BlockCount {
        match (self.format, self.mode) {
            (FormatState::Interrupted, _) => BlockCount::ZERO,
            (_, mode) if mode.is_sequential() => BlockCount::new(self.tracks.recorded_end().get()),
            (FormatState::Formatted(blocks), _) => blocks,
            (FormatState::Unformatted, _) => BlockCount::ZERO,
        }
    }

    /// Blocks that tracks may take.
    pub fn user_area(&self, kind: MediumKind) -> BlockCount {
        match self.format {
            FormatState::Formatted(blocks) => blocks,
            FormatState::Unformatted | FormatState::Interrupted => kind.blocks_max(),
        }
    }

    /// The state after the power failed: a background format loses its place. A track that was
    /// being recorded goes on at the next write unit; DVD-R and DVD-RW mark it as damaged, to
    /// be repaired or not, and never where the disc was recorded in one go.
    #[must_use]
    pub fn after_power_cut(mut self, kind: MediumKind, repairable: bool) -> Self {
        if let Background::Running(_) = self.background {
            self.background = Background::Stopped(BlockCount::ZERO);
        }
        if let Some(index) = self.tracks.recording() {
            let track = &mut Arc::make_mut(&mut self.tracks).tracks[index];
            track.next_writable = round_up(track.next_writable, kind.write_unit());
            let marks_damage = match kind {
                MediumKind::DvdR | MediumKind::DvdRDl | MediumKind::DvdRw => true,
                // Packets end by themselves.
                kind => {
                    kind.is_cd()
                        && matches!(
                            track.recording,
                            TrackRecording::TrackAtOnce | TrackRecording::DiscAtOnce
                        )
                }
            };
            track.state = if marks_damage {
                let goes_on = track.recording != TrackRecording::DiscAtOnce;
                TrackState::Damaged {
                    repairable: repairable && goes_on,
                }
            } else if track.next_writable == track.start {
                TrackState::Blank
            } else {
                TrackState::Incomplete
            };
        }
        self
    }

    /// The state with the place that recording has reached on the medium: the track being
    /// recorded goes on there.
    pub(crate) fn reached(&mut self, next_writable: Lba) {
        if let Some(index) = self.tracks.recording() {
            Arc::make_mut(&mut self.tracks).tracks[index].next_writable = next_writable;
        }
    }

    /// Says what contradicts itself on a medium of this kind.
    pub(crate) fn check(&self, kind: MediumKind) -> Result<(), String> {
        let max = kind.blocks_max();
        if let FormatState::Formatted(blocks) = self.format {
            if blocks > max {
                return Err(format!("{blocks} blocks of at most {max}"));
            }
            if blocks.round_up(kind.write_unit()) != blocks {
                return Err(format!("{blocks} blocks are not whole write units"));
            }
            let may_be_none = matches!(self.mode, RecordingMode::RestrictedOverwrite { .. });
            if blocks.is_zero() && !may_be_none {
                return Err("formatted with 0 blocks".into());
            }
        }
        if self.mode.has_tracks() == self.tracks.tracks.is_empty() {
            let tracks = self.tracks.tracks.len();
            return Err(format!("{tracks} tracks in mode {:?}", self.mode));
        }
        self.tracks.check(self.user_area(kind))
    }
}
