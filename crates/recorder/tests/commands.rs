//! The exact commands that a recording consists of, on a drive that plays by a script.

mod common;

use common::*;
use insta::assert_snapshot;
use reburn_blocks::{CrashClass, Plan, WriteUnit};
use reburn_mmc::reply::{BackgroundFormat, FormatKind};
use reburn_mmc::{Profile, Sense, SenseKey, Speed};
use reburn_recorder::{
    DiscState, Failure, Options, Outcome, RecordError, Recorder, Verify, inspect,
};

const UNVERIFIED: Options = Options {
    verify: Verify::None,
    ..Options::DEFAULT
};

/// Records a plan of sevens without reading them back.
fn record(drive: &mut ScriptedDrive, plan: &Plan) -> Result<Outcome, Failure> {
    let source = filled(200, 7);
    Recorder::with_options(drive, UNVERIFIED).record_plan(plan, &source, &mut go_on)
}

/// Checks that what a plan records is durable, and nothing else changed.
#[track_caller]
fn assert_recorded(drive: &ScriptedDrive, plan: &Plan) {
    for lba in 0..drive.blocks {
        let listed = plan
            .modified
            .ranges()
            .any(|range| range.contains(reburn_blocks::Lba::new(lba)));
        assert_eq!(
            drive.durable(lba),
            if listed { 7 } else { 0 },
            "block {lba}"
        );
    }
}

#[test]
fn a_plan_is_recorded_epoch_by_epoch_with_barriers_between() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let outcome = Recorder::new(&mut drive)
        .record_plan(&head_swap(), &filled(200, 7), &mut go_on)
        .unwrap();
    assert_snapshot!(outcome, @"recorded 80 blocks in 2 epochs, read 80 back");
    assert_snapshot!(drive.take_log(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    INQUIRY
    TEST UNIT READY
    GET CONFIGURATION
    GET CONFIGURATION
    READ FORMAT CAPACITIES
    READ FORMAT CAPACITIES
    READ DISC INFORMATION
    READ CAPACITY
    READ (10) 16
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    TEST UNIT READY
    REQUEST SENSE
    READ DISC INFORMATION
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    TEST UNIT READY
    REQUEST SENSE
    READ DISC INFORMATION
    READ DISC INFORMATION
    READ (10) 16-31 from the medium
    READ (10) 64-79 from the medium
    READ (10) 96-127 from the medium
    READ (10) 128-143 from the medium
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_recorded(&drive, &head_swap());
}

#[test]
fn an_image_is_recorded_whole_and_its_last_unit_filled_up() {
    let mut drive = ScriptedDrive::new(Profile::BD_RE, WriteUnit::BLU_RAY);
    drive.medium.extend((0..128).map(|lba| (lba, filled(1, 9))));
    let outcome = Recorder::new(&mut drive)
        .record_image(&filled(70, 7), &mut go_on)
        .unwrap();
    assert_snapshot!(outcome, @"recorded 96 blocks in 1 epoch, read 96 back");
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    WRITE (10) 0-31
    WRITE (10) 32-63
    WRITE (10) 64-95
    SYNCHRONIZE CACHE
    READ (10) 0-31 from the medium
    READ (10) 32-63 from the medium
    READ (10) 64-95 from the medium
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    let durable: Vec<u8> = (68..98).map(|lba| drive.durable(lba)).collect();
    let expected = [vec![7; 2], vec![0; 26], vec![9; 2]].concat();
    assert_eq!(durable, expected);
}

#[test]
fn a_plan_that_changes_nothing_sends_nothing() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let plan = plan(WriteUnit::DVD, CrashClass::Recoverable, &[], &[]);
    let outcome = Recorder::new(&mut drive)
        .record_plan(&plan, &filled(200, 7), &mut go_on)
        .unwrap();
    assert_snapshot!(outcome, @"nothing to record: the disc is already as the plan wants it");
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
}

