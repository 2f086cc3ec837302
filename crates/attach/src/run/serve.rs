//! Calls that are for the drive: what each does, and its answer.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use reburn_drive::Drive;
use rustix::io::Errno;

use super::calls::{FileCall, Place};
use super::device::BlockDevice;
use super::files::{Files, Mode, OpenFile};
use super::ioctl;
use super::memory::Memory;
use super::supervise::waiting_memory;
use super::system::{Answer, Listener, Notification};

/// What a call wants of the drive.
#[derive(Debug)]
pub enum Task {
    /// Opening it.
    Open { mode: Mode },
    /// Something with an open file of it.
    OnFile { file: Arc<OpenFile>, act: FileCall },
}

/// The drive, and who has it open.
#[derive(Debug)]
pub struct Server<D> {
    device: BlockDevice<D>,
    files: Arc<Files>,
}

impl<D: Drive> Server<D> {
    /// A server of a drive that nobody has open.
    pub fn new(drive: D, files: Arc<Files>) -> Self {
        let device = BlockDevice::new(drive);
        Self { device, files }
    }

    /// Does what a call wants, and answers it.
    pub fn serve(&mut self, listener: &Listener, call: &Notification, task: Task) {
        let result = match task {
            Task::Open { mode } => match self.open(listener, call, mode) {
                Ok(()) => return,
                Err(errno) => Err(errno),
            },
            Task::OnFile { file, act } => {
                waiting_memory(listener, call).and_then(|memory| self.act(&memory, &file, act))
            }
        };
        listener.answer(call.id, Answer::from(result));
    }

    /// Does what the kernel does when a device is closed for the last time.
    pub fn after_closing(&mut self) {
        if self.files.forget_closed() {
            // Nobody is left to hear of a failure.
            let _ = self.device.flush();
        }
    }

    fn open(&mut self, listener: &Listener, call: &Notification, mode: Mode) -> Result<(), Errno> {
        let given = self.files.open(mode)?;
        self.device.open(mode.unready, mode.writes)?;
        let failed = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::MFILE);
        listener
            .answer_with_file(call.id, given.as_fd(), mode.closes_on_exec)
            .map_err(failed)
    }

    fn act(&mut self, memory: &Memory, file: &OpenFile, act: FileCall) -> Result<i64, Errno> {
        match act {
            FileCall::Read { place, offset } => {
                if !file.mode.reads {
                    return Err(Errno::BADF);
                }
                at_offset(file, offset, |at| self.read(memory, place, at))
            }
            FileCall::Write { place, offset } => {
                if !file.mode.writes {
                    return Err(Errno::BADF);
                }
                at_offset(file, offset, |at| self.write(memory, place, at))
            }
            FileCall::Seek { offset, whence } => {
                let mut position = file.position();
                let target = target(*position, self.device.size(), offset, whence)?;
                *position = target;
                i64::try_from(target).map_err(|_| Errno::INVAL)
            }
            FileCall::Sync => self.device.flush().map(|()| 0),
            FileCall::Control { request, argument } => {
                ioctl::answer(&mut self.device, memory, request, argument)
            }
            FileCall::Stat { .. } => Err(Errno::INVAL),
        }
    }

    fn read(&mut self, memory: &Memory, place: Place, at: u64) -> Result<usize, Errno> {
        let runs = memory.runs(place)?;
        let mut buf = vec![0; runs.length()];
        let length = self.device.read(at, &mut buf)?;
        memory.scatter(&runs, &buf[..length])?;
        Ok(length)
    }

    fn write(&mut self, memory: &Memory, place: Place, at: u64) -> Result<usize, Errno> {
        let data = memory.gather(&memory.runs(place)?)?;
        self.device.write(at, &data)
    }
}

/// Moves bytes at an offset, or at the position, which then goes on behind them.
fn at_offset(
    file: &OpenFile,
    offset: Option<u64>,
    move_bytes: impl FnOnce(u64) -> Result<usize, Errno>,
) -> Result<i64, Errno> {
    let length = match offset {
        Some(offset) if i64::try_from(offset).is_err() => return Err(Errno::INVAL),
        Some(offset) => move_bytes(offset)?,
        None => {
            let mut position = file.position();
            let length = move_bytes(*position)?;
            *position += length as u64;
            length
        }
    };
    i64::try_from(length).map_err(|_| Errno::INVAL)
}

/// Where a seek leads.
fn target(position: u64, size: u64, offset: i64, whence: i32) -> Result<u64, Errno> {
    let start = match whence {
        libc::SEEK_SET => 0,
        libc::SEEK_CUR => position,
        libc::SEEK_END => size,
        _ => return Err(Errno::INVAL),
    };
    let target = start.checked_add_signed(offset).ok_or(Errno::INVAL)?;
    // A block device has no position past its end.
    if target > size {
        Err(Errno::INVAL)
    } else {
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeks_stay_on_the_medium() {
        assert_eq!(target(10, 100, 5, libc::SEEK_CUR), Ok(15));
        assert_eq!(target(10, 100, -5, libc::SEEK_END), Ok(95));
        assert_eq!(target(10, 100, 100, libc::SEEK_SET), Ok(100));
        assert_eq!(target(10, 100, 101, libc::SEEK_SET), Err(Errno::INVAL));
        assert_eq!(target(10, 100, -11, libc::SEEK_CUR), Err(Errno::INVAL));
        assert_eq!(target(10, 100, 0, 9), Err(Errno::INVAL));
    }
}
