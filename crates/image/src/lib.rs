//! File system images: build or import a tree, change it, and get the whole disc as it shall
//! be, with the exact list of blocks that differ from the disc as it is.
//!
//! [`FileSystemImage`] is the tree with its options; [`ResultImage`] the disc, readable block
//! by block; [`ResultImage::modified_blocks`] what to record of it, in an order that never
//! loses the old tree before the new one is whole. [`Health`] says what of a disc is not whole,
//! and what to record so that it is again.
//!
//! ```
//! use bytes::Bytes;
//! use reburn_image::{FileSystemImage, ImportOptions, Medium, new_volume};
//! use reburn_blocks::BlockRead;
//! use reburn_tree::{Metadata, NewKind, Timestamp};
//!
//! // A disc with one file...
//! let time = Timestamp::from_seconds(1_700_000_000);
//! let mut image = FileSystemImage::new(Medium::DvdPlusRw, new_volume("ARCHIVE", time), time);
//! image.add(b"/a.txt", Metadata::file(), NewKind::Bytes(Bytes::from_static(b"old")))?;
//! let result = image.result()?;
//! let mut disc = vec![0; result.total_blocks().as_usize() * 2048];
//! result.read_blocks(reburn_blocks::Lba::ZERO, &mut disc)?;
//!
//! // ... gets another one.
//! let options = ImportOptions {
//!     medium: Medium::DvdPlusRw,
//!     hierarchy: None,
//!     time,
//!     accept_losses: false,
//!     append: None,
//! };
//! let mut image = FileSystemImage::import(&disc, &options)?;
//! image.add(b"/b.txt", Metadata::file(), NewKind::Bytes(Bytes::from_static(b"new")))?;
//! let modified = image.result()?.modified_blocks()?;
//! let ranges: Vec<String> = modified.ranges().map(|range| range.to_string()).collect();
//! assert_eq!(ranges, ["64-79", "16-31"]); // the new session, then the head
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod append;
mod attributes;
mod base;
mod bridge;
mod dvd_video;
mod error;
mod extract;
mod file_system_image;
mod file_systems;
mod fingerprint;
mod free_space;
mod fresh;
mod head_swap;
mod health;
mod host;
mod host_file;
mod in_place;
mod iso_options;
mod laws;
mod medium;
mod mirror_flip;
mod modified;
#[cfg(feature = "mutants")]
mod mutant;
mod new_blocks;
mod placement;
mod places;
mod result;
mod session;
mod session_append;
mod source;
mod sparing_fold;
mod sparing_redo;
#[cfg(test)]
mod tests;
#[cfg(not(feature = "mutants"))]
mod unbroken;
mod vat_append;
mod vds_flip;
mod view;
mod write_out;
mod xattr;

pub use base::{ImportNote, ImportOptions};
pub use error::{EntireImageRequired, ImageError};
pub use extract::{ExtractOptions, ExtractReport, extract};
pub use file_system_image::FileSystemImage;
pub use file_systems::{FileSystems, new_udf_volume};
pub use health::{CheckOptions, Finding, Health, Repair, Shown, ViewHealth};
pub use host::{Compare, HostOptions, HostReport};
pub use host_file::HostFileId;
pub use iso_options::new_volume;
pub use medium::Medium;
#[cfg(feature = "mutants")]
pub use mutant::Mutant;
pub use reburn_iso9660::IsoOptions;
pub use reburn_udf::{Session, UdfOptions, UdfRevision};
pub use result::ResultImage;
pub use session::Sessions;
pub use view::View;
pub use write_out::WriteOutError;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
