//! What programs have open: descriptors that stand for the drive.
//!
//! A descriptor of the drive is, in the process that has it, one of a pipe that nobody reads or
//! writes. The kernel so does all that it does with descriptors (copies, inheritance, passing on,
//! waiting), and the pipe's number says which opening of the drive a descriptor goes back to,
//! whatever process it is in and under whatever number. The other end of the pipe stays here:
//! when it hears that nobody has the pipe any more, the drive was closed for the last time.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

/// How a program opened the drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of open
pub struct Mode {
    /// It may read.
    pub reads: bool,
    /// It may write.
    pub writes: bool,
    /// It asked that nobody else use the drive (`O_EXCL`).
    pub exclusive: bool,
    /// It wants the drive whether a medium is ready or not (`O_NONBLOCK`).
    pub unready: bool,
    /// Its descriptor closes on exec.
    pub closes_on_exec: bool,
}

impl Mode {
    /// What flags of open ask for; `Err` for what fails with any device.
    pub fn from_flags(flags: i32) -> Result<Self, Errno> {
        let has = |flag| flags & flag == flag;
        if has(libc::O_DIRECTORY) {
            return Err(Errno::NOTDIR);
        }
        if has(libc::O_CREAT | libc::O_EXCL) {
            return Err(Errno::EXIST);
        }
        let access = flags & libc::O_ACCMODE;
        Ok(Self {
            reads: access != libc::O_WRONLY,
            writes: access != libc::O_RDONLY,
            exclusive: has(libc::O_EXCL),
            unready: has(libc::O_NONBLOCK),
            closes_on_exec: has(libc::O_CLOEXEC),
        })
    }
}

/// One opening of the drive.
#[derive(Debug)]
pub struct OpenFile {
    /// How it was opened.
    pub mode: Mode,
    /// The next byte to read or write.
    pub position: Mutex<u64>,
    /// Our end of its pipe.
    end: OwnedFd,
}

impl OpenFile {
    /// Its position, to use and to change.
    pub fn position(&self) -> MutexGuard<'_, u64> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All openings, by the number of their pipe.
#[derive(Debug, Default)]
pub struct Files(Mutex<HashMap<u64, Arc<OpenFile>>>);

impl Files {
    /// The opening behind a pipe.
    pub fn get(&self, pipe: u64) -> Option<Arc<OpenFile>> {
        self.lock().get(&pipe).cloned()
    }

    /// Opens the drive: what to give to the program. `EBUSY` if it wants the drive for itself and
    /// somebody has it for himself.
    pub fn open(&self, mode: Mode) -> Result<File, Errno> {
        let mut files = self.lock();
        retain_open(&mut files);
        if mode.exclusive && files.values().any(|file| file.mode.exclusive) {
            return Err(Errno::BUSY);
        }
        let failed = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::NFILE);
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        // One byte, never taken out: the descriptor is ready for reading and for writing, as
        // those of block devices are.
        rustix::io::write(&writer, &[0])?;
        let again = format!("/proc/self/fd/{}", reader.as_raw_fd());
        let given = File::options()
            .read(true)
            .write(mode.writes)
            .custom_flags(if mode.unready { libc::O_NONBLOCK } else { 0 })
            .open(again)
            .map_err(failed)?;
        let pipe = given.metadata().map_err(failed)?.ino();
        let file = OpenFile {
            mode,
            position: Mutex::new(0),
            end: writer,
        };
        files.insert(pipe, Arc::new(file));
        Ok(given)
    }

    /// Forgets what was closed for the last time; whether one of those could write.
    pub fn forget_closed(&self) -> bool {
        let mut files = self.lock();
        retain_open(&mut files)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<OpenFile>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops what nobody has any more; whether one of those could write.
fn retain_open(files: &mut HashMap<u64, Arc<OpenFile>>) -> bool {
    let mut could_write = false;
    files.retain(|_, file| {
        let open = !is_closed(&file.end);
        could_write |= !open && file.mode.writes;
        open
    });
    could_write
}

/// Whether the pipe has no reader left.
fn is_closed(end: &OwnedFd) -> bool {
    let mut polled = [PollFd::from_borrowed_fd(end.as_fd(), PollFlags::empty())];
    let at_once = Timespec::default();
    poll(&mut polled, Some(&at_once)).is_ok() && polled[0].revents().contains(PollFlags::ERR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::names::pipe_behind;

    fn mode(flags: i32) -> Mode {
        Mode::from_flags(flags).unwrap()
    }

    #[test]
    fn a_descriptor_leads_back_to_its_opening() {
        let files = Files::default();
        let [one, other] = [libc::O_RDONLY, libc::O_RDWR].map(|f| files.open(mode(f)).unwrap());
        let copy = other.try_clone().unwrap();
        let find = |file: &File| {
            let pipe = pipe_behind(std::process::id(), file.as_raw_fd()).unwrap();
            files.get(pipe).unwrap()
        };
        assert!(!find(&one).mode.writes);
        assert!(find(&other).mode.writes);
        assert!(Arc::ptr_eq(&find(&other), &find(&copy)));
        drop((one, other));
        assert!(!files.forget_closed(), "the copy is still there");
        assert!(find(&copy).mode.writes);
        drop(copy);
        assert!(files.forget_closed());
    }

    #[test]
    fn one_program_at_a_time_has_the_drive_for_itself() {
        let files = Files::default();
        let exclusive = mode(libc::O_RDWR | libc::O_EXCL | libc::O_NONBLOCK);
        let first = files.open(exclusive).unwrap();
        assert_eq!(files.open(exclusive).unwrap_err(), Errno::BUSY);
        files.open(mode(libc::O_RDONLY)).unwrap();
        drop(first);
        files.open(exclusive).unwrap();
    }

    #[test]
    fn flags_that_no_device_takes() {
        assert_eq!(Mode::from_flags(libc::O_DIRECTORY), Err(Errno::NOTDIR));
        let create = libc::O_CREAT | libc::O_EXCL;
        assert_eq!(Mode::from_flags(create), Err(Errno::EXIST));
        assert!(mode(libc::O_CREAT | libc::O_WRONLY).writes);
        assert!(!mode(libc::O_WRONLY).reads);
    }
}
