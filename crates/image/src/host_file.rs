//! One file of the host as the tree sees it, on every system.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;

use reburn_tree::{HostDir, Metadata, NewKind, Timestamp};

use crate::{HostOptions, ImageError};

/// What makes a file of the host the same under several names: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HostFileId {
    device: u64,
    inode: u64,
}

impl HostFileId {
    /// The file at a path; `None` if there is none, or the host does not tell files apart.
    pub fn of(path: &Path) -> Option<Self> {
        let entry = HostEntry::read(path).ok()?;
        (entry.key != Self::UNKNOWN).then_some(entry.key)
    }

    const UNKNOWN: Self = Self {
        device: 0,
        inode: 0,
    };
}

/// What a file of the host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostKind {
    Directory,
    /// Length in bytes.
    File(u64),
    /// Target.
    Symlink(Vec<u8>),
    /// Major and minor number.
    CharDevice((u32, u32)),
    /// Major and minor number.
    BlockDevice((u32, u32)),
    Fifo,
    Socket,
}

/// A file of the host.
#[derive(Debug)]
pub(crate) struct HostEntry {
    pub(crate) kind: HostKind,
    pub(crate) key: HostFileId,
    metadata: Metadata,
    names: u64,
}

impl HostEntry {
    /// Looks at one file; a symbolic link at the end of `path` is followed.
    pub(crate) fn read(path: &Path) -> Result<Self, ImageError> {
        let error = |source| ImageError::Host {
            path: path.to_owned(),
            source,
        };
        Self::new(path, &fs::metadata(path).map_err(error)?).map_err(error)
    }

    /// Looks at everything in a folder, in the order of the names' bytes.
    pub(crate) fn read_folder(path: &Path) -> Result<Vec<(OsString, Self)>, ImageError> {
        let error = |source| ImageError::Host {
            path: path.to_owned(),
            source,
        };
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(error)? {
            let entry = entry.map_err(error)?;
            let read = || Self::new(&entry.path(), &entry.metadata()?);
            let found = read().map_err(|source| ImageError::Host {
                path: entry.path(),
                source,
            })?;
            entries.push((entry.file_name(), found));
        }
        entries.sort_unstable_by(|(a, _), (b, _)| name_bytes(a).cmp(&name_bytes(b)));
        Ok(entries)
    }

    /// Permissions, owner and times, as far as they are wanted.
    pub(crate) fn metadata(&self, options: HostOptions) -> Metadata {
        let not_after = |time: Timestamp| options.latest.map_or(time, |latest| time.min(latest));
        let wanted = |time: Option<Timestamp>| time.filter(|_| options.all_times).map(not_after);
        let found = &self.metadata;
        Metadata {
            modified: not_after(found.modified),
            accessed: wanted(found.accessed),
            changed: wanted(found.changed),
            created: wanted(found.created),
            ..*found
        }
    }

    /// The key, if the file has more than one name.
    pub(crate) fn link_key(&self) -> Option<HostFileId> {
        (self.names > 1 && self.kind != HostKind::Directory).then_some(self.key)
    }

    /// The same for a tree.
    pub(crate) fn to_new(&self, dir: HostDir, name: &OsStr) -> NewKind {
        match &self.kind {
            HostKind::Directory => NewKind::Directory,
            HostKind::File(size) => NewKind::Host {
                dir,
                name: name.to_owned(),
                size: *size,
            },
            HostKind::Symlink(target) => NewKind::Symlink(target.clone()),
            HostKind::CharDevice((major, minor)) => NewKind::CharDevice {
                major: *major,
                minor: *minor,
            },
            HostKind::BlockDevice((major, minor)) => NewKind::BlockDevice {
                major: *major,
                minor: *minor,
            },
            HostKind::Fifo => NewKind::Fifo,
            HostKind::Socket => NewKind::Socket,
        }
    }

    #[cfg(unix)]
    fn new(path: &Path, found: &fs::Metadata) -> io::Result<Self> {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        let file_type = found.file_type();
        let kind = if file_type.is_dir() {
            HostKind::Directory
        } else if file_type.is_file() {
            HostKind::File(found.len())
        } else if file_type.is_symlink() {
            HostKind::Symlink(name_bytes(fs::read_link(path)?.as_os_str()).into_owned())
        } else if file_type.is_char_device() {
            HostKind::CharDevice(device_numbers(found.rdev()))
        } else if file_type.is_block_device() {
            HostKind::BlockDevice(device_numbers(found.rdev()))
        } else if file_type.is_fifo() {
            HostKind::Fifo
        } else {
            HostKind::Socket
        };
        let time = |seconds: i64, nanoseconds: i64| {
            Timestamp::from_micros(seconds.saturating_mul(1_000_000) + nanoseconds / 1000)
        };
        let permissions = u16::try_from(found.mode() & 0o7777).expect("twelve bits");
        let metadata = Metadata {
            uid: found.uid(),
            gid: found.gid(),
            accessed: Some(time(found.atime(), found.atime_nsec())),
            changed: Some(time(found.ctime(), found.ctime_nsec())),
            created: found.created().ok().map(Timestamp::from),
            ..Metadata::with_permissions(permissions)
                .modified_at(time(found.mtime(), found.mtime_nsec()))
        };
        let key = HostFileId {
            device: found.dev(),
            inode: found.ino(),
        };
        Ok(Self {
            kind,
            key,
            metadata,
            names: found.nlink(),
        })
    }

    #[cfg(not(unix))]
    fn new(path: &Path, found: &fs::Metadata) -> io::Result<Self> {
        let (kind, metadata) = if found.is_dir() {
            (HostKind::Directory, Metadata::directory())
        } else if found.is_symlink() {
            let target = name_bytes(fs::read_link(path)?.as_os_str()).into_owned();
            (HostKind::Symlink(target), Metadata::with_permissions(0o777))
        } else {
            (HostKind::File(found.len()), Metadata::file())
        };
        let metadata = metadata.modified_at(Timestamp::from(found.modified()?));
        Ok(Self {
            kind,
            key: HostFileId::UNKNOWN,
            metadata,
            names: 1,
        })
    }
}

/// Major and minor number of a device, as Linux packs them into 64 bits.
#[cfg(unix)]
fn device_numbers(device: u64) -> (u32, u32) {
    let major = (device >> 8 & 0xfff) | (device >> 32 & 0xffff_f000);
    let minor = (device & 0xff) | (device >> 12 & 0xffff_ff00);
    let low = |number: u64| u32::try_from(number & 0xffff_ffff).expect("32 bits");
    (low(major), low(minor))
}

/// A name as bytes, as the tree keeps them.
#[cfg(unix)]
pub(crate) fn name_bytes(name: &OsStr) -> Cow<'_, [u8]> {
    std::os::unix::ffi::OsStrExt::as_bytes(name).into()
}

/// A name of the tree as the host takes it.
#[cfg(unix)]
pub(crate) fn host_name(name: &[u8]) -> OsString {
    <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name).to_owned()
}

#[cfg(not(unix))]
pub(crate) fn name_bytes(name: &OsStr) -> Cow<'_, [u8]> {
    name.to_string_lossy().into_owned().into_bytes().into()
}

#[cfg(not(unix))]
pub(crate) fn host_name(name: &[u8]) -> OsString {
    String::from_utf8_lossy(name).into_owned().into()
}
