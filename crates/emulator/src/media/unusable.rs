//! A medium that the drive is not made for: it says so to every command that needs the medium.

use reburn_blocks::{BlockCount, BlockRange};
use reburn_mmc::command::{CloseFunction, ReadDiscStructure, TrackAddress};
use reburn_mmc::reply::{
    DiscInformation, DiscStatus, Feature, FormatCapacities, FormattedCapacity, SessionStatus,
    TrackInformation,
};
use reburn_mmc::{Profile, Sense};

use super::{Job, Placement, Readable, Rules, Situation, TocTrack};

/// The rules of a medium that the drive cannot use.
pub(super) struct Unusable;

impl Rules for Unusable {
    fn profile(&self, _now: Situation<'_>) -> Profile {
        Profile::NONE
    }

    fn features(&self, _now: Situation<'_>) -> Vec<Feature> {
        Vec::new()
    }

    fn capacity(&self, _now: Situation<'_>) -> BlockCount {
        BlockCount::ZERO
    }

    fn area(&self, now: Situation<'_>) -> BlockCount {
        now.kind.blocks_max()
    }

    fn readable(&self, _now: Situation<'_>) -> Result<Readable, Sense> {
        Err(Sense::INCOMPATIBLE_MEDIUM)
    }

    fn writable(&self, _now: Situation<'_>) -> Result<(), Sense> {
        Err(Sense::INCOMPATIBLE_MEDIUM)
    }

    fn place(&self, _: Situation<'_>, _: BlockRange) -> Result<(Placement, BlockCount), Sense> {
        Err(Sense::INCOMPATIBLE_MEDIUM)
    }

    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        FormatCapacities {
            current: FormattedCapacity::NoMedium(now.kind.blocks_max()),
            formattable: Vec::new(),
        }
    }

    fn close(&self, _: Situation<'_>, _: CloseFunction, _: u16) -> Result<Job, Sense> {
        Err(Sense::INCOMPATIBLE_MEDIUM)
    }

    fn disc_information(&self, _now: Situation<'_>) -> DiscInformation {
        DiscInformation {
            status: DiscStatus::Empty,
            last_session: SessionStatus::Empty,
            ..DiscInformation::OVERWRITABLE
        }
    }

    fn track_information(
        &self,
        _: Situation<'_>,
        _: TrackAddress,
        _: bool,
    ) -> Result<TrackInformation, Sense> {
        Err(Sense::INCOMPATIBLE_MEDIUM)
    }

    fn toc(&self, _now: Situation<'_>) -> Vec<TocTrack> {
        Vec::new()
    }

    fn structure(&self, _: Situation<'_>, _: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        Err(Sense::INCOMPATIBLE_MEDIUM)
    }
}
