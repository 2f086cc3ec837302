//! An image file as a drive: a removable disk that grows when written past its end.
//!
//! Failures of the host become sense as a drive would give it:
//!
//! | what fails on the host | sense |
//! |---|---|
//! | reading | 3/11/00 unrecovered read error |
//! | writing, making durable | 3/0C/00 write error |
//! | the host's disk is full, or the file too large for it | 7/27/07 space allocation failed |
//! | writing a file that cannot be written | 7/27/00 write protected |
//!
//! 7/27/07 is what thinly provisioned disks give when they run out of space (SBC-3), and that
//! is what the file is; 5/21/00, which some programs take for a full disk, would hide a wrong
//! address behind it.

use std::fs::File;
use std::io;
use std::path::Path;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRead, BlockWrite, ImageFile, Lba, WriteError,
};
use reburn_mmc::command::{Command, StartStop};
use reburn_mmc::{Cdb, SectorAddress, Sense};

use crate::software::{Answer, Outcome, deliver, extent, room, sent};
use crate::{Data, Drive, Reply, TransportError};

/// A drive over an image file. Any block can be written alone, up to [`Lba::MAX`].
#[derive(Debug)]
pub struct ImageFileDrive {
    pub(crate) image: ImageFile,
    pub(crate) writable: bool,
    pub(crate) locked: bool,
    pub(crate) tray: Tray,
}

/// Where the "medium" is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tray {
    Loaded,
    Ejected,
}

impl ImageFileDrive {
    /// Creates an image without blocks, or opens an existing one.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Self::from_file(file, true)
    }

    /// Opens an image. One that the user may not write is write-protected.
    pub fn open(path: &Path) -> io::Result<Self> {
        match File::options().read(true).write(true).open(path) {
            Ok(file) => Self::from_file(file, true),
            Err(error) if is_protection(&error) => Self::open_read_only(path),
            Err(error) => Err(error),
        }
    }

    /// Opens an image, write-protected.
    pub fn open_read_only(path: &Path) -> io::Result<Self> {
        Self::from_file(File::open(path)?, false)
    }

    fn from_file(file: File, writable: bool) -> io::Result<Self> {
        Ok(Self {
            image: ImageFile::from_file(file)?,
            writable,
            locked: false,
            tray: Tray::Loaded,
        })
    }

    /// Carries out a command that moves no blocks.
    fn control(&mut self, command: &Command) -> Outcome {
        match command {
            Command::StartStopUnit(command) => self.start_stop(command.action),
            Command::PreventAllow(command) => {
                self.locked = command.prevent;
                Ok(Answer::DONE)
            }
            Command::SynchronizeCache(_) => {
                self.loaded()?;
                self.synchronize()
            }
            Command::SetCdSpeed(_) | Command::SetReadAhead(_) => Ok(Answer::DONE),
            Command::Verify10(command) => {
                let count = BlockCount::new(u32::from(command.blocks));
                let range = self.readable(command.lba, count)?;
                self.check(range)
            }
            Command::Seek10(command) => {
                self.readable(command.lba, BlockCount::ZERO)?;
                Ok(Answer::DONE)
            }
            command => self.question(command),
        }
    }

    fn start_stop(&mut self, action: StartStop) -> Outcome {
        match action {
            StartStop::Eject if self.locked => return Err(Sense::REMOVAL_PREVENTED),
            StartStop::Eject => {
                self.synchronize()?;
                self.tray = Tray::Ejected;
            }
            StartStop::Stop => {
                self.synchronize()?;
            }
            StartStop::Load => self.tray = Tray::Loaded,
            StartStop::Start | StartStop::Power(_) => {}
            StartStop::FormatLayer(_) => return Err(Sense::INVALID_FIELD_IN_CDB),
        }
        Ok(Answer::DONE)
    }

    fn synchronize(&mut self) -> Outcome {
        if self.writable {
            self.image.barrier().map_err(|error| write_sense(&error))?;
        }
        Ok(Answer::DONE)
    }

    pub(crate) fn loaded(&self) -> Result<(), Sense> {
        match self.tray {
            Tray::Loaded => Ok(()),
            Tray::Ejected => Err(Sense::NO_MEDIUM_TRAY_OPEN),
        }
    }

    fn readable(&self, lba: Lba, count: BlockCount) -> Result<Option<BlockRange>, Sense> {
        self.loaded()?;
        extent(lba, count, self.image.block_count())
    }

    fn check(&self, range: Option<BlockRange>) -> Outcome {
        const AT_ONCE: BlockCount = BlockCount::new(32);
        let pieces = range.map(|range| range.pieces(AT_ONCE));
        for piece in pieces.into_iter().flatten() {
            let mut buf = vec![0; piece.block_count().as_usize() * BLOCK_SIZE];
            self.fill(piece.start_lba(), &mut buf)?;
        }
        Ok(Answer::DONE)
    }

    fn fill(&self, lba: Lba, buf: &mut [u8]) -> Result<(), Sense> {
        let failed = Sense::UNRECOVERED_READ_ERROR.at(lba.get());
        self.image.read_blocks(lba, buf).map_err(|_| failed)
    }

    fn send(
        &self,
        cdb: &Cdb,
        (lba, count): (Lba, BlockCount),
        mut data: Data<'_>,
    ) -> Result<Reply, TransportError> {
        if let Err(sense) = self.readable(lba, count) {
            return Ok(Reply::refused(sense));
        }
        if count.is_zero() {
            return Ok(Reply::good(0));
        }
        let room = room(cdb, &mut data, count)?;
        Ok(match self.fill(lba, room) {
            Ok(()) => Reply::good(room.len()),
            Err(sense) => Reply::refused(sense),
        })
    }

    fn take(&mut self, cdb: &Cdb, write: Write, data: &Data<'_>) -> Result<Reply, TransportError> {
        let end = BlockCount::new(Lba::MAX.get() + 1);
        let allowed = self.loaded().and_then(|()| {
            if self.writable {
                write
                    .address
                    .block()
                    .and_then(|lba| extent(lba, write.count, end))
            } else {
                Err(Sense::WRITE_PROTECTED)
            }
        });
        let range = match allowed {
            Err(sense) => return Ok(Reply::refused(sense)),
            Ok(None) => return Ok(Reply::good(0)),
            Ok(Some(range)) => range,
        };
        let sent = sent(cdb, data, write.count)?;
        Ok(match self.store(write, range.start_lba(), sent) {
            Ok(()) => Reply::good(sent.len()),
            Err(sense) => Reply::refused(sense),
        })
    }

    fn store(&mut self, write: Write, lba: Lba, data: &[u8]) -> Result<(), Sense> {
        let written = self.image.write_blocks(lba, data);
        written.map_err(|error| write_sense(&error))?;
        if write.durable {
            self.synchronize()?;
        }
        if write.verify {
            let mut read = vec![0; data.len()];
            self.fill(lba, &mut read)?;
            let pairs = read.chunks(BLOCK_SIZE).zip(data.chunks(BLOCK_SIZE));
            for (number, (read, written)) in (lba.get()..).zip(pairs) {
                if read != written {
                    return Err(Sense::MISCOMPARE.at(number));
                }
            }
        }
        Ok(())
    }
}

