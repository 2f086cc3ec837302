//! Laying out a volume: from a tree to descriptors, entries and directories.
//!
//! A [`Layout`] knows the size of everything but no address. [`Layout::place`] adds addresses:
//! those of the volume's structures, and those of file data, which the caller has put
//! somewhere. [`Placed`] then makes any block of the metadata when it is asked for, so that
//! no directory has to be in memory.
//!
//! Invariants: the same tree and options give the same bytes; sizes do not depend on
//! addresses; everything that can be refused is refused by [`Layout::new`].

// Sizes and addresses are checked where they come about; what casts here is bounded by them.
#![allow(clippy::cast_possible_truncation)]

mod addresses;
mod alone;
mod arrangement;
mod attributes;
mod descriptors;
mod directory;
mod emit;
mod entry;
mod error;
mod extents;
mod identifier;
mod inodes;
mod integrity;
mod kept;
mod layout;
mod metadata_file;
mod names;
mod options;
mod placed;
mod probes;
mod space;
mod sparing;
mod streams;
mod structures;
mod symlink;
mod system;
mod virtual_table;

pub(crate) use alone::{
    DirectoryPlace, EntryPlace, NewEntries, Over, PHYSICAL, StreamsAt, continuation, directory_ads,
    directory_flags, entry_ad, file_ad,
};
pub(crate) use directory::filler;
pub(crate) use emit::{developer, disc_time};
pub(crate) use entry::permissions as permission_bits;
pub(crate) use identifier::{Identifier, fid_len};
pub(crate) use names::{encoded_len, recorded_name};
pub(crate) use virtual_table::VirtualTable;

pub use addresses::{Addresses, MetadataFileAddresses, SparingAddresses, VirtualTableAddresses};
pub use arrangement::{Arrangement, VolumeSize};
pub use error::LayoutError;
pub use extents::{EXTENT_BLOCKS_MAX, EXTENT_BYTES_MAX, FileExtent, file_extents, stays_in_place};
pub use kept::Kept;
pub use layout::Layout;
pub use options::{Access, UdfOptions, UdfRevision, UdfTexts};
pub use placed::{FilePlacement, Placed, Region, RegionKind, RenderCache};
pub use probes::probed_blocks;
pub use structures::{Structure, StructureKind};
