//! Images of other systems, if a folder of them is at hand: `reburn` must read of them what
//! other readers read.

use std::path::{Path, PathBuf};

use reburn_tests::{Aspect, Tolerance};

use super::evidence::{Evidence, failed, walk};
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::Program;
use crate::workspace;

pub const JUDGE: Judge = Judge {
    name: "foreign",
    proves: "reburn reads images of other systems as bsdtar does",
    needs: &[("bsdtar", "libarchive-tools"), ("xz", "xz-utils")],
    optional: false,
    run,
};

const PLAIN_MODES: Tolerance = Tolerance {
    name: "modes without Rock Ridge",
    because: "where the image has no modes, bsdtar makes them up (0400), and reburn too (0444)",
    forgives: |difference| {
        let mode = difference.expected.as_ref().map(|entry| entry.mode);
        difference.aspect == Aspect::Mode && mode == Some(0o400)
    },
};

/// Where the folder may be told to be.
const VARIABLE: &str = "REBURN_FOREIGN_IMAGES";

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let set = std::env::var_os(VARIABLE).map(PathBuf::from);
    let folder = set.unwrap_or_else(|| workspace::root().join("../shared/data/images"));
    let Ok(entries) = folder.read_dir() else {
        let reason = format!("there is no folder of images here; {VARIABLE} may name one");
        report.skip(reason);
        return Ok(());
    };
    let mut archives: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    archives.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("iso-") && name.ends_with(".img.xz")
    });
    archives.sort();
    for archive in &archives {
        read(evidence, archive, report)?;
    }
    Ok(())
}

fn read(evidence: &Evidence, archive: &Path, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("foreign")?;
    let image = folder.join("foreign.img");
    let unpack = Program::new("xz").args(["-dc"]).arg(archive);
    let unpacked = unpack.capture()?.require_success(&unpack)?;
    std::fs::write(&image, unpacked.stdout).map_err(failed(&image))?;
    let name = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();

    let theirs = evidence.scratch("foreign/theirs")?;
    let bsdtar = Program::new("bsdtar")
        .arg("-xpf")
        .arg(&image)
        .arg("-C")
        .arg(&theirs);
    bsdtar.capture()?.require_success(&bsdtar)?;
    let ours = evidence.scratch("foreign/ours")?;
    let get = evidence
        .reburn()?
        .arg("get")
        .arg(&image)
        .arg("-o")
        .arg(&ours);
    if let Err(fault) = get.capture()?.require_success(&get) {
        report.verdict(&name, &get, Err(fault));
    } else {
        let (expected, seen) = (walk(&theirs)?, walk(&ours)?);
        let forgiven = [tolerances::TOP_FOLDER, PLAIN_MODES];
        let comparison = reburn_tests::compare(&expected, &seen, &forgiven);
        report.comparison(&name, &get, &comparison);
    }
    let show = evidence.reburn()?.arg("show").arg(&image);
    report.verdict(
        &name,
        &show,
        show.capture()?.require_success(&show).map(|_| ()),
    );
    evidence.discard(&folder)
}
