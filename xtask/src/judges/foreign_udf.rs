//! UDF volumes of other systems, if a folder of them is at hand: `reburn` must read of them
//! what the Linux kernel reads.

use std::fs::File;
use std::path::{Path, PathBuf};

use reburn_tests::{Aspect, Tolerance, Walk};

use super::evidence::{Evidence, failed, walk};
use super::foreign::{NO_IMAGES, archives, unpack};
use super::guest::{self, Guest, Mount};
use super::kernel_udf::MODULES;
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::Program;

pub const JUDGE: Judge = Judge {
    name: "foreign udf",
    proves: "reburn reads UDF volumes of other systems as the Linux kernel does",
    needs: &FOREIGN_NEEDS,
    optional: false,
    run,
};

const FOREIGN_NEEDS: [(&str, &str); 7] = {
    let [a, b, c, d, e, f] = guest::NEEDS;
    [a, b, c, d, e, f, ("xz", "xz-utils")]
};

const NO_OWNER: Tolerance = Tolerance {
    name: "files without an owner",
    because: "the kernel shows its overflow ids for 0xffffffff (UDF 2.3.6.2), and extraction root",
    forgives: |difference| {
        let owner = difference
            .expected
            .as_ref()
            .map(|entry| (entry.uid, entry.gid));
        difference.aspect == Aspect::Owner && owner == Some((65_534, 65_534))
    },
};

/// A session of an image.
struct Case {
    name: String,
    image: PathBuf,
    start: u32,
    listing: PathBuf,
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let Some(archives) = archives("udf-") else {
        report.skip(NO_IMAGES);
        return Ok(());
    };
    let folder = evidence.scratch("foreign udf")?;
    let mut cases = Vec::new();
    for (number, archive) in archives.iter().enumerate() {
        let image = folder.join(format!("{number}.img"));
        unpack(archive, &image)?;
        let name = archive.file_name().unwrap_or_default().to_string_lossy();
        let starts = session_starts(&name);
        for (index, &start) in starts.iter().enumerate() {
            cases.push(Case {
                name: format!("{name}, session at {start}"),
                image: as_it_was(&image, starts.get(index + 1).copied())?,
                start,
                listing: folder.join(format!("{number}-{start}")),
            });
        }
    }
    let mounts: Vec<_> = cases.iter().map(Case::mount).collect();
    let guest = Guest::new(&folder, &MODULES, &mounts)?;
    guest.run()?;
    for case in &cases {
        judge(evidence, case, report)?;
    }
    evidence.discard(&folder)
}

/// Where the sessions of an image start: its name says so if there are several.
fn session_starts(name: &str) -> Vec<u32> {
    let several = name.strip_prefix("udf-multi-").unwrap_or("0");
    several
        .split('-')
        .map_while(|start| start.parse().ok())
        .collect()
}

/// The image before the session at `next` was added: a virtual allocation table is at the end
/// of what is recorded (UDF 2.2.11), so later sessions hide it.
fn as_it_was(image: &Path, next: Option<u32>) -> Result<PathBuf, String> {
    let Some(next) = next else {
        return Ok(image.to_path_buf());
    };
    let cut = image.with_extension(format!("before-{next}"));
    std::fs::copy(image, &cut).map_err(failed(&cut))?;
    let file = File::options().write(true).open(&cut);
    file.and_then(|file| file.set_len(u64::from(next) * 2048))
        .map_err(failed(&cut))?;
    Ok(cut)
}

impl Case {
    fn mount(&self) -> Mount {
        let session = match self.start {
            0 => String::new(),
            start => format!(",session={start}"),
        };
        Mount {
            image: self.image.clone(),
            // Some are of hard disks, with smaller blocks than a disc's.
            sector_bytes: 512,
            file_system: "udf",
            options: format!("ro,iocharset=utf8{session}"),
            fill: None,
            look: None,
            listing: self.listing.clone(),
        }
    }
}

fn judge(evidence: &Evidence, case: &Case, report: &mut Report) -> Result<(), String> {
    let start = case.start.to_string();
    let show = evidence.reburn()?.arg("show").arg(&case.image);
    let show = show.args(["--start", &start]);
    let shown = show.capture()?.require_success(&show).map(|_| ());
    report.verdict(&case.name, &show, shown);
    let (get, seen) = match get(evidence, &case.image, &["--start", &start])? {
        (get, Ok(seen)) => (get, seen),
        (get, Err(fault)) => {
            report.verdict(&case.name, &get, Err(fault));
            return Ok(());
        }
    };
    match guest::seen(&case.listing) {
        Ok(expected) => {
            let expected = guest::with_counted_links(&expected);
            let seen = guest::with_counted_links(&seen);
            let forgiven = [tolerances::TOP_FOLDER, NO_OWNER];
            let comparison = reburn_tests::compare(&expected, &seen, &forgiven);
            report.comparison(&case.name, &get, &comparison);
        }
        Err(_) => report.leave_out("volumes that the kernel does not mount"),
    }
    Ok(())
}

/// Copies everything out of a volume and walks it.
pub fn get(
    evidence: &Evidence,
    image: &Path,
    options: &[&str],
) -> Result<(Program, Result<Walk, String>), String> {
    let folder = evidence.scratch("got udf")?;
    let get = evidence.reburn()?.arg("get").arg(image);
    let get = get.arg("-o").arg(&folder).args(["--tree", "udf"]);
    let get = get.args(options);
    let seen = match get.capture()?.require_success(&get) {
        Ok(_) => Ok(walk(&folder)?),
        Err(fault) => Err(fault),
    };
    evidence.discard(&folder)?;
    Ok((get, seen))
}
