//! Edits of one kind each, and what they cost.

use std::collections::BTreeSet;

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, WriteUnit};
use reburn_record::{Record, crc16};
use reburn_tree::{Attribute, InodeId, Metadata, NewKind, NodeId, Timestamp, Tree};
use reburn_udf::records::{ExtendedFileEntry, ShortAd, Tag};
use reburn_udf::{EditObstacle, NoteKind, Session, UdfOptions, UdfRevision, UpdateError, Volume};

use crate::edit::{
    Disc, How, at_address, directory_extents, edit, lba_of, notes, read, try_plan, with_room, write,
};

fn options(unit: WriteUnit) -> UdfOptions {
    UdfOptions {
        write_unit: unit,
        ..UdfOptions::default()
    }
}

fn text(text: &'static str) -> NewKind {
    NewKind::Bytes(Bytes::from_static(text.as_bytes()))
}

/// A folder with so many small files, beside one with a few.
fn many(count: usize) -> Tree {
    let mut tree = Tree::new(Metadata::directory());
    let folder = |tree: &mut Tree, name: &[u8]| {
        tree.add(Tree::ROOT, name, Metadata::directory(), NewKind::Directory)
            .unwrap()
    };
    let large = folder(&mut tree, b"many");
    for number in 0..count {
        let name = format!("file-{number:05}");
        tree.add(large, name.as_bytes(), Metadata::file(), text("old"))
            .unwrap();
    }
    let few = folder(&mut tree, b"few");
    for name in [&b"a"[..], b"b", b"c"] {
        tree.add(few, name, Metadata::file(), text("old")).unwrap();
    }
    tree
}

fn disc(tree: &Tree, options: &UdfOptions) -> Disc {
    with_room(tree, options, 4000).bytes
}

fn find(tree: &Tree, path: &str) -> NodeId {
    tree.lookup(path.as_bytes()).expect("the path exists")
}

fn metadata() -> Metadata {
    let time = Timestamp::from_seconds(1_600_000_000);
    Metadata {
        accessed: Some(time),
        changed: Some(time),
        created: Some(time),
        ..Metadata::file().modified_at(time)
    }
}

/// Units that the entries of some paths are in.
fn units_of(disc: &Disc, paths: &[String]) -> usize {
    let (_, base) = read(disc);
    let units = paths.iter().map(|path| {
        let inode = base.tree.inode(find(&base.tree, path));
        base.entries.get(inode).unwrap().block / 32
    });
    units.collect::<BTreeSet<_>>().len()
}

#[test]
fn attributes_without_content_end_with_their_identifiers() {
    let disc = disc(&many(3), &options(WriteUnit::DVD));
    // What is recorded is shown record by record, and nothing must be wrong with it.
    edit(&disc, How::new(WriteUnit::DVD), |tree| {
        let inode = tree.inode(find(tree, "/few/a"));
        let attribute = Attribute {
            is_application: false,
            name: b"*somebody".to_vec(),
            suffix: [0; 8],
            value: Bytes::new(),
        };
        tree.set_attributes(inode, vec![attribute]);
    });
}

#[test]
fn new_contents_and_metadata_cost_the_units_of_their_entries() {
    let disc = disc(&many(3000), &options(WriteUnit::BLU_RAY));
    let how = How::new(WriteUnit::BLU_RAY);
    let chosen = |step: usize| {
        (0..3000)
            .step_by(step)
            .map(|n| format!("/many/file-{n:05}"))
    };
    for step in [700, 97, 5] {
        let paths: Vec<_> = chosen(step).collect();
        let expected = units_of(&disc, &paths);
        let (_, replaced) = edit(&disc, how, |tree| {
            for path in &paths {
                tree.replace(find(tree, path), metadata(), text("new"))
                    .unwrap();
            }
        });
        assert_eq!(replaced.units, expected);
        let (_, changed) = edit(&disc, how, |tree| {
            for path in &paths {
                let inode = tree.inode(find(tree, path));
                tree.set_metadata(inode, metadata());
            }
        });
        assert_eq!(changed.units, expected);
    }
}

