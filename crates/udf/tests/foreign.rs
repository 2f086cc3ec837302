//! Reading volumes that other programs wrote.
//!
//! mkudffs and genisoimage write volumes here and now; where they are missing, the test says so
//! and passes, except with `CI=true`. Images that cannot be made anew are looked for in the
//! folder named by `REBURN_FOREIGN_IMAGES`.
#![cfg(unix)]

mod disc;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use disc::{content, listing};
use reburn_blocks::{BLOCK_SIZE, BlockRead, BlockWrite, ImageFile, Lba, Overlay};
use reburn_tree::{Kind, Tree};
use reburn_udf::{ImportedTree, NoteKind, PartitionKind, Revision, Session, Volume};

/// Runs a program; what it prints, or `None` with a word about it where it is missing.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program} failed: {said}");
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(error) => {
            let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
            assert!(!is_ci, "{program} cannot be run: {error}");
            println!("skipped: {program} cannot be run: {error}");
            None
        }
    }
}

/// Unpacks an image that another program wrote, into a file with holes; `None` where it is
/// missing.
fn foreign(name: &str, folder: &Path) -> Option<ImageFile> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/images");
    let images = std::env::var_os("REBURN_FOREIGN_IMAGES").map_or(beside, PathBuf::from);
    let packed = images.join(format!("{name}.img.xz"));
    if !packed.is_file() {
        println!("skipped: no file {}", packed.display());
        return None;
    }
    let copy = folder.join(format!("{name}.img.xz"));
    std::fs::copy(&packed, &copy).unwrap();
    run("xz", &["-d", "-f", copy.to_str().unwrap()])?;
    Some(ImageFile::open(&folder.join(format!("{name}.img"))).unwrap())
}

fn read(disc: &dyn BlockRead) -> (Volume, ImportedTree) {
    read_session(disc, Session::default())
}

fn read_session(disc: &dyn BlockRead, session: Session) -> (Volume, ImportedTree) {
    let volume = Volume::open(disc, session).unwrap_or_else(|error| panic!("{error}"));
    let read = volume
        .read_tree(disc)
        .unwrap_or_else(|error| panic!("{error}"));
    (volume, read)
}

fn kinds(volume: &Volume) -> Vec<PartitionKind> {
    volume.partitions().iter().map(|part| part.kind).collect()
}

/// A volume that another program wrote, what it is, and what is noted of it.
struct Expected {
    name: &'static str,
    label: &'static str,
    revision: &'static str,
    partitions: &'static [PartitionKind],
    free: Option<u64>,
    node_count: usize,
    notes: &'static [NoteKind],
}

const fn expected(
    name: &'static str,
    label: &'static str,
    revision: &'static str,
    partitions: &'static [PartitionKind],
    free: Option<u64>,
    node_count: usize,
    notes: &'static [NoteKind],
) -> Expected {
    Expected {
        name,
        label,
        revision,
        partitions,
        free,
        node_count,
        notes,
    }
}

const PLAIN: &[PartitionKind] = &[PartitionKind::Plain];
const SPARABLE: &[PartitionKind] = &[PartitionKind::Sparable];
const VIRTUAL: &[PartitionKind] = &[PartitionKind::Plain, PartitionKind::Virtual];
const METADATA: &[PartitionKind] = &[PartitionKind::Plain, PartitionKind::Metadata];

