//! Cuts the power everywhere while a plan is recorded, and says what readers make of the disc.
//!
//! A [`Trace`] is what a drive was really told: writes between barriers. From it the [`Explorer`]
//! makes every state that the fault model allows: since the last barrier any writes may be missing,
//! and one write unit may be torn. What each shows is compared with the old tree and the new one,
//! names, metadata and contents, and with what the plan's class promises.
//!
//! A reader is deterministic, so what it shows depends only on the answers to its reads. These are
//! kept as a tree of decisions, and a state that leads along known ones needs no reader. That is
//! how a million states are visited in a minute.
//!
//! The fault model is that of optical drives: a drive holds writes back until SYNCHRONIZE CACHE,
//! in any order; the write unit in flight is old, new, unreadable, or any mixture whose first
//! sectors are new. A drive that confirms what it did not do is outside of it.
//!
//! ```
//! use bytes::Bytes;
//! use reburn_image::{FileSystemImage, ImportOptions, Medium, new_volume};
//! use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba};
//! use reburn_rehearse::{Explorer, Options};
//! use reburn_tree::{Metadata, NewKind, Timestamp};
//!
//! // A disc with one file gets another.
//! let time = Timestamp::from_seconds(1_700_000_000);
//! let mut image = FileSystemImage::new(Medium::DvdPlusRw, new_volume("ARCHIVE", time), time);
//! image.add(b"/a", Metadata::file(), NewKind::Bytes(Bytes::from_static(b"old")))?;
//! let result = image.result()?;
//! let mut disc = vec![0; result.total_blocks().as_usize() * BLOCK_SIZE];
//! result.read_blocks(Lba::ZERO, &mut disc)?;
//! disc.resize(512 * BLOCK_SIZE, 0);
//! let options = ImportOptions {
//!     medium: Medium::DvdPlusRw,
//!     hierarchy: None,
//!     time,
//!     accept_losses: false,
//!     append: None,
//! };
//! let mut image = FileSystemImage::import(&disc, &options)?;
//! image.add(b"/b", Metadata::file(), NewKind::Bytes(Bytes::from_static(b"new")))?;
//! let result = image.result()?;
//!
//! let mut explorer = Explorer::new(&disc, &result.plan()?, &result, Options::default())?;
//! let report = explorer.run();
//! assert_eq!(report.violations, []);
//! assert_eq!(report.cost.barriers, 2);
//! // The one write unit of block 16 can be torn; nothing else can be lost.
//! assert!(report.old > 0 && report.new > 0 && report.refused > 0 && report.other == 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod content;
mod cuts;
mod disc;
mod error;
mod explorer;
mod judge;
mod proof;
mod repair;
mod report;
mod seen;
mod trace;
mod trace_drive;
mod trie;
mod units;

pub use content::{Content, CrashState};
pub use disc::CrashDisc;
pub use error::RehearseError;
pub use explorer::{Explorer, Options};
pub use repair::{Repair, RepairFn, mend};
pub use report::{Breach, Cost, DistinctState, Proof, Report, Verdict, Violation};
pub use trace::{Trace, TraceEpoch, UnitWrite};
pub use trace_drive::TraceDrive;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
