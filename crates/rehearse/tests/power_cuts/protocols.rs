//! Every protocol keeps what its class promises.

use reburn_blocks::CrashClass;
use reburn_image::{FileSystems, Medium};
use reburn_rehearse::{Explorer, Options, RepairFn, Report, mend};

use crate::sample;

fn rehearse(medium: Medium, file_systems: FileSystems) -> (Report, CrashClass) {
    let disc = sample::disc(medium, file_systems);
    sample::edit(&*disc, medium, |plan, result| {
        let options = Options::default();
        let repair: Box<RepairFn<'_>> = Box::new(|disc| mend(disc, medium));
        let explorer = Explorer::recorded(&*disc, plan, result, medium, options).unwrap();
        let mut explorer = explorer.with_repair(&*repair);
        let report = explorer.run();
        let visits: u64 = explorer
            .distinct_states()
            .iter()
            .map(|state| state.visits)
            .sum();
        assert!(visits >= report.visited);
        (report, plan.class)
    })
}

#[test]
fn head_swap() {
    for (medium, rewritten) in [(Medium::DvdPlusRw, 1), (Medium::BdRe, 1), (Medium::File, 2)] {
        let (report, class) = rehearse(medium, sample::iso());
        assert_eq!(class, CrashClass::Recoverable);
        assert_eq!(report.violations, []);
        assert_eq!(
            (report.cost.rewritten, report.cost.barriers),
            (rewritten, 2)
        );
        assert!(report.refused > 0 && report.new > 0 && report.other == 0);
    }
}

#[test]
fn mirror_flip() {
    for medium in [Medium::DvdPlusRw, Medium::BdRe] {
        let (report, class) = rehearse(medium, sample::mirrored());
        assert_eq!(class, CrashClass::Atomic);
        assert_eq!(report.violations, []);
        assert_eq!((report.cost.rewritten, report.cost.barriers), (2, 3));
        assert_eq!((report.refused, report.other), (0, 0));
    }
}

#[test]
fn sparing_redo() {
    for medium in [Medium::DvdPlusRw, Medium::BdRe] {
        let (report, class) = rehearse(medium, sample::sparable());
        assert_eq!(class, CrashClass::Atomic);
        assert_eq!(report.violations, []);
        assert_eq!((report.cost.rewritten, report.cost.barriers), (2, 3));
        assert_eq!((report.refused, report.other), (0, 0));
    }
}

#[test]
fn vds_flip() {
    for medium in [Medium::DvdPlusRw, Medium::BdRe] {
        let (report, _) = rehearse(medium, sample::plain());
        assert_eq!(report.violations, []);
        assert_eq!((report.cost.rewritten, report.cost.barriers), (2, 3));
        assert_eq!(report.other, 0);
    }
}

#[test]
fn bridge() {
    let (report, _) = rehearse(Medium::BdRe, sample::bridge());
    assert_eq!(report.violations, []);
    assert!(report.between > 0, "ISO 9660 changes first");
    assert!(report.repaired > 0 && report.cuts_in_repairs > 0);
    assert_eq!(report.other, 0);
}

#[test]
fn files() {
    for file_systems in [sample::mirrored(), sample::plain(), sample::bridge()] {
        let (report, _) = rehearse(Medium::File, file_systems);
        assert_eq!(report.violations, []);
        assert_eq!(report.other, 0);
    }
}
