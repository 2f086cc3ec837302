//! From blocks of partitions to bytes of the disc.
//!
//! Invariants: what a virtual or metadata partition lies on is plain or sparable, so looking up
//! a block takes two steps at most; nothing here reads the disc.

use std::collections::BTreeMap;

use crate::Corrupt;

/// A block of a partition, by the number of the partition's map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) partition: u16,
    pub(crate) block: u32,
}

/// Which copy of metadata is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Main,
    Mirror,
}

/// All partitions of the logical volume, in the order of their maps.
#[derive(Debug, Clone)]
pub(super) struct Partitions {
    /// Bytes of a logical block.
    pub(super) block_size: u32,
    pub(super) maps: Vec<Map>,
}

/// A partition.
#[derive(Debug, Clone)]
pub(super) struct Map {
    pub(super) number: u16,
    /// First sector, and how many there are.
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) kind: Kind,
}

/// How the blocks of a partition are found.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Plain,
    Sparable(Sparing),
    Virtual {
        under: u16,
        entries: Vec<u32>,
    },
    Metadata {
        under: u16,
        main: FileMap,
        mirror: Option<FileMap>,
    },
}

/// Packets that are elsewhere.
#[derive(Debug, Clone)]
pub(super) struct Sparing {
    /// Blocks of a packet.
    pub(super) packet: u32,
    /// First block of a packet, and the sector where the packet is.
    pub(super) moved: BTreeMap<u32, u32>,
    pub(super) tables: SparingTables,
}

/// Where it is said which packets are elsewhere.
#[derive(Debug, Clone, Default)]
pub(super) struct SparingTables {
    /// The sectors of the tables.
    pub(super) sectors: Vec<u32>,
    /// Bytes of each, as the map states it.
    pub(super) bytes: u32,
    /// The number of the one that is used.
    pub(super) number: u32,
    /// All packets that it names, free ones too, in its order.
    pub(super) packets: Vec<u32>,
    /// Those of them that are free.
    pub(super) free: Vec<u32>,
}

/// Where the blocks of a file are: first block in the file, first sector, and how many;
/// ascending. Holes are not in it.
#[derive(Debug, Clone, Default)]
pub(super) struct FileMap(pub(super) Vec<(u32, u64, u32)>);

/// Blocks that follow each other on the disc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where they start on the disc, in bytes.
    pub(super) at: u64,
    pub(super) blocks: u32,
}

impl Partitions {
    pub(super) fn block_bytes(&self) -> u64 {
        self.block_size.into()
    }

    /// The first blocks of an extent that follow each other on the disc: at least one, at most
    /// `blocks`.
    pub(super) fn locate(
        &self,
        address: Address,
        blocks: u32,
        side: Side,
    ) -> Result<Piece, Corrupt> {
        let (sector, blocks) = self.locate_sector(address, blocks, side)?;
        let at = sector * self.block_bytes();
        Ok(Piece { at, blocks })
    }

    fn locate_sector(
        &self,
        address: Address,
        blocks: u32,
        side: Side,
    ) -> Result<(u64, u32), Corrupt> {
        let Address { partition, block } = address;
        let map = self.map(partition)?;
        match &map.kind {
            Kind::Plain => Ok((map.sector(block, blocks)?, blocks)),
            Kind::Sparable(sparing) => sparing.locate(map, block, blocks),
            Kind::Virtual { under, entries } => {
                let length = u32::try_from(entries.len()).unwrap_or(u32::MAX);
                let entry = entries.get(block as usize);
                let block = match entry {
                    None => return Err(Corrupt::OutsidePartition { block, length }),
                    Some(&u32::MAX) => return Err(Corrupt::Unmapped(block)),
                    Some(&block) => block,
                };
                let partition = *under;
                self.locate_sector(Address { partition, block }, 1, side)
            }
            Kind::Metadata { main, mirror, .. } => {
                let file = match (side, mirror) {
                    (Side::Mirror, Some(mirror)) => mirror,
                    _ => main,
                };
                file.locate(block, blocks).ok_or(Corrupt::Unmapped(block))
            }
        }
    }

    pub(super) fn map(&self, partition: u16) -> Result<&Map, Corrupt> {
        self.maps
            .get(usize::from(partition))
            .ok_or(Corrupt::NoMap(partition))
    }

    /// The partition that short allocation descriptors of an entry mean: data of files in a
    /// virtual partition is in the one below (UDF 2.3.10).
    pub(super) fn of_short_descriptors(&self, partition: u16) -> u16 {
        match self.map(partition).map(|map| &map.kind) {
            Ok(Kind::Virtual { under, .. }) => *under,
            _ => partition,
        }
    }

    /// Where blocks of a metadata, virtual or sparable partition are: first block, first sector,
    /// and how many; ascending, holes left out. None of a plain partition.
    pub(super) fn pieces(&self, partition: u16, side: Side) -> Vec<(u32, u64, u32)> {
        let Ok(map) = self.map(partition) else {
            return Vec::new();
        };
        match (&map.kind, side) {
            (
                Kind::Metadata {
                    mirror: Some(file), ..
                },
                Side::Mirror,
            )
            | (Kind::Metadata { main: file, .. }, _) => file.0.clone(),
            (Kind::Sparable(sparing), _) => sparing.pieces(map),
            (Kind::Virtual { under, entries }, _) => {
                let start = self.map(*under).map_or(0, |below| below.start);
                let mapped = (0u32..)
                    .zip(entries)
                    .filter(|(_, block)| **block != u32::MAX);
                mapped
                    .map(|(address, &block)| (address, u64::from(start) + u64::from(block), 1))
                    .collect()
            }
            (Kind::Plain, _) => Vec::new(),
        }
    }

