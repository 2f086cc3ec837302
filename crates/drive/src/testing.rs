//! The suite that every [`Drive`] passes: what a recorder relies on, whatever is behind it.

use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRead, Lba};
use reburn_mmc::command::{Command, Inquiry, Read10, Write10};
use reburn_mmc::reply::InquiryData;
use reburn_mmc::{Cdb, Profile, Sense};

use crate::{Data, Drive, DriveExt, DriveReader};

/// Checks a drive with a writable medium of at least 256 blocks in it, ready for use. What the
/// medium holds is overwritten.
///
/// # Panics
/// With what the drive does wrong.
pub fn check_drive(drive: &mut dyn Drive) {
    drive.clear_attentions().expect("clear_attentions");
    drive.test_unit_ready().expect("a ready drive");
    knows_itself(drive);
    cuts_replies(drive);
    keeps_blocks(drive);
    keeps_parts_of_write_units(drive);
    refuses_what_is_out_of_range(drive);
    refuses_unknown_commands(drive);
    reads_as_a_source_of_blocks(drive);
}

fn knows_itself(drive: &mut dyn Drive) {
    let inquiry = drive.inquiry().expect("INQUIRY");
    assert_eq!(inquiry.device_type, InquiryData::OPTICAL);
    assert!(inquiry.removable);
    let configuration = drive.configuration().expect("GET CONFIGURATION");
    assert_ne!(configuration.current_profile, Profile::NONE);
    let codes: Vec<_> = configuration
        .features
        .iter()
        .map(|descriptor| descriptor.feature.code())
        .collect();
    assert!(codes.is_sorted(), "features ascend: {codes:04x?}");
    let last = drive.last_writable_lba().expect("GET CONFIGURATION");
    let capacity = drive.read_capacity().expect("READ CAPACITY");
    assert!(last.is_some_and(|last| last >= capacity.last_lba));
    assert_eq!(capacity.block_size as usize, BLOCK_SIZE);
    let blocks = drive.block_count().expect("READ CAPACITY");
    assert!(
        blocks.get() >= 256,
        "a medium of {blocks} blocks is too small"
    );
    drive.disc_information().expect("READ DISC INFORMATION");
    drive.format_capacities().expect("READ FORMAT CAPACITIES");
}

fn cuts_replies(drive: &mut dyn Drive) {
    let mut room = [0xee; 36];
    let command = Inquiry {
        page: None,
        allocation: 5,
    };
    let len = drive
        .command(command, Data::In(&mut room))
        .expect("INQUIRY");
    assert_eq!(len, 5, "the allocation length is honoured");
    assert_eq!(room[5..], [0xee; 31], "nothing is written past it");
}

/// Blocks that tell their address and a seed.
fn pattern(lba: Lba, blocks: u32, seed: u8) -> Vec<u8> {
    let block = |number: u32| {
        let mut block = vec![seed; BLOCK_SIZE];
        block[..4].copy_from_slice(&number.to_be_bytes());
        block
    };
    (lba.get()..lba.get() + blocks).flat_map(block).collect()
}

fn read(drive: &mut dyn Drive, lba: Lba, blocks: u32) -> Vec<u8> {
    let mut buf = vec![0; blocks as usize * BLOCK_SIZE];
    drive.read(lba, &mut buf).expect("READ (10)");
    buf
}

fn keeps_blocks(drive: &mut dyn Drive) {
    let start = Lba::new(17);
    let data = pattern(start, 150, 1);
    drive.write(start, &data).expect("WRITE (10)");
    assert!(
        read(drive, start, 150) == data,
        "blocks read back from the buffer"
    );
    drive.synchronize_cache().expect("SYNCHRONIZE CACHE");
    assert!(
        read(drive, start, 150) == data,
        "blocks read back from the medium"
    );
    let range = BlockRange::new(start, Lba::new(166)).expect("a range");
    drive.verify(range).expect("VERIFY (10)");
    let data = pattern(start, 64, 2);
    drive
        .write_and_verify(start, &data)
        .expect("WRITE AND VERIFY (10)");
    assert!(read(drive, start, 64) == data, "verified blocks read back");
}

