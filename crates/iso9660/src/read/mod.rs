//! Reading a volume: from its descriptors to a tree whose files point at their blocks.
//!
//! Lenient where kernels are lenient: names, versions, missing records of a directory for
//! itself, big-endian halves. Strict where the tree would be wrong. What was mended or left out
//! is said in [`Note`]s.
//!
//! Invariants: directories are read in ascending order of address, each block once; nothing is
//! allocated from a count on disc, only from records that are present, and these count once;
//! nothing recurses.

mod area;
mod batch;
mod boot;
mod directory;
mod disc;
#[cfg(test)]
mod fixture;
mod head;
mod import;
mod name;
mod note;
mod section;
mod system_use;
#[cfg(test)]
mod tests;
mod tree;
mod volume;
mod walk;

use std::fmt;

pub use head::{change_volume_space, primary_descriptor};
pub(crate) use name::{append_name, append_ucs2, mend};
pub use note::{Note, NoteKind};
pub use tree::ImportedTree;
pub use volume::Volume;

/// One of the directory trees that a volume can have over the same files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hierarchy {
    /// The primary tree with POSIX names and attributes (RRIP).
    RockRidge,
    /// The tree with names in UCS-2.
    Joliet,
    /// The tree of ISO 9660:1999, with long names.
    Enhanced,
    /// The primary tree, as ECMA-119 has it.
    Plain,
}

/// `Rock Ridge`, `Joliet`, `ISO 9660:1999` or `ISO 9660`.
impl fmt::Display for Hierarchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RockRidge => "Rock Ridge",
            Self::Joliet => "Joliet",
            Self::Enhanced => "ISO 9660:1999",
            Self::Plain => "ISO 9660",
        })
    }
}

/// The recognition sequence of a UDF file system on the same disc (ECMA-167 3/9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nsr {
    /// UDF up to 1.50.
    Nsr02,
    /// UDF from 2.00 on.
    Nsr03,
}
