//! Which write units differ between two sources.

use crate::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ReadError, WriteUnit,
};

/// Bytes compared at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// The write units in which `new` differs from `old`, as far as `new` reaches. What `old`
/// lacks counts as zeros.
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

/// Those write units touched by `candidates` in which `new` differs from `old`.
///
/// Blocks past the end of either source count as zeros, so the last unit of an image needs no
/// filling.
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
        read_or_zero(old, piece.start_lba(), &mut old_bytes[..len])?;
        read_or_zero(new, piece.start_lba(), &mut new_bytes[..len])?;
        if old_bytes[..len] == new_bytes[..len] {
            continue;
        }
        for (index, part) in piece.pieces(unit.blocks()).enumerate() {
            let bytes = index * unit.bytes()..((index + 1) * unit.bytes()).min(len);
            if old_bytes[bytes.clone()] != new_bytes[bytes] {
                differing.insert(part);
            }
        }
    }
    Ok(differing)
}

/// Reads blocks; those past the end of the source are zeros.
pub(crate) fn read_or_zero(
    source: &dyn BlockRead,
    start: Lba,
    buf: &mut [u8],
) -> Result<(), ReadError> {
    let available = source.block_count().get().saturating_sub(start.get()) as usize;
    let (data, beyond) = buf.split_at_mut((available * BLOCK_SIZE).min(buf.len()));
    beyond.fill(0);
    source.read_blocks(start, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_differing_units_are_listed() {
        let old = vec![0u8; 64 * BLOCK_SIZE];
        let mut new = vec![0u8; 70 * BLOCK_SIZE];
        new[20 * BLOCK_SIZE] = 1;
        let list = |unit| differing_units(&old, &new, unit).unwrap().to_string();
        assert_eq!(list(WriteUnit::FILE), "20");
        assert_eq!(list(WriteUnit::DVD), "16-31");
        new[69 * BLOCK_SIZE + 5] = 1;
        let grown = differing_units(&old, &new, WriteUnit::DVD).unwrap();
        assert_eq!(grown.to_string(), "16-31 64-79");
    }
}
