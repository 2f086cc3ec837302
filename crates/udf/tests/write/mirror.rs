//! Single blocks of a metadata partition that are damaged: the mirror has them.

use reburn_blocks::{BLOCK_SIZE, BlockRange};
use reburn_tree::Tree;
use reburn_udf::{NoteKind, Session, UdfOptions, UdfRevision, Volume};

use super::image::{Image, difficult_tree};

fn image(tree: &Tree) -> Image<'_> {
    let options = UdfOptions {
        revision: UdfRevision::V2_60,
        duplicate_metadata: true,
        ..UdfOptions::default()
    };
    Image::new(tree, &options)
}

/// Blocks of the metadata file, and the first of its mirror.
fn copies(image: &Image<'_>) -> (BlockRange, BlockRange) {
    let placed = image.placed();
    (placed.metadata_range(), placed.mirror_range().unwrap())
}

/// Every block that may hold an entry or identifiers is lost, one at a time.
#[test]
fn every_block_of_metadata_is_read_from_the_mirror_if_it_is_lost() {
    let tree = difficult_tree();
    let mut image = image(&tree);
    let (main, mirror) = copies(&image);
    let names = tree.walk(Tree::ROOT).count();
    let mut mended = 0;
    // A prime number, so that blocks of all kinds are among them.
    for lba in (main.start_lba().get()..main.end_exclusive()).step_by(47) {
        let start = lba as usize * BLOCK_SIZE;
        let block = start..start + BLOCK_SIZE;
        let whole = image.bytes[block.clone()].to_vec();
        if whole.iter().all(|&byte| byte == 0) {
            continue;
        }
        image.bytes[block.clone()].fill(0xa5);
        let volume = Volume::open(&image.bytes, Session::default());
        let volume = volume.unwrap_or_else(|error| panic!("block {lba}: {error}"));
        let read = volume.read_tree(&image.bytes);
        let read = read.unwrap_or_else(|error| panic!("block {lba}: {error}"));
        assert_eq!(read.tree.walk(Tree::ROOT).count(), names, "block {lba}");
        // Opening and reading each notice the file set descriptor.
        let mut notes = volume.notes().iter().chain(&read.notes);
        let is_noted = notes.any(|note| note.kind == NoteKind::MirrorBlock);
        assert!(is_noted, "block {lba}");
        image.bytes[block].copy_from_slice(&whole);
        mended += 1;
    }
    assert!(mended > 50, "only {mended} blocks were tried");
    assert_eq!(main.block_count(), mirror.block_count());
}
