//! Reading a volume: from its anchor to a tree whose files point at their blocks.
//!
//! Lenient where kernels are lenient: names, times, missing recognition. Strict where the tree
//! would be wrong. What was mended, left out, or taken from a second copy is said in [`Note`]s.
//!
//! Invariants: each directory is read once, and no two share blocks; nothing is allocated from
//! a count on disc, only from records that are present, and these count once; nothing recurses.

mod anchor;
mod attributes;
mod base;
mod body;
mod content;
mod directory;
mod disc;
mod earlier_table;
mod entries;
mod entry;
mod health;
mod import;
mod integrity;
mod maps;
mod name;
mod note;
mod open;
mod options;
mod partitions;
mod raw;
mod sequence;
mod streams;
mod structures;
mod tables;
mod tree;
mod view;
mod volume;
mod walk;

use reburn_blocks::Lba;

pub(crate) use base::{Base, BaseDirectory, BaseEntry, BaseIdentifier};
pub(crate) use import::permissions as posix_permissions;

pub(crate) use entries::DirectoryRun;
pub use entries::{Entries, EntryAt};
pub use health::{Flaw, FlawKind, Mend};
pub use integrity::Integrity;
pub(crate) use name::mend;
pub use note::{Note, NoteKind};
pub(crate) use partitions::Address;
pub(crate) use raw::RawVolume;
pub use structures::{EditObstacle, MetadataStructures, SparingStructures, VolumeStructures};
pub use tree::{ImportedTree, NamedStream};
pub use view::{AccessType, PartitionKind, PartitionView, Revision};
pub use volume::Volume;

/// Which part of a disc is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Session {
    /// The first block of the session: 0 on a disc with one session.
    pub start: Lba,
    /// The last block that was recorded, where that is not the last one of the disc: that is
    /// where a virtual allocation table is looked for.
    pub last_recorded: Option<Lba>,
}
