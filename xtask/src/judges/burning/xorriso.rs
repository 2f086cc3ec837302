//! xorriso as a burning program: a file system, and a change to it, on every medium.

use reburn_emulator::MediumKind;

use super::{After, Bench, Expected, Payload, is_heard};
use crate::judges::Judge;
use crate::judges::evidence::Evidence;
use crate::judges::report::Report;

pub const JUDGE: Judge = Judge {
    name: "xorriso-burn",
    proves: "a volume grows by a session on every medium, and is read through the drive",
    needs: &[("xorriso", "xorriso")],
    optional: false,
    run,
};

/// A medium, what is done with it first, and whether volumes lie in sessions on it.
struct Case {
    kind: MediumKind,
    name: &'static str,
    prepare: &'static [&'static str],
    sessions: bool,
}

const fn sequential(kind: MediumKind) -> Case {
    Case {
        kind,
        name: "",
        prepare: &[],
        sessions: true,
    }
}

const fn overwritable(kind: MediumKind, prepare: &'static [&'static str]) -> Case {
    Case {
        kind,
        name: "",
        prepare,
        sessions: false,
    }
}

const CASES: [Case; 11] = [
    sequential(MediumKind::CdR),
    sequential(MediumKind::CdRw),
    sequential(MediumKind::DvdR),
    Case {
        name: "in sequence",
        ..sequential(MediumKind::DvdRw)
    },
    Case {
        name: "overwriting",
        ..overwritable(MediumKind::DvdRw, &["-format", "fast"])
    },
    sequential(MediumKind::DvdPlusR),
    overwritable(MediumKind::DvdPlusRw, &[]),
    overwritable(MediumKind::DvdRam, &[]),
    sequential(MediumKind::BdR),
    overwritable(MediumKind::BdRe, &["-format", "fast"]),
    sequential(MediumKind::DvdPlusRDl),
];

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let payload = Payload::make(evidence, "xorriso")?;
    for (index, case) in CASES.iter().enumerate() {
        if !is_heard(evidence, case.kind) {
            continue;
        }
        let bench = Bench::new(evidence, report, "xorriso-burn", case.name, case.kind)?;
        bench.judge(|bench| steps(bench, case, &payload, index == 0));
    }
    Ok(())
}

/// `scratches`: the disc is damaged at the end, which must be noticed.
fn steps(
    bench: &mut Bench<'_>,
    case: &Case,
    payload: &Payload,
    scratches: bool,
) -> Result<(), String> {
    if !case.prepare.is_empty() {
        let arguments = [&["xorriso", "-outdev", "/dev/sr0"], case.prepare].concat();
        bench.step(&arguments, Expected::state(After::Formatted))?;
    }
    for (round, folder) in (1..).zip(&payload.folders) {
        let folder = folder.display().to_string();
        let after = if case.sessions {
            After::Sessions(round)
        } else {
            After::Formatted
        };
        let add = [
            "xorriso",
            "-dev",
            "/dev/sr0",
            "-map",
            &folder,
            &format!("/{round}"),
            "-commit",
        ];
        bench.step(&add, Expected::state(after))?;
    }
    bench.extract_with_xorriso(payload)?;
    if scratches {
        let (_, large) = &payload.files[0];
        bench.must_see_damage(large, |bench| bench.extract_with_xorriso(payload))?;
    }
    Ok(())
}
