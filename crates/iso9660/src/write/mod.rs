//! Laying out a volume: from a tree to descriptors, path tables and directories.
//!
//! A [`Layout`] knows the size of everything but no address. [`Layout::place`] adds addresses:
//! those of the metadata, which are one run, and those of file data, which the caller has put
//! somewhere. [`Placed`] then makes any block of the metadata when it is asked for, so that
//! no directory has to be in memory.
//!
//! Invariants: the same tree and options give the same bytes; sizes do not depend on
//! addresses; everything that can be refused is refused by [`Layout::new`].

// Sizes and addresses are checked where they come about; what casts here is bounded by them.
#![allow(clippy::cast_possible_truncation)]

mod descriptors;
mod directory;
mod error;
mod hierarchy;
mod layout;
mod listing;
mod options;
mod path_table;
mod placed;
mod progress;
mod relocation;
mod sections;
mod system_use;
mod window;

pub use error::LayoutError;
pub use layout::Layout;
pub use options::{DeepDirectories, IsoOptions, Joliet, Level, VolumeDates, VolumeTexts};
pub use path_table::PathTable;
pub use placed::{FilePlacement, Placed, Region, RegionKind, RenderCache};
pub use sections::{SECTION_BLOCKS_MAX, SECTION_BYTES_MAX, section_lengths};
