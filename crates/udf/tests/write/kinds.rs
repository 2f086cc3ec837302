//! What only some kinds of partition have, and which wishes are refused.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba, WriteUnit};
use reburn_tree::{Metadata, NewKind, Tree};
use reburn_udf::{
    Access, Arrangement, Layout, LayoutError, NoteKind, PartitionKind, Session, UdfOptions,
    UdfRevision, Volume, VolumeSize, probed_blocks,
};

use crate::check::check;
use crate::image::Image;
use crate::mutate::mend;
use crate::same::{OnDisc, assert_all_same};
use crate::verify::{base, rich_tree};
use crate::{all_options, read_back};

const ACCESS: [Access; 5] = [
    Access::ReadOnly,
    Access::WriteOnce,
    Access::Rewritable,
    Access::Overwritable,
    Access::PseudoOverwritable,
];
const KINDS: [PartitionKind; 4] = [
    PartitionKind::Plain,
    PartitionKind::Sparable,
    PartitionKind::Virtual,
    PartitionKind::Metadata,
];

#[test]
fn what_does_not_go_together_is_refused() {
    let tree = Tree::new(Metadata::directory());
    let mut legal = Vec::new();
    for revision in UdfRevision::ALL {
        for partition in KINDS {
            for access in ACCESS {
                let options = UdfOptions {
                    access,
                    ..UdfOptions::with_partition(revision, partition)
                };
                match Layout::new(&tree, &options) {
                    Ok(_) => legal.push(format!("{} {partition} {access}", revision.name())),
                    Err(LayoutError::Partition { .. } | LayoutError::Access { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        }
        assert!(Layout::new(&tree, &UdfOptions::new(revision)).is_ok());
    }
    let sparable_and_virtual = ["1.50", "2.00", "2.01"].map(|revision| {
        [
            format!("{revision} plain read-only"),
            format!("{revision} plain overwritable"),
            format!("{revision} sparable rewritable"),
            format!("{revision} virtual write-once"),
        ]
    });
    let mut expected: Vec<String> = sparable_and_virtual.into_iter().flatten().collect();
    for rest in [
        "1.02 plain read-only",
        "1.02 plain overwritable",
        "2.50 virtual write-once",
        "2.50 metadata read-only",
        "2.50 metadata overwritable",
        "2.60 virtual write-once",
        "2.60 metadata read-only",
        "2.60 metadata overwritable",
        "2.60 metadata pseudo-overwritable",
    ] {
        expected.push(rest.into());
    }
    legal.sort_unstable();
    expected.sort_unstable();
    assert_eq!(legal, expected);
}

#[test]
fn refusals_say_what_to_choose() {
    let tree = Tree::new(Metadata::directory());
    let refused = |options: UdfOptions| Layout::new(&tree, &options).unwrap_err().to_string();
    let options = UdfOptions::with_partition(UdfRevision::V2_60, PartitionKind::Sparable);
    assert_eq!(
        refused(options),
        "UDF 2.60 has no sparable partition; choose a metadata or a virtual one"
    );
    let options = UdfOptions {
        access: Access::Overwritable,
        ..UdfOptions::with_partition(UdfRevision::V2_01, PartitionKind::Virtual)
    };
    assert_eq!(
        refused(options),
        "a virtual partition of UDF 2.01 is never overwritable (UDF 2.2.14.2); choose write-once"
    );
    let options = UdfOptions::with_partition(UdfRevision::V1_50, PartitionKind::Sparable);
    let mut tree = Tree::new(Metadata::directory());
    let name = b"Non-Allocatable Space";
    tree.add(Tree::ROOT, name, Metadata::file(), NewKind::Fifo)
        .unwrap();
    let error = Layout::new(&tree, &options).unwrap_err();
    assert!(error.to_string().ends_with("rename yours"), "{error}");
}

#[test]
fn what_does_not_fit_a_medium_has_no_arrangement() {
    let tree = Tree::new(Metadata::directory());
    for options in all_options() {
        let layout = Layout::new(&tree, &options).unwrap();
        let arrange = |blocks: u32| {
            let (data, size) = (
                BlockCount::new(1000),
                VolumeSize::Whole(BlockCount::new(blocks)),
            );
            Arrangement::new(&layout, Layout::RECOGNITION, data, size)
        };
        let least = (0..8000).find(|&blocks| arrange(blocks).is_some()).unwrap();
        assert!(least > 1000);
        for more in 0..70 {
            let arranged = arrange(least + more).unwrap();
            let end = arranged.data_start + BlockCount::new(1000);
            assert!(end.get() <= arranged.addresses.partition.end_exclusive());
            // Nothing contradicts anything.
            let runs = Image::new(&tree, &options).runs;
            let _ = layout.place(&tree, &arranged.addresses, &runs);
        }
    }
}

#[test]
fn a_longer_image_needs_no_other_first_anchor() {
    let tree = Tree::new(Metadata::directory());
    for options in all_options() {
        let layout = Layout::new(&tree, &options).unwrap();
        let arrange = |data: u32| {
            let (data, size) = (BlockCount::new(data), VolumeSize::Compact);
            let arranged = Arrangement::new(&layout, Layout::RECOGNITION, data, size).unwrap();
            arranged.addresses
        };
        let (short, long) = (arrange(10), arrange(100_000));
        assert_eq!(short.main_sequence, long.main_sequence);
        assert_eq!(short.reserve_sequence, long.reserve_sequence);
        assert_eq!(short.sparing, long.sparing);
        assert_eq!(short.partition.start_lba(), long.partition.start_lba());
        assert_eq!(short.metadata, long.metadata);
    }
}

/// What is recorded again on a medium may be torn, and must not be where a torn block hides the
/// volume from programs that look for others too.
#[test]
fn what_is_recorded_again_keeps_off_the_places_that_are_probed() {
    let tree = Tree::new(Metadata::directory());
    // DVD+RW, DVD-RAM, and BD-RE with one, two and three layers.
    let dvds = [2_295_104, 2_236_704].map(|blocks| (WriteUnit::DVD, blocks));
    let blu_rays = [11_826_176, 23_652_352, 47_305_728];
    let blu_rays = blu_rays.map(|blocks| (WriteUnit::BLU_RAY, blocks));
    for (unit, blocks) in dvds.into_iter().chain(blu_rays) {
        let blocks = BlockCount::new(blocks);
        let probed = probed_blocks(blocks);
        for options in all_options() {
            if options.partition == PartitionKind::Virtual {
                continue;
            }
            let options = UdfOptions {
                write_unit: unit,
                ..options
            };
            let layout = Layout::new(&tree, &options).unwrap();
            let size = VolumeSize::Whole(blocks);
            let data = BlockCount::new(1000);
            let at = Arrangement::new(&layout, Layout::RECOGNITION, data, size);
            let at = at.unwrap().addresses;
            let mut torn = vec![at.integrity];
            torn.extend(at.spare_integrity);
            let entries = at.metadata_file.iter();
            let entries = entries.flat_map(|file| [file.entry, file.mirror_entry]);
            let sparing = at.sparing.iter();
            let tables = sparing
                .clone()
                .flat_map(|sparing| sparing.tables.iter().copied());
            torn.extend(entries.chain(tables).map(BlockRange::single));
            torn.extend(sparing.map(|sparing| sparing.spares));
            for range in torn {
                let range = range.align_outward(layout.alignment());
                assert!(!probed.intersects(range), "{options:?}: {range}");
            }
            assert!(at.partition.start_lba() > Lba::new(2048));
        }
    }
}

fn sparable() -> impl Iterator<Item = UdfOptions> {
    let all = all_options().into_iter();
    all.filter(|options| options.partition == PartitionKind::Sparable)
}

/// A sparing entry that names a block inside a packet moves nothing, and costs nothing.
#[test]
fn entries_that_name_no_packet_move_nothing() {
    const FIRST_ENTRY: usize = 56;
    let base = base();
    for options in sparable() {
        let tree = rich_tree(&options);
        let mut image = Image::from_base(&tree, &base, &options, VolumeSize::Compact);
        for structure in image.placed().structures() {
            if structure.kind == reburn_udf::StructureKind::SparingTable {
                let at = structure.start.get() as usize * BLOCK_SIZE;
                let table = &mut image.bytes[at..at + structure.bytes.len()];
                table[FIRST_ENTRY..FIRST_ENTRY + 4].copy_from_slice(&5u32.to_le_bytes());
                mend(table);
            }
        }
        let volume = Volume::open(&image.bytes, Session::default()).unwrap();
        assert_eq!(volume.structures().sparing.unwrap().moved.len(), 0);
        let (_, read) = read_back(&image);
        assert_eq!(
            read.tree.walk(Tree::ROOT).count(),
            tree.walk(Tree::ROOT).count()
        );
    }
}

#[test]
fn packets_can_be_in_spare_packets() {
    let base = base();
    for options in sparable() {
        let tree = rich_tree(&options);
        let mut image = Image::from_base(&tree, &base, &options, VolumeSize::Compact);
        let packet = image.layout.packet().blocks();
        let addresses = &mut image.arrangement.addresses;
        let sparing = addresses.sparing.as_mut().unwrap();
        // The first packet, with the root, and one with data of files.
        let data = image.arrangement.data_start + packet + packet;
        let data = data.align_down(image.layout.packet());
        let spares = sparing.spares.start_lba();
        sparing
            .moved
            .insert(addresses.partition.start_lba(), spares + packet);
        sparing.moved.insert(data, spares);
        sparing.sequence_number = 2;
        for (from, to) in sparing.moved.clone() {
            let bytes = packet.as_usize() * BLOCK_SIZE;
            let (from, to) = (
                from.get() as usize * BLOCK_SIZE,
                to.get() as usize * BLOCK_SIZE,
            );
            image.bytes.copy_within(from..from + bytes, to);
            image.bytes[from..from + bytes].fill(0x55);
        }
        for structure in image.placed().structures() {
            if structure.kind == reburn_udf::StructureKind::SparingTable {
                let at = structure.start.get() as usize * BLOCK_SIZE;
                image.bytes[at..at + structure.bytes.len()].copy_from_slice(&structure.bytes);
            }
        }
        check(&image.bytes, &options);
        let (_, read) = read_back(&image);
        let written = OnDisc {
            disc: &base,
            tree: &tree,
        };
        let read = OnDisc {
            disc: &image.bytes,
            tree: &read.tree,
        };
        assert_all_same(written, read);
    }
}

#[test]
fn the_first_sparing_table_that_is_whole_counts() {
    let tree = Tree::new(Metadata::directory());
    for options in sparable() {
        let mut image = Image::new(&tree, &options);
        let placed = image.placed().structures();
        let is_table =
            |s: &&reburn_udf::Structure| s.kind == reburn_udf::StructureKind::SparingTable;
        let [first, second] = [0, 1].map(|n| placed.iter().filter(is_table).nth(n).unwrap().start);
        let sparing = image.arrangement.addresses.sparing.as_mut().unwrap();
        sparing.sequence_number += 1;
        let newer = image.placed().structures();
        let newer = newer.into_iter().find(|s| s.start == second).unwrap();
        let at = |lba: Lba| lba.get() as usize * BLOCK_SIZE;
        let table = at(second)..at(second) + newer.bytes.len();
        image.bytes[table].copy_from_slice(&newer.bytes);
        let open = |bytes: &Vec<u8>| {
            let volume = Volume::open(bytes, Session::default()).unwrap();
            let kinds: Vec<_> = volume.notes().iter().map(|note| note.kind).collect();
            (volume.structures().sparing.unwrap(), kinds)
        };
        let (found, notes) = open(&image.bytes);
        assert_eq!((found.sequence_number, found.tables[0]), (1, first));
        assert_eq!(found.free, found.spares);
        assert_eq!(notes, [NoteKind::SparingTables]);
        image.bytes[at(first)..at(first) + BLOCK_SIZE].fill(0xa5);
        let (found, notes) = open(&image.bytes);
        assert_eq!(found.sequence_number, 2);
        assert_eq!(notes, [NoteKind::SparingTable]);
    }
}

#[test]
fn unusable_blocks_are_listed_and_come_back() {
    let tree = Tree::new(Metadata::directory());
    for options in sparable() {
        let size = VolumeSize::Whole(BlockCount::new(8000));
        let mut image = Image::sized(&tree, &options, size);
        let data = image.arrangement.data_start;
        let ranges = [(3, 1), (10, 40)];
        let ranges = ranges.map(|(offset, count)| {
            BlockRange::with_count(data + BlockCount::new(offset), BlockCount::new(count)).unwrap()
        });
        image.arrangement.addresses.unusable.extend(ranges);
        image.rewrite();
        check(&image.bytes, &options);
        let (volume, read) = read_back(&image);
        assert_eq!(read.unusable.ranges(), ranges);
        assert_eq!(read.streams, []);
        let before = Image::sized(&tree, &options, size);
        let before = Volume::open(&before.bytes, Session::default()).unwrap();
        let free = |volume: &Volume| volume.integrity().unwrap().free_blocks[0].unwrap();
        assert_eq!(free(&volume) + 41, free(&before));
    }
}

#[test]
fn the_table_ends_the_volume() {
    let base = base();
    let all = all_options().into_iter();
    for options in all.filter(|options| options.partition == PartitionKind::Virtual) {
        let tree = rich_tree(&options);
        let size = VolumeSize::Whole(BlockCount::new(9001));
        let image = Image::from_base(&tree, &base, &options, size);
        let arranged = &image.arrangement;
        let entry = arranged.addresses.virtual_table.unwrap().entry;
        assert_eq!(
            entry + BlockCount::ONE,
            Lba::new(arranged.volume_blocks.get())
        );
        assert!((entry + BlockCount::ONE).is_aligned(options.write_unit));
        assert_eq!(arranged.addresses.partition.end_exclusive(), 9001);
        assert_eq!(arranged.addresses.anchors, [Lba::new(256)]);
        assert!(options.write_unit != WriteUnit::DVD || arranged.volume_blocks.get() < 9001);
    }
}
