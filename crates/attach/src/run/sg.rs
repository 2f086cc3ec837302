//! Commands of programs: ioctl SG_IO, as the kernel's block layer answers it.
//!
//! Limits and errors are those of `scsi_ioctl.c` in Linux 6.1, where a program must be able to
//! tell: another interface, a direction without meaning, more data than a request holds. Which
//! commands an unprivileged program may send is not looked at.

use std::time::Instant;

use reburn_drive::sg_io::header::{Direction, INTERFACE, SgIoHeader};
use reburn_drive::{Data, Drive, TransportError};
use reburn_mmc::Cdb;
use rustix::io::Errno;
use zerocopy::{FromBytes, IntoBytes};

use super::calls::Place;
use super::memory::{Memory, TRANSFER_MAX};

/// The adapter's words (`DID_NO_CONNECT`, `DID_ERROR`).
const NO_CONNECTION: u16 = 1;
const FAILED: u16 = 7;

/// Carries out the command whose header stands at `address`, and stores the answer there.
pub fn carry_out(drive: &mut impl Drive, memory: &Memory, address: u64) -> Result<i64, Errno> {
    let mut bytes = [0; SgIoHeader::LEN];
    memory.read(address, &mut bytes)?;
    let mut header = SgIoHeader::read_from_bytes(&bytes).map_err(|_| Errno::FAULT)?;
    if header.interface != INTERFACE {
        return Err(Errno::INVAL);
    }
    let started = Instant::now();
    execute(drive, memory, &mut header)?;
    header.duration_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
    memory.write(address, header.as_bytes())?;
    Ok(0)
}

fn execute(drive: &mut impl Drive, memory: &Memory, header: &mut SgIoHeader) -> Result<(), Errno> {
    let mut command = [0; Cdb::MAX_LEN];
    let command = command
        .get_mut(..usize::from(header.command_length))
        .ok_or(Errno::INVAL)?;
    memory.read(header.command, command)?;
    let cdb = Cdb::new(command).ok_or(Errno::INVAL)?;
    let length = header.data_length as usize;
    let direction = match Direction::from_code(header.direction) {
        _ if length == 0 => Direction::None,
        Some(direction) => direction,
        None => return Err(Errno::INVAL),
    };
    if length > TRANSFER_MAX {
        return Err(Errno::INVAL);
    }
    let place = if header.parts == 0 {
        Place::Whole(header.data, length as u64)
    } else {
        Place::Parts(header.data, u64::from(header.parts))
    };
    let runs = memory.runs(place)?;
    let outcome = match direction {
        Direction::None => drive.execute(&cdb, Data::None),
        Direction::Out => {
            let mut sent = memory.gather(&runs)?;
            sent.truncate(length);
            drive.execute(&cdb, Data::Out(&sent))
        }
        Direction::In => {
            let mut room = vec![0; length];
            let outcome = drive.execute(&cdb, Data::In(&mut room));
            if let Ok(reply) = &outcome {
                memory.scatter(&runs, &room[..reply.transferred.min(length)])?;
            }
            outcome
        }
    };
    match outcome {
        Ok(reply) => {
            let sense = reply.sense.map(|sense| sense.encode());
            let stored = sense.map(|sense| {
                let room = usize::from(header.sense_room);
                let room = if header.sense == 0 { 0 } else { room };
                sense[..sense.len().min(room)].to_vec()
            });
            if let Some(stored) = &stored {
                memory.write(header.sense, stored)?;
            }
            let count = stored.map(|stored| u8::try_from(stored.len()).unwrap_or(u8::MAX));
            header.answer(reply.transferred, count);
        }
        Err(TransportError::Lost(_)) => header.lose(NO_CONNECTION),
        Err(_) => header.lose(FAILED),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use reburn_drive::sg_io::header::CHECK_CONDITION;
    use reburn_emulator::{Emulator, MediumKind, VirtualDisc};

    use super::*;

    fn address(bytes: &[u8]) -> u64 {
        bytes.as_ptr().addr() as u64
    }

    fn header(command: &[u8], data: &[u8], direction: Direction, sense: &[u8]) -> SgIoHeader {
        SgIoHeader {
            interface: INTERFACE,
            direction: direction.code(),
            command_length: u8::try_from(command.len()).unwrap(),
            sense_room: u8::try_from(sense.len()).unwrap(),
            data_length: u32::try_from(data.len()).unwrap(),
            data: address(data),
            command: address(command),
            sense: address(sense),
            ..SgIoHeader::default()
        }
    }

    /// Sends a header of this very process.
    fn send(drive: &mut Emulator, header: &SgIoHeader) -> Result<SgIoHeader, Errno> {
        let memory = Memory::of(std::process::id()).unwrap();
        let place = header.as_bytes().to_vec();
        carry_out(drive, &memory, address(&place))?;
        let mut answered = [0; SgIoHeader::LEN];
        memory.read(address(&place), &mut answered)?;
        Ok(SgIoHeader::read_from_bytes(&answered).unwrap())
    }

    #[test]
    fn sense_is_cut_to_the_room_for_it() {
        let mut drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::BdRe));
        let sense = vec![0; 8];
        let command = [0; 6]; // TEST UNIT READY: the power came on
        let answer = send(&mut drive, &header(&command, &[], Direction::None, &sense)).unwrap();
        assert_eq!((answer.status, answer.sense_length), (CHECK_CONDITION, 8));
        let memory = Memory::of(std::process::id()).unwrap();
        let mut stored = [0; 8];
        memory.read(address(&sense), &mut stored).unwrap();
        assert_eq!(stored[..3], [0x70, 0, 6]);
        // Without a place for sense, as libburn's first command.
        let bare = SgIoHeader {
            sense: 0,
            sense_room: 0,
            ..header(&command, &[], Direction::None, &[])
        };
        let answer = send(&mut drive, &bare).unwrap();
        assert_eq!((answer.status, answer.sense_length, answer.info), (0, 0, 0));
    }

    #[test]
    fn replies_leave_a_residual() {
        let mut drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::BdRe));
        let data = vec![0; 100];
        let inquiry = [0x12, 0, 0, 0, 36, 0];
        let answer = send(&mut drive, &header(&inquiry, &data, Direction::In, &[])).unwrap();
        assert_eq!((answer.status, answer.residual), (0, 64));
        let memory = Memory::of(std::process::id()).unwrap();
        let mut vendor = [0; 8];
        memory.read(address(&data) + 8, &mut vendor).unwrap();
        assert_eq!(&vendor, b"REBURN  ");
    }

    #[test]
    fn headers_without_meaning_are_refused() {
        let mut drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::BdRe));
        let data = [0; 4];
        let good = header(&[0; 6], &data, Direction::In, &[]);
        let bad = [
            SgIoHeader {
                interface: 0,
                ..good
            },
            SgIoHeader {
                direction: 5,
                ..good
            },
            SgIoHeader {
                command_length: 17,
                ..good
            },
            SgIoHeader {
                command_length: 0,
                ..good
            },
            SgIoHeader {
                data_length: u32::MAX,
                ..good
            },
            SgIoHeader {
                parts: u16::MAX,
                ..good
            },
        ];
        for header in bad {
            assert_eq!(
                send(&mut drive, &header).unwrap_err(),
                Errno::INVAL,
                "{header:?}"
            );
        }
        let lost = SgIoHeader { command: 8, ..good };
        assert_eq!(send(&mut drive, &lost).unwrap_err(), Errno::FAULT);
    }
}
