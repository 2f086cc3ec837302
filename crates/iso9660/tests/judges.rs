//! Programs that others wrote read volumes that are laid out here.
//!
//! Where a program is missing, the test says so and passes, except with `CI=true`.
#![cfg(unix)]

mod image;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use image::verify::verify;
use reburn_blocks::Lba;
use reburn_iso9660::{DeepDirectories, IsoOptions, Joliet, Level};
use reburn_tree::{Content, Kind, Metadata, NewKind, NodeId, Timestamp, Tree};

/// 2001-09-09 01:46:40.
const TIME: i64 = 1_000_000_000;

/// What a file or folder is, in a form that a tree and a folder of the host share.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    what: String,
    permissions: u32,
    modified: i64,
    links: u64,
}

type Listing = BTreeMap<Vec<u8>, Entry>;

/// A tree being made of literals.
struct Builder(Tree);

impl Builder {
    fn add(&mut self, path: &str, kind: NewKind) -> NodeId {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let parent = self.0.lookup(parent.as_bytes()).unwrap();
        let permissions = match kind {
            NewKind::Directory => 0o750,
            NewKind::Symlink(_) => 0o777,
            _ => 0o640,
        };
        let metadata = Metadata::with_permissions(permissions)
            .modified_at(Timestamp::from_seconds(TIME + i64::from(permissions)));
        let tree = &mut self.0;
        tree.add(parent, name.as_bytes(), metadata, kind).unwrap()
    }

    fn folder(&mut self, path: &str) {
        self.add(path, NewKind::Directory);
    }

    fn file(&mut self, path: &str, content: impl Into<Bytes>) {
        self.add(path, NewKind::Bytes(content.into()));
    }

    fn link(&mut self, path: &str, target: impl Into<Vec<u8>>) {
        self.add(path, NewKind::Symlink(target.into()));
    }
}

/// Files and folders that every judge can read.
fn files(depth: usize) -> Builder {
    let time = Timestamp::from_seconds(TIME);
    let mut tree = Builder(Tree::new(Metadata::directory().modified_at(time)));
    let mut deep = String::new();
    for level in 1..=depth {
        deep = format!("{deep}/level {level}");
        tree.folder(&deep);
        tree.file(&format!("{deep}/file"), format!("on level {level}"));
    }
    tree.folder("/many");
    for number in 0..600 {
        let content = vec![b'a'; number * 7];
        tree.file(&format!("/many/file number {number} of many.text"), content);
    }
    tree.folder("/Größen und Maße");
    tree.file("/Größen und Maße/日本語のファイル.txt", "utf-8");
    tree.file("/Größen und Maße/emoji \u{1f4bf}", "beyond 16 bits");
    tree.file("/UPPER.TXT", "one");
    tree.file("/upper.txt", "other");
    tree.file("/.hidden", "dot");
    tree.file("/two.dots.txt", "dots");
    tree.file("/empty", "");
    tree.folder("/empty folder");
    tree.file(&format!("/{}", "n".repeat(250)), "long name");
    tree
}

/// The same with what only Rock Ridge has.
fn everything() -> Builder {
    let mut tree = files(20);
    tree.link("/link", "UPPER.TXT");
    tree.link("/link up", "../.././x/y/");
    tree.link("/link to root", "/");
    tree.link("/link of 255", format!("/usr/{}", "l".repeat(255)));
    for len in 243..=250 {
        let part = "p".repeat(len);
        tree.link(&format!("/link {len}"), format!("{part}/{part}/{part}"));
    }
    tree.add("/pipe", NewKind::Fifo);
    let file = tree.0.inode(tree.0.lookup(b"/two.dots.txt").unwrap());
    let many = tree.0.lookup(b"/many").unwrap();
    tree.0.link(many, b"another name", file).unwrap();
    tree
}

/// Runs a program on an image; what it prints, or `None` where it is missing.
fn run(program: &str, arguments: &[&str], image: &Path, folder: &Path) -> Option<String> {
    let place = |argument: &&str| argument.replace("IMAGE", &image.display().to_string());
    let output = Command::new(program)
        .args(arguments.iter().map(place))
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::from(fs::File::open(image).unwrap()))
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

