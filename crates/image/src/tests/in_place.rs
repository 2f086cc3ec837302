//! Edits in place: what they cost, and that they write over nothing that stays.

use std::io;
use std::sync::Arc;

use reburn_blocks::{CrashClass, Protocol};
use reburn_tree::{Content, ContentRead, Extent, InodeId};
use reburn_udf::{Session, UdfOptions, UdfRevision, Volume};

use super::disc::{self, Disc};
use super::udf::{small_image, small_volume};
use super::*;
use crate::{ImportNote, new_udf_volume};

fn metadata_volume() -> UdfOptions {
    new_udf_volume("FIRST", UdfRevision::V2_50, THEN)
}

fn duplicated() -> UdfOptions {
    UdfOptions {
        duplicate_metadata: true,
        ..metadata_volume()
    }
}

/// The bytes of a file, made when they are read: the same for the same seed, other in one block.
#[derive(Debug)]
struct Made {
    seed: u64,
    len: u64,
    /// A byte that is another one.
    other: Option<u64>,
}

impl ContentRead for Made {
    fn byte_len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        for (at, byte) in (offset..).zip(buf) {
            let word = (self.seed + at / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = word.to_le_bytes()[7] ^ u8::from(self.other == Some(at));
        }
        Ok(())
    }
}

fn made(seed: u64, len: u64, other: Option<u64>) -> NewKind {
    NewKind::Custom(Arc::new(Made { seed, len, other }))
}

const FILES: u64 = 5000;
const FOLDERS: u64 = 50;
/// Some 200 MB in all.
const FILE_BYTES: u64 = 19 * 2048 + 1000;

fn path(index: u64) -> Vec<u8> {
    format!("/folder-{:02}/file-{index:04}", index % FOLDERS).into_bytes()
}

/// 5,000 files in 50 folders, of which no byte is in memory.
fn large_image(options: UdfOptions) -> FileSystemImage<'static> {
    let mut image = FileSystemImage::new(Medium::File, options, THEN);
    let folder = Metadata::directory().modified_at(THEN);
    for index in 0..FOLDERS {
        let path = format!("/folder-{index:02}");
        image
            .add(path.as_bytes(), folder, NewKind::Directory)
            .unwrap();
    }
    for index in 0..FILES {
        let content = made(index, FILE_BYTES, None);
        image.add(&path(index), file(), content).unwrap();
    }
    image
}

fn import_in_place(disc: &dyn BlockRead, medium: Medium) -> FileSystemImage<'_> {
    let mut image = import(disc, medium);
    image.set_in_place(true);
    image
}

/// Where every file is that is not in `changed`.
fn unchanged(tree: &Tree, changed: &[u8]) -> Vec<(Vec<u8>, Vec<Extent>)> {
    let nodes = tree.walk(Tree::ROOT).map(|(node, _)| node);
    nodes
        .filter_map(|node| match tree.kind(tree.inode(node)) {
            Kind::File {
                content: Content::Base(extents),
                ..
            } => Some((tree.path(node), extents.to_vec())),
            _ => None,
        })
        .filter(|(path, _)| path != changed)
        .collect()
}

