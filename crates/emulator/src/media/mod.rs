//! The rules of each kind of medium: how it is formatted and closed, what it says of itself.
//! One file a kind.

mod bd_re;
mod dvd_plus_rw;
mod dvd_ram;

use std::time::Duration;

use reburn_blocks::{BlockCount, BlockRangeList, Lba};
use reburn_mmc::Sense;
use reburn_mmc::command::{CloseFunction, ReadDiscStructure};
use reburn_mmc::reply::{
    DiscInformation, FormatCapacities, FormatDescriptor, FormatParameters, FormattedCapacity,
    TrackInformation,
};

use crate::state::{FormatState, MediumState};
use crate::{DriveProfile, MediumKind};

/// What happens to a medium in a while, and what it is then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// How long the host has to wait.
    pub time: Duration,
    /// Whether the content is gone.
    pub erases: bool,
    /// The state afterwards.
    pub result: MediumState,
}

/// The medium in a drive, as far as its rules are concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub kind: MediumKind,
    pub state: MediumState,
    pub profile: &'a DriveProfile,
}

impl Situation<'_> {
    /// How long it takes to write the whole medium and, with a certification, to read it too.
    fn whole_medium(&self, blocks: BlockCount) -> Duration {
        let whole: BlockRangeList = reburn_blocks::BlockRange::with_count(Lba::ZERO, blocks)
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
}

/// The rules of a kind of medium.
pub(crate) trait Rules {
    /// READ FORMAT CAPACITIES.
    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities;

    /// FORMAT UNIT; 5/26/00 for a way that the medium does not have.
    fn format(&self, now: Situation<'_>, parameters: &FormatParameters) -> Result<Job, Sense>;

    /// CLOSE TRACK SESSION.
    fn close(&self, now: Situation<'_>, function: CloseFunction) -> Result<Job, Sense>;

    /// READ DISC INFORMATION.
    fn disc_information(&self, now: Situation<'_>) -> DiscInformation;

    /// READ TRACK INFORMATION of track 1, the only one.
    fn track_information(&self, now: Situation<'_>) -> TrackInformation;

    /// READ DISC STRUCTURE; 5/24/00 for a format that the medium does not have.
    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense>;
}

/// The rules of this kind.
pub(crate) fn rules(kind: MediumKind) -> &'static dyn Rules {
    match kind {
        MediumKind::DvdPlusRw => &dvd_plus_rw::DvdPlusRw,
        MediumKind::DvdRam => &dvd_ram::DvdRam,
        MediumKind::BdRe | MediumKind::BdReDl | MediumKind::BdReTl => &bd_re::BdRe,
    }
}

/// CLOSE TRACK SESSION on media that know no sessions: drives differ.
fn nothing_to_close(now: Situation<'_>) -> Result<Job, Sense> {
    if !now.profile.close_is_ignored {
        return Err(Sense::INVALID_FIELD_IN_CDB);
    }
    Ok(Job {
        time: Duration::ZERO,
        erases: false,
        result: now.state,
    })
}

/// The one track of a medium that is written in any order.
fn only_track(now: Situation<'_>) -> TrackInformation {
    let blocks = now.state.blocks();
    TrackInformation {
        blank: blocks.is_zero(),
        packet_size: now.kind.write_unit().blocks(),
        track_size: blocks,
        ..TrackInformation::DATA
    }
}

/// The physical format information of a DVD (MMC-6, READ DISC STRUCTURE format 00h): book
/// type, size, layers, first and last physical sector.
fn dvd_physical(book_type: u8, version: u8, blocks: BlockCount) -> Vec<u8> {
    const FIRST_SECTOR: u32 = 0x3_0000;
    let mut data = vec![0; 2048];
    data[0] = book_type << 4 | version;
    data[1] = 0x0f; // 120 mm, no maximal rate given
    data[2] = 0x02; // one layer, rewritable area
    data[5..8].copy_from_slice(&FIRST_SECTOR.to_be_bytes()[1..]);
    let last = FIRST_SECTOR + blocks.get().saturating_sub(1);
    data[9..12].copy_from_slice(&last.to_be_bytes()[1..]);
    data
}

/// A way to format.
fn way(
    kind: reburn_mmc::reply::FormatKind,
    blocks: BlockCount,
    parameter: u32,
) -> FormatDescriptor {
    FormatDescriptor {
        blocks,
        kind,
        subtype: 0,
        parameter,
    }
}
