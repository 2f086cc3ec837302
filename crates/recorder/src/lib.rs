//! Records plans and whole images on the medium in a drive.
//!
//! A [`Plan`](reburn_blocks::Plan) names the blocks to record, in epochs. The [`Recorder`]
//! checks that the medium can take them and that the disc is the one the plan was made for,
//! sends each epoch in whole write units, makes it durable before the next one begins, and
//! reads back what it recorded. What happens is reported as [`Event`]s, and whoever receives
//! them can stop it. A recording that ends early is a [`Failure`], which says what is on the
//! disc then.
//!
//! Media whose blocks are recorded once take what follows the drive's next writable block, in one
//! stream; a plan for them says where it begins. Their tracks and sessions are closed as
//! [`Options`] say.
//!
//! This crate knows no file system: which blocks, in which order, and what an interruption can
//! leave behind, is all in the plan. It takes no clock either: waiting is left to the
//! [`Drive`](reburn_drive::Drive).
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use reburn_blocks::BLOCK_SIZE;
//! use reburn_drive::ImageFileDrive;
//! use reburn_recorder::{Event, Recorder};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("disc.img");
//! let mut drive = ImageFileDrive::create(&path)?;
//! let mut recorder = Recorder::new(&mut drive);
//! let image = vec![7u8; 100 * BLOCK_SIZE];
//! let mut until_half = |event| match event {
//!     Event::Recorded { done, total } if done.get() * 2 > total.get() => ControlFlow::Break(()),
//!     _ => ControlFlow::Continue(()),
//! };
//! let failure = recorder.record_image(&image, &mut until_half).unwrap_err();
//! assert_eq!(
//!     failure.to_string(),
//!     "cancelled; the disc holds up to 64 of 100 blocks of the image and shows nothing whole; \
//!      record the image again"
//! );
//!
//! let outcome = recorder.record_image(&image, &mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(outcome.to_string(), "recorded 100 blocks in 1 epoch, read 100 back");
//! # Ok(())
//! # }
//! ```
//!
//! Source: MMC-6 for the commands and their order.
#![forbid(unsafe_code)]

mod append;
mod blank;
mod checks;
mod close;
mod disc;
mod error;
mod event;
mod format;
mod frontier;
mod link;
mod medium;
mod options;
mod parameters;
mod recorder;
mod sequence;
mod state;
mod stream;
mod verify;
mod write;

pub use blank::BlankWay;
pub use error::{ErrorKind, Failure, RecordError};
pub use event::Event;
pub use format::FormatWay;
pub use medium::{Medium, inspect};
pub use options::{Close, FormatPolicy, Options, Verify};
pub use recorder::{Outcome, Recorder};
pub use sequence::{OpenTrack, Sequence};
pub use state::DiscState;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
