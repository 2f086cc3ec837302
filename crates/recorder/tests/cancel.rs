//! Stopping at every event: what is said of the disc is what is on it, and the medium is free.

mod common;

use std::ops::ControlFlow;

use common::*;
use reburn_blocks::{CrashClass, EpochRole, Plan, WriteUnit};
use reburn_mmc::Profile;
use reburn_mmc::reply::FormatKind;
use reburn_recorder::{DiscState, ErrorKind, Event, Failure, Outcome, Recorder};

/// Stops at the event with this number.
struct StopAt {
    number: usize,
    seen: usize,
}

impl StopAt {
    fn event(&mut self, _: Event) -> ControlFlow<()> {
        self.seen += 1;
        if self.seen > self.number {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Records again and again, stopping one event later each time, until nothing is left to stop.
fn stop_everywhere(
    new_drive: impl Fn() -> ScriptedDrive,
    record: impl Fn(&mut ScriptedDrive, &mut StopAt) -> Result<Outcome, Failure>,
    check: impl Fn(&ScriptedDrive, DiscState),
) -> Vec<DiscState> {
    let mut states = Vec::new();
    for number in 0.. {
        let mut drive = new_drive();
        let mut stop = StopAt { number, seen: 0 };
        let result = record(&mut drive, &mut stop);
        assert!(!drive.locked, "stopped at event {number}");
        let Err(failure) = result else {
            assert_eq!(stop.seen, number, "the last event was let pass");
            break;
        };
        assert_eq!(failure.kind(), ErrorKind::Cancelled, "{failure}");
        assert_eq!(
            stop.seen,
            number + 1,
            "nothing happens after the caller stopped it"
        );
        check(&drive, failure.state);
        if states.last() != Some(&failure.state) {
            states.push(failure.state);
        }
    }
    states
}

/// How many blocks of the epochs with this role are new on the medium, and how many there are.
fn recorded(drive: &ScriptedDrive, plan: &Plan, role: EpochRole) -> (usize, usize) {
    let epochs = plan
        .modified
        .epochs()
        .iter()
        .filter(|epoch| epoch.role == role);
    let blocks = epochs.flat_map(|epoch| epoch.ranges.iter());
    let new = blocks.flat_map(|range| range.start_lba().get()..range.end_exclusive());
    let durable: Vec<_> = new.map(|lba| drive.durable(lba) == 7).collect();
    (durable.iter().filter(|&&new| new).count(), durable.len())
}

fn plan_of(class: CrashClass) -> Plan {
    plan(
        WriteUnit::DVD,
        class,
        &[(64, 79), (96, 143)],
        &[(16, 31), (160, 191)],
    )
}

fn stop_plan(class: CrashClass) -> Vec<DiscState> {
    let plan = plan_of(class);
    let check = |drive: &ScriptedDrive, state| {
        let (shadow, all_shadow) = recorded(drive, &plan, EpochRole::Shadow);
        let (commit, all_commit) = recorded(drive, &plan, EpochRole::Commit);
        assert!(commit == 0 || shadow == all_shadow, "the order held");
        let (new, all) = (shadow + commit, all_shadow + all_commit);
        match state {
            DiscState::Unchanged => assert_eq!(new, 0),
            DiscState::OldTree => assert!(new > 0 && commit == 0, "{new}"),
            DiscState::Committing { .. } => assert!(commit > 0 && new < all, "{new} of {all}"),
            DiscState::Mixture { recorded, total } => {
                assert_eq!((recorded.as_usize(), total.as_usize()), (new, all));
                assert!(new > 0 && new < all);
            }
            DiscState::Recorded => assert_eq!(new, all),
            state => panic!("{state:?}"),
        }
    };
    stop_everywhere(
        ScriptedDrive::dvd_plus_rw,
        |drive, stop| {
            let mut events = |event| stop.event(event);
            Recorder::new(drive).record_plan(&plan, &filled(200, 7), &mut events)
        },
        check,
    )
}

#[test]
fn a_stopped_plan_says_which_tree_the_disc_shows() {
    for class in [CrashClass::Recoverable, CrashClass::Atomic] {
        let states = stop_plan(class);
        let expected = [
            DiscState::Unchanged,
            DiscState::OldTree,
            DiscState::Committing { class },
            DiscState::Recorded,
        ];
        assert_eq!(states, expected);
    }
}

#[test]
fn a_stopped_plan_without_a_class_says_how_much_is_new() {
    let states = stop_plan(CrashClass::None);
    assert_eq!(states.first(), Some(&DiscState::Unchanged));
    assert_eq!(states.last(), Some(&DiscState::Recorded));
    let counts: Vec<_> = states[1..states.len() - 1]
        .iter()
        .map(|state| match state {
            DiscState::Mixture { recorded, .. } => recorded.get(),
            state => panic!("{state:?}"),
        })
        .collect();
    assert_eq!(counts, [16, 48, 64, 80]);
}

#[test]
fn a_flush_that_a_reset_answers_confirms_nothing() {
    let class = CrashClass::Recoverable;
    let mut drive = ScriptedDrive::dvd_plus_rw();
    drive.twist("SYNCHRONIZE CACHE", 1, &[Twist::Resets]);
    let mut stop_at_the_end = |event: Event| match event {
        Event::Recorded { done, total } if done == total => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let failure = Recorder::new(&mut drive)
        .record_plan(&head_swap(), &filled(200, 7), &mut stop_at_the_end)
        .unwrap_err();
    assert_eq!(failure.state, DiscState::Unconfirmed { class });
    assert_eq!(drive.durable(16), 0);
}

#[test]
fn a_stopped_image_says_how_much_of_it_is_there() {
    let new_drive = || {
        let mut drive = ScriptedDrive::new(Profile::BD_RE, WriteUnit::BLU_RAY);
        drive.formatted = false;
        drive.formats.push(way(FormatKind::FULL, 512, 0x3000));
        let busy = reburn_mmc::Sense::FORMAT_IN_PROGRESS.with_progress(0x8000);
        drive.twist("TEST UNIT READY", 1, &[Twist::Says(busy); 2]);
        drive
    };
    let check = |drive: &ScriptedDrive, state| {
        let new = (0..512).filter(|&lba| drive.durable(lba) == 7).count();
        match state {
            DiscState::Unchanged | DiscState::Formatting | DiscState::Formatted => {
                assert_eq!(new, 0);
                assert_eq!(drive.formatted, state != DiscState::Unchanged);
            }
            DiscState::PartOfImage { recorded, .. } => assert_eq!(recorded.as_usize(), new),
            DiscState::Recorded => assert_eq!(new, 100),
            state => panic!("{state:?}"),
        }
    };
    let states = stop_everywhere(
        new_drive,
        |drive, stop| {
            let mut events = |event| stop.event(event);
            Recorder::new(drive).record_image(&filled(100, 7), &mut events)
        },
        check,
    );
    let told: Vec<_> = states.iter().map(wrapped).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    the format has begun, so what the disc held is gone; let the drive finish it, then
      record the whole image
    the disc is formatted and empty
    the disc holds up to 32 of 128 blocks of the image and shows nothing whole; record the
      image again
    the disc holds up to 64 of 128 blocks of the image and shows nothing whole; record the
      image again
    the disc holds up to 96 of 128 blocks of the image and shows nothing whole; record the
      image again
    every block was recorded
    ");
}