/// What a write asks for.
#[derive(Debug, Clone, Copy)]
struct Write {
    address: SectorAddress,
    count: BlockCount,
    /// Whether the file must have the blocks before the answer.
    durable: bool,
    /// Whether they are read back and compared.
    verify: bool,
}

impl Drive for ImageFileDrive {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        let count = |blocks: u16| BlockCount::new(u32::from(blocks));
        let write = |address, count, durable| Write {
            address,
            count,
            durable,
            verify: false,
        };
        match Command::from_cdb(cdb) {
            Err(sense) => Ok(Reply::refused(sense)),
            Ok(Command::Read10(c)) => self.send(cdb, (c.lba, count(c.blocks)), data),
            Ok(Command::Read12(c)) => self.send(cdb, (c.lba, c.blocks), data),
            Ok(Command::Write10(c)) => {
                let write = write(c.address, count(c.blocks), c.force_unit_access);
                self.take(cdb, write, &data)
            }
            Ok(Command::Write12(c)) => {
                self.take(cdb, write(c.address, c.blocks, c.force_unit_access), &data)
            }
            Ok(Command::WriteAndVerify(c)) => {
                let verify = true;
                let write = write(c.lba.into(), count(c.blocks), true);
                self.take(cdb, Write { verify, ..write }, &data)
            }
            Ok(command) => deliver(cdb, self.control(&command), data),
        }
    }
}

