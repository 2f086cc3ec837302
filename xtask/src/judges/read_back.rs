//! `reburn get` on images that xorriso and genisoimage write.

use std::path::Path;

use reburn_tests::{Tolerance, Walk};

use super::evidence::{Evidence, walk};
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

/// Which tree is read, and how it is compared.
#[derive(Clone, Copy)]
enum Tree {
    RockRidge,
    Joliet,
    Plain,
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let tree = evidence.tree("foreign tree", false, 500)?;
    let expected = walk(&tree)?;
    xorriso(evidence, &tree, &expected, report)?;
    sessions(evidence, &tree, report)?;
    genisoimage(evidence, &tree, &expected, report)?;
    evidence.discard(&tree)
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
    let update = Program::new("xorriso").arg("-dev").arg(&image);
    let update = update.arg("-update_r").arg(tree).args(["/", "-commit"]);
    update.capture()?.require_success(&update)?;
    let expected = walk(tree)?;
    read(evidence, &image, Tree::RockRidge, &expected, report)?;
    evidence.discard(&folder)
}

/// genisoimage does not end on links with long components, and its Joliet refuses names that
/// are not in the first plane or not text; it gets the tree without them.
fn genisoimage(
    evidence: &Evidence,
    tree: &Path,
    expected: &Walk,
    report: &mut Report,
) -> Result<(), String> {
    let folder = evidence.scratch("foreign images")?;
    let _ = expected;
    for (name, flags, left_out) in [
        (
            "genisoimage-level-3.iso",
            ["-iso-level", "3"].as_slice(),
            ["links", "scripts"],
        ),
        (
            "genisoimage-level-4.iso",
            &["-iso-level", "4"],
            ["links", "long names"],
        ),
    ] {
        let partial = folder.join("tree");
        std::fs::create_dir_all(&partial).map_err(|error| error.to_string())?;
        let copy = Program::new("cp")
            .arg("-a")
            .arg(tree.join("."))
            .arg(&partial);
        copy.capture()?.require_success(&copy)?;
        for name in left_out {
            let remove = Program::new("rm").arg("-rf").arg(partial.join(name));
            remove.capture()?.require_success(&remove)?;
        }
        let image = folder.join(name);
        let make = Program::new("genisoimage").args(["-quiet", "-R", "-allow-limited-size"]);
        let make = make.args(flags).arg("-o").arg(&image).arg(&partial);
        make.capture()?.require_success(&make)?;
        read(evidence, &image, Tree::RockRidge, &walk(&partial)?, report)?;
        let remove = Program::new("rm").arg("-rf").arg(&partial);
        remove.capture()?.require_success(&remove)?;
    }
    evidence.discard(&folder)
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
        Tree::RockRidge => "rock-ridge",
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
    let comparison = match tree {
        Tree::RockRidge => reburn_tests::compare(expected, &seen, &forgiven),
        Tree::Joliet => {
            let carries = |path: &[u8]| all_parts(path, |name| joliet_carries(name, 103));
            reburn_tests::compare_contents(expected, &seen, &carries, &forgiven)
        }
        Tree::Plain => reburn_tests::compare_contents(expected, &seen, &|_| false, &forgiven),
    };
    report.comparison(&label, &get, &comparison);
    evidence.discard(&folder)
}
