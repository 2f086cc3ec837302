//! Which write units differ between two sources.

use crate::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ReadError, WriteUnit,
};

/// Bytes compared at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// The write units in which `new` differs from `old`, as far as `new` reaches.
///
/// A block that `old` lacks differs, even from zeros: recording the list must also bring the
/// disc or file to its new length.
pub fn differing_units(
    old: &dyn BlockRead,
    new: &dyn BlockRead,
    unit: WriteUnit,
) -> Result<BlockRangeList, ReadError> {
    let whole = BlockRange::with_count(Lba::ZERO, new.block_count())
        .into_iter()
        .collect();
    keep_differing_units(old, new, unit, &whole)
}

/// Those write units touched by `candidates` in which `new` differs from `old`, as
/// [`differing_units`] compares them. Blocks past the end of `new` count as zeros, so that its
/// last write unit needs no filling.
pub fn keep_differing_units(
    old: &dyn BlockRead,
    new: &dyn BlockRead,
    unit: WriteUnit,
    candidates: &BlockRangeList,
) -> Result<BlockRangeList, ReadError> {
    let chunk = BlockCount::in_buffer((CHUNK_BYTES / unit.bytes()).max(1) * unit.bytes());
    let mut old_bytes = vec![0; chunk.as_usize() * BLOCK_SIZE];
    let mut new_bytes = old_bytes.clone();
    let mut differing = BlockRangeList::new();
    for piece in candidates
        .align_outward(unit)
        .iter()
        .flat_map(|range| range.pieces(chunk))
    {
        let len = piece.block_count().as_usize() * BLOCK_SIZE;
        old.read_filled(piece.start_lba(), &mut old_bytes[..len])?;
        new.read_filled(piece.start_lba(), &mut new_bytes[..len])?;
        let grown = |part: BlockRange| {
            let beyond = part.end_exclusive().min(new.block_count().get());
            beyond > old.block_count().get()
        };
        if !grown(piece) && old_bytes[..len] == new_bytes[..len] {
            continue;
        }
        for (index, part) in piece.pieces(unit.blocks()).enumerate() {
            let bytes = index * unit.bytes()..((index + 1) * unit.bytes()).min(len);
            if grown(part) || old_bytes[bytes.clone()] != new_bytes[bytes] {
                differing.insert(part);
            }
        }
    }
    Ok(differing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_differing_units_are_listed() {
        let old = vec![0u8; 64 * BLOCK_SIZE];
        let mut new = vec![0u8; 64 * BLOCK_SIZE];
        new[20 * BLOCK_SIZE] = 1;
        let list = |unit| differing_units(&old, &new, unit).unwrap().to_string();
        assert_eq!(list(WriteUnit::FILE), "20");
        assert_eq!(list(WriteUnit::DVD), "16-31");
    }

    #[test]
    fn growth_differs_even_where_it_is_zeros() {
        let old = vec![0u8; 20 * BLOCK_SIZE];
        let new = vec![0u8; 40 * BLOCK_SIZE];
        let list = |unit| differing_units(&old, &new, unit).unwrap().to_string();
        assert_eq!(list(WriteUnit::FILE), "20-39");
        assert_eq!(list(WriteUnit::DVD), "16-47");
    }
}
