//! The checker is checked: a protocol that is broken in the code must be caught when its plan is
//! rehearsed. Runs with the feature `mutants`, as `cargo xtask test` does.

#[path = "power_cuts/sample.rs"]
#[allow(dead_code)] // other tests use the rest
mod sample;

use reburn_blocks::Protocol;
use reburn_image::{FileSystems, Medium, Mutant};
use reburn_rehearse::{Breach, Explorer, Options, Report};

const MEDIUM: Medium = Medium::BdRe;

/// What a rehearsal finds of an edit with a broken protocol.
fn rehearse(volume: &FileSystems, mutant: Option<Mutant>) -> (Protocol, Report) {
    let disc = sample::disc(MEDIUM, volume.clone());
    sample::edit_with(&*disc, MEDIUM, mutant, |plan, result| {
        let explorer = Explorer::new(&*disc, plan, result, Options::default());
        (plan.protocol, explorer.unwrap().run())
    })
}

#[track_caller]
fn assert_caught(volume: &FileSystems, mutant: Mutant, breaches: &[Breach]) {
    let (protocol, report) = rehearse(volume, Some(mutant));
    for breach in breaches {
        assert!(
            report
                .violations
                .iter()
                .any(|found| found.breach == *breach),
            "{protocol} with {mutant:?} goes unnoticed: {report:?}"
        );
    }
}

fn all() -> [FileSystems; 5] {
    [
        sample::iso(),
        sample::mirrored(),
        sample::sparable(),
        sample::plain(),
        sample::bridge(),
    ]
}

#[test]
fn what_is_not_broken_is_well() {
    let protocols = all().map(|volume| {
        let (protocol, report) = rehearse(&volume, None);
        assert_eq!(report.violations, [], "{protocol}");
        protocol
    });
    assert_eq!(
        protocols,
        [
            Protocol::HeadSwap,
            Protocol::MirrorFlip,
            Protocol::SparingRedo,
            Protocol::VdsFlip,
            Protocol::Bridge
        ]
    );
}

#[test]
fn each_barrier_is_missed() {
    for (volume, barriers) in all().iter().zip([1, 2, 2, 2, 3]) {
        for barrier in 0..barriers {
            assert_caught(volume, Mutant::BarrierDropped(barrier), &[Breach::Commit]);
        }
    }
}

#[test]
fn without_barriers_readers_see_neither_tree() {
    for volume in [sample::iso(), sample::mirrored(), sample::sparable()] {
        assert_caught(&volume, Mutant::NoBarriers, &[Breach::State]);
    }
}

#[test]
fn what_readers_follow_is_not_recorded_first() {
    for volume in all() {
        assert_caught(&volume, Mutant::LastFirst, &[Breach::State]);
    }
}

#[test]
fn the_second_copy_is_missed() {
    // Without it a torn entry or table leads to the old tree, of which nothing is left to lead to
    // the new one: the plan shows no second write, and a later cut no tree.
    for volume in [sample::mirrored(), sample::sparable(), sample::plain()] {
        let (_, whole) = rehearse(&volume, None);
        let (_, broken) = rehearse(&volume, Some(Mutant::SecondCopyForgotten));
        assert_eq!(whole.cost.rewritten, 2);
        assert_eq!(broken.cost.rewritten, 1);
    }
}

#[test]
fn a_write_unit_shared_with_live_data() {
    assert_caught(&sample::iso(), Mutant::UnitShared, &[Breach::Shadow]);
    // New data beside the metadata file's entry are lost with it, and the mirror leads there.
    assert_caught(&sample::mirrored(), Mutant::UnitShared, &[Breach::State]);
}

#[test]
fn the_first_integrity_descriptor_rewritten() {
    for volume in [sample::mirrored(), sample::sparable()] {
        assert_caught(&volume, Mutant::FirstIntegrityRewritten, &[Breach::Fixed]);
    }
}
