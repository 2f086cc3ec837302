//! Blocks written in memory over a source that stays as it is.

use std::collections::BTreeMap;

use crate::io::{read_range, transfer_range};
use crate::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, BlockWrite, Lba, ReadError,
    WriteError,
};

/// A source with changes kept in memory, a block at a time. It grows when written past its
/// end; what was never written there reads as zeros.
#[derive(Debug)]
pub struct Overlay<B> {
    base: B,
    written: BTreeMap<Lba, Box<[u8]>>,
    count: BlockCount,
}

impl<B: BlockRead> Overlay<B> {
    /// `base`, with nothing written over it yet.
    pub fn new(base: B) -> Self {
        let count = base.block_count();
        Self {
            base,
            written: BTreeMap::new(),
            count,
        }
    }

    /// The blocks that were written.
    pub fn written(&self) -> BlockRangeList {
        self.written
            .keys()
            .map(|&lba| BlockRange::single(lba))
            .collect()
    }

    /// The source below.
    pub fn base(&self) -> &B {
        &self.base
    }
}

impl<B: BlockRead> BlockRead for Overlay<B> {
    fn block_count(&self) -> BlockCount {
        self.count
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Some(range) = read_range(start, buf.len(), self.count)? else {
            return Ok(());
        };
        self.base.read_filled(start, buf)?;
        for (lba, data) in self.written.range(range.start_lba()..=range.end_lba()) {
            let offset = lba.blocks_since(start).as_usize() * BLOCK_SIZE;
            buf[offset..offset + BLOCK_SIZE].copy_from_slice(data);
        }
        Ok(())
    }
}

impl<B: BlockRead> BlockWrite for Overlay<B> {
    fn write_blocks(&mut self, start: Lba, data: &[u8]) -> Result<(), WriteError> {
        let range = transfer_range(start, data.len(), BlockCount::MAX)
            .map_err(|(range, available)| WriteError::OutOfRange { range, available })?;
        let Some(range) = range else { return Ok(()) };
        for (lba, block) in range.pieces(BlockCount::ONE).zip(data.chunks(BLOCK_SIZE)) {
            self.written.insert(lba.start_lba(), block.into());
        }
        self.count = self.count.max(BlockCount::new(range.end_exclusive()));
        Ok(())
    }

    fn barrier(&mut self) -> Result<(), WriteError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_blocks_hide_the_base_and_extend_it() {
        let mut overlay = Overlay::new(vec![1u8; 2 * BLOCK_SIZE]);
        overlay
            .write_blocks(Lba::new(1), &[2u8; BLOCK_SIZE])
            .unwrap();
        overlay
            .write_blocks(Lba::new(3), &[3u8; BLOCK_SIZE])
            .unwrap();
        let mut all = vec![9u8; 4 * BLOCK_SIZE];
        overlay.read_blocks(Lba::ZERO, &mut all).unwrap();
        let firsts: Vec<u8> = all.iter().step_by(BLOCK_SIZE).copied().collect();
        assert_eq!(firsts, [1, 2, 0, 3]);
        assert_eq!(overlay.written().to_string(), "1 3");
        assert!(
            overlay
                .read_blocks(Lba::new(4), &mut all[..BLOCK_SIZE])
                .is_err()
        );
    }
}
