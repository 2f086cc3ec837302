//! The estimate made before a recording agrees with what the drive then takes.

mod common;

use std::time::Duration;

use common::{blocks, drive};
use reburn_blocks::{
    BlockCount, BlockRange, BlockRangeList, Epoch, EpochRole, Lba, ModifiedBlocks,
};
use reburn_drive::DriveExt;
use reburn_emulator::{Emulator, MediumKind};

fn ranges(list: &[(u32, u32)]) -> BlockRangeList {
    list.iter()
        .map(|&(start, count)| {
            BlockRange::with_count(Lba::new(start), BlockCount::new(count)).unwrap()
        })
        .collect()
}

fn record(drive: &mut Emulator, ranges: &BlockRangeList) {
    for range in ranges {
        for piece in range.pieces(BlockCount::new(32)) {
            let data = blocks(1, piece.block_count().as_usize());
            drive.write(piece.start_lba(), &data).unwrap();
        }
    }
    drive.synchronize_cache().unwrap();
}

#[track_caller]
fn assert_close(estimate: Duration, taken: Duration) {
    let (estimate, taken) = (estimate.as_secs_f64(), taken.as_secs_f64());
    let ratio = taken / estimate;
    assert!(
        (0.98..1.02).contains(&ratio),
        "estimated {estimate} s, took {taken} s"
    );
}

#[test]
fn a_plan_takes_what_was_estimated() {
    for kind in MediumKind::OVERWRITABLE {
        let shadow = ranges(&[
            (64, 3200),
            (100_000, 320),
            (1_000_000, 32),
            (2_000_000, 640),
        ]);
        let commit = ranges(&[(0, 32)]);
        let epochs = [(EpochRole::Shadow, shadow), (EpochRole::Commit, commit)]
            .map(|(role, ranges)| Epoch { role, ranges });
        let modified = ModifiedBlocks::new(kind.write_unit(), epochs.clone());
        let mut drive = drive(kind);
        let before = drive.modelled_time();
        for epoch in &epochs {
            record(&mut drive, &epoch.ranges);
        }
        let taken = drive.modelled_time().checked_sub(before).unwrap();
        assert_close(drive.profile().recording_time(kind, &modified), taken);
    }
}

#[test]
fn partial_write_units_take_what_was_estimated() {
    for kind in MediumKind::OVERWRITABLE {
        let odd = ranges(&[(7, 2), (1000, 3), (50_005, 100), (1_000_001, 1)]);
        let mut drive = drive(kind);
        let before = drive.modelled_time();
        record(&mut drive, &odd);
        let taken = drive.modelled_time().checked_sub(before).unwrap();
        let estimate = drive.profile().range_list_time(kind, &odd);
        let ratio = taken.as_secs_f64() / estimate.as_secs_f64();
        assert!(
            (0.9..1.1).contains(&ratio),
            "{kind}: {estimate:?}, took {taken:?}"
        );
    }
}

#[test]
fn reading_takes_what_was_estimated() {
    let kind = MediumKind::DvdPlusRw;
    let read = ranges(&[(0, 4800), (1_000_000, 320)]);
    let mut drive = drive(kind);
    let before = drive.modelled_time();
    for range in &read {
        let mut buf = blocks(0, range.block_count().as_usize());
        drive.read(range.start_lba(), &mut buf).unwrap();
    }
    let taken = drive.modelled_time().checked_sub(before).unwrap();
    assert_close(drive.profile().reading_time(kind, &read), taken);
}
