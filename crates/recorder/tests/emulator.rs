//! Recording on emulated drives: every medium, faults, resets, and a power cut at every command.

mod common;

use std::ops::ControlFlow;
use std::time::Duration;

use common::*;
use reburn_blocks::{
    BLOCK_SIZE, BlockRange, BlockRead, CrashClass, Fingerprint, Lba, Plan, WriteUnit,
};
use reburn_drive::{Data, Drive, DriveExt, Reply, TransportError};
use reburn_emulator::{Emulator, Fate, MediumKind, VirtualDisc, WriteFault};
use reburn_mmc::{Cdb, Sense};
use reburn_recorder::{
    DiscState, ErrorKind, Event, Failure, Options, RecordError, Recorder, Verify, inspect,
};

/// The bytes of a disc's first blocks.
fn content(disc: &VirtualDisc, blocks: usize) -> Vec<u8> {
    let mut bytes = filled(blocks, 0);
    disc.read_blocks(Lba::ZERO, &mut bytes)
        .expect("readable blocks");
    bytes
}

/// An image of 300 blocks that tell their number.
fn image() -> Vec<u8> {
    (0..300u32)
        .flat_map(|number| number.to_le_bytes().repeat(BLOCK_SIZE / 4))
        .collect()
}

/// The image with blocks changed, and a plan that gets there: two runs of write units, then the
/// one of block 16.
fn edit(unit: WriteUnit, class: CrashClass) -> (Vec<u8>, Plan) {
    let blocks = unit.blocks().get();
    let units = |first: u32, count: u32| (first * blocks, (first + count) * blocks - 1);
    let head = 16 / blocks;
    let mut plan = plan(unit, class, &[units(2, 1), units(4, 3)], &[units(head, 1)]);
    plan.total_blocks = image().block_count();
    plan.base = Fingerprint::take(&image(), plan.modified.ranges().take(1)).unwrap();
    let mut result = image();
    for lba in plan
        .modified
        .ranges()
        .flat_map(|r| r.start_lba().get()..r.end_exclusive())
    {
        result[lba as usize * BLOCK_SIZE..][..BLOCK_SIZE].fill(0xab);
    }
    (result, plan)
}

/// A drive whose disc holds the image.
fn recorded(kind: MediumKind) -> Emulator {
    let mut drive = Emulator::with_disc(VirtualDisc::formatted(kind));
    Recorder::new(&mut drive)
        .record_image(&image(), &mut go_on)
        .expect("the image");
    drive
}

#[test]
fn a_new_disc_of_every_kind_takes_an_image_and_then_a_plan() {
    for kind in MediumKind::OVERWRITABLE {
        let mut drive = Emulator::new(reburn_emulator::DriveProfile::default());
        drive.insert(VirtualDisc::in_memory(kind));
        let mut formatting = 0;
        let mut events = |event| {
            formatting += usize::from(matches!(event, Event::Formatting { .. }));
            ControlFlow::Continue(())
        };
        let outcome = Recorder::new(&mut drive)
            .record_image(&image(), &mut events)
            .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        let factory_formatted = kind == MediumKind::DvdRam;
        assert_eq!(outcome.formatted, !factory_formatted, "{kind}");
        assert_eq!(formatting > 0, !factory_formatted, "{kind}");
        assert_eq!(outcome.medium.write_unit, kind.write_unit());
        assert_eq!(outcome.medium.writable, kind.capacity());
        assert!(content(drive.disc().unwrap(), 300) == image(), "{kind}");

        let (result, plan) = edit(kind.write_unit(), CrashClass::Recoverable);
        let options = Options {
            verify: Verify::Whole,
            ..Options::default()
        };
        let outcome = Recorder::with_options(&mut drive, options)
            .record_plan(&plan, &result, &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        assert_eq!(outcome.verified.get(), 300);
        assert!(content(drive.disc().unwrap(), 300) == result, "{kind}");
        drive
            .start_stop(reburn_mmc::command::StartStop::Eject)
            .expect("an unlocked tray");
    }
}

#[test]
fn a_disc_in_a_file_keeps_what_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    let mut drive = Emulator::with_disc(VirtualDisc::create(&path, MediumKind::BdRe).unwrap());
    Recorder::new(&mut drive)
        .record_image(&image(), &mut go_on)
        .unwrap();
    drop(drive);
    assert!(content(&VirtualDisc::open(&path).unwrap(), 300) == image());
}