#[test]
fn the_whole_result_is_read_back_if_asked_for() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let plan = plan(WriteUnit::DVD, CrashClass::Recoverable, &[], &[(16, 31)]);
    let mut result = filled(200, 0);
    result[16 * 2048..32 * 2048].fill(7);
    let options = Options {
        verify: Verify::Whole,
        ..Options::default()
    };
    let outcome = Recorder::with_options(&mut drive, options)
        .record_plan(&plan, &result, &mut go_on)
        .unwrap();
    assert_snapshot!(outcome, @"recorded 16 blocks in 1 epoch, read 200 back");
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    READ (10) 0-31 from the medium
    READ (10) 32-63 from the medium
    READ (10) 64-95 from the medium
    READ (10) 96-127 from the medium
    READ (10) 128-159 from the medium
    READ (10) 160-191 from the medium
    READ (10) 192-199 from the medium
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
}

#[test]
fn a_new_disc_and_a_reset_are_heard_out_before() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let reports = [Sense::POWER_ON_RESET, Sense::MEDIUM_CHANGED].map(Twist::Says);
    drive.twist("TEST UNIT READY", 0, &reports);
    record(&mut drive, &head_swap()).unwrap();
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_drive_that_becomes_ready_is_waited_for() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist(
        "TEST UNIT READY",
        0,
        &[Twist::Says(Sense::BECOMING_READY); 3],
    );
    let medium = inspect(&mut drive).unwrap();
    assert_eq!(
        (medium.write_unit, medium.capacity.get()),
        (WriteUnit::DVD, 512)
    );
    let log = drive.take_log();
    let start = log.lines().take(11).collect::<Vec<_>>().join("\n");
    assert_snapshot!(start, @"
    INQUIRY
    TEST UNIT READY
      not ready: logical unit is in process of becoming ready (2/04/01)
      wait 10ms
    TEST UNIT READY
      not ready: logical unit is in process of becoming ready (2/04/01)
      wait 20ms
    TEST UNIT READY
      not ready: logical unit is in process of becoming ready (2/04/01)
      wait 40ms
    TEST UNIT READY
    ");
}

#[test]
fn a_drive_that_sleeps_is_started_once() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("TEST UNIT READY", 0, &[Twist::Says(Sense::START_NEEDED)]);
    inspect(&mut drive).unwrap();
    assert!(
        drive
            .take_log()
            .contains("START STOP UNIT\nTEST UNIT READY")
    );
    drive.twist("TEST UNIT READY", 0, &[Twist::Says(Sense::START_NEEDED); 9]);
    let error = inspect(&mut drive).unwrap_err();
    assert_snapshot!(wrapped(&error), @"
    TEST UNIT READY failed: not ready: logical unit not ready, initializing command required
      (2/04/02)
    ");
}

#[test]
fn a_full_buffer_is_waited_for() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist(
        "WRITE (10)",
        1,
        &[Twist::Says(Sense::LONG_WRITE_IN_PROGRESS); 2],
    );
    record(&mut drive, &head_swap()).unwrap();
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-79
    WRITE (10) 96-127
      not ready: logical unit not ready, long write in progress (2/04/08)
      wait 10ms
    WRITE (10) 96-127
      not ready: logical unit not ready, long write in progress (2/04/08)
      wait 20ms
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_write_error_is_tried_again() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 1, &[Twist::Says(Sense::WRITE_ERROR.at(112))]);
    let outcome = record(&mut drive, &head_swap()).unwrap();
    assert_snapshot!(outcome, @"recorded 80 blocks in 2 epochs with 1 retry");
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-79
    WRITE (10) 96-127
      medium error: write error (3/0C/00) at block 112
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_late_error_repeats_what_the_buffer_may_have_lost() {
    // Code 70h, but of blocks sent before: some drives report what is late as if it were not.
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 0, &[Twist::Lies, Twist::Lies]);
    drive.twist("WRITE (10)", 2, &[Twist::Says(Sense::WRITE_ERROR.at(113))]);
    record(&mut drive, &head_swap()).unwrap();
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-79
      done, it lies
    WRITE (10) 96-127
      done, it lies
    WRITE (10) 128-143
      medium error: write error (3/0C/00) at block 113
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_late_error_goes_back_no_further_than_any_buffer_reaches() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.blocks = 20_000;
    // The image is sent in 313 commands; its last 8192 blocks are within reach.
    let late = Sense::WRITE_ERROR.as_deferred();
    drive.twist(
        "SYNCHRONIZE CACHE",
        0,
        &[Twist::Says(late.at(9000)), Twist::Says(late.at(70))],
    );
    Recorder::with_options(&mut drive, UNVERIFIED)
        .record_image(&filled(10_000, 7), &mut go_on)
        .unwrap();
    let log = drive.take_actions();
    let after = |line: &&str| {
        log.split(line)
            .nth(1)
            .unwrap()
            .lines()
            .nth(1)
            .unwrap()
            .to_owned()
    };
    assert_eq!(after(&"at block 9000"), "WRITE (10) 1808-1823");
    assert_eq!(after(&"at block 70"), "WRITE (10) 64-95");
}

