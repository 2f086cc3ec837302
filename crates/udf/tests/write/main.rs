//! Volumes that are written here and read back here: nothing is lost, nothing is added.

mod check;
mod extras;
mod golden;
mod image;
mod inspect;
mod kinds;
mod mirror;
#[path = "../mutate/mod.rs"]
mod mutate;
mod mutated;
mod random;
mod same;
mod udfinfo;
mod verify;

use bytes::Bytes;
use image::{Image, difficult_tree};
use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba, WriteUnit};
use reburn_tree::{Content, Extent, InodeId, Kind, Metadata, NewKind, NodeId, Timestamp, Tree};
use reburn_udf::{
    Access, Arrangement, FilePlacement, ImportedTree, Layout, LayoutError, PartitionKind,
    RenderCache, Session, StructureKind, UdfOptions, UdfRevision, Volume, VolumeSize,
};
use same::assert_same;

/// Every kind of volume, once for each size of write units.
fn all_options() -> Vec<UdfOptions> {
    let mut all = Vec::new();
    for revision in UdfRevision::ALL {
        for &partition in revision.partitions() {
            for write_unit in [WriteUnit::FILE, WriteUnit::DVD, WriteUnit::BLU_RAY] {
                let options = UdfOptions {
                    write_unit,
                    time: Timestamp::from_seconds(1_700_000_000),
                    ..UdfOptions::with_partition(revision, partition)
                };
                all.push(options.clone());
                let mut more = |change: fn(&mut UdfOptions)| {
                    let mut options = options.clone();
                    change(&mut options);
                    all.push(options);
                };
                match partition {
                    PartitionKind::Plain => more(|options| {
                        options.access = Access::Overwritable;
                        options.embed_files = false;
                    }),
                    PartitionKind::Metadata => {
                        more(|options| {
                            options.duplicate_metadata = true;
                            options.embed_files = false;
                        });
                        more(|options| options.access = Access::Overwritable);
                        more(|options| {
                            options.access = Access::Overwritable;
                            options.duplicate_metadata = true;
                        });
                        if revision == UdfRevision::V2_60 {
                            more(|options| options.access = Access::PseudoOverwritable);
                        }
                    }
                    PartitionKind::Sparable | PartitionKind::Virtual => {
                        more(|options| options.embed_files = false);
                    }
                }
            }
        }
    }
    all
}

/// Both sizes, one of them a medium that ends inside a write unit.
const SIZES: [VolumeSize; 2] = [
    VolumeSize::Compact,
    VolumeSize::Whole(BlockCount::new(14_001)),
];

fn read_back(image: &Image<'_>) -> (Volume, ImportedTree) {
    let volume = Volume::open(&image.bytes, Session::default()).unwrap();
    let read = volume.read_tree(&image.bytes).unwrap();
    assert_eq!(read.notes, [], "nothing is read leniently");
    (volume, read)
}

#[test]
fn every_kind_of_volume_is_read_back() {
    let tree = difficult_tree();
    for mut options in all_options() {
        options.texts.label = "Label \u{20ac}".into();
        for size in SIZES {
            let image = Image::sized(&tree, &options, size);
            let (volume, read) = read_back(&image);
            assert_same(&image.bytes, &tree, &read.tree);
            assert_eq!(volume.revision().0, options.revision.code());
            assert_eq!(volume.label(), "Label \u{20ac}");
            let integrity = volume.integrity().unwrap();
            let is_virtual = options.partition == PartitionKind::Virtual;
            assert_eq!(integrity.is_closed, !is_virtual);
            let has_list = options.partition == PartitionKind::Sparable
                && options.revision == UdfRevision::V1_50;
            let files = 3024 + u32::from(has_list);
            assert_eq!((integrity.files, integrity.directories), (files, 33));
            assert_eq!(integrity.recorded, Some(options.time));
            let free = volume.free_blocks(&image.bytes).unwrap();
            let stated = integrity.free_blocks[0].map(u64::from);
            match options.access {
                Access::ReadOnly => assert_eq!(stated, Some(0)),
                Access::PseudoOverwritable => assert_eq!(stated, None),
                Access::Overwritable | Access::Rewritable => assert_eq!(stated, free),
                Access::WriteOnce => {
                    let partition = volume.partitions()[0];
                    let end = u64::from(partition.start + partition.blocks);
                    let recorded = u64::from(image.arrangement.volume_blocks.get());
                    assert_eq!(stated, Some(end - recorded));
                }
            }
            let blocks = image.arrangement.volume_blocks;
            match size {
                VolumeSize::Whole(whole) if !is_virtual => assert_eq!(blocks, whole),
                VolumeSize::Whole(whole) => assert!(blocks < whole),
                VolumeSize::Compact => {}
            }
        }
    }
}