#[test]
fn a_format_with_less_spare_is_chosen_for_a_larger_image() {
    let mut drive = Emulator::with_disc(VirtualDisc::in_memory(MediumKind::BdRe));
    let blocks = MediumKind::BdRe.capacity().get() + 1;
    let source = reburn_blocks::ZeroBlocks(reburn_blocks::BlockCount::new(blocks));
    let mut until_started = |event| match event {
        Event::Started { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let failure = Recorder::new(&mut drive)
        .record_image(&source, &mut until_started)
        .unwrap_err();
    assert_eq!(failure.state, DiscState::Formatted);
    assert!(inspect(&mut drive).unwrap().writable.get() >= blocks);
}

#[test]
fn protected_and_scratched_discs_are_refused() {
    let (result, plan) = edit(WriteUnit::BLU_RAY, CrashClass::Recoverable);
    let mut drive = recorded(MediumKind::BdRe);
    drive.disc_mut().unwrap().set_write_protected(true).unwrap();
    let failure = Recorder::new(&mut drive)
        .record_plan(&plan, &result, &mut go_on)
        .unwrap_err();
    assert!(
        matches!(failure.error, RecordError::WriteProtected { .. }),
        "{failure}"
    );

    let mut drive = recorded(MediumKind::BdRe);
    drive
        .disc_mut()
        .unwrap()
        .make_unreadable(Lba::new(70))
        .unwrap();
    let failure = Recorder::new(&mut drive)
        .record_plan(&plan, &result, &mut go_on)
        .unwrap_err();
    assert!(
        matches!(failure.error, RecordError::DiscUnreadable { .. }),
        "{failure}"
    );
    assert!(
        failure.to_string().contains("block 64 cannot be read"),
        "{failure}"
    );
    assert_eq!(failure.state, DiscState::Unchanged);
}

#[test]
fn silent_losses_are_found_by_reading_back() {
    let mut drive = recorded(MediumKind::DvdPlusRw);
    let (result, plan) = edit(WriteUnit::DVD, CrashClass::Recoverable);
    drive
        .faults_mut()
        .plant_write(Lba::new(70), WriteFault::Silent);
    let failure = Recorder::new(&mut drive)
        .record_plan(&plan, &result, &mut go_on)
        .unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Verification);
    let RecordError::VerificationFailed {
        first,
        differing,
        unreadable,
        compared,
    } = failure.error
    else {
        panic!("{failure}");
    };
    let counts = [differing, unreadable, compared].map(reburn_blocks::BlockCount::get);
    assert_eq!((first.get(), counts), (64, [16, 0, 80]));
}

#[test]
fn a_bad_block_ends_the_recording_before_the_commit() {
    let mut drive = recorded(MediumKind::BdRe);
    let (result, plan) = edit(WriteUnit::BLU_RAY, CrashClass::Recoverable);
    drive
        .faults_mut()
        .plant_write(Lba::new(150), WriteFault::ERROR);
    let failure = Recorder::new(&mut drive)
        .record_plan(&plan, &result, &mut go_on)
        .unwrap_err();
    assert_eq!(failure.state, DiscState::OldTree);
    assert!(
        failure
            .to_string()
            .contains("write error (3/0C/00) at block 150"),
        "{failure}"
    );
    assert!(content(drive.disc().unwrap(), 64) == image()[..64 * BLOCK_SIZE]);
}

/// Something that happens to a drive before its `at`th command of those that write.
struct Incident<F> {
    drive: Emulator,
    at: usize,
    seen: usize,
    strike: F,
}

impl<F: FnMut(&mut Emulator)> Drive for Incident<F> {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        const WRITE_10: u8 = 0x2a;
        const SYNCHRONIZE_CACHE: u8 = 0x35;
        if matches!(cdb.opcode(), WRITE_10 | SYNCHRONIZE_CACHE) {
            if self.seen == self.at {
                (self.strike)(&mut self.drive);
            }
            self.seen += 1;
        }
        self.drive.execute(cdb, data)
    }

    fn wait(&mut self, time: Duration) {
        self.drive.wait(time);
    }
}

