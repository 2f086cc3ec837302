//! What is laid out comes back when it is read, for any tree and any options.

mod image;

use image::verify::verify;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use reburn_blocks::Lba;
use reburn_iso9660::{
    DeepDirectories, Hierarchy, IsoOptions, Joliet, Layout, Level, NoteKind, Volume,
};
use reburn_tree::{Content, Kind, Metadata, NewKind, NodeId, Timestamp, Tree, read_extents};

/// Everything that is known of a name, in a form that survives the way to the disc and back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    what: String,
    /// Folders and files alone have them in every hierarchy.
    content: Option<Vec<u8>>,
    permissions: u16,
    owner: (u32, u32),
    times: [Option<i64>; 4],
    /// Another name of the same file that comes first.
    same_as: Option<Vec<u8>>,
}

type Listing = BTreeMap<Vec<u8>, Entry>;

/// Lists a tree whose contents are in memory or in `disc`.
fn list(tree: &Tree, disc: &[u8]) -> Listing {
    let mut first_names = BTreeMap::new();
    let mut listing = Listing::new();
    for (node, _) in tree.walk(Tree::ROOT) {
        let (path, inode) = (tree.path(node), tree.inode(node));
        let metadata = tree.metadata(inode);
        let first = first_names.entry(inode).or_insert_with(|| path.clone());
        let entry = Entry {
            what: what(tree, node),
            content: content(tree, node, disc),
            permissions: metadata.permissions,
            owner: (metadata.uid, metadata.gid),
            times: recorded_times(metadata),
            same_as: (*first != path).then(|| first.clone()),
        };
        listing.insert(path, entry);
    }
    listing
}

fn what(tree: &Tree, node: NodeId) -> String {
    match tree.kind(tree.inode(node)) {
        Kind::Directory => "folder".into(),
        Kind::File { size, .. } => format!("file of {size}"),
        Kind::Symlink(target) => format!("link to {}", target.escape_ascii()),
        Kind::CharDevice { major, minor } => format!("character device {major}:{minor}"),
        Kind::BlockDevice { major, minor } => format!("block device {major}:{minor}"),
        Kind::Fifo => "fifo".into(),
        Kind::Socket => "socket".into(),
    }
}

fn content(tree: &Tree, node: NodeId, disc: &[u8]) -> Option<Vec<u8>> {
    let Kind::File { content, .. } = tree.kind(tree.inode(node)) else {
        return None;
    };
    match content {
        Content::Bytes(bytes) => Some(bytes.to_vec()),
        Content::Base(extents) => {
            let size: u64 = extents.iter().map(|extent| extent.bytes).sum();
            let mut all = vec![0; usize::try_from(size).unwrap()];
            read_extents(&disc, extents, 0, &mut all).unwrap();
            Some(all)
        }
        _ => None,
    }
}

/// Times as Rock Ridge keeps them: whole seconds from 1900 to 2155; if one lies outside, all
/// in hundredths of a second from the year 1 to 9999 (RRIP 4.1.6).
fn recorded_times(metadata: &Metadata) -> [Option<i64>; 4] {
    const SHORT: std::ops::RangeInclusive<i64> = -2_208_988_800..=5_869_583_999;
    let times = [
        metadata.created,
        Some(metadata.modified),
        metadata.accessed,
        metadata.changed,
    ];
    let short = times
        .iter()
        .flatten()
        .all(|time| SHORT.contains(&time.seconds()));
    times.map(|time| {
        let micros = time?.micros();
        Some(if short {
            micros.div_euclid(1_000_000) * 1_000_000
        } else {
            micros
                .clamp(-62_135_596_800_000_000, 253_402_300_799_990_000)
                .div_euclid(10_000)
                * 10_000
        })
    })
}

/// The tree without names: what a hierarchy keeps that has its own.
fn shape(tree: &Tree, node: NodeId, disc: &[u8]) -> String {
    let mut children: Vec<_> = tree
        .children(node)
        .iter()
        .filter(|&&child| {
            let kind = tree.kind(tree.inode(child));
            matches!(kind, Kind::Directory | Kind::File { .. })
        })
        .map(|&child| shape(tree, child, disc))
        .collect();
    children.sort();
    format!(
        "{}{:?}[{}]",
        what(tree, node),
        content(tree, node, disc),
        children.join(" ")
    )
}

/// The deepest level that a directory is on, the root's included (ECMA-119 6.8.2.1).
fn deepest(tree: &Tree) -> u32 {
    let folders = tree
        .walk(Tree::ROOT)
        .filter(|&(node, _)| tree.is_directory(node));
    folders.map(|(_, depth)| depth + 1).max().unwrap()
}

