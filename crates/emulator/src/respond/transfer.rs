//! Blocks to and from the medium, through the buffer.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_drive::software::{Answer, Outcome, extent, room, sent};
use reburn_drive::{Data, Reply, TransportError};
use reburn_mmc::command::{Command, ReadBufferCapacity, SynchronizeCache, Verify10};
use reburn_mmc::reply::BufferCapacity;
use reburn_mmc::{Cdb, SectorAddress, Sense};

use crate::Emulator;
use crate::content::UnitError;
use crate::disc::{unit_parts, unit_range};
use crate::emulator::Activity;
use crate::media::Placement;
use crate::state::RecordingMode;

/// What a WRITE asks for.
#[derive(Debug, Clone, Copy)]
struct Write {
    address: SectorAddress,
    count: BlockCount,
    /// Whether the medium must have the blocks before the answer.
    durable: bool,
    streaming: bool,
    verify: bool,
}

impl Write {
    fn of(command: &Command) -> Option<Self> {
        let write = |address, count| Self {
            address,
            count,
            durable: false,
            streaming: false,
            verify: false,
        };
        let count = |blocks: u16| BlockCount::new(u32::from(blocks));
        Some(match command {
            Command::Write10(command) => Self {
                durable: command.force_unit_access,
                ..write(command.address, count(command.blocks))
            },
            Command::Write12(command) => Self {
                durable: command.force_unit_access,
                streaming: command.streaming,
                ..write(command.address, command.blocks)
            },
            Command::WriteAndVerify(command) => Self {
                durable: true,
                verify: true,
                ..write(command.lba.into(), count(command.blocks))
            },
            _ => return None,
        })
    }
}

/// The blocks that a READ asks for.
fn read_extent(command: &Command) -> Option<(Lba, BlockCount)> {
    match command {
        Command::Read10(command) => Some((command.lba, BlockCount::new(u32::from(command.blocks)))),
        Command::Read12(command) => Some((command.lba, command.blocks)),
        _ => None,
    }
}

impl Emulator {
    /// Sends blocks to the host.
    pub(crate) fn send(
        &mut self,
        cdb: &Cdb,
        command: &Command,
        mut data: Data<'_>,
    ) -> Result<Reply, TransportError> {
        let Some((lba, count)) = read_extent(command) else {
            return Ok(Reply::refused(Sense::INVALID_COMMAND));
        };
        match self.readable(lba, count) {
            Err(sense) => return Ok(Reply::refused(sense)),
            Ok(None) => return Ok(Reply::good(0)),
            Ok(Some(_)) => {}
        }
        let room = room(cdb, &mut data, count)?;
        let fitting = BlockCount::checked((room.len() / BLOCK_SIZE) as u64);
        let range = fitting.and_then(|count| BlockRange::with_count(lba, count));
        let Some(range) = range else {
            return Ok(Reply::good(0));
        };
        let (transferred, result) = self.fill(range, room);
        Ok(Reply {
            transferred,
            sense: result.err(),
        })
    }

    /// The blocks of a read, if the medium has them.
    pub(super) fn readable(
        &self,
        lba: Lba,
        count: BlockCount,
    ) -> Result<Option<BlockRange>, Sense> {
        let (found, area) = self.ask(|rules, now| Ok((rules.readable(now)?, rules.area(now))))?;
        let range = extent(lba, count, found.blocks.max(area))?;
        let end = range.map_or(lba.get().saturating_add(1), BlockRange::end_exclusive);
        match found.beyond {
            Some(sense) if end > found.blocks.get() => Err(sense),
            _ => Ok(range),
        }
    }

    /// Fills `buf` with blocks from the disc and the buffer over it; how many bytes are good.
    pub(super) fn fill(&mut self, range: BlockRange, buf: &mut [u8]) -> (usize, Result<(), Sense>) {
        let gap = self.ask(|rules, now| Ok(rules.unreadable_in(now, range)));
        let Ok(Some((lba, sense))) = gap else {
            return self.fill_from_tracks(range, buf);
        };
        let before = BlockRange::with_count(range.start_lba(), lba.blocks_since(range.start_lba()));
        let (filled, result) = before.map_or((0, Ok(())), |before| {
            let len = before.block_count().as_usize() * BLOCK_SIZE;
            self.fill_from_tracks(before, &mut buf[..len])
        });
        (filled, result.and(Err(sense.at(lba.get()))))
    }

