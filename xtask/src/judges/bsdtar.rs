//! bsdtar (libarchive): a reader that streams. It never goes back, so that areas of
//! continuation and folders must stand before what they describe.
//!
//! That is so in fresh images only. After an edit, old data stands before new folders, on a
//! disc of any program, and bsdtar refuses it; it is not asked about edited images.

use reburn_tests::{Aspect, Kind, Tolerance};

use super::evidence::{Evidence, Image, walk};
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::{Output, Program};

pub const JUDGE: Judge = Judge {
    name: "bsdtar",
    proves: "everything can be read from a pipe, front to back",
    needs: &[("bsdtar", "libarchive-tools")],
    optional: false,
    run,
};

const SLASHES: Tolerance = Tolerance {
    name: "slashes between link entries",
    because: "libarchive loses the slash where a component without text ends an SL entry",
    forgives: |difference| {
        let (Some(expected), Some(seen)) = (&difference.expected, &difference.seen) else {
            return false;
        };
        let bare = |target: &[u8]| target.iter().filter(|byte| **byte != b'/').count();
        let only_dots = expected.target.iter().all(|byte| b"./".contains(byte));
        let is_link = expected.kind == Kind::Symlink && difference.aspect == Aspect::Target;
        is_link && only_dots && bare(&expected.target) == bare(&seen.target)
    },
};

/// Complaints that say nothing about the image.
const HARMLESS: [&str; 2] = [
    // See `tolerances::LARGE_DEVICES`.
    "special/large numbers: Can't create",
    // What follows from the line above.
    "Error exit delayed from previous errors",
];

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    for image in evidence.images()?.iter().filter(|image| !image.is_edited) {
        extract(evidence, image, report, false)?;
        list_from_pipe(image, report)?;
    }
    extract(evidence, evidence.big_image()?, report, false)?;
    let damaged = evidence.damaged(evidence.image("default")?)?;
    extract(evidence, &damaged, report, true)
}

fn extract(
    evidence: &Evidence,
    image: &Image,
    report: &mut Report,
    is_damaged: bool,
) -> Result<(), String> {
    let folder = evidence.scratch("bsdtar extracted")?;
    let program = Program::new("bsdtar")
        .arg("-xSpf")
        .arg(&image.path)
        .arg("-C")
        .arg(&folder);
    let output = program.capture()?;
    let mut forgiven = tolerances::of_plain_users();
    forgiven.extend([
        tolerances::TOP_FOLDER,
        tolerances::EMPTY_HARD_LINKS,
        SLASHES,
    ]);
    forgiven.push(tolerances::LARGE_DEVICES);
    let comparison = reburn_tests::compare(&image.walk, &walk(&folder)?, &forgiven);
    if is_damaged {
        report.must_differ(&image.name, &program, &comparison);
    } else {
        report.verdict(&image.name, &program, no_complaint(&output));
        report.comparison(&image.name, &program, &comparison);
    }
    evidence.discard(&folder)
}

/// Reads the names from a pipe: as many as there are, and no complaint.
fn list_from_pipe(image: &Image, report: &mut Report) -> Result<(), String> {
    let program = Program::new("bsdtar")
        .args(["-tf", "-"])
        .piped_input(&image.path);
    let output = program.capture()?;
    let names = output.stdout_text().lines().count();
    let expected = image.walk.entries.len();
    let verdict = no_complaint(&output).and_then(|()| {
        if names == expected {
            return Ok(());
        }
        Err(format!(
            "{names} names came out of the pipe, expected {expected}"
        ))
    });
    report.verdict(&image.name, &program, verdict);
    Ok(())
}

fn no_complaint(output: &Output) -> Result<(), String> {
    let said = output.stderr_text();
    let strange = |line: &&str| !HARMLESS.iter().any(|harmless| line.contains(harmless));
    let complaints: Vec<_> = said.lines().filter(strange).take(20).collect();
    if complaints.is_empty() && (output.success() || !said.is_empty()) {
        return Ok(());
    }
    Err(format!("bsdtar complains:\n  {}", complaints.join("\n  ")))
}
