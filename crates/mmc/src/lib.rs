//! The commands of optical drives, their replies, features, profiles, mode pages and sense,
//! typed in both directions: what speaks to a drive and what plays one use the same types.
//!
//! A [`Command`] becomes a [`Cdb`] of up to 16 bytes and comes back from one. A reply is a
//! struct that is encoded by a drive and decoded by its host. A refusal is a [`Sense`].
//!
//! Decoding never panics. What it does not know survives: an unknown operation code is
//! [`Command::Unknown`], an unknown feature [`Feature::Unknown`](reply::Feature::Unknown). A
//! command with a field that no drive accepts decodes to the very sense a drive refuses it
//! with.
//!
//! Addresses of blocks are [`Lba`](reburn_blocks::Lba)s; where a CD has sectors before block 0,
//! commands carry a [`SectorAddress`].
//!
//! Source: MMC-6 (Multi-Media Commands), SPC-3 for the commands shared with other devices.
//!
//! ```
//! use reburn_blocks::Lba;
//! use reburn_mmc::command::{Command, Read10};
//! use reburn_mmc::{Cdb, Sense};
//!
//! let read = Command::from(Read10 { lba: Lba::new(16), blocks: 32, force_unit_access: false });
//! let cdb: Cdb = read.encode();
//! assert_eq!(cdb.as_bytes(), [0x28, 0, 0, 0, 0, 16, 0, 0, 32, 0]);
//! assert_eq!(Command::decode(cdb.as_bytes()), Ok(read));
//!
//! let sense = Sense::decode(&Sense::LBA_OUT_OF_RANGE.encode())?;
//! let sentence = "illegal request: logical block address out of range (5/21/00)";
//! assert_eq!(sense.to_string(), sentence);
//! # Ok::<(), reburn_mmc::DecodeError>(())
//! ```
#![forbid(unsafe_code)]

mod address;
mod bytes;
mod cdb;
pub mod command;
mod error;
mod profile;
pub mod reply;
mod sense;
mod sense_table;
mod speed;

pub use address::{Msf, SectorAddress};
pub use cdb::Cdb;
pub use command::Command;
pub use error::DecodeError;
pub use profile::Profile;
pub use sense::{Sense, SenseKey};
pub use speed::Speed;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
