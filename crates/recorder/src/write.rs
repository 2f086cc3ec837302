//! Epochs to the medium: in order, whole write units ascending, a barrier after each.
//!
//! Invariants: nothing of an epoch is sent before the barrier of the one before it is done.
//! After an error that comes late, everything that the drive's buffer may have held is sent
//! again; after a reset, the whole epoch.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ModifiedBlocks, WriteUnit,
};
use reburn_drive::{CommandError, Drive, DriveExt};
use reburn_mmc::{Profile, Sense, SenseKey};

use crate::link::{Link, WRITE_LIMIT, is_busy};
use crate::medium::Medium;
use crate::state::Progress;
use crate::{Event, RecordError};

/// The most that one command carries, unless a write unit is larger: what every transport
/// takes.
const TRANSFER_BYTES: usize = 64 * 1024;

/// More than the buffer of any drive: what was sent before that many blocks is on the medium.
const BUFFER_MAX: BlockCount = BlockCount::in_buffer(16 << 20);

/// The blocks that one command carries: whole write units, if the drive takes them.
pub(crate) fn transfer_blocks(drive: &dyn Drive, medium: &Medium) -> BlockCount {
    let unit = medium.write_unit.blocks();
    let most = drive.transfer_limit().min(TRANSFER_BYTES) / BLOCK_SIZE;
    let units = (most / unit.as_usize()).max(1);
    BlockCount::in_buffer(units * medium.write_unit.bytes())
}

/// Records the blocks of a source.
pub(crate) struct Writer<'w, 'a> {
    link: &'w mut Link<'a>,
    source: &'w dyn BlockRead,
    profile: Profile,
    unit: WriteUnit,
    transfer: BlockCount,
    retries: u32,
    retried: u32,
    buf: Vec<u8>,
}

/// Why an epoch did not come to its end at once.
enum Setback {
    /// It cannot.
    Fatal(RecordError),
    /// It goes on from this block.
    From(Lba, CommandError, Sense),
}

impl From<RecordError> for Setback {
    fn from(error: RecordError) -> Self {
        Self::Fatal(error)
    }
}

impl<'w, 'a> Writer<'w, 'a> {
    pub(crate) fn new(
        link: &'w mut Link<'a>,
        medium: &Medium,
        source: &'w dyn BlockRead,
        retries: u32,
    ) -> Self {
        let transfer = transfer_blocks(link.drive, medium);
        Self {
            link,
            source,
            profile: medium.profile,
            unit: medium.write_unit,
            transfer,
            retries,
            retried: 0,
            buf: vec![0; transfer.as_usize() * BLOCK_SIZE],
        }
    }

    /// How often something was written again.
    pub(crate) fn retried(&self) -> u32 {
        self.retried
    }

    /// Records every epoch. If the caller or the source ends it early, what was sent is made
    /// durable, so that no write unit is left half way between buffer and medium.
    pub(crate) fn record(
        &mut self,
        blocks: &ModifiedBlocks,
        progress: &mut Progress<'_>,
    ) -> Result<(), RecordError> {
        let result = self.epochs(blocks, progress);
        if let Err(RecordError::Cancelled | RecordError::Source(_)) = &result {
            let sent = progress.is_epoch_sent();
            if self.link.flush() && sent {
                progress.confirm();
            }
        }
        result
    }

    fn epochs(
        &mut self,
        blocks: &ModifiedBlocks,
        progress: &mut Progress<'_>,
    ) -> Result<(), RecordError> {
        for (index, epoch) in blocks.epochs().iter().enumerate() {
            self.link.emit(Event::Epoch {
                index,
                role: epoch.role,
                blocks: epoch.ranges.block_count(),
            })?;
            self.epoch(&epoch.ranges, progress)?;
            progress.confirm();
            self.link.emit(Event::Barrier { index })?;
        }
        Ok(())
    }

    fn epoch(
        &mut self,
        ranges: &BlockRangeList,
        progress: &mut Progress<'_>,
    ) -> Result<(), RecordError> {
        let mut from = Lba::ZERO;
        let mut left = self.retries;
        loop {
            let setback = match self.send(ranges, from, progress) {
                Ok(()) => match self.barrier(ranges, progress.sent()) {
                    Ok(()) => return Ok(()),
                    Err(setback) => setback,
                },
                Err(setback) => setback,
            };
            let (lba, source, sense) = match setback {
                Setback::Fatal(error) => return Err(error),
                Setback::From(lba, source, sense) => (lba, source, sense),
            };
            if left == 0 {
                return Err(RecordError::Write { source });
            }
            left -= 1;
            self.retried += 1;
            from = lba;
            progress.go_back(blocks_before(ranges, lba));
            self.link.emit(Event::Retrying { lba, sense })?;
            if is_reset(&sense) {
                // It has opened the lock. Nothing is in the buffer that another reset, heard
                // out here, could lose.
                self.link.prevent_removal()?;
            }
        }
    }

