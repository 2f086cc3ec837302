//! What udfinfo of udftools says of the volumes: no warning, and the numbers that were meant.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use reburn_udf::{Access, Session, UdfRevision, Volume};

use crate::all_options;
use crate::image::Image;
use crate::verify::{SMALL_SIZES, base, rich_tree};

/// What udfinfo prints of an image, and what it complains of; `None` where it is missing.
fn udfinfo(image: &[u8]) -> Option<(BTreeMap<String, String>, String)> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), image).unwrap();
    let output = Command::new("udfinfo")
        .arg(file.path())
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
            assert!(!is_ci, "udfinfo cannot be run: {error}");
            println!("skipped: udfinfo cannot be run: {error}");
            return None;
        }
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let pairs = said.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((pairs.collect(), complaints))
}

#[test]
fn udfinfo_agrees() {
    let base = base();
    for mut options in all_options() {
        options.texts.label = "Label \u{20ac}".into();
        options.texts.owner = "Owner".into();
        let tree = rich_tree(&options);
        for size in SMALL_SIZES {
            let image = Image::from_base(&tree, &base, &options, size);
            let Some((said, complaints)) = udfinfo(&image.bytes) else {
                return;
            };
            assert_eq!(complaints, "", "{options:?} {size:?}");
            check_numbers(&image, &said);
        }
    }
}

/// Compares what udfinfo says with what was laid out.
fn check_numbers(image: &Image<'_>, said: &BTreeMap<String, String>) {
    let options = image.layout.options();
    let integrity = Volume::open(&image.bytes, Session::default()).unwrap();
    let integrity = integrity.integrity().unwrap().clone();
    // It shows the revision that a reader must know, and nothing as free that is not known to be.
    let revision = match options.revision {
        UdfRevision::V2_60 => UdfRevision::V2_50,
        other => other,
    };
    let free = integrity.free_blocks[0].unwrap_or(0).to_string();
    let blocks = image.arrangement.volume_blocks.to_string();
    let (files, directories) = (
        integrity.files.to_string(),
        integrity.directories.to_string(),
    );
    let access = match options.access {
        Access::ReadOnly => "readonly",
        Access::WriteOnce => "writeonce",
        Access::Rewritable => "rewritable",
        Access::Overwritable => "overwritable",
        Access::PseudoOverwritable => "pseudo-overwritable",
    };
    for (key, value) in [
        ("label", "Label \u{20ac}"),
        ("vid", "Label \u{20ac}"),
        ("lvid", "Label \u{20ac}"),
        ("fsid", "Label \u{20ac}"),
        ("owner", "Owner"),
        ("blocksize", "2048"),
        ("blocks", &blocks),
        ("freeblocks", &free),
        ("behindblocks", "0"),
        ("numfiles", &files),
        ("numdirs", &directories),
        ("udfrev", revision.name()),
        ("udfwriterev", options.revision.name()),
        // A virtual allocation table closes the volume.
        ("integrity", "closed"),
        ("accesstype", access),
        ("softwriteprotect", "no"),
        ("hardwriteprotect", "no"),
    ] {
        assert_eq!(
            said.get(key).map(String::as_str),
            Some(value),
            "{key} of {options:?}"
        );
    }
    let table = image.arrangement.addresses.virtual_table;
    let table = table.map(|table| table.entry.to_string());
    assert_eq!(said.get("vatblock"), table.as_ref());
}