#[test]
fn a_new_name_costs_its_folder_alone() {
    let disc = disc(&many(3000), &options(WriteUnit::BLU_RAY));
    let how = How::new(WriteUnit::BLU_RAY);
    // The last block of the directory, its entry, and one of these units or another for the file.
    let (_, added) = edit(&disc, how, |tree| {
        let many = find(tree, "/many");
        tree.add(many, b"another", metadata(), text("new")).unwrap();
    });
    assert!(added.units <= 3, "{} units", added.units);
    // The freed block is in the unit of nothing that changes otherwise.
    let (after, renamed) = edit(&disc, how, |tree| {
        let file = find(tree, "/many/file-00007");
        let parent = tree.parent(file);
        tree.rename(file, parent, b"FILE-00007").unwrap();
    });
    assert_eq!(renamed.units, 1, "the new name fits in the old one's place");
    assert_eq!(after.len(), disc.len());
}

#[test]
fn room_of_removed_files_is_used_again() {
    let mut disc = disc(&many(300), &options(WriteUnit::DVD));
    let how = How::new(WriteUnit::DVD);
    let size = |disc: &Disc| {
        let (volume, _) = read(disc);
        volume.integrity().unwrap().size_blocks[1]
    };
    let before = size(&disc);
    for round in 0..15 {
        let (new, _) = edit(&disc, how, |tree| {
            let many = find(tree, "/many");
            for number in 0..200 {
                let old = format!("{round}-{number:05}");
                let new = format!("{}-{number:05}", round + 1);
                if round == 0 {
                    let old = format!("/many/file-{number:05}");
                    tree.remove(find(tree, &old)).unwrap();
                } else {
                    tree.remove(find(tree, &format!("/many/{old}"))).unwrap();
                }
                tree.add(many, new.as_bytes(), metadata(), text("new"))
                    .unwrap();
            }
        });
        disc = new;
    }
    assert_eq!(size(&disc), before);
    // The sequence has sixteen units, and the volume began with the first.
    let full = try_plan(&disc, how, |tree| {
        tree.remove(find(tree, "/few/a")).unwrap();
    });
    let error = full.err().unwrap();
    assert!(matches!(error, UpdateError::IntegrityFull(_)), "{error}");
    assert!(error.needs_entire_image());
}

#[test]
fn a_mostly_empty_directory_is_written_anew() {
    let disc = disc(&many(1000), &options(WriteUnit::FILE));
    let (after, _) = edit(&disc, How::new(WriteUnit::FILE), |tree| {
        for number in 0..400 {
            tree.remove(find(tree, &format!("/many/file-{number:05}")))
                .unwrap();
        }
    });
    let deleted = |disc: &Disc| {
        let (_, found) = read(disc);
        let note = found
            .notes
            .iter()
            .find(|note| note.kind == NoteKind::Deleted);
        note.map_or(0, |note| note.count)
    };
    assert_eq!(deleted(&after), 400);
    let (after, _) = edit(&after, How::new(WriteUnit::FILE), |tree| {
        for number in 400..990 {
            tree.remove(find(tree, &format!("/many/file-{number:05}")))
                .unwrap();
        }
    });
    assert_eq!(deleted(&after), 0);
}

#[test]
fn names_keep_their_ids_and_files_their_entries() {
    let disc = disc(&many(40), &options(WriteUnit::FILE));
    let at = |disc: &Disc, path: &str| {
        let (_, found) = read(disc);
        let inode = found.tree.inode(find(&found.tree, path));
        found.entries.get(inode).unwrap()
    };
    let file = at(&disc, "/many/file-00003");
    let (after, _) = edit(&disc, How::new(WriteUnit::FILE), |tree| {
        let node = find(tree, "/many/file-00003");
        tree.rename(node, find(tree, "/few"), b"moved").unwrap();
        let inode: InodeId = tree.inode(node);
        tree.link(Tree::ROOT, b"link", inode).unwrap();
        let node = find(tree, "/many/file-00004");
        tree.replace(node, metadata(), text("new")).unwrap();
    });
    assert_eq!(at(&after, "/few/moved"), file);
    assert_eq!(at(&after, "/link"), file);
    assert_eq!(
        at(&after, "/many/file-00004"),
        at(&disc, "/many/file-00004")
    );
}

