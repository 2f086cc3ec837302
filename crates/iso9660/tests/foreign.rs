//! Reading volumes that other programs wrote.
//!
//! xorriso and genisoimage write images of a small tree here and now; where they are missing,
//! the test says so and passes, except with `CI=true`. Images that cannot be made anew are
//! looked for in the folder named by `REBURN_FOREIGN_IMAGES`.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use reburn_blocks::{BLOCK_SIZE, BlockRead, ImageFile, Lba};
use reburn_iso9660::{Hierarchy, ImportedTree, NoteKind, Nsr, Volume};
use reburn_tree::{Content, InodeId, Kind, Tree, read_extents};

/// What a file or folder is, in a form that two sources can be compared in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    what: String,
    permissions: u32,
    modified: i64,
}

type Listing = BTreeMap<String, Entry>;

/// Makes a folder with what Rock Ridge can hold and plain ISO 9660 cannot.
fn make_tree(top: &Path) {
    let file = |path: &str, content: &[u8]| fs::write(top.join(path), content).unwrap();
    fs::create_dir_all(top.join("deep/2/3/4/5/6/7/8/9/10")).unwrap();
    fs::create_dir(top.join("empty folder")).unwrap();
    file("deep/2/3/4/5/6/7/8/9/10/bottom.txt", b"bottom");
    file("deep/2/3/4/5/6/7/8/eight.txt", b"eight");
    file("empty", b"");
    file("one", b"1");
    file("block", &[7; BLOCK_SIZE]);
    file("large.bin", &vec![9; 3 * BLOCK_SIZE + 1]);
    file("Ünï çødé 漢字 ☃.tar.gz", b"names");
    file(&"n".repeat(200), b"long");
    for number in 0..300 {
        file(&format!("Collides in 8 and 3 {number}.text"), &[1; 10]);
    }
    fs::hard_link(top.join("one"), top.join("one again")).unwrap();
    symlink("../some/./../target", top.join("relative")).unwrap();
    symlink("/usr/share", top.join("absolute")).unwrap();
    symlink(format!("{}/x", "c".repeat(200)), top.join("long link")).unwrap();
    fs::set_permissions(top.join("one"), Permissions::from_mode(0o4751)).unwrap();
    let time = UNIX_EPOCH + Duration::from_secs(1_234_567_890);
    let times = FileTimes::new().set_modified(time);
    let handle = File::options().write(true).open(top.join("block"));
    handle.unwrap().set_times(times).unwrap();
}

/// A folder on the host as a listing.
fn list_folder(top: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(top.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            let metadata = fs::symlink_metadata(top.join(&path)).unwrap();
            let what = if metadata.is_dir() {
                pending.push(path.clone());
                "folder".to_owned()
            } else if metadata.is_symlink() {
                format!("-> {}", fs::read_link(top.join(&path)).unwrap().display())
            } else {
                describe(&fs::read(top.join(&path)).unwrap(), metadata.nlink())
            };
            let entry = Entry {
                what,
                permissions: metadata.mode() & 0o7777,
                modified: metadata.mtime(),
            };
            listing.insert(format!("/{}", path.display()), entry);
        }
    }
    listing
}

/// A tree from a disc as a listing, with the files' content read from there.
fn list_tree(disc: &dyn BlockRead, tree: &Tree) -> Listing {
    let mut listing = Listing::new();
    for (node, _) in tree
        .walk(Tree::ROOT)
        .filter(|&(node, _)| node != Tree::ROOT)
    {
        let inode = tree.inode(node);
        let what = match tree.kind(inode) {
            Kind::Directory => "folder".to_owned(),
            Kind::Symlink(target) => format!("-> {}", OsStr::from_bytes(target).display()),
            Kind::File { .. } => {
                let content = content(disc, tree, inode);
                describe(&content, tree.links(inode).into())
            }
            kind => format!("{kind:?}"),
        };
        let metadata = tree.metadata(inode);
        let entry = Entry {
            what,
            permissions: metadata.permissions.into(),
            modified: metadata.modified.seconds(),
        };
        listing.insert(tree.display_path(node), entry);
    }
    listing
}