    /// Sends the blocks of an epoch from `from` on.
    fn send(
        &mut self,
        ranges: &BlockRangeList,
        from: Lba,
        progress: &mut Progress<'_>,
    ) -> Result<(), Setback> {
        let mut rest = next_transfer(ranges, from, self.transfer);
        while let Some(piece) = rest {
            let bytes = &mut self.buf[..piece.block_count().as_usize() * BLOCK_SIZE];
            self.source
                .read_filled(piece.start_lba(), bytes)
                .map_err(RecordError::Source)?;
            let written = self
                .link
                .wait_for(WRITE_LIMIT, |drive| drive.write(piece.start_lba(), bytes));
            if let Err(error) = written {
                if !is_refusal(&error) {
                    progress.touch(piece.block_count());
                }
                return Err(self.setback(error, ranges, progress.sent(), Some(piece)));
            }
            progress.advance(piece.block_count());
            self.link.emit(Event::Recorded {
                done: progress.done(),
                total: progress.total(),
            })?;
            rest = Lba::checked(u64::from(piece.end_exclusive()))
                .and_then(|next| next_transfer(ranges, next, self.transfer));
        }
        Ok(())
    }

    /// Returns once everything sent is on the medium.
    fn barrier(&mut self, ranges: &BlockRangeList, sent: BlockCount) -> Result<(), Setback> {
        self.link
            .wait_for(WRITE_LIMIT, |drive| drive.synchronize_cache())
            .and_then(|()| self.link.wait_for(WRITE_LIMIT, at_rest))
            .map_err(|error| self.setback(error, ranges, sent, None))
    }

    /// How to go on after an error while `piece` was written, or at a barrier, with so many
    /// blocks of the epoch sent.
    fn setback(
        &self,
        error: RecordError,
        ranges: &BlockRangeList,
        sent: BlockCount,
        piece: Option<BlockRange>,
    ) -> Setback {
        const WRITE_PROTECTED: u8 = 0x27;
        let RecordError::Command(source) = error else {
            return Setback::Fatal(error);
        };
        let Some(sense) = source.sense() else {
            return Setback::Fatal(RecordError::Command(source));
        };
        let start = lba_after(ranges, BlockCount::ZERO);
        let here = lba_after(ranges, sent);
        let from = match sense.key {
            SenseKey::UnitAttention if is_reset(&sense) => start,
            SenseKey::UnitAttention => here,
            SenseKey::DataProtect if sense.asc == WRITE_PROTECTED => {
                let profile = self.profile;
                return Setback::Fatal(RecordError::WriteProtected { profile });
            }
            SenseKey::AbortedCommand if !sense.deferred => here,
            SenseKey::MediumError | SenseKey::HardwareError => {
                let named = named_lba(&sense, ranges);
                let is_late = |piece: BlockRange| !named.is_some_and(|lba| piece.contains(lba));
                if sense.deferred || piece.is_none_or(is_late) {
                    let buffered = sent.get().saturating_sub(BUFFER_MAX.get());
                    let oldest = lba_after(ranges, BlockCount::new(buffered));
                    named
                        .map_or(oldest, |lba| lba.min(oldest))
                        .align_down(self.unit)
                } else {
                    here
                }
            }
            _ if sense.deferred => start,
            _ => return Setback::Fatal(RecordError::Command(source)),
        };
        Setback::From(from, source, sense)
    }
}

