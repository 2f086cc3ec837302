//! The rules of each kind of medium: where blocks may be recorded, how it is formatted, closed
//! and blanked, what it says of itself. One file a kind.

mod bd_r;
mod bd_re;
mod cd;
mod dvd_minus;
mod dvd_overwrite;
mod dvd_plus_r;
mod dvd_plus_rw;
mod dvd_ram;
mod overwritable;
mod sequence;
mod structures;
mod unusable;

use std::time::Duration;

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, Lba};
use reburn_mmc::command::{
    Blank, CloseFunction, ReadDiscStructure, Reservation, SendDiscStructure, TocFormat,
    TrackAddress,
};
use reburn_mmc::reply::{
    CueSheet, DiscInformation, Feature, FormatCapacities, FormatDescriptor, FormatKind,
    FormatParameters, FormattedCapacity, PseudoOverwriteResources, TrackInformation,
    TrackResources, WriteParametersPage, WriteType,
};
use reburn_mmc::{Profile, Sense};

use crate::state::{FormatState, MediumState};
use crate::tracks::{TrackRecording, TrackTable};
use crate::{DriveProfile, MediumKind};

pub(crate) use bd_r::VERSIONS as BD_R_VERSIONS;
pub(crate) use bd_re::VERSIONS as BD_RE_VERSIONS;
pub(crate) use cd::{
    AtOnce, RW_SUBTYPES as CD_RW_SUBTYPES, mastering as cd_mastering,
    track_at_once as cd_track_at_once,
};

/// What happens to a medium in a while, and what it is then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    /// How long the host has to wait.
    pub time: Duration,
    /// Whether the content is gone.
    pub erases: bool,
    /// The state afterwards.
    pub result: MediumState,
}

impl Job {
    /// A change that takes no time.
    fn at_once(result: MediumState) -> Self {
        Self {
            time: Duration::ZERO,
            erases: false,
            result,
        }
    }

    /// Nothing.
    fn nothing(now: Situation<'_>) -> Self {
        Self::at_once(now.state.clone())
    }
}

/// The medium in a drive, as far as its rules are concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub kind: MediumKind,
    /// As the host knows it: with what is still in the buffer.
    pub state: &'a MediumState,
    pub profile: &'a DriveProfile,
    /// How the host wants CD and sequential DVD to be written.
    pub write: &'a WriteParametersPage,
}

impl<'a> Situation<'a> {
    /// How long it takes to write the whole medium and, with a certification, to read it too.
    fn whole_medium(&self, blocks: BlockCount) -> Duration {
        let whole: BlockRangeList = BlockRange::with_count(Lba::ZERO, blocks)
            .into_iter()
            .collect();
        self.profile.range_list_time(self.kind, &whole)
    }

    /// The current capacity; what is not formatted could hold `max`.
    fn formatted_capacity(&self, max: BlockCount) -> FormattedCapacity {
        match self.state.format {
            FormatState::Formatted(blocks) => FormattedCapacity::Formatted(blocks),
            FormatState::Unformatted | FormatState::Interrupted => {
                FormattedCapacity::Unformatted(max)
            }
        }
    }

    /// The number of the last session that readers find.
    pub fn closed_sessions(&self) -> u16 {
        if self.state.mode.is_sequential() {
            self.tracks().closed_sessions
        } else {
            1
        }
    }

    fn tracks(&self) -> &'a TrackTable {
        &self.state.tracks
    }

    /// The state with another table of tracks.
    fn with_tracks(&self, tracks: TrackTable) -> MediumState {
        MediumState {
            tracks: tracks.into(),
            ..self.state.clone()
        }
    }
}

/// Where blocks of a WRITE go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// To their own place, over what is there.
    InPlace,
    /// To the next writable block of the track with this index.
    Append {
        track: usize,
        /// Whether the laser stays off.
        simulated: bool,
    },
    /// Over blocks of a medium that is recorded once: the drive records them elsewhere.
    Replace,
}

/// The write unit that takes a replaced one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub unit: u32,
    /// The index of the track that it uses up a part of; `None` for a spare cluster.
    pub track: Option<usize>,
}

/// What READ finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Readable {
    /// Blocks from the first on that can be read.
    pub blocks: BlockCount,
    /// How a read of the blocks after them is refused; `None` reads zeros up to the end of the
    /// user area.
    pub beyond: Option<Sense>,
}

/// Closed tracks, for a table of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TocTrack {
    pub number: u16,
    pub session: u16,
    pub start: Lba,
    /// The block after it.
    pub end: Lba,
}