    /// Whether the partition's blocks exist twice.
    pub(super) fn has_mirror(&self, partition: u16) -> bool {
        let map = self.map(partition);
        map.is_ok_and(|map| {
            matches!(
                map.kind,
                Kind::Metadata {
                    mirror: Some(_),
                    ..
                }
            )
        })
    }
}

impl Map {
    /// The sector of a block, if it and the blocks after it are in the partition.
    fn sector(&self, block: u32, blocks: u32) -> Result<u64, Corrupt> {
        let end = u64::from(block) + u64::from(blocks);
        if end > u64::from(self.length) {
            let length = self.length;
            return Err(Corrupt::OutsidePartition { block, length });
        }
        Ok(u64::from(self.start) + u64::from(block))
    }
}

impl Sparing {
    fn locate(&self, map: &Map, block: u32, blocks: u32) -> Result<(u64, u32), Corrupt> {
        let sector = map.sector(block, blocks)?;
        let packet = block - block % self.packet;
        if let Some(&moved) = self.moved.get(&packet) {
            let within = block - packet;
            let left = self.packet - within;
            return Ok((u64::from(moved) + u64::from(within), blocks.min(left)));
        }
        let next = self.moved.range(block..).next();
        let left = next.map_or(blocks, |(&next, _)| blocks.min(next - block));
        Ok((sector, left))
    }
}

impl Sparing {
    /// All blocks of the partition, cut where packets are elsewhere.
    fn pieces(&self, map: &Map) -> Vec<(u32, u64, u32)> {
        let mut pieces = Vec::new();
        let mut next = 0;
        while next < map.length {
            let Ok((sector, count)) = self.locate(map, next, map.length - next) else {
                break;
            };
            pieces.push((next, sector, count));
            next += count;
        }
        pieces
    }
}

impl FileMap {
    fn locate(&self, block: u32, blocks: u32) -> Option<(u64, u32)> {
        let after = self.0.partition_point(|&(first, ..)| first <= block);
        let &(first, sector, count) = self.0.get(after.checked_sub(1)?)?;
        let skipped = block - first;
        let left = count.checked_sub(skipped).filter(|&left| left > 0)?;
        Some((sector + u64::from(skipped), blocks.min(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(kind: Kind) -> Partitions {
        let map = |kind| Map {
            number: 0,
            start: 100,
            length: 1000,
            kind,
        };
        Partitions {
            block_size: 2048,
            maps: vec![map(Kind::Plain), map(kind)],
        }
    }

    fn locate(partitions: &Partitions, block: u32, blocks: u32) -> Result<(u64, u32), Corrupt> {
        let partition = 1;
        let piece = partitions.locate(Address { partition, block }, blocks, Side::Main)?;
        Ok((piece.at / 2048, piece.blocks))
    }

    #[test]
    fn moved_packets_cut_extents() {
        let sparing = Sparing {
            packet: 32,
            moved: [(64, 5000)].into(),
            tables: SparingTables::default(),
        };
        let partitions = partitions(Kind::Sparable(sparing));
        assert_eq!(locate(&partitions, 10, 200), Ok((110, 54)));
        assert_eq!(locate(&partitions, 70, 200), Ok((5006, 26)));
        assert_eq!(locate(&partitions, 96, 200), Ok((196, 200)));
        let (block, length) = (990, 1000);
        let outside = Corrupt::OutsidePartition { block, length };
        assert_eq!(locate(&partitions, 990, 11), Err(outside));
    }

    #[test]
    fn virtual_blocks_stand_alone() {
        let entries = vec![7, u32::MAX, 2000];
        let partitions = partitions(Kind::Virtual { under: 0, entries });
        assert_eq!(locate(&partitions, 0, 5), Ok((107, 1)));
        assert_eq!(locate(&partitions, 1, 1), Err(Corrupt::Unmapped(1)));
        let (block, length) = (2000, 1000);
        let outside = Corrupt::OutsidePartition { block, length };
        assert_eq!(locate(&partitions, 2, 1), Err(outside));
        let (block, length) = (3, 3);
        let outside = Corrupt::OutsidePartition { block, length };
        assert_eq!(locate(&partitions, 3, 1), Err(outside));
    }

    #[test]
    fn metadata_blocks_are_those_of_a_file() {
        let kind = Kind::Metadata {
            under: 0,
            main: FileMap(vec![(0, 500, 32), (64, 800, 32)]),
            mirror: None,
        };
        let partitions = partitions(kind);
        assert_eq!(locate(&partitions, 30, 10), Ok((530, 2)));
        assert_eq!(locate(&partitions, 40, 1), Err(Corrupt::Unmapped(40)));
        assert_eq!(locate(&partitions, 64, 10), Ok((800, 10)));
        assert_eq!(locate(&partitions, 96, 1), Err(Corrupt::Unmapped(96)));
    }
}