#[test]
fn a_metadata_file_in_many_pieces_goes_on_in_blocks_of_its_own() {
    let mut tree = Tree::new(Metadata::directory());
    for number in 0..11_000 {
        let name = format!("{number:05}");
        tree.add(Tree::ROOT, name.as_bytes(), Metadata::file(), text("old"))
            .unwrap();
    }
    for is_duplicate in [false, true] {
        let options = UdfOptions {
            duplicate_metadata: is_duplicate,
            ..options(WriteUnit::BLU_RAY)
        };
        let image = with_room(&tree, &options, 70_000);
        let how = How {
            is_scattered: true,
            ..How::new(WriteUnit::BLU_RAY)
        };
        let change = |tree: &mut Tree, first: usize| {
            for number in (first..11_000).step_by(64) {
                let node = find(tree, &format!("/{number:05}"));
                tree.replace(node, metadata(), text("new")).unwrap();
            }
        };
        let (disc, planned) = edit(&image.bytes, how, |tree| change(tree, 0));
        assert!(planned.continuations >= 2, "{}", planned.continuations);
        let (_, planned) = edit(&disc, how, |tree| change(tree, 32));
        assert!(planned.continuations >= 2, "{}", planned.continuations);
        assert!(!planned.freed.is_empty());
    }
}

/// A cut between the two commit writes leaves a mirror that is ahead; the next edit starts from
/// the file, and makes the mirror whole.
#[test]
fn an_edit_follows_one_that_was_cut() {
    for is_duplicate in [false, true] {
        let options = UdfOptions {
            duplicate_metadata: is_duplicate,
            ..options(WriteUnit::DVD)
        };
        let disc = disc(&many(500), &options);
        let how = How::new(WriteUnit::DVD);
        let change = |tree: &mut Tree| {
            tree.remove(find(tree, "/many/file-00008")).unwrap();
        };
        let cut = try_plan(&disc, how, change).unwrap();
        for done in 1..=2 {
            let mut now = disc.clone();
            for writes in &cut.writes[..done] {
                write(&mut now, writes);
            }
            let (after, planned) = edit(&now, how, |tree| {
                tree.remove(find(tree, "/many/file-00009")).unwrap();
            });
            let is_stale = is_duplicate && done == 2;
            assert_eq!(planned.mirror_units > planned.units, is_stale);
            let (_, found) = read(&after);
            assert_eq!(notes(&found), []);
            assert!(found.tree.lookup(b"/many/file-00008").is_some());
        }
    }
}

#[test]
fn a_lost_entry_is_made_anew_whichever_it_is() {
    for is_duplicate in [false, true] {
        let options = UdfOptions {
            duplicate_metadata: is_duplicate,
            ..options(WriteUnit::DVD)
        };
        let whole = disc(&many(100), &options);
        let (volume, _) = read(&whole);
        let metadata = volume.structures().metadata.unwrap();
        let change = |tree: &mut Tree| tree.remove(find(tree, "/few/a")).unwrap();
        let how = How::new(WriteUnit::DVD);
        let mut damaged = whole.clone();
        write(
            &mut damaged,
            &[(metadata.mirror_entry, vec![0; BLOCK_SIZE])],
        );
        let (after, _) = edit(&damaged, how, change);
        let (_, found) = read(&after);
        assert_eq!(notes(&found), []);
        let mut damaged = whole.clone();
        write(&mut damaged, &[(metadata.entry, vec![0; BLOCK_SIZE])]);
        let (after, _) = edit(&damaged, how, change);
        let (_, found) = read(&after);
        assert_eq!(notes(&found), []);
    }
}

#[test]
fn other_volumes_are_recorded_as_a_whole() {
    let options = UdfOptions {
        write_unit: WriteUnit::DVD,
        ..UdfOptions::new(UdfRevision::V2_01)
    };
    let disc = disc(&many(3), &options);
    let error = try_plan(&disc, How::new(WriteUnit::DVD), |_| ())
        .err()
        .unwrap();
    assert!(error.needs_entire_image(), "{error}");
    let expected = EditObstacle::Partitions;
    assert!(matches!(error, UpdateError::Obstacle(found) if found == expected));
}