/// Whether the user may not write the file, which then can be read at best.
fn is_protection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// A failure of the host as sense.
fn write_sense(error: &WriteError) -> Sense {
    let WriteError::Io { lba, source } = error else {
        return Sense::LBA_OUT_OF_RANGE;
    };
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Sense::SPACE_ALLOCATION_FAILED
        }
        _ if is_protection(source) => Sense::WRITE_PROTECTED,
        _ => Sense::WRITE_ERROR.at(lba.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DriveExt, testing};
    use insta::assert_snapshot;
    use proptest::prelude::*;

    #[test]
    fn passes_the_suite_of_all_drives() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc.img");
        let mut drive = ImageFileDrive::create(&path).unwrap();
        drive.write(Lba::new(255), &[0; BLOCK_SIZE]).unwrap();
        testing::check_drive(&mut drive);
    }

    #[test]
    fn an_image_grows_from_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc.img");
        let mut drive = ImageFileDrive::create(&path).unwrap();
        assert_eq!(drive.block_count().unwrap().get(), 0);
        let mut block = vec![0; BLOCK_SIZE];
        assert!(
            drive
                .read(Lba::ZERO, &mut block)
                .unwrap_err()
                .is(&Sense::LBA_OUT_OF_RANGE)
        );

        drive.write(Lba::ZERO, &[1; BLOCK_SIZE]).unwrap();
        assert_eq!(drive.block_count().unwrap().get(), 1);
        drive.write(Lba::new(40), &[2; 3 * BLOCK_SIZE]).unwrap();
        assert_eq!(drive.block_count().unwrap().get(), 43);
        drive.read(Lba::new(20), &mut block).unwrap();
        assert_eq!(block, [0; BLOCK_SIZE]);
        drop(drive);
        assert_eq!(
            std::fs::metadata(&path).unwrap().len(),
            43 * BLOCK_SIZE as u64
        );
    }

    #[test]
    fn a_file_opened_for_reading_is_write_protected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disc.img");
        std::fs::write(&path, [5; 4 * BLOCK_SIZE]).unwrap();
        let mut drive = ImageFileDrive::open_read_only(&path).unwrap();
        assert_snapshot!(
            drive.write(Lba::new(1), &[0; 2 * BLOCK_SIZE]).unwrap_err(),
            @"WRITE (10) of blocks 1-2 failed: data protect: write protected (7/27/00)"
        );
        drive.synchronize_cache().unwrap();
        assert_eq!(drive.last_writable_lba().unwrap(), None);
        assert_eq!(std::fs::read(&path).unwrap(), [5; 4 * BLOCK_SIZE]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_host_disk_is_no_space() {
        // Writing to /dev/full fails with ENOSPC.
        let file = File::options()
            .read(true)
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut drive = ImageFileDrive::from_file(file, true).unwrap();
        let error = drive.write(Lba::ZERO, &[0; BLOCK_SIZE]).unwrap_err();
        assert!(error.is(&Sense::SPACE_ALLOCATION_FAILED), "{error}");
    }

    proptest! {
        /// No command, however odd, makes the drive panic or send more than there is room for.
        #[test]
        fn any_bytes_get_an_answer(
            commands in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..=16), 1..40),
            list in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut drive = ImageFileDrive::from_file(tempfile::tempfile().unwrap(), true).unwrap();
            for bytes in commands {
                let cdb = Cdb::new(&bytes).unwrap();
                let mut room = vec![0; 4 * BLOCK_SIZE];
                if let Ok(reply) = drive.execute(&cdb, Data::In(&mut room)) {
                    prop_assert!(reply.transferred <= room.len());
                }
                let _ = drive.execute(&cdb, Data::Out(&list));
                let _ = drive.execute(&cdb, Data::None);
            }
        }
    }

    #[test]
    fn a_locked_medium_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut drive = ImageFileDrive::create(&dir.path().join("disc.img")).unwrap();
        drive.write(Lba::ZERO, &[1; BLOCK_SIZE]).unwrap();
        drive.prevent_removal(true).unwrap();
        let refused = drive.start_stop(StartStop::Eject).unwrap_err();
        assert!(refused.is(&Sense::REMOVAL_PREVENTED));
        drive.test_unit_ready().unwrap();
        drive.prevent_removal(false).unwrap();
        drive.start_stop(StartStop::Eject).unwrap();
        let gone = drive.test_unit_ready().unwrap_err();
        assert!(gone.is(&Sense::NO_MEDIUM_TRAY_OPEN));
        assert!(drive.synchronize_cache().is_err());
        drive.start_stop(StartStop::Load).unwrap();
        drive.test_unit_ready().unwrap();
    }
}
