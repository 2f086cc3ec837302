//! Runs of bytes on a disc: where a file of the base is, and reading it.

// A place inside a block has 11 bits.
#![allow(clippy::cast_possible_truncation)]

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, ReadError};

/// A run of bytes on the base disc, or a hole that reads as zeros.
///
/// Most begin with a block. Small files of UDF stand behind the entry in its block, and begin
/// inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The first block, or [`HOLE`].
    block: u32,
    /// Bytes of that block that come before.
    skipped: u16,
    /// Length in bytes.
    pub bytes: u64,
}

/// No block has that number.
const HOLE: u32 = u32::MAX;

impl Extent {
    /// From the start of a block.
    pub const fn new(start: Lba, bytes: u64) -> Self {
        Self {
            block: start.get(),
            skipped: 0,
            bytes,
        }
    }

    /// From byte `at` of the disc; `None` if no disc has so many.
    pub fn from_byte(at: u64, bytes: u64) -> Option<Self> {
        let block = Lba::checked(at / BLOCK_SIZE as u64)?;
        Some(Self {
            block: block.get(),
            skipped: (at % BLOCK_SIZE as u64) as u16,
            bytes,
        })
    }

    /// Zeros that no block holds.
    pub const fn hole(bytes: u64) -> Self {
        Self {
            block: HOLE,
            skipped: 0,
            bytes,
        }
    }

    /// Whether no block holds it.
    pub const fn is_hole(&self) -> bool {
        self.block == HOLE
    }

    /// The block that it begins with, if it begins with one.
    pub fn start(&self) -> Option<Lba> {
        self.first_block().filter(|_| self.skipped == 0)
    }

    /// Where on the disc it begins, in bytes; `None` for a hole.
    pub fn first_byte(&self) -> Option<u64> {
        Some(self.first_block()?.byte_offset() + u64::from(self.skipped))
    }

    /// The blocks that it touches; none of a hole, of no bytes, or past the last address.
    pub fn blocks(&self) -> Option<BlockRange> {
        let whole = self.bytes.checked_add(self.skipped.into())?;
        let count = BlockCount::for_bytes(whole).filter(|_| self.bytes > 0)?;
        BlockRange::with_count(self.first_block()?, count)
    }

    fn first_block(&self) -> Option<Lba> {
        Lba::checked(self.block.into())
    }
}

/// Fills `data` from byte `offset` on of what `extents` hold together; what lies behind them
/// stays as it is.
pub fn read_extents(
    disc: &dyn BlockRead,
    extents: &[Extent],
    mut offset: u64,
    mut data: &mut [u8],
) -> Result<(), ReadError> {
    for extent in extents {
        if offset >= extent.bytes {
            offset -= extent.bytes;
            continue;
        }
        if data.is_empty() {
            return Ok(());
        }
        let here = usize::try_from(extent.bytes - offset).unwrap_or(usize::MAX);
        let (part, rest) = data.split_at_mut(here.min(data.len()));
        match extent.first_byte() {
            Some(first) => read_bytes(disc, first.saturating_add(offset), part)?,
            None => part.fill(0),
        }
        data = rest;
        offset = 0;
    }
    Ok(())
}

/// Reads bytes from byte `first` of the disc on.
fn read_bytes(disc: &dyn BlockRead, first: u64, data: &mut [u8]) -> Result<(), ReadError> {
    let block_of = |byte: u64| {
        Lba::checked(byte / BLOCK_SIZE as u64).ok_or(ReadError::OutOfRange {
            range: BlockRange::single(Lba::MAX),
            available: disc.block_count(),
        })
    };
    let skipped = (first % BLOCK_SIZE as u64) as usize;
    let mut block = [0; BLOCK_SIZE];
    let mut read_part = |byte: u64, skipped: usize, part: &mut [u8]| {
        disc.read_blocks(block_of(byte)?, &mut block)?;
        part.copy_from_slice(&block[skipped..skipped + part.len()]);
        Ok(())
    };
    let head = match skipped {
        0 => 0,
        skipped => data.len().min(BLOCK_SIZE - skipped),
    };
    let (head, rest) = data.split_at_mut(head);
    if !head.is_empty() {
        read_part(first, skipped, head)?;
    }
    // Whole blocks go straight to their place.
    let first = first.saturating_add(head.len() as u64);
    let (whole, tail) = rest.split_at_mut(rest.len() / BLOCK_SIZE * BLOCK_SIZE);
    if !whole.is_empty() {
        disc.read_blocks(block_of(first)?, whole)?;
    }
    if !tail.is_empty() {
        read_part(first.saturating_add(whole.len() as u64), 0, tail)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_begin_anywhere_and_holes_are_zeros() {
        let disc: Vec<u8> = (0..251u8).cycle().take(4 * BLOCK_SIZE).collect();
        let extents = [
            Extent::from_byte(100, 3000).unwrap(),
            Extent::hole(50),
            Extent::new(Lba::new(2), 4096),
            Extent::from_byte(2047, 1).unwrap(),
        ];
        let mut whole = disc[100..3100].to_vec();
        whole.extend([0; 50]);
        whole.extend_from_slice(&disc[4096..8192]);
        whole.push(disc[2047]);
        for (from, len) in [
            (0, 7147),
            (1, 5000),
            (1948, 1),
            (2999, 52),
            (7146, 1),
            (3050, 2048),
        ] {
            let mut data = vec![9; len];
            read_extents(&disc, &extents, from as u64, &mut data).unwrap();
            assert_eq!(data, whole[from..from + len], "{len} bytes from {from}");
        }
        assert_eq!(extents[0].blocks().unwrap().to_string(), "0-1");
        assert_eq!((extents[1].blocks(), extents[1].start()), (None, None));
        assert_eq!(extents[2].start(), Some(Lba::new(2)));
        assert_eq!(extents[3].start(), None);
    }

    #[test]
    fn bytes_past_every_disc_are_an_error() {
        let disc = vec![0; BLOCK_SIZE];
        let far = [Extent::new(Lba::MAX, u64::MAX)];
        assert_eq!(far[0].blocks(), None);
        assert!(read_extents(&disc, &far, u64::MAX - 10, &mut [0; 5]).is_err());
        assert!(read_extents(&disc, &far, 0, &mut [0; 5]).is_err());
    }
}