#[rustfmt::skip] // a table
const VOLUMES: [Expected; 12] = [
    expected("udf-1.50-sparable-netbsd-makefs", "LV", "1.50", SPARABLE, Some(293041), 22, &[]),
    expected("udf-1.50-vat-netbsd-makefs", "LV", "1.50", VIRTUAL, None, 22, &[]),
    expected("udf-2.01-linux-rw", "LinuxUDF", "2.01", PLAIN, Some(19896), 23, &[NoteKind::Deleted]),
    expected("udf-2.50-metadata-tsmuxer", "METATEST", "2.50", METADATA, None, 25, &[]),
    expected("udf-bdr-2.60-nero", "Label", "2.60", VIRTUAL, None, 2, &[]),
    expected(
        "udf-cd-mkudfiso-20100208", "Volume Label", "1.02", PLAIN, None, 1,
        &[NoteKind::NoIntegrity],
    ),
    expected(
        "udf-hdd-macosx-2.60-4096", "Untitled UDF Volume", "2.60", METADATA, Some(2009), 1, &[],
    ),
    expected("udf-hdd-mkudffs-1.0.0-1", "LinuxUDF", "2.01", PLAIN, Some(19940), 2, &[]),
    expected("udf-hdd-mkudffs-1.3-1", "Label", "2.01", PLAIN, Some(19941), 1, &[]),
    expected("udf-hdd-mkudffs-1.3-5", "Label", "2.01", PLAIN, Some(2025), 1, &[]),
    expected("udf-hdd-mkudffs-2.2", "\u{1f600}", "2.01", PLAIN, Some(19952), 1, &[]),
    expected("udf-hdd-udfclient-0.7.5", "discname", "2.01", PLAIN, Some(19862), 1, &[]),
];

#[test]
fn every_foreign_volume_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for expected in &VOLUMES {
        let name = expected.name;
        let Some(disc) = foreign(name, folder.path()) else {
            continue;
        };
        let (volume, found) = read(&disc);
        assert_eq!(volume.label(), expected.label, "{name}");
        assert_eq!(volume.revision().to_string(), expected.revision, "{name}");
        assert_eq!(kinds(&volume), expected.partitions, "{name}");
        assert_eq!(volume.free_blocks(&disc).unwrap(), expected.free, "{name}");
        assert_eq!(found.tree.node_limit(), expected.node_count, "{name}");
        let notes: Vec<_> = found.notes.iter().map(|note| note.kind).collect();
        assert_eq!(notes, expected.notes, "{name}");
        let overlap = found.metadata_ranges.intersection(&found.data_ranges);
        assert_eq!(overlap.to_string(), "", "{name}");
    }
}

/// The same files stand behind a virtual allocation table, in a sparable partition, and, as far
/// as they were not changed, in a plain one.
#[test]
fn files_are_the_same_on_every_partition() {
    let folder = tempfile::tempdir().unwrap();
    let files = |name: &str| {
        let disc = foreign(name, folder.path())?;
        Some(listing(&disc, &read(&disc).1.tree))
    };
    let Some(on_virtual) = files("udf-1.50-vat-netbsd-makefs") else {
        return;
    };
    let Some(on_sparable) = files("udf-1.50-sparable-netbsd-makefs") else {
        return;
    };
    assert_eq!(on_virtual, on_sparable);
    let Some(on_plain) = files("udf-2.01-linux-rw") else {
        return;
    };
    let what = |listing: &std::collections::BTreeMap<String, String>, path: &str| {
        let line = listing.get(path).unwrap_or_else(|| panic!("no {path}"));
        line.split_once("bytes, ").map(|(_, what)| what.to_owned())
    };
    for path in ["/a/b/file0.txt", "/a/file4.txt"] {
        assert!(what(&on_plain, path).is_some());
        assert_eq!(what(&on_plain, path), what(&on_virtual, path), "{path}");
    }
    assert!(on_plain["/link"].ends_with("-> top.txt"));
    assert!(on_plain["/hard"].contains(" 2 names"));
}

/// A disc with a block of zeros.
fn without(disc: ImageFile, block: u32) -> Overlay<ImageFile> {
    let mut damaged = Overlay::new(disc);
    damaged
        .write_blocks(Lba::new(block), &[0; BLOCK_SIZE])
        .unwrap();
    damaged
}

fn has_note(found: &ImportedTree, kind: NoteKind) -> bool {
    found.notes.iter().any(|note| note.kind == kind)
}

