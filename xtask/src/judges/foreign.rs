//! Images of other systems, if a folder of them is at hand: `reburn` must read of them what
//! other readers read.

use std::path::{Path, PathBuf};

use reburn_tests::{Aspect, Tolerance};

use super::evidence::{Evidence, walk};
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

/// What is said where there is none.
pub const NO_IMAGES: &str = "there is no folder of images here; REBURN_FOREIGN_IMAGES may name one";

/// The packed images whose names begin with `prefix`, if there is a folder of them.
pub fn archives(prefix: &str) -> Option<Vec<PathBuf>> {
    let set = std::env::var_os(VARIABLE).map(PathBuf::from);
    let folder = set.unwrap_or_else(|| workspace::root().join("../shared/data/images"));
    let entries = folder.read_dir().ok()?;
    let mut archives: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    archives.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix) && name.ends_with(".img.xz")
    });
    archives.sort();
    Some(archives)
}

/// Unpacks an image; what is empty in it takes no room.
pub fn unpack(archive: &Path, image: &Path) -> Result<(), String> {
    let script = "xz -dc \"$1\" | cp --sparse=always /dev/stdin \"$2\"";
    let unpack = Program::new("bash").args(["-o", "pipefail", "-c", script, "unpack"]);
    let unpack = unpack.arg(archive).arg(image);
    unpack.capture()?.require_success(&unpack).map(|_| ())
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let Some(archives) = archives("iso-") else {
        report.skip(NO_IMAGES);
        return Ok(());
    };
    for archive in &archives {
        read(evidence, archive, report)?;
    }
    Ok(())
}

fn read(evidence: &Evidence, archive: &Path, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("foreign")?;
    let image = folder.join("foreign.img");
    unpack(archive, &image)?;
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
