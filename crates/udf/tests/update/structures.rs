//! What a volume says of where its structures and entries are is what it was laid out with.

use std::collections::BTreeSet;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba, WriteUnit};
use reburn_tree::{Timestamp, Tree};
use reburn_udf::records::Tag;
use reburn_udf::{Access, EditObstacle, PartitionKind, Session, UdfOptions, UdfRevision, Volume};

use crate::image::{Image, difficult_tree};

fn volumes() -> Vec<UdfOptions> {
    let mut all = Vec::new();
    for revision in UdfRevision::ALL {
        let has_metadata = revision.usual_partition() == PartitionKind::Metadata;
        for second in [false, true] {
            let mut options = UdfOptions {
                access: if second && !has_metadata {
                    Access::Overwritable
                } else {
                    Access::ReadOnly
                },
                duplicate_metadata: second && has_metadata,
                write_unit: [WriteUnit::DVD, WriteUnit::BLU_RAY][usize::from(second)],
                time: Timestamp::from_seconds(1_700_000_000),
                next_unique_id: 1_000_000,
                ..UdfOptions::new(revision)
            };
            options.texts.label = "Label \u{20ac}".into();
            options.texts.volume_set = "Set".into();
            options.texts.owner = "Somebody".into();
            options.texts.contact = "\u{e9}".into();
            all.push(options);
        }
    }
    all
}

#[test]
fn entries_are_where_they_were_laid_out() {
    let tree = difficult_tree();
    for options in volumes() {
        let image = Image::new(&tree, &options);
        let addresses = &image.arrangement.addresses;
        let first = if options.partition == PartitionKind::Metadata {
            addresses.metadata
        } else {
            addresses.partition.start_lba()
        };
        let volume = Volume::open(&image.bytes, Session::default()).unwrap();
        let read = volume.read_tree(&image.bytes).unwrap();
        let mut ids = BTreeSet::new();
        for (node, _) in read.tree.walk(Tree::ROOT) {
            let inode = read.tree.inode(node);
            let path = read.tree.display_path(node);
            let entry = read.entries.get(inode).expect(&path);
            assert!(ids.insert(entry.unique_id) || read.tree.links(inode) > 1);
            let at = (first + BlockCount::new(entry.block)).get() as usize * BLOCK_SIZE;
            let tag = Tag::check(&image.bytes[at..at + BLOCK_SIZE]).expect(&path);
            assert_eq!(tag.tag_location.get(), entry.block, "{path}");
        }
        let root = read.entries.get(read.tree.inode(Tree::ROOT)).unwrap();
        assert_eq!(root.unique_id, 0);
    }
}

#[test]
fn structures_are_those_of_the_arrangement() {
    let tree = difficult_tree();
    for options in volumes() {
        let image = Image::new(&tree, &options);
        let addresses = &image.arrangement.addresses;
        let volume = Volume::open(&image.bytes, Session::default()).unwrap();
        let found = volume.structures();
        assert_eq!(found.recognition, addresses.recognition);
        let anchors: BTreeSet<_> = found.anchors.iter().copied().collect();
        assert_eq!(anchors, addresses.anchors.iter().copied().collect());
        assert_eq!(found.anchors[0], addresses.anchors[0]);
        let sequence =
            |start| BlockRange::with_count(start, image.layout.sequence_blocks()).unwrap();
        assert_eq!(found.main_sequence, Some(sequence(addresses.main_sequence)));
        let reserve = sequence(addresses.reserve_sequence);
        assert_eq!(found.reserve_sequence, Some(reserve));
        assert_eq!(found.integrity, [addresses.integrity]);
        assert_eq!(found.spare_integrity, addresses.spare_integrity);
        assert!(addresses.spare_integrity.is_some());
        // A write unit of copies: the last one prevails, and the next unit follows.
        let unit = options.write_unit;
        let next = addresses.integrity_descriptor + unit.blocks();
        let last = found.integrity_descriptor.unwrap();
        assert_eq!(last + BlockCount::ONE, next);
        assert_eq!(found.next_integrity_unit(unit), Some(next));
        assert_eq!(found.partitions, [addresses.partition]);
        let Some(file) = addresses.metadata_file else {
            assert_eq!(found.metadata, None);
            assert_eq!(found.obstacle, Some(EditObstacle::Partitions));
            continue;
        };
        assert_eq!(found.obstacle, None);
        let metadata = found.metadata.unwrap();
        assert_eq!(metadata.entry, file.entry);
        assert_eq!(metadata.mirror_entry, file.mirror_entry);
        assert_eq!(metadata.bitmap_entry, None);
        let placed = image.placed();
        assert_eq!(metadata.extents, [placed.metadata_range()]);
        let mirror = placed.mirror_range().map(|range| vec![range]);
        assert_eq!(metadata.mirror_extents, mirror);
        assert_eq!(metadata.is_duplicate, options.duplicate_metadata);
        assert_eq!(metadata.alignment_unit, unit.blocks());
        assert_eq!(metadata.allocation_unit, BlockCount::new(32));
    }
}

#[test]
fn options_come_back() {
    let tree = difficult_tree();
    for mut options in volumes() {
        options.texts.volume_set_digits = "0123456789abcdef".into();
        let image = Image::new(&tree, &options);
        let volume = Volume::open(&image.bytes, Session::default()).unwrap();
        let expected = UdfOptions {
            write_unit: WriteUnit::FILE,
            ..options
        };
        assert_eq!(volume.write_options(), Some(expected));
    }
}

#[test]
fn a_full_integrity_sequence_has_no_next_unit() {
    let tree = difficult_tree();
    let unit = WriteUnit::BLU_RAY;
    let options = UdfOptions {
        write_unit: unit,
        ..UdfOptions::default()
    };
    let image = Image::new(&tree, &options);
    let volume = Volume::open(&image.bytes, Session::default()).unwrap();
    let mut found = volume.structures();
    found.integrity_descriptor = Some(found.integrity[0].end_lba());
    assert_eq!(found.next_integrity_unit(unit), None);
    // A descriptor that ends inside a unit cannot be followed by one in the next unit.
    found.integrity_descriptor = Some(found.integrity[0].start_lba());
    assert_eq!(found.next_integrity_unit(unit), None);
    let next = found.integrity[0].start_lba() + BlockCount::ONE;
    assert_eq!(found.next_integrity_unit(WriteUnit::FILE), Some(next));
    found.integrity_descriptor = Some(Lba::MAX);
    assert_eq!(found.next_integrity_unit(unit), None);
}
