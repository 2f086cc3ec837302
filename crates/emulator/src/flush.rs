//! From the buffer to the disc.

use std::sync::Arc;
use std::time::Duration;

use reburn_mmc::Sense;

use crate::buffer::Buffered;
use crate::content::UnitError;
use crate::disc::unit_range;
use crate::emulator::Loaded;
use crate::profile::PartialWrite;
use crate::{DriveProfile, Emulator, Faults, WriteFault};

impl Loaded {
    /// Records one unit that left the buffer; the time that it took. A unit that fails is not
    /// tried again: its data are lost, and the sense says where.
    fn record(
        &mut self,
        profile: &DriveProfile,
        faults: &Faults,
        number: u32,
        buffered: &Buffered,
    ) -> (Duration, Result<(), Sense>) {
        let unit = self.disc.kind().write_unit();
        let Some(range) = unit_range(unit, number) else {
            return (Duration::ZERO, Err(Sense::INTERNAL_FAILURE));
        };
        let failed = Sense::WRITE_ERROR.at(range.start_lba().get());
        let mut time = Duration::ZERO;
        if !buffered.is_whole(unit) {
            time += self.head.read(profile, range);
        }
        let data = match self.complete(profile, number, buffered) {
            Ok(data) => data,
            Err(sense) => return (time, Err(sense.at(range.start_lba().get()))),
        };
        time += self.head.write(profile, range, buffered.streaming);
        self.unsettled = true;
        let recorded = match faults.write_fault(unit, number) {
            Some((_, WriteFault::Silent)) => Ok(()),
            Some((lba, WriteFault::Error)) => {
                let lost = self.disc.lose_unit(number);
                lost.map_err(|_| failed)
                    .and(Err(Sense::WRITE_ERROR.at(lba.get())))
            }
            None => self.disc.record_unit(number, data).map_err(|_| failed),
        };
        (time, recorded)
    }

    /// The unit as it will be recorded: what the host wrote, and the rest from the disc.
    pub(crate) fn complete(
        &self,
        profile: &DriveProfile,
        number: u32,
        buffered: &Buffered,
    ) -> Result<Arc<[u8]>, Sense> {
        if buffered.is_whole(self.disc.kind().write_unit()) {
            return Ok(Arc::clone(&buffered.data));
        }
        let mut whole = vec![0; buffered.data.len()];
        match self.disc.read_unit(number, 0, &mut whole) {
            Ok(()) => {}
            Err(UnitError::Unreadable) if profile.partial_write == PartialWrite::FillsWithZeros => {
                whole.fill(0);
            }
            Err(_) => return Err(Sense::WRITE_ERROR),
        }
        buffered.copy_over(0, &mut whole);
        Ok(whole.into())
    }
}

impl Emulator {
    /// Records the oldest unit of the buffer, if there is one.
    fn flush_oldest(&mut self) -> Result<(), Sense> {
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        let Some((number, buffered)) = medium.buffer.pop_oldest() else {
            return Ok(());
        };
        self.record(number, &buffered)
    }

    fn record(&mut self, number: u32, buffered: &Buffered) -> Result<(), Sense> {
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        let (time, recorded) = medium.record(&self.profile, &self.faults, number, buffered);
        self.spend(time);
        recorded
    }

    /// Makes room for `units` more in the buffer.
    pub(crate) fn make_room(&mut self, units: usize) -> Result<(), Sense> {
        let Some(medium) = &self.medium else {
            return Ok(());
        };
        let kind = medium.disc.kind();
        let room = self.profile.buffer(Some(kind)) / kind.write_unit().bytes();
        let mut flushed = false;
        while self.buffered_units() > room.saturating_sub(units) && self.buffered_units() > 0 {
            self.flush_oldest()?;
            flushed = true;
        }
        if flushed { self.settle() } else { Ok(()) }
    }

    /// Records one unit ahead of the others, if it is in the buffer.
    pub(crate) fn flush_unit(&mut self, number: u32) -> Result<(), Sense> {
        let taken = self
            .medium
            .as_mut()
            .map(|medium| medium.buffer.take(number));
        match taken.flatten() {
            Some(buffered) => self.record(number, &buffered),
            None => Ok(()),
        }
    }

    /// Records everything in the buffer and waits for it to be durable: the barrier.
    pub(crate) fn flush_all(&mut self) -> Result<(), Sense> {
        while self.buffered_units() > 0 {
            self.flush_oldest()?;
        }
        let Some(medium) = &mut self.medium else {
            return Ok(());
        };
        if !medium.unsettled {
            return Ok(());
        }
        medium.unsettled = false;
        let stored = medium.disc.settle().and_then(|()| medium.disc.sync());
        self.spend(self.profile.mechanics.write_end);
        stored.map_err(|_| Sense::WRITE_ERROR)
    }

    fn settle(&mut self) -> Result<(), Sense> {
        let Some(medium) = &self.medium else {
            return Ok(());
        };
        medium.disc.settle().map_err(|_| Sense::WRITE_ERROR)
    }

    pub(crate) fn buffered_units(&self) -> usize {
        let medium = self.medium.as_ref();
        medium.map_or(0, |medium| medium.buffer.len())
    }

    /// How long it takes to record what is in the buffer now.
    pub(crate) fn flush_time(&self) -> Duration {
        let Some(medium) = &self.medium else {
            return Duration::ZERO;
        };
        let unit = medium.disc.kind().write_unit();
        let mut head = medium.head.clone();
        let units = medium
            .buffer
            .order()
            .filter_map(|number| Some((unit_range(unit, number)?, medium.buffer.get(number)?)));
        let recording: Duration = units
            .map(|(range, buffered)| head.write(&self.profile, range, buffered.streaming))
            .sum();
        recording + self.profile.mechanics.write_end
    }
}