#[test]
fn the_mirror_stands_in_for_the_metadata_file() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disc) = foreign("udf-hdd-macosx-2.60-4096", folder.path()) else {
        return;
    };
    let (_, whole) = read(&disc);
    assert!(!has_note(&whole, NoteKind::MetadataMirror));
    // The entry is the second block of 4096 bytes in the partition, which starts at 257.
    let damaged = without(disc, (257 + 1) * 2);
    let (_, found) = read(&damaged);
    assert!(
        has_note(&found, NoteKind::MetadataMirror),
        "{:?}",
        found.notes
    );
    assert_eq!(
        listing(&damaged, &found.tree),
        listing(&damaged, &whole.tree)
    );
}

#[test]
fn another_sparing_table_stands_in_for_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let name = image.to_str().unwrap();
    let arguments = [
        "--new-file",
        "--media-type=cdrw",
        "--udfrev=1.50",
        name,
        "20000",
    ];
    if run("mkudffs", &arguments).is_none() {
        return;
    }
    let disc = ImageFile::open(&image).unwrap();
    let (volume, whole) = read(&disc);
    assert_eq!(kinds(&volume), SPARABLE);
    assert!(!has_note(&whole, NoteKind::SparingTable));
    let (_, found) = read(&without(disc, 160));
    assert!(
        has_note(&found, NoteKind::SparingTable),
        "{:?}",
        found.notes
    );
}

#[test]
fn sessions_are_named_by_their_start() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disc) = foreign("udf-multi-0-320-640-mkudffs", folder.path()) else {
        return;
    };
    let sessions = [(0, "first"), (320, "second"), (640, "third")];
    for (start, number) in sessions {
        let label = format!("{number} session");
        let session = Session {
            start: Lba::new(start),
            last_recorded: Some(Lba::new(start + 319)),
        };
        let (volume, found) = read_session(&disc, session);
        assert_eq!(volume.label(), label);
        assert_eq!(kinds(&volume), VIRTUAL);
        assert_eq!(found.notes, []);
    }
}

/// Names and values that udfinfo prints.
fn udfinfo(image: &str) -> Option<Vec<(String, String)>> {
    let said = run("udfinfo", &["--utf8", image])?;
    let pairs = said.lines().filter_map(|line| line.split_once('='));
    Some(
        pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    )
}

#[test]
fn volumes_of_mkudffs_agree_with_udfinfo() {
    let folder = tempfile::tempdir().unwrap();
    let media = [
        "hd", "dvd", "dvdram", "dvdrw", "dvdr", "worm", "mo", "cdrw", "cdr", "cd", "bdr",
    ];
    let revisions = ["1.02", "1.50", "2.00", "2.01", "2.50", "2.60"];
    let mut count = 0;
    for medium in media {
        for revision in revisions {
            let image = folder.path().join(format!("{medium}-{revision}"));
            let image = image.to_str().unwrap();
            let media_type = format!("--media-type={medium}");
            let revision_option = format!("--udfrev={revision}");
            let arguments = [
                "--utf8",
                "--new-file",
                "--label=Grüße 漢字",
                "--uid=1000",
                "--blocksize=2048",
                &media_type,
                &revision_option,
                image,
                "20000",
            ];
            let output = Command::new("mkudffs").args(arguments).output();
            let Ok(output) = output else {
                assert!(run("mkudffs", &["--help"]).is_none());
                return;
            };
            // Not every revision exists on every medium.
            if !output.status.success() {
                continue;
            }
            compare_with_udfinfo(image, revision);
            std::fs::remove_file(image).unwrap();
            count += 1;
        }
    }
    assert!(count >= 30, "only {count} volumes could be made");
}

