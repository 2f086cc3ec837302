//! Recording on image files.

mod common;

use common::*;
use reburn_blocks::{BlockCount, CrashClass, WriteUnit};
use reburn_drive::ImageFileDrive;
use reburn_mmc::Profile;
use reburn_recorder::{ErrorKind, Options, Recorder, Verify, inspect};

#[test]
fn an_image_file_is_formatted_overwritable_and_as_long_as_it_gets() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc.img");
    let medium = inspect(&mut ImageFileDrive::create(&path).unwrap()).unwrap();
    assert_eq!(medium.profile, Profile::REMOVABLE_DISK);
    assert_eq!(medium.write_unit, WriteUnit::FILE);
    assert_eq!(medium.capacity, BlockCount::ZERO);
    assert!(medium.formatted && medium.overwritable && !medium.is_write_protected());

    std::fs::write(&path, filled(3, 0)).unwrap();
    let medium = inspect(&mut ImageFileDrive::open_read_only(&path).unwrap()).unwrap();
    assert_eq!((medium.capacity.get(), medium.writable.get()), (3, 0));
    assert!(medium.is_write_protected());
}

#[test]
fn an_image_grows_a_file_and_leaves_its_tail() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc.img");
    for (blocks, byte, len) in [(100, 1, 100), (150, 2, 150), (7, 3, 150)] {
        let mut drive = ImageFileDrive::create(&path).unwrap();
        let outcome = Recorder::new(&mut drive)
            .record_image(&filled(blocks, byte), &mut go_on)
            .unwrap();
        assert_eq!(outcome.verified.as_usize(), blocks);
        let file = std::fs::read(&path).unwrap();
        assert_eq!(file.len(), len * 2048);
        assert!(file[..blocks * 2048].iter().all(|&b| b == byte));
    }
    assert_eq!(
        std::fs::read(&path).unwrap()[7 * 2048..8 * 2048],
        filled(1, 2)
    );
}

#[test]
fn a_plan_for_single_blocks_is_recorded_on_a_file_and_makes_it_grow() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc.img");
    std::fs::write(&path, filled(100, 0)).unwrap();
    let plan = plan(
        WriteUnit::FILE,
        CrashClass::Recoverable,
        &[(60, 61), (190, 199)],
        &[(16, 16)],
    );
    let mut result = filled(200, 0);
    for lba in plan
        .modified
        .ranges()
        .flat_map(|r| r.start_lba().get()..r.end_exclusive())
    {
        result[lba as usize * 2048..][..2048].fill(7);
    }
    let options = Options {
        verify: Verify::Whole,
        ..Options::default()
    };
    let mut drive = ImageFileDrive::open(&path).unwrap();
    let outcome = Recorder::with_options(&mut drive, options)
        .record_plan(&plan, &result, &mut go_on)
        .unwrap();
    assert_eq!((outcome.recorded.get(), outcome.verified.get()), (13, 200));
    assert!(std::fs::read(&path).unwrap() == result);

    let again = Recorder::new(&mut drive)
        .record_plan(&plan, &result, &mut go_on)
        .unwrap_err();
    assert_eq!(again.kind(), ErrorKind::WrongDisc);
    insta::assert_snapshot!(wrapped(&again), @"
    the disc 'ARCHIVE' already has every block of the plan: nothing is left to record;
      nothing was recorded
    ");
}

#[test]
fn a_plan_for_discs_is_recorded_on_a_file_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc.img");
    std::fs::write(&path, filled(200, 0)).unwrap();
    let mut drive = ImageFileDrive::open(&path).unwrap();
    let outcome = Recorder::new(&mut drive)
        .record_plan(&head_swap(), &filled(200, 7), &mut go_on)
        .unwrap();
    assert_eq!(outcome.recorded.get(), 80);
}
