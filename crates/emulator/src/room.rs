//! Room in the buffer: a full one is emptied while the host waits, or beside the commands that it
//! sends meanwhile.

use reburn_blocks::BlockRange;
use reburn_mmc::Sense;

use crate::Emulator;
use crate::disc::unit_range;
use crate::profile::WhenFull;

impl Emulator {
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

    /// Whether the drive refuses a write of these blocks because its buffer has no room now. If
    /// it does, it begins to record beside the commands that follow.
    pub(crate) fn refuses_for_room(&mut self, range: BlockRange) -> bool {
        let Some(medium) = &self.medium else {
            return false;
        };
        let refuses = match self.profile.when_full {
            WhenFull::Holds => false,
            WhenFull::RefusesSequential => medium.state().mode.is_sequential(),
            WhenFull::Refuses => true,
        };
        if !refuses {
            return false;
        }
        let kind = medium.disc.kind();
        let unit = kind.write_unit();
        let numbers = unit.index_of(range.start_lba())..=unit.index_of(range.end_lba());
        let wanted = numbers.filter(|number| medium.buffer.get(*number).is_none());
        let room = self.profile.buffer(Some(kind)) / unit.bytes();
        if medium.buffer.len() + wanted.count() <= room {
            return false;
        }
        self.draining.get_or_insert(self.modelled_time());
        true
    }

    /// Records beside commands what there was time for.
    pub(crate) fn drain(&mut self) {
        while let Some(since) = self.draining {
            let Some(medium) = self
                .medium
                .as_ref()
                .filter(|medium| medium.buffer.len() > 0)
            else {
                self.draining = None;
                return;
            };
            let unit = medium.disc.kind().write_unit();
            let oldest = medium.buffer.order().next();
            let range = oldest.and_then(|number| unit_range(unit, number));
            let whole = medium
                .buffer
                .oldest()
                .filter(|oldest| oldest.is_whole(unit));
            let (Some(range), Some(oldest)) = (range, whole) else {
                return;
            };
            let mut head = medium.head.clone();
            let done = since + head.write(&self.profile, range, oldest.streaming);
            if done > self.clock {
                return;
            }
            let clock = self.clock;
            let recorded = self.flush_oldest();
            self.clock = clock; // its time has passed already
            self.draining = Some(done);
            if let Err(sense) = recorded {
                let late = self.late(sense);
                self.pending.push_back(late);
            }
        }
    }
}
