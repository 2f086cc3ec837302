//! Whole images in memory, for tests: metadata from a layout, data placed one after the other.

pub mod verify;

use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
use reburn_iso9660::{IsoOptions, Layout, RenderCache, SECTION_BLOCKS_MAX};
use reburn_tree::{Content, InodeId, Kind, Tree};

/// Builds the image of a volume whose session starts at `start`. Contents are those in
/// memory; metadata are read `step` blocks at a time.
pub fn build(tree: &Tree, options: &IsoOptions, start: Lba, step: u32) -> Vec<u8> {
    let layout = Layout::new(tree, options).unwrap();
    let descriptors = Layout::descriptors_start(start);
    let metadata = descriptors + layout.descriptor_blocks();
    let mut next = metadata + layout.metadata_blocks();
    let mut starts = vec![None; tree.inode_limit()];
    let mut data = Vec::new();
    for (node, _) in tree.walk(Tree::ROOT) {
        let inode = tree.inode(node);
        let Kind::File {
            content: Content::Bytes(bytes),
            ..
        } = tree.kind(inode)
        else {
            continue;
        };
        if starts[inode.index()].is_none() && !bytes.is_empty() {
            starts[inode.index()] = Some(next);
            next += BlockCount::for_bytes(bytes.len() as u64).unwrap();
            data.extend_from_slice(bytes);
            data.resize(data.len().next_multiple_of(BLOCK_SIZE), 0);
        }
    }

    let place = |inode: InodeId, section: usize| {
        let skipped = SECTION_BLOCKS_MAX.get() * u32::try_from(section).unwrap();
        starts[inode.index()].expect("a file with data") + BlockCount::new(skipped)
    };
    let placed = layout.place(tree, metadata, &place);
    let mut image = vec![0; usize::try_from(descriptors.byte_offset()).unwrap()];
    let volume_space = next.blocks_since(start);
    image.extend(placed.descriptors(volume_space, &[b' '; 512]));
    let range = placed.metadata_range();
    assert_eq!(range.block_count(), layout.metadata_blocks());
    let mut cache = RenderCache::default();
    for piece in range.pieces(BlockCount::new(step)) {
        let from = image.len();
        image.resize(from + piece.block_count().as_usize() * BLOCK_SIZE, 0xee);
        placed.read_metadata(piece.start_lba(), &mut image[from..], &mut cache);
    }
    image.extend(data);
    assert_eq!(image.len() as u64, next.byte_offset());
    image
}
