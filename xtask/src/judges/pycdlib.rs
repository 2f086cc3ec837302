//! pycdlib, a strict parser in Python, if it can be had from PyPI.

use std::time::Duration;

use super::Judge;
use super::evidence::Evidence;
use super::report::Report;
use crate::command::Program;

pub const JUDGE: Judge = Judge {
    name: "pycdlib",
    proves: "every descriptor, record and entry parses strictly, and every file reads",
    needs: &[("python3", "python3-venv")],
    optional: true,
    run,
};

/// Opens an image strictly and reads every file of its Rock Ridge tree.
const SCRIPT: &str = "
import io, sys, pycdlib
iso = pycdlib.PyCdlib()
iso.open(sys.argv[1])
count = 0
for folder, _, files in iso.walk(rr_path='/'):
    for name in files:
        path = folder.rstrip('/') + '/' + name
        if iso.get_record(rr_path=path).is_file() and not iso.get_record(rr_path=path).rock_ridge.is_symlink():
            iso.get_file_from_iso_fp(io.BytesIO(), rr_path=path)
            count += 1
iso.close()
print(count)
";

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("pycdlib")?;
    let library = folder.join("library");
    let pip = Program::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--target"])
        .arg(&library)
        .arg("pycdlib==1.14.0")
        .timeout(Duration::from_mins(2));
    if !pip.capture()?.success() {
        report.note("not heard: pip cannot install pycdlib here");
        return evidence.discard(&folder);
    }
    for image in evidence.images()? {
        let program = Program::new("python3")
            .args(["-c", SCRIPT])
            .arg(&image.path);
        let program = program
            .env("PYTHONPATH", &library)
            .timeout(Duration::from_mins(5));
        let verdict = program.capture()?.require_success(&program).map(|_| ());
        report.verdict(&image.name, &program, verdict);
    }
    evidence.discard(&folder)
}
