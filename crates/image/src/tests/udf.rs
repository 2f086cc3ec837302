//! Edits of UDF volumes with plain and metadata partitions.

use reburn_blocks::CrashClass::{Atomic, Recoverable};
use reburn_udf::{Session, UdfRevision, Volume};

use super::disc::{self, Disc};
use super::*;
use crate::{FileSystems, new_udf_volume};

fn first(medium: Medium, revision: UdfRevision) -> Vec<u8> {
    let image = small_image(medium, new_udf_volume("FIRST", revision, THEN));
    read_all(&image.result().unwrap())
}

/// The same on a disc of any size.
pub(super) fn small_volume(medium: Medium, systems: impl Into<FileSystems>) -> Disc {
    let image = small_image(medium, systems);
    Disc::of(&image.result().unwrap())
}

pub(super) fn small_image(
    medium: Medium,
    systems: impl Into<FileSystems>,
) -> FileSystemImage<'static> {
    let mut image = FileSystemImage::new(medium, systems, THEN);
    let folder = Metadata::directory().modified_at(THEN);
    image.add(b"/docs", folder, NewKind::Directory).unwrap();
    image.add(b"/docs/one", file(), bytes(1, 5000)).unwrap();
    image.add(b"/docs/two", file(), bytes(2, 100_000)).unwrap();
    image.add(b"/empty", file(), bytes(0, 0)).unwrap();
    image.add(b"/small", file(), bytes(4, 500)).unwrap();
    image.add(b"/three", file(), bytes(3, 2048)).unwrap();
    image
}

/// Media of each geometry, small enough for a test: their write units count, not their size.
fn edit(disc: &[u8], round: u8, medium: Medium) -> (Vec<u8>, Plan) {
    let disc = disc.to_vec();
    let before = contents(&disc);
    let mut image = import(&disc, medium);
    let path = format!("/docs/new-{round}");
    image
        .add(path.as_bytes(), file(), bytes(round, 3000))
        .unwrap();
    image.replace(b"/small", file(), bytes(round, 700)).unwrap();
    if round == 2 {
        image.remove(b"/docs/one").unwrap();
    }
    if round == 3 {
        image.rename(b"/docs", b"/papers").unwrap();
        image.rename(b"/papers", b"/docs").unwrap();
    }
    let wanted = contents_of(image.tree(), &disc);
    let result = image.result().unwrap();
    let plan = result.plan().unwrap();
    let states = record(&disc, &plan, &result);
    let (done, states) = states.split_last().unwrap();
    for (epoch, state) in states.iter().enumerate() {
        assert_eq!(contents(state), before, "epoch {epoch} changes nothing");
    }
    assert_eq!(contents(done), wanted);
    (check_contract(&disc, &result), plan)
}

#[test]
fn edits_leave_the_old_tree_until_the_last_epoch() {
    for revision in UdfRevision::ALL {
        let protocol = if revision >= UdfRevision::V2_50 {
            reburn_blocks::Protocol::MirrorFlip
        } else {
            reburn_blocks::Protocol::VdsFlip
        };
        let mut disc = first(Medium::File, revision);
        for round in 0..5 {
            let (new, plan) = edit(&disc, round, Medium::File);
            assert_eq!(plan.protocol, protocol);
            disc = new;
        }
        let volume = Volume::open(&disc, Session::default()).unwrap();
        assert_eq!(volume.notes(), []);
    }
}

#[test]
fn mirror_flip_is_atomic_where_the_partition_has_room() {
    let mut disc = first(Medium::File, UdfRevision::V2_50);
    let mut classes = Vec::new();
    for round in 0..3 {
        let mut image = import(&disc, Medium::File);
        image.replace(b"/small", file(), bytes(round, 600)).unwrap();
        let result = image.result().unwrap();
        let plan = result.plan().unwrap();
        let epochs = plan.modified.epochs().len();
        classes.push((plan.class, epochs));
        disc = check_contract(&disc, &result);
    }
    // The first edit makes room, and frees what the next one needs.
    assert_eq!(classes, [(Recoverable, 5), (Atomic, 3), (Atomic, 3)]);
}

#[test]
fn unchanged_files_keep_blocks_and_entries() {
    let disc = first(Medium::File, UdfRevision::V2_01);
    let mut image = import(&disc, Medium::File);
    image.add(b"/new", file(), bytes(9, 10)).unwrap();
    let result = image.result().unwrap();
    // File set, two folders, one entry; integrity descriptor; a block of each sequence for the
    // partition that grows, two of each for file set and time; two anchors at its new end.
    let count = result.modified_blocks().unwrap().block_count().get();
    assert!(count <= 16, "{count} blocks for one small file");
    let new = check_contract(&disc, &result);
    let open = |disc: &Vec<u8>| Volume::open(disc, Session::default()).unwrap();
    let volumes = [open(&disc), open(&new)];
    assert_eq!(volumes[1].notes(), []);
    let sets = [0, 1].map(|at| volumes[at].volume_set_identifier());
    assert_eq!(sets[0], sets[1], "systems know the volume again");
    let read = [(0, &disc), (1, &new)].map(|(at, disc)| volumes[at].read_tree(disc).unwrap());
    let entry = |at: usize, path: &[u8]| {
        let tree = &read[at].tree;
        read[at].entries.get(tree.inode(tree.lookup(path).unwrap()))
    };
    for path in [&b"/docs/one"[..], b"/small", b"/empty"] {
        assert_eq!(entry(0, path), entry(1, path));
    }
    let id = |at: usize, path: &[u8]| entry(at, path).unwrap().unique_id;
    let next = |at: usize| volumes[at].integrity().unwrap().next_unique_id;
    assert_eq!(id(0, b"/docs"), id(1, b"/docs"));
    assert!(id(1, b"/new") >= next(0) && next(1) > id(1, b"/new"));
}

/// One more edit; the old tree stays until the last epoch.
fn edit_once(disc: &Disc, medium: Medium, round: u32) -> Disc {
    let mut image = import(disc, medium);
    let size = 300 + round as usize % 5 * 1500;
    image
        .replace(b"/small", file(), bytes(round.to_le_bytes()[0], size))
        .unwrap();
    let result = image.result().unwrap();
    let states = disc::record(disc, &result.plan().unwrap(), &result);
    // Shadow, the two sequences, or the metadata file's two entries, or all four.
    assert!([3, 5].contains(&states.len()), "{} epochs", states.len());
    let before = disc::contents(disc, medium);
    for state in &states[..states.len() - 1] {
        assert_eq!(disc::contents(state, medium), before, "edit {round}");
    }
    disc::check_contract(disc, &result)
}

#[test]
fn the_integrity_sequence_is_never_full() {
    use UdfRevision::{V2_01, V2_50};
    for (medium, revision, edits, places) in [
        (Medium::File, V2_01, 600, 256),
        (Medium::BdRe, V2_01, 20, 8),
        (Medium::File, V2_50, 300, 256),
        (Medium::BdRe, V2_50, 20, 8),
    ] {
        let mut disc = small_volume(medium, new_udf_volume("FIRST", revision, THEN));
        let sequence = |disc: &Disc| {
            let volume = Volume::open(disc, Session::default()).unwrap();
            volume.structures().integrity
        };
        let mut moves = 0;
        for round in 0..edits {
            let before = sequence(&disc);
            disc = edit_once(&disc, medium, round);
            moves += u32::from(sequence(&disc) != before);
        }
        // The first descriptor is that of the new volume.
        assert_eq!(moves, edits / places, "{medium}");
    }
}
