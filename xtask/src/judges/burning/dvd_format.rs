//! dvd+rw-format: formatting and blanking of rewritable DVD and Blu-ray discs.

use reburn_emulator::MediumKind;

use super::{After, Bench, Expected, is_heard};
use crate::judges::Judge;
use crate::judges::evidence::Evidence;
use crate::judges::report::Report;

pub const JUDGE: Judge = Judge {
    name: "dvd+rw-format",
    proves: "formats and blanks, quick and full, with their progress",
    needs: &[("dvd+rw-format", "growisofs")],
    optional: false,
    run,
};

/// A medium, and steps with it: options, and what it is afterwards.
struct Case {
    kind: MediumKind,
    steps: &'static [(&'static [&'static str], After)],
}

const CASES: [Case; 5] = [
    Case {
        kind: MediumKind::DvdRw,
        steps: &[
            (&["-force"], After::Intermediate),
            (&["-blank"], After::Blank),
            (&["-force=full"], After::Formatted),
            (&["-blank=full"], After::Blank),
        ],
    },
    Case {
        kind: MediumKind::DvdPlusRw,
        steps: &[(&[], After::Formatted), (&["-force"], After::Formatted)],
    },
    Case {
        kind: MediumKind::DvdRam,
        steps: &[(&["-force"], After::Formatted)],
    },
    Case {
        kind: MediumKind::BdRe,
        steps: &[
            (&["-ssa=default"], After::Formatted),
            (&["-force=full"], After::Formatted),
            (&["-force", "-ssa=none"], After::Formatted),
        ],
    },
    Case {
        kind: MediumKind::BdReDl,
        steps: &[(&["-force"], After::Formatted)],
    },
];

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    for case in &CASES {
        if !is_heard(evidence, case.kind) {
            continue;
        }
        let bench = Bench::new(evidence, report, "dvd+rw-format", "", case.kind)?;
        bench.judge(|bench| {
            for (options, after) in case.steps {
                let arguments = [&["dvd+rw-format"], *options, &["/dev/sr0"]].concat();
                bench.step(&arguments, Expected::state(*after))?;
            }
            Ok(())
        });
    }
    Ok(())
}
