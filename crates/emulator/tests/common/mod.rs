//! What the tests of the emulator share.
#![allow(dead_code)] // each test program uses its part

pub mod questions;
pub mod script;

use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
use reburn_drive::{Data, Drive, DriveExt};
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_mmc::command::Command;
use reburn_mmc::reply::{FormatDescriptor, FormatKind, FormatParameters};
use reburn_mmc::{Cdb, Sense};

/// A ready drive with a formatted disc, its power-on already reported.
pub fn drive(kind: MediumKind) -> Emulator {
    ready(VirtualDisc::formatted(kind))
}

/// A ready drive with this disc.
pub fn ready(disc: VirtualDisc) -> Emulator {
    let mut drive = Emulator::with_disc(disc);
    drive.clear_attentions().unwrap();
    drive
}

/// A block that is full of one value.
pub fn blocks(value: u8, count: usize) -> Vec<u8> {
    vec![value; count * BLOCK_SIZE]
}

/// The first byte of a block, read through the drive.
pub fn first_byte(drive: &mut Emulator, lba: u32) -> u8 {
    let mut block = [0; BLOCK_SIZE];
    drive.read(Lba::new(lba), &mut block).unwrap();
    block[0]
}

/// The sense that a block of bytes is refused with, `None` if it is not.
pub fn sense_of(drive: &mut Emulator, cdb: &[u8], data: Data<'_>) -> Option<Sense> {
    let cdb = Cdb::new(cdb).unwrap();
    drive.execute(&cdb, data).unwrap().sense
}

/// The reply to a command, as many bytes as the drive sends.
pub fn reply(drive: &mut Emulator, command: impl Into<Command>) -> Result<Vec<u8>, Sense> {
    let mut room = vec![0; 65536];
    let cdb = command.into().encode();
    let reply = drive.execute(&cdb, Data::In(&mut room)).unwrap();
    room.truncate(reply.transferred);
    match reply.sense {
        None => Ok(room),
        Some(sense) => Err(sense),
    }
}

/// Parameters of a format.
pub fn format(kind: FormatKind, blocks: u32, parameter: u32) -> FormatParameters {
    FormatParameters {
        immediate: false,
        no_certification: false,
        options_valid: false,
        descriptor: FormatDescriptor {
            blocks: BlockCount::new(blocks),
            kind,
            subtype: 0,
            parameter,
        },
    }
}

/// The ordinary format of a kind.
pub fn ordinary_format(kind: MediumKind) -> FormatParameters {
    match kind {
        MediumKind::DvdPlusRw => format(FormatKind::DVD_PLUS_RW, u32::MAX, 0),
        MediumKind::DvdRam => format(FormatKind::FULL, kind.capacity().get(), 0x800),
        _ => format(FormatKind::FULL, kind.capacity().get(), 0),
    }
}
