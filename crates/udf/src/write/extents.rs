//! How a file's data are cut into extents (ECMA-167 4/14.14.1.1).

use reburn_blocks::{BLOCK_SIZE, BlockCount};
use reburn_tree::{Content, InodeId, Kind, Tree};

/// Bytes of the largest extent that another one may follow: the most whole blocks that 30 bits
/// count (ECMA-167 4/14.14.1.1).
pub const EXTENT_BYTES_MAX: u64 = ((1 << 30) - 1) / BLOCK_SIZE as u64 * BLOCK_SIZE as u64;

/// Blocks of [`EXTENT_BYTES_MAX`].
pub const EXTENT_BLOCKS_MAX: BlockCount =
    BlockCount::new((EXTENT_BYTES_MAX / BLOCK_SIZE as u64) as u32);

/// Bytes of each extent of a file, in order; none for an empty file or anything else.
///
/// Data on the base keep their extents, other data are one run. Both are cut at
/// [`EXTENT_BYTES_MAX`]. A layout reckons with these extents wherever the data are placed.
pub fn extent_lengths(tree: &Tree, inode: InodeId) -> impl Iterator<Item = u64> {
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
        .flat_map(|bytes| cut(bytes, EXTENT_BYTES_MAX))
}

/// A run of bytes in pieces of at most `max`.
pub(super) fn cut(bytes: u64, max: u64) -> impl Iterator<Item = u64> {
    (0..bytes.div_ceil(max)).map(move |index| (bytes - index * max).min(max))
}

#[cfg(test)]
mod tests {
    use reburn_blocks::Lba;
    use reburn_tree::{Extent, Metadata, NewKind};

    use super::*;

    fn lengths(extents: &[u64]) -> Vec<u64> {
        let extent = |&bytes| Extent {
            start: Lba::new(100),
            bytes,
        };
        let mut tree = Tree::new(Metadata::directory());
        let content = NewKind::Base(extents.iter().map(extent).collect());
        let file = tree
            .add(Tree::ROOT, b"a", Metadata::file(), content)
            .unwrap();
        extent_lengths(&tree, tree.inode(file)).collect()
    }

    #[test]
    fn extents_are_cut_below_1_gib() {
        assert_eq!(EXTENT_BYTES_MAX, 0x3fff_f800);
        assert_eq!(lengths(&[0]), []);
        assert_eq!(lengths(&[0x3fff_f800]), [0x3fff_f800]);
        assert_eq!(lengths(&[0x3fff_f801]), [0x3fff_f800, 1]);
        assert_eq!(lengths(&[2 << 30]), [0x3fff_f800, 0x3fff_f800, 4096]);
        assert_eq!(lengths(&[4096, 0, 5]), [4096, 5]);
    }
}
