//! 7-Zip: reads Joliet where there is one, else Rock Ridge names inside the directory record.
//! It serves Windows too, and changes names that Windows would not take.

use reburn_tests::{Aspect, Tolerance};

use super::evidence::{Evidence, Image, Joliet, walk};
use super::names::{joliet_carries, survives_windows};
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::Program;

pub const JUDGE: Judge = Judge {
    name: "7-zip",
    proves: "contents, and names and times as far as Joliet or short records carry them",
    needs: &[("7z", "p7zip-full")],
    optional: false,
    run,
};

/// Names this short stand in the directory record itself; 7-Zip reads no continuation areas.
const RECORD_NAME_BYTES: usize = 100;

const MERGED_FOLDERS: Tolerance = Tolerance {
    name: "merged folders",
    because: "7-Zip takes dots off the end, so that `noext.` and `noext` become one",
    forgives: |difference| {
        difference.aspect == Aspect::Time && difference.path.ends_with(b"/noext")
    },
};

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    for image in evidence.images()?.iter().chain([evidence.big_image()?]) {
        test(image, report)?;
        extract(evidence, image, report, false)?;
    }
    let damaged = evidence.damaged(evidence.image("default")?)?;
    extract(evidence, &damaged, report, true)
}

fn test(image: &Image, report: &mut Report) -> Result<(), String> {
    let program = Program::new("7z").arg("t").arg(&image.path);
    let output = program.capture()?;
    let said = output.stdout_text() + &output.stderr_text();
    let complains =
        said.contains("WARNING") || said.contains("ERROR") || said.contains("Warnings:");
    let verdict = if output.success() && said.contains("Everything is Ok") && !complains {
        Ok(())
    } else {
        let lines: Vec<_> = said
            .lines()
            .filter(|line| !line.is_empty())
            .take(30)
            .collect();
        Err(format!("7-Zip complains:\n  {}", lines.join("\n  ")))
    };
    report.verdict(&image.name, &program, verdict);
    Ok(())
}

fn extract(
    evidence: &Evidence,
    image: &Image,
    report: &mut Report,
    is_damaged: bool,
) -> Result<(), String> {
    let folder = evidence.scratch("7z extracted")?;
    let output = format!("-o{}", folder.display());
    // Names that become the same get a number, so that no content is lost.
    let program = Program::new("7z")
        .args(["x", "-aou", &output])
        .arg(&image.path);
    program.capture()?;
    let joliet = image.joliet;
    let carries = move |name: &[u8]| {
        survives_windows(name)
            && match joliet {
                Joliet::Off => name.len() <= RECORD_NAME_BYTES,
                Joliet::Short => joliet_carries(name, 64),
                Joliet::Long => joliet_carries(name, 103),
            }
    };
    let seen = walk(&folder)?;
    let forgiven = [tolerances::TOP_FOLDER, MERGED_FOLDERS];
    let comparison = reburn_tests::compare_contents(&image.walk, &seen, &carries, &forgiven);
    if is_damaged {
        report.must_differ(&image.name, &program, &comparison);
    } else {
        report.comparison(&image.name, &program, &comparison);
    }
    evidence.discard(&folder)
}
