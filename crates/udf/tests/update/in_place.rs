//! Edits in place, of whole volumes and of damaged ones.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, Lba, ReadError, WriteUnit,
};
use reburn_record::Record;
use reburn_tree::{Changes, Content, Extent, InodeId, Kind, Metadata, NewKind, Timestamp, Tree};
use reburn_udf::records::{ExtendedFileEntry, ShortAd};
use reburn_udf::{
    FilePlacement, ImportedTree, Session, UdfOptions, Update, UpdateError, UpdateOptions,
    UpdatePlaces, Volume,
};

use crate::damage;
use crate::edit::{
    Disc, How, assert_kept, check, content_if_whole, edit, notes, read, snapshot, try_plan,
    with_room, write,
};
use crate::rounds::{self, apply};

const TIME: Timestamp = Timestamp::from_seconds(1_750_000_000);

/// Where the extents of each new file start, and what is in entries.
#[derive(Default)]
struct Files {
    starts: BTreeMap<InodeId, Vec<Lba>>,
    embedded: BTreeMap<InodeId, Bytes>,
}

impl FilePlacement for Files {
    fn extent_start(&self, inode: InodeId, extent: usize) -> Lba {
        self.starts[&inode][extent]
    }

    fn read_embedded(&self, inode: InodeId, content: &mut [u8]) -> Result<(), ReadError> {
        content.copy_from_slice(&self.embedded[&inode]);
        Ok(())
    }
}

/// The files and streams of a tree.
fn inodes(tree: &Tree) -> Vec<InodeId> {
    let nodes = tree.walk(Tree::ROOT).map(|(node, _)| tree.inode(node));
    let with_streams = nodes.flat_map(|inode| {
        let streams = tree.streams(inode).map(|(_, stream)| stream);
        std::iter::once(inode).chain(streams)
    });
    with_streams.collect()
}

fn data(tree: &Tree, inodes: impl IntoIterator<Item = InodeId>) -> BlockRangeList {
    let extents = inodes.into_iter().flat_map(|inode| match tree.kind(inode) {
        Kind::File {
            content: Content::Base(extents),
            ..
        } => extents,
        _ => &[],
    });
    let in_blocks = extents.filter(|extent| extent.start().is_some());
    in_blocks.filter_map(Extent::blocks).collect()
}

/// An edit that was worked out.
struct Planned<'a> {
    disc: &'a Disc,
    base: &'a ImportedTree,
    update: Update,
    /// Blocks that may be written over, and all others that are in use.
    writable: BlockRangeList,
    live: BlockRangeList,
}