/// An image in a folder of its own, and an empty folder beside it.
struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    fn new(tree: &Tree, options: &IsoOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let image = image::build(tree, options, Lba::ZERO, 64);
        verify(&image, 0);
        fs::write(folder.path().join("image.iso"), image).unwrap();
        fs::create_dir(folder.path().join("out")).unwrap();
        Self { folder }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let image = self.folder.path().join("image.iso");
        run(program, arguments, &image, &self.folder.path().join("out"))
    }

    /// Has a program extract everything, and compares with what `expected` has.
    fn extract(&self, program: &str, arguments: &[&str], expected: &Listing) {
        if self.run(program, arguments).is_some() {
            let mut found = list_folder(&self.folder.path().join("out"));
            for (path, entry) in &mut found {
                // No judge is to blame for that: xorriso sets no times of links.
                if entry.what.starts_with("->")
                    && program == "xorriso"
                    && let Some(expected) = expected.get(path)
                {
                    entry.modified = expected.modified;
                }
            }
            assert_same(expected, &found, program);
        }
    }
}

fn list_tree(tree: &Tree) -> Listing {
    let nodes = tree.walk(Tree::ROOT).skip(1);
    nodes
        .map(|(node, _)| {
            let inode = tree.inode(node);
            let what = match tree.kind(inode) {
                Kind::Directory => "folder".to_owned(),
                Kind::File {
                    content: Content::Bytes(bytes),
                    ..
                } => describe(bytes),
                Kind::Symlink(target) => format!("-> {}", target.escape_ascii()),
                Kind::Fifo => "pipe".to_owned(),
                kind => panic!("{kind:?} is not in these trees"),
            };
            let metadata = tree.metadata(inode);
            let entry = Entry {
                what,
                permissions: metadata.permissions.into(),
                modified: metadata.modified.seconds(),
                links: tree.links(inode).into(),
            };
            (tree.path(node), entry)
        })
        .collect()
}

fn list_folder(top: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut pending = vec![top.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let what = if metadata.is_dir() {
                pending.push(path.clone());
                "folder".to_owned()
            } else if metadata.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                format!("-> {}", target.as_os_str().as_bytes().escape_ascii())
            } else if metadata.is_file() {
                describe(&fs::read(&path).unwrap())
            } else {
                "pipe".to_owned()
            };
            let links = if metadata.is_dir() {
                1
            } else {
                metadata.nlink()
            };
            let entry = Entry {
                what,
                permissions: metadata.mode() & 0o7777,
                modified: metadata.mtime(),
                links,
            };
            let path = path.strip_prefix(top).unwrap();
            listing.insert([b"/", path.as_os_str().as_bytes()].concat(), entry);
        }
    }
    listing
}

fn describe(content: &[u8]) -> String {
    match content.len() {
        0..40 => format!("{:?}", String::from_utf8_lossy(content)),
        len => format!("{len} bytes, ends in {:?}", content.last()),
    }
}

/// Compares, and says the first few differences instead of everything.
#[track_caller]
fn assert_same(expected: &Listing, found: &Listing, program: &str) {
    let paths: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    let differences: Vec<_> = paths
        .into_iter()
        .filter(|path| expected.get(*path) != found.get(*path))
        .map(|path| {
            let path_shown = path.escape_ascii();
            format!(
                "{path_shown}: {:?}, found {:?}",
                expected.get(path),
                found.get(path)
            )
        })
        .collect();
    let shown = differences
        .iter()
        .take(5)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        differences.is_empty(),
        "{program}: {} differences\n{shown}",
        differences.len()
    );
}

#[test]
fn isovfy_finds_no_errors() {
    for deep in [DeepDirectories::Relocate, DeepDirectories::InPlace] {
        let options = IsoOptions {
            deep,
            ..IsoOptions::default()
        };
        let workshop = Workshop::new(&everything().0, &options);
        if let Some(said) = workshop.run("isovfy", &["IMAGE"]) {
            assert!(said.ends_with("No errors found\n"), "{said}");
        }
    }
}