#[test]
fn names_that_cannot_be_recorded_are_translated_or_refused() {
    let disc = disc(&many(3), &options(WriteUnit::FILE));
    let how = How::new(WriteUnit::FILE);
    let planned = try_plan(&disc, how, |tree| {
        tree.add(Tree::ROOT, b"caf\xe9", metadata(), text("1"))
            .unwrap();
    });
    let mut now = disc.clone();
    for writes in &planned.unwrap().writes {
        write(&mut now, writes);
    }
    let (_, found) = read(&now);
    let names = found.tree.children(Tree::ROOT).iter();
    let names: Vec<_> = names.map(|node| found.tree.display_path(*node)).collect();
    let translated = names
        .iter()
        .find(|name| name.starts_with("/caf_#"))
        .unwrap();
    let error = try_plan(&now, how, |tree| {
        tree.add(Tree::ROOT, b"caf\xe9", metadata(), text("2"))
            .unwrap();
    });
    let error = error.err().unwrap();
    assert!(!error.needs_entire_image());
    assert!(error.to_string().contains(&translated[1..]), "{error}");
}

#[test]
fn an_edit_of_nothing_changes_no_unit() {
    let disc = disc(&many(3), &options(WriteUnit::DVD));
    let (_, planned) = edit(&disc, How::new(WriteUnit::DVD), |_| ());
    assert_eq!(planned.units, 0);
    let volume = Volume::open(&disc, Session::default()).unwrap();
    assert_eq!(at_address(&disc, &volume, 0).len(), BLOCK_SIZE);
}

/// Other systems name a whole directory by one descriptor. Once a unit in the middle of it moves,
/// its entry is written with as many as there are units.
#[test]
fn descriptors_of_directories_are_cut_where_units_move() {
    let mut disc = disc(&many(3000), &options(WriteUnit::BLU_RAY));
    let how = How::new(WriteUnit::BLU_RAY);
    let (volume, found) = read(&disc);
    let inode = found.tree.inode(find(&found.tree, "/many"));
    let entry = found.entries.get(inode).unwrap().block;
    let extents = directory_extents(at_address(&disc, &volume, entry));
    assert!(extents.len() > 2);
    merge_descriptors(&mut disc, lba_of(&volume, entry).get());
    let (volume, _) = read(&disc);
    assert_eq!(
        directory_extents(at_address(&disc, &volume, entry)).len(),
        1
    );

    let path = "/many/file-02999".to_owned();
    let far = units_of(&disc, std::slice::from_ref(&path));
    let (_, untouched) = edit(&disc, how, |tree| {
        tree.replace(find(tree, &path), metadata(), text("new"))
            .unwrap();
    });
    assert_eq!(untouched.units, far, "no unit of the directory moves");
    let (after, planned) = edit(&disc, how, |tree| {
        let file = find(tree, "/many/file-01500");
        let parent = tree.parent(file);
        tree.rename(file, parent, b"FILE-01500").unwrap();
    });
    assert_eq!(
        planned.units, 2,
        "one of the directory, and that of its entry"
    );
    let (volume, _) = read(&after);
    let now = directory_extents(at_address(&after, &volume, entry));
    assert_eq!(now, extents);
}

/// Makes one descriptor of all that a directory's entry has.
fn merge_descriptors(disc: &mut Disc, lba: u32) {
    let at = lba as usize * BLOCK_SIZE;
    let block = &mut disc[at..at + BLOCK_SIZE];
    let mut entry = *ExtendedFileEntry::view(block).unwrap().0;
    let length = u32::try_from(entry.information_length.get()).unwrap();
    let tail = ExtendedFileEntry::SIZE;
    block[tail..tail + 4].copy_from_slice(&length.to_le_bytes());
    block[tail + ShortAd::SIZE..].fill(0);
    entry.length_of_allocation_descriptors = 8.into();
    block[..tail].copy_from_slice(entry.bytes());
    let covered = tail + ShortAd::SIZE;
    let mut tag = entry.tag;
    tag.descriptor_crc = crc16(&block[Tag::SIZE..covered]).into();
    tag.descriptor_crc_length = u16::try_from(covered - Tag::SIZE).unwrap().into();
    tag.tag_checksum = tag.checksum();
    block[..Tag::SIZE].copy_from_slice(tag.bytes());
}
