//! Volumes of every kind with bytes changed, their checks mended: an error or a tree, never a
//! panic, a loop, or more names than identifiers can stand on the disc.

use proptest::prelude::*;
use proptest::sample::Index;
use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, WriteUnit};
use reburn_record::Record;
use reburn_tree::{Metadata, NewKind, Tree};
use reburn_udf::records::FileIdentifier;
use reburn_udf::{Session, UdfOptions, UdfRevision, Volume};

use crate::all_options;
use crate::extras::attributes;
use crate::image::Image;
use crate::mutate::{apply, damage};

/// A volume, and the blocks with its metadata.
struct Target {
    bytes: Vec<u8>,
    blocks: Vec<u32>,
}

fn small_tree(options: &UdfOptions) -> Tree {
    let mut tree = Tree::new(Metadata::directory());
    let metadata = Metadata::file();
    let bytes = |len: usize| NewKind::Bytes(vec![b'b'; len].into());
    let folder = tree
        .add(Tree::ROOT, b"folder", metadata, NewKind::Directory)
        .unwrap();
    for number in 0..60usize {
        let name = format!("{number:02}{}", "n".repeat(number));
        tree.add(folder, name.as_bytes(), metadata, bytes(number * 50))
            .unwrap();
    }
    let file = tree.inode(tree.lookup(b"/folder/00").unwrap());
    tree.link(Tree::ROOT, b"link", file).unwrap();
    tree.set_attributes(file, attributes(options.revision.code()));
    if options.revision >= UdfRevision::V2_00 {
        let root = tree.inode(Tree::ROOT);
        for owner in [root, file] {
            for (name, len) in [(b"small", 10), (b"large", 3000)] {
                tree.set_stream(owner, name, metadata, bytes(len)).unwrap();
            }
        }
    }
    tree
}

fn targets() -> Vec<Target> {
    let all = all_options().into_iter();
    let all = all.filter(|options| options.write_unit == WriteUnit::FILE);
    all.map(|options| {
        let tree = small_tree(&options);
        let image = Image::new(&tree, &options);
        let placed = image.placed();
        // Of long structures the beginning counts.
        let structures = placed.structures().into_iter();
        let beginnings = structures.map(|structure| {
            let count = structure.range().block_count().min(BlockCount::new(6));
            BlockRange::with_count(structure.start, count).unwrap()
        });
        let metadata = [Some(placed.metadata_range()), placed.mirror_range()];
        let ranges = beginnings.chain(metadata.into_iter().flatten());
        let blocks = ranges.flat_map(|range| range.start_lba().get()..range.end_exclusive());
        Target {
            blocks: blocks.collect(),
            bytes: image.bytes,
        }
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_volumes_are_errors_or_trees(
        kind in any::<Index>(),
        damages in prop::collection::vec(damage(), 1..12),
        cut in prop::option::weighted(0.05, any::<Index>()),
    ) {
        thread_local! {
            static TARGETS: Vec<Target> = targets();
        }
        TARGETS.with(|targets| {
            let target = &targets[kind.index(targets.len())];
            let mut disc = target.bytes.clone();
            apply(&mut disc, &damages, &target.blocks);
            if let Some(cut) = cut {
                disc.truncate(cut.index(disc.len()) / BLOCK_SIZE * BLOCK_SIZE);
            }
            let read = Volume::open(&disc, Session::default())
                .and_then(|volume| volume.read_tree(&disc));
            match read {
                Ok(found) => {
                    let most = disc.len() / FileIdentifier::SIZE;
                    let tree = &found.tree;
                    let streams = tree.inodes_with_streams().map(|owner| tree.streams(owner).len());
                    let names = tree.walk(Tree::ROOT).count() + streams.sum::<usize>();
                    assert!(names <= most);
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        });
    }
}
