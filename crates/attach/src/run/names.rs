//! What a path in a system call names: the drive, a descriptor of some process, or anything
//! else.
//!
//! Paths are compared as text, with `.` and `..` resolved; symbolic links are not followed, for
//! the device that one could lead to does not exist outside.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The drive.
    Device,
    /// What a process has open under a number: `/dev/fd/3`, `/proc/1234/fd/3`.
    Descriptor {
        /// The process, or the thread that asks.
        process: u32,
        /// The number.
        file: i32,
    },
    /// Nothing of interest.
    Other,
}

/// What `path` names for a thread, relative to the directory that it has open under
/// `directory`, or works in.
pub fn look_up(device: &Path, thread: u32, directory: i32, path: &[u8]) -> Named {
    let path = Path::new(OsStr::from_bytes(path));
    if path.is_absolute() {
        return named(device, thread, &normal(path));
    }
    // Most relative paths are told apart by their last part, without a look at the process.
    if path.file_name().is_none() || path.file_name() != device.file_name() {
        return Named::Other;
    }
    let link = if directory == libc::AT_FDCWD {
        format!("/proc/{thread}/cwd")
    } else {
        format!("/proc/{thread}/fd/{directory}")
    };
    match std::fs::read_link(link) {
        Ok(start) => named(device, thread, &normal(&start.join(path))),
        Err(_) => Named::Other,
    }
}

fn named(device: &Path, thread: u32, path: &Path) -> Named {
    if path == device {
        return Named::Device;
    }
    let mut parts = path
        .components()
        .skip(1)
        .map(|part| part.as_os_str().as_bytes());
    let (first, second) = (parts.next(), parts.next());
    let (third, fourth) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return Named::Other;
    }
    let (process, file) = match (first, second, third, fourth) {
        (Some(b"dev"), Some(b"stdin"), None, None) => (Some(thread), Some(0)),
        (Some(b"dev"), Some(b"stdout"), None, None) => (Some(thread), Some(1)),
        (Some(b"dev"), Some(b"stderr"), None, None) => (Some(thread), Some(2)),
        (Some(b"dev"), Some(b"fd"), Some(file), None) => (Some(thread), number(file)),
        (Some(b"proc"), Some(b"self" | b"thread-self"), Some(b"fd"), Some(file)) => {
            (Some(thread), number(file))
        }
        (Some(b"proc"), Some(process), Some(b"fd"), Some(file)) => (number(process), number(file)),
        _ => (None, None),
    };
    match (process, file) {
        (Some(process), Some(file)) => Named::Descriptor { process, file },
        _ => Named::Other,
    }
}

fn number<N: std::str::FromStr>(digits: &[u8]) -> Option<N> {
    let digits = str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// The path without `.`, `..` and doubled separators.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => {
                normal.pop();
            }
            _ => {}
        }
    }
    normal
}

/// The number in `pipe:[number]`, which is what the link of a descriptor says of a pipe.
pub fn pipe_behind(process: u32, file: i32) -> Option<u64> {
    let link = std::fs::read_link(format!("/proc/{process}/fd/{file}")).ok()?;
    let text = link.into_os_string().into_vec();
    let digits = text.strip_prefix(b"pipe:[")?.strip_suffix(b"]")?;
    number(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Named {
        look_up(Path::new("/dev/sr0"), 7, libc::AT_FDCWD, path.as_bytes())
    }

    #[test]
    fn the_device_has_many_spellings() {
        for path in ["/dev/sr0", "//dev/./sr0", "/dev/../dev/sr0", "/dev/sr0/."] {
            assert_eq!(at(path), Named::Device, "{path}");
        }
        for path in [
            "/dev/sr1",
            "/dev/sr0/x",
            "/dev",
            "",
            "/",
            "sr0x",
            "/dev/sr00",
        ] {
            assert_eq!(at(path), Named::Other, "{path}");
        }
    }

    #[test]
    fn relative_paths_begin_where_the_process_is() {
        let here = std::process::id();
        let device = std::env::current_dir().unwrap().join("drive");
        let found = look_up(&device, here, libc::AT_FDCWD, b"./drive");
        assert_eq!(found, Named::Device);
        assert_eq!(
            look_up(&device, here, libc::AT_FDCWD, b"../drive"),
            Named::Other
        );
        assert_eq!(look_up(&device, here, 9999, b"drive"), Named::Other);
    }

    #[test]
    fn descriptors_are_named_in_several_ways() {
        let own = |file| Named::Descriptor { process: 7, file };
        assert_eq!(at("/dev/fd/3"), own(3));
        assert_eq!(at("/proc/self/fd/12"), own(12));
        assert_eq!(at("/dev/stdin"), own(0));
        let other = Named::Descriptor {
            process: 99,
            file: 4,
        };
        assert_eq!(at("/proc/99/fd/4"), other);
        for path in [
            "/dev/fd",
            "/dev/fd/x",
            "/dev/fd/+3",
            "/proc/x/fd/3",
            "/proc/self/fd/3/y",
        ] {
            assert_eq!(at(path), Named::Other, "{path}");
        }
    }
}
