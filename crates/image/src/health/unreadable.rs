//! Blocks that readers need and that cannot be read.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba};
use reburn_tree::{Content, Extent, Kind, Tree};

use super::{CheckOptions, Diagnosis, Finding, IsoFound, UdfFound};
use crate::View;

/// Runs of such blocks that are told of one by one.
const RUNS_MAX: usize = 100;
/// Blocks read at once.
const CHUNK: BlockCount = BlockCount::new(32);

impl Diagnosis<'_> {
    /// Reads all metadata that readers need, and file data if asked for.
    pub(super) fn examine_blocks(
        &mut self,
        udf: Option<&UdfFound>,
        iso: Option<&IsoFound>,
        options: CheckOptions,
    ) {
        let mut told: BlockRangeList = self.findings.iter().filter_map(|f| f.blocks).collect();
        let of_udf = udf.and_then(|udf| Some((View::Udf, &udf.metadata, udf.imported.as_ref()?)));
        let of_udf =
            of_udf.map(|(view, metadata, read)| (view, metadata, &read.data_ranges, &read.tree));
        let of_iso = iso.map(|iso| {
            let read = &iso.imported;
            (
                View::Iso,
                &read.metadata_ranges,
                &read.data_ranges,
                &read.tree,
            )
        });
        for (view, metadata, data, tree) in of_iso.into_iter().chain(of_udf) {
            let what = "what folders, names or other structures are in cannot be read";
            for range in lost(self.disc, &metadata.difference(&told)) {
                told.insert(range);
                self.find(Finding::new(view, Some(range), what));
            }
            if !options.read_data {
                continue;
            }
            for range in lost(self.disc, &data.difference(&told)) {
                told.insert(range);
                let what = match file_in(tree, range) {
                    Some(path) => format!("data of {path} cannot be read"),
                    None => "file data cannot be read".into(),
                };
                self.find(Finding::new(view, Some(range), what));
            }
        }
    }
}

/// The runs of blocks that cannot be read; from some number on, in one.
fn lost(disc: &dyn BlockRead, ranges: &BlockRangeList) -> Vec<BlockRange> {
    let whole = BlockRange::with_count(Lba::ZERO, disc.block_count());
    let ranges = ranges.intersection(&whole.into_iter().collect());
    let mut buf = vec![0; CHUNK.as_usize() * BLOCK_SIZE];
    let mut found = BlockRangeList::new();
    for piece in ranges.iter().flat_map(|range| range.pieces(CHUNK)) {
        let len = piece.block_count().as_usize() * BLOCK_SIZE;
        if disc.read_blocks(piece.start_lba(), &mut buf[..len]).is_ok() {
            continue;
        }
        for one in piece.pieces(BlockCount::ONE) {
            if disc
                .read_blocks(one.start_lba(), &mut buf[..BLOCK_SIZE])
                .is_err()
            {
                found.insert(one);
            }
        }
    }
    let mut runs: Vec<_> = found.iter().collect();
    if let Some(last) = runs.last().copied().filter(|_| runs.len() > RUNS_MAX) {
        let rest = BlockRange::new(runs[RUNS_MAX].start_lba(), last.end_lba());
        runs.truncate(RUNS_MAX);
        runs.extend(rest);
    }
    runs
}

/// The first file with data in some blocks.
fn file_in(tree: &Tree, range: BlockRange) -> Option<String> {
    let has = |extents: &[Extent]| {
        let mut blocks = extents.iter().filter_map(Extent::blocks);
        blocks.any(|blocks| blocks.intersection(range).is_some())
    };
    let mut nodes = tree.walk(Tree::ROOT).map(|(node, _)| node);
    let node = nodes.find(|&node| {
        matches!(tree.kind(tree.inode(node)), Kind::File { content: Content::Base(extents), .. }
            if has(extents))
    })?;
    Some(tree.display_path(node))
}