/// Characters of the longest path: all identifiers, that of a file with its version, and one
/// for each directory (ECMA-119 6.8.2.1).
fn longest_path(tree: &Tree) -> usize {
    let len = |node| {
        let separators = if tree.name(node).contains(&b'.') {
            2
        } else {
            3
        };
        let version = if tree.is_directory(node) {
            0
        } else {
            separators
        };
        // The root's identifier has one byte, and the path has a slash for each directory.
        tree.path(node).len() + version + 1
    };
    tree.walk(Tree::ROOT)
        .map(|(node, _)| len(node))
        .max()
        .unwrap()
}

/// Something to be added to a tree.
#[derive(Debug, Clone)]
struct Addition {
    parent: Index,
    name: Vec<u8>,
    metadata: Metadata,
    kind: AddedKind,
}

#[derive(Debug, Clone)]
enum AddedKind {
    New(NewKind),
    LinkTo(Index),
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    let short = prop::collection::vec(any::<u8>(), 1..12);
    let text = "[a-cA-C0 ._\u{e9}\u{30d5}\u{1f600};:]{1,12}".prop_map(String::into_bytes);
    let long = (text.clone(), 1usize..240).prop_map(|(mut name, more)| {
        name.extend(std::iter::repeat_n(b'x', more));
        name.truncate(255);
        name
    });
    prop_oneof![short, text, long].prop_map(|mut name: Vec<u8>| {
        for byte in &mut name {
            if matches!(*byte, 0 | b'/') {
                *byte = b'_';
            }
        }
        name
    })
}

fn target() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("..".to_string()),
        Just(".".to_string()),
        Just(String::new()),
        "[a-z]{1,9}",
        (1usize..260).prop_map(|len| "t".repeat(len)),
    ];
    prop::collection::vec(part, 1..40).prop_map(|parts| parts.join("/").into_bytes())
}

fn time() -> impl Strategy<Value = Timestamp> {
    let any = prop_oneof![
        20 => 0i64..4_000_000_000_000_000,
        1 => any::<i64>(),
    ];
    any.prop_map(Timestamp::from_micros)
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let optional = || prop::option::of(time());
    let times = (time(), optional(), optional(), optional());
    (0u16..0o10000, any::<u32>(), any::<u32>(), times).prop_map(|(permissions, uid, gid, times)| {
        let (modified, accessed, changed, created) = times;
        Metadata {
            permissions,
            uid,
            gid,
            modified,
            accessed,
            changed,
            created,
            real_time: false,
        }
    })
}