/// Length, sum and number of names of a file.
fn describe(content: &[u8], names: u64) -> String {
    let sum = content.iter().fold(0u64, |sum, &byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    format!("{} bytes, sum {sum:x}, {names} names", content.len())
}

fn content(disc: &dyn BlockRead, tree: &Tree, inode: InodeId) -> Vec<u8> {
    let Kind::File {
        content: Content::Base(extents),
        ..
    } = tree.kind(inode)
    else {
        panic!("not a file on the disc");
    };
    let size: u64 = extents.iter().map(|extent| extent.bytes).sum();
    let mut content = vec![0; usize::try_from(size).unwrap()];
    read_extents(disc, extents, 0, &mut content).unwrap();
    content
}

/// Runs a program; false, with a word about it, where it is missing.
fn run(program: &str, arguments: &[&OsStr]) -> bool {
    let command = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    match command {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program} failed: {said}");
            true
        }
        Err(error) => {
            let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
            assert!(!is_ci, "{program} cannot be run: {error}");
            println!("skipped: {program} cannot be run: {error}");
            false
        }
    }
}

/// A folder for one test: a tree to be written and a place for images.
struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tree")).unwrap();
        make_tree(&folder.path().join("tree"));
        Self { folder }
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image.iso")
    }

    /// Has a program write an image of the tree; `None` where it is missing.
    fn write(&self, program: &str, options: &[&str]) -> Option<ImageFile> {
        let (tree, image) = (self.tree(), self.image());
        let mut arguments: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
        arguments.extend(["-o".as_ref(), image.as_os_str(), tree.as_os_str()]);
        run(program, &arguments).then(|| ImageFile::open(&image).unwrap())
    }
}

fn read(disc: &dyn BlockRead, start: u32, hierarchy: Hierarchy) -> ImportedTree {
    let volume = Volume::open(disc, Lba::new(start)).unwrap();
    volume.read_tree(disc, hierarchy).unwrap()
}

