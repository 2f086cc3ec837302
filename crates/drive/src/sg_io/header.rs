//! The argument of the system call that carries one SCSI command (ioctl `SG_IO`), as the kernel
//! of Linux lays it out on systems with addresses of 64 bits.
//!
//! It is used from both ends: by a host that sends a command to a device, and by what plays the
//! kernel for a program. Source: `sg_io_hdr` in `<scsi/sg.h>`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The number of the call.
pub const SG_IO: u32 = 0x2285;

/// The only interface that there is.
pub const INTERFACE: i32 = b'S' as i32;

/// Which way the data of a command go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// There are none.
    None,
    /// From host to drive.
    Out,
    /// From drive to host, which is also what the kernel makes of "both ways".
    In,
}

impl Direction {
    /// The direction as the header has it.
    pub const fn code(self) -> i32 {
        match self {
            Self::None => -1,
            Self::Out => -2,
            Self::In => -3,
        }
    }

    /// The direction with this code; `None` for a code without meaning.
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            -1 => Some(Self::None),
            -2 => Some(Self::Out),
            -3 | -4 => Some(Self::In),
            _ => None,
        }
    }
}

/// `sg_io_hdr`. Addresses are those of the process that makes the call.
#[derive(Debug, Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SgIoHeader {
    /// [`INTERFACE`].
    pub interface: i32,
    /// A [`Direction`].
    pub direction: i32,
    /// Bytes of the command.
    pub command_length: u8,
    /// Bytes that there is room for at `sense`.
    pub sense_room: u8,
    /// Parts that the data are in; 0 for one part.
    pub parts: u16,
    /// Bytes of data, all parts together.
    pub data_length: u32,
    /// Where the data are, or the list of their parts.
    pub data: u64,
    /// Where the command is.
    pub command: u64,
    /// Where the sense goes.
    pub sense: u64,
    /// How long the command may take, in milliseconds; 0 for the kernel's own limit.
    pub timeout_ms: u32,
    /// How the data are moved; of no consequence here.
    pub flags: u32,
    /// The caller's own number.
    pub pack_id: i32,
    /// Fills the gap before the next address.
    pub gap: u32,
    /// The caller's own address.
    pub user: u64,
    /// The drive's status: 0, or 2 with sense.
    pub status: u8,
    /// The status as it was counted in SCSI-1.
    pub masked_status: u8,
    /// A message of the bus; 0 for "done".
    pub message: u8,
    /// Bytes of sense that were stored.
    pub sense_length: u8,
    /// What the host adapter says; 0 for nothing.
    pub host_status: u16,
    /// What the driver says; [`DRIVER_SENSE`] with sense.
    pub driver_status: u16,
    /// Bytes of data that did not move.
    pub residual: i32,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// Bit 0: look at the statuses.
    pub info: u32,
    /// Fills the structure to its length.
    pub end: u32,
}

const _: () = assert!(size_of::<SgIoHeader>() == 88);

/// Status CHECK CONDITION: there is sense.
pub const CHECK_CONDITION: u8 = 2;
/// The driver's word for the same.
pub const DRIVER_SENSE: u16 = 8;

impl SgIoHeader {
    /// Bytes of the structure.
    pub const LEN: usize = 88;

    /// Notes that the drive did the command, or refused it with so many bytes of sense.
    pub fn answer(&mut self, transferred: usize, sense_length: Option<u8>) {
        let length = self.data_length;
        let moved = u32::try_from(transferred).unwrap_or(length).min(length);
        self.residual = i32::try_from(length - moved).unwrap_or(i32::MAX);
        let checked = sense_length.is_some();
        self.status = if checked { CHECK_CONDITION } else { 0 };
        self.masked_status = self.status >> 1;
        self.message = 0;
        self.sense_length = sense_length.unwrap_or_default();
        self.host_status = 0;
        self.driver_status = if checked { DRIVER_SENSE } else { 0 };
        self.info = u32::from(checked);
    }

    /// Notes that the command never got an answer: the adapter's word for it.
    pub fn lose(&mut self, host_status: u16) {
        self.answer(0, None);
        self.host_status = host_status;
        self.info = 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets of the 64-bit ABI, counted in a compiled C program.
    #[test]
    fn fields_stand_where_the_kernel_looks() {
        use std::mem::offset_of;
        let offsets = [
            (offset_of!(SgIoHeader, data_length), 12),
            (offset_of!(SgIoHeader, data), 16),
            (offset_of!(SgIoHeader, command), 24),
            (offset_of!(SgIoHeader, sense), 32),
            (offset_of!(SgIoHeader, timeout_ms), 40),
            (offset_of!(SgIoHeader, pack_id), 48),
            (offset_of!(SgIoHeader, user), 56),
            (offset_of!(SgIoHeader, status), 64),
            (offset_of!(SgIoHeader, sense_length), 67),
            (offset_of!(SgIoHeader, host_status), 68),
            (offset_of!(SgIoHeader, residual), 72),
            (offset_of!(SgIoHeader, info), 80),
        ];
        for (is, must_be) in offsets {
            assert_eq!(is, must_be);
        }
    }

    #[test]
    fn answers_say_what_did_not_move() {
        let mut header = SgIoHeader {
            data_length: 100,
            ..SgIoHeader::default()
        };
        header.answer(36, None);
        assert_eq!((header.residual, header.status, header.info), (64, 0, 0));
        header.answer(0, Some(18));
        assert_eq!((header.residual, header.status, header.info), (100, 2, 1));
        assert_eq!((header.sense_length, header.driver_status), (18, 8));
        header.lose(7);
        assert_eq!((header.status, header.host_status, header.info), (0, 7, 1));
    }

    #[test]
    fn directions_have_codes() {
        for direction in [Direction::None, Direction::Out, Direction::In] {
            assert_eq!(Direction::from_code(direction.code()), Some(direction));
        }
        assert_eq!(Direction::from_code(-4), Some(Direction::In));
        assert_eq!(Direction::from_code(0), None);
    }
}
