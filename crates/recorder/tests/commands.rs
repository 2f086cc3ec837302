//! The exact commands that a recording consists of.

mod common;

use common::*;
use insta::assert_snapshot;
use reburn_recorder::Recorder;

#[test]
fn a_plan_is_recorded_epoch_by_epoch_with_barriers_between() {
    let mut drive = ScriptedDrive::dvd_plus_rw();
    let outcome = Recorder::new(&mut drive)
        .record_plan(&head_swap(), &filled(200, 7), &mut go_on)
        .unwrap();
    assert_snapshot!(outcome, @"recorded 80 blocks in 2 epochs, read 80 back");
    assert_snapshot!(drive.take_log(), @"
    INQUIRY
    TEST UNIT READY
    GET CONFIGURATION
    GET CONFIGURATION
    READ FORMAT CAPACITIES
    READ FORMAT CAPACITIES
    READ DISC INFORMATION
    READ CAPACITY
    PREVENT ALLOW MEDIUM REMOVAL true
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
}
