//! The integrity sequence (ECMA-167 3/8.8.2, 3/10.10) and free space (ECMA-167 4/10, 4/14.12).

use reburn_blocks::{BLOCK_SIZE, BlockRange, Lba};
use reburn_record::Record;
use reburn_tree::Timestamp;

use super::body::push_range;
use super::disc::{Disc, blocks_of};
use super::entry::Reader;
use super::partitions::{Address, Side};
use crate::records::{
    ExtentAd, ExtentKind, IntegrityUse, LogicalVolumeIntegrity, Partition, ShortAd, SpaceBitmap,
    Tag, UnallocatedSpaceEntry, tag_id,
};
use crate::{Corrupt, Place, UdfError};

/// Extents of an integrity sequence that are followed.
const EXTENTS_MAX: u32 = 64;
/// Sectors of one of them that are looked at.
const SECTORS_MAX: u32 = 4096;
/// Bytes of a bitmap read at once.
const BITMAP_CHUNK: u64 = 1 << 16;

/// What the last writer of a volume said of it. Discs with a virtual partition say it in their
/// virtual allocation table, from UDF 2.00 on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integrity {
    /// Whether the writer finished.
    pub is_closed: bool,
    /// When it was said, if that time exists.
    pub recorded: Option<Timestamp>,
    /// The unique id that the next new file would get (UDF 3.2.1.1).
    pub next_unique_id: u64,
    /// Free blocks of each partition; `None` where that is not known (UDF 2.2.6.2).
    pub free_blocks: Vec<Option<u32>>,
    /// Blocks of each partition; `None` where that is not known.
    pub size_blocks: Vec<Option<u32>>,
    /// How many names of files there are, and how many directories.
    pub files: u32,
    /// How many directories there are, the root included.
    pub directories: u32,
    /// The least revision of UDF that a reader must know.
    pub minimum_read: u16,
    /// The least revision of UDF that a writer must know.
    pub minimum_write: u16,
    /// The highest revision of UDF of any writer so far.
    pub maximum_write: u16,
}

/// Where integrity descriptors are.
#[derive(Debug, Clone, Default)]
pub(super) struct IntegritySequence {
    /// In the order of reading.
    pub(super) extents: Vec<BlockRange>,
    /// The block with the descriptor that prevails.
    pub(super) prevailing: Option<Lba>,
}

/// The last integrity descriptor of a sequence, and the blocks of the sequence.
pub(super) fn read(
    disc: &Disc<'_>,
    sector_size: u32,
    first: ExtentAd,
) -> (Option<Integrity>, IntegritySequence) {
    let (mut found, mut sequence) = (None, IntegritySequence::default());
    let mut next = Some(first);
    for _ in 0..EXTENTS_MAX {
        let Some(extent) = next.take().filter(|extent| extent.extent_length.get() > 0) else {
            break;
        };
        let length = extent.extent_length.get();
        let first = extent.extent_location.get();
        let at = u64::from(first) * u64::from(sector_size);
        push_range(&mut sequence.extents, blocks_of(at, length.into()));
        for index in 0..(length / sector_size).min(SECTORS_MAX) {
            let at = at + u64::from(index) * u64::from(sector_size);
            let location = first.saturating_add(index);
            let Some((integrity, chained)) = read_one(disc, sector_size, at, location) else {
                break;
            };
            found = Some(integrity);
            sequence.prevailing = Lba::checked(at / BLOCK_SIZE as u64);
            next = Some(chained);
        }
    }
    (found, sequence)
}

