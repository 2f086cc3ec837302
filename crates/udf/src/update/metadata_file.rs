//! The entries of the metadata file and of its mirror, whose extents map the addresses of the
//! metadata partition to blocks of the disc (UDF 2.2.13): writing them is what commits an edit.
//!
//! Both count in their checkpoint (ECMA-167 4/14.17.17) which edit they are of, so that a mirror
//! that is ahead of the file, as after a power cut between the two, is known for what it is.

use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRead, Lba, WriteUnit};
use reburn_record::Record;
use reburn_tree::Timestamp;

use super::blocks::Pieces;
use super::patch::{NewBody, Patch};
use super::{UpdateError, tags};
use crate::read::{Base, BaseEntry};
use crate::records::{
    AllocationExtentDescriptor, ExtendedFileEntry, ExtentKind, FileEntry, ShortAd, file_type,
    icb_flags,
};
use crate::write::{EXTENT_BLOCKS_MAX, UdfOptions, continuation, file_ad};
use crate::{MetadataStructures, Volume};

/// Short allocation descriptors that a continuation holds.
const ADS_IN_CONTINUATION: usize = (BLOCK_SIZE - AllocationExtentDescriptor::SIZE) / ShortAd::SIZE;

/// One of the two entries.
#[derive(Debug)]
pub(super) struct FileSide {
    /// Where it is.
    pub(super) lba: Lba,
    file_type: u8,
    /// The entry as it is, or that of the other file where it cannot be read.
    block: Vec<u8>,
    /// Where its allocation descriptors start.
    tail_at: usize,
    pub(super) checkpoint: Option<u32>,
    /// Whether it could be read.
    pub(super) is_own: bool,
    length: u64,
    /// Its write unit, with everything in it but the entry.
    unit_start: Lba,
    unit: Vec<u8>,
    /// Blocks of the disc that its descriptors go on in so far.
    pub(super) chain: Vec<BlockRange>,
}

/// What the new entries of both files say.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileContent<'a> {
    pub(super) options: &'a UdfOptions,
    pub(super) partition: BlockRange,
    /// Blocks of an allocation unit.
    pub(super) unit: u32,
    pub(super) serial: u16,
    pub(super) information_length: u64,
    pub(super) time: Timestamp,
    pub(super) checkpoint: u32,
}

impl FileSide {
    /// Reads the entries of the metadata file and of its mirror. One of them may be damaged.
    pub(super) fn load(
        volume: &Volume,
        base: &Base<'_>,
        disc: &dyn BlockRead,
        metadata: &MetadataStructures,
        partition: BlockRange,
        unit: WriteUnit,
    ) -> Result<[Self; 2], UpdateError> {
        let block = |lba: Lba| lba.blocks_since(partition.start_lba()).get();
        for entry in [metadata.entry, metadata.mirror_entry] {
            if let Some(other) = volume.other_in_unit(entry, unit) {
                return Err(UpdateError::SharedWriteUnit { entry, other, unit });
            }
        }
        let main = base.file_entry(block(metadata.entry), file_type::METADATA);
        let mirror = base.file_entry(block(metadata.mirror_entry), file_type::METADATA_MIRROR);
        let side = |entry: &BaseEntry, lba: Lba, file_type: u8, is_own: bool| {
            let mut side = Self {
                lba,
                file_type,
                block: entry.block.clone(),
                tail_at: entry.descriptors.start,
                checkpoint: is_own.then(|| checkpoint(entry)).flatten(),
                is_own,
                length: entry.information_length,
                unit_start: lba.align_down(unit),
                unit: vec![0; unit.bytes()],
                chain: Vec::new(),
            };
            if is_own {
                side.chain.clone_from(&entry.chain);
            }
            tags::set_location(&mut side.block, block(lba));
            // A unit that cannot be read has nothing in it that could be kept.
            if disc.read_filled(side.unit_start, &mut side.unit).is_err() {
                side.unit.fill(0);
            }
            side
        };
        let (of_main, of_mirror) = match (&main, &mirror) {
            (Ok(main), Ok(mirror)) => (main, mirror),
            (Ok(main), Err(_)) => (main, main),
            (Err(_), Ok(mirror)) => (mirror, mirror),
            (Err(_), Err(_)) => return Err(main.map(drop).unwrap_err().into()),
        };
        let mirror = side(
            of_mirror,
            metadata.mirror_entry,
            file_type::METADATA_MIRROR,
            mirror.is_ok(),
        );
        let main = side(of_main, metadata.entry, file_type::METADATA, main.is_ok());
        Ok([main, mirror])
    }

