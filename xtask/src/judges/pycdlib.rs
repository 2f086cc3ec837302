//! pycdlib, a strict parser in Python, if it can be had from PyPI.

use std::time::Duration;

use super::Judge;
use super::evidence::Evidence;
use super::report::Report;
use crate::command::Program;
use crate::workspace;

pub const JUDGE: Judge = Judge {
    name: "pycdlib",
    proves: "descriptors, records and entries parse strictly, and every file reads",
    needs: &[("python3", "python3-pip")],
    optional: true,
    run,
};

/// The release that is asked; another one may be stricter.
const RELEASE: &str = "pycdlib==1.14.0";

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let library = evidence.scratch("pycdlib")?;
    let pip = Program::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--target"])
        .arg(&library)
        .arg(RELEASE)
        .timeout(Duration::from_mins(2));
    if !pip.capture()?.success() {
        report.skip(format!("pip cannot install {RELEASE} here"));
        return evidence.discard(&library);
    }
    let script = workspace::root().join("xtask/src/judges/strict_parse.py");
    let open = Program::new("python3")
        .env("PYTHONPATH", &library)
        .arg(script);
    for image in evidence.images()? {
        let open = open.clone().arg(&image.path);
        report.verdict(
            &image.name,
            &open,
            open.capture()?.require_success(&open).map(|_| ()),
        );
    }
    let gentle = evidence.gentle_image()?;
    let read = open.arg(&gentle.path).arg("read");
    report.verdict(
        &gentle.name,
        &read,
        read.capture()?.require_success(&read).map(|_| ()),
    );
    evidence.discard(&library)
}
