//! growisofs: a volume by genisoimage, and a second one merged with it (`-Z`, `-M`).

use reburn_emulator::MediumKind;

use super::{After, Bench, Expected, Payload, is_heard};
use crate::judges::Judge;
use crate::judges::evidence::Evidence;
use crate::judges::report::Report;

pub const JUDGE: Judge = Judge {
    name: "growisofs",
    proves: "formats, merged sessions and handed-over descriptors, by the dvd+rw-tools family",
    needs: &[
        ("growisofs", "growisofs"),
        ("genisoimage", "genisoimage"),
        ("xorriso", "xorriso"),
    ],
    optional: false,
    run,
};

/// A medium, and how it is after the first volume and after the second.
struct Case {
    kind: MediumKind,
    after: [After; 2],
    /// Whether a reader finds both volumes from block 0 on, and not in the last session.
    from_block_0: bool,
}

const fn sessions(kind: MediumKind) -> Case {
    Case {
        kind,
        after: [After::Sessions(1), After::Sessions(2)],
        from_block_0: false,
    }
}

const fn overwriting(kind: MediumKind) -> Case {
    Case {
        kind,
        after: [After::Formatted; 2],
        from_block_0: true,
    }
}

const CASES: [Case; 8] = [
    sessions(MediumKind::DvdR),
    sessions(MediumKind::DvdRw),
    sessions(MediumKind::DvdPlusR),
    sessions(MediumKind::DvdPlusRDl),
    overwriting(MediumKind::DvdPlusRw),
    overwriting(MediumKind::DvdRam),
    // Pseudo-overwritable: tracks of one session, and new descriptors over those of the first.
    Case {
        kind: MediumKind::BdR,
        after: [After::OpenTracks(1), After::OpenTracks(2)],
        from_block_0: true,
    },
    overwriting(MediumKind::BdRe),
];

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let payload = Payload::make(evidence, "growisofs")?;
    for (index, case) in CASES.iter().enumerate() {
        if !is_heard(evidence, case.kind) {
            continue;
        }
        let bench = Bench::new(evidence, report, "growisofs", "", case.kind)?;
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
    for ((option, folder), after) in ["-Z", "-M"].iter().zip(&payload.folders).zip(case.after) {
        let folder = folder.display().to_string();
        let arguments = ["growisofs", option, "/dev/sr0", "-quiet", "-R", &folder];
        bench.step(&arguments, Expected::state(after))?;
    }
    let extract = |bench: &mut Bench<'_>| {
        if case.from_block_0 {
            bench.extract_from_block_0(payload)
        } else {
            bench.extract_with_xorriso(payload)
        }
    };
    extract(bench)?;
    if scratches {
        let (_, large) = &payload.files[0];
        bench.must_see_damage(large, extract)?;
    }
    Ok(())
}