    /// [`Emulator::fill`] where nothing lies between tracks.
    fn fill_from_tracks(
        &mut self,
        range: BlockRange,
        buf: &mut [u8],
    ) -> (usize, Result<(), Sense>) {
        if let Err(sense) = self.loaded() {
            return (0, Err(sense));
        }
        let (Some(medium), faults) = (&mut self.medium, &mut self.faults) else {
            return (0, Err(Sense::NO_MEDIUM));
        };
        let mut filled = 0;
        let unit = medium.disc.kind().write_unit();
        let mut from_disc = false;
        let mut result = Ok(());
        for (number, offset, len) in unit_parts(unit, range) {
            let part = &mut buf[filled..filled + len];
            if !medium.buffer.covers(number, offset, len) {
                from_disc = true;
                let read = match faults.on_read(unit, number) {
                    Some((lba, sense)) => Err(sense.at(lba.get())),
                    None => medium
                        .disc
                        .read_unit(number, offset, part)
                        .map_err(|error| {
                            let first = unit_range(unit, number)
                                .map_or(range.start_lba(), BlockRange::start_lba);
                            read_sense(&error).at(first.max(range.start_lba()).get())
                        }),
                };
                if let Err(sense) = read {
                    result = Err(sense);
                    break;
                }
            }
            if let Some(buffered) = medium.buffer.get(number) {
                buffered.copy_over(offset, part);
            }
            filled += len;
        }
        if from_disc && let Some(medium) = &mut self.medium {
            let time = medium.head.read(&self.profile, range);
            self.spend(time);
        }
        (filled, result)
    }

    /// Takes blocks from the host.
    pub(crate) fn take(
        &mut self,
        cdb: &Cdb,
        command: &Command,
        data: &Data<'_>,
    ) -> Result<Reply, TransportError> {
        let Some(write) = Write::of(command) else {
            return Ok(Reply::refused(Sense::INVALID_COMMAND));
        };
        let before = match self.before_session(write.address, write.count) {
            Ok(before) => before,
            Err(sense) => return Ok(Reply::refused(sense)),
        };
        let range = match self.writable_behind(before, write) {
            Err(sense) => return Ok(Reply::refused(sense)),
            Ok(None) if before == 0 => return Ok(Reply::good(0)),
            Ok(range) => range,
        };
        if range.is_some_and(|range| self.refuses_for_room(range)) {
            return Ok(Reply::refused(Sense::LONG_WRITE_IN_PROGRESS));
        }
        let sent = sent(cdb, data, write.count)?;
        let (_, blocks) = sent.split_at(before as usize * BLOCK_SIZE);
        let stored = range.map_or(Ok(()), |range| self.store(write, range, blocks));
        Ok(match stored {
            Ok(()) => {
                self.session_goes_on(write.count);
                Reply::good(sent.len())
            }
            Err(sense) => Reply::refused(sense),
        })
    }

    /// The blocks of a write behind the first `before` of them, if the medium takes them all.
    fn writable_behind(&self, before: u32, write: Write) -> Result<Option<BlockRange>, Sense> {
        let count = BlockCount::new(write.count.get() - before);
        if before > 0 && count.is_zero() {
            return Ok(None);
        }
        let address = write.address.checked_add(before);
        self.writable(address.ok_or(Sense::LBA_OUT_OF_RANGE)?, count)
    }

    /// The blocks of a write, if the medium takes them all.
    fn writable(
        &self,
        address: SectorAddress,
        count: BlockCount,
    ) -> Result<Option<BlockRange>, Sense> {
        let area = self.ask(|rules, now| {
            rules.writable(now)?;
            Ok(rules.area(now))
        })?;
        if self.loaded()?.disc.state().write_protected {
            return Err(Sense::WRITE_PROTECTED);
        }
        let range = extent(address.block()?, count, area)?;
        if let Some(range) = range {
            self.ask(|rules, now| rules.place(now, range))?;
            self.check_recorded_once(range)?;
        }
        Ok(range)
    }

    /// Whether a medium whose write units are recorded once has none of these blocks.
    fn check_recorded_once(&self, range: BlockRange) -> Result<(), Sense> {
        let medium = self.loaded()?;
        if medium.disc.state().mode != RecordingMode::RandomOnce {
            return Ok(());
        }
        let parts = unit_parts(medium.disc.kind().write_unit(), range);
        for (number, offset, len) in parts {
            if medium.disc.is_recorded(number) || medium.buffer.overlaps(number, offset, len) {
                return Err(self.profile.sequential.second_write);
            }
        }
        Ok(())
    }

    /// Puts blocks into the buffer. An error while making room is of an earlier write: it is
    /// reported as deferred, and this write has to be repeated.
    fn store(&mut self, write: Write, range: BlockRange, data: &[u8]) -> Result<(), Sense> {
        let mut rest = Some(range);
        let mut unsent = data;
        while let Some(range) = rest {
            let (placement, count) = self.ask(|rules, now| rules.place(now, range))?;
            let covered = BlockRange::with_count(range.start_lba(), count).unwrap_or(range);
            let (part, after) = unsent.split_at(covered.block_count().as_usize() * BLOCK_SIZE);
            self.store_part(write, placement, covered, part)?;
            unsent = after;
            rest = Lba::checked(u64::from(covered.end_exclusive()))
                .and_then(|start| BlockRange::new(start, range.end_lba()));
        }
        self.note_write();
        if write.durable {
            self.make_durable(range)?;
        }
        if write.verify {
            self.compare(range, data)?;
        }
        Ok(())
    }

