//! What programs ask of the device besides commands: the requests of CD-ROM, SCSI generic and
//! block devices that burning programs use.
//!
//! A request that is not here fails as one that a driver does not know (`ENOTTY`); programs ask
//! about some, such as `HDIO_GET_IDENTITY`, only to hear that. Numbers are those of
//! `<linux/cdrom.h>`, `<linux/fs.h>` and `<scsi/sg.h>`.

use reburn_drive::sg_io::header::SG_IO;
use reburn_drive::{Drive, DriveExt};
use reburn_mmc::command::StartStop;
use reburn_mmc::reply::{ClassEvent, MediaEvent};
use reburn_mmc::{Sense, SenseKey, Speed};
use rustix::io::Errno;

use super::device::BlockDevice;
use super::memory::Memory;
use super::sg;

const CDROM_EJECT: u32 = 0x5309;
const CDROM_CLOSE_TRAY: u32 = 0x5319;
const CDROM_SET_OPTIONS: u32 = 0x5320;
const CDROM_CLEAR_OPTIONS: u32 = 0x5321;
const CDROM_SELECT_SPEED: u32 = 0x5322;
const CDROM_MEDIA_CHANGED: u32 = 0x5325;
const CDROM_DRIVE_STATUS: u32 = 0x5326;
const CDROM_DISC_STATUS: u32 = 0x5327;
const CDROM_CHANGER_NSLOTS: u32 = 0x5328;
const CDROM_LOCK_DOOR: u32 = 0x5329;
const CDROM_GET_CAPABILITY: u32 = 0x5331;
const SCSI_GET_IDLUN: u32 = 0x5382;
const SCSI_GET_BUS_NUMBER: u32 = 0x5386;
const SG_SET_TIMEOUT: u32 = 0x2201;
const SG_GET_TIMEOUT: u32 = 0x2202;
const SG_EMULATED_HOST: u32 = 0x2203;
const SG_GET_RESERVED_SIZE: u32 = 0x2272;
const SG_SET_RESERVED_SIZE: u32 = 0x2275;
const SG_GET_VERSION: u32 = 0x2282;
const BLK_READ_ONLY: u32 = 0x125e;
const BLK_SIZE_SECTORS: u32 = 0x1260;
const BLK_FLUSH: u32 = 0x1261;
const BLK_SECTORS_MAX: u32 = 0x1267;
const BLK_SECTOR_SIZE: u32 = 0x1268;
const BLK_PHYSICAL_SECTOR_SIZE: u32 = 0x127b;
const BLK_BLOCK_SIZE: u32 = 0x8008_1270;
const BLK_SIZE_BYTES: u32 = 0x8008_1272;

/// Where the drive stands among the SCSI devices: host 0, channel 0, target 0, unit 0.
const SCSI_ADDRESS: u64 = 0;
/// The version of SCSI generic that Linux has had since 2.6, as the block layer gives it.
const SG_VERSION: u32 = 30_527;
/// The kernel's own limit for a command, in hundredths of a second.
const SG_TIMEOUT: i64 = 6000;
/// The most that one command moves, as programs are told.
const RESERVED_SIZE: u32 = 128 * 1024;
/// The sector size of optical discs.
const SECTOR: u32 = 2048;
/// Options of a CD-ROM device: close the tray when opened, believe the non-blocking flag, lock
/// the tray.
const OPTIONS: i64 = 0x1 | 0x4 | 0x8;
/// What the drive can do (`CDC_`): tray, lock, speed, sessions, media changes, status, generic
/// packets, and recording of every kind.
const CAPABILITY: i64 = 0x1 | 0x2 | 0x4 | 0x8 | 0x20 | 0x80 | 0x800 | 0x1000 | 0x3_e000 | 0x10_0000;
/// Answers to `CDROM_DRIVE_STATUS` and `CDROM_DISC_STATUS`.
const NO_DISC: i64 = 1;
const TRAY_OPEN: i64 = 2;
const NOT_READY: i64 = 3;
const DISC_OK: i64 = 4;
const DATA_DISC: i64 = 101;

/// Answers a request.
pub fn answer<D: Drive>(
    device: &mut BlockDevice<D>,
    memory: &Memory,
    request: u32,
    argument: u64,
) -> Result<i64, Errno> {
    let number = |value: u32| memory.write(argument, &value.to_ne_bytes()).map(|()| 0);
    let wide = |value: u64| memory.write(argument, &value.to_ne_bytes()).map(|()| 0);
    match request {
        SG_IO => sg::carry_out(device.drive(), memory, argument),
        SCSI_GET_IDLUN => wide(SCSI_ADDRESS),
        SCSI_GET_BUS_NUMBER | BLK_READ_ONLY => number(0),
        SG_GET_VERSION => number(SG_VERSION),
        SG_GET_TIMEOUT => Ok(SG_TIMEOUT),
        SG_EMULATED_HOST => number(1),
        SG_GET_RESERVED_SIZE => number(RESERVED_SIZE),
        SG_SET_TIMEOUT | SG_SET_RESERVED_SIZE | CDROM_CLEAR_OPTIONS => Ok(0),
        BLK_SIZE_BYTES => wide(device.size()),
        BLK_SIZE_SECTORS => wide(device.size() / 512),
        BLK_SECTOR_SIZE | BLK_PHYSICAL_SECTOR_SIZE | BLK_BLOCK_SIZE => number(SECTOR),
        BLK_SECTORS_MAX => {
            let sectors = u16::try_from(RESERVED_SIZE / 512).unwrap_or(u16::MAX);
            memory.write(argument, &sectors.to_ne_bytes()).map(|()| 0)
        }
        BLK_FLUSH => {
            device.flush()?;
            device.look_at_size();
            Ok(0)
        }
        CDROM_SET_OPTIONS => Ok(OPTIONS),
        CDROM_GET_CAPABILITY => Ok(CAPABILITY),
        CDROM_CHANGER_NSLOTS => Ok(1),
        CDROM_DRIVE_STATUS => Ok(status(device.drive())),
        CDROM_DISC_STATUS => Ok(match status(device.drive()) {
            DISC_OK => DATA_DISC,
            other => other,
        }),
        CDROM_MEDIA_CHANGED => Ok(i64::from(has_changed(device.drive()))),
        CDROM_EJECT => {
            lock(device.drive(), false)?;
            motion(device.drive(), StartStop::Eject)
        }
        CDROM_CLOSE_TRAY => motion(device.drive(), StartStop::Load),
        CDROM_LOCK_DOOR => lock(device.drive(), argument != 0).map(|()| 0),
        CDROM_SELECT_SPEED => set_speed(device.drive(), argument),
        _ => Err(Errno::NOTTY),
    }
}

