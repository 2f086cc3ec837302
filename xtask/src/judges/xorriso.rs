//! xorriso: strict about Rock Ridge, and the only judge that compares every attribute of a
//! folder with the image itself (`-compare_r`).

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

/// A device that xorriso cannot make; see [`tolerances::LARGE_DEVICES`].
const LARGE_DEVICE: &str = "special/large numbers";

/// xorriso expects every session behind the one before; freed space that is used again puts
/// a session elsewhere. The newest one is found all the same.
const BROKEN_CHAIN: &str = "Chain of ISO session headers broken";

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    for image in evidence.images()? {
        compare(image, report)?;
        extract(evidence, image, report)?;
    }
    extract(evidence, evidence.big_image()?, report)?;
    let damaged = evidence.damaged(evidence.image("default")?)?;
    let program = comparison(&damaged);
    let output = program.capture()?;
    if agrees(&output).is_ok() {
        let fault = Err("one bit of a file is wrong here, and no difference was seen".to_owned());
        report.verdict(&damaged.name, &program, fault);
    }
    Ok(())
}

fn comparison(image: &Image) -> Program {
    let program = Program::new("xorriso").arg("-indev").arg(&image.path);
    program.arg("-compare_r").arg(&image.tree).arg("/")
}

/// Compares the image with the folder, every attribute that xorriso knows.
fn compare(image: &Image, report: &mut Report) -> Result<(), String> {
    let program = comparison(image);
    let output = program.capture()?;
    let verdict = agrees(&output).and_then(|()| no_complaint(image, &output));
    report.verdict(&image.name, &program, verdict);
    Ok(())
}

fn agrees(output: &Output) -> Result<(), String> {
    let said = output.stdout_text();
    // The time of the last change of attributes cannot be set on any file system, and reburn
    // does not record it: the same tree would never give the same image twice.
    let differs = |line: &&str| {
        let marked = line.contains("(DISK) :") || line.contains("(ISO)  :");
        marked && !line.contains(" : st_ctime :") && !line.contains(LARGE_DEVICE)
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
        .arg(&image.path);
    let program = if image.walk.entries.contains_key(LARGE_DEVICE.as_bytes()) {
        // From the tree in memory only; extraction would end at it.
        program.args(["-rm_r", &format!("/{LARGE_DEVICE}"), "--"])
    } else {
        program
    };
    let program = program
        .args(["-extract", "/"])
        .arg(&folder)
        .arg("-rollback_end");
    let output = program.capture()?;
    report.verdict(&image.name, &program, no_complaint(image, &output));
    let mut forgiven = tolerances::of_plain_users();
    forgiven.extend([
        tolerances::TOP_FOLDER,
        tolerances::LINK_TIMES,
        tolerances::LARGE_DEVICES,
    ]);
    let comparison = reburn_tests::compare(&image.walk, &walk(&folder)?, &forgiven);
    report.comparison(&image.name, &program, &comparison);
    evidence.discard(&folder)
}

/// Whether xorriso warned of nothing.
fn no_complaint(image: &Image, output: &Output) -> Result<(), String> {
    let said = output.stderr_text();
    let severe = ["WARNING", "SORRY", "MISHAP", "FAILURE", "FATAL", "ABORT"];
    let is_complaint = |line: &&str| {
        let severe = severe
            .iter()
            .any(|word| line.contains(&format!(": {word} :")));
        severe && !(image.is_edited && line.contains(BROKEN_CHAIN))
    };
    let complaints: Vec<_> = said.lines().filter(is_complaint).take(20).collect();
    if complaints.is_empty() && output.success() {
        return Ok(());
    }
    Err(format!("xorriso complains:\n  {}", complaints.join("\n  ")))
}
