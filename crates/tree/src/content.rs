//! Where the bytes of a file come from.
//!
//! In the tree a source takes 16 bytes: host paths share their folders, extents and bytes stand
//! in side tables.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::Extent;
use crate::tree::NameRef;

/// A source of bytes that the caller brings along.
pub trait ContentRead: std::fmt::Debug + Send + Sync {
    /// Length in bytes; it must not change.
    fn byte_len(&self) -> u64;
    /// Fills `buf` from `offset` on.
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()>;
}

/// A folder on the host that files are taken from. Its path is stored once for all its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostDir(pub(crate) u32);

/// A file on the host, by folder and name.
#[derive(Debug, Clone, Copy)]
pub struct HostPath<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) names: &'a [u8],
    pub(crate) dir: HostDir,
    pub(crate) name: NameRef,
}

impl HostPath<'_> {
    /// The path as the host takes it.
    pub fn to_path(&self) -> PathBuf {
        self.sources.host_dirs[self.dir.0 as usize].join(os_name(self.name.of(self.names)))
    }

    /// The folder that the file is in.
    pub fn dir(&self) -> HostDir {
        self.dir
    }
}

/// Where a file's bytes are.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// In memory.
    Bytes(&'a Bytes),
    /// In a file on the host.
    Host(HostPath<'a>),
    /// On the base disc, in this order.
    Base(&'a [Extent]),
    /// At a source that the caller brought.
    Custom(&'a Arc<dyn ContentRead>),
}

/// A file, folder or special file to be added to a tree.
#[derive(Debug, Clone)]
pub enum NewKind {
    /// A folder, empty at first.
    Directory,
    /// A file whose bytes are in memory.
    Bytes(Bytes),
    /// A file on the host.
    Host {
        /// Its folder, from [`crate::Tree::add_host_dir`].
        dir: HostDir,
        /// Its name there.
        name: OsString,
        /// Its length in bytes.
        size: u64,
    },
    /// A file on the base disc.
    Base(Vec<Extent>),
    /// A file whose bytes the caller brings.
    Custom(Arc<dyn ContentRead>),
    /// A symbolic link to this path.
    Symlink(Vec<u8>),
    /// A character device.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// A local socket.
    Socket,
}

/// The side tables.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) bytes: Vec<Bytes>,
    pub(crate) extents: Vec<Extent>,
    pub(crate) custom: Vec<Arc<dyn ContentRead>>,
    pub(crate) host_dirs: Vec<PathBuf>,
}

/// A source as it stands in an inode.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SourceRef {
    Bytes(u32),
    Host(HostDir, NameRef),
    /// First extent and how many.
    Base(u32, u32),
    Custom(u32),
}

/// A host's file name as bytes. On Unix these are the name's own bytes.
#[cfg(unix)]
pub(crate) fn name_bytes(name: &OsStr) -> std::borrow::Cow<'_, [u8]> {
    std::os::unix::ffi::OsStrExt::as_bytes(name).into()
}

#[cfg(not(unix))]
pub(crate) fn name_bytes(name: &OsStr) -> std::borrow::Cow<'_, [u8]> {
    name.to_string_lossy().into_owned().into_bytes().into()
}

/// The inverse of [`name_bytes`].
#[cfg(unix)]
fn os_name(name: &[u8]) -> OsString {
    <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name).to_owned()
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> OsString {
    String::from_utf8_lossy(name).into_owned().into()
}
