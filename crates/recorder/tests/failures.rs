//! What is refused, what fails, and what is said of the disc then.

mod common;

use std::fmt::Write as _;
use std::ops::ControlFlow;

use common::*;
use insta::assert_snapshot;
use reburn_blocks::{
    BlockCount, BlockRange, BlockRead, CrashClass, Digest, Fingerprint, FingerprintPart, Lba, Plan,
    ReadError, WriteUnit,
};
use reburn_drive::ImageFileDrive;
use reburn_mmc::{Profile, Sense};
use reburn_recorder::{
    DiscState, Event, Failure, FormatPolicy, Options, RecordError, Recorder, Verify,
};

/// What a failure says, with its kind, one line each.
fn told(cases: &[(&str, Failure)]) -> String {
    cases
        .iter()
        .fold(String::new(), |mut text, (case, failure)| {
            let line = format!("{case} ({:?}): {failure}", failure.kind());
            writeln!(text, "{}", wrapped(&line)).unwrap();
            text
        })
}

fn record(drive: &mut ScriptedDrive, plan: &Plan) -> Failure {
    let failure = Recorder::new(drive)
        .record_plan(plan, &filled(200, 7), &mut go_on)
        .unwrap_err();
    assert!(!drive.locked, "the medium stays locked after: {failure}");
    failure
}

/// [`record`] on a drive prepared by `prepare`; nothing may have been written.
fn refused(plan: &Plan, prepare: impl FnOnce(&mut ScriptedDrive)) -> Failure {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    prepare(&mut drive);
    let failure = record(&mut drive, plan);
    assert_eq!(failure.state, DiscState::Unchanged, "{failure}");
    assert!(
        !drive.take_log().contains("WRITE"),
        "something was written: {failure}"
    );
    failure
}

