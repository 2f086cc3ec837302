//! What can be wrong with the file of a virtual disc.

use std::io;
use std::path::PathBuf;

/// Why a virtual disc cannot be created or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscError {
    /// The host's file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The host's error.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{}: this file is not a virtual disc; create one first, under another name",
        path.display())]
    NotADisc {
        /// The file.
        path: PathBuf,
    },
    /// The file was made by a later version.
    #[error("{}: this virtual disc has version {version}; only version {known} is known here",
        path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The version that is known.
        known: u32,
    },
    /// The file's header contradicts itself or the file.
    #[error("{}: this virtual disc is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the values.
        what: String,
    },
    /// Another process has the disc.
    #[error("{}: this virtual disc is in use by another process; take it out there first",
        path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A disc that records into its file cannot be copied, because the file would change under
    /// the copy.
    #[error(
        "a virtual disc that records into its file cannot be copied; open it as a scratch disc"
    )]
    NotShareable,
}
