//! The Linux kernel's own reader of UDF: one boot mounts every volume and walks it.

use std::path::PathBuf;

use reburn_tests::{Aspect, Difference, Tolerance};

use super::Judge;
use super::evidence::Evidence;
use super::guest::{self, Guest, Mount};
use super::names::{all_parts, restore_translated, udf_carries, udf_name_bytes};
use super::report::Report;
use super::volume_kinds::Tree;
use super::volumes::{CROWD, CROWD_STEP, Volume, crowd_content, crowd_name};

pub const JUDGE: Judge = Judge {
    name: "kernel udf",
    proves: "the Linux kernel mounts UDF volumes and reads all that is in them",
    needs: &guest::NEEDS,
    optional: false,
    run,
};

/// What the kernel logs of a mount that went well.
const USUAL: [&str; 1] = ["UDF-fs: INFO Mounting volume"];

/// The modules that UDF needs.
pub const MODULES: [&str; 3] = ["lib/crc-itu-t", "drivers/cdrom/cdrom", "fs/udf/udf"];

/// Which files of a crowd are read, of those with content: the first, the last, and some
/// between.
const CROWD_SAMPLE: [u32; 5] = [
    0,
    CROWD_STEP,
    30 * CROWD_STEP,
    70 * CROWD_STEP,
    90 * CROWD_STEP,
];

/// Guests that run side by side.
const GUESTS: usize = 2;

/// Names that come back as others, found by what they stand for: UDF records neither bytes that
/// are not UTF-8 nor byte order marks, and 254 characters at most (UDF 2.1.1, 2.3.4.7); and
/// `udf_get_filename` gives no name of 255 bytes (`UDF_NAME_LEN`).
const TRANSLATED_NAMES: &str = "names that UDF or the kernel has to translate";

pub fn kernel_carries(name: &[u8]) -> bool {
    udf_carries(name) && name.len() < 255
}

const UNRECORDED_TARGETS: Tolerance = Tolerance {
    name: "targets with names that UDF does not record",
    because: "a part of them is no UTF-8 or has 255 characters (UDF 2.1.1, ECMA-167 4/14.16)",
    forgives: |difference| target(difference).is_some_and(|it| !all_parts(it, udf_carries)),
};

const DOTS_BEFORE_EXTENSION: Tolerance = Tolerance {
    name: "targets with dots before a short extension",
    because: "udf_name_from_CS0 takes the dots for a whole name and puts a checksum behind them",
    forgives: |difference| {
        let odd = |part: &[u8]| {
            let dot = part.iter().rposition(|byte| *byte == b'.');
            dot.is_some_and(|dot| matches!(&part[..dot], b"." | b"..") && part.len() > dot + 1)
        };
        target(difference).is_some_and(|it| it.split(|byte| *byte == b'/').any(odd))
    },
};

const WIDE_TARGETS: Tolerance = Tolerance {
    name: "targets longer in UTF-8 than in UDF",
    because: "page_get_link cuts them at the bytes that UDF records (i_size)",
    forgives: |difference| {
        let (Some(whole), Some(seen)) = (target(difference), &difference.seen) else {
            return false;
        };
        whole.starts_with(&seen.target) && Some(seen.target.len()) == recorded_bytes(whole)
    },
};

/// The target that was expected of a link that has another.
fn target(difference: &Difference) -> Option<&[u8]> {
    let expected = difference.expected.as_ref()?;
    (difference.aspect == Aspect::Target).then_some(&expected.target)
}

/// Bytes of the path components that record a target (ECMA-167 4/14.16.1): four for each, and
/// a name.
fn recorded_bytes(target: &[u8]) -> Option<usize> {
    let target = std::str::from_utf8(target).ok()?;
    let root = if target.starts_with('/') { 4 } else { 0 };
    let parts = target.split('/').filter(|part| !part.is_empty());
    Some(parts.fold(root, |sum, part| {
        let is_name = !matches!(part, "." | "..");
        sum + 4 + if is_name { udf_name_bytes(part) } else { 0 }
    }))
}