/// The descriptor in a sector; `None` ends the sequence.
fn read_one(
    disc: &Disc<'_>,
    sector_size: u32,
    at: u64,
    location: u32,
) -> Option<(Integrity, ExtentAd)> {
    let bytes = disc.bytes("the integrity sequence", at, sector_size as usize);
    let bytes = bytes.ok()?;
    Tag::expect(&bytes, tag_id::INTEGRITY, location).ok()?;
    let (record, rest) = LogicalVolumeIntegrity::view(&bytes).ok()?;
    let count = record.number_of_partitions.get() as usize;
    let (free, rest) = rest.split_at_checked(count.checked_mul(4)?)?;
    let (size, rest) = rest.split_at_checked(count * 4)?;
    let (used, _) = IntegrityUse::view(rest).ok()?;
    let integrity = Integrity {
        is_closed: record.integrity_type.get() == LogicalVolumeIntegrity::CLOSED,
        recorded: record.recording_date_and_time.timestamp(),
        next_unique_id: record.next_unique_id.get(),
        free_blocks: table(free),
        size_blocks: table(size),
        files: used.number_of_files.get(),
        directories: used.number_of_directories.get(),
        minimum_read: used.minimum_udf_read_revision.get(),
        minimum_write: used.minimum_udf_write_revision.get(),
        maximum_write: used.maximum_udf_write_revision.get(),
    };
    Some((integrity, record.next_integrity_extent))
}

fn table(bytes: &[u8]) -> Vec<Option<u32>> {
    let (numbers, _) = bytes.as_chunks::<4>();
    let numbers = numbers.iter().map(|bytes| u32::from_le_bytes(*bytes));
    numbers
        .map(|number| (number != u32::MAX).then_some(number))
        .collect()
}

/// Where free space of a partition is described.
pub(super) struct SpaceSet {
    pub(super) blocks: Vec<BlockRange>,
    pub(super) free: u64,
}