#[test]
fn any_block_can_be_made_alone() {
    let tree = difficult_tree();
    let all = all_options().into_iter();
    for options in all.filter(|options| options.write_unit == WriteUnit::FILE) {
        let image = Image::new(&tree, &options);
        let placed = image.placed();
        let mut cache = RenderCache::default();
        let range = placed.mirror_range().unwrap_or(placed.metadata_range());
        for number in (0..range.block_count().get()).rev().step_by(7) {
            let lba = range.start_lba() + BlockCount::new(number);
            let mut block = [0xff; BLOCK_SIZE];
            placed.read_metadata(lba, &mut block, &mut cache).unwrap();
            let at = lba.get() as usize * BLOCK_SIZE;
            assert!(block == image.bytes[at..at + BLOCK_SIZE], "block {lba}");
        }
        let mut next = placed.metadata_range().start_lba();
        for region in placed.regions() {
            assert_eq!(region.range.start_lba(), next);
            next = Lba::new(region.range.end_exclusive());
        }
        assert_eq!(next.get(), placed.metadata_range().end_exclusive());
    }
}

#[test]
fn the_second_copy_of_everything_is_enough() {
    let tree = difficult_tree();
    let all = all_options().into_iter();
    for options in all.filter(|options| options.write_unit == WriteUnit::BLU_RAY) {
        let mut image = Image::new(&tree, &options);
        let addresses = image.arrangement.addresses.clone();
        let unit = options.write_unit;
        let mut lost = vec![addresses.main_sequence];
        lost.extend(addresses.anchors.get(2));
        lost.extend(addresses.sparing.map(|sparing| sparing.tables[0]));
        lost.extend(addresses.metadata_file.map(|file| file.entry));
        for lba in lost {
            let range = BlockRange::single(lba).align_outward(unit);
            let start = range.start_lba().get() as usize * BLOCK_SIZE;
            let end = range.end_exclusive() as usize * BLOCK_SIZE;
            image.bytes[start..end].fill(0xa5);
        }
        let volume = Volume::open(&image.bytes, Session::default()).unwrap();
        let read = volume.read_tree(&image.bytes).unwrap();
        assert_ne!(read.notes, []);
        assert_same(&image.bytes, &tree, &read.tree);
    }
}