struct Case {
    volume: Volume,
    is_damaged: bool,
    listing: PathBuf,
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let volumes = evidence.volumes()?;
    let folder = evidence.scratch("kernel udf")?;
    let mut cases = Vec::new();
    let mut add = |volume: Volume, is_damaged| {
        let listing = folder.join(format!("listing-{}", cases.len()));
        cases.push(Case {
            volume,
            is_damaged,
            listing,
        });
    };
    let looked_at = volumes.looked_at(|volume| volume.tree != Tree::Gentle);
    report.out_of(looked_at.len(), volumes.whole);
    for volume in looked_at {
        add(volume.clone(), false);
    }
    let difficult = volumes.difficult()?;
    let damaged = Volume {
        name: format!("{}, damaged", difficult.name),
        path: evidence.damaged_copy(&difficult.path, &difficult.folder)?,
        ..difficult.clone()
    };
    add(damaged, true);
    let guests = (0..GUESTS)
        .map(|number| {
            let mounts: Vec<_> = cases.iter().map(Case::mount).collect();
            let share: Vec<_> = mounts.into_iter().skip(number).step_by(GUESTS).collect();
            Guest::new(&folder.join(format!("guest-{number}")), &MODULES, &share)
        })
        .collect::<Result<Vec<_>, _>>()?;
    guest::run_together(&guests)?;
    for (number, case) in cases.iter().enumerate() {
        judge(case, &guests[number % GUESTS], report);
    }
    evidence.discard(&folder)
}

impl Case {
    fn mount(&self) -> Mount {
        Mount {
            image: self.volume.path.clone(),
            file_system: "udf",
            options: "ro,iocharset=utf8".to_owned(),
            fill: None,
            sector_bytes: 2048,
            look: (self.volume.tree == Tree::Crowd).then(look_at_crowd),
            listing: self.listing.clone(),
        }
    }
}

/// Lists the names of a crowded folder and reads some of its files: the kernel looks a name up
/// by reading the folder from its start (`udf_find_entry`), and all would take it an hour.
fn look_at_crowd() -> String {
    let read = CROWD_SAMPLE.map(|number| format!("'mount/{}'", crowd_name(number)));
    format!("ls -1U mount && cat {}", read.join(" "))
}

fn judge_crowd(printed: &str) -> Result<(), String> {
    let mut lines: Vec<_> = printed.lines().collect();
    let contents = lines.split_off(lines.len().saturating_sub(CROWD_SAMPLE.len()));
    lines.sort_unstable();
    let names: Vec<_> = (0..CROWD).map(crowd_name).collect();
    if lines != names {
        let (seen, all) = (lines.len(), names.len());
        return Err(format!(
            "{seen} names are listed, not all of {all} or others"
        ));
    }
    let expected = CROWD_SAMPLE.map(crowd_content).concat();
    if contents.join("\n") == expected.trim_end() {
        return Ok(());
    }
    Err(format!("files hold {contents:?}, expected {expected:?}"))
}

fn judge(case: &Case, guest: &Guest, report: &mut Report) {
    let (name, replay) = (&case.volume.name, guest.replay());
    if case.volume.tree == Tree::Crowd {
        let verdict = guest::printed(&case.listing).and_then(|printed| judge_crowd(&printed));
        report.verdict(name, replay, verdict);
        return;
    }
    let mut seen = match guest::seen(&case.listing) {
        Ok(seen) => seen,
        Err(fault) => return report.verdict(name, replay, Err(fault)),
    };
    let expected = guest::with_counted_links(&case.volume.walk);
    let translated = restore_translated(&expected, &mut seen, kernel_carries);
    let forgiven = [UNRECORDED_TARGETS, DOTS_BEFORE_EXTENSION, WIDE_TARGETS];
    let mut comparison = reburn_tests::compare(&expected, &seen, &forgiven);
    comparison.forgiven.insert(TRANSLATED_NAMES, translated);
    if case.is_damaged {
        report.must_differ(name, replay, &comparison);
    } else {
        let log = guest::log(&case.listing);
        report.verdict(name, replay, guest::no_complaint(&log, &USUAL));
        report.comparison(name, replay, &comparison);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_take_four_bytes_a_part_and_their_names() {
        assert_eq!(recorded_bytes(b"/"), Some(4));
        assert_eq!(recorded_bytes(b"../a//./bc"), Some(4 + 6 + 4 + 7));
        assert_eq!(recorded_bytes("/\u{20ac}".as_bytes()), Some(4 + 4 + 3));
    }

    #[test]
    fn a_crowd_must_be_whole() {
        let names = (0..CROWD).rev().map(|number| crowd_name(number) + "\n");
        let contents = CROWD_SAMPLE.map(crowd_content).concat();
        let printed = names.collect::<String>() + &contents;
        assert_eq!(judge_crowd(&printed), Ok(()));
        assert!(judge_crowd(&printed.replacen("000007", "000008", 1)).is_err());
        assert!(
            judge_crowd(&printed.replacen("content of 1111\n", "content of 1112\n", 1)).is_err()
        );
        assert!(judge_crowd("").is_err());
    }
}
