//! What can go wrong when blocks are read or written.

use std::io;

use crate::{BlockCount, BlockRange, Lba};

/// Why blocks could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The blocks lie past the end of the source.
    #[error("blocks {range} lie past the end: only {available} blocks exist")]
    OutOfRange {
        /// The blocks asked for.
        range: BlockRange,
        /// How many blocks the source has.
        available: BlockCount,
    },
    /// The medium or its drive could not deliver a block.
    #[error("block {lba} cannot be read: {reason}")]
    Unreadable {
        /// The first block that failed.
        lba: Lba,
        /// What the drive said.
        reason: String,
    },
    /// The host's file system failed.
    #[error("block {lba} cannot be read: {source}")]
    Io {
        /// The first block of the failed transfer.
        lba: Lba,
        /// The host's error.
        source: io::Error,
    },
    /// The source of a file's content failed or changed.
    #[error("{what}: {reason}")]
    Content {
        /// The file, as its user named it.
        what: String,
        /// What happened and what to do.
        reason: String,
    },
}

/// Why blocks could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The blocks lie past the end of what can be written.
    #[error("blocks {range} lie past the end: only {available} blocks can be written")]
    OutOfRange {
        /// The blocks to be written.
        range: BlockRange,
        /// How many blocks the sink has.
        available: BlockCount,
    },
    /// The host's file system failed.
    #[error("block {lba} cannot be written: {source}")]
    Io {
        /// The first block of the failed transfer.
        lba: Lba,
        /// The host's error.
        source: io::Error,
    },
}
