//! ISO 9660 (ECMA-119) with Joliet and Rock Ridge: records, reader and layouter.
#![forbid(unsafe_code)]

mod error;
mod names;
mod read;
pub mod records;
pub mod susp;
mod write;

pub use error::{Corrupt, Incompatible, IsoError, Place};
pub use read::{Hierarchy, ImportedTree, Note, NoteKind, Nsr, Volume};
pub use write::{
    DeepDirectories, FilePlacement, IsoOptions, Joliet, Layout, LayoutError, Level, PathTable,
    Placed, Region, RegionKind, RenderCache, SECTION_BLOCKS_MAX, SECTION_BYTES_MAX, VolumeDates,
    VolumeTexts, section_lengths,
};
