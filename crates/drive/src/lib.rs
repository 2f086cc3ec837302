//! Drives: one command in, data or sense out.
//!
//! [`Drive`] is the boundary between what knows commands and what carries them out, be it a
//! device, an emulated drive or an [image file](ImageFileDrive). Over it, [`DriveExt`] offers
//! the commands as typed calls, and [`DriveReader`] makes the medium a source of blocks.
//!
//! ```
//! use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba};
//! use reburn_drive::{DriveExt, DriveReader, ImageFileDrive};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("disc.img");
//! let mut drive = ImageFileDrive::create(&path)?;
//! drive.write(Lba::new(2), &[7; BLOCK_SIZE])?;
//! drive.synchronize_cache()?; // everything written so far is durable
//!
//! let disc = DriveReader::new(drive)?;
//! assert_eq!(disc.block_count().get(), 3);
//! let mut block = [0; BLOCK_SIZE];
//! disc.read_blocks(Lba::new(2), &mut block)?;
//! assert_eq!(block, [7; BLOCK_SIZE]);
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_code)]

mod calls;
mod drive;
mod error;
mod ext;
mod image_file;
mod image_replies;
mod reader;
mod recording;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub mod sg_io;
pub mod software;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use drive::{Data, Drive, Reply, TransportError};
pub use error::CommandError;
pub use ext::DriveExt;
pub use image_file::ImageFileDrive;
pub use reader::DriveReader;
pub use recording::RecordingExt;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