/// The rules of a kind of medium.
///
/// What a kind does not say for itself is as on media whose blocks are written in any order.
pub(crate) trait Rules {
    /// The profile of a drive that has it loaded.
    fn profile(&self, now: Situation<'_>) -> Profile;

    /// The features that make it what it is, current now. What all media of a family share
    /// comes on top.
    fn features(&self, now: Situation<'_>) -> Vec<Feature>;

    /// Whether MODE SELECT takes this page 05h while the medium is loaded.
    fn takes_write_parameters(&self, page: &WriteParametersPage) -> bool {
        page.write_type == WriteType::PACKET
    }

    /// Blocks that READ CAPACITY counts; none for a blank medium.
    fn capacity(&self, now: Situation<'_>) -> BlockCount {
        now.state.blocks()
    }

    /// Blocks that writes may reach.
    fn area(&self, now: Situation<'_>) -> BlockCount {
        now.state.blocks()
    }

    /// What READ finds.
    fn readable(&self, now: Situation<'_>) -> Result<Readable, Sense> {
        overwritable::readable(now)
    }

    /// The first of these blocks that lies between tracks, where nothing can be read, and how it
    /// is refused.
    fn unreadable_in(&self, _now: Situation<'_>, _range: BlockRange) -> Option<(Lba, Sense)> {
        None
    }

    /// Why nothing can be written, wherever it is to go.
    fn writable(&self, now: Situation<'_>) -> Result<(), Sense> {
        overwritable::writable(now)
    }

    /// Where a WRITE of these blocks goes, and how many of them go there; they all lie in
    /// [`Rules::area`].
    fn place(
        &self,
        _now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        Ok((Placement::InPlace, range.block_count()))
    }

    /// How a track is recorded that begins now.
    fn recording(&self, _now: Situation<'_>) -> TrackRecording {
        TrackRecording::Incremental
    }

    /// The write unit that takes what a WRITE replaces; `None` if none is left.
    fn replacement(&self, _now: Situation<'_>) -> Option<Target> {
        None
    }

    /// The state once everything in the buffer is on the medium.
    fn settled(&self, now: Situation<'_>) -> MediumState {
        sequence::settled(now)
    }

    /// READ FORMAT CAPACITIES.
    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities;

    /// FORMAT UNIT; 5/26/00 for a way that the medium does not have.
    fn format(&self, _now: Situation<'_>, _parameters: &FormatParameters) -> Result<Job, Sense> {
        Err(Sense::CANNOT_FORMAT_MEDIUM)
    }

    /// BLANK.
    fn blank(&self, _now: Situation<'_>, _command: Blank) -> Result<Job, Sense> {
        Err(Sense::CANNOT_FORMAT_MEDIUM)
    }

    /// CLOSE TRACK SESSION.
    fn close(&self, now: Situation<'_>, function: CloseFunction, track: u16) -> Result<Job, Sense>;

    /// RESERVE TRACK.
    fn reserve(&self, _now: Situation<'_>, _wanted: Reservation) -> Result<Job, Sense> {
        Err(Sense::CANNOT_WRITE_FORMAT)
    }

    /// REPAIR TRACK.
    fn repair(&self, _now: Situation<'_>, _track: u16) -> Result<Job, Sense> {
        Err(Sense::CANNOT_WRITE_FORMAT)
    }

    /// READ DISC INFORMATION.
    fn disc_information(&self, now: Situation<'_>) -> DiscInformation;

    /// READ DISC INFORMATION about tracks.
    fn track_resources(&self, _now: Situation<'_>) -> Result<TrackResources, Sense> {
        Err(Sense::INVALID_FIELD_IN_CDB)
    }

    /// READ DISC INFORMATION about pseudo-overwrite.
    fn pseudo_overwrite(&self, _now: Situation<'_>) -> Result<PseudoOverwriteResources, Sense> {
        Err(Sense::INVALID_FIELD_IN_CDB)
    }

    /// READ TRACK INFORMATION; `open` asks for the first open track from there on.
    fn track_information(
        &self,
        now: Situation<'_>,
        address: TrackAddress,
        open: bool,
    ) -> Result<TrackInformation, Sense>;

    /// The tracks of a table of contents, ascending. None is a blank medium.
    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack>;

    /// READ TOC/PMA/ATIP in the formats that only CDs have; sessions below `first` are left out.
    fn cd_table(
        &self,
        _now: Situation<'_>,
        _format: TocFormat,
        _first: u8,
    ) -> Result<Vec<u8>, Sense> {
        Err(Sense::INVALID_FIELD_IN_CDB)
    }

    /// SEND CUE SHEET: the session that it describes.
    fn session_at_once(&self, _now: Situation<'_>, _sheet: &CueSheet) -> Result<AtOnce, Sense> {
        Err(Sense::CANNOT_WRITE_FORMAT)
    }

    /// SEND DISC STRUCTURE, with the structure; 5/24/00 for a format that the medium does not
    /// take.
    fn send_structure(
        &self,
        _now: Situation<'_>,
        _command: SendDiscStructure,
        _data: &[u8],
    ) -> Result<Job, Sense> {
        Err(Sense::INVALID_FIELD_IN_CDB)
    }

    /// READ DISC STRUCTURE; 5/24/00 for a format that the medium does not have.
    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense>;
}

/// The rules that a medium of this kind and state follows in this drive.
pub(crate) fn rules(now: Situation<'_>) -> &'static dyn Rules {
    let overwritten = !now.state.mode.has_tracks();
    match now.kind {
        kind if !now.profile.media.contains(&kind) => &unusable::Unusable,
        MediumKind::CdR | MediumKind::CdRw => &cd::Cd,
        MediumKind::DvdRw if overwritten => &dvd_overwrite::DvdOverwrite,
        MediumKind::DvdR | MediumKind::DvdRDl | MediumKind::DvdRw => &dvd_minus::DvdMinus,
        MediumKind::DvdPlusR | MediumKind::DvdPlusRDl => &dvd_plus_r::DvdPlusR,
        MediumKind::DvdPlusRw => &dvd_plus_rw::DvdPlusRw,
        MediumKind::DvdRam => &dvd_ram::DvdRam,
        MediumKind::BdR | MediumKind::BdRDl | MediumKind::BdRTl | MediumKind::BdRQl => &bd_r::BdR,
        MediumKind::BdRe | MediumKind::BdReDl | MediumKind::BdReTl | MediumKind::BdReQl => {
            &bd_re::BdRe
        }
    }
}

/// A way to format.
fn way(kind: FormatKind, blocks: BlockCount, parameter: u32) -> FormatDescriptor {
    FormatDescriptor {
        blocks,
        kind,
        subtype: 0,
        parameter,
    }
}
