//! 7-Zip: reads Joliet where there is one, else Rock Ridge names inside the directory record.
//! It serves Windows too, and changes names that Windows would not take. It knows nothing of
//! moved folders, of links, or of names that continue outside the record.

use reburn_tests::{Aspect, Tolerance, hex};

use super::evidence::{Evidence, Image, Joliet, walk};
use super::names::{all_parts, joliet_carries, survives_windows};
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

/// Folders from this depth on may have been moved, and 7-Zip shows them where they are.
const DEPTH_OF_MOVED: usize = 8;

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
    for image in evidence.images()? {
        test(image, report)?;
        extract(evidence, image, report, false)?;
    }
    read_big_file(evidence.big_image()?, report)?;
    let damaged = evidence.damaged(evidence.image("default")?)?;
    extract(evidence, &damaged, report, true)
}

fn test(image: &Image, report: &mut Report) -> Result<(), String> {
    let program = Program::new("7z").arg("t").arg(&image.path);
    let output = program.capture()?;
    let said = output.stdout_text() + &output.stderr_text();
    // An edited image may have become shorter, and what it was stays behind it, as on a disc.
    let tail = "There are data after the end of archive";
    let warned = said.contains("WARNING") && !(image.is_edited && said.contains(tail));
    let complains = warned || said.contains("ERROR");
    let verdict = if said.contains("Everything is Ok") && !complains {
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

/// Reads the file over 4 GiB without writing it, and compares its digest.
fn read_big_file(image: &Image, report: &mut Report) -> Result<(), String> {
    let path = "big/five gibibytes";
    let program = Program::new("7z")
        .args(["t", "-scrcSHA256"])
        .arg(&image.path)
        .arg(path);
    let output = program.capture()?;
    let expected = hex(&image.walk.entries[path.as_bytes()].digest);
    let verdict = if output.stdout_text().to_lowercase().contains(&expected) {
        Ok(())
    } else {
        Err(format!(
            "the digest of {path} is not {expected}:\n{}",
            output.stdout_text()
        ))
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
    let carries = move |path: &[u8]| {
        let depth = path.split(|byte| *byte == b'/').count();
        all_parts(path, survives_windows)
            && match joliet {
                Joliet::Off => {
                    depth < DEPTH_OF_MOVED
                        && all_parts(path, |name| name.len() <= RECORD_NAME_BYTES)
                }
                Joliet::Short => all_parts(path, |name| joliet_carries(name, 64)),
                Joliet::Long => all_parts(path, |name| joliet_carries(name, 103)),
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
