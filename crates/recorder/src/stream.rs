//! A run of blocks to a medium that takes them one after the other.
//!
//! Invariant: every write begins at the next writable address. After anything went wrong, the drive
//! is asked for that, and recording goes on there if it is inside what was sent: so nothing is
//! left out and nothing is written twice, whatever the drive did with its buffer.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba};
use reburn_drive::{CommandError, DriveExt};
use reburn_mmc::command::TrackAddress;
use reburn_mmc::{Sense, SenseKey};

use crate::link::{Link, WRITE_LIMIT};
use crate::medium::Medium;
use crate::state::Progress;
use crate::write::{at_rest, is_refusal, is_reset, next_transfer, transfer_blocks};
use crate::{Event, RecordError};

/// Records a run of blocks.
pub(crate) struct Stream<'w, 'a> {
    link: &'w mut Link<'a>,
    source: &'w dyn BlockRead,
    medium: &'w Medium,
    /// The number that the drive gives to the track.
    track: u16,
    transfer: BlockCount,
    retries: u32,
    retried: u32,
    buf: Vec<u8>,
}

impl<'w, 'a> Stream<'w, 'a> {
    pub(crate) fn new(
        link: &'w mut Link<'a>,
        medium: &'w Medium,
        track: u16,
        source: &'w dyn BlockRead,
        retries: u32,
    ) -> Self {
        let transfer = transfer_blocks(link.drive, medium);
        Self {
            link,
            source,
            medium,
            track,
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

    /// Records the run and returns when all of it is on the medium. If the caller or the source
    /// ends it early, what was sent is made durable.
    pub(crate) fn record(
        &mut self,
        run: BlockRange,
        progress: &mut Progress<'_>,
    ) -> Result<(), RecordError> {
        let result = self.run(run, progress);
        if let Err(RecordError::Cancelled | RecordError::Source(_)) = &result {
            let sent = progress.is_epoch_sent();
            if self.link.flush() && sent {
                progress.confirm();
            }
        }
        result
    }

    fn run(&mut self, run: BlockRange, progress: &mut Progress<'_>) -> Result<(), RecordError> {
        let mut from = run.start_lba();
        let mut left = self.retries;
        loop {
            let result = self.send(run, from, progress).and_then(|()| self.barrier());
            let error = match result {
                Ok(()) => {
                    progress.confirm();
                    return self.link.emit(Event::Barrier { index: 0 });
                }
                Err(error) => error,
            };
            let (source, sense) = self.setback(error)?;
            if left == 0 {
                return Err(RecordError::Write { source });
            }
            left -= 1;
            self.retried += 1;
            if is_reset(&sense) {
                self.link.prevent_removal()?;
            }
            let reached = run.start_lba() + progress.sent();
            let next = self.next_writable()?;
            let goes_on = next.filter(|&next| next >= run.start_lba() && next <= reached);
            let Some(next) = goes_on.filter(|next| next.is_aligned(self.medium.write_unit)) else {
                return Err(RecordError::Write { source });
            };
            from = next;
            progress.go_back(next.blocks_since(run.start_lba()));
            self.link.emit(Event::Retrying { lba: next, sense })?;
        }
    }

    /// Sends the blocks of the run from `from` on.
    fn send(
        &mut self,
        run: BlockRange,
        from: Lba,
        progress: &mut Progress<'_>,
    ) -> Result<(), RecordError> {
        let ranges = BlockRangeList::from_iter([run]);
        let mut rest = next_transfer(&ranges, from, self.transfer);
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
                return Err(error);
            }
            progress.advance(piece.block_count());
            self.link.emit(Event::Recorded {
                done: progress.done(),
                total: progress.total(),
            })?;
            rest = Lba::checked(u64::from(piece.end_exclusive()))
                .and_then(|next| next_transfer(&ranges, next, self.transfer));
        }
        Ok(())
    }

    /// Returns once everything sent is on the medium.
    fn barrier(&mut self) -> Result<(), RecordError> {
        self.link
            .wait_for(WRITE_LIMIT, |drive| drive.synchronize_cache())?;
        self.link.wait_for(WRITE_LIMIT, at_rest)
    }

    /// What the drive said, if recording may go on after it.
    fn setback(&self, error: RecordError) -> Result<(CommandError, Sense), RecordError> {
        const WRITE_PROTECTED: u8 = 0x27;
        let RecordError::Command(source) = error else {
            return Err(error);
        };
        let Some(sense) = source.sense() else {
            return Err(RecordError::Command(source));
        };
        match sense.key {
            SenseKey::DataProtect if sense.asc == WRITE_PROTECTED => {
                Err(RecordError::WriteProtected {
                    profile: self.medium.profile,
                })
            }
            SenseKey::UnitAttention
            | SenseKey::AbortedCommand
            | SenseKey::MediumError
            | SenseKey::HardwareError => Ok((source, sense)),
            // The buffer was lost without a word, and the drive goes on elsewhere.
            _ if sense.deferred || sense.is(&Sense::INVALID_ADDRESS_FOR_WRITE) => {
                Ok((source, sense))
            }
            _ => Err(RecordError::Command(source)),
        }
    }

    fn next_writable(&mut self) -> Result<Option<Lba>, RecordError> {
        let track = TrackAddress::Track(self.track.into());
        let asked = self.link.ask(|drive| drive.track_information(track));
        Ok(crate::sequence::known(asked)?.and_then(|track| track.next_writable))
    }
}
