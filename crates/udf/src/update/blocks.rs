//! The partition that is edited as it is: which blocks of the disc its addresses are, and the bytes
//! there.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ReadError,
};

use crate::records::{Tag, tag_id};

/// Which copy of the metadata is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copy {
    Main,
    Mirror,
}

/// Where addresses of a partition are on the disc.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pieces(
    /// First address, first block of the disc, and how many; ascending, holes left out.
    Vec<(u32, Lba, u32)>,
);

impl Pieces {
    /// From what the reader found.
    pub(super) fn new(pieces: Vec<(u32, Lba, u32)>) -> Self {
        Self(pieces)
    }

    /// Addresses that exist: first, and one past the last.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0
            .iter()
            .map(|&(first, _, count)| (first, first + count))
    }

    /// The same, runs that follow each other joined, wherever on the disc they are.
    pub(super) fn joined_addresses(&self) -> Vec<(u32, u32)> {
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (start, end) in self.addresses() {
            match joined.last_mut() {
                Some(last) if last.1 == start => last.1 = end,
                _ => joined.push((start, end)),
            }
        }
        joined
    }

    /// One past the last address.
    pub(super) fn end(&self) -> u32 {
        self.addresses().last().map_or(0, |(_, end)| end)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Lba, u32)> {
        self.0.iter().copied()
    }

    /// Blocks of the disc.
    pub(super) fn ranges(&self) -> BlockRangeList {
        let ranges = self.0.iter();
        ranges
            .filter_map(|&(_, lba, count)| BlockRange::with_count(lba, BlockCount::new(count)))
            .collect()
    }

    /// Blocks of the disc that some addresses are, which ascend and are apart.
    pub(super) fn ranges_of(&self, addresses: &[(u32, u32)]) -> BlockRangeList {
        let mut ranges = Vec::new();
        for &(first, lba, count) in &self.0 {
            let end = first + count;
            let from = addresses.partition_point(|&(_, stop)| stop <= first);
            for &(start, stop) in addresses[from..].iter().take_while(|(at, _)| *at < end) {
                let (start, stop) = (start.max(first), stop.min(end));
                let at = lba + BlockCount::new(start - first);
                ranges.extend(BlockRange::with_count(at, BlockCount::new(stop - start)));
            }
        }
        ranges.into_iter().collect()
    }

    /// The block of the disc that an address is.
    pub(super) fn locate(&self, address: u32) -> Option<Lba> {
        let after = self.0.partition_point(|&(first, ..)| first <= address);
        let &(first, lba, count) = self.0.get(after.checked_sub(1)?)?;
        let skipped = address - first;
        (skipped < count).then(|| lba.checked_add(BlockCount::new(skipped)))?
    }

    /// The same with other blocks for whole units: those of `units`, which ascend, at `places`.
    /// Pieces side by side on the disc are joined.
    pub(super) fn with_units(&self, unit: u32, units: &[u32], places: &[Lba]) -> Self {
        let mut all = Vec::new();
        for &(first, lba, count) in &self.0 {
            let end = first + count;
            let mut next = first;
            let from = units.partition_point(|&index| (index + 1) * unit <= first);
            for &index in units[from..]
                .iter()
                .take_while(|&&index| index * unit < end)
            {
                let stop = index * unit;
                if stop > next {
                    all.push((next, lba + BlockCount::new(next - first), stop - next));
                }
                next = next.max(stop + unit);
            }
            if next < end {
                all.push((next, lba + BlockCount::new(next - first), end - next));
            }
        }
        let new = units.iter().zip(places);
        all.extend(new.map(|(&index, &lba)| (index * unit, lba, unit)));
        all.sort_unstable();
        let mut joined: Vec<(u32, Lba, u32)> = Vec::with_capacity(all.len());
        for (first, lba, count) in all {
            match joined.last_mut() {
                Some((before, at, len))
                    if *before + *len == first
                        && at.checked_add(BlockCount::new(*len)) == Some(lba) =>
                {
                    *len += count;
                }
                _ => joined.push((first, lba, count)),
            }
        }
        Self(joined)
    }
}

/// The metadata as they are on the base.
#[derive(Debug)]
pub(super) struct BaseBlocks {
    pub(super) main: Pieces,
    /// The second copy, where there is one that can be trusted.
    pub(super) mirror: Option<Pieces>,
}

impl BaseBlocks {
    /// Fills `out` with the block at an address; with zeros if nothing is there. What cannot be
    /// read comes from the other copy.
    pub(super) fn read(
        &self,
        disc: &dyn BlockRead,
        copy: Copy,
        address: u32,
        out: &mut [u8],
    ) -> Result<(), ReadError> {
        let copies = match (copy, &self.mirror) {
            (Copy::Mirror, Some(mirror)) => [Some(mirror), Some(&self.main)],
            (_, mirror) => [Some(&self.main), mirror.as_ref()],
        };
        let mut failed = None;
        for pieces in copies.into_iter().flatten() {
            let Some(lba) = pieces.locate(address) else {
                continue;
            };
            match disc.read_blocks(lba, out) {
                Ok(()) => return Ok(()),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        out.fill(0);
        failed.map_or(Ok(()), Err)
    }

    /// Fills `out` with the entry at an address, from whichever copy is whole.
    pub(super) fn read_entry(
        &self,
        disc: &dyn BlockRead,
        address: u32,
        out: &mut [u8],
    ) -> Result<(), ReadError> {
        const ENTRIES: [u16; 2] = [tag_id::FILE_ENTRY, tag_id::EXTENDED_FILE_ENTRY];
        for pieces in [Some(&self.main), self.mirror.as_ref()]
            .into_iter()
            .flatten()
        {
            let Some(lba) = pieces.locate(address) else {
                continue;
            };
            let is_whole = |bytes: &[u8]| {
                ENTRIES
                    .iter()
                    .any(|&id| Tag::expect(bytes, id, address).is_ok())
            };
            if disc.read_blocks(lba, out).is_ok() && is_whole(out) {
                return Ok(());
            }
        }
        Err(ReadError::Content {
            what: format!("the entry in block {address} of its partition"),
            reason: "it was whole when the edit was planned, and is not any more; read the disc \
                     again"
                .into(),
        })
    }
}

const _: () = assert!(BLOCK_SIZE == 2048);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exchanged_and_neighbours_joined() {
        let lba = Lba::new;
        let pieces = Pieces::new(vec![(0, lba(100), 96), (128, lba(500), 20)]);
        let new = pieces.with_units(32, &[1, 4], &[lba(300), lba(600)]);
        assert_eq!(
            new,
            Pieces(vec![
                (0, lba(100), 32),
                (32, lba(300), 32),
                (64, lba(164), 32),
                (128, lba(600), 32)
            ])
        );
        assert_eq!(new.end(), 160);
        assert_eq!(new.locate(33), Some(lba(301)));
        assert_eq!(new.locate(100), None);
        // Appended right behind the last piece.
        let new = pieces.with_units(32, &[3, 4], &[lba(196), lba(228)]);
        assert_eq!(new, Pieces(vec![(0, lba(100), 160)]));
    }
}
