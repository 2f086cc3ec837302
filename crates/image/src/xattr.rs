//! Extended attributes of the host as named streams, and back.
//!
//! What users attach to a file, `user.NAME` on Linux, is the stream `NAME` on a disc. Other
//! attributes of the host belong to the host.

use std::io;
use std::path::Path;

#[cfg(unix)]
use rustix::fs::{XattrFlags, lgetxattr, llistxattr, lsetxattr};

/// What names of users' attributes begin with.
#[cfg(unix)]
const USER: &[u8] = b"user.";

/// Bytes of an attribute that are taken; kernels hold no more.
pub(crate) const VALUE_MAX: usize = 1 << 16;

/// The attributes of users on a file or folder, by name; none where the host has none.
#[cfg(unix)]
pub(crate) fn read(path: &Path) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    use rustix::io::Errno;
    let mut names = vec![0; VALUE_MAX];
    let len = match llistxattr(path, &mut names[..]) {
        Ok(len) => len,
        Err(Errno::NOTSUP | Errno::PERM) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for name in names[..len].split(|&byte| byte == 0) {
        let Some(short) = name.strip_prefix(USER).filter(|short| !short.is_empty()) else {
            continue;
        };
        let mut value = vec![0; VALUE_MAX];
        let len = lgetxattr(path, name, &mut value[..])?;
        value.truncate(len);
        found.push((short.to_vec(), value));
    }
    found.sort_unstable();
    Ok(found)
}

/// Attaches a value to a file or folder; `false` if the host has no room for such a thing.
#[cfg(unix)]
pub(crate) fn write(path: &Path, name: &[u8], value: &[u8]) -> io::Result<bool> {
    use rustix::io::Errno;
    let name = [USER, name].concat();
    match lsetxattr(path, &name[..], value, XattrFlags::empty()) {
        Ok(()) => Ok(true),
        Err(
            Errno::NOTSUP
            | Errno::PERM
            | Errno::NOSPC
            | Errno::TOOBIG
            | Errno::RANGE
            | Errno::INVAL,
        ) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
pub(crate) fn read(_: &Path) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    Ok(Vec::new())
}

#[cfg(not(unix))]
pub(crate) fn write(_: &Path, _: &[u8], _: &[u8]) -> io::Result<bool> {
    Ok(false)
}
