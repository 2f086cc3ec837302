//! udfinfo and libblkid: what desktops and scripts see of a volume without mounting it.
//!
//! Both read descriptors only, and say what they hold; what they must say comes from the tree
//! that the volume was made from, and from how it was made.

use std::collections::BTreeMap;

use reburn_tests::Kind as EntryKind;

use super::Judge;
use super::evidence::{Evidence, failed};
use super::report::Report;
use super::volume_kinds::{Access, Partition};
use super::volumes::Volume;
use crate::command::Program;

pub const UDFINFO: Judge = Judge {
    name: "udfinfo",
    proves: "names, revisions, counts of files and blocks, and a strict parse of descriptors",
    needs: &[("udfinfo", "udftools")],
    optional: false,
    run: udfinfo,
};

pub const BLKID: Judge = Judge {
    name: "blkid",
    proves: "libblkid takes every volume for UDF alone, and gives its name and revision",
    needs: &[("blkid", "util-linux")],
    optional: false,
    run: blkid,
};

/// What a program printed, by the words before the equals signs.
type Facts = BTreeMap<String, String>;

fn udfinfo(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    // Without --utf8 it would print what the locale of this machine has.
    let ask = |volume: &Volume| Program::new("udfinfo").arg("--utf8").arg(&volume.path);
    each(evidence, report, &ask, &by_udfinfo)
}

fn blkid(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let ask = |volume: &Volume| {
        let blkid = Program::new("blkid").args(["-p", "-o", "udev"]);
        blkid.arg(&volume.path)
    };
    each(evidence, report, &ask, &by_blkid)
}

fn each(
    evidence: &Evidence,
    report: &mut Report,
    ask: &dyn Fn(&Volume) -> Program,
    judge: &dyn Fn(&Volume, &Facts) -> Result<(), String>,
) -> Result<(), String> {
    let volumes = evidence.volumes()?;
    report.out_of(volumes.all.len(), volumes.whole);
    for volume in &volumes.all {
        let program = ask(volume);
        let verdict = facts(&program)?.and_then(|facts| judge(volume, &facts));
        report.verdict(&volume.name, &program, verdict);
    }
    let damaged = with_other_label(evidence, volumes.difficult()?)?;
    let program = ask(&damaged);
    if facts(&program)?
        .and_then(|facts| judge(&damaged, &facts))
        .is_ok()
    {
        report.verdict(
            &damaged.name,
            &program,
            Err("another label was not seen".into()),
        );
    }
    Ok(())
}

/// What a program says; `Err` inside is a complaint.
fn facts(program: &Program) -> Result<Result<Facts, String>, String> {
    let output = program.capture()?;
    let complaint = output.stderr_text();
    if !complaint.trim().is_empty() {
        return Ok(Err(format!("it complains:\n  {}", complaint.trim_end())));
    }
    Ok(output.require_success(program).map(|output| {
        let text = output.stdout_text();
        let facts = text.lines().filter_map(|line| line.split_once('='));
        facts
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }))
}

/// A copy of a volume that is called something else in every descriptor.
fn with_other_label(evidence: &Evidence, volume: &Volume) -> Result<Volume, String> {
    let path = evidence.file("other label.udf");
    let mut bytes = std::fs::read(&volume.path).map_err(failed(&volume.path))?;
    let tail: Vec<u8> = volume
        .label()
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let places: Vec<_> = (0..bytes.len().saturating_sub(tail.len()))
        .filter(|at| bytes[*at..].starts_with(&tail))
        .collect();
    if places.is_empty() {
        return Err(format!("{} is not called {}", volume.name, volume.label()));
    }
    for at in places {
        bytes[at + 1] ^= 1;
    }
    std::fs::write(&path, bytes).map_err(failed(&path))?;
    let name = format!("{}, called otherwise", volume.name);
    Ok(Volume {
        name,
        path,
        ..volume.clone()
    })
}

