//! isoinfo and isovfy: old programs that read record by record, and notice null extents,
//! wrong sorting and path tables that disagree.

use std::collections::BTreeSet;

use reburn_tests::escape;

use super::Judge;
use super::evidence::{Evidence, Image, Joliet};
use super::report::Report;
use crate::command::{Output, Program};

pub const JUDGE: Judge = Judge {
    name: "isoinfo",
    proves: "records, path tables and sort orders of the plain, Joliet and Rock Ridge trees",
    needs: &[("isoinfo", "genisoimage"), ("isovfy", "genisoimage")],
    optional: false,
    run,
};

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    // isovfy dies of links with long targets, whoever wrote them.
    verify(&evidence.gentle_image()?, report)?;
    for image in evidence.images()?.iter().chain([evidence.big_image()?]) {
        list_rock_ridge(image, report)?;
        list(image, &[], report)?;
        if image.joliet != Joliet::Off {
            list(image, &["-J"], report)?;
        }
    }
    Ok(())
}

/// isovfy prints its findings among a few lines that it always prints.
fn verify(image: &Image, report: &mut Report) -> Result<(), String> {
    let program = Program::new("isovfy").arg(&image.path);
    let output = program.capture()?;
    let said = output.stdout_text() + &output.stderr_text();
    let always = ["Root at extent ", "[", "No errors found"];
    let strange = |line: &&str| {
        !line.trim().is_empty() && !always.iter().any(|known| line.starts_with(known))
    };
    let complaints: Vec<_> = said.lines().filter(strange).take(20).collect();
    let verdict = if output.success() && complaints.is_empty() {
        Ok(())
    } else {
        let ending = output
            .status
            .map_or("killed".to_owned(), |status| status.to_string());
        Err(format!(
            "isovfy ended with {ending} and said:\n  {}",
            complaints.join("\n  ")
        ))
    };
    report.verdict(&image.name, &program, verdict);
    Ok(())
}

/// Lists every path of the Rock Ridge tree and compares the paths.
fn list_rock_ridge(image: &Image, report: &mut Report) -> Result<(), String> {
    let (program, output) = find(image, &["-R"])?;
    let lines = output.stdout.split(|byte| *byte == b'\n');
    let listed: BTreeSet<_> = lines.filter(|path| stays_in_place(path)).collect();
    // A name with a line feed makes two lines on both sides.
    let names = image.walk.entries.keys().filter(|path| *path != b".");
    let text: Vec<u8> = names
        .flat_map(|path| [b"/", path.as_slice(), b"\n"].concat())
        .collect();
    let lines = text.split(|byte| *byte == b'\n');
    let expected: BTreeSet<_> = lines.filter(|path| stays_in_place(path)).collect();
    let differing = listed.symmetric_difference(&expected);
    let differing: Vec<_> = differing.take(20).map(|path| escape(path)).collect();
    let verdict = no_complaint(&output).and_then(|()| {
        if differing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "paths on one side only:\n  {}",
            differing.join("\n  ")
        ))
    });
    report.verdict(&image.name, &program, verdict);
    Ok(())
}

/// Whether isoinfo shows a path where Rock Ridge has it: what lies in folders deeper than
/// eight levels may have been moved, and isoinfo shows it where it was moved to.
fn stays_in_place(path: &[u8]) -> bool {
    let moved = b"/rr_moved";
    let in_moved = path.len() >= moved.len() && path[..moved.len()].eq_ignore_ascii_case(moved);
    path.split(|byte| *byte == b'/').count() <= 9 && !in_moved
}

/// Lists every path of another tree; each comes once.
fn list(image: &Image, tree: &[&str], report: &mut Report) -> Result<(), String> {
    let (program, output) = find(image, tree)?;
    let mut listed: Vec<_> = output.stdout.split(|byte| *byte == b'\n').collect();
    let count = listed.len();
    listed.sort_unstable();
    listed.dedup();
    // Sections of a large file have one name, and Latin-1, in which isoinfo shows Joliet, has
    // one sign for many letters.
    let may_repeat = image.name == "big" || !tree.is_empty();
    let verdict = no_complaint(&output).and_then(|()| {
        if listed.len() == count || may_repeat {
            return Ok(());
        }
        Err(format!(
            "{} paths come more than once",
            count - listed.len()
        ))
    });
    report.verdict(&image.name, &program, verdict);
    Ok(())
}

fn find(image: &Image, tree: &[&str]) -> Result<(Program, Output), String> {
    let program = Program::new("isoinfo")
        .args(tree)
        .args(["-f", "-i"])
        .arg(&image.path);
    let output = program.capture()?;
    Ok((program, output))
}

fn no_complaint(output: &Output) -> Result<(), String> {
    let said = output.stderr_text();
    if output.success() && said.trim().is_empty() {
        return Ok(());
    }
    Err(format!("isoinfo complains:\n  {}", said.trim()))
}
