//! The system calls themselves. The only `unsafe` of this crate.
//!
//! Source: `<scsi/sg.h>` and `<linux/fs.h>` of Linux.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use crate::Data;
use crate::sg_io::header::{Direction, INTERFACE, SG_IO, SgIoHeader};

/// How many sectors of 512 bytes one request of a block device has at most.
const BLK_SECTORS_MAX: u32 = 0x1267;

/// Sends a command with its data; sense goes to `sense`. The answer is in the header.
pub fn send(
    device: &File,
    command: &[u8],
    data: Data<'_>,
    sense: &mut [u8],
    timeout: Duration,
) -> io::Result<SgIoHeader> {
    let (direction, address, length) = match data {
        Data::In(room) if !room.is_empty() => (
            Direction::In,
            room.as_mut_ptr().expose_provenance(),
            room.len(),
        ),
        Data::Out(sent) if !sent.is_empty() => (
            Direction::Out,
            sent.as_ptr().expose_provenance(),
            sent.len(),
        ),
        _ => (Direction::None, 0, 0),
    };
    let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut header = SgIoHeader {
        interface: INTERFACE,
        direction: direction.code(),
        command_length: u8::try_from(command.len()).map_err(too_long)?,
        sense_room: u8::try_from(sense.len()).map_err(too_long)?,
        data_length: u32::try_from(length).map_err(too_long)?,
        data: address as u64,
        command: command.as_ptr().expose_provenance() as u64,
        sense: sense.as_mut_ptr().expose_provenance() as u64,
        timeout_ms: u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX),
        ..SgIoHeader::default()
    };
    // SAFETY: the header is laid out as the kernel has it. Its addresses are those of slices that
    // are borrowed for the length of this call, exclusively where the kernel writes; none is read
    // or written past the length that stands beside it.
    let done = unsafe { libc::ioctl(device.as_raw_fd(), SG_IO.into(), &raw mut header) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(header)
}

/// The most bytes that one request of a block device moves; `None` for other devices.
pub fn request_limit(device: &File) -> Option<usize> {
    let mut sectors: u16 = 0;
    // SAFETY: for block devices the kernel stores one 16-bit number; this is one.
    let done = unsafe { libc::ioctl(device.as_raw_fd(), BLK_SECTORS_MAX.into(), &raw mut sectors) };
    (done == 0 && sectors > 0).then(|| usize::from(sectors) * 512)
}
