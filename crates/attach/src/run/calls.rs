//! The system calls that may concern the drive, and what their arguments are.
//!
//! A filter sees numbers only: it cannot tell whether a path names the drive. So every call of
//! these kinds arrives here, and most are handed back to the kernel.

use libc::c_long;

use super::system::Notification;

/// Bytes in the memory of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One run of bytes: address and length.
    Whole(u64, u64),
    /// A list of runs: its address and how many it has.
    Parts(u64, u64),
}

/// A path as a call names it: relative to a directory, at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathArgument {
    /// The descriptor of the directory that a relative path begins at.
    pub directory: i32,
    /// Where the path is.
    pub address: u64,
}

/// A call, its arguments told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// open, openat.
    Open { path: PathArgument, flags: i32 },
    /// openat2, whose flags stand in memory.
    OpenHow { path: PathArgument, how: u64 },
    /// stat, lstat, newfstatat: the result goes to `result`.
    Stat {
        path: PathArgument,
        flags: i32,
        result: u64,
    },
    /// statx.
    Statx {
        path: PathArgument,
        flags: i32,
        result: u64,
    },
    /// access, faccessat, faccessat2.
    Access { path: PathArgument },
    /// readlink, readlinkat.
    ReadLink {
        path: PathArgument,
        result: u64,
        room: u64,
    },
    /// getxattr, lgetxattr: an attribute that users attach to files.
    Attribute { path: PathArgument },
    /// listxattr, llistxattr.
    Attributes { path: PathArgument },
    /// A call on an open file.
    OnFile { file: i32, act: FileCall },
}

/// What a call does with an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileCall {
    /// fstat.
    Stat { result: u64 },
    /// read, readv and their kin; without an offset, at the file's position.
    Read { place: Place, offset: Option<u64> },
    /// write, writev and their kin.
    Write { place: Place, offset: Option<u64> },
    /// lseek.
    Seek { offset: i64, whence: i32 },
    /// fsync, fdatasync.
    Sync,
    /// ioctl.
    Control { request: u32, argument: u64 },
}

/// How the arguments of one kind of call stand.
type Decoder = fn(Arguments) -> Call;

/// Every call that the filter stops, and how its arguments stand. Machines younger than x86 have
/// only the general forms.
const CALLS: &[(c_long, Decoder)] = &[
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, |a| Call::Open {
        path: a.path(0),
        flags: a.int(1),
    }),
    (libc::SYS_openat, |a| Call::Open {
        path: a.path_at(0),
        flags: a.int(2),
    }),
    (libc::SYS_openat2, |a| Call::OpenHow {
        path: a.path_at(0),
        how: a.0[2],
    }),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_stat, |a| a.stat(0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_lstat, |a| a.stat(libc::AT_SYMLINK_NOFOLLOW)),
    (libc::SYS_newfstatat, |a| Call::Stat {
        path: a.path_at(0),
        flags: a.int(3),
        result: a.0[2],
    }),
    (libc::SYS_statx, |a| Call::Statx {
        path: a.path_at(0),
        flags: a.int(2),
        result: a.0[4],
    }),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_access, |a| Call::Access { path: a.path(0) }),
    (libc::SYS_faccessat, |a| Call::Access { path: a.path_at(0) }),
    (libc::SYS_faccessat2, |a| Call::Access {
        path: a.path_at(0),
    }),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_readlink, |a| Call::ReadLink {
        path: a.path(0),
        result: a.0[1],
        room: a.0[2],
    }),
    (libc::SYS_readlinkat, |a| Call::ReadLink {
        path: a.path_at(0),
        result: a.0[2],
        room: a.0[3],
    }),
    (libc::SYS_getxattr, |a| Call::Attribute { path: a.path(0) }),
    (libc::SYS_lgetxattr, |a| Call::Attribute { path: a.path(0) }),
    (libc::SYS_listxattr, |a| Call::Attributes {
        path: a.path(0),
    }),
    (libc::SYS_llistxattr, |a| Call::Attributes {
        path: a.path(0),
    }),
    (libc::SYS_fstat, |a| {
        a.on_file(FileCall::Stat { result: a.0[1] })
    }),
    (libc::SYS_read, |a| a.read(a.whole(), None)),
    (libc::SYS_pread64, |a| a.read(a.whole(), Some(a.0[3]))),
    (libc::SYS_readv, |a| a.read(a.parts(), None)),
    (libc::SYS_preadv, |a| a.read(a.parts(), Some(a.0[3]))),
    (libc::SYS_preadv2, |a| {
        a.read(a.parts(), a.offset_or_position())
    }),
    (libc::SYS_write, |a| a.write(a.whole(), None)),
    (libc::SYS_pwrite64, |a| a.write(a.whole(), Some(a.0[3]))),
    (libc::SYS_writev, |a| a.write(a.parts(), None)),
    (libc::SYS_pwritev, |a| a.write(a.parts(), Some(a.0[3]))),
    (libc::SYS_pwritev2, |a| {
        a.write(a.parts(), a.offset_or_position())
    }),
    (libc::SYS_lseek, |a| {
        a.on_file(FileCall::Seek {
            offset: a.0[1].cast_signed(),
            whence: a.int(2),
        })
    }),
    (libc::SYS_fsync, |a| a.on_file(FileCall::Sync)),
    (libc::SYS_fdatasync, |a| a.on_file(FileCall::Sync)),
    (libc::SYS_ioctl, |a| {
        a.on_file(FileCall::Control {
            request: low32(a.0[1]),
            argument: a.0[2],
        })
    }),
];

