//! The disc that a scenario records on, with a note of what was really written to it.

use std::path::Path;
use std::time::Duration;

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList};
use reburn_drive::{Data, Drive, ImageFileDrive, Reply, TransportError};
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_image::Medium;
use reburn_mmc::Cdb;
use reburn_mmc::command::Command;

/// A drive with a new, blank disc in it.
pub struct Target {
    backend: Backend,
    written: BlockRangeList,
}

enum Backend {
    Image(ImageFileDrive),
    Emulated(Box<Emulator>),
}

impl Target {
    /// A blank disc of that kind in a file of its own, in a drive.
    pub fn blank(medium: Medium, path: &Path) -> Result<Self, String> {
        Self::new(match MediumKind::from_name(medium.name()) {
            None => ImageFileDrive::create(path)
                .map(Backend::Image)
                .map_err(text),
            Some(kind) => VirtualDisc::create(path, kind).map(emulated).map_err(text),
        })
    }

    /// The disc in a file, in another drive than before: what a user does between two edits.
    pub fn load(medium: Medium, path: &Path) -> Result<Self, String> {
        Self::new(match MediumKind::from_name(medium.name()) {
            None => ImageFileDrive::open(path).map(Backend::Image).map_err(text),
            Some(_) => VirtualDisc::open(path).map(emulated).map_err(text),
        })
    }

    fn new(backend: Result<Backend, String>) -> Result<Self, String> {
        Ok(Self {
            backend: backend?,
            written: BlockRangeList::new(),
        })
    }

    /// The blocks that WRITE commands named since this was asked last.
    pub fn take_written(&mut self) -> BlockRangeList {
        std::mem::take(&mut self.written)
    }

    /// How long all commands so far would have taken on a real drive; none for a file.
    pub fn modelled_time(&self) -> Option<Duration> {
        match &self.backend {
            Backend::Image(_) => None,
            Backend::Emulated(emulator) => Some(emulator.modelled_time()),
        }
    }
}

impl Drive for Target {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        if let Some(range) = written_by(cdb) {
            self.written.insert(range);
        }
        match &mut self.backend {
            Backend::Image(drive) => drive.execute(cdb, data),
            Backend::Emulated(drive) => drive.execute(cdb, data),
        }
    }

    fn wait(&mut self, time: Duration) {
        match &mut self.backend {
            Backend::Image(drive) => drive.wait(time),
            Backend::Emulated(drive) => drive.wait(time),
        }
    }

    fn transfer_limit(&self) -> usize {
        match &self.backend {
            Backend::Image(drive) => drive.transfer_limit(),
            Backend::Emulated(drive) => drive.transfer_limit(),
        }
    }
}

fn emulated(disc: VirtualDisc) -> Backend {
    Backend::Emulated(Box::new(Emulator::with_disc(disc)))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The blocks that a command writes.
fn written_by(cdb: &Cdb) -> Option<BlockRange> {
    match Command::decode(cdb.as_bytes()).ok()? {
        Command::Write10(write) => {
            BlockRange::with_count(write.address.lba()?, BlockCount::new(write.blocks.into()))
        }
        Command::Write12(write) => BlockRange::with_count(write.address.lba()?, write.blocks),
        Command::WriteAndVerify(write) => {
            BlockRange::with_count(write.lba, BlockCount::new(write.blocks.into()))
        }
        _ => None,
    }
}
