//! cdrskin: every medium, single images into sessions, and blanking.

use reburn_emulator::MediumKind;

use super::{After, Bench, Expected, Payload, is_heard, state};
use crate::judges::Judge;
use crate::judges::evidence::Evidence;
use crate::judges::report::Report;

pub const JUDGE: Judge = Judge {
    name: "cdrskin",
    proves: "sessions, overwriting and blanking on every medium, by the libburn family",
    needs: &[("cdrskin", "cdrskin")],
    optional: false,
    run,
};

/// What is done with a medium.
struct Case {
    kind: MediumKind,
    /// What is special about it.
    name: &'static str,
    /// Options of both writes, blanking included.
    options: &'static [&'static str],
    way: Way,
    /// How the medium is blanked at the end.
    blank: Option<&'static str>,
}

/// What two writes become.
#[derive(Clone, Copy)]
enum Way {
    /// Two sessions, the second of which closes the disc.
    Sessions,
    /// One session that closes the disc.
    AtOnce,
    /// One image over the other.
    Over,
}

const fn case(kind: MediumKind, way: Way) -> Case {
    Case {
        kind,
        name: "",
        options: &[],
        way,
        blank: None,
    }
}

const CASES: [Case; 16] = [
    Case {
        options: &["-tao"],
        ..case(MediumKind::CdR, Way::Sessions)
    },
    Case {
        name: "at once",
        options: &["-sao"],
        ..case(MediumKind::CdR, Way::AtOnce)
    },
    Case {
        options: &["-tao"],
        blank: Some("blank=fast"),
        ..case(MediumKind::CdRw, Way::Sessions)
    },
    Case {
        name: "at once",
        options: &["-sao"],
        blank: Some("blank=all"),
        ..case(MediumKind::CdRw, Way::AtOnce)
    },
    case(MediumKind::DvdR, Way::Sessions),
    Case {
        name: "at once",
        options: &["-sao"],
        ..case(MediumKind::DvdR, Way::AtOnce)
    },
    Case {
        name: "in sequence",
        blank: Some("blank=deformat_sequential"),
        ..case(MediumKind::DvdRw, Way::Sessions)
    },
    Case {
        name: "overwriting",
        options: &["blank=format_if_needed"],
        blank: Some("blank=deformat_sequential"),
        ..case(MediumKind::DvdRw, Way::Over)
    },
    case(MediumKind::DvdPlusR, Way::Sessions),
    case(MediumKind::DvdPlusRDl, Way::Sessions),
    Case {
        options: &["blank=as_needed"],
        ..case(MediumKind::DvdPlusRw, Way::Over)
    },
    case(MediumKind::DvdRam, Way::Over),
    case(MediumKind::BdR, Way::Sessions),
    case(MediumKind::BdRDl, Way::Sessions),
    Case {
        options: &["blank=as_needed"],
        ..case(MediumKind::BdRe, Way::Over)
    },
    Case {
        options: &["blank=as_needed"],
        ..case(MediumKind::BdReDl, Way::Over)
    },
];

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let payload = Payload::make(evidence, "cdrskin")?;
    for (index, case) in CASES.iter().enumerate() {
        if !is_heard(evidence, case.kind) {
            continue;
        }
        let bench = Bench::new(evidence, report, "cdrskin", case.name, case.kind)?;
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
    let [first, second] = &payload.images;
    let (first_path, second_path) = (first.path.display(), second.path.display());
    let burn = |options: &[&str], path: &dyn std::fmt::Display| {
        let mut arguments: Vec<_> = ["cdrskin", "-v", "dev=/dev/sr0", "padsize=0"].to_vec();
        arguments.extend(case.options);
        arguments.extend(options);
        let mut arguments: Vec<_> = arguments.into_iter().map(str::to_owned).collect();
        arguments.push(path.to_string());
        arguments
    };
    match case.way {
        Way::Sessions => {
            let after = Expected::recorded(After::Sessions(1), 0, first.blocks);
            bench.step(&burn(&["-multi"], &first_path), after)?;
            bench.read_back(0, &first.content)?;
            let start = state::second_session(bench.kind(), first.blocks);
            let after = Expected::recorded(After::Closed(2), start, second.blocks);
            bench.step(&burn(&[], &second_path), after)?;
            bench.read_back(0, &first.content)?;
            bench.read_back(start, &second.content)?;
        }
        Way::AtOnce => {
            bench.step(&burn(&[], &first_path), Expected::at_once(first.blocks))?;
            bench.read_back(0, &first.content)?;
        }
        Way::Over => {
            let after = Expected::state(After::Formatted);
            bench.step(&burn(&[], &second_path), after)?;
            bench.read_back(0, &second.content)?;
            bench.step(&burn(&[], &first_path), after)?;
            bench.read_back(0, &first.content)?;
        }
    }
    if scratches {
        bench.must_see_damage(&first.content, |bench| bench.read_back(0, &first.content))?;
    }
    if let Some(blank) = case.blank {
        let arguments = ["cdrskin", "-v", "dev=/dev/sr0", blank];
        bench.step(&arguments, Expected::state(After::Blank))?;
    }
    Ok(())
}