/// What a drive's readiness is as one of the kernel's four words.
fn status(drive: &mut impl Drive) -> i64 {
    if drive.clear_attentions().is_err() {
        return NOT_READY;
    }
    match drive.test_unit_ready() {
        Ok(()) => DISC_OK,
        Err(error) if error.is(&Sense::NO_MEDIUM_TRAY_OPEN) => TRAY_OPEN,
        Err(error) if error.is(&Sense::NO_MEDIUM_TRAY_CLOSED) => NO_DISC,
        Err(_) => NOT_READY,
    }
}

fn has_changed(drive: &mut impl Drive) -> bool {
    let event = drive.media_event().ok().and_then(|status| status.event);
    matches!(
        event,
        Some(ClassEvent::Media(media)) if media.event == MediaEvent::NewMedia
    )
}

fn motion(drive: &mut impl Drive, action: StartStop) -> Result<i64, Errno> {
    match drive.start_stop(action) {
        Ok(()) => Ok(0),
        Err(error)
            if error
                .sense()
                .is_some_and(|s| s.key == SenseKey::IllegalRequest) =>
        {
            Err(Errno::BUSY)
        }
        Err(_) => Err(Errno::IO),
    }
}

fn lock(drive: &mut impl Drive, prevent: bool) -> Result<(), Errno> {
    drive.prevent_removal(prevent).map_err(|_| Errno::IO)
}

/// The speed in multiples of that of audio discs; 0 stands for the fastest.
fn set_speed(drive: &mut impl Drive, times: u64) -> Result<i64, Errno> {
    let times = u32::try_from(times)
        .ok()
        .filter(|times| (1..=u32::from(u8::MAX)).contains(times));
    let read = times.map_or(Speed::MAX, |times| Speed::CD_1X.times(times));
    drive.set_speed(read, Speed::MAX).map_err(|_| Errno::IO)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use reburn_emulator::{DriveProfile, Emulator, MediumKind, VirtualDisc};

    use super::*;

    fn asked(
        device: &mut BlockDevice<Emulator>,
        request: u32,
        argument: u64,
    ) -> Result<i64, Errno> {
        let memory = Memory::of(std::process::id()).unwrap();
        answer(device, &memory, request, argument)
    }

    #[test]
    fn the_tray_has_states() {
        let disc = VirtualDisc::formatted(MediumKind::DvdPlusRw);
        let mut device = BlockDevice::new(Emulator::with_disc(disc));
        let mut ask = |request, argument| asked(&mut device, request, argument);
        assert_eq!(ask(CDROM_DRIVE_STATUS, 0), Ok(DISC_OK));
        assert_eq!(ask(CDROM_LOCK_DOOR, 1), Ok(0));
        assert_eq!(ask(CDROM_EJECT, 0), Ok(0));
        assert_eq!(ask(CDROM_DRIVE_STATUS, 0), Ok(TRAY_OPEN));
        assert_eq!(ask(CDROM_CLOSE_TRAY, 0), Ok(0));
        assert_eq!(ask(CDROM_DISC_STATUS, 0), Ok(DATA_DISC));
        let mut empty = BlockDevice::new(Emulator::new(DriveProfile::default()));
        assert_eq!(asked(&mut empty, CDROM_DRIVE_STATUS, 0), Ok(NO_DISC));
    }

    #[test]
    fn numbers_go_where_the_program_wants_them() {
        let disc = VirtualDisc::formatted(MediumKind::BdRe);
        let mut device = BlockDevice::new(Emulator::with_disc(disc));
        device.open(true, false).unwrap();
        let memory = Memory::of(std::process::id()).unwrap();
        let place = [0xffu8; 8];
        let address = place.as_ptr().addr() as u64;
        assert_eq!(asked(&mut device, BLK_SIZE_BYTES, address), Ok(0));
        let mut stored = [0; 8];
        memory.read(address, &mut stored).unwrap();
        assert_eq!(
            u64::from_ne_bytes(stored),
            MediumKind::BdRe.capacity().bytes()
        );
        assert_eq!(asked(&mut device, BLK_SIZE_BYTES, 16), Err(Errno::FAULT));
        let unknown = 0x030d; // HDIO_GET_IDENTITY
        assert_eq!(asked(&mut device, unknown, address), Err(Errno::NOTTY));
    }
}
