//! How a file's data are cut into extents (ECMA-167 4/14.14.1.1).

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange};
use reburn_tree::{Content, Extent, InodeId, Kind, Tree};

/// Bytes of the largest extent that another one may follow: the most whole blocks that 30 bits
/// count (ECMA-167 4/14.14.1.1).
pub const EXTENT_BYTES_MAX: u64 = ((1 << 30) - 1) / BLOCK_SIZE as u64 * BLOCK_SIZE as u64;

/// Blocks of [`EXTENT_BYTES_MAX`].
pub const EXTENT_BLOCKS_MAX: BlockCount =
    BlockCount::new((EXTENT_BYTES_MAX / BLOCK_SIZE as u64) as u32);

/// An extent of a file, or a hole in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileExtent {
    /// Length in bytes.
    pub bytes: u64,
    /// Whether no block holds it (ECMA-167 4/14.14.1.1).
    pub is_hole: bool,
}

impl FileExtent {
    /// Blocks that hold it.
    pub fn blocks(&self) -> u64 {
        if self.is_hole {
            0
        } else {
            self.bytes.div_ceil(BLOCK_SIZE as u64)
        }
    }
}

/// The extents of a file, in order; none for an empty file or anything else.
///
/// Content of the base that [stays in place](stays_in_place) keeps its extents, all other content
/// is one run. Both are cut at [`EXTENT_BYTES_MAX`]. A layout reckons with these extents wherever
/// the data are placed.
pub fn file_extents(tree: &Tree, inode: InodeId) -> impl Iterator<Item = FileExtent> {
    let (whole, extents) = match tree.kind(inode) {
        Kind::File {
            content: Content::Base(extents),
            ..
        } if stays_in_place(extents) => (0, extents),
        Kind::File { size, .. } => (size, &[][..]),
        _ => (0, &[][..]),
    };
    std::iter::once((whole, false))
        .chain(
            extents
                .iter()
                .map(|extent| (extent.bytes, extent.is_hole())),
        )
        .flat_map(|(bytes, is_hole)| {
            cut(bytes, EXTENT_BYTES_MAX).map(move |bytes| FileExtent { bytes, is_hole })
        })
}

/// The extents of a file of `size` bytes that is in these runs of blocks as far as they go, and
/// the rest in one run more.
pub(crate) fn extents_over(size: u64, runs: &[BlockRange]) -> impl Iterator<Item = FileExtent> {
    let mut left = size;
    let mut parts = Vec::with_capacity(runs.len() + 1);
    for run in runs {
        let here = left.min(run.block_count().bytes());
        left -= here;
        parts.push(here);
    }
    parts.push(left);
    let cut = |bytes| cut(bytes, EXTENT_BYTES_MAX);
    parts.into_iter().flat_map(cut).map(|bytes| FileExtent {
        bytes,
        is_hole: false,
    })
}

/// Whether content of the base can stay where it is: every extent begins with a block, and only
/// the last one ends inside a block (ECMA-167 4/12.1).
pub fn stays_in_place(extents: &[Extent]) -> bool {
    let last = extents.iter().rposition(|extent| extent.bytes > 0);
    extents.iter().enumerate().all(|(index, extent)| {
        let is_whole = extent.bytes.is_multiple_of(BLOCK_SIZE as u64);
        let is_aligned = extent.is_hole() || extent.start().is_some();
        extent.bytes == 0 || is_aligned && (is_whole || Some(index) == last)
    })
}

/// A run of bytes in pieces of at most `max`.
pub(super) fn cut(bytes: u64, max: u64) -> impl Iterator<Item = u64> {
    (0..bytes.div_ceil(max)).map(move |index| (bytes - index * max).min(max))
}

#[cfg(test)]
mod tests {
    use reburn_blocks::Lba;
    use reburn_tree::{Metadata, NewKind};

    use super::*;

    fn lengths(extents: &[u64]) -> Vec<u64> {
        let extent = |&bytes| Extent::new(Lba::new(100), bytes);
        let mut tree = Tree::new(Metadata::directory());
        let content = NewKind::Base(extents.iter().map(extent).collect());
        let file = tree
            .add(Tree::ROOT, b"a", Metadata::file(), content)
            .unwrap();
        file_extents(&tree, tree.inode(file))
            .map(|extent| extent.bytes)
            .collect()
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

    #[test]
    fn what_is_left_over_is_a_run_of_its_own() {
        let run = |start, end| BlockRange::new(Lba::new(start), Lba::new(end)).unwrap();
        let lengths = |size, runs: &[BlockRange]| -> Vec<u64> {
            extents_over(size, runs)
                .map(|extent| extent.bytes)
                .collect()
        };
        let runs = [run(10, 11), run(20, 20)];
        assert_eq!(lengths(10_000, &runs), [4096, 2048, 3856]);
        assert_eq!(lengths(6144, &runs), [4096, 2048]);
        assert_eq!(lengths(5000, &runs), [4096, 904]);
        assert_eq!(lengths(2 << 30, &[]), [0x3fff_f800, 0x3fff_f800, 4096]);
    }

    #[test]
    fn what_is_not_in_whole_blocks_cannot_stay() {
        let aligned = |bytes| Extent::new(Lba::new(7), bytes);
        assert!(stays_in_place(&[]));
        assert!(stays_in_place(&[
            aligned(2048),
            Extent::hole(4096),
            aligned(1)
        ]));
        assert!(stays_in_place(&[aligned(5), aligned(0)]));
        assert!(!stays_in_place(&[aligned(2047), aligned(1)]));
        assert!(!stays_in_place(&[Extent::hole(1), aligned(1)]));
        assert!(!stays_in_place(&[Extent::from_byte(216, 100).unwrap()]));
    }
}
