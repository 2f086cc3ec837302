//! Choices among a few words on the command line.

use clap::ValueEnum;

/// Kinds of UDF partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PartitionArg {
    /// Blocks are where they are
    Plain,
    /// Damaged packets are replaced by spare ones (1.50 to 2.01)
    Sparable,
    /// For write-once media: a table says where blocks are (from 1.50 on)
    Virtual,
    /// Entries and directories are in a file of their own, and that has a mirror (2.50 and 2.60)
    Metadata,
}

/// What other systems may do with a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AccessArg {
    /// Read it
    ReadOnly,
    /// Overwrite any block
    Overwritable,
    /// Overwrite any block, and the drive records it elsewhere (2.60)
    PseudoOverwritable,
}

/// Length of Joliet names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JolietArg {
    /// No Joliet tree
    Off,
    /// At most 64 characters, as the specification has it
    #[value(name = "64")]
    Strict,
    /// At most 103 characters, which the specification does not have but readers take
    #[value(name = "103")]
    Relaxed,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// With it
    On,
    /// Without it
    Off,
}

/// Interchange levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LevelArg {
    /// Names of 8 and 3 characters, files below 4 GiB
    #[value(name = "1")]
    One,
    /// Names of 31 characters, files below 4 GiB
    #[value(name = "2")]
    Two,
    /// Names of 31 characters, files of any size
    #[value(name = "3")]
    Three,
    /// Level 3 and an ISO 9660:1999 tree beside it
    #[value(name = "1999")]
    Enhanced,
}

/// What becomes of deep folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeepArg {
    /// Move them to a folder near the root
    Relocate,
    /// Leave them, as most readers take it
    InPlace,
}

/// Trees of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TreeArg {
    /// POSIX names and attributes
    RockRidge,
    /// Joliet names
    Joliet,
    /// ISO 9660:1999 names
    Enhanced,
    /// Names as ECMA-119 has them
    Plain,
    /// UDF
    Udf,
}

/// When a file counts as unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareArg {
    /// Same size and modification time
    Time,
    /// Same bytes
    Content,
}

/// What becomes of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CloseArg {
    /// It stays open, and what comes next goes on in it; few readers find it
    LeaveOpen,
    /// It is closed, and another one can follow
    Session,
    /// The disc is closed for good
    Finalise,
}

/// What to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyArg {
    /// Nothing
    None,
    /// Exactly the recorded blocks
    Recorded,
    /// The whole image
    Whole,
}
