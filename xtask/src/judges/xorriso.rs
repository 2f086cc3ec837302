//! xorriso: strict about Rock Ridge, and the only judge that compares every attribute of a
//! folder with the image itself (`-compare_r`).

use std::path::Path;

use super::evidence::{Evidence, Image, walk};
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::{Output, Program};

pub const JUDGE: Judge = Judge {
    name: "xorriso",
    proves: "Rock Ridge names, sizes, modes, times, links, devices and contents",
    needs: &[("xorriso", "xorriso")],
    optional: false,
    run,
};

/// Complaints that say nothing about the image.
const HARMLESS: [&str; 1] = [
    // The judge of the damaged image needs no more than the comparison.
    "Cannot set atime",
];

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    for image in evidence.images()?.iter().chain([evidence.big_image()?]) {
        compare(image, report)?;
        extract(evidence, image, report)?;
    }
    let damaged = evidence.damaged(evidence.image("default")?)?;
    let (program, _) = comparison(&damaged);
    let output = program.capture()?;
    if agrees(&output).is_ok() {
        let fault = Err("one bit of a file is wrong here, and no difference was seen".to_owned());
        report.verdict(&damaged.name, &program, fault);
    }
    Ok(())
}

fn comparison(image: &Image) -> (Program, &Path) {
    let program = Program::new("xorriso").arg("-indev").arg(&image.path);
    (
        program.arg("-compare_r").arg(&image.tree).arg("/"),
        &image.tree,
    )
}

/// Compares the image with the folder, every attribute that xorriso knows.
fn compare(image: &Image, report: &mut Report) -> Result<(), String> {
    let (program, _) = comparison(image);
    let output = program.capture()?;
    let verdict = agrees(&output).and_then(|()| no_complaint(&output));
    report.verdict(&image.name, &program, verdict);
    Ok(())
}

fn agrees(output: &Output) -> Result<(), String> {
    let said = output.stdout_text();
    // The time of the last change of attributes cannot be set on any file system, and reburn
    // does not record it: the same tree would never give the same image twice.
    let differs = |line: &&str| {
        let marked = line.contains("(DISK) :") || line.contains("(ISO)  :");
        marked && !line.contains(" : st_ctime :")
    };
    let differing: Vec<_> = said.lines().filter(differs).collect();
    let compared =
        said.contains("Both file objects match") || said.contains("Differences detected");
    if differing.is_empty() && compared {
        return Ok(());
    }
    let (count, shown) = (
        differing.len(),
        differing[..differing.len().min(20)].join("\n  "),
    );
    Err(format!("xorriso sees {count} differences:\n  {shown}"))
}

/// Extracts everything and compares the folders.
fn extract(evidence: &Evidence, image: &Image, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("xorriso extracted")?;
    let program = Program::new("xorriso")
        .args([
            "-hardlinks",
            "on",
            "-osirrox",
            "device_files:sparse=1m",
            "-indev",
        ])
        .arg(&image.path)
        .args(["-extract", "/"])
        .arg(&folder);
    let output = program.capture()?;
    report.verdict(&image.name, &program, no_complaint(&output));
    let mut forgiven = tolerances::of_plain_users();
    forgiven.extend([tolerances::TOP_FOLDER, tolerances::LINK_TIMES]);
    let comparison = reburn_tests::compare(&image.walk, &walk(&folder)?, &forgiven);
    report.comparison(&image.name, &program, &comparison);
    evidence.discard(&folder)
}

/// Whether xorriso warned of nothing.
fn no_complaint(output: &Output) -> Result<(), String> {
    let said = output.stderr_text();
    let severe = [
        "WARNING", "HINT", "SORRY", "MISHAP", "FAILURE", "FATAL", "ABORT",
    ];
    let is_complaint = |line: &&str| {
        let severe = severe
            .iter()
            .any(|word| line.contains(&format!(" : {word} : ")));
        severe && !HARMLESS.iter().any(|harmless| line.contains(harmless))
    };
    let complaints: Vec<_> = said.lines().filter(is_complaint).take(20).collect();
    if complaints.is_empty() {
        return Ok(());
    }
    Err(format!("xorriso complains:\n  {}", complaints.join("\n  ")))
}