    /// Puts blocks into the buffer that go to one place.
    fn store_part(
        &mut self,
        write: Write,
        placement: Placement,
        range: BlockRange,
        data: &[u8],
    ) -> Result<(), Sense> {
        let unit = self.loaded()?.disc.kind().write_unit();
        self.prepare(placement)?;
        let simulated = matches!(
            placement,
            Placement::Append {
                simulated: true,
                ..
            }
        );
        let mut rest = data;
        for (number, offset, len) in unit_parts(unit, range) {
            let (part, after) = rest.split_at(len);
            rest = after;
            if simulated {
                continue;
            }
            if self.loaded()?.buffer.get(number).is_none() {
                self.make_room(1).map_err(|sense| self.late(sense))?;
                if placement == Placement::Replace {
                    self.reserve_replacement()?;
                }
            }
            let medium = self.loaded_mut()?;
            medium.buffer.write(number, offset, part, write.streaming);
        }
        self.run_ahead(placement, range)
    }

    /// Has the medium take the blocks that it was just given: all that is in the buffer before
    /// them too where order counts.
    fn make_durable(&mut self, range: BlockRange) -> Result<(), Sense> {
        let medium = self.loaded()?;
        if medium.disc.state().mode.has_tracks() {
            return self.flush_all();
        }
        let unit = medium.disc.kind().write_unit();
        let (first, last) = (
            unit.index_of(range.start_lba()),
            unit.index_of(range.end_lba()),
        );
        for number in first..=last {
            self.flush_unit(number)?;
        }
        let settled = self.loaded()?.disc.settle();
        settled.map_err(|_| Sense::WRITE_ERROR)
    }

    /// Reads back what was just written, and compares.
    fn compare(&mut self, range: BlockRange, data: &[u8]) -> Result<(), Sense> {
        let mut read = vec![0; data.len()];
        self.fill(range, &mut read).1?;
        let blocks = read.chunks(BLOCK_SIZE);
        let pairs = blocks.zip(data.chunks(BLOCK_SIZE));
        for (number, (read, written)) in (range.start_lba().get()..).zip(pairs) {
            if read != written {
                return Err(Sense::MISCOMPARE.at(number));
            }
        }
        Ok(())
    }

    pub(super) fn verify(&mut self, command: Verify10) -> Outcome {
        const AT_ONCE: BlockCount = BlockCount::new(32);
        let count = BlockCount::new(u32::from(command.blocks));
        let range = self.readable(command.lba, count)?;
        let pieces = range.map(|range| range.pieces(AT_ONCE));
        let mut buf = vec![0; AT_ONCE.as_usize() * BLOCK_SIZE];
        for piece in pieces.into_iter().flatten() {
            let len = piece.block_count().as_usize() * BLOCK_SIZE;
            self.fill(piece, &mut buf[..len]).1?;
        }
        Ok(Answer::DONE)
    }

    pub(super) fn seek(&mut self, lba: Lba) -> Outcome {
        self.readable(lba, BlockCount::ZERO)?;
        let medium = self.medium.as_mut().ok_or(Sense::NO_MEDIUM)?;
        let time = medium.head.go_to(&self.profile, lba);
        self.spend(time);
        Ok(Answer::DONE)
    }

    /// Everything goes to the medium, whatever range was named: drives do so too.
    pub(super) fn synchronize(&mut self, command: SynchronizeCache) -> Outcome {
        self.loaded()?;
        if command.immediate {
            if self.buffered_units() > 0 {
                let until = self.modelled_time() + self.flush_time();
                self.activity = Activity::Flushing { until };
            }
            return Ok(Answer::DONE);
        }
        self.flush_all()?;
        Ok(Answer::DONE)
    }

    pub(super) fn buffer_capacity(&self, command: ReadBufferCapacity) -> Answer {
        let medium = self.medium.as_ref();
        let kind = medium.map(|medium| medium.disc.kind());
        let unit = kind.map_or(0, |kind| kind.write_unit().bytes());
        let total = self.profile.buffer(kind);
        let blank = total.saturating_sub(self.buffered_units() * unit);
        let divisor = if command.in_blocks { BLOCK_SIZE } else { 1 };
        let figure = |bytes: usize| u32::try_from(bytes / divisor).unwrap_or(u32::MAX);
        let capacity = BufferCapacity {
            in_blocks: command.in_blocks,
            total: figure(total),
            blank: figure(blank),
        };
        Answer::bytes(capacity.encode(), command.allocation)
    }
}

/// Why a unit could not be read, as sense.
fn read_sense(error: &UnitError) -> Sense {
    match error {
        UnitError::Unreadable => Sense::UNCORRECTABLE_ERROR,
        UnitError::Host(_) => Sense::UNRECOVERED_READ_ERROR,
    }
}
