//! `reburn` on UDF volumes that mkudffs, the Linux kernel and genisoimage write.

use std::path::Path;

use reburn_tests::{Aspect, Kind, Tolerance, Walk};

use super::evidence::{Evidence, thin_out, walk};
use super::foreign_udf::get;
use super::guest::{self, Guest, Mount};
use super::kernel_udf::{MODULES, kernel_carries};
use super::names::{all_parts, joliet_carries};
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::Program;

pub const JUDGE: Judge = Judge {
    name: "read-back udf",
    proves: "reburn reads what mkudffs, the Linux kernel and genisoimage write as UDF",
    needs: &NEEDS,
    optional: false,
    run,
};

const NEEDS: [(&str, &str); 9] = {
    let [a, b, c, d, e, f] = guest::NEEDS;
    let tools = ("mkudffs", "udftools");
    let info = ("udfinfo", "udftools");
    [
        a,
        b,
        c,
        d,
        e,
        f,
        tools,
        info,
        ("genisoimage", "genisoimage"),
    ]
};

/// What mkudffs knows, and what it can be asked to obey.
const MEDIA: [&str; 11] = [
    "hd", "dvd", "dvdram", "dvdrw", "dvdr", "worm", "mo", "cdrw", "cdr", "cd", "bdr",
];
const REVISIONS: [&str; 6] = ["1.02", "1.50", "2.00", "2.01", "2.50", "2.60"];

/// How many of these go together: the older revisions, less 1.02 on media that need a table, and
/// the newer with a virtual allocation table only. For `worm` and `mo` mkudffs 2.3 finds a file
/// of any size too small.
const KINDS_MADE: usize = 34;

/// Revisions that the kernel writes.
const WRITTEN: [&str; 4] = ["1.02", "1.50", "2.00", "2.01"];

const LABEL: &str = "Größe €";

const A_DAY_AHEAD: Tolerance = Tolerance {
    name: "times past 2038",
    because: "genisoimage records them a day ahead in UDF, and 7-Zip shows the same",
    forgives: |difference| {
        let (Some(expected), Some(seen)) = (&difference.expected, &difference.seen) else {
            return false;
        };
        let is_late = expected.modified_s > i64::from(i32::MAX);
        difference.aspect == Aspect::Time
            && is_late
            && seen.modified_s == expected.modified_s + 86_400
    },
};

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    empty_volumes(evidence, report)?;
    genisoimage(evidence, report)?;
    kernel(evidence, report)
}

fn mkudffs(image: &Path, media: &str, revision: &str) -> Program {
    // The medium comes before what changes its defaults.
    let make = Program::new("mkudffs").arg("--utf8");
    let make = make.arg(format!("--media-type={media}"));
    let make = make.args(["--new-file", "--blocksize=2048"]);
    let make = make.arg(format!("--udfrev={revision}"));
    let make = make.arg(format!("--label={LABEL}"));
    make.arg(image).arg("200000")
}

/// Every kind of volume that mkudffs makes: all of them are empty.
fn empty_volumes(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("mkudffs")?;
    let mut made = 0;
    for (media, revision) in MEDIA
        .iter()
        .flat_map(|media| REVISIONS.map(|r| (*media, r)))
    {
        let image = folder.join(format!("{media}-{revision}.img"));
        let program = mkudffs(&image, media, revision);
        // Which kinds go together it knows best.
        if program.capture()?.success() {
            made += 1;
            empty_volume(evidence, &format!("{media} {revision}"), &image, report)?;
        }
    }
    if made != KINDS_MADE {
        return Err(format!(
            "mkudffs made {made} kinds of volumes, not {KINDS_MADE}"
        ));
    }
    evidence.discard(&folder)
}

/// Volumes with a hidden file that lists damaged blocks (UDF 1.50 2.3.13): it counts as a file on
/// the disc, and is none of the user's.
const LISTS_DAMAGED_BLOCKS: [&str; 2] = ["dvdrw 1.50", "cdrw 1.50"];