/// Asks in three ways whether the drive is done with its buffer: some say so while they still
/// write, and then only one of these tells.
pub(crate) fn at_rest(drive: &mut dyn Drive) -> Result<(), CommandError> {
    drive.test_unit_ready()?;
    let sense = drive.request_sense()?;
    let failed = sense.deferred
        || matches!(sense.key, SenseKey::MediumError | SenseKey::HardwareError)
        || is_reset(&sense);
    if failed || is_writing(&sense) {
        return Err(CommandError::Sense {
            command: "SYNCHRONIZE CACHE",
            range: None,
            sense,
        });
    }
    match drive.disc_information() {
        Err(CommandError::Sense { sense, .. })
            if !is_writing(&sense) && sense.key != SenseKey::UnitAttention =>
        {
            Ok(())
        }
        Err(CommandError::Reply { .. }) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Power on, or a reset of any kind (SPC-3 annex D, 6/29/xx).
pub(crate) fn is_reset(sense: &Sense) -> bool {
    const RESET: u8 = 0x29;
    sense.key == SenseKey::UnitAttention && sense.asc == RESET
}

/// Busy, but not with a format in the background, during which blocks are durable all the same.
fn is_writing(sense: &Sense) -> bool {
    is_busy(sense) && !sense.is(&Sense::FORMAT_IN_PROGRESS)
}

/// Whether the drive refused a write without having begun it.
pub(crate) fn is_refusal(error: &RecordError) -> bool {
    match error {
        RecordError::Command(error) => error.sense().is_some_and(|sense| {
            sense.deferred
                || matches!(
                    sense.key,
                    SenseKey::NotReady
                        | SenseKey::IllegalRequest
                        | SenseKey::UnitAttention
                        | SenseKey::DataProtect
                )
        }),
        RecordError::HostFull { .. } => false,
        _ => true,
    }
}

/// The block that the drive names, if the epoch has it.
fn named_lba(sense: &Sense, ranges: &BlockRangeList) -> Option<Lba> {
    let lba = Lba::checked(u64::from(sense.information?))?;
    ranges.contains(lba).then_some(lba)
}

/// The block of an epoch that follows its first `count` ones; the one past its end if there is
/// none.
fn lba_after(ranges: &BlockRangeList, count: BlockCount) -> Lba {
    let mut left = count;
    for range in ranges {
        if left < range.block_count() {
            return range.start_lba() + left;
        }
        left = left - range.block_count();
    }
    let past = ranges
        .last_lba()
        .and_then(|last| last.checked_add(BlockCount::ONE));
    past.unwrap_or(Lba::MAX)
}

/// The blocks of an epoch before `lba`.
fn blocks_before(ranges: &BlockRangeList, lba: Lba) -> BlockCount {
    ranges
        .iter()
        .map(|range| lba.blocks_since(range.start_lba()).min(range.block_count()))
        .sum()
}

/// The next blocks to send at or after `from`. Transfers end at multiples of `transfer`, so
/// that none cuts a write unit.
pub(crate) fn next_transfer(
    ranges: &BlockRangeList,
    from: Lba,
    transfer: BlockCount,
) -> Option<BlockRange> {
    let ahead = ranges.ranges();
    let range = ahead.get(ahead.partition_point(|range| range.end_lba() < from))?;
    let start = range.start_lba().max(from);
    let room = transfer.get() - start.get() % transfer.get();
    let piece = BlockRange::with_count(start, BlockCount::new(room))
        .map_or(range.end_lba(), BlockRange::end_lba);
    BlockRange::new(start, piece.min(range.end_lba()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(ranges: &[(u32, u32)]) -> BlockRangeList {
        let range = |&(start, end)| BlockRange::new(Lba::new(start), Lba::new(end)).unwrap();
        ranges.iter().map(range).collect()
    }

    #[test]
    fn transfers_are_whole_units_up_to_a_boundary() {
        let ranges = ranges(&[(16, 79), (112, 127)]);
        let transfer = BlockCount::new(32);
        let mut from = Some(Lba::ZERO);
        let mut sent = Vec::new();
        while let Some(piece) = from.and_then(|from| next_transfer(&ranges, from, transfer)) {
            sent.push(piece.to_string());
            from = piece.end_lba().checked_add(BlockCount::ONE);
        }
        assert_eq!(sent, ["16-31", "32-63", "64-79", "112-127"]);
    }

    #[test]
    fn transfers_reach_the_last_address() {
        let last = BlockRangeList::from_iter([BlockRange::single(Lba::MAX)]);
        let piece = next_transfer(&last, Lba::ZERO, BlockCount::new(32));
        assert_eq!(piece, Some(BlockRange::single(Lba::MAX)));
        assert_eq!(lba_after(&last, BlockCount::ONE), Lba::MAX);
    }

    #[test]
    fn places_in_an_epoch_are_found_both_ways() {
        let ranges = ranges(&[(16, 31), (64, 79)]);
        for (count, lba) in [(0, 16), (15, 31), (16, 64), (31, 79), (32, 80)] {
            assert_eq!(lba_after(&ranges, BlockCount::new(count)), Lba::new(lba));
            assert_eq!(
                blocks_before(&ranges, Lba::new(lba)),
                BlockCount::new(count)
            );
        }
    }
}
