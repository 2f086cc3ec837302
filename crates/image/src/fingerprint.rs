//! What a plan recognises its disc by: all descriptors and directories, since any change of a name,
//! size, time or address on the disc shows there.
//!
//! Each write unit of the commit is a part of its own, so that a disc on which the plan was cut can
//! be told from another one. What cannot be read has no part: an edit of a scratched disc writes
//! it anew.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Fingerprint, Lba, ReadError,
    WriteUnit,
};

use crate::session;

/// The fingerprint of a disc over `metadata` and the head of ISO 9660, cut at the write units that
/// are `committed`.
pub(crate) fn take(
    disc: &dyn BlockRead,
    metadata: &BlockRangeList,
    committed: &BlockRangeList,
    unit: WriteUnit,
) -> Result<Fingerprint, ReadError> {
    let head = BlockRange::new(session::HEAD, Lba::new(session::FIRST_START.get() - 1));
    let whole = BlockRange::with_count(Lba::ZERO, disc.block_count());
    let covered = metadata.union(&head.into_iter().collect());
    let covered = covered.intersection(&whole.into_iter().collect());
    let committed = committed.align_outward(unit);
    let mut parts: Vec<_> = covered.difference(&committed).iter().collect();
    for range in &covered.intersection(&committed) {
        let units = range.align_outward(unit).pieces(unit.blocks());
        parts.extend(units.filter_map(|one| one.intersection(range)));
    }
    parts.sort_unstable_by_key(|range| range.start_lba());
    let mut fingerprint = Fingerprint::default();
    for part in parts {
        let taken = match Fingerprint::take(disc, [part]) {
            Ok(taken) => taken,
            Err(_) => Fingerprint::take(disc, readable(disc, part))?,
        };
        fingerprint.parts.extend(taken.parts);
    }
    Ok(fingerprint)
}

/// The parts of a range that can be read.
fn readable(disc: &dyn BlockRead, range: BlockRange) -> Vec<BlockRange> {
    const CHUNK: BlockCount = BlockCount::new(32);
    let mut buf = vec![0; CHUNK.as_usize() * BLOCK_SIZE];
    let mut can_read = |piece: BlockRange| {
        let len = piece.block_count().as_usize() * BLOCK_SIZE;
        disc.read_blocks(piece.start_lba(), &mut buf[..len]).is_ok()
    };
    let mut found = BlockRangeList::new();
    for piece in range.pieces(CHUNK) {
        if can_read(piece) {
            found.insert(piece);
        } else {
            found.extend(piece.pieces(BlockCount::ONE).filter(|&one| can_read(one)));
        }
    }
    found.iter().collect()
}