fn kind() -> impl Strategy<Value = AddedKind> {
    let bytes = prop::collection::vec(any::<u8>(), 0..5000).prop_map(|b| NewKind::Bytes(b.into()));
    let numbers = || {
        let minor = prop_oneof![0u32..256, any::<u32>()];
        (prop_oneof![1u32..256, 1u32..], minor)
    };
    let new = prop_oneof![
        6 => Just(NewKind::Directory),
        4 => bytes,
        2 => target().prop_map(NewKind::Symlink),
        1 => numbers().prop_map(|(major, minor)| NewKind::CharDevice { major, minor }),
        1 => numbers().prop_map(|(major, minor)| NewKind::BlockDevice { major, minor }),
        1 => Just(NewKind::Fifo),
        1 => Just(NewKind::Socket),
    ];
    prop_oneof![
        9 => new.prop_map(AddedKind::New),
        1 => any::<Index>().prop_map(AddedKind::LinkTo),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let addition = (any::<Index>(), name(), metadata(), kind());
    let addition = addition.prop_map(|(parent, name, metadata, kind)| Addition {
        parent,
        name,
        metadata,
        kind,
    });
    (
        metadata(),
        any::<bool>(),
        prop::collection::vec(addition, 0..60),
    )
        .prop_map(|(root, deep, additions)| {
            let mut tree = Tree::new(root);
            let mut folders = vec![Tree::ROOT];
            let mut files = Vec::new();
            for addition in additions {
                add(&mut tree, &mut folders, &mut files, &addition, deep);
            }
            tree
        })
}

/// Adds what can be added; names that are taken are passed over.
fn add(
    tree: &mut Tree,
    folders: &mut Vec<NodeId>,
    files: &mut Vec<NodeId>,
    addition: &Addition,
    deep: bool,
) {
    let Addition {
        parent,
        name,
        metadata,
        kind,
    } = addition;
    // In deep trees, most folders go into the one added last.
    let chosen = parent.get(folders);
    let parent = if deep && parent.index(4) != 0 {
        *folders.last().unwrap()
    } else {
        *chosen
    };
    let added = match kind {
        AddedKind::New(kind) => tree.add(parent, name, *metadata, kind.clone()),
        AddedKind::LinkTo(_) if files.is_empty() => return,
        AddedKind::LinkTo(file) => tree.link(parent, name, tree.inode(*file.get(files))),
    };
    match added {
        Ok(node) if tree.is_directory(node) => folders.push(node),
        Ok(node) => files.push(node),
        Err(_) => {}
    }
}

fn options() -> impl Strategy<Value = IsoOptions> {
    let level = select(vec![Level::One, Level::Two, Level::Three]);
    let joliet = select(vec![Joliet::Off, Joliet::Strict64, Joliet::Relaxed103]);
    let deep = select(vec![DeepDirectories::Relocate, DeepDirectories::InPlace]);
    (level, joliet, deep, any::<bool>()).prop_map(|(level, joliet, deep, enhanced)| IsoOptions {
        level,
        joliet,
        deep,
        enhanced,
        ..IsoOptions::default()
    })
}

proptest! {
    /// Rock Ridge brings back everything; the other hierarchies all but names and attributes.
    /// The primary one without Rock Ridge shows links and devices as files, so it only has to
    /// be readable.
    #[test]
    fn trees_come_back(
        tree in tree(), options in options(), start in select(vec![0u32, 32]), step in 1u32..40,
    ) {
        let start = Lba::new(start);
        let image = image::build(&tree, &options, start, step);
        verify(&image, start.get());
        let volume = Volume::open(&image, start).unwrap();
        let expected = [
            Some(Hierarchy::RockRidge),
            (options.joliet != Joliet::Off).then_some(Hierarchy::Joliet),
            options.enhanced.then_some(Hierarchy::Enhanced),
            Some(Hierarchy::Plain),
        ];
        prop_assert!(volume.hierarchies().iter().eq(expected.iter().flatten()));
        for &hierarchy in volume.hierarchies() {
            let read = volume.read_hierarchy(&image, hierarchy).unwrap();
            if hierarchy == Hierarchy::RockRidge {
                let (before, after) = (list(&tree, &image), list(&read.tree, &image));
                for (path, entry) in &before {
                    prop_assert_eq!(Some(entry), after.get(path), "{}", path.escape_ascii());
                }
                prop_assert_eq!(before.len(), after.len());
                prop_assert!(read.notes.is_empty(), "{:?}", read.notes);
            } else if hierarchy == Hierarchy::Plain {
                if options.deep == DeepDirectories::Relocate {
                    prop_assert!(deepest(&read.tree) <= 8);
                    prop_assert!(longest_path(&read.tree) <= 255);
                }
            } else {
                let (before, after) = (
                    shape(&tree, Tree::ROOT, &image), shape(&read.tree, Tree::ROOT, &image),
                );
                prop_assert_eq!(before, after, "{}", hierarchy);
                let renamed = |note: &reburn_iso9660::Note| note.kind == NoteKind::Renamed;
                prop_assert!(!read.notes.iter().any(renamed), "{:?}", read.notes);
            }
        }
    }

    /// Without Rock Ridge, what is not refused comes back as well.
    #[test]
    fn trees_without_rock_ridge_come_back(tree in tree(), options in options()) {
        let options = IsoOptions { rock_ridge: false, ..options };
        prop_assume!(Layout::new(&tree, &options).is_ok());
        let image = image::build(&tree, &options, Lba::ZERO, 64);
        verify(&image, 0);
        let volume = Volume::open(&image, Lba::ZERO).unwrap();
        prop_assert!(!volume.hierarchies().contains(&Hierarchy::RockRidge));
        for &hierarchy in volume.hierarchies() {
            let read = volume.read_hierarchy(&image, hierarchy).unwrap();
            let (before, after) = (
                shape(&tree, Tree::ROOT, &image), shape(&read.tree, Tree::ROOT, &image),
            );
            prop_assert_eq!(before, after, "{}", hierarchy);
        }
    }

    /// Blocks are the same however many are asked for at once.
    #[test]
    fn pieces_make_no_difference(tree in tree(), step in 1u32..9) {
        let options = IsoOptions::default();
        let whole = image::build(&tree, &options, Lba::ZERO, 1 << 16);
        let pieces = image::build(&tree, &options, Lba::ZERO, step);
        prop_assert!(whole == pieces);
    }
}
