//! A drive that notes what it is told.
//!
//! Invariants: every command goes to the drive behind it, and only what that one did counts; reads
//! are answered with the base and what was written over it, so the drive behind may hold an empty
//! medium.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, ReadError, WriteUnit};
use reburn_drive::{Data, Drive, Reply, TransportError};
use reburn_mmc::command::Command;
use reburn_mmc::{Cdb, Sense};

use crate::trace::{Trace, TraceEpoch, UnitWrite};

/// A drive that notes every write and every barrier.
pub struct TraceDrive<'b, D> {
    inner: D,
    base: &'b dyn BlockRead,
    unit: WriteUnit,
    /// What the units hold that were written, by their first block.
    written: BTreeMap<Lba, Arc<[u8]>>,
    done: Vec<TraceEpoch>,
    current: TraceEpoch,
}

impl<'b, D: Drive> TraceDrive<'b, D> {
    /// `inner`, as if it held `base`, on a medium that records `unit` at once.
    pub fn new(inner: D, base: &'b dyn BlockRead, unit: WriteUnit) -> Self {
        Self {
            inner,
            base,
            unit,
            written: BTreeMap::new(),
            done: Vec::new(),
            current: TraceEpoch::default(),
        }
    }

    /// The drive behind.
    pub fn inner(&self) -> &D {
        &self.inner
    }

    /// What was written so far.
    pub fn trace(&self) -> Trace {
        let last = Some(&self.current).filter(|epoch| !epoch.writes.is_empty());
        Trace {
            unit: self.unit,
            epochs: self.done.iter().chain(last).cloned().collect(),
        }
    }

    /// What was written.
    pub fn into_trace(mut self) -> Trace {
        self.end_epoch();
        Trace {
            unit: self.unit,
            epochs: self.done,
        }
    }

    fn end_epoch(&mut self) {
        if !self.current.writes.is_empty() {
            self.done.push(std::mem::take(&mut self.current));
        }
    }

    /// Notes the blocks of a write command, unit by unit.
    fn note(&mut self, range: BlockRange, data: &[u8]) {
        for whole in range.align_outward(self.unit).pieces(self.unit.blocks()) {
            let start = whole.start_lba();
            let Some(part) = whole.intersection(range) else {
                continue;
            };
            let mut bytes = vec![0; self.unit.bytes()];
            if part != whole {
                // A unit that cannot be read could not have been filled up by the drive either.
                let _ = self.read_now(start, &mut bytes);
            }
            let at = part.start_lba().blocks_since(start).as_usize() * BLOCK_SIZE;
            let from = part.start_lba().blocks_since(range.start_lba()).as_usize() * BLOCK_SIZE;
            let len = part.block_count().as_usize() * BLOCK_SIZE;
            bytes[at..at + len].copy_from_slice(&data[from..from + len]);
            let bytes: Arc<[u8]> = bytes.into();
            self.written.insert(start, Arc::clone(&bytes));
            self.current.writes.push(UnitWrite { start, bytes });
        }
    }

    /// The base with what was written over it.
    fn read_now(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let blocks = buf.chunks_mut(BLOCK_SIZE);
        for (lba, block) in (start.get()..).map(Lba::new).zip(blocks) {
            let first = lba.align_down(self.unit);
            match self.written.get(&first) {
                Some(unit) => {
                    let at = lba.blocks_since(first).as_usize() * BLOCK_SIZE;
                    block.copy_from_slice(&unit[at..at + BLOCK_SIZE]);
                }
                None => self.base.read_filled(lba, block)?,
            }
        }
        Ok(())
    }

    fn read(&mut self, cdb: &Cdb, start: Lba, buf: &mut [u8]) -> Result<Reply, TransportError> {
        let reply = self.inner.execute(cdb, Data::In(buf))?;
        if reply.sense.is_some() {
            return Ok(reply);
        }
        let len = reply.transferred.min(buf.len()) / BLOCK_SIZE * BLOCK_SIZE;
        Ok(match self.read_now(start, &mut buf[..len]) {
            Ok(()) => reply,
            Err(_) => Reply::refused(Sense::UNRECOVERED_READ_ERROR.at(start.get())),
        })
    }
}

impl<D: Drive> Drive for TraceDrive<'_, D> {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        let command = Command::from_cdb(cdb).unwrap_or(Command::Unknown(*cdb));
        match (command, data) {
            (Command::Read10(Read { lba, .. }), Data::In(buf)) => self.read(cdb, lba, buf),
            (Command::Read12(command), Data::In(buf)) => self.read(cdb, command.lba, buf),
            (command, Data::Out(sent)) => {
                let reply = self.inner.execute(cdb, Data::Out(sent))?;
                if let Some(range) = written_by(&command)
                    && reply.sense.is_none()
                {
                    self.note(range, sent);
                }
                Ok(reply)
            }
            (command, data) => {
                let reply = self.inner.execute(cdb, data)?;
                if let Command::SynchronizeCache(command) = command
                    && !command.immediate
                    && reply.sense.is_none()
                {
                    self.end_epoch();
                }
                Ok(reply)
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        self.inner.wait(time);
    }

    fn transfer_limit(&self) -> usize {
        self.inner.transfer_limit()
    }
}

use reburn_mmc::command::Read10 as Read;

/// The blocks that a command writes.
fn written_by(command: &Command) -> Option<BlockRange> {
    let (lba, count) = match command {
        Command::Write10(write) => (write.address.lba()?, BlockCount::new(write.blocks.into())),
        Command::Write12(write) => (write.address.lba()?, write.blocks),
        Command::WriteAndVerify(write) => (write.lba, BlockCount::new(write.blocks.into())),
        _ => return None,
    };
    BlockRange::with_count(lba, count)
}