/// The numbers of the calls that the filter stops, ioctl not among them.
pub fn numbers() -> impl Iterator<Item = c_long> {
    let numbers = CALLS.iter().map(|(number, _)| *number);
    numbers.filter(|number| *number != libc::SYS_ioctl)
}

impl Call {
    /// The call that a notification is about; `None` for one that the filter does not stop.
    pub fn of(notification: &Notification) -> Option<Self> {
        let is_it = |(number, _): &&(c_long, Decoder)| *number == notification.number;
        let (_, decode) = CALLS.iter().find(is_it)?;
        Some(decode(Arguments(notification.arguments)))
    }
}

/// The arguments of a call as the machine has them.
#[derive(Debug, Clone, Copy)]
struct Arguments([u64; 6]);

impl Arguments {
    fn int(self, index: usize) -> i32 {
        low32(self.0[index]).cast_signed()
    }

    /// A path without a directory.
    fn path(self, index: usize) -> PathArgument {
        PathArgument {
            directory: libc::AT_FDCWD,
            address: self.0[index],
        }
    }

    /// A directory and the path behind it.
    fn path_at(self, index: usize) -> PathArgument {
        PathArgument {
            directory: self.int(index),
            address: self.0[index + 1],
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn stat(self, flags: i32) -> Call {
        Call::Stat {
            path: self.path(0),
            flags,
            result: self.0[1],
        }
    }

    fn on_file(self, act: FileCall) -> Call {
        let file = self.int(0);
        Call::OnFile { file, act }
    }

    fn read(self, place: Place, offset: Option<u64>) -> Call {
        self.on_file(FileCall::Read { place, offset })
    }

    fn write(self, place: Place, offset: Option<u64>) -> Call {
        self.on_file(FileCall::Write { place, offset })
    }

    fn whole(self) -> Place {
        Place::Whole(self.0[1], self.0[2])
    }

    fn parts(self) -> Place {
        Place::Parts(self.0[1], self.0[2])
    }

    /// An offset of -1 stands for the position.
    fn offset_or_position(self) -> Option<u64> {
        Some(self.0[3]).filter(|offset| *offset != u64::MAX)
    }
}

/// An argument that is 32 bits wide: what stands above is of no meaning.
#[expect(clippy::cast_possible_truncation)]
const fn low32(argument: u64) -> u32 {
    argument as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: c_long, arguments: [u64; 6]) -> Call {
        let notification = Notification {
            id: 1,
            thread: 1,
            number,
            arguments,
        };
        Call::of(&notification).unwrap()
    }

    #[test]
    fn descriptors_are_signed_and_32_bits_wide() {
        let here = 0xffff_ff9c; // AT_FDCWD, as some callers leave it
        let opened = call(libc::SYS_openat, [here, 0x1000, 0x882, 0, 0, 0]);
        let path = PathArgument {
            directory: libc::AT_FDCWD,
            address: 0x1000,
        };
        assert_eq!(opened, Call::Open { path, flags: 0x882 });
    }

    #[test]
    fn offsets_may_be_the_position() {
        let reads = [
            (libc::SYS_read, None),
            (libc::SYS_pread64, Some(4096)),
            (libc::SYS_preadv, Some(4096)),
            (libc::SYS_preadv2, Some(4096)),
        ];
        for (number, expected) in reads {
            let Call::OnFile {
                file: 3,
                act: FileCall::Read { offset, .. },
            } = call(number, [3, 1, 2, 4096, 0, 0])
            else {
                panic!("{number} is no read of file 3");
            };
            assert_eq!(offset, expected);
        }
        let written = call(libc::SYS_pwritev2, [3, 1, 2, u64::MAX, 0, 0]);
        let (place, offset) = (Place::Parts(1, 2), None);
        let act = FileCall::Write { place, offset };
        assert_eq!(written, Call::OnFile { file: 3, act });
    }
}