impl Reader<'_> {
    /// The free blocks of a partition by its bitmap or table; `None` where it has neither, as
    /// on media that cannot be rewritten.
    pub(super) fn free_space(
        &self,
        partition: u16,
        descriptor: &Partition,
        at: u64,
    ) -> Result<Option<SpaceSet>, UdfError> {
        let header = &descriptor.header;
        let place = Place::of::<Partition>(at, "header");
        let address = |extent: &ShortAd| {
            let block = extent.extent_position.get();
            let (_, length) = ExtentKind::split(extent.extent_length.get());
            (length > 0).then_some(Address { partition, block })
        };
        if let Some(found) = address(&header.unallocated_space_bitmap) {
            return self.bitmap(found, place).map(Some);
        }
        match address(&header.unallocated_space_table) {
            Some(found) => self.space_table(found, place).map(Some),
            None => Ok(None),
        }
    }

    /// Counts the free blocks of a bitmap.
    fn bitmap(&self, address: Address, place: Place) -> Result<SpaceSet, UdfError> {
        let what = "a space bitmap";
        let piece = self.partitions.locate(address, 1, Side::Main);
        let at = piece.map_err(|problem| place.corrupt(problem))?.at;
        let head = self.disc.bytes(what, at, SpaceBitmap::SIZE)?;
        let tag = Tag::view(&head).map(|(tag, _)| *tag);
        let (record, _) = SpaceBitmap::view(&head).map_err(|_| {
            let available = head.len() as u64;
            place.corrupt(Corrupt::Length {
                length: SpaceBitmap::SIZE as u64,
                available,
            })
        })?;
        // Its check covers the head alone, or anything up to all of it (UDF 2.3.8.1).
        if let Ok(tag) = tag {
            let fault = |fault: crate::records::TagFault| {
                Place::of::<Tag>(at, fault.field()).corrupt(fault)
            };
            let covered = Tag::SIZE + usize::from(tag.descriptor_crc_length.get());
            let bytes = self.disc.bytes(what, at, covered.max(SpaceBitmap::SIZE))?;
            Tag::expect(&bytes, tag_id::SPACE_BITMAP, address.block).map_err(fault)?;
        }
        let bits = u64::from(record.number_of_bits.get());
        let bytes = u64::from(record.number_of_bytes.get());
        let needed = bits.div_ceil(8);
        if bytes < needed {
            let (length, available) = (needed, bytes);
            let place = Place::of::<SpaceBitmap>(at, "number_of_bytes");
            return Err(place.corrupt(Corrupt::Length { length, available }));
        }
        let length = SpaceBitmap::SIZE as u64 + bytes;
        let pieces = self.pieces_of(address, length, place)?;
        let free = self.count_bits(&pieces, bits)?;
        let blocks = pieces
            .iter()
            .filter_map(|&(at, length)| blocks_of(at, length));
        Ok(SpaceSet {
            blocks: blocks.collect(),
            free,
        })
    }

    /// Where an extent is on the disc, in bytes: packets of it may be elsewhere (UDF 2.2.12).
    fn pieces_of(
        &self,
        address: Address,
        length: u64,
        place: Place,
    ) -> Result<Vec<(u64, u64)>, UdfError> {
        let size = self.partitions.block_bytes();
        let (mut pieces, mut done) = (Vec::new(), 0);
        while done < length {
            let too_long = || {
                let available = self.disc.len();
                place.corrupt(Corrupt::Length { length, available })
            };
            let block = u32::try_from(done / size).ok();
            let block = block.and_then(|skipped| address.block.checked_add(skipped));
            let left = u32::try_from((length - done).div_ceil(size)).map_err(|_| too_long())?;
            let next = Address {
                block: block.ok_or_else(too_long)?,
                ..address
            };
            let piece = self.partitions.locate(next, left, Side::Main);
            let piece = piece.map_err(|problem| place.corrupt(problem))?;
            let bytes = (u64::from(piece.blocks) * size).min(length - done);
            pieces.push((piece.at, bytes));
            done += bytes;
        }
        Ok(pieces)
    }

    /// Counts the bits that are set in a bitmap in these pieces, of which the first begins with its
    /// head.
    fn count_bits(&self, pieces: &[(u64, u64)], bits: u64) -> Result<u64, UdfError> {
        let (mut free, mut left) = (0, bits);
        let mut skipped = SpaceBitmap::SIZE as u64;
        for &(at, length) in pieces {
            let (mut at, end) = (at + skipped, at + length);
            skipped = 0;
            while at < end && left > 0 {
                let now = left.min((end - at) * 8).min(BITMAP_CHUNK * 8);
                let len = usize::try_from(now.div_ceil(8)).unwrap_or(0);
                let mut bytes = self.disc.bytes("a space bitmap", at, len)?;
                if !now.is_multiple_of(8)
                    && let Some(last) = bytes.last_mut()
                {
                    *last &= (1 << (now % 8)) - 1;
                }
                free += bytes
                    .iter()
                    .map(|byte| u64::from(byte.count_ones()))
                    .sum::<u64>();
                left -= now;
                at += len as u64;
            }
        }
        Ok(free)
    }

    /// Counts the free blocks of a table of extents.
    fn space_table(&self, address: Address, place: Place) -> Result<SpaceSet, UdfError> {
        let what = "an unallocated space entry";
        let block = self.descriptor(what, &[tag_id::SPACE_ENTRY], address, place)?;
        let field = "length_of_allocation_descriptors";
        let place = Place::of::<UnallocatedSpaceEntry>(block.at, field);
        let too_long = |length: u32| {
            let available = (block.bytes.len() - UnallocatedSpaceEntry::SIZE) as u64;
            let length = length.into();
            place.corrupt(Corrupt::Length { length, available })
        };
        let view = UnallocatedSpaceEntry::view(&block.bytes);
        let (entry, rest) = view.map_err(|_| too_long(0))?;
        let length = entry.length_of_allocation_descriptors.get();
        let extents = rest
            .get(..length as usize)
            .ok_or_else(|| too_long(length))?;
        let free = extents
            .chunks_exact(ShortAd::SIZE)
            .filter_map(|bytes| ShortAd::view(bytes).ok())
            .map(|(extent, _)| ExtentKind::split(extent.extent_length.get()))
            .take_while(|&(_, length)| length > 0)
            .map(|(_, length)| u64::from(length) / self.partitions.block_bytes())
            .sum();
        let blocks = block.range().into_iter().collect();
        Ok(SpaceSet { blocks, free })
    }
}