#[test]
fn isoinfo_lists_every_name() {
    let tree = everything().0;
    let workshop = Workshop::new(&tree, &IsoOptions::default());
    let Some(rock_ridge) = workshop.run("isoinfo", &["-R", "-f", "-i", "IMAGE"]) else {
        return;
    };
    // It knows nothing of moved folders.
    let expected: BTreeSet<_> = list_tree(&tree)
        .into_keys()
        .map(|path| String::from_utf8(path).unwrap())
        .filter(|path| !path.contains("level 8"))
        .collect();
    let found: BTreeSet<_> = rock_ridge
        .lines()
        .filter(|path| !path.contains("level 8") && !path.contains("rr_moved"))
        .map(str::to_owned)
        .collect();
    assert_eq!(expected, found);
    let joliet = workshop
        .run("isoinfo", &["-J", "-f", "-i", "IMAGE"])
        .unwrap();
    assert!(joliet.contains("/level 7/level 8/level 9"), "{joliet}");
}

#[test]
fn xorriso_extracts_everything() {
    let tree = everything().0;
    for deep in [DeepDirectories::Relocate, DeepDirectories::InPlace] {
        let options = IsoOptions {
            deep,
            enhanced: true,
            ..IsoOptions::default()
        };
        let workshop = Workshop::new(&tree, &options);
        let arguments = [
            "-abort_on",
            "WARNING",
            "-hardlinks",
            "on",
            "-osirrox",
            "on:auto_chmod_on",
            "-indev",
            "IMAGE",
            "-extract",
            "/",
            ".",
        ];
        workshop.extract("xorriso", &arguments, &list_tree(&tree));
    }
}

#[test]
fn bsdtar_extracts_everything_from_a_stream() {
    let tree = everything().0;
    for deep in [DeepDirectories::Relocate, DeepDirectories::InPlace] {
        let options = IsoOptions {
            deep,
            ..IsoOptions::default()
        };
        let workshop = Workshop::new(&tree, &options);
        workshop.extract("bsdtar", &["-xpf", "-"], &list_tree(&tree));
    }
}

#[test]
fn seven_zip_extracts_files_by_their_joliet_names() {
    let tree = files(12).0;
    let options = IsoOptions {
        joliet: Joliet::Relaxed103,
        rock_ridge: false,
        deep: DeepDirectories::InPlace,
        ..IsoOptions::default()
    };
    let workshop = Workshop::new(&tree, &options);
    // The format has no permissions, and names are cut to 103 characters.
    let without_permissions = |listing: Listing| -> Listing {
        listing
            .into_iter()
            .map(|(mut path, entry)| {
                if path.starts_with(b"/nnn") {
                    path.truncate(104);
                }
                let permissions = 0;
                (
                    path,
                    Entry {
                        permissions,
                        ..entry
                    },
                )
            })
            .collect()
    };
    if workshop.run("7z", &["x", "-y", "IMAGE"]).is_some() {
        let found = list_folder(&workshop.folder.path().join("out"));
        let expected = without_permissions(list_tree(&tree));
        assert_same(&expected, &without_permissions(found), "7z");
    }
}

#[test]
fn all_levels_are_read() {
    let tree = files(8).0;
    for level in [Level::One, Level::Two, Level::Three] {
        let options = IsoOptions {
            level,
            enhanced: true,
            joliet: Joliet::Off,
            ..IsoOptions::default()
        };
        let workshop = Workshop::new(&tree, &options);
        if let Some(said) = workshop.run("isovfy", &["IMAGE"]) {
            assert!(said.ends_with("No errors found\n"), "{said}");
        }
        let arguments = ["-osirrox", "on", "-indev", "IMAGE", "-extract", "/", "."];
        workshop.extract("xorriso", &arguments, &list_tree(&tree));
    }
}

#[test]
fn devices_are_told_apart() {
    let mut tree = files(1);
    tree.add("/null", NewKind::CharDevice { major: 1, minor: 3 });
    tree.add(
        "/disk",
        NewKind::BlockDevice {
            major: 8,
            minor: 17,
        },
    );
    let workshop = Workshop::new(&tree.0, &IsoOptions::default());
    let bsdtar = workshop.run("bsdtar", &["-tvf", "IMAGE", "null", "disk"]);
    let xorriso = workshop.run("xorriso", &["-indev", "IMAGE", "-lsl", "/null", "/disk"]);
    for said in [bsdtar, xorriso].into_iter().flatten() {
        assert!(said.contains(" 1,3 ") && said.contains(" 8,17 "), "{said}");
    }
}