#[test]
fn a_report_at_the_barrier_repeats_the_barrier() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let report = Twist::Says(Sense::MODE_PARAMETERS_CHANGED);
    drive.twist("SYNCHRONIZE CACHE", 0, &[report]);
    record(&mut drive, &head_swap()).unwrap();
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
      unit attention: mode parameters changed (6/2A/01)
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_late_error_without_a_block_repeats_the_epoch() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 1, &[Twist::Lies]);
    let late = Sense::WRITE_ERROR.as_deferred();
    drive.twist("WRITE (10)", 2, &[Twist::Says(late)]);
    record(&mut drive, &head_swap()).unwrap();
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-79
    WRITE (10) 96-127
      done, it lies
    WRITE (10) 128-143
      deferred medium error: write error (3/0C/00)
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_reset_repeats_the_epoch_and_locks_again() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 2, &[Twist::Resets]);
    record(&mut drive, &head_swap()).unwrap();
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
      unit attention: power on, reset, or bus device reset occurred (6/29/00)
    PREVENT ALLOW MEDIUM REMOVAL true
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_recorded(&drive, &head_swap());
    assert!(!drive.locked);
}

#[test]
fn a_reset_at_the_barrier_repeats_the_epoch() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("SYNCHRONIZE CACHE", 0, &[Twist::Resets]);
    let outcome = record(&mut drive, &head_swap()).unwrap();
    assert_eq!(outcome.retries, 1);
    assert_recorded(&drive, &head_swap());
}

#[test]
fn other_attentions_repeat_the_command() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist(
        "WRITE (10)",
        2,
        &[Twist::Says(Sense::MODE_PARAMETERS_CHANGED)],
    );
    record(&mut drive, &head_swap()).unwrap();
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
      unit attention: mode parameters changed (6/2A/01)
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_recorded(&drive, &head_swap());
}

#[test]
fn no_epoch_begins_while_the_drive_still_writes() {
    let busy = [Twist::Says(Sense::OPERATION_IN_PROGRESS); 2];
    for question in ["TEST UNIT READY", "REQUEST SENSE", "READ DISC INFORMATION"] {
        let mut drive = ScriptedDrive::dvd_plus_rw();
        let asked_before = usize::from(question != "REQUEST SENSE");
        drive.twist(question, asked_before, &busy);
        record(&mut drive, &head_swap()).unwrap();
        let log = drive.take_log();
        let between = log.split("WRITE (10) 16-31").next().unwrap();
        let waits = between
            .split("SYNCHRONIZE CACHE")
            .nth(1)
            .unwrap()
            .matches("  wait")
            .count();
        assert_eq!(waits, 2, "{question} says it is busy:\n{log}");
    }
}

