//! ISO 9660 (ECMA-119) with Joliet and Rock Ridge: records, reader and layouter.
//!
//! - [`Volume`] opens a session, says which [`Hierarchy`]s it has, and reads one of them into a
//!   [`Tree`](reburn_tree::Tree) whose files point at their blocks on the disc.
//! - [`Layout`] works out how large descriptors, path tables and directories of a tree are;
//!   [`Layout::place`] gives them addresses, and [`Placed`] renders any block of them. Where
//!   file data goes is the caller's business.
//! - [`records`] has the records as they stand on disc, [`susp`] a cursor over the entries of
//!   Rock Ridge, and [`Inspector`] shows every structure of a volume with them, field by field
//!   and sound or not.
//!
//! Supported: interchange levels 1 to 3, files of several sections, the enhanced descriptor of
//! ISO 9660:1999, Joliet with 64 and with 103 characters, Rock Ridge 1.12. An El Torito boot
//! catalog and a UDF bridge are noticed, not written. Not supported, and refused with the place
//! on the disc: interleaved files, sets of several volumes, logical blocks other than 2048.
//!
//! ```
//! use bytes::Bytes;
//! use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
//! use reburn_iso9660::{Hierarchy, IsoOptions, Layout, RenderCache, Volume};
//! use reburn_tree::{InodeId, Metadata, NewKind, Tree};
//!
//! let mut tree = Tree::new(Metadata::directory());
//! let text = NewKind::Bytes(Bytes::from_static(b"hello"));
//! tree.add(Tree::ROOT, b"Read me first.txt", Metadata::file(), text)?;
//!
//! // Descriptors, then path tables and directories, then one block of file data.
//! let layout = Layout::new(&tree, &IsoOptions::default())?;
//! let descriptors_start = Layout::descriptors_start(Lba::ZERO);
//! let metadata_start = descriptors_start + layout.descriptor_blocks();
//! let data_start = metadata_start + layout.metadata_blocks();
//! let end = BlockCount::new(data_start.get() + 1);
//!
//! let files = |_: InodeId, _: usize| data_start;
//! let placed = layout.place(&tree, metadata_start, &files);
//! let mut metadata = vec![0; layout.metadata_blocks().as_usize() * BLOCK_SIZE];
//! placed.read_metadata(metadata_start, &mut metadata, &mut RenderCache::default());
//!
//! let mut disc = vec![0; descriptors_start.get() as usize * BLOCK_SIZE];
//! disc.extend(placed.descriptors(end, &[0; 512]));
//! disc.extend(metadata);
//! disc.extend(b"hello");
//! disc.resize(end.as_usize() * BLOCK_SIZE, 0);
//!
//! let volume = Volume::open(&disc, Lba::ZERO)?;
//! assert_eq!(volume.best(), Hierarchy::RockRidge);
//! let read = volume.read_tree(&disc, volume.best())?;
//! assert!(read.tree.lookup(b"/Read me first.txt").is_some());
//! let plain = volume.read_tree(&disc, Hierarchy::Plain)?;
//! assert!(plain.tree.lookup(b"/READ_ME_FIRST.TXT").is_some());
//! assert_eq!(read.data_ranges, plain.data_ranges);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod inspect;
mod names;
mod read;
pub mod records;
pub mod susp;
mod write;

pub use error::{Corrupt, Incompatible, IsoError, Place};
pub use inspect::{Inspector, PathError, Show};
pub use read::{
    Hierarchy, ImportedTree, Note, NoteKind, Nsr, Volume, change_volume_space, primary_descriptor,
};
pub use write::{
    DeepDirectories, FilePlacement, IsoOptions, Joliet, Layout, LayoutError, Level, PathTable,
    Placed, Region, RegionKind, RenderCache, SECTION_BLOCKS_MAX, SECTION_BYTES_MAX, VolumeDates,
    VolumeTexts, section_lengths,
};

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