    /// Whether two sides are of the same edit.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.checkpoint.is_some()
            && self.checkpoint == other.checkpoint
            && self.length == other.length
    }

    /// Blocks that so many allocation descriptors go on in.
    pub(super) fn continuations(&self, ads: usize) -> usize {
        let room = self.room();
        if ads <= room {
            return 0;
        }
        // Each block but the last spends one descriptor on the way to the next.
        (ads - (room - 1))
            .saturating_sub(1)
            .div_ceil(ADS_IN_CONTINUATION - 1)
            .max(1)
    }

    fn room(&self) -> usize {
        (BLOCK_SIZE - self.tail_at) / ShortAd::SIZE
    }

    /// The first block of the entry's write unit, and the bytes of the unit with the new entry;
    /// and blocks that its descriptors go on in, in the first of `places`.
    pub(super) fn render(
        &self,
        content: &FileContent<'_>,
        pieces: &Pieces,
        places: &[Lba],
    ) -> (Vec<u8>, Vec<(Lba, Vec<u8>)>) {
        let in_partition = |lba: Lba| lba.blocks_since(content.partition.start_lba()).get();
        let ads = content.descriptors(pieces);
        let needed = self.continuations(ads.len());
        assert!(
            places.len() >= needed,
            "the descriptors of the metadata file go on in {needed} blocks, and {} are given",
            places.len()
        );
        let mut rest = &ads[..];
        let mut take = |room: usize, next: Option<&Lba>| {
            let here = if next.is_some() { room - 1 } else { rest.len() };
            let (now, later) = rest.split_at(here);
            rest = later;
            let mut bytes = now.concat();
            if let Some(&next) = next {
                let ad = file_ad(ExtentKind::Continuation, 1, in_partition(next));
                bytes.extend_from_slice(ad.bytes());
            }
            bytes
        };
        let places = &places[..needed];
        let tail = take(self.room(), places.first());
        let mut chain = Vec::new();
        for (index, &lba) in places.iter().enumerate() {
            let ads = take(ADS_IN_CONTINUATION, places.get(index + 1));
            let mut block = vec![0; BLOCK_SIZE];
            continuation(content.options, &ads, in_partition(lba), &mut block);
            tags::set_serial(&mut block, content.serial);
            chain.push((lba, block));
        }
        let body = NewBody {
            form: icb_flags::SHORT,
            tail,
            information_length: content.information_length,
            blocks_recorded: pieces.addresses().map(|(a, b)| u64::from(b - a)).sum(),
        };
        (self.with_body(content, body), chain)
    }

    /// The write unit with the entry, with another body.
    fn with_body(&self, content: &FileContent<'_>, body: NewBody) -> Vec<u8> {
        let mut block = self.block.clone();
        let patch = Patch {
            body: Some(body),
            checkpoint: Some(content.checkpoint),
            file_type: Some(self.file_type),
            modified: Some(content.time),
            ..Patch::default()
        };
        patch.apply(&mut block);
        let mut unit = self.unit.clone();
        let at = self.lba.blocks_since(self.unit_start).as_usize() * BLOCK_SIZE;
        unit[at..at + BLOCK_SIZE].copy_from_slice(&block);
        unit
    }

    /// The information length so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The first block of its write unit.
    pub(super) fn unit_start(&self) -> Lba {
        self.unit_start
    }
}

impl FileContent<'_> {
    /// Allocation descriptors for pieces of the metadata file: whole units as far as they go.
    fn descriptors(&self, pieces: &Pieces) -> Vec<Vec<u8>> {
        let max = extent_max(self.unit);
        let mut ads = Vec::new();
        let mut push = |kind: ExtentKind, mut block: u32, mut left: u32| {
            while left > 0 {
                let now = left.min(max);
                ads.push(file_ad(kind, now, block).bytes().to_vec());
                left -= now;
                if kind == ExtentKind::Recorded {
                    block += now;
                }
            }
        };
        let mut next = 0;
        for (first, lba, count) in pieces.iter() {
            push(ExtentKind::Hole, 0, first - next);
            let block = lba.blocks_since(self.partition.start_lba()).get();
            push(ExtentKind::Recorded, block, count);
            next = first + count;
        }
        ads
    }
}

/// Allocation descriptors that pieces need at most once `units` of them are exchanged, wherever
/// the new ones are. There are `end` addresses then.
pub(super) fn descriptors_max(pieces: &Pieces, units: usize, unit: u32, end: u32) -> usize {
    let mut next = 0;
    let (mut holes, mut count) = (0, 0);
    for (start, stop) in pieces.addresses() {
        holes += usize::from(start != next);
        count += 1;
        next = stop;
    }
    let cuts = end / extent_max(unit) + 1;
    count + 2 * units + holes + cuts as usize
}

/// Blocks of the longest extent: whole units (UDF 2.2.13.1).
fn extent_max(unit: u32) -> u32 {
    (EXTENT_BLOCKS_MAX.get() / unit).max(1) * unit
}

fn checkpoint(entry: &BaseEntry) -> Option<u32> {
    if entry.is_extended {
        let (entry, _) = ExtendedFileEntry::view(&entry.block).ok()?;
        Some(entry.checkpoint.get())
    } else {
        let (entry, _) = FileEntry::view(&entry.block).ok()?;
        Some(entry.checkpoint.get())
    }
}
