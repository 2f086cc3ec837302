//! 7-Zip on UDF: it checks every descriptor's checksum, and reads what Windows has.
//!
//! Its reader (`UdfIn.cpp`) refuses a volume as a whole for what it does not know: entries of
//! anything but files and folders, partitions that are virtual or sparable, a metadata file in
//! more than one extent. Such volumes are counted as left out, and must be refused: a reader
//! that learns is to be asked.

use reburn_tests::hex;

use super::evidence::{Evidence, walk};
use super::names::{all_parts, survives_windows, udf_carries};
use super::report::Report;
use super::volume_kinds::{Partition, Tree};
use super::volumes::Volume;
use super::{Judge, tolerances};
use crate::command::Program;

pub const JUDGE: Judge = Judge {
    name: "7-zip udf",
    proves: "7-Zip reads files and folders of plain and metadata partitions",
    needs: &[("7z", "p7zip-full")],
    optional: false,
    run,
};

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let volumes = evidence.volumes()?;
    report.out_of(volumes.all.len(), volumes.whole);
    let mut gentle = None;
    for volume in &volumes.all {
        let program = Program::new("7z")
            .args(["t", "-scrcSHA256"])
            .arg(&volume.path);
        let output = program.capture()?;
        let said = output.stdout_text() + &output.stderr_text();
        if let Some(reason) = reason_to_refuse(volume) {
            report.leave_out(reason);
            let opened = said.contains("Everything is Ok");
            let verdict = if opened {
                Err(format!("7-Zip now reads it: {reason}"))
            } else {
                Ok(())
            };
            report.verdict(&volume.name, &program, verdict);
            continue;
        }
        let misses_the_end = misses_the_end(volume, &said);
        if misses_the_end {
            report.leave_out("the end of volumes whose files all lie in their entries");
        }
        report.verdict(
            &volume.name,
            &program,
            verdict(volume, &said, misses_the_end),
        );
        if volume.tree == Tree::Gentle {
            extract(evidence, volume, report, false)?;
            gentle = Some(volume);
        }
    }
    let Some(gentle) = gentle else {
        return Err("there is no volume that 7-Zip could read".into());
    };
    let damaged = Volume {
        name: format!("{}, damaged", gentle.name),
        path: evidence.damaged_copy(&gentle.path, &gentle.folder)?,
        ..gentle.clone()
    };
    extract(evidence, &damaged, report, true)
}

/// Why 7-Zip opens no such volume, if it does not.
fn reason_to_refuse(volume: &Volume) -> Option<&'static str> {
    if volume.kind.is_bridge {
        // It is asked by the name of the file, and has two readers for it.
        return (volume.tree == Tree::Difficult).then_some(SPECIAL_FILES);
    }
    match volume.kind.partition {
        Partition::Virtual => Some("virtual partitions"),
        Partition::Sparable => Some("sparable partitions"),
        _ if matches!(volume.tree, Tree::Difficult | Tree::Streams) => Some(SPECIAL_FILES),
        _ => None,
    }
}

/// What 7-Zip says where it does not find the anchor at the end.
const TAIL: &str = "There are data after the end of archive";
const HEADERS: &str = "Headers Error";

/// Whether 7-Zip looks for the anchor at the end too early, and finds nothing else wrong. It looks
/// right behind the last block that it knows of, past zeros alone: without file data in blocks the
/// mirror's entry, a bitmap, or the folders of ISO 9660 are still to come there.
fn misses_the_end(volume: &Volume, said: &str) -> bool {
    let is_embedded = matches!(volume.tree, Tree::Empty | Tree::One | Tree::Crowd);
    // What ends in a number are sums of what was said before.
    let mut errors = said
        .lines()
        .map(str::trim)
        .filter(|line| line.contains("Error") && !line.ends_with(": 1"));
    is_embedded && said.contains(TAIL) && errors.all(|line| line == HEADERS)
}

/// `ReadItem` takes file types 4 and 5 alone (ECMA-167 4/14.6.6).
const SPECIAL_FILES: &str = "links, pipes and devices";

fn verdict(volume: &Volume, said: &str, misses_the_end: bool) -> Result<(), String> {
    let complains = said.contains("WARNING") || said.contains("ERROR");
    if !misses_the_end && (!said.contains("Everything is Ok") || complains) {
        let lines: Vec<_> = said
            .lines()
            .filter(|line| !line.is_empty())
            .take(30)
            .collect();
        return Err(format!("7-Zip complains:\n  {}", lines.join("\n  ")));
    }
    // The digest of all content is that of the only file there is. After an error it is not said.
    if !misses_the_end && matches!(volume.tree, Tree::One | Tree::Big) {
        let file = volume.walk.entries.values().find(|entry| entry.size > 0);
        let digest = file.map_or(String::new(), |file| hex(&file.digest));
        if !said.to_lowercase().contains(&digest) {
            return Err(format!("the digest of its file is not {digest}:\n{said}"));
        }
    }
    Ok(())
}

fn extract(
    evidence: &Evidence,
    volume: &Volume,
    report: &mut Report,
    is_damaged: bool,
) -> Result<(), String> {
    let folder = evidence.scratch("7z extracted")?;
    let output = format!("-o{}", folder.display());
    // Names that become the same get a number, so that no content is lost.
    let program = Program::new("7z")
        .args(["x", "-tudf", "-aou", &output])
        .arg(&volume.path);
    program.capture()?;
    let carries = |path: &[u8]| all_parts(path, |name| survives_windows(name) && udf_carries(name));
    let seen = walk(&folder)?;
    let forgiven = [tolerances::TOP_FOLDER];
    let comparison = reburn_tests::compare_contents(&volume.walk, &seen, &carries, &forgiven);
    if is_damaged {
        report.must_differ(&volume.name, &program, &comparison);
    } else {
        report.comparison(&volume.name, &program, &comparison);
    }
    evidence.discard(&folder)
}
