//! bsdtar (libarchive): a reader that streams. It never goes back, so that areas of
//! continuation and folders must stand before what they describe.

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

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    for image in evidence.images()?.iter().chain([evidence.big_image()?]) {
        extract(evidence, image, report, false)?;
    }
    for image in evidence.images()? {
        list_from_pipe(image, report)?;
    }
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
    forgiven.extend([tolerances::TOP_FOLDER, tolerances::EMPTY_HARD_LINKS]);
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
    let names = output.stdout.iter().filter(|byte| **byte == b'\n').count();
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
    if output.success() && said.trim().is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = said.lines().take(20).collect();
    Err(format!("bsdtar complains:\n  {}", lines.join("\n  ")))
}
