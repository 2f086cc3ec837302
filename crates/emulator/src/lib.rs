//! An optical drive in software, for CD, DVD and Blu-ray, written once or again.
//!
//! [`Emulator`] takes the commands of a real drive and answers as one: with unit attentions,
//! background formats, a write buffer that loses its data with the power, write units that are
//! whole or unreadable, and a modelled clock. A [`VirtualDisc`] lies in memory, where copying
//! it costs next to nothing, or in a file, where it keeps what the drive made durable.
//!
//! Each kind of medium follows its own rules ([`MediumKind`], [`RecordingMode`]): DVD+RW,
//! DVD-RAM and BD-RE are overwritten anywhere, a formatted DVD-RW in whole write units below its
//! border; DVD-R, DVD-RW, DVD+R and BD-R are recorded in sequence, in tracks and sessions that
//! their [`TrackTable`] holds. What the host sees of them runs ahead of the disc by what is in
//! the buffer; a power cut leaves a prefix.
//!
//! What differs from drive to drive is a field of [`DriveProfile`]; what goes wrong is planted
//! as [`Faults`]. Nothing here draws random numbers or reads a clock: what a power cut does to
//! each write unit is the caller's choice.
//!
//! ```
//! use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba};
//! use reburn_drive::DriveExt;
//! use reburn_emulator::{Emulator, Fate, MediumKind, VirtualDisc};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::BdRe));
//! drive.clear_attentions()?;
//! drive.write(Lba::new(0), &[1; 32 * BLOCK_SIZE])?;
//! drive.synchronize_cache()?; // durable from here on
//! drive.write(Lba::new(64), &[2; 32 * BLOCK_SIZE])?;
//! assert_eq!(drive.buffered().len(), 1);
//!
//! drive.power_cut(|_| Fate::Unreadable)?; // while that write unit is being recorded
//! let disc = drive.disc().expect("it is still in the drive");
//! let mut block = [0; BLOCK_SIZE];
//! disc.read_blocks(Lba::new(31), &mut block)?;
//! assert_eq!(block, [1; BLOCK_SIZE]);
//! assert!(disc.read_blocks(Lba::new(64), &mut block).is_err());
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod ahead;
mod buffer;
mod cd_sector;
mod content;
mod disc;
mod emulator;
mod error;
mod execute;
mod faults;
mod flush;
mod kind;
mod media;
mod power;
mod profile;
mod profile_file;
mod profile_values;
mod respond;
mod room;
mod state;
mod state_bytes;
mod timing;
mod tracks;
mod working;

pub use disc::VirtualDisc;
pub use emulator::Emulator;
pub use error::DiscError;
pub use faults::{At, CommandFault, FaultPlan, Faults, PlannedFault, ReadFault, WriteFault};
pub use kind::MediumKind;
pub use power::Fate;
pub use profile::{
    DriveProfile, LateErrors, Mechanics, MediumSpeeds, PartialWrite, Replacement, SequentialHabits,
    WhenFull,
};
pub use profile_file::ProfileError;
pub use state::{Background, FormatState, MediumState, RecordingMode};
pub use tracks::{Track, TrackRecording, TrackState, TrackTable};

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