#[test]
fn a_reset_at_any_command_costs_time_and_nothing_else() {
    let (result, plan) = edit(WriteUnit::BLU_RAY, CrashClass::Recoverable);
    let disc = recorded(MediumKind::BdRe);
    for at in 0..7 {
        let mut drive = Incident {
            drive: disc.snapshot().unwrap(),
            at,
            seen: 0,
            strike: |drive: &mut Emulator| {
                let mut first = true;
                drive
                    .power_cut(|_| {
                        let torn = std::mem::take(&mut first);
                        if torn { Fate::Unreadable } else { Fate::Old }
                    })
                    .unwrap();
                drive.power_on();
            },
        };
        let outcome = Recorder::new(&mut drive)
            .record_plan(&plan, &result, &mut go_on)
            .unwrap();
        assert_eq!(outcome.retries, 1, "at command {at}");
        assert!(
            content(drive.drive.disc().unwrap(), 300) == result,
            "at command {at}"
        );
    }
}

/// Whether the blocks of a range are those of `expected`; `None` if they cannot be read.
fn holds(disc: &VirtualDisc, range: BlockRange, expected: &[u8]) -> Option<bool> {
    let start = range.start_lba();
    let mut bytes = filled(range.block_count().as_usize(), 0);
    disc.read_blocks(start, &mut bytes).ok()?;
    let offset = start.get() as usize * BLOCK_SIZE;
    Some(bytes == expected[offset..][..bytes.len()])
}

/// Checks that the disc is as a failure says, with the power gone.
fn check_claim(failure: &Failure, disc: &VirtualDisc, plan: &Plan, result: &[u8]) {
    let old = image();
    let head = plan.modified.ranges().last().unwrap();
    match failure.state {
        DiscState::Unchanged => {
            for range in plan.modified.ranges() {
                assert_eq!(holds(disc, range, &old), Some(true), "{range}: {failure}");
            }
        }
        DiscState::OldTree => assert_eq!(holds(disc, head, &old), Some(true), "{failure}"),
        DiscState::Unconfirmed { .. } | DiscState::Committing { .. } => {
            for range in plan.modified.ranges().filter(|&range| range != head) {
                assert_eq!(holds(disc, range, result), Some(true), "{range}: {failure}");
            }
        }
        state => panic!("{state:?}: {failure}"),
    }
}

#[test]
fn a_power_cut_at_any_command_leaves_what_is_claimed() {
    let (result, plan) = edit(WriteUnit::DVD, CrashClass::Recoverable);
    let disc = recorded(MediumKind::DvdRam);
    for at in 0..6 {
        for fate in [Fate::Old, Fate::New, Fate::Unreadable] {
            let mut drive = Incident {
                drive: disc.snapshot().unwrap(),
                at,
                seen: 0,
                strike: |drive: &mut Emulator| drive.power_cut(|_| fate).unwrap(),
            };
            let failure = Recorder::new(&mut drive)
                .record_plan(&plan, &result, &mut go_on)
                .unwrap_err();
            assert!(failure.to_string().contains("no power"), "{failure}");
            check_claim(&failure, drive.drive.disc().unwrap(), &plan, &result);
        }
    }
}

#[test]
fn a_new_disc_in_the_middle_is_noticed() {
    let (result, plan) = edit(WriteUnit::DVD, CrashClass::Recoverable);
    let mut drive = Incident {
        drive: recorded(MediumKind::DvdPlusRw),
        at: 1,
        seen: 0,
        strike: |drive: &mut Emulator| {
            drive.insert(VirtualDisc::formatted(MediumKind::DvdPlusRw));
        },
    };
    let failure = Recorder::new(&mut drive)
        .record_plan(&plan, &result, &mut go_on)
        .unwrap_err();
    assert!(
        matches!(failure.error, RecordError::MediumChanged { .. }),
        "{failure}"
    );
    let disc = drive.drive.disc().unwrap();
    assert!(
        content(disc, 300) == filled(300, 0),
        "the new disc is untouched"
    );
}

#[test]
fn a_drive_says_it_has_no_medium() {
    let mut drive = Emulator::new(reburn_emulator::DriveProfile::default());
    let error = inspect(&mut drive).unwrap_err();
    assert!(
        matches!(error, RecordError::NoMedium { sense } if sense.is(&Sense::NO_MEDIUM_TRAY_CLOSED))
    );
}
