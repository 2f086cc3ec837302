//! wodim: CD-R and CD-RW by the other family of burning programs, which asks whether the drive is
//! ready before nearly every command.

use reburn_emulator::MediumKind;

use super::{After, Bench, Expected, Payload, state};
use crate::judges::Judge;
use crate::judges::evidence::Evidence;
use crate::judges::report::Report;

pub const JUDGE: Judge = Judge {
    name: "wodim",
    proves: "tracks and sessions of CD, by the cdrtools family",
    needs: &[("wodim", "wodim")],
    optional: false,
    run,
};

const KINDS: [MediumKind; 2] = [MediumKind::CdR, MediumKind::CdRw];

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let payload = Payload::make(evidence, "wodim")?;
    for kind in KINDS {
        let bench = Bench::new(evidence, report, "wodim", "by tracks", kind)?;
        bench.judge(|bench| by_tracks(bench, &payload));
        let bench = Bench::new(evidence, report, "wodim", "at once", kind)?;
        bench.judge(|bench| at_once(bench, &payload));
    }
    Ok(())
}

fn by_tracks(bench: &mut Bench<'_>, payload: &Payload) -> Result<(), String> {
    let [first, second] = &payload.images;
    let start = state::second_session(bench.kind(), first.blocks);
    let path = first.path.display().to_string();
    let after = Expected::recorded(After::Sessions(1), 0, first.blocks);
    bench.step(&burn(&["-tao", "-multi"], &path), after)?;
    bench.read_back(0, &first.content)?;
    let path = second.path.display().to_string();
    let after = Expected::recorded(After::Closed(2), start, second.blocks);
    bench.step(&burn(&["-tao"], &path), after)?;
    bench.read_back(0, &first.content)?;
    bench.read_back(start, &second.content)?;
    bench.must_see_damage(&first.content, |bench| bench.read_back(0, &first.content))?;
    blank(bench)
}

fn at_once(bench: &mut Bench<'_>, payload: &Payload) -> Result<(), String> {
    let [first, _] = &payload.images;
    let path = first.path.display().to_string();
    bench.step(&burn(&["-sao"], &path), Expected::state(After::Closed(1)))?;
    bench.read_back(0, &first.content)?;
    blank(bench)
}

fn burn<'a>(options: &[&'a str], path: &'a str) -> Vec<&'a str> {
    let start = ["wodim", "-v", "dev=/dev/sr0", "gracetime=0", "-data"];
    [&start, options, &[path]].concat()
}

fn blank(bench: &mut Bench<'_>) -> Result<(), String> {
    if bench.kind() == MediumKind::CdRw {
        let blank = ["wodim", "-v", "dev=/dev/sr0", "gracetime=0", "blank=fast"];
        bench.step(&blank, Expected::state(After::Blank))?;
    }
    Ok(())
}