#[test]
fn media_that_cannot_take_the_plan() {
    let plan = head_swap();
    let cases = [
        (
            "no medium",
            refused(&plan, |drive| {
                drive.twist(
                    "TEST UNIT READY",
                    0,
                    &[Twist::Says(Sense::NO_MEDIUM_TRAY_OPEN)],
                );
            }),
        ),
        (
            "never ready",
            refused(&plan, |drive| {
                drive.twist(
                    "TEST UNIT READY",
                    0,
                    &[Twist::Says(Sense::BECOMING_READY); 99],
                );
            }),
        ),
        (
            "write-protected",
            refused(&plan, |drive| drive.write_protected = true),
        ),
        (
            "write-once",
            refused(&plan, |drive| {
                drive.profile = Profile::BD_R_SEQUENTIAL;
                drive.write_protected = true;
            }),
        ),
        ("blank", refused(&plan, |drive| drive.formatted = false)),
        ("too small", refused(&plan, |drive| drive.blocks = 143)),
        (
            "larger write unit",
            refused(&plan, |drive| {
                drive.profile = Profile::BD_RE;
                drive.unit = WriteUnit::BLU_RAY;
            }),
        ),
        (
            "large blocks",
            refused(&plan, |drive| drive.block_size = 4096),
        ),
        (
            "absurd write unit",
            refused(&plan, |drive| {
                drive.unit = WriteUnit::new(4096).unwrap();
            }),
        ),
    ];
    assert_snapshot!(told(&cases), @"
    no medium (Drive): the drive has no medium (not ready: medium not present, tray open
      (2/3A/02)): insert a disc; nothing was recorded
    never ready (Drive): the drive was not ready after 60 s (not ready: logical unit is in
      process of becoming ready (2/04/01)): wait and try again; nothing was recorded
    write-protected (Drive): the DVD+RW is write-protected: open the write protection of the
      disc or its cartridge; nothing was recorded
    write-once (Drive): the plan overwrites blocks, and the BD-R (sequential) can only be
      appended to: make the plan from the disc itself, which tells where it goes on; nothing
      was recorded
    blank (WrongDisc): the DVD+RW is blank, and the plan changes the disc 'ARCHIVE': insert
      that disc; nothing was recorded
    too small (Drive): 144 blocks are needed, but the DVD+RW has 143: use a larger disc;
      nothing was recorded
    larger write unit (Drive): the plan is made for write units of 16 blocks, but the BD-RE
      records 32 blocks at once, so the plan's order would not protect it: make the plan for
      this kind of medium; nothing was recorded
    large blocks (Drive): the drive reports blocks of 4096 bytes, which no disc has: try
      another drive; nothing was recorded
    absurd write unit (Drive): the drive reports write units of 4096 blocks, which no disc
      has: try another drive; nothing was recorded
    ");
}

#[test]
fn discs_that_are_not_the_plans() {
    let plan = head_swap();
    let cases = [
        (
            "another disc",
            refused(&plan, |drive| {
                drive.medium.insert(16, filled(1, 1));
            }),
        ),
        (
            "unreadable",
            refused(&plan, |drive| {
                let unreadable = Sense::UNCORRECTABLE_ERROR.at(16);
                drive.twist("READ (10)", 0, &[Twist::Says(unreadable); 9]);
            }),
        ),
        (
            "removed",
            refused(&plan, |drive| {
                drive.twist("READ (10)", 0, &[Twist::Says(Sense::NO_MEDIUM)]);
            }),
        ),
        (
            "changed",
            refused(&plan, |drive| {
                drive.twist("READ (10)", 0, &[Twist::Says(Sense::MEDIUM_CHANGED)]);
            }),
        ),
    ];
    assert_snapshot!(told(&cases), @"
    another disc (WrongDisc): the disc is not 'ARCHIVE' as the plan knows it: block 16
      differs; insert that disc, or make a new plan for this one; nothing was recorded
    unreadable (Drive): the disc cannot be compared with what the plan expects: block 16
      cannot be read: READ (10) of block 16 failed: medium error: L-EC uncorrectable error
      (3/11/05) at block 16; nothing was recorded
    removed (Drive): the drive has no medium (not ready: medium not present (2/3A/00)):
      insert a disc; nothing was recorded
    changed (Drive): the medium may have been changed during recording: unit attention: not
      ready to ready change, medium may have changed (6/28/00); nothing was recorded
    ");
}

#[test]
fn plans_and_sources_that_do_not_fit() {
    let no_fingerprint = Plan {
        base: Fingerprint::default(),
        ..head_swap()
    };
    let longer = Plan {
        total_blocks: BlockCount::new(201),
        ..head_swap()
    };
    let past_the_end = BlockRange::new(Lba::new(500), Lba::new(600)).unwrap();
    let part = FingerprintPart {
        range: past_the_end,
        digest: Digest::of(b""),
    };
    let of_a_larger_disc = Plan {
        base: Fingerprint { parts: vec![part] },
        ..head_swap()
    };
    let cases = [
        ("no fingerprint", refused(&no_fingerprint, |_| {})),
        ("short source", refused(&longer, |_| {})),
        (
            "fingerprint past the end",
            refused(&of_a_larger_disc, |_| {}),
        ),
    ];
    assert_snapshot!(told(&cases), @"
    no fingerprint (WrongDisc): the plan does not say what its disc looks like: make it
      again; nothing was recorded
    short source (Source): the source has 200 blocks, but the plan's result has 201: they do
      not belong together; nothing was recorded
    fingerprint past the end (WrongDisc): the disc is not 'ARCHIVE' as the plan knows it:
      blocks 500-600 differ; insert that disc, or make a new plan for this one; nothing was
      recorded
    ");

    let mut drive = ScriptedDrive::dvd_plus_rw();
    let failure = Recorder::new(&mut drive)
        .record_image(&filled(0, 0), &mut go_on)
        .unwrap_err();
    assert_snapshot!(wrapped(&failure), @"the image has no blocks: nothing can be recorded; nothing was recorded");
}

/// Blocks of a plan and no others.
struct OnlyRecorded(Plan);

impl BlockRead for OnlyRecorded {
    fn block_count(&self) -> BlockCount {
        self.0.total_blocks
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        buf.fill(7);
        if self.0.modified.ranges().any(|range| range.contains(start)) {
            return Ok(());
        }
        Err(ReadError::Unreadable {
            lba: start,
            reason: "the plan does not hold it".into(),
        })
    }
}

#[test]
fn the_whole_disc_is_only_verified_against_the_whole_result() {
    let source = OnlyRecorded(head_swap());
    let options = Options {
        verify: Verify::Whole,
        ..Options::default()
    };
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let failure = Recorder::with_options(&mut drive, options)
        .record_plan(&source.0, &source, &mut go_on)
        .unwrap_err();
    assert_snapshot!(told(&[("saved plan", failure)]), @"
    saved plan (Source): the whole disc cannot be verified: block 0 cannot be read: the plan
      does not hold it; verify only what is recorded, or record from the whole result;
      nothing was recorded
    ");
    assert!(!drive.take_log().contains("WRITE"));
}

/// A source that fails from a block on.
struct FailsFrom(u32);

impl BlockRead for FailsFrom {
    fn block_count(&self) -> BlockCount {
        BlockCount::new(200)
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        buf.fill(7);
        if start.get() < self.0 {
            return Ok(());
        }
        let (what, reason) = (
            "photos/a.jpg".into(),
            "it has become shorter; record again".into(),
        );
        Err(ReadError::Content { what, reason })
    }
}

#[test]
fn a_source_that_fails_leaves_what_was_sent_on_the_disc() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let failure = Recorder::new(&mut drive)
        .record_plan(&head_swap(), &FailsFrom(100), &mut go_on)
        .unwrap_err();
    assert_snapshot!(told(&[("source", failure)]), @"
    source (Source): the source failed: photos/a.jpg: it has become shorter; record again;
      the disc still shows the old tree, and the plan can be recorded again
    ");
    assert_eq!([64, 96].map(|lba| drive.durable(lba)), [7, 7], "flushed");
    assert!(!drive.locked);
}

/// A failure of the `skip`th WRITE and of every one after it.
fn broken_from(skip: usize, class: CrashClass) -> Failure {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", skip, &[Twist::Says(Sense::WRITE_ERROR); 99]);
    let commit = [(16, 31), (160, 175)];
    record(
        &mut drive,
        &plan(WriteUnit::DVD, class, &[(64, 79), (96, 143)], &commit),
    )
}

#[test]
fn write_errors_say_what_the_disc_shows() {
    let cases = [
        ("shadow", broken_from(1, CrashClass::Recoverable)),
        (
            "commit, recoverable",
            broken_from(3, CrashClass::Recoverable),
        ),
        ("commit, atomic", broken_from(3, CrashClass::Atomic)),
        ("last unit", broken_from(4, CrashClass::Recoverable)),
        ("no class", broken_from(1, CrashClass::None)),
    ];
    assert_snapshot!(told(&cases), @"
    shadow (Drive): blocks cannot be written: WRITE (10) of blocks 64-79 failed: medium
      error: write error (3/0C/00); use another disc, or clean this one; the disc still
      shows the old tree, and the plan can be recorded again
    commit, recoverable (Drive): blocks cannot be written: WRITE (10) of blocks 16-31
      failed: medium error: write error (3/0C/00); use another disc, or clean this one; the
      disc may show neither the old tree nor the new one; record the plan again to finish
      it, or bring one of them back by one write (`reburn check --repair`)
    commit, atomic (Drive): blocks cannot be written: WRITE (10) of blocks 16-31 failed:
      medium error: write error (3/0C/00); use another disc, or clean this one; the disc
      shows the old tree or the new one, whole; record the plan again to finish it, or
      repair the disc (`reburn check --repair`)
    last unit (Drive): blocks cannot be written: WRITE (10) of blocks 16-31 failed: medium
      error: write error (3/0C/00); use another disc, or clean this one; every block was
      sent, but the drive did not confirm the last ones: the disc may show neither the old
      tree nor the new one; record the plan again to finish it, or bring one of them back by
      one write (`reburn check --repair`)
    no class (Drive): blocks cannot be written: WRITE (10) of blocks 64-79 failed: medium
      error: write error (3/0C/00); use another disc, or clean this one; up to 48 of 96
      blocks are new and the others old, so the disc may show neither state; record the
      whole image
    ");
}

#[test]
fn a_barrier_that_fails_confirms_nothing() {
    let failed = [Twist::Says(Sense::INTERNAL_FAILURE); 99];
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("SYNCHRONIZE CACHE", 0, &failed);
    let first = record(&mut drive, &head_swap());
    assert!(
        !drive.take_log().contains("WRITE (10) 16-31"),
        "no commit without a barrier"
    );
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("SYNCHRONIZE CACHE", 1, &failed);
    let last = record(&mut drive, &head_swap());
    assert_snapshot!(told(&[("first barrier", first), ("last barrier", last)]), @"
    first barrier (Drive): blocks cannot be written: SYNCHRONIZE CACHE failed: hardware
      error: internal target failure (4/44/00); use another disc, or clean this one; the
      disc still shows the old tree, and the plan can be recorded again
    last barrier (Drive): blocks cannot be written: SYNCHRONIZE CACHE failed: hardware
      error: internal target failure (4/44/00); use another disc, or clean this one; every
      block was sent, but the drive did not confirm the last ones: the disc may show neither
      the old tree nor the new one; record the plan again to finish it, or bring one of them
      back by one write (`reburn check --repair`)
    ");
}

#[test]
fn an_image_that_fails_half_way() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 2, &[Twist::Says(Sense::WRITE_ERROR); 99]);
    let image = Recorder::new(&mut drive)
        .record_image(&filled(100, 7), &mut go_on)
        .unwrap_err();
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.blocks = 90;
    let small = Recorder::new(&mut drive)
        .record_image(&filled(100, 7), &mut go_on)
        .unwrap_err();
    assert_snapshot!(told(&[("write error", image), ("too small", small)]), @"
    write error (Drive): blocks cannot be written: WRITE (10) of blocks 0-31 failed: medium
      error: write error (3/0C/00); use another disc, or clean this one; the disc holds up
      to 96 of 112 blocks of the image and shows nothing whole; record the image again
    too small (Drive): 112 blocks are needed, but the DVD+RW has 90: use a larger disc;
      nothing was recorded
    ");
}

#[test]
fn a_full_host_is_no_write_error() {
    let mut drive = ScriptedDrive::new(Profile::REMOVABLE_DISK, WriteUnit::FILE);
    drive.twist(
        "WRITE (10)",
        1,
        &[Twist::Says(Sense::SPACE_ALLOCATION_FAILED)],
    );
    let failure = Recorder::new(&mut drive)
        .record_image(&filled(100, 7), &mut go_on)
        .unwrap_err();
    assert_snapshot!(told(&[("full", failure)]), @"
    full (Drive): the host has no space left for the image file (data protect: space
      allocation failed write protect (7/27/07)): make room and try again; the disc holds up
      to 64 of 100 blocks of the image and shows nothing whole; record the image again
    ");
}

#[test]
fn verification_counts_what_is_wrong() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.medium.insert(128, filled(1, 7)); // one block happens to be right
    drive.twist("WRITE (10)", 2, &[Twist::Lies]); // blocks 128-143
    let lost = record(&mut drive, &head_swap());

    // The fourth READ is of blocks 96-127; the write units are then read alone, 96-111 in vain.
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let unreadable = Twist::Says(Sense::UNCORRECTABLE_ERROR.at(100));
    drive.twist("READ (10)", 3, &[unreadable, unreadable]);
    let unreadable = record(&mut drive, &head_swap());

    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("READ (10)", 2, &[Twist::Vanishes]);
    let gone = record(&mut drive, &head_swap());
    let cases = [("lost", lost), ("unreadable", unreadable), ("gone", gone)];
    assert_snapshot!(told(&cases), @"
    lost (Verification): verification failed: of 80 blocks compared, 15 differ and 0 cannot
      be read, the first is block 129; record again, on another disc if it happens twice;
      every block was recorded
    unreadable (Verification): verification failed: of 80 blocks compared, 0 differ and 16
      cannot be read, the first is block 96; record again, on another disc if it happens
      twice; every block was recorded
    gone (Drive): READ (10): the drive does not answer: unplugged; every block was recorded
    ");
}

#[test]
fn stopping_the_verification_keeps_what_it_found() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 0, &[Twist::Lies]);
    let mut stop_at_once = |event: Event| match event {
        Event::Verifying { done, .. } if done.get() >= 48 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let failure = Recorder::new(&mut drive)
        .record_plan(&head_swap(), &filled(200, 7), &mut stop_at_once)
        .unwrap_err();
    assert_snapshot!(told(&[("stopped", failure)]), @"
    stopped (Verification): verification failed: of 64 blocks compared, 16 differ and 0
      cannot be read, the first is block 64; record again, on another disc if it happens
      twice; every block was recorded
    ");
}

#[test]
fn formats_that_are_not_possible() {
    let image = filled(100, 7);
    let unformatted = || {
        let mut drive = ScriptedDrive::new(Profile::BD_RE, WriteUnit::BLU_RAY);
        drive.formatted = false;
        drive
    };
    let fails = |mut drive: ScriptedDrive, format| {
        let options = Options {
            format,
            ..Options::default()
        };
        let mut recorder = Recorder::with_options(&mut drive, options);
        recorder.record_image(&image, &mut go_on).unwrap_err()
    };
    let enough = way(reburn_mmc::reply::FormatKind::FULL, 512, 0x3000);
    let with_way = || {
        let mut drive = unformatted();
        drive.formats.push(enough);
        drive
    };
    let refuses = || {
        let mut drive = with_way();
        drive.twist(
            "FORMAT UNIT",
            0,
            &[Twist::Says(Sense::CANNOT_FORMAT_MEDIUM)],
        );
        drive
    };
    let protected = || {
        let mut drive = with_way();
        drive.twist("FORMAT UNIT", 0, &[Twist::Says(Sense::WRITE_PROTECTED)]);
        drive
    };
    let breaks = || {
        let mut drive = with_way();
        drive.twist("TEST UNIT READY", 1, &[Twist::Says(Sense::FORMAT_FAILED)]);
        drive
    };
    let cases = [
        ("not allowed", fails(with_way(), FormatPolicy::Never)),
        ("no way", fails(unformatted(), FormatPolicy::IfNeeded)),
        ("refused", fails(refuses(), FormatPolicy::IfNeeded)),
        ("protected", fails(protected(), FormatPolicy::IfNeeded)),
        ("broken", fails(breaks(), FormatPolicy::IfNeeded)),
    ];
    assert_snapshot!(told(&cases), @"
    not allowed (Drive): the BD-RE is not formatted: format it first, or allow formatting;
      nothing was recorded
    no way (Drive): the drive offers no format of the BD-RE with at least 100 blocks: use a
      larger disc; nothing was recorded
    refused (Drive): the BD-RE cannot be formatted: FORMAT UNIT failed: illegal request:
      cannot format medium, incompatible medium (5/30/06); try again or use another disc;
      nothing was recorded
    protected (Drive): the BD-RE is write-protected: open the write protection of the disc
      or its cartridge; nothing was recorded
    broken (Drive): the BD-RE cannot be formatted: TEST UNIT READY failed: medium error:
      format command failed (3/31/01); try again or use another disc; the format has begun,
      so what the disc held is gone; let the drive finish it, then record the whole image
    ");
}

#[test]
fn image_files_that_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc.img");
    std::fs::write(&path, filled(20, 0)).unwrap();
    let mut drive = ImageFileDrive::open_read_only(&path).unwrap();
    let failure = Recorder::new(&mut drive)
        .record_image(&filled(10, 7), &mut go_on)
        .unwrap_err();
    assert_snapshot!(told(&[("read-only", failure)]), @"
    read-only (Drive): the image file is write-protected: give yourself the right to write
      it; nothing was recorded
    ");
    assert_eq!(std::fs::read(&path).unwrap(), filled(20, 0));
}

#[test]
fn checking_a_plan_writes_nothing() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let medium = Recorder::new(&mut drive)
        .check_plan(&head_swap(), &filled(200, 7))
        .unwrap();
    assert_eq!(medium.profile, Profile::DVD_PLUS_RW);
    drive.medium.insert(16, filled(1, 1));
    let error = Recorder::new(&mut drive)
        .check_plan(&head_swap(), &filled(200, 7))
        .unwrap_err();
    assert!(matches!(error, RecordError::WrongDisc { .. }), "{error}");
    let log = drive.take_log();
    assert!(!log.contains("WRITE") && !log.contains("PREVENT"), "{log}");
}