impl<'a> Planned<'a> {
    fn new(
        disc: &'a Disc,
        (volume, base): (&Volume, &'a ImportedTree),
        changes: &Changes,
    ) -> Result<Self, UpdateError> {
        let tree = &base.tree;
        let gone = changes.inodes.iter().copied();
        let gone = data(tree, gone.filter(|&inode| tree.links(inode) == 0));
        let kept = data(tree, inodes(tree)).union(&base.metadata_ranges);
        let writable = gone.difference(&kept);
        let options = UpdateOptions {
            time: TIME,
            // It makes no difference.
            write_unit: WriteUnit::BLU_RAY,
            ..UpdateOptions::default()
        };
        let found = (tree, &base.entries);
        let update = Update::in_place(volume, disc, found, changes, &options, &writable)?;
        let live = base.metadata_ranges.union(&base.data_ranges);
        Ok(Self {
            disc,
            base,
            update,
            live: live.difference(&writable),
            writable,
        })
    }

    /// All that is written; `None` if the disc has no room, or lost something.
    fn writes(&self, partition: BlockRange) -> Option<Vec<(Lba, Vec<u8>)>> {
        let (tree, update) = (&self.base.tree, &self.update);
        let partition = BlockRangeList::from_iter([partition]);
        let over = inodes(tree)
            .into_iter()
            .flat_map(|inode| update.over(inode));
        let over: BlockRangeList = over.copied().collect();
        assert!(over.difference(&self.writable).is_empty());
        let mut free = partition.difference(&self.live).difference(&over);
        let mut take = |count: BlockCount| {
            let range = free.first_fit(count, WriteUnit::new(32).unwrap())?;
            free = free.difference(&[range].into_iter().collect());
            Some(range)
        };
        let mut files = Files::default();
        let mut writes = Vec::new();
        for inode in inodes(tree) {
            let Kind::File { content, .. } = tree.kind(inode) else {
                continue;
            };
            let stays = matches!(content, Content::Base(extents)
                if reburn_udf::stays_in_place(extents));
            if files.starts.contains_key(&inode) || stays && !update.is_embedded(tree, inode) {
                continue;
            }
            let bytes = content_if_whole(self.disc, tree, inode)?;
            if update.is_embedded(tree, inode) {
                files.embedded.insert(inode, bytes);
                continue;
            }
            let mut bytes = bytes.to_vec();
            bytes.resize(bytes.len().next_multiple_of(BLOCK_SIZE), 0);
            let mut runs = update.over(inode).to_vec();
            let held: BlockCount = runs.iter().map(|run| run.block_count()).sum();
            let rest = BlockCount::in_buffer(bytes.len()) - held;
            if !rest.is_zero() {
                runs.push(take(rest)?);
            }
            let mut left = &bytes[..];
            for run in &runs {
                let (part, rest) = left.split_at(run.block_count().as_usize() * BLOCK_SIZE);
                writes.push((run.start_lba(), part.to_vec()));
                left = rest;
            }
            let starts = runs.iter().map(|run| run.start_lba()).collect();
            files.starts.insert(inode, starts);
        }
        let mut take = |count, blocks| -> Option<Vec<Lba>> {
            (0..count)
                .map(|_| Some(take(blocks)?.start_lba()))
                .collect()
        };
        let places = UpdatePlaces {
            units: take(update.units(), update.unit_blocks())?,
            mirror_units: take(update.mirror_units(), update.unit_blocks())?,
            continuations: take(update.continuation_blocks(), BlockCount::ONE)?,
            mirror_continuations: take(update.continuation_blocks(), BlockCount::ONE)?,
        };
        let edit = update.place(tree, self.disc, &places, &files);
        for range in &edit.ranges() {
            let mut bytes = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
            edit.read(range.start_lba(), &mut bytes).ok()?;
            writes.push((range.start_lba(), bytes));
        }
        let structures = edit.structures().into_iter();
        writes.extend(structures.map(|structure| (structure.start, structure.bytes)));
        Some(writes)
    }
}

/// Edits a disc in place; `None` if the disc has no room. Checks that no block is written twice,
/// nor over what stays.
fn try_edit_in_place(
    disc: &Disc,
    change: impl FnOnce(&mut Tree),
) -> Result<Option<Disc>, UpdateError> {
    let volume = Volume::open(disc, Session::default())?;
    let mut base = volume.read_tree(disc)?;
    let point = base.tree.change_point();
    change(&mut base.tree);
    let changes = base.tree.changes_since(point).unwrap();
    let planned = Planned::new(disc, (&volume, &base), &changes)?;
    let partition = volume.structures().partitions[0];
    let Some(writes) = planned.writes(partition) else {
        return Ok(None);
    };
    let mut now = disc.clone();
    write(&mut now, &writes);
    Ok(Some(now))
}

/// The same of a volume that is whole, with everything checked.
fn edit_in_place(disc: &Disc, change: impl FnOnce(&mut Tree)) -> Disc {
    let (volume, mut base) = read(disc);
    let point = base.tree.change_point();
    change(&mut base.tree);
    let changes = base.tree.changes_since(point).unwrap();
    let wanted = snapshot(disc, &base.tree);
    let base_at = (&volume, &base);
    let planned = Planned::new(disc, base_at, &changes).unwrap_or_else(|error| panic!("{error}"));
    let partition = volume.structures().partitions[0];
    let writes = planned.writes(partition).expect("room on the disc");
    let mut written = BlockRangeList::new();
    for (lba, bytes) in &writes {
        let range = BlockRange::with_count(*lba, BlockCount::in_buffer(bytes.len())).unwrap();
        assert!(!written.intersects(range), "{range} is written twice");
        written.insert(range);
    }
    let over = written.intersection(&planned.live);
    let over = over.difference(&planned.update.overwritten());
    assert!(over.is_empty(), "{over} are written over");
    let mut now = disc.clone();
    write(&mut now, &writes);
    check(&now, &wanted, planned.update.time());
    assert_kept(disc, base_at, &changes, &now);
    now
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn volumes_hold_the_tree_that_they_were_edited_to(
        is_duplicate in any::<bool>(),
        unit in prop_oneof![Just(WriteUnit::FILE), Just(WriteUnit::DVD)],
        first in prop::collection::vec(rounds::change(), 0..40),
        rounds in prop::collection::vec(
            (any::<bool>(), prop::collection::vec(rounds::change(), 0..12)), 1..6),
    ) {
        let mut tree = Tree::new(rounds::metadata(1));
        for change in &first {
            apply(&mut tree, change);
        }
        let options = UdfOptions {
            write_unit: unit,
            duplicate_metadata: is_duplicate,
            ..UdfOptions::default()
        };
        let mut disc = with_room(&tree, &options, 6000).bytes;
        for (is_in_place, changes) in rounds {
            let change = |tree: &mut Tree| {
                for change in &changes {
                    apply(tree, change);
                }
            };
            // Either kind of edit goes on from where the other one left off.
            disc = if is_in_place {
                edit_in_place(&disc, change)
            } else {
                edit(&disc, How::new(unit), change).0
            };
        }
    }

    #[test]
    fn damaged_volumes_are_errors_or_are_edited(
        damages in prop::collection::vec(
            (
                any::<Index>(),
                any::<Index>(),
                prop_oneof![0u32..300, Just(u32::MAX), any::<u32>()],
            ),
            1..4,
        ),
    ) {
        let (mut disc, blocks) = damage::volume();
        for (block, at, number) in damages {
            damage::damage(&mut disc, *block.get(&blocks), at.index(300) & !3, number);
        }
        if let Ok(Some(after)) = try_edit_in_place(&disc, damage::change) {
            let _ = Volume::open(&after, Session::default()).map(|volume| volume.read_tree(&after));
        }
    }
}

fn files(count: usize) -> Tree {
    let mut tree = Tree::new(Metadata::directory());
    for number in 0..count {
        let name = format!("file-{number:04}");
        let content = NewKind::Bytes(vec![b'x'; 3000].into());
        tree.add(Tree::ROOT, name.as_bytes(), Metadata::file(), content)
            .unwrap();
    }
    tree
}

fn remove(tree: &mut Tree, name: &str) {
    let node = tree.lookup(name.as_bytes()).unwrap();
    tree.remove(node).unwrap();
}

fn duplicated(is_duplicate: bool) -> UdfOptions {
    UdfOptions {
        duplicate_metadata: is_duplicate,
        ..UdfOptions::default()
    }
}

/// A mirror of another state is made whole, unless that takes a second copy of everything.
#[test]
fn an_edit_follows_one_that_was_cut() {
    for is_duplicate in [false, true] {
        let mut disc = with_room(&files(200), &duplicated(is_duplicate), 3000).bytes;
        let how = How::new(WriteUnit::FILE);
        let cut = try_plan(&disc, how, |tree| remove(tree, "/file-0008")).unwrap();
        for writes in &cut.writes[..2] {
            write(&mut disc, writes);
        }
        let change = |tree: &mut Tree| remove(tree, "/file-0009");
        if is_duplicate {
            let error = try_edit_in_place(&disc, change).unwrap_err();
            assert!(matches!(error, UpdateError::InPlace(_)), "{error}");
            assert!(!error.needs_entire_image());
            continue;
        }
        let after = edit_in_place(&disc, change);
        // What the mirror leads to is the new tree too.
        let (volume, _) = read(&after);
        let entry = volume.structures().metadata.unwrap().entry;
        let mut lost = after.clone();
        write(&mut lost, &[(entry, vec![0; BLOCK_SIZE])]);
        let (_, found) = read(&lost);
        assert_eq!(notes(&found).len(), 1);
        assert!(found.tree.lookup(b"/file-0008").is_some());
        assert!(found.tree.lookup(b"/file-0009").is_none());
    }
}

/// A metadata file that grows has new entries; one that does not, has not.
#[test]
fn the_metadata_file_changes_when_it_grows() {
    for is_duplicate in [false, true] {
        let disc = with_room(&files(100), &duplicated(is_duplicate), 3000).bytes;
        let extents = |disc: &Disc| {
            let metadata = read(disc).0.structures().metadata.unwrap();
            let at = metadata.entry.get() as usize * BLOCK_SIZE;
            let blocks = metadata.extents.iter().map(|range| range.block_count());
            let blocks: BlockCount = blocks.sum();
            (blocks, disc[at..at + BLOCK_SIZE].to_vec())
        };
        let one_less = edit_in_place(&disc, |tree| remove(tree, "/file-0009"));
        assert!(extents(&one_less) == extents(&disc));
        let more = edit_in_place(&one_less, |tree| {
            for number in 0..70 {
                let name = format!("more-{number}");
                tree.add(Tree::ROOT, name.as_bytes(), Metadata::file(), NewKind::Fifo)
                    .unwrap();
            }
        });
        assert!(extents(&more).0 > extents(&disc).0);
    }
}

/// Blocks with two addresses would be written twice.
#[test]
fn blocks_with_two_addresses_are_refused() {
    let how = How::new(WriteUnit::FILE);
    let disc = with_room(&files(200), &duplicated(false), 3000).bytes;
    let (mut disc, _) = edit(&disc, how, |tree| remove(tree, "/file-0150"));
    let (volume, _) = read(&disc);
    let metadata = volume.structures().metadata.unwrap();
    assert!(metadata.extents.len() > 1);
    let tail = u32::try_from(ExtendedFileEntry::SIZE).unwrap();
    let entry = metadata.entry.get();
    let at = entry as usize * BLOCK_SIZE + tail as usize;
    let [first, second] = [0, ShortAd::SIZE].map(|skipped| {
        let (ad, _) = ShortAd::view(&disc[at + skipped..]).unwrap();
        ad.extent_position.get()
    });
    assert_ne!(first, second);
    // The last one is in the blocks of the first.
    let ads = u32::try_from((metadata.extents.len() - 1) * ShortAd::SIZE).unwrap();
    damage::damage(&mut disc, entry, (tail + ads + 4) as usize, first);
    let error = try_edit_in_place(&disc, |tree| {
        tree.set_metadata(tree.inode(Tree::ROOT), Metadata::with_permissions(0o700));
    });
    assert!(matches!(error, Err(UpdateError::InPlace(_))), "{error:?}");
}
