//! Files and folders as they shall be on a disc: a compact tree in memory.
//!
//! A [`Tree`] holds names and metadata; of a file's content it knows only where the bytes come
//! from: a file on the host, bytes in memory, or extents of the base disc. A name
//! ([`NodeId`]) and the file behind it ([`InodeId`]) are apart, so that hard links share one
//! file. A million nodes cost about 120 bytes each plus their names.
//!
//! ```
//! use bytes::Bytes;
//! use reburn_tree::{Metadata, NewKind, Tree};
//!
//! let mut tree = Tree::new(Metadata::directory());
//! let docs = tree.add(Tree::ROOT, b"docs", Metadata::directory(), NewKind::Directory)?;
//! let text = NewKind::Bytes(Bytes::from_static(b"hello"));
//! let file = tree.add(docs, b"a.txt", Metadata::file(), text)?;
//! assert_eq!(tree.path(file), b"/docs/a.txt");
//!
//! let before = tree.change_point();
//! tree.rename(file, Tree::ROOT, b"b.txt")?;
//! tree.roll_back(before)?;
//! assert_eq!(tree.lookup(b"/docs/a.txt"), Some(file));
//! # Ok::<(), reburn_tree::TreeError>(())
//! ```
#![forbid(unsafe_code)]

mod change;
mod content;
mod error;
mod extents;
mod history;
mod metadata;
mod streams;
#[cfg(test)]
mod tests;
mod timestamp;
mod tree;
mod walk;

pub use content::{Content, ContentRead, HostDir, HostPath, NewKind};
pub use error::TreeError;
pub use extents::{Extent, read_extents};
pub use history::{ChangePoint, Changes};
pub use metadata::Metadata;
pub use streams::Attribute;
pub use timestamp::{CivilTime, Timestamp};
pub use tree::{InodeId, Kind, NodeId, Tree};
pub use walk::Walk;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