/// Makes one edit in place of a disc, checks that it leaves the other files where they are and as
/// they are, and gives back how many blocks it cost.
fn cost(
    disc: &mut Overlay<&dyn BlockRead>,
    changed: &[u8],
    edit: impl FnOnce(&mut FileSystemImage<'_>),
) -> u32 {
    let base: &Overlay<_> = disc;
    let mut image = import_in_place(base, Medium::File);
    let before = unchanged(image.tree(), changed);
    edit(&mut image);
    let result = image.result().unwrap();
    let plan = result.plan().unwrap();
    assert_eq!(plan.protocol, Protocol::InPlace);
    assert_eq!(plan.class, CrashClass::None);
    let epochs = plan.modified.epochs();
    assert_eq!(epochs.len(), 1);
    assert_eq!(epochs[0].role, EpochRole::Commit);
    let listed = &epochs[0].ranges;
    for (path, extents) in &before {
        let mut blocks = extents.iter().filter_map(Extent::blocks);
        // Content in entries is written again with an entry that changes.
        let is_apart = extents.iter().all(|extent| extent.start().is_some());
        let name = String::from_utf8_lossy(path);
        assert!(
            !is_apart || !blocks.any(|range| listed.intersects(range)),
            "{name} is written over"
        );
    }
    let node = image.tree().lookup(changed);
    let wanted = node.map(|node| read(image.tree(), image.tree().inode(node), base));
    let mut data = Vec::new();
    for range in listed {
        let mut bytes = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
        result.read_blocks(range.start_lba(), &mut bytes).unwrap();
        data.push((range.start_lba(), bytes));
    }
    let count = listed.block_count().get();
    drop(result);
    drop(image);
    for (start, bytes) in data {
        disc.write_blocks(start, &bytes).unwrap();
    }
    let image = import(disc, Medium::File);
    assert!(image.notes().iter().all(ImportNote::is_usual));
    assert_eq!(unchanged(image.tree(), changed), before);
    let node = image.tree().lookup(changed);
    let found = node.map(|node| read(image.tree(), image.tree().inode(node), disc));
    assert!(found == wanted, "the changed file has other bytes");
    count
}

fn read(tree: &Tree, inode: InodeId, disc: &dyn BlockRead) -> Vec<u8> {
    let Kind::File { size, content } = tree.kind(inode) else {
        return Vec::new();
    };
    let mut data = vec![0; usize::try_from(size).unwrap()];
    let mut open = crate::source::OpenFile::default();
    crate::source::read_content(Some(disc), &mut open, inode, (size, content), 0, &mut data)
        .unwrap();
    data
}

/// What the four edits cost that other tools are measured with, over a large volume.
fn costs(options: UdfOptions) -> [u32; 4] {
    let image = large_image(options);
    let result = image.result().unwrap();
    let mut disc = Overlay::new(&result as &dyn BlockRead);
    let now = file().modified_at(NOW);
    let edited = path(1234);
    let same_size = cost(&mut disc, &edited, |image| {
        let content = made(1234, FILE_BYTES, Some(9000));
        image.replace(&edited, now, content).unwrap();
    });
    let longer = path(4321);
    let one_block_longer = cost(&mut disc, &longer, |image| {
        let content = made(4321, FILE_BYTES + 2048, None);
        image.replace(&longer, now, content).unwrap();
    });
    let new = b"/folder-07/new".to_vec();
    let added = cost(&mut disc, &new, |image| {
        image.add(&new, now, made(9999, 6000, None)).unwrap();
    });
    let gone = path(2345);
    let deleted = cost(&mut disc, &gone, |image| image.remove(&gone).unwrap());
    [same_size, one_block_longer, added, deleted]
}

#[test]
fn the_four_edits_cost_few_blocks() {
    // A block of data, its entry, and the integrity descriptor; a file that has no free block
    // grows by its length in two descriptors and two anchors.
    let single = costs(metadata_volume());
    assert_eq!(single, [3, 8, 11, 2]);
    for (cost, bound) in single.into_iter().zip([8, 10, 12, 10]) {
        assert!(cost <= bound, "{single:?}");
    }
    // Entries and directories once more.
    assert_eq!(costs(duplicated()), [4, 9, 14, 3]);
}

/// Edits of many kinds in place, one plan each, checked against the contract and, at the end, with
/// an edit that goes beside.
#[test]
fn every_edit_is_whole_once_it_is_recorded() {
    for options in [metadata_volume(), duplicated()] {
        for medium in [Medium::File, Medium::DvdPlusRw, Medium::BdRe] {
            let mut disc = small_volume(medium, options.clone());
            for round in 0..14 {
                disc = edit(&disc, medium, round);
                let volume = Volume::open(&disc, Session::default()).unwrap();
                assert_eq!(volume.notes(), [], "{medium}, round {round}");
            }
        }
    }
}

/// One of several edits; every third goes beside what is there.
fn edit(disc: &Disc, medium: Medium, round: u8) -> Disc {
    let mut image = import(disc, medium);
    image.set_in_place(round % 3 != 2);
    let (kept, now) = (file(), file().modified_at(NOW));
    let mut two = |seed, len| {
        let content = bytes(seed, len);
        image.replace(b"/docs/two", now, content).unwrap();
    };
    match round {
        0 => two(7, 100_000),
        1 => two(8, 150_000),
        2 => two(9, 151_000),
        3 => two(10, 152_500),
        4 => two(11, 60_000),
        // From blocks into the entry, and back.
        5 | 6 => {
            let len = if round == 5 { 300 } else { 9000 };
            image.replace(b"/docs/one", now, bytes(round, len)).unwrap();
        }
        7 => {
            let folder = Metadata::directory().modified_at(THEN);
            image.add(b"/new", folder, NewKind::Directory).unwrap();
            for index in 0..200u8 {
                let path = format!("/new/{index:03}-{}", "long".repeat(20));
                image
                    .add(path.as_bytes(), kept, bytes(index, usize::from(index) * 40))
                    .unwrap();
            }
        }
        8 => {
            image.rename(b"/docs", b"/new/docs").unwrap();
            image.remove(b"/empty").unwrap();
        }
        9 => image.remove(b"/new/docs/one").unwrap(),
        10 => {
            for index in 20..150u8 {
                let path = format!("/new/{index:03}-{}", "long".repeat(20));
                image.remove(path.as_bytes()).unwrap();
            }
        }
        11 => {
            image.replace(b"/small", now, bytes(3, 900)).unwrap();
        }
        12 => image.remove(b"/new").unwrap(),
        _ => {
            image.add(b"/last", kept, bytes(1, 70_000)).unwrap();
        }
    }
    disc::check_contract(disc, &image.result().unwrap())
}

#[test]
fn a_deleted_file_makes_room_at_once() {
    let disc = small_volume(Medium::File, metadata_volume());
    let mut image = import_in_place(&disc, Medium::File);
    image.remove(b"/docs/two").unwrap();
    image.add(b"/docs/new", file(), bytes(5, 90_000)).unwrap();
    let result = image.result().unwrap();
    assert_eq!(result.total_blocks(), disc.block_count(), "the file grew");
    disc::check_contract(&disc, &result);
}

#[test]
fn shared_blocks_are_not_written_over() {
    let disc = small_volume(Medium::File, metadata_volume());
    let mut image = import_in_place(&disc, Medium::File);
    let node = image.tree().lookup(b"/docs/two").unwrap();
    let Kind::File {
        content: Content::Base(extents),
        ..
    } = image.tree().kind(image.tree().inode(node))
    else {
        panic!("a file of the disc");
    };
    // Another file is in the same blocks.
    let copy = NewKind::Base(extents.to_vec());
    image.add(b"/copy", file(), copy).unwrap();
    image
        .replace(b"/docs/two", file(), bytes(5, 100_000))
        .unwrap();
    let new = disc::check_contract(&disc, &image.result().unwrap());
    let image = import(&new, Medium::File);
    let at = |path: &[u8]| {
        image
            .result()
            .unwrap()
            .ranges_of(image.tree().lookup(path).unwrap())
    };
    assert_ne!(at(b"/copy"), at(b"/docs/two"));
    // A name that is kept keeps the blocks too.
    drop(image);
    let mut image = import_in_place(&new, Medium::File);
    let inode = image
        .tree()
        .inode(image.tree().lookup(b"/docs/two").unwrap());
    let folder = Tree::ROOT;
    image.tree_mut().link(folder, b"linked", inode).unwrap();
    let linked = disc::check_contract(&new, &image.result().unwrap());
    let mut image = import_in_place(&linked, Medium::File);
    image
        .replace(b"/linked", file(), bytes(6, 100_000))
        .unwrap();
    disc::check_contract(&linked, &image.result().unwrap());
}

/// Two files that are gone were in the same blocks: one of those that replace them goes there.
#[test]
fn shared_blocks_are_written_over_once() {
    let disc = small_volume(Medium::File, metadata_volume());
    let mut image = import_in_place(&disc, Medium::File);
    let node = image.tree().lookup(b"/docs/two").unwrap();
    let inode = image.tree().inode(node);
    let Kind::File {
        content: Content::Base(extents),
        ..
    } = image.tree().kind(inode)
    else {
        panic!("a file of the disc");
    };
    let copy = NewKind::Base(extents.to_vec());
    image.add(b"/copy", file(), copy).unwrap();
    let shared = disc::check_contract(&disc, &image.result().unwrap());
    let mut image = import_in_place(&shared, Medium::File);
    for (seed, path) in [(5, &b"/copy"[..]), (6, b"/docs/two")] {
        image.replace(path, file(), bytes(seed, 100_000)).unwrap();
    }
    disc::check_contract(&shared, &image.result().unwrap());
}

#[test]
fn volumes_of_other_kinds_are_refused_with_a_way_out() {
    let plain = new_udf_volume("FIRST", UdfRevision::V2_01, THEN);
    let iso = new_volume("FIRST", THEN);
    let systems: [crate::FileSystems; 2] = [plain.into(), iso.into()];
    for systems in systems {
        let disc = small_volume(Medium::File, systems);
        let mut image = import_in_place(&disc, Medium::File);
        image.remove(b"/three").unwrap();
        let error = image.result().unwrap_err();
        assert!(matches!(error, ImageError::NotInPlace(_)), "{error}");
        assert!(error.to_string().contains("leave in place out"), "{error}");
        image.set_in_place(false);
        disc::check_contract(&disc, &image.result().unwrap());
    }
}

#[test]
fn a_new_image_does_not_care() {
    let mut image = small_image(Medium::File, metadata_volume());
    let usual = read_all(&image.result().unwrap());
    image.set_in_place(true);
    assert!(read_all(&image.result().unwrap()) == usual);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(32)
    })]
    #[test]
    fn any_chain_of_edits_is_whole_once_it_is_recorded(
        medium in prop::sample::select(vec![Medium::File, Medium::DvdPlusRw]),
        is_duplicated in any::<bool>(),
        rounds in prop::collection::vec(
            (any::<bool>(), prop::collection::vec(
                (any::<u8>(), any::<usize>(), 0usize..40_000), 1..8)), 1..5),
    ) {
        let options = if is_duplicated { duplicated() } else { metadata_volume() };
        let mut disc = small_volume(medium, options);
        for (in_place, edits) in rounds {
            let mut image = import(&disc, medium);
            image.set_in_place(in_place);
            for edit in edits {
                change(&mut image, edit);
            }
            disc = disc::check_contract(&disc, &image.result().unwrap());
        }
    }
}
