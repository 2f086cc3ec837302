//! Modelled time: how long a drive takes, without a clock.
//!
//! The head stands at a block. Moving it costs the shortest seek and a share of the longest
//! that grows with the distance; going on where it stands costs nothing. Blocks take their
//! bytes at the speed that is set. Host and transport are taken to be faster than any medium.
//!
//! The same costs move the clock of an [`Emulator`](crate::Emulator) and make the estimate of
//! a recording before it begins, so the two agree.

use std::time::Duration;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, ByteCount, Lba, ModifiedBlocks,
};
use reburn_mmc::Speed;

use crate::cd_sector::SECTOR_SIZE;
use crate::{DriveProfile, MediumKind};

/// Speeds in force, and where the head is.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    position: Lba,
    kind: MediumKind,
    pub read_speed: Speed,
    pub write_speed: Speed,
}

impl Head {
    /// At the first block, at the speeds that the drive starts with.
    pub fn new(profile: &DriveProfile, kind: MediumKind) -> Self {
        let speeds = profile.speeds(kind);
        Self {
            position: Lba::ZERO,
            kind,
            read_speed: speeds.read,
            write_speed: speeds.write,
        }
    }

    fn seek(&mut self, profile: &DriveProfile, to: Lba, end: u32) -> Duration {
        let distance = self.position.get().abs_diff(to.get());
        self.position = Lba::checked(u64::from(end)).unwrap_or(Lba::MAX);
        if distance == 0 {
            return Duration::ZERO;
        }
        let mechanics = &profile.mechanics;
        let span = mechanics.seek_max.saturating_sub(mechanics.seek_min);
        let whole = self.kind.blocks_max().get();
        mechanics.seek_min + span * distance.min(whole) / whole
    }

    /// Reads a run of blocks.
    pub fn read(&mut self, profile: &DriveProfile, range: BlockRange) -> Duration {
        let bytes = bytes_on_disc(self.kind, range);
        self.seek(profile, range.start_lba(), range.end_exclusive())
            + self.read_speed.time_for(bytes)
    }

    /// Writes a run of whole write units, and reads them back if the drive does that.
    pub fn write(
        &mut self,
        profile: &DriveProfile,
        range: BlockRange,
        streaming: bool,
    ) -> Duration {
        let bytes = bytes_on_disc(self.kind, range);
        let once = self.write_speed.time_for(bytes);
        let verified = profile.speeds(self.kind).verifies_writes && !streaming;
        let seek = self.seek(profile, range.start_lba(), range.end_exclusive());
        if verified {
            seek + once * 2
        } else {
            seek + once
        }
    }

    /// Moves to a block.
    pub fn go_to(&mut self, profile: &DriveProfile, lba: Lba) -> Duration {
        self.seek(profile, lba, lba.get())
    }
}

/// The bytes that count for the speed: speeds of CD are those of whole sectors.
fn bytes_on_disc(kind: MediumKind, range: BlockRange) -> ByteCount {
    let block = if kind.is_cd() {
        SECTOR_SIZE
    } else {
        BLOCK_SIZE
    };
    ByteCount::new(u64::from(range.block_count().get()) * block as u64)
}

impl DriveProfile {
    /// How long this drive takes to record the blocks of a plan on a medium of this kind, with
    /// its barriers, at the speed that it starts with. Fetching their bytes and verifying them
    /// afterwards come on top.
    pub fn recording_time(&self, kind: MediumKind, modified: &ModifiedBlocks) -> Duration {
        let epochs = modified.epochs().iter().map(|epoch| &epoch.ranges);
        self.time_of_epochs(kind, epochs)
    }

    /// How long this drive takes to record a set of blocks, followed by one barrier.
    pub fn range_list_time(&self, kind: MediumKind, ranges: &BlockRangeList) -> Duration {
        self.time_of_epochs(kind, [ranges])
    }

    /// How long this drive takes to read a set of blocks, in ascending order.
    pub fn reading_time(&self, kind: MediumKind, ranges: &BlockRangeList) -> Duration {
        let mut head = Head::new(self, kind);
        ranges.iter().map(|range| head.read(self, range)).sum()
    }

    fn time_of_epochs<'a>(
        &self,
        kind: MediumKind,
        epochs: impl IntoIterator<Item = &'a BlockRangeList>,
    ) -> Duration {
        let mut head = Head::new(self, kind);
        let unit = kind.write_unit();
        let mut time = Duration::ZERO;
        for ranges in epochs {
            for range in &ranges.align_outward(unit) {
                // A unit that is not covered as a whole is read first.
                let partial = partial_units(ranges, range, kind);
                for read in partial {
                    time += head.read(self, read);
                }
                time += head.write(self, range, false);
            }
            if !ranges.is_empty() {
                time += self.mechanics.write_end;
            }
        }
        time
    }
}

/// The write units at the ends of an aligned run that a set covers only in part.
fn partial_units(
    ranges: &BlockRangeList,
    aligned: BlockRange,
    kind: MediumKind,
) -> impl Iterator<Item = BlockRange> {
    let unit = kind.write_unit();
    let whole: BlockRangeList = [aligned].into_iter().collect();
    let missing = whole.difference(ranges).align_outward(unit);
    let units: Vec<_> = missing
        .iter()
        .flat_map(|range| range.pieces(unit.blocks()).collect::<Vec<_>>())
        .collect();
    units.into_iter()
}

/// How many blocks pass at `speed` in `time`.
pub(crate) fn blocks_in(speed: Speed, time: Duration) -> BlockCount {
    let bytes = u128::from(speed.kilobytes()) * time.as_millis();
    let blocks = bytes / 2048;
    BlockCount::new(u32::try_from(blocks).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(list: &[(u32, u32)]) -> BlockRangeList {
        list.iter()
            .map(|&(start, end)| BlockRange::new(Lba::new(start), Lba::new(end)).unwrap())
            .collect()
    }

    #[test]
    fn a_whole_disc_takes_its_bytes_at_its_speed() {
        let profile = DriveProfile::default();
        let whole = ranges(&[(0, 2_295_103)]);
        let time = profile.range_list_time(MediumKind::DvdPlusRw, &whole);
        // 4,700,372,992 bytes at 4 x 1385 kB/s.
        assert_eq!(time.as_secs(), 848);
        let whole = ranges(&[(0, 11_826_175)]);
        let time = profile.range_list_time(MediumKind::BdRe, &whole);
        // 24,220,008,448 bytes at 2 x 4495 kB/s, twice.
        assert_eq!(time.as_secs(), 5388);
    }

    #[test]
    fn seeks_cost_by_distance() {
        let profile = DriveProfile::default();
        let kind = MediumKind::BdRe;
        let near = profile.range_list_time(kind, &ranges(&[(0, 31), (64, 95)]));
        let far = profile.range_list_time(kind, &ranges(&[(0, 31), (11_000_000, 11_000_031)]));
        let joined = profile.range_list_time(kind, &ranges(&[(0, 63)]));
        assert!(joined < near && near < far);
        assert!(far <= joined + profile.mechanics.seek_max);
    }

    #[test]
    fn a_partial_write_unit_is_read_first() {
        let profile = DriveProfile::default();
        let kind = MediumKind::DvdPlusRw;
        let whole = profile.range_list_time(kind, &ranges(&[(16, 31)]));
        let partial = profile.range_list_time(kind, &ranges(&[(16, 30)]));
        assert!(partial > whole);
    }
}