fn compare_with_udfinfo(image: &str, revision: &str) {
    let disc = ImageFile::open(Path::new(image)).unwrap();
    let (volume, found) = read(&disc);
    assert_eq!(volume.revision().to_string(), revision, "{image}");
    assert_eq!(volume.label(), "Grüße 漢字", "{image}");
    assert!(
        found
            .notes
            .iter()
            .all(|note| note.kind != NoteKind::ReserveSequence)
    );
    let Some(said) = udfinfo(image) else { return };
    let value = |name: &str| {
        let found = said.iter().find(|(found, _)| found == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    assert_eq!(value("label"), volume.label(), "{image}");
    assert_eq!(value("vid"), volume.volume_identifier(), "{image}");
    assert_eq!(value("fullvsid"), volume.volume_set_identifier(), "{image}");
    assert_eq!(value("fsid"), volume.file_set_identifier(), "{image}");
    assert_eq!(
        value("blocksize"),
        volume.block_size().to_string(),
        "{image}"
    );
    let integrity = volume.integrity().unwrap();
    // That is what it means by the revision of a volume.
    let minimum = Revision(integrity.minimum_read).to_string();
    assert_eq!(value("udfrev"), minimum, "{image}");
    assert_eq!(value("numfiles"), integrity.files.to_string(), "{image}");
    assert_eq!(
        value("numdirs"),
        integrity.directories.to_string(),
        "{image}"
    );
    if let Some(free) = volume.free_blocks(&disc).unwrap() {
        assert_eq!(value("freeblocks"), free.to_string(), "{image}");
    }
}

#[test]
fn block_sizes_strategies_and_forms_of_mkudffs() {
    let folder = tempfile::tempdir().unwrap();
    for block_size in ["512", "1024", "2048", "4096"] {
        for strategy in ["4", "4096"] {
            for form in ["inicb", "short", "long"] {
                for space in ["unallocbitmap", "unalloctable"] {
                    let image = folder.path().join("image");
                    let image_name = image.to_str().unwrap();
                    let arguments = [
                        "--new-file".to_owned(),
                        format!("--blocksize={block_size}"),
                        format!("--strategy={strategy}"),
                        format!("--ad={form}"),
                        format!("--space={space}"),
                        image_name.to_owned(),
                        "3000".to_owned(),
                    ];
                    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
                    if run("mkudffs", &arguments).is_none() {
                        return;
                    }
                    let disc = ImageFile::open(&image).unwrap();
                    let (volume, found) = read(&disc);
                    assert_eq!(volume.block_size().to_string(), block_size);
                    assert_eq!(found.notes, [], "{arguments:?}");
                    let free = volume.free_blocks(&disc).unwrap().unwrap();
                    let said = udfinfo(image_name).unwrap();
                    let free_line = ("freeblocks".to_owned(), free.to_string());
                    assert!(said.contains(&free_line), "{arguments:?}: {free}, {said:?}");
                    std::fs::remove_file(&image).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_bridge_of_genisoimage_has_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().join("tree");
    std::fs::create_dir_all(top.join("deep/er")).unwrap();
    let large: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(top.join("deep/er/large.bin"), &large).unwrap();
    std::fs::write(top.join("Ünï 漢字.txt"), b"names").unwrap();
    std::fs::write(top.join("empty"), b"").unwrap();
    for number in 0..300 {
        std::fs::write(top.join(format!("number {number}")), number.to_string()).unwrap();
    }
    let image = folder.path().join("image");
    let arguments = [
        "-quiet",
        "-udf",
        "-V",
        "BRIDGE",
        "-o",
        image.to_str().unwrap(),
        top.to_str().unwrap(),
    ];
    if run("genisoimage", &arguments).is_none() {
        return;
    }
    let disc = ImageFile::open(&image).unwrap();
    let (volume, found) = read(&disc);
    assert_eq!(volume.label(), "BRIDGE");
    assert_eq!(found.notes, []);
    let file = |path: &str| {
        let node = found.tree.lookup(path.as_bytes()).unwrap();
        content(&disc, &found.tree, found.tree.inode(node))
    };
    assert_eq!(file("/deep/er/large.bin"), large);
    assert_eq!(file("/Ünï 漢字.txt"), b"names");
    assert_eq!(file("/empty"), b"");
    assert_eq!(file("/number 299"), b"299");
    assert_eq!(found.tree.children(Tree::ROOT).len(), 303);
    for (node, _) in found.tree.walk(Tree::ROOT) {
        let inode = found.tree.inode(node);
        if matches!(found.tree.kind(inode), Kind::File { .. }) {
            assert_eq!(found.tree.metadata(inode).permissions, 0o444);
        }
    }
    let overlap = found.metadata_ranges.intersection(&found.data_ranges);
    assert_eq!(overlap.to_string(), "");
}
