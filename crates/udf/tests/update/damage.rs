//! Editing damaged volumes: an error or an edit, never a panic.

use proptest::prelude::*;
use proptest::sample::Index;
use reburn_blocks::{BLOCK_SIZE, BlockRangeList, WriteUnit};
use reburn_record::{Record, crc16};
use reburn_tree::{Attribute, Metadata, NewKind, Tree};
use reburn_udf::records::Tag;
use reburn_udf::{Session, UdfOptions, Volume};

use crate::edit::{Disc, How, try_edit, with_room};

/// A small volume with something of everything, and the blocks that its structures are in.
pub fn volume() -> (Disc, Vec<u32>) {
    let mut tree = Tree::new(Metadata::directory());
    let text = || NewKind::Bytes(vec![b'x'; 100].into());
    let file = |tree: &mut Tree, folder, name: &str| {
        tree.add(folder, name.as_bytes(), Metadata::file(), text())
            .unwrap()
    };
    let folder = tree
        .add(
            Tree::ROOT,
            b"folder",
            Metadata::directory(),
            NewKind::Directory,
        )
        .unwrap();
    for number in 0..60 {
        file(
            &mut tree,
            folder,
            &format!("a name of some length {number}"),
        );
    }
    let one = file(&mut tree, Tree::ROOT, "one");
    let one = tree.inode(one);
    tree.set_stream(one, b"stream", Metadata::file(), text())
        .unwrap();
    let attribute = Attribute {
        is_application: false,
        name: b"*somebody".to_vec(),
        suffix: [0; 8],
        value: vec![1; 10].into(),
    };
    tree.set_attributes(one, vec![attribute]);
    tree.link(folder, b"link", one).unwrap();
    file(&mut tree, Tree::ROOT, "two");
    let options = UdfOptions {
        duplicate_metadata: true,
        write_unit: WriteUnit::DVD,
        ..UdfOptions::default()
    };
    let disc = with_room(&tree, &options, 2000).bytes;
    let volume = Volume::open(&disc, Session::default()).unwrap();
    let read = volume.read_tree(&disc).unwrap();
    let partition: BlockRangeList = volume.structures().partitions.into_iter().collect();
    let inside = read.metadata_ranges.intersection(&partition);
    let all = inside.iter().chain(volume.structures().integrity);
    let all = all.chain(volume.structures().main_sequence);
    let blocks = all.flat_map(|range| range.start_lba().get()..range.end_exclusive());
    let is_used = |lba: &u32| disc[*lba as usize * BLOCK_SIZE..][..16] != [0; 16];
    let blocks = blocks.filter(is_used).collect();
    (disc, blocks)
}

/// Changes a number in a block, and mends the checks of what was whole.
pub fn damage(disc: &mut Disc, block: u32, at: usize, number: u32) {
    let start = block as usize * BLOCK_SIZE;
    let bytes = &mut disc[start..start + BLOCK_SIZE];
    let is_whole = Tag::check(bytes).is_ok();
    bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
    let Ok((tag, _)) = Tag::view(bytes) else {
        return;
    };
    let mut tag = *tag;
    let covered = Tag::SIZE + usize::from(tag.descriptor_crc_length.get());
    if is_whole && covered <= BLOCK_SIZE {
        tag.descriptor_crc = crc16(&bytes[Tag::SIZE..covered]).into();
        tag.tag_checksum = tag.checksum();
        bytes[..Tag::SIZE].copy_from_slice(tag.bytes());
    }
}

/// Changes something of everything that is there.
pub fn change(tree: &mut Tree) {
    let text = || NewKind::Bytes(vec![b'y'; 5000].into());
    let nodes: Vec<_> = tree
        .walk(Tree::ROOT)
        .map(|(node, _)| node)
        .skip(1)
        .collect();
    // What was lost with the damage cannot change.
    for (index, &node) in nodes.iter().enumerate() {
        let name = format!("new {index}");
        let inode = tree.inode(node);
        let _ = match index % 7 {
            0 => tree.replace(node, Metadata::file(), text()).map(drop),
            1 => tree.remove_tree(node),
            2 => tree.rename(node, Tree::ROOT, name.as_bytes()),
            3 => tree
                .set_stream(inode, b"stream", Metadata::file(), text())
                .map(drop),
            4 => tree
                .add(Tree::ROOT, name.as_bytes(), Metadata::file(), text())
                .map(drop),
            5 => {
                tree.set_attributes(inode, Vec::new());
                Ok(())
            }
            _ => {
                tree.set_metadata(inode, Metadata::with_permissions(0o7777));
                Ok(())
            }
        };
    }
}

#[test]
fn the_volume_is_edited_while_it_is_whole() {
    let (disc, _) = volume();
    let edited = try_edit(&disc, How::new(WriteUnit::DVD), change);
    assert!(edited.is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

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
        let (mut disc, blocks) = volume();
        for (block, at, number) in damages {
            // Descriptors take little of their blocks: most changes go there.
            damage(&mut disc, *block.get(&blocks), at.index(300) & !3, number);
        }
        if let Some(after) = try_edit(&disc, How::new(WriteUnit::DVD), change) {
            // It is read, or it is an error.
            let _ = Volume::open(&after, Session::default()).map(|volume| volume.read_tree(&after));
        }
    }
}
