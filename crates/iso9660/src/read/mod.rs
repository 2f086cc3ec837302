//! Reading a volume.

use std::fmt;

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