fn empty_volume(
    evidence: &Evidence,
    name: &str,
    image: &Path,
    report: &mut Report,
) -> Result<(), String> {
    let info = Program::new("udfinfo").arg("--utf8").arg(image);
    let info = info.capture()?.require_success(&info)?.stdout_text();
    let fact = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.strip_prefix('='))
            .unwrap_or("")
            .to_owned()
    };
    let show = evidence.reburn()?.args(["show"]).arg(image);
    let shown = show.capture()?.require_success(&show).and_then(|output| {
        let text = output.stdout_text();
        let (label, revision) = (fact("label"), fact("udfwriterev"));
        if text.contains(&label) && text.contains(&revision) {
            return Ok(());
        }
        Err(format!(
            "not called `{label}`, or not of {revision}:\n{text}"
        ))
    });
    report.verdict(name, &show, shown);
    let (get, seen) = get(evidence, image, &[])?;
    let verdict = seen.and_then(|seen| {
        let is_folder = |kind: Kind| kind == Kind::Directory;
        let count = |folders: bool| {
            let entries = seen.entries.values();
            entries
                .filter(|entry| is_folder(entry.kind) == folders)
                .count()
                .to_string()
        };
        let counted = (count(false), count(true));
        let files = match fact("numfiles") {
            one if one == "1" && LISTS_DAMAGED_BLOCKS.contains(&name) => "0".to_owned(),
            files => files,
        };
        let stated = (files, fact("numdirs"));
        if counted == stated {
            return Ok(());
        }
        Err(format!(
            "files and folders are {counted:?}; udfinfo says {stated:?}"
        ))
    });
    report.verdict(name, &get, verdict);
    Ok(())
}

/// genisoimage names files in UDF as in Joliet, makes links empty files, and does not keep modes.
fn genisoimage(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let tree = evidence.tree("genisoimage udf tree", false, 300)?;
    thin_out(&tree, |path, entry| {
        let plain = matches!(entry.kind, Kind::File | Kind::Directory);
        !plain || !all_parts(path, |name| joliet_carries(name, 60))
    })?;
    let image = evidence.file("genisoimage-udf.iso");
    let make = Program::new("genisoimage").args(["-quiet", "-udf", "-J", "-R", "-o"]);
    let make = make.arg(&image).arg(&tree);
    make.capture()?.require_success(&make)?;
    let (get, seen) = get(evidence, &image, &[])?;
    match seen {
        Ok(seen) => {
            let expected = walk(&tree)?;
            let forgiven = [tolerances::TOP_FOLDER, A_DAY_AHEAD];
            let carries = |path: &[u8]| all_parts(path, |name| joliet_carries(name, 60));
            let comparison = reburn_tests::compare_contents(&expected, &seen, &carries, &forgiven);
            report.comparison("genisoimage -udf", &get, &comparison);
        }
        Err(fault) => report.verdict("genisoimage -udf", &get, Err(fault)),
    }
    evidence.discard(&tree)
}

/// The kernel fills volumes that mkudffs made for hard disks.
fn kernel(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let tree = evidence.tree("kernel udf tree", false, 100)?;
    thin_out(&tree, |path, entry| {
        let device = matches!(entry.kind, Kind::CharDevice | Kind::BlockDevice);
        // The kernel makes no devices with numbers past 255 here (`old_valid_dev`).
        device && entry.target.len() > 5
            || !all_parts(path, kernel_carries)
            || !device && !all_parts(&entry.target, kernel_carries)
    })?;
    let folder = evidence.scratch("kernel written")?;
    let fill = format!("cp -a {}/. mount", guest::quoted(&tree));
    let mut mounts = Vec::new();
    for revision in WRITTEN {
        let image = folder.join(format!("{revision}.img"));
        let make = mkudffs(&image, "hd", revision);
        make.capture()?.require_success(&make)?;
        mounts.push(Mount {
            listing: folder.join(revision),
            image,
            sector_bytes: 2048,
            file_system: "udf",
            options: "rw,iocharset=utf8".to_owned(),
            fill: Some(fill.clone()),
            look: None,
        });
    }
    let guest = Guest::new(&folder, &MODULES, &mounts)?;
    guest.run()?;
    let expected = guest::with_counted_links(&walk(&tree)?);
    for mount in &mounts {
        written(evidence, &mount.image, &mount.listing, &expected, report)?;
    }
    evidence.discard(&folder)?;
    evidence.discard(&tree)
}

fn written(
    evidence: &Evidence,
    image: &Path,
    listing: &Path,
    expected: &Walk,
    report: &mut Report,
) -> Result<(), String> {
    let name = format!(
        "by the kernel, {}",
        listing.file_name().unwrap_or_default().display()
    );
    // A volume that was not filled proves nothing.
    guest::seen(listing)?;
    let (get, seen) = get(evidence, image, &[])?;
    match seen {
        Ok(seen) => {
            let seen = guest::with_counted_links(&seen);
            let mut forgiven = tolerances::of_plain_users();
            forgiven.push(tolerances::TOP_FOLDER);
            let comparison = reburn_tests::compare(expected, &seen, &forgiven);
            report.comparison(&name, &get, &comparison);
        }
        Err(fault) => report.verdict(&name, &get, Err(fault)),
    }
    Ok(())
}
