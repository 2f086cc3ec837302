//! The disc that is rehearsed on: in memory, on any medium or in a file.

use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, BlockRead, BlockWrite, Lba, Overlay, Plan};
use reburn_drive::DriveExt;
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_image::{FileSystemImage, ImportOptions, Medium, ResultImage};
use reburn_recorder::{Options, Recorder, Verify};
use reburn_rehearse::{Content, CrashDisc, CrashState};
use reburn_tree::Timestamp;

/// When a disc is edited.
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// A disc.
pub enum Disc {
    /// A virtual one.
    Virtual(VirtualDisc),
    /// An image file, in memory.
    File(Vec<u8>),
}

impl Disc {
    /// The disc that a whole image is recorded on.
    pub fn of(result: &ResultImage<'_>) -> Result<Self, String> {
        let Some(kind) = MediumKind::from_name(result.medium().name()) else {
            let mut all = vec![0; result.total_blocks().as_usize() * BLOCK_SIZE];
            result.read_blocks(Lba::ZERO, &mut all).map_err(text)?;
            return Ok(Self::File(all));
        };
        let mut drive = Emulator::with_disc(VirtualDisc::formatted(kind));
        Recorder::with_options(&mut drive, unverified())
            .record_image(result, &mut |_| ControlFlow::Continue(()))
            .map_err(text)?;
        Ok(Self::Virtual(drive.take_disc().ok_or("the disc is gone")?))
    }

    /// The disc with a plan recorded on it.
    pub fn record(&self, plan: &Plan, source: &dyn BlockRead) -> Result<Self, String> {
        match self {
            Self::Virtual(disc) => {
                let mut drive = Emulator::with_disc(disc.snapshot().map_err(text)?);
                Recorder::with_options(&mut drive, unverified())
                    .record_plan(plan, source, &mut |_| ControlFlow::Continue(()))
                    .map_err(text)?;
                Ok(Self::Virtual(drive.take_disc().ok_or("the disc is gone")?))
            }
            Self::File(bytes) => {
                let mut overlay = Overlay::new(bytes.as_slice());
                for range in plan.modified.ranges() {
                    let mut data = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
                    source
                        .read_filled(range.start_lba(), &mut data)
                        .map_err(text)?;
                    overlay
                        .write_blocks(range.start_lba(), &data)
                        .map_err(text)?;
                }
                Ok(Self::File(all_of(&overlay)?))
            }
        }
    }

    /// The disc as a cut left it; `None` for a state that no file can have.
    pub fn cut(&self, state: &CrashState, cut: &CrashDisc<'_>) -> Result<Option<Self>, String> {
        let lost = |content: Content| content == Content::Unreadable;
        match self {
            Self::File(_) if state.units.iter().any(|(_, content)| lost(*content)) => Ok(None),
            Self::File(_) => Ok(Some(Self::File(all_of(cut)?))),
            Self::Virtual(disc) => {
                let mut drive = Emulator::with_disc(disc.snapshot().map_err(text)?);
                drive.clear_attentions().map_err(text)?;
                for (range, _) in state.units.iter().filter(|(_, content)| !lost(*content)) {
                    let mut data = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
                    cut.read_blocks(range.start_lba(), &mut data)
                        .map_err(text)?;
                    drive.write(range.start_lba(), &data).map_err(text)?;
                }
                drive.synchronize_cache().map_err(text)?;
                let mut disc = drive.take_disc().ok_or("the disc is gone")?;
                for (range, _) in state.units.iter().filter(|(_, content)| lost(*content)) {
                    disc.make_unreadable(range.start_lba()).map_err(text)?;
                }
                Ok(Some(Self::Virtual(disc)))
            }
        }
    }

    /// Its blocks.
    pub fn blocks(&self) -> &dyn BlockRead {
        match self {
            Self::Virtual(disc) => disc,
            Self::File(bytes) => bytes,
        }
    }

    /// What is on it, to be changed.
    pub fn import(&self, medium: Medium) -> Result<FileSystemImage<'_>, String> {
        let options = ImportOptions {
            medium,
            hierarchy: None,
            time: NOW,
            accept_losses: false,
            append: None,
        };
        FileSystemImage::import(self.blocks(), &options).map_err(text)
    }
}

fn all_of(disc: &dyn BlockRead) -> Result<Vec<u8>, String> {
    let mut all = vec![0; disc.block_count().as_usize() * BLOCK_SIZE];
    disc.read_blocks(Lba::ZERO, &mut all).map_err(text)?;
    Ok(all)
}

fn unverified() -> Options {
    Options {
        verify: Verify::None,
        ..Options::default()
    }
}

pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
