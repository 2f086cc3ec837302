//! The part of the kernel's CD-ROM driver that programs see: opening the device, its size, and
//! reading and writing it as a file of bytes.
//!
//! Invariants: a read gives the bytes that a READ (10) gives now, never those of a cache; a write
//! is with the drive when it returns. Source: `sr.c` and `cdrom.c` of Linux 6.1, for what is
//! refused and how.

use std::time::Duration;

use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
use reburn_drive::{CommandError, Drive, DriveExt};
use reburn_mmc::{Profile, Sense, SenseKey};
use rustix::io::Errno;

/// How long the kernel waits for a drive that becomes ready.
const READY_LIMIT: Duration = Duration::from_secs(30);
/// Reports of a changed medium or a reset that may lie between two commands.
const ATTENTIONS_MAX: usize = 8;
/// Media that the kernel lets programs write as block devices (`cdrom_open_write`).
const WRITABLE: [Profile; 3] = [Profile::DVD_RAM, Profile::DVD_PLUS_RW, Profile::BD_RE];

/// The drive as a block device.
#[derive(Debug)]
pub struct BlockDevice<D> {
    drive: D,
    /// Bytes of the medium, as they were when it was last opened.
    size: u64,
    /// Whether something was written through the device that was not made durable.
    unflushed: bool,
}

impl<D: Drive> BlockDevice<D> {
    /// The device over a drive.
    pub fn new(drive: D) -> Self {
        Self {
            drive,
            size: 0,
            unflushed: false,
        }
    }

    /// The drive, for commands of programs.
    pub fn drive(&mut self) -> &mut D {
        &mut self.drive
    }

    /// Bytes of the medium; 0 without one that can be read.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What opening does besides counting: without `unready` there must be a medium, and, to
    /// write, one that the kernel writes.
    pub fn open(&mut self, unready: bool, writes: bool) -> Result<(), Errno> {
        if !unready {
            self.retried(D::test_unit_ready)
                .map_err(|error| match error.sense() {
                    Some(sense) if sense.asc == NO_MEDIUM => Errno::NOMEDIUM,
                    _ => Errno::IO,
                })?;
            if writes && !self.is_writable() {
                return Err(Errno::ROFS);
            }
        }
        self.look_at_size();
        Ok(())
    }

    /// Takes the size of the medium anew.
    pub fn look_at_size(&mut self) {
        let count = self.retried(D::block_count);
        self.size = count.map_or(0, BlockCount::bytes);
    }

    /// Fills the front of `buf` from byte `offset` on; how much. Nothing past the end.
    pub fn read(&mut self, offset: u64, buf: &mut [u8]) -> Result<usize, Errno> {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        let Some(window) = Window::of(offset, length) else {
            return Ok(0);
        };
        match self.read_blocks(&window) {
            Ok(blocks) => {
                buf[..length].copy_from_slice(&blocks[window.inside(length)]);
                Ok(length)
            }
            // What precedes the block that cannot be read is given piece by piece.
            Err(_) if window.length > BLOCK_SIZE => {
                let first = BLOCK_SIZE - window.before;
                self.read(offset, &mut buf[..first])
            }
            Err(errno) => Err(errno),
        }
    }

