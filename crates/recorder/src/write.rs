//! Epochs to the medium: in order, whole write units ascending, a barrier after each.
//!
//! Invariants: nothing of an epoch is sent before the barrier of the one before it is done;
//! after a write error everything from the named block on is sent again, after a reset the whole
//! epoch, since the drive's buffer may have lost any of it.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ModifiedBlocks, ReadError,
    WriteUnit,
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

/// The blocks that one command carries: whole write units, if the drive takes them.
pub(crate) fn transfer_blocks(drive: &dyn Drive, medium: &Medium) -> BlockCount {
    let unit = medium.write_unit.blocks();
    let most = drive.transfer_limit().min(TRANSFER_BYTES) / BLOCK_SIZE;
    let units = (most / unit.as_usize()).max(1);
    BlockCount::in_buffer(units * medium.write_unit.bytes())
}

/// Blocks from the source; past its end are zeros, which fill up the last write unit.
pub(crate) fn read_filled(
    source: &dyn BlockRead,
    start: Lba,
    buf: &mut [u8],
) -> Result<(), ReadError> {
    let available = source.block_count().get().saturating_sub(start.get()) as usize;
    let (data, beyond) = buf.split_at_mut((available * BLOCK_SIZE).min(buf.len()));
    beyond.fill(0);
    source.read_blocks(start, data)
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
                Ok(()) => match self.barrier(ranges) {
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
            // A reset has opened the lock.
            self.link.drive.prevent_removal(true).ok();
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
            read_filled(self.source, piece.start_lba(), bytes).map_err(RecordError::Source)?;
            let written = self
                .link
                .wait_for(WRITE_LIMIT, |drive| drive.write(piece.start_lba(), bytes));
            if let Err(error) = written {
                if !is_refusal(&error) {
                    progress.touch(piece.block_count());
                }
                return Err(self.setback(error, ranges, Some(piece)));
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
    fn barrier(&mut self, ranges: &BlockRangeList) -> Result<(), Setback> {
        self.link
            .wait_for(WRITE_LIMIT, |drive| drive.synchronize_cache())
            .and_then(|()| self.link.wait_for(WRITE_LIMIT, at_rest))
            .map_err(|error| self.setback(error, ranges, None))
    }

    /// How to go on after an error while `piece` was written, or at a barrier.
    fn setback(
        &self,
        error: RecordError,
        ranges: &BlockRangeList,
        piece: Option<BlockRange>,
    ) -> Setback {
        const RESET: u8 = 0x29;
        const WRITE_PROTECTED: u8 = 0x27;
        let RecordError::Command(source) = error else {
            return Setback::Fatal(error);
        };
        let Some(sense) = source.sense() else {
            return Setback::Fatal(RecordError::Command(source));
        };
        let start = first_lba(ranges);
        let here = piece.map_or(start, BlockRange::start_lba);
        match sense.key {
            SenseKey::UnitAttention if sense.asc == RESET => Setback::From(start, source, sense),
            SenseKey::UnitAttention => Setback::From(here, source, sense),
            SenseKey::DataProtect if sense.asc == WRITE_PROTECTED => {
                let profile = self.profile;
                Setback::Fatal(RecordError::WriteProtected { profile })
            }
            SenseKey::MediumError | SenseKey::HardwareError | SenseKey::AbortedCommand => {
                let named = named_lba(&sense, ranges, piece);
                let unnamed = if sense.deferred { start } else { here };
                let from = named.map_or(unnamed, |lba| lba.align_down(self.unit));
                Setback::From(from, source, sense)
            }
            _ if sense.deferred => Setback::From(start, source, sense),
            _ => Setback::Fatal(RecordError::Command(source)),
        }
    }
}

/// Asks in three ways whether the drive is done with its buffer: some say so while they still
/// write, and then only one of these tells.
fn at_rest(drive: &mut dyn Drive) -> Result<(), CommandError> {
    drive.test_unit_ready()?;
    let sense = drive.request_sense()?;
    let failed = sense.deferred
        || matches!(sense.key, SenseKey::MediumError | SenseKey::HardwareError)
        || sense.is(&Sense::POWER_ON_RESET);
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

/// Busy, but not with a format in the background, during which blocks are durable all the same.
fn is_writing(sense: &Sense) -> bool {
    is_busy(sense) && !sense.is(&Sense::FORMAT_IN_PROGRESS)
}

/// Whether the drive refused a write without having begun it.
fn is_refusal(error: &RecordError) -> bool {
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

/// The block that the drive names, if it was sent in this epoch.
fn named_lba(sense: &Sense, ranges: &BlockRangeList, piece: Option<BlockRange>) -> Option<Lba> {
    let lba = Lba::checked(u64::from(sense.information?))?;
    let sent = piece.is_none_or(|piece| lba <= piece.end_lba());
    (sent && ranges.contains(lba)).then_some(lba)
}

fn first_lba(ranges: &BlockRangeList) -> Lba {
    ranges
        .iter()
        .next()
        .map_or(Lba::ZERO, BlockRange::start_lba)
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
fn next_transfer(ranges: &BlockRangeList, from: Lba, transfer: BlockCount) -> Option<BlockRange> {
    let ahead = ranges.ranges();
    let range = ahead.get(ahead.partition_point(|range| range.end_lba() < from))?;
    let start = range.start_lba().max(from);
    let room = transfer.get() - start.get() % transfer.get();
    let piece = BlockRange::with_count(start, BlockCount::new(room))
        .map_or(range.end_lba(), BlockRange::end_lba);
    BlockRange::new(start, piece.min(range.end_lba()))
}