/// Compares, and says the first few differences instead of everything.
#[track_caller]
fn assert_same(expected: &Listing, found: &Listing) {
    let differing = expected
        .iter()
        .filter(|(path, entry)| found.get(*path) != Some(*entry))
        .map(|(path, entry)| format!("{path}: {entry:?}, found {:?}", found.get(path)));
    let unexpected = found
        .keys()
        .filter(|path| !expected.contains_key(*path))
        .map(|path| format!("{path}: unexpected"));
    let differences: Vec<_> = differing.chain(unexpected).take(5).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn rock_ridge_of_xorriso() {
    let workshop = Workshop::new();
    let options = ["-as", "mkisofs", "-quiet", "-R", "-J"];
    let Some(disc) = workshop.write("xorriso", &options) else {
        return;
    };
    let found = read(&disc, 0, Hierarchy::RockRidge);
    assert_eq!(found.notes, []);
    assert_same(
        &list_folder(&workshop.tree()),
        &list_tree(&disc, &found.tree),
    );
}

#[test]
fn rock_ridge_of_genisoimage_with_moved_directories() {
    let workshop = Workshop::new();
    let options = ["-quiet", "-R", "-J", "-joliet-long"];
    let Some(disc) = workshop.write("genisoimage", &options) else {
        return;
    };
    let found = read(&disc, 0, Hierarchy::RockRidge);
    assert_eq!(found.notes, []);
    assert_same(
        &list_folder(&workshop.tree()),
        &list_tree(&disc, &found.tree),
    );
    // In the plain tree, the moved directories stay where they were moved to.
    let plain = read(&disc, 0, Hierarchy::Plain);
    assert!(plain.tree.lookup(b"/RR_MOVED").is_some());
    assert_eq!(plain.data_ranges, found.data_ranges);
    assert_eq!(plain.metadata_ranges, found.metadata_ranges);
}

/// Joliet has names, sizes and contents, no modes, links or symbolic links.
#[test]
fn joliet_of_both() {
    let workshop = Workshop::new();
    let xorriso = ["-as", "mkisofs", "-quiet", "-J", "-joliet-long"];
    let genisoimage = ["-quiet", "-D", "-J", "-joliet-long"];
    for (program, options) in [("xorriso", &xorriso[..]), ("genisoimage", &genisoimage)] {
        let Some(disc) = workshop.write(program, options) else {
            continue;
        };
        let found = list_tree(&disc, &read(&disc, 0, Hierarchy::Joliet).tree);
        let reduce = |what: &str| what.split(", ").take(2).collect::<Vec<_>>().join(" ");
        let expected: BTreeMap<_, _> = list_folder(&workshop.tree())
            .into_iter()
            // Joliet has no symbolic links, and cuts names after 103 characters.
            .filter(|(path, entry)| !entry.what.starts_with("->") && !path.contains("nnn"))
            .map(|(path, entry)| (path, reduce(&entry.what)))
            .collect();
        for (path, what) in expected {
            let found = found.get(&path).map(|entry| reduce(&entry.what));
            assert_eq!(found, Some(what), "{program}: {path}");
        }
        let long: Vec<_> = found.keys().filter(|path| path.contains("nnn")).collect();
        assert_eq!(long.len(), 1, "{program}: {long:?}");
    }
}

#[test]
fn iso_1999_and_udf_bridge_of_genisoimage() {
    let workshop = Workshop::new();
    let options = ["-quiet", "-R", "-udf", "-iso-level", "4"];
    let Some(disc) = workshop.write("genisoimage", &options) else {
        return;
    };
    let volume = Volume::open(&disc, Lba::ZERO).unwrap();
    assert_eq!(volume.udf(), Some(Nsr::Nsr02));
    let hierarchies = [Hierarchy::RockRidge, Hierarchy::Enhanced, Hierarchy::Plain];
    assert_eq!(volume.hierarchies(), hierarchies);
    let enhanced = read(&disc, 0, Hierarchy::Enhanced);
    let node = enhanced.tree.lookup(b"/Collides in 8 and 3 299.text");
    assert!(node.is_some());
}

#[test]
fn sessions_of_xorriso() {
    let workshop = Workshop::new();
    let (tree, image) = (workshop.tree(), workshop.image());
    // Overwritable media and files get their first session at block 32, with a copy of the
    // newest descriptors at 16.
    let first: [&OsStr; 6] = [
        "-outdev".as_ref(),
        image.as_ref(),
        "-map".as_ref(),
        tree.as_ref(),
        "/".as_ref(),
        "-commit".as_ref(),
    ];
    if !run("xorriso", &first) {
        return;
    }
    let before = list_folder(&tree);
    fs::write(tree.join("one"), b"changed").unwrap();
    fs::remove_file(tree.join("block")).unwrap();
    let second: [&OsStr; 6] = [
        "-dev".as_ref(),
        image.as_ref(),
        "-update_r".as_ref(),
        tree.as_ref(),
        "/".as_ref(),
        "-commit".as_ref(),
    ];
    assert!(run("xorriso", &second));
    let disc = ImageFile::open(&image).unwrap();
    let newest = read(&disc, 0, Hierarchy::RockRidge);
    assert_same(&list_folder(&tree), &list_tree(&disc, &newest.tree));
    let oldest = read(&disc, 32, Hierarchy::RockRidge);
    assert_same(&before, &list_tree(&disc, &oldest.tree));
}

#[test]
fn boot_catalog_of_xorriso() {
    let workshop = Workshop::new();
    let options = [
        "-as",
        "mkisofs",
        "-quiet",
        "-R",
        "-b",
        "block",
        "-no-emul-boot",
        "-boot-load-size",
        "4",
        "-c",
        "boot.cat",
    ];
    let Some(disc) = workshop.write("xorriso", &options) else {
        return;
    };
    let volume = Volume::open(&disc, Lba::ZERO).unwrap();
    let found = read(&disc, 0, Hierarchy::RockRidge);
    let at = |path: &[u8]| {
        let inode = found.tree.inode(found.tree.lookup(path).unwrap());
        match found.tree.kind(inode) {
            Kind::File {
                content: Content::Base([extent, ..]),
                ..
            } => extent.start().unwrap(),
            kind => panic!("{kind:?}"),
        }
    };
    assert_eq!(volume.boot_catalog(), Some(at(b"/boot.cat")));
    assert!(found.metadata_ranges.contains(at(b"/boot.cat")));
    assert!(found.data_ranges.contains(at(b"/block")));
}

#[test]
fn compressed_files_and_attributes_of_xorriso_are_noted() {
    let workshop = Workshop::new();
    let (tree, image) = (workshop.tree(), workshop.image());
    fs::write(tree.join("zeros"), vec![0; 300_000]).unwrap();
    let arguments: [&OsStr; 13] = [
        "-outdev".as_ref(),
        image.as_ref(),
        "-hardlinks".as_ref(),
        "on".as_ref(),
        "-map".as_ref(),
        tree.as_ref(),
        "/".as_ref(),
        "-find".as_ref(),
        "/zeros".as_ref(),
        "-exec".as_ref(),
        "set_filter".as_ref(),
        "--zisofs".as_ref(),
        "--".as_ref(),
    ];
    if !run("xorriso", &[&arguments[..], &["-commit".as_ref()]].concat()) {
        return;
    }
    let disc = ImageFile::open(&image).unwrap();
    let found = read(&disc, 0, Hierarchy::RockRidge);
    let count = |kind| {
        let note = found.notes.iter().find(|note| note.kind == kind);
        note.map_or(0, |note| note.count)
    };
    assert_eq!(count(NoteKind::Compressed), 1, "{:?}", found.notes);
    assert!(
        count(NoteKind::ExtendedAttributes) > 300,
        "{:?}",
        found.notes
    );
    let one = found.tree.lookup(b"/one again").unwrap();
    assert_eq!(found.tree.links(found.tree.inode(one)), 2);
}

/// The folder with images that others wrote, or `None` with a word about it.
fn foreign_images() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/images");
    let folder = std::env::var_os("REBURN_FOREIGN_IMAGES").map_or(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no folder {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Unpacks one of them; `None` where it or the program for it is missing.
fn foreign_image(name: &str) -> Option<Vec<u8>> {
    let path = foreign_images()?.join(format!("{name}.img.xz"));
    let output = Command::new("xz").arg("-dc").arg(&path).output();
    match output {
        Ok(output) if output.status.success() => Some(output.stdout),
        other => {
            println!("skipped: {} cannot be unpacked: {other:?}", path.display());
            None
        }
    }
}

#[test]
fn images_of_blkid() {
    let names = |disc: &Vec<u8>, start, hierarchy| {
        let found = read(disc, start, hierarchy);
        assert_eq!(found.notes, []);
        list_tree(disc, &found.tree).into_keys().collect::<Vec<_>>()
    };
    let notes = [
        "/v2.13-ReleaseNotes",
        "/v2.14-ReleaseNotes",
        "/v2.15-ReleaseNotes",
        "/v2.16-ReleaseNotes",
    ];
    if let Some(disc) = foreign_image("iso-rr-joliet") {
        assert_eq!(names(&disc, 0, Hierarchy::RockRidge), notes);
        assert_eq!(names(&disc, 0, Hierarchy::Joliet), notes);
        let volume = Volume::open(&disc, Lba::ZERO).unwrap();
        let identifier = volume.volume_identifier(Hierarchy::RockRidge);
        assert_eq!(identifier.as_deref(), Some("ThisIsVolumeName"));
    }
    if let Some(disc) = foreign_image("iso-joliet") {
        assert_eq!(names(&disc, 0, Hierarchy::Joliet), notes);
    }
    if let Some(disc) = foreign_image("iso-different-iso-joliet-label") {
        let volume = Volume::open(&disc, Lba::ZERO).unwrap();
        let joliet = volume.volume_identifier(Hierarchy::Joliet);
        assert_eq!(joliet.as_deref(), Some("Joliet Label"));
        assert_ne!(volume.volume_identifier(Hierarchy::Plain), joliet);
    }
    if let Some(disc) = foreign_image("iso-multi-0-174-348-genisoimage") {
        for (start, name) in [(0, "first"), (174, "second"), (348, "third")] {
            let volume = Volume::open(&disc, Lba::new(start)).unwrap();
            let identifier = volume.volume_identifier(Hierarchy::Plain).unwrap();
            assert_eq!(identifier, format!("{name} session"));
            assert_eq!(names(&disc, start, Hierarchy::Plain), [""; 0]);
        }
    }
}
