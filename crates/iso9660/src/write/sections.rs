//! How a file's data are cut into sections (ECMA-119 6.5.1).

use reburn_blocks::{BLOCK_SIZE, BlockCount};
use reburn_tree::{Content, InodeId, Kind, Tree};

/// Bytes of the largest section that another one may follow: the most whole blocks that the
/// data length of a directory record counts (ECMA-119 9.1.4).
pub const SECTION_BYTES_MAX: u64 = u32::MAX as u64 / BLOCK_SIZE as u64 * BLOCK_SIZE as u64;

/// Blocks of [`SECTION_BYTES_MAX`].
pub const SECTION_BLOCKS_MAX: BlockCount =
    BlockCount::new((SECTION_BYTES_MAX / BLOCK_SIZE as u64) as u32);

/// Bytes of each section of a file, in order; none for an empty file or anything else.
///
/// Data on the base keep their extents, other data are one run. Both are cut at
/// [`SECTION_BYTES_MAX`]. A layout reckons with these sections wherever the data are placed.
pub fn section_lengths(tree: &Tree, inode: InodeId) -> impl Iterator<Item = u64> {
    let (whole, extents) = match tree.kind(inode) {
        Kind::File {
            content: Content::Base(extents),
            ..
        } => (0, extents),
        Kind::File { size, .. } => (size, &[][..]),
        _ => (0, &[][..]),
    };
    std::iter::once(whole)
        .chain(extents.iter().map(|extent| extent.bytes))
        .flat_map(cut)
}

/// A run of bytes in pieces of at most [`SECTION_BYTES_MAX`].
fn cut(bytes: u64) -> impl Iterator<Item = u64> {
    (0..bytes.div_ceil(SECTION_BYTES_MAX))
        .map(move |index| (bytes - index * SECTION_BYTES_MAX).min(SECTION_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use reburn_blocks::Lba;
    use reburn_tree::{Extent, Metadata, NewKind};

    use super::*;

    fn lengths(extents: &[u64]) -> Vec<u64> {
        let extent = |&bytes| Extent::new(Lba::new(100), bytes);
        let mut tree = Tree::new(Metadata::directory());
        let content = NewKind::Base(extents.iter().map(extent).collect());
        let file = tree
            .add(Tree::ROOT, b"a", Metadata::file(), content)
            .unwrap();
        section_lengths(&tree, tree.inode(file)).collect()
    }

    #[test]
    fn sections_are_cut_below_4_gib() {
        assert_eq!(SECTION_BYTES_MAX, 0xFFFF_F800);
        assert_eq!(lengths(&[0]), []);
        assert_eq!(lengths(&[0xFFFF_F800]), [0xFFFF_F800]);
        assert_eq!(lengths(&[0xFFFF_F801]), [0xFFFF_F800, 1]);
        assert_eq!(lengths(&[9 << 30]), [4294965248, 4294965248, 1073745920]);
        assert_eq!(lengths(&[4096, 0, 5]), [4096, 5]);
    }
}
