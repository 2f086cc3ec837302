//! UDF 1.02 to 2.60 (ECMA-167 and the OSTA Universal Disk Format): records, reader and layouter.
//!
//! - [`Volume`] opens a session, says what is known of its volume, and reads it into a
//!   [`Tree`](reburn_tree::Tree) whose files point at their blocks on the disc.
//! - [`Layout`] works out how large entries and directories of a tree are; [`Layout::place`]
//!   gives them addresses, and [`Placed`] renders any block of them. Where file data goes is the
//!   caller's business. Partitions of every kind are written, with every access that goes with
//!   them: [`UdfOptions`] says which do.
//! - [`Update`] edits a volume with a metadata or sparable partition: what it does not change stays
//!   at its address and as it is, and at every moment readers see the old tree or the new one.
//! - [`records`] has the records as they stand on disc, and [`Inspector`] shows every structure
//!   of a volume with them, field by field and sound or not.
//!
//! Supported: logical blocks of 512 to 4096 bytes, partitions of every kind (plain, virtual,
//! sparable, metadata), strategies 4 and 4096, all forms of allocation. What has a second copy
//! is read from there when the first one is damaged, and a [`Note`] says so. Not supported, and
//! refused with the place on the disc: volumes on several discs, and transformed files.
//!
//! ```
//! use reburn_blocks::{BlockCount, ZeroBlocks};
//! use reburn_udf::{Session, UdfError, Volume};
//!
//! let blank = ZeroBlocks(BlockCount::new(1000));
//! let error = Volume::open(&blank, Session::default()).unwrap_err();
//! assert!(matches!(error, UdfError::Incompatible { .. }));
//! ```
#![forbid(unsafe_code)]

mod error;
mod inspect;
mod read;
pub mod records;
mod update;
mod write;

pub use error::{Corrupt, Incompatible, Place, UdfError};
pub use inspect::{Inspector, PathError, Show};
pub use read::{
    AccessType, EditObstacle, Entries, EntryAt, Flaw, FlawKind, ImportedTree, Integrity, Mend,
    MetadataStructures, NamedStream, Note, NoteKind, PartitionKind, PartitionView, Revision,
    Session, SparingStructures, Volume, VolumeStructures,
};
pub use update::{
    ChangedSequence, PlacedUpdate, Update, UpdateError, UpdateOptions, UpdatePlaces, UpdateRole,
    UpdateStructure, VolumeChange,
};
pub use write::{
    Access, Addresses, Arrangement, EXTENT_BLOCKS_MAX, EXTENT_BYTES_MAX, FileExtent, FilePlacement,
    Kept, Layout, LayoutError, MetadataFileAddresses, Placed, Region, RegionKind, RenderCache,
    SparingAddresses, Structure, StructureKind, UdfOptions, UdfRevision, UdfTexts,
    VirtualTableAddresses, VolumeSize, file_extents, probed_blocks, stays_in_place,
};

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
