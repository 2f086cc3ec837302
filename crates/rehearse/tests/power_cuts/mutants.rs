//! Recorders and plans that break their promise are caught: each mutant must be seen.

use std::time::Duration;

use reburn_blocks::{BlockRead, CrashClass, Plan};
use reburn_drive::{Data, Drive, Reply, TransportError};
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_image::{FileSystems, Medium};
use reburn_mmc::Cdb;
use reburn_rehearse::{Breach, Explorer, Options, Report, Trace};

use crate::sample;

const MEDIUM: Medium = Medium::DvdPlusRw;
const KIND: MediumKind = MediumKind::DvdPlusRw;

/// What a rehearsal finds of a changed trace.
fn mutated(
    file_systems: FileSystems,
    mutate: impl FnOnce(&Plan, Trace, &dyn BlockRead) -> (Plan, Trace),
) -> Report {
    let disc = sample::disc(MEDIUM, file_systems);
    sample::edit(&*disc, MEDIUM, |plan, result| {
        let trace = Trace::emulated(plan, result, &*disc, MEDIUM).unwrap();
        let (plan, trace) = mutate(plan, trace, &*disc);
        let explorer = Explorer::of_trace(&*disc, &plan, result, &trace, Options::default());
        explorer.unwrap().run()
    })
}

#[track_caller]
fn assert_caught(report: &Report, breach: Breach) {
    let mut violations = report.violations.iter();
    assert!(
        violations.any(|violation| violation.breach == breach),
        "{report:?}"
    );
}

#[test]
fn a_forgotten_barrier_before_the_commit() {
    for file_systems in [
        sample::iso(),
        sample::mirrored(),
        sample::plain(),
        sample::bridge(),
    ] {
        let report = mutated(file_systems, |plan, trace, _| {
            (plan.clone(), trace.without_barrier(0))
        });
        // Readers that look at the main copy first see nothing of it before all is there.
        assert_caught(&report, Breach::Commit);
    }
}

#[test]
fn a_forgotten_barrier_inside_the_commit() {
    let report = mutated(sample::mirrored(), |plan, trace, _| {
        (plan.clone(), trace.without_barrier(1))
    });
    assert_caught(&report, Breach::Commit);
}

#[test]
fn a_recorder_that_leaves_out_its_last_epoch() {
    let disc = sample::disc(MEDIUM, sample::iso());
    sample::edit(&*disc, MEDIUM, |plan, result| {
        let mut shorter = plan.clone();
        let epochs = plan.modified.epochs();
        shorter.modified = reburn_blocks::ModifiedBlocks::new(
            plan.modified.write_unit(),
            epochs[..epochs.len() - 1].iter().cloned(),
        );
        let trace = Trace::of_plan(&shorter, result).unwrap();
        let explorer = Explorer::of_trace(&*disc, plan, result, &trace, Options::default());
        assert_caught(&explorer.unwrap().run(), Breach::Incomplete);
    });
}

#[test]
fn a_recoverable_plan_that_calls_itself_atomic() {
    for file_systems in [sample::iso(), sample::plain()] {
        let report = mutated(file_systems.clone(), |plan, trace, _| {
            let class = CrashClass::Atomic;
            (
                Plan {
                    class,
                    ..plan.clone()
                },
                trace,
            )
        });
        // A torn head is seen by readers, a rewritten sequence by its place.
        let breach = match file_systems {
            FileSystems::Iso(_) => Breach::State,
            _ => Breach::Fixed,
        };
        assert_caught(&report, breach);
    }
}

#[test]
fn the_main_entry_before_its_mirror_is_still_whole() {
    // Either order leaves a readable entry at every moment: what the reader does not tell apart,
    // the explorer must not call a violation.
    let report = mutated(sample::mirrored(), |plan, trace, _| {
        (plan.clone(), trace.swapped(1, 2))
    });
    let refused = report
        .violations
        .iter()
        .filter(|found| found.breach == Breach::State);
    assert_eq!(refused.count(), 0, "{report:?}");
}

#[test]
fn the_commit_before_the_shadow() {
    for file_systems in [sample::iso(), sample::mirrored()] {
        let report = mutated(file_systems, |plan, trace, _| {
            let last = trace.epochs().len() - 1;
            (plan.clone(), trace.swapped(0, last))
        });
        assert_caught(&report, Breach::State);
    }
}

/// A drive that confirms barriers, and a wrapper that does not pass them on is seen by the trace.
struct Forgetful(Emulator);

impl Drive for Forgetful {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        const SYNCHRONIZE_CACHE: u8 = 0x35;
        if cdb.opcode() == SYNCHRONIZE_CACHE {
            let sense = reburn_mmc::Sense::INVALID_COMMAND;
            return Ok(Reply::refused(sense));
        }
        self.0.execute(cdb, data)
    }

    fn wait(&mut self, time: Duration) {
        self.0.wait(time);
    }
}

#[test]
fn a_barrier_that_the_drive_refuses_is_none() {
    let disc = sample::disc(MEDIUM, sample::iso());
    sample::edit(&*disc, MEDIUM, |plan, result| {
        let mut drive = Forgetful(Emulator::with_disc(VirtualDisc::formatted(KIND)));
        let trace = Trace::record(plan, result, &*disc, &mut drive, KIND.write_unit());
        assert!(
            trace.is_err(),
            "the recorder must not go on without a barrier"
        );
    });
}