#[test]
fn a_format_in_the_background_holds_nothing_up() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let formatting = Sense::FORMAT_IN_PROGRESS.with_progress(0x1000);
    drive.twist("REQUEST SENSE", 0, &[Twist::Says(formatting); 2]);
    record(&mut drive, &head_swap()).unwrap();
    assert!(!drive.take_log().contains("wait"));
}

#[test]
fn a_failure_that_only_request_sense_tells_is_noticed() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let late = Sense::WRITE_ERROR.as_deferred().at(64);
    drive.twist("REQUEST SENSE", 0, &[Twist::Says(late)]);
    let outcome = record(&mut drive, &head_swap()).unwrap();
    assert_eq!(outcome.retries, 1);
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    TEST UNIT READY
      deferred medium error: write error (3/0C/00) at block 64
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
}

#[test]
fn retries_are_counted_and_end() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist(
        "WRITE (10)",
        0,
        &[Twist::Says(Sense::WRITE_ERROR.at(64)); 99],
    );
    let failure = record(&mut drive, &head_swap()).unwrap_err();
    assert_snapshot!(wrapped(&failure), @"
    blocks cannot be written: WRITE (10) of blocks 64-79 failed: medium error: write error
      (3/0C/00) at block 64; use another disc, or clean this one; the disc still shows the
      old tree, and the plan can be recorded again
    ");
    let writes = drive
        .log
        .iter()
        .filter(|line| line.starts_with("WRITE"))
        .count();
    assert_eq!(writes, 4, "once, and three retries");
    assert!(!drive.locked);
}

#[test]
fn a_drive_without_a_lock_records() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist(
        "PREVENT ALLOW MEDIUM REMOVAL",
        0,
        &[Twist::Says(Sense::INVALID_COMMAND); 9],
    );
    record(&mut drive, &head_swap()).unwrap();
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_drive_that_cannot_read_past_its_buffer_is_read_as_it_can() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    // The first READ is that of the fingerprint.
    drive.twist("READ (10)", 1, &[Twist::Says(Sense::INVALID_FIELD_IN_CDB)]);
    let plan = plan(
        WriteUnit::DVD,
        CrashClass::Recoverable,
        &[(64, 95)],
        &[(16, 31)],
    );
    Recorder::new(&mut drive)
        .record_plan(&plan, &filled(200, 7), &mut go_on)
        .unwrap();
    let log = drive.take_actions();
    let end = log.split("TEST UNIT READY").last().unwrap();
    assert_snapshot!(end, @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    WRITE (10) 64-95
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    READ (10) 16-31 from the medium
      illegal request: invalid field in CDB (5/24/00)
    READ (10) 16-31
    READ (10) 64-95
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
}

#[test]
fn a_speed_is_set_if_asked_for() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let options = Options {
        speed: Some(Speed::DVD_1X.times(2)),
        ..UNVERIFIED
    };
    Recorder::with_options(&mut drive, options)
        .record_plan(&head_swap(), &filled(200, 7), &mut go_on)
        .unwrap();
    assert!(
        drive
            .take_log()
            .contains("SET CD SPEED 2770 kB/s\nWRITE (10) 64-79")
    );
}

#[test]
fn a_stopped_background_format_goes_on_and_is_ended() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.disc.background_format = BackgroundFormat::Stopped;
    record(&mut drive, &head_swap()).unwrap();
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    READ (10) 16
    FORMAT UNIT
      26h, 4294967295 blocks, parameter 0x1
    WRITE (10) 64-79
    WRITE (10) 96-127
    WRITE (10) 128-143
    SYNCHRONIZE CACHE
    WRITE (10) 16-31
    SYNCHRONIZE CACHE
    CLOSE TRACK SESSION StopFormat
    CLOSE TRACK SESSION Session
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
}

