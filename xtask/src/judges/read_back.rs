//! `reburn get` on images that xorriso and genisoimage write.

use std::path::Path;

use reburn_tests::{Aspect, Tolerance, Walk};

use super::evidence::{Evidence, thin_out, walk};
use super::names::{all_parts, joliet_carries};
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::Program;

pub const JUDGE: Judge = Judge {
    name: "read-back",
    proves: "reburn reads what xorriso and genisoimage write, sessions and Joliet included",
    needs: &[("xorriso", "xorriso"), ("genisoimage", "genisoimage")],
    optional: false,
    run,
};

const LINKS_OF_UPDATES: Tolerance = Tolerance {
    name: "hard links in a second session",
    because: "xorriso writes a link count of one for every file that it updates",
    forgives: |difference| difference.aspect == Aspect::Links,
};

/// Which tree is read, and how it is compared.
#[derive(Clone, Copy)]
enum Tree {
    RockRidge,
    /// Rock Ridge, as xorriso leaves it in a second session.
    UpdatedRockRidge,
    Joliet,
    Plain,
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let tree = evidence.tree("foreign tree", false, 500)?;
    let expected = walk(&tree)?;
    xorriso(evidence, &tree, &expected, report)?;
    sessions(evidence, &tree, report)?;
    evidence.discard(&tree)?;
    genisoimage(evidence, report)
}

fn xorriso(
    evidence: &Evidence,
    tree: &Path,
    expected: &Walk,
    report: &mut Report,
) -> Result<(), String> {
    let folder = evidence.scratch("foreign images")?;
    for (name, flags) in [
        ("xorriso-level-3.iso", ["-iso-level", "3"].as_slice()),
        ("xorriso-level-4.iso", &["-iso-level", "4"]),
        ("xorriso-joliet.iso", &["-J", "-joliet-long"]),
    ] {
        let image = folder.join(name);
        let make = Program::new("xorriso").args(["-as", "mkisofs", "-quiet", "-R"]);
        let make = make.args(flags).arg("-o").arg(&image).arg(tree);
        make.capture()?.require_success(&make)?;
        read(evidence, &image, Tree::RockRidge, expected, report)?;
        read(evidence, &image, Tree::Plain, expected, report)?;
        if flags.contains(&"-J") {
            read(evidence, &image, Tree::Joliet, expected, report)?;
        }
    }
    evidence.discard(&folder)
}

/// A second session on top of the first: the newest tree counts.
fn sessions(evidence: &Evidence, tree: &Path, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("foreign sessions")?;
    let image = folder.join("xorriso-two-sessions.iso");
    let make = Program::new("xorriso").args(["-as", "mkisofs", "-quiet", "-R", "-J", "-o"]);
    let make = make.arg(&image).arg(tree);
    make.capture()?.require_success(&make)?;
    reburn_tests::edit(tree, 1).map_err(|error| error.to_string())?;
    let update = Program::new("xorriso")
        .args(["-hardlinks", "on", "-dev"])
        .arg(&image);
    let update = update.arg("-update_r").arg(tree).args(["/", "-commit"]);
    update.capture()?.require_success(&update)?;
    let expected = walk(tree)?;
    read(evidence, &image, Tree::UpdatedRockRidge, &expected, report)?;
    evidence.discard(&folder)
}

/// genisoimage does not end on links with long components, takes a name of one control
/// character for the folder's parent, and refuses names that it cannot write in UCS-2 or that
/// Joliet would make the same; it gets a tree without them.
fn genisoimage(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let tree = evidence.tree("genisoimage tree", false, 500)?;
    thin_out(&tree, |path, entry| {
        entry.target.len() > 200 || !is_first_plane(path) || path.ends_with(b"/\x01")
    })?;
    let folder = evidence.scratch("foreign images")?;
    let make = |name: &str, flags: &[&str]| {
        let image = folder.join(name);
        let make = Program::new("genisoimage").args(["-quiet", "-R", "-allow-limited-size"]);
        let make = make.args(flags).arg("-o").arg(&image).arg(&tree);
        make.capture()?.require_success(&make).map(|_| image)
    };
    let expected = walk(&tree)?;
    let image = make("genisoimage-level-3.iso", &["-iso-level", "3"])?;
    read(evidence, &image, Tree::RockRidge, &expected, report)?;
    read(evidence, &image, Tree::Plain, &expected, report)?;
    // On level 4 it cuts Rock Ridge names at 248 bytes.
    thin_out(&tree, |path, _| !all_parts(path, |name| name.len() < 248))?;
    let expected = walk(&tree)?;
    let image = make("genisoimage-level-4.iso", &["-iso-level", "4"])?;
    read(evidence, &image, Tree::RockRidge, &expected, report)?;
    read(evidence, &image, Tree::Plain, &expected, report)?;
    thin_out(&tree, |path, _| {
        !all_parts(path, |name| joliet_carries(name, 60))
    })?;
    let expected = walk(&tree)?;
    let image = make("genisoimage-joliet.iso", &["-J"])?;
    read(evidence, &image, Tree::RockRidge, &expected, report)?;
    read(evidence, &image, Tree::Joliet, &expected, report)?;
    evidence.discard(&folder)
}

/// Whether a path is text of the first Unicode plane.
fn is_first_plane(path: &[u8]) -> bool {
    std::str::from_utf8(path).is_ok_and(|path| path.chars().all(|c| u32::from(c) < 0x1_0000))
}

/// Copies one tree of an image out and compares it.
fn read(
    evidence: &Evidence,
    image: &Path,
    tree: Tree,
    expected: &Walk,
    report: &mut Report,
) -> Result<(), String> {
    let folder = evidence.scratch("got")?;
    let name = match tree {
        Tree::RockRidge | Tree::UpdatedRockRidge => "rock-ridge",
        Tree::Joliet => "joliet",
        Tree::Plain => "plain",
    };
    let get = evidence
        .reburn()?
        .arg("get")
        .arg(image)
        .arg("-o")
        .arg(&folder);
    let get = get.args(["--tree", name]);
    let output = get.capture()?;
    let label = image
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let output = match output.require_success(&get) {
        Ok(output) => output,
        Err(fault) => {
            report.verdict(&label, &get, Err(fault));
            return evidence.discard(&folder);
        }
    };
    drop(output);
    let seen = walk(&folder)?;
    let mut forgiven: Vec<Tolerance> = tolerances::of_plain_users();
    forgiven.extend([tolerances::TOP_FOLDER, tolerances::EMPTY_HARD_LINKS]);
    if matches!(tree, Tree::UpdatedRockRidge) {
        forgiven.push(LINKS_OF_UPDATES);
    }
    let comparison = match tree {
        Tree::RockRidge | Tree::UpdatedRockRidge => {
            reburn_tests::compare(expected, &seen, &forgiven)
        }
        Tree::Joliet => {
            // Longer names are cut by their writers, and others give way to what comes out.
            let carries = |path: &[u8]| all_parts(path, |name| joliet_carries(name, 100));
            reburn_tests::compare_contents(expected, &seen, &carries, &forgiven)
        }
        Tree::Plain => reburn_tests::compare_contents(expected, &seen, &|_| false, &forgiven),
    };
    report.comparison(&label, &get, &comparison);
    evidence.discard(&folder)
}
