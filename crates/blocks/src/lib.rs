//! Blocks of optical discs: addresses, ranges, write units, sources and sinks of blocks,
//! and [`Plan`], the ordered list of blocks that brings a disc up to date.
//!
//! A *block* is 2048 bytes. A *write unit* is what a medium records (and loses) as a whole:
//! 1 block in a file, 16 on DVD, 32 on Blu-ray. An *epoch* is a run of modified blocks that
//! a recorder may reorder; between two epochs everything must be on the medium.
//!
//! This crate knows no file system and no drive. What knows file systems ends in a [`Plan`];
//! what knows drives begins with one.
//!
//! ```
//! use reburn_blocks::{BlockRange, BlockRangeList, Lba, WriteUnit};
//!
//! let changed: BlockRangeList =
//!     [BlockRange::new(Lba::new(37), Lba::new(40)).unwrap(), BlockRange::single(Lba::new(70))]
//!         .into_iter()
//!         .collect();
//! let recorded = changed.align_outward(WriteUnit::DVD);
//! assert_eq!(recorded.to_string(), "32-47 64-79");
//! assert_eq!(recorded.block_count().get(), 32);
//! ```
#![forbid(unsafe_code)]

mod appendable;
mod diff;
mod error;
mod extent_map;
mod file;
mod fingerprint;
mod io;
mod overlay;
mod plan;
mod plan_file;

pub mod positioned;
mod range;
mod range_list;
mod units;

pub use appendable::Appendable;
pub use diff::{differing_units, keep_differing_units};
pub use error::{ReadError, WriteError};
pub use extent_map::{ExtentMap, Piece};
pub use file::ImageFile;
pub use fingerprint::{Digest, Fingerprint, FingerprintPart, Mismatch};
pub use io::{BlockRead, BlockWrite, ZeroBlocks};
pub use overlay::Overlay;
pub use plan::{CrashClass, Epoch, EpochRole, ModifiedBlocks, Plan, Protocol};

pub use plan_file::{PlanFile, PlanFileError};
pub use range::BlockRange;
pub use range_list::BlockRangeList;
pub use units::{BLOCK_SIZE, BlockCount, ByteCount, Lba, WriteUnit};

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