fn by_udfinfo(volume: &Volume, facts: &Facts) -> Result<(), String> {
    let kind = volume.kind;
    let entries = volume.walk.entries.values();
    let files = entries
        .filter(|entry| entry.kind != EntryKind::Directory)
        .count();
    // What cannot be allocated belongs to a file that is not shown (UDF 1.50 2.3.13).
    let hidden = usize::from(kind.revision == "1.50" && kind.partition == Partition::Sparable);
    // 2.60 asks no more of readers than 2.50 does (UDF 2.2.6.4).
    let readable = if kind.revision == "2.60" {
        "2.50"
    } else {
        kind.revision
    };
    let access = match kind.access {
        Access::ReadOnly => "readonly",
        Access::WriteOnce => "writeonce",
        Access::Rewritable => "rewritable",
        Access::Overwritable => "overwritable",
        Access::PseudoOverwritable => "pseudo-overwritable",
    };
    expect(
        facts,
        &[
            ("label", volume.label()),
            ("vid", volume.label()),
            ("lvid", volume.label()),
            ("blocksize", "2048"),
            ("numfiles", &(files + hidden).to_string()),
            ("numdirs", &(volume.walk.entries.len() - files).to_string()),
            ("udfrev", readable),
            ("udfwriterev", kind.revision),
            // It takes a virtual allocation table for what closes a volume.
            ("integrity", "closed"),
            ("accesstype", access),
            ("softwriteprotect", "no"),
            ("hardwriteprotect", "no"),
        ],
    )?;
    blocks(volume, facts)
}

/// Whether blocks add up: nothing is free where nothing can be written, the rest holds at least
/// the content of files, and the image is as long as the volume.
fn blocks(volume: &Volume, facts: &Facts) -> Result<(), String> {
    let number = |name: &str| -> Result<u64, String> {
        let value = facts.get(name).map_or("", String::as_str);
        value.parse().map_err(|_| format!("{name} is `{value}`"))
    };
    let (all, used, free) = (
        number("blocks")?,
        number("usedblocks")?,
        number("freeblocks")?,
    );
    // What is appended to a disc goes where nothing was recorded yet.
    let can_grow = matches!(
        volume.kind.access,
        Access::Overwritable | Access::Rewritable | Access::WriteOnce
    );
    if free != 0 && !can_grow {
        return Err(format!(
            "{free} blocks are free where nothing can be written"
        ));
    }
    let content = content_blocks(volume);
    // A copy of such a disc ends where recording did, and its partition with the medium.
    let is_appended = volume.is_edited && volume.kind.access == Access::WriteOnce;
    if used < content || (used + free > all && !is_appended) {
        let sum = format!("{used} blocks used, {free} free, {all} in all");
        return Err(format!("{sum}; content alone takes {content}"));
    }
    let length = std::fs::metadata(&volume.path)
        .map_err(failed(&volume.path))?
        .len();
    if all * 2048 != length && !volume.is_edited {
        return Err(format!("{all} blocks are not {length} bytes"));
    }
    Ok(())
}

/// Blocks that contents take which do not fit into entries, each content once.
fn content_blocks(volume: &Volume) -> u64 {
    let contents: BTreeMap<_, _> = volume
        .walk
        .entries
        .values()
        .filter(|entry| entry.size > 2048)
        .map(|entry| (&entry.digest, entry.size.div_ceil(2048)))
        .collect();
    contents.values().sum()
}

fn by_blkid(volume: &Volume, facts: &Facts) -> Result<(), String> {
    let label = volume.label().replace(' ', r"\x20");
    let uuid = facts
        .get("ID_FS_VOLUME_SET_ID")
        .cloned()
        .unwrap_or_default();
    let uuid: String = uuid.chars().take(16).collect::<String>().to_lowercase();
    let is_unique = uuid.len() == 16 && uuid.chars().all(|c| c.is_ascii_hexdigit());
    if !is_unique {
        return Err(format!(
            "the volume set's name does not begin unique: `{uuid}`"
        ));
    }
    expect(
        facts,
        &[
            ("ID_FS_LABEL_ENC", &label),
            ("ID_FS_VOLUME_ID", &label),
            ("ID_FS_LOGICAL_VOLUME_ID", &label),
            ("ID_FS_UUID", &uuid),
            ("ID_FS_VERSION", volume.kind.revision),
            ("ID_FS_BLOCK_SIZE", "2048"),
            ("ID_FS_TYPE", "udf"),
            ("ID_FS_USAGE", "filesystem"),
        ],
    )
}

fn expect(facts: &Facts, wanted: &[(&str, &str)]) -> Result<(), String> {
    let wrong = wanted.iter().filter_map(|(name, value)| {
        let said = facts.get(*name).map_or("", String::as_str);
        (said != *value).then(|| format!("{name} is `{said}`, expected `{value}`"))
    });
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("; "))
    }
}