/// A commit that is torn must lose nothing else.
#[test]
fn what_is_rewritten_is_alone_in_its_write_units() {
    let tree = difficult_tree();
    for options in all_options() {
        let image = Image::new(&tree, &options);
        let structures = image.placed().structures();
        let metadata = image.placed().metadata_range();
        let mut ranges: Vec<_> = structures.iter().map(|s| (s.kind, s.range())).collect();
        ranges.push((StructureKind::SpaceBitmap, metadata));
        for (index, (kind, range)) in ranges.iter().enumerate() {
            let shared = |(other, (_, with)): (usize, &(_, BlockRange))| {
                let units = range.align_outward(options.write_unit);
                other != index && with.intersection(units).is_some()
            };
            let is_rewritten = !matches!(kind, StructureKind::SpaceBitmap);
            assert!(
                !is_rewritten || !ranges.iter().enumerate().any(shared),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn volumes_are_never_older_than_their_files() {
    let mut tree = Tree::new(Metadata::directory());
    let future = Timestamp::from_seconds(4_000_000_000);
    let mut metadata = Metadata::file();
    metadata.changed = Some(future);
    let file = NewKind::Bytes(Bytes::new());
    tree.add(Tree::ROOT, b"a", metadata, file).unwrap();
    let image = Image::new(&tree, &UdfOptions::default());
    let (volume, _) = read_back(&image);
    assert_eq!(volume.integrity().unwrap().recorded, Some(future));
}

/// Files of the base, by the extents that the tree has of them.
struct Kept<'a>(&'a Tree);

impl FilePlacement for Kept<'_> {
    fn extent_start(&self, inode: InodeId, extent: usize) -> Lba {
        match self.0.kind(inode) {
            Kind::File {
                content: Content::Base(extents),
                ..
            } => extents[extent].start().unwrap(),
            _ => unreachable!("only files of the base"),
        }
    }

    fn read_embedded(&self, _: InodeId, _: &mut [u8]) -> Result<(), reburn_blocks::ReadError> {
        unreachable!("files of the base are not embedded")
    }
}

#[test]
fn files_of_many_extents_go_on_in_further_blocks() {
    for options in all_options() {
        // Around what entries and their continuations hold, with short and long descriptors.
        for count in [
            1, 113, 114, 115, 229, 230, 231, 239, 240, 241, 365, 481, 482, 483, 2000,
        ] {
            let start = Lba::new(4000);
            let extent = |number: u32| {
                let bytes = if number + 1 == count { 5 } else { 2048 };
                Extent::new(start + BlockCount::new(2 * number), bytes)
            };
            let extents: Vec<_> = (0..count).map(extent).collect();
            let mut tree = Tree::new(Metadata::directory());
            let file = NewKind::Base(extents.clone());
            tree.add(Tree::ROOT, b"a", Metadata::file(), file).unwrap();
            let after = NewKind::Bytes(Bytes::from_static(b"x"));
            let after = tree.add(Tree::ROOT, b"b", Metadata::file(), after).unwrap();
            let options = UdfOptions {
                embed_files: true,
                ..options.clone()
            };
            let layout = Layout::new(&tree, &options).unwrap();
            let (data, size) = (BlockCount::new(9000), VolumeSize::Compact);
            let arranged = Arrangement::new(&layout, Layout::RECOGNITION, data, size).unwrap();
            let kept = Kept(&tree);
            let placed = layout.place(&tree, &arranged.addresses, &kept);
            let mut disc = vec![0; arranged.volume_blocks.as_usize() * BLOCK_SIZE];
            let range = placed.metadata_range();
            let mut metadata = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
            let mut cache = RenderCache::default();
            placed
                .read_metadata(range.start_lba(), &mut metadata, &mut cache)
                .unwrap();
            let mut put = |start: Lba, bytes: &[u8]| {
                let at = start.get() as usize * BLOCK_SIZE;
                disc[at..at + bytes.len()].copy_from_slice(bytes);
            };
            put(range.start_lba(), &metadata);
            for structure in placed.structures() {
                put(structure.start, &structure.bytes);
            }
            let volume = Volume::open(&disc, Session::default()).unwrap();
            let read = volume.read_tree(&disc).unwrap().tree;
            let file = read.inode(read.lookup(b"/a").unwrap());
            let Kind::File {
                size,
                content: Content::Base(found),
            } = read.kind(file)
            else {
                panic!("{:?}", read.kind(file));
            };
            assert_eq!(size, u64::from(count - 1) * 2048 + 5);
            assert_eq!(found, extents);
            let path = tree.path(after);
            assert!(read.lookup(&path).is_some());
        }
    }
}

fn refused(change: impl Fn(&mut Tree), options: &UdfOptions) -> LayoutError {
    let mut tree = Tree::new(Metadata::directory());
    change(&mut tree);
    Layout::new(&tree, options).unwrap_err()
}

#[test]
fn what_a_volume_cannot_hold_is_refused() {
    let default = UdfOptions::default();
    let add = |tree: &mut Tree, name: &[u8], kind: NewKind| -> NodeId {
        tree.add(Tree::ROOT, name, Metadata::file(), kind).unwrap()
    };
    let error = refused(
        |tree| {
            add(tree, b"l", NewKind::Symlink(b"a/".repeat(400)));
        },
        &default,
    );
    assert!(matches!(
        error,
        LayoutError::SymlinkTooLong {
            len: 2400,
            max: 1832,
            ..
        }
    ));
    let error = refused(
        |tree| {
            let latin = add(tree, b"caf\xe9", NewKind::Fifo);
            let layout = Layout::new(tree, &UdfOptions::default()).unwrap();
            let names: Vec<_> = layout.translated_names(tree).collect();
            assert_eq!(names[0].0, latin);
            assert!(names[0].1.starts_with("caf_#"));
            add(tree, names[0].1.as_bytes(), NewKind::Fifo);
        },
        &default,
    );
    assert!(matches!(error, LayoutError::NamesCollide { .. }));
    let options = UdfOptions {
        duplicate_metadata: true,
        ..UdfOptions::new(UdfRevision::V2_01)
    };
    let error = refused(|_| {}, &options);
    let partition = PartitionKind::Plain;
    assert_eq!(error, LayoutError::NoMetadataPartition { partition });
    let mut options = UdfOptions::default();
    options.texts.label = "\u{20ac}".repeat(16);
    let error = refused(|_| {}, &options);
    assert!(matches!(
        error,
        LayoutError::TextTooLong {
            len: 32,
            max: 30,
            ..
        }
    ));
}

#[test]
fn an_empty_volume_is_a_volume() {
    let tree = Tree::new(Metadata::directory());
    for options in all_options() {
        let image = Image::new(&tree, &options);
        assert!(image.runs.starts.is_empty());
        let (volume, read) = read_back(&image);
        assert_same(&image.bytes, &tree, &read.tree);
        assert_eq!(volume.label(), "UDF");
        assert_eq!(read.data_ranges.block_count(), BlockCount::ZERO);
    }
}