#[test]
fn a_blank_dvd_plus_rw_is_formatted_before_and_closed_after() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.formatted = false;
    drive.formats.push(way(FormatKind::DVD_PLUS_RW, 512, 0));
    let busy = Sense::FORMAT_IN_PROGRESS;
    let progress = [busy, busy.with_progress(0x4000)].map(Twist::Says);
    drive.twist("TEST UNIT READY", 1, &progress);
    let outcome = Recorder::with_options(&mut drive, UNVERIFIED)
        .record_image(&filled(20, 7), &mut go_on)
        .unwrap();
    assert!(outcome.formatted);
    assert_snapshot!(drive.take_actions(), @"
    PREVENT ALLOW MEDIUM REMOVAL true
    FORMAT UNIT
      26h, 4294967295 blocks, parameter 0x0
    TEST UNIT READY
      not ready: logical unit not ready, format in progress (2/04/04)
      wait 1s
    TEST UNIT READY
      not ready: logical unit not ready, format in progress (2/04/04), 25 % done
      wait 1s
    WRITE (10) 0-31
    SYNCHRONIZE CACHE
    CLOSE TRACK SESSION StopFormat
    CLOSE TRACK SESSION Session
    PREVENT ALLOW MEDIUM REMOVAL false
    ");
    assert_eq!(drive.disc.background_format, BackgroundFormat::Stopped);
}

#[test]
fn a_drive_that_will_not_close_has_recorded_all_the_same() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.disc.background_format = BackgroundFormat::Running;
    let refused = Twist::Says(Sense::COMMAND_SEQUENCE_ERROR);
    drive.twist("CLOSE TRACK SESSION", 0, &[refused, refused]);
    record(&mut drive, &head_swap()).unwrap();
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_drive_that_vanishes_ends_it() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 3, &[Twist::Vanishes; 1]);
    let failure = record(&mut drive, &head_swap()).unwrap_err();
    assert_snapshot!(wrapped(&failure), @"
    WRITE (10): the drive does not answer: unplugged; every block was sent, but the drive
      did not confirm the last ones: the disc may show neither the old tree nor the new one;
      record the plan again to finish it, or bring one of them back by one write (`reburn
      check --repair`)
    ");
    let class = CrashClass::Recoverable;
    assert_eq!(failure.state, DiscState::Unconfirmed { class });
}

#[test]
fn another_medium_ends_it() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 1, &[Twist::Says(Sense::MEDIUM_CHANGED)]);
    let failure = record(&mut drive, &head_swap()).unwrap_err();
    assert_snapshot!(wrapped(&failure), @"
    the medium may have been changed during recording: unit attention: not ready to ready
      change, medium may have changed (6/28/00); the disc still shows the old tree, and the
      plan can be recorded again
    ");
    assert!(!drive.locked);
}

#[test]
fn another_medium_reported_after_a_reset_ends_it() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 1, &[Twist::Resets]);
    let changed = Twist::Says(Sense::MEDIUM_CHANGED);
    drive.twist("PREVENT ALLOW MEDIUM REMOVAL", 1, &[changed]);
    let failure = record(&mut drive, &head_swap()).unwrap_err();
    assert!(
        matches!(failure.error, RecordError::MediumChanged { .. }),
        "{failure}"
    );
    assert_eq!([64, 96].map(|lba| drive.durable(lba)), [0, 0]);
}

#[test]
fn a_reset_reported_while_the_drive_is_started_is_not_lost() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("WRITE (10)", 1, &[Twist::Says(Sense::START_NEEDED)]);
    drive.twist("START STOP UNIT", 0, &[Twist::Resets]);
    record(&mut drive, &head_swap()).unwrap();
    assert_recorded(&drive, &head_swap());
}

#[test]
fn a_refused_write_changes_nothing() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist(
        "WRITE (10)",
        0,
        &[Twist::Says(Sense::new(SenseKey::DataProtect, 0x27, 1))],
    );
    let failure = record(&mut drive, &head_swap()).unwrap_err();
    assert_snapshot!(wrapped(&failure), @"
    the DVD+RW is write-protected: open the write protection of the disc or its cartridge;
      nothing was recorded
    ");
    assert_eq!(failure.state, DiscState::Unchanged);
}