    /// Writes `data` from byte `offset` on; how much. `ENOSPC` past the end.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> Result<usize, Errno> {
        if data.is_empty() {
            return Ok(0);
        }
        if !self.is_writable() {
            return Err(Errno::IO);
        }
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).map_or(data.len(), |left| left.min(data.len()));
        let Some(window) = Window::of(offset, length) else {
            return Err(Errno::NOSPC);
        };
        let whole = window.before == 0 && length.is_multiple_of(BLOCK_SIZE);
        let mut blocks = if whole {
            vec![0; window.length]
        } else {
            self.read_blocks(&window)?
        };
        blocks[window.inside(length)].copy_from_slice(&data[..length]);
        self.retried(|drive| drive.write(window.start, &blocks))
            .map_err(|_| Errno::IO)?;
        self.unflushed = true;
        Ok(length)
    }

    /// Makes durable what was written through the device.
    pub fn flush(&mut self) -> Result<(), Errno> {
        if !self.unflushed {
            return Ok(());
        }
        self.retried(D::synchronize_cache).map_err(|_| Errno::IO)?;
        self.unflushed = false;
        Ok(())
    }

    fn read_blocks(&mut self, window: &Window) -> Result<Vec<u8>, Errno> {
        let mut blocks = vec![0; window.length];
        self.retried(|drive| drive.read(window.start, &mut blocks))
            .map_err(|_| Errno::IO)?;
        Ok(blocks)
    }

    fn is_writable(&mut self) -> bool {
        let configuration = self.retried(D::configuration);
        configuration.is_ok_and(|found| WRITABLE.contains(&found.current_profile))
    }

    /// Does something again that failed for a reason which passes, as the kernel does.
    fn retried<T>(
        &mut self,
        mut attempt: impl FnMut(&mut D) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        for _ in 0..ATTENTIONS_MAX {
            match attempt(&mut self.drive) {
                Err(CommandError::Sense { sense, .. }) if sense.key == SenseKey::UnitAttention => {}
                Err(CommandError::Sense { sense, .. }) if sense.is(&Sense::BECOMING_READY) => {
                    self.drive.wait_until_ready(READY_LIMIT, &mut |_| ())?;
                }
                result => return result,
            }
        }
        attempt(&mut self.drive)
    }
}

/// Additional sense code: there is no medium.
const NO_MEDIUM: u8 = 0x3a;

/// The blocks that a run of bytes lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    start: Lba,
    /// Bytes of the blocks.
    length: usize,
    /// Bytes of the first block in front of the run.
    before: usize,
}

impl Window {
    /// `None` for no bytes, or past the addresses of blocks.
    fn of(offset: u64, length: usize) -> Option<Self> {
        if length == 0 {
            return None;
        }
        let block = BLOCK_SIZE as u64;
        let start = Lba::checked(offset / block)?;
        let before = usize::try_from(offset % block).ok()?;
        Some(Self {
            start,
            length: (before + length).next_multiple_of(BLOCK_SIZE),
            before,
        })
    }

    fn inside(&self, length: usize) -> std::ops::Range<usize> {
        self.before..self.before + length
    }
}

#[cfg(test)]
mod tests {
    use reburn_emulator::{DriveProfile, Emulator, MediumKind, VirtualDisc};

    use super::*;

    fn device(kind: MediumKind) -> BlockDevice<Emulator> {
        let mut device = BlockDevice::new(Emulator::with_disc(VirtualDisc::formatted(kind)));
        device.open(false, true).unwrap();
        device
    }

    #[test]
    fn bytes_at_any_offset_and_of_any_length() {
        let mut device = device(MediumKind::DvdRam);
        let data: Vec<u8> = (0..10_000u32).map(|n| n.to_le_bytes()[0]).collect();
        assert_eq!(device.write(3000, &data), Ok(data.len()));
        let mut buf = vec![9; 10_002];
        assert_eq!(device.read(2999, &mut buf), Ok(10_002));
        assert_eq!((buf[0], buf[10_001]), (0, 0));
        assert_eq!(buf[1..10_001], data);
        device.flush().unwrap();
        assert!(device.drive.buffered().is_empty());
    }

    #[test]
    fn the_end_is_where_the_medium_ends() {
        let mut device = device(MediumKind::BdRe);
        let size = MediumKind::BdRe.capacity().bytes();
        assert_eq!(device.size(), size);
        let mut buf = [0; 100];
        assert_eq!(device.read(size - 10, &mut buf), Ok(10));
        assert_eq!(device.read(size, &mut buf), Ok(0));
        assert_eq!(device.read(u64::MAX, &mut buf), Ok(0));
        assert_eq!(device.write(size, &buf), Err(Errno::NOSPC));
        assert_eq!(device.write(size - 10, &buf), Ok(10));
    }

    #[test]
    fn without_a_medium_only_an_unready_open_succeeds() {
        let mut device = BlockDevice::new(Emulator::new(DriveProfile::default()));
        assert_eq!(device.open(false, false), Err(Errno::NOMEDIUM));
        assert_eq!(device.open(true, true), Ok(()));
        assert_eq!(device.size(), 0);
    }
}
