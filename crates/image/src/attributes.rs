//! Owners, permissions and times of files on the host, and files that are not regular.

use std::io;
use std::path::Path;

use reburn_tree::{Kind, Metadata};

use crate::ExtractOptions;

/// Sets owner, permissions and times of a file or folder, in the order in which none undoes
/// another.
#[cfg(unix)]
pub(crate) fn set_attributes(
    path: &Path,
    metadata: &Metadata,
    options: ExtractOptions,
) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if options.owners {
        std::os::unix::fs::lchown(path, Some(metadata.uid), Some(metadata.gid))?;
    }
    let permissions = std::fs::Permissions::from_mode(u32::from(metadata.permissions));
    std::fs::set_permissions(path, permissions)?;
    set_times(path, metadata)
}

/// Sets owner and times of a symbolic link itself; its permissions mean nothing.
#[cfg(unix)]
pub(crate) fn set_link_attributes(
    path: &Path,
    metadata: &Metadata,
    options: ExtractOptions,
) -> io::Result<()> {
    if options.owners {
        std::os::unix::fs::lchown(path, Some(metadata.uid), Some(metadata.gid))?;
    }
    set_times(path, metadata)
}

#[cfg(unix)]
fn set_times(path: &Path, metadata: &Metadata) -> io::Result<()> {
    use reburn_tree::Timestamp;
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
    let spec = |time: Timestamp| Timespec {
        tv_sec: time.seconds(),
        tv_nsec: (time.subsec_micros() * 1000).into(),
    };
    let last_modification = spec(metadata.modified);
    let last_access = metadata.accessed.map_or(last_modification, spec);
    let times = Timestamps {
        last_access,
        last_modification,
    };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Makes a symbolic link, pipe or device; `false` if the host does not let this user.
#[cfg(unix)]
pub(crate) fn make_special(path: &Path, kind: Kind<'_>) -> io::Result<bool> {
    use crate::host_file::host_name;
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    let owner_only = Mode::RUSR | Mode::WUSR;
    let made = match kind {
        Kind::Symlink(target) => {
            return std::os::unix::fs::symlink(host_name(target), path).map(|()| true);
        }
        Kind::Fifo => mknodat(CWD, path, FileType::Fifo, owner_only, 0),
        Kind::Socket => mknodat(CWD, path, FileType::Socket, owner_only, 0),
        Kind::CharDevice { major, minor } => mknodat(
            CWD,
            path,
            FileType::CharacterDevice,
            owner_only,
            makedev(major, minor),
        ),
        Kind::BlockDevice { major, minor } => mknodat(
            CWD,
            path,
            FileType::BlockDevice,
            owner_only,
            makedev(major, minor),
        ),
        Kind::Directory | Kind::File { .. } => return Ok(false),
    };
    match made {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::PERM) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
pub(crate) fn set_attributes(
    path: &Path,
    metadata: &Metadata,
    _: ExtractOptions,
) -> io::Result<()> {
    use std::time::{Duration, SystemTime};
    let Ok(seconds) = u64::try_from(metadata.modified.seconds()) else {
        return Ok(());
    };
    let Ok(file) = std::fs::File::options().write(true).open(path) else {
        return Ok(());
    };
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(not(unix))]
pub(crate) fn set_link_attributes(_: &Path, _: &Metadata, _: ExtractOptions) -> io::Result<()> {
    Ok(())
}

/// There are no special files here.
#[cfg(not(unix))]
pub(crate) fn make_special(_: &Path, _: Kind<'_>) -> io::Result<bool> {
    Ok(false)
}