/// A block written alone leaves its neighbours as they were.
fn keeps_parts_of_write_units(drive: &mut dyn Drive) {
    let start = Lba::new(64);
    let mut expected = pattern(start, 64, 3);
    drive.write(start, &expected).expect("WRITE (10)");
    drive.synchronize_cache().expect("SYNCHRONIZE CACHE");
    for lba in [70, 71, 95, 96, 127] {
        let lba = Lba::new(lba);
        let block = pattern(lba, 1, 4);
        drive.write(lba, &block).expect("WRITE (10)");
        let offset = lba.blocks_since(start).as_usize() * BLOCK_SIZE;
        expected[offset..offset + BLOCK_SIZE].copy_from_slice(&block);
    }
    assert!(
        read(drive, start, 64) == expected,
        "neighbours before the barrier"
    );
    drive.synchronize_cache().expect("SYNCHRONIZE CACHE");
    assert!(
        read(drive, start, 64) == expected,
        "neighbours after the barrier"
    );
}

/// The sense that a drive refuses a command with.
fn refusal(drive: &mut dyn Drive, command: impl Into<Command>, data: Data<'_>) -> Option<Sense> {
    let cdb = command.into().encode();
    drive.execute(&cdb, data).expect("an answer").sense
}

fn refuses_what_is_out_of_range(drive: &mut dyn Drive) {
    let end = drive.block_count().expect("READ CAPACITY").get();
    let last = drive
        .last_writable_lba()
        .expect("GET CONFIGURATION")
        .expect("a writable medium");
    let mut buf = vec![0; 2 * BLOCK_SIZE];
    let out_of_range = Some(Sense::LBA_OUT_OF_RANGE);
    for (lba, blocks, expected) in [
        (end - 1, 2, out_of_range),
        (end, 1, out_of_range),
        (end, 0, out_of_range),
        (0x8000_0000, 0, out_of_range),
        (end - 1, 0, None),
        (end - 1, 1, None),
    ] {
        let command = Read10 {
            lba: Lba::new(lba),
            blocks,
            force_unit_access: false,
        };
        let sense = refusal(drive, command, Data::In(&mut buf));
        assert_eq!(sense, expected, "{blocks} blocks at {lba}");
    }
    let command = Write10 {
        address: last.into(),
        blocks: 2,
        force_unit_access: false,
    };
    assert_eq!(refusal(drive, command, Data::Out(&buf)), out_of_range);
    let beyond = Cdb::new(&[0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]).expect("a block");
    let reply = drive.execute(&beyond, Data::None).expect("an answer");
    assert_eq!(reply.sense, out_of_range, "zero blocks at FFFFFFFFh");
}

fn refuses_unknown_commands(drive: &mut dyn Drive) {
    let unknown = Cdb::new(&[0xf3, 0, 0, 0, 0, 0]).expect("a block");
    let reply = drive.execute(&unknown, Data::None).expect("an answer");
    assert_eq!(reply.sense, Some(Sense::INVALID_COMMAND));
    let bad_field = Cdb::new(&[0x46, 3, 0, 0, 0, 0, 0, 0, 8, 0]).expect("a block");
    let reply = drive.execute(&bad_field, Data::None).expect("an answer");
    assert_eq!(reply.sense, Some(Sense::INVALID_FIELD_IN_CDB));
}

fn reads_as_a_source_of_blocks(drive: &mut dyn Drive) {
    let data = pattern(Lba::new(3), 100, 5);
    drive.write(Lba::new(3), &data).expect("WRITE (10)");
    let blocks = drive.block_count().expect("READ CAPACITY");
    let disc = DriveReader::new(drive).expect("a reader");
    assert_eq!(disc.block_count(), blocks);
    let mut buf = vec![0; data.len()];
    disc.read_blocks(Lba::new(3), &mut buf).expect("blocks");
    assert!(buf == data, "blocks read through a reader");
    let past = disc.read_blocks(Lba::new(blocks.get() - 1), &mut buf[..2 * BLOCK_SIZE]);
    assert!(past.is_err(), "blocks past the end");
}
