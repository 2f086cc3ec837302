//! A volume that is being edited: raw entries and directories of the partition they are in, by
//! their addresses there.
//!
//! Invariant: what is handed out was checked as when a tree is read; nothing is allocated from a
//! length that the disc does not have.

use std::cell::RefCell;
use std::ops::Range;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba};
use reburn_tree::{Attribute, Timestamp};

use super::body::{Body, Source};
use super::disc::Disc;
use super::entry::{Entry, Reader};
use super::name::mend;
use super::note::Notes;
use super::partitions::{Address, Partitions, Side};
use super::volume::Volume;
use crate::records::{
    ExtentKind, FileSetDescriptor, LongAd, characteristics, decode_cs0, file_type, icb_flags,
};
use crate::{Place, UdfError};

/// Blocks of a metadata partition: the first, and one past the last.
pub(crate) type Blocks = (u32, u32);

/// A volume that is being edited.
pub(crate) struct Base<'a> {
    disc: Disc<'a>,
    partitions: &'a Partitions,
    /// The partition of entries and directories.
    partition: u16,
    /// Where errors lead back to.
    file_set_at: u64,
    notes: RefCell<Notes>,
}

/// An entry as it stands on the disc.
#[derive(Debug)]
pub(crate) struct BaseEntry {
    /// The whole block.
    pub(crate) block: Vec<u8>,
    pub(crate) is_extended: bool,
    pub(crate) is_embedded: bool,
    pub(crate) information_length: u64,
    /// Allocation descriptors or content, in the block.
    pub(crate) descriptors: Range<usize>,
    /// Blocks of the metadata partition that go with it: its own, its continuations, its
    /// directory, its attributes and streams.
    pub(crate) owned: Vec<Blocks>,
    /// Blocks of the disc with continuations of its allocation descriptors.
    pub(crate) chain: Vec<BlockRange>,
}

/// What an entry has besides content.
#[derive(Debug)]
pub(crate) struct BaseExtras {
    pub(crate) is_extended: bool,
    pub(crate) attributes: Vec<Attribute>,
    /// When it was made, as an attribute says: where the entry itself has no such time.
    pub(crate) created: Option<Timestamp>,
    /// The block with the entry of the stream directory, and how many streams there are.
    pub(crate) streams: Option<(u32, usize)>,
}

/// A directory as it stands on the disc.
#[derive(Debug)]
pub(crate) struct BaseDirectory {
    pub(crate) entry: BaseEntry,
    pub(crate) bytes: Vec<u8>,
    /// The blocks that it is in, in its order; `None` where it is in its entry, or not in
    /// whole blocks of the metadata partition.
    pub(crate) blocks: Option<Vec<u32>>,
    pub(crate) identifiers: Vec<BaseIdentifier>,
}

/// A file identifier in a directory.
#[derive(Debug)]
pub(crate) struct BaseIdentifier {
    /// Where it is in the directory.
    pub(crate) bytes: Range<usize>,
    pub(crate) characteristics: u8,
    pub(crate) icb: LongAd,
    /// The name as a tree has it, unless it was taken there.
    pub(crate) name: Vec<u8>,
    /// Where it is on the disc, in bytes.
    pub(crate) at: u64,
}

impl BaseIdentifier {
    pub(crate) fn has(&self, bits: u8) -> bool {
        self.characteristics & bits != 0
    }

    /// The block that it leads to.
    pub(crate) fn block(&self) -> u32 {
        self.icb.extent_location.logical_block_number.get()
    }

    pub(crate) fn partition(&self) -> u16 {
        self.icb.extent_location.partition_reference_number.get()
    }
}

impl<'a> Base<'a> {
    pub(crate) fn new(volume: &'a Volume, disc: &'a dyn BlockRead) -> Self {
        Self {
            disc: Disc::new(disc),
            partitions: &volume.partitions,
            partition: volume.file_set_partition(),
            file_set_at: volume.file_set_at,
            notes: RefCell::default(),
        }
    }

    /// The partition of entries and directories.
    pub(crate) fn partition(&self) -> u16 {
        self.partition
    }

    /// The entry in a block of the metadata partition.
    pub(crate) fn entry(&self, block: u32) -> Result<BaseEntry, UdfError> {
        let reader = self.reader();
        let entry = self.find(&reader, self.partition, block)?;
        let body = reader.body(&entry)?;
        self.describe(&reader, entry, &body)
    }

    /// What an entry in a block of the metadata partition has besides content.
    pub(crate) fn extras(&self, block: u32) -> Result<BaseExtras, UdfError> {
        let reader = self.reader();
        let entry = self.find(&reader, self.partition, block)?;
        let attributes = reader.attributes(&entry)?;
        let mut extras = BaseExtras {
            is_extended: entry.is_extended(),
            attributes: attributes.others,
            created: attributes.created,
            streams: None,
        };
        if let Some(icb) = &entry.stream_icb {
            let address = Address::of(icb.extent_location);
            let directory = reader.entry(address, entry.place("stream_directory_icb"))?;
            let body = reader.body(&directory)?;
            let mut count = 0;
            reader.for_each_identifier(&directory, &body, &mut |raw| {
                let is_name = !raw.has(characteristics::DELETED | characteristics::PARENT);
                count += usize::from(is_name);
                Ok(())
            })?;
            let is_inside = address.partition == self.partition;
            extras.streams = is_inside.then_some((address.block, count));
        }
        Ok(extras)
    }

    /// The entry of the metadata file, or of its mirror, in a block of the partition below.
    pub(crate) fn file_entry(&self, block: u32, expected: u8) -> Result<BaseEntry, UdfError> {
        const BELOW: u16 = 0;
        let reader = self.reader();
        let place = Place::of::<FileSetDescriptor>(self.file_set_at, "root_directory_icb");
        let address = Address {
            partition: BELOW,
            block,
        };
        let (entry, body) = reader.metadata_entry(address, expected, place)?;
        let chain = body.chain.clone();
        let found = parse(entry, &body, chain);
        Ok(found)
    }

    /// The directory whose entry is in a block of the metadata partition.
    pub(crate) fn directory(&self, block: u32) -> Result<BaseDirectory, UdfError> {
        let reader = self.reader();
        let entry = self.find(&reader, self.partition, block)?;
        let body = reader.body(&entry)?;
        let place = entry.place("information_length");
        let bytes = reader.whole_body("a directory", &body, self.disc.len(), place)?;
        let mut identifiers = Vec::new();
        let mut start = 0;
        reader.for_each_identifier(&entry, &body, &mut |raw| {
            let end = start + raw.record.full_length();
            let mut name = decode_cs0(raw.name).text.into_bytes();
            if !raw.has(characteristics::PARENT) {
                mend(&mut name);
            }
            identifiers.push(BaseIdentifier {
                bytes: start..end,
                characteristics: raw.record.file_characteristics,
                icb: raw.record.icb,
                name,
                at: raw.at,
            });
            start = end;
            Ok(())
        })?;
        let blocks = self.directory_blocks(&body);
        Ok(BaseDirectory {
            entry: self.describe(&reader, entry, &body)?,
            bytes,
            blocks,
            identifiers,
        })
    }

    /// The blocks of a directory, in its order.
    fn directory_blocks(&self, body: &Body) -> Option<Vec<u32>> {
        let Source::Runs(runs) = &body.source else {
            return None;
        };
        let size = BLOCK_SIZE as u64;
        let mut blocks = Vec::new();
        for run in runs {
            let is_plain = run.kind == ExtentKind::Recorded
                && run.address.partition == self.partition
                && run.offset.is_multiple_of(size);
            let count = u32::try_from(run.bytes.div_ceil(size)).ok()?;
            let end = run.address.block.checked_add(count)?;
            if !is_plain {
                return None;
            }
            blocks.extend(run.address.block..end);
        }
        Some(blocks)
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(&self.disc, self.partitions, &self.notes)
    }

    fn find(&self, reader: &Reader<'_>, partition: u16, block: u32) -> Result<Entry, UdfError> {
        let place = Place::of::<FileSetDescriptor>(self.file_set_at, "root_directory_icb");
        reader.entry(Address { partition, block }, place)
    }

    /// An entry with the blocks that go with it.
    fn describe(
        &self,
        reader: &Reader<'_>,
        entry: Entry,
        body: &Body,
    ) -> Result<BaseEntry, UdfError> {
        let mut ranges = entry.blocks.clone();
        ranges.extend(body.chain.iter().chain(&body.data));
        if !entry.attribute_icb.is_none() {
            let address = Address::of(entry.attribute_icb.extent_location);
            let file = reader.entry(address, entry.place("extended_attribute_icb"))?;
            let body = reader.body(&file)?;
            ranges.extend(file.blocks.iter().chain(&body.chain).chain(&body.data));
        }
        if let Some(icb) = &entry.stream_icb {
            let address = Address::of(icb.extent_location);
            add_streams(
                reader,
                address,
                entry.place("stream_directory_icb"),
                &mut ranges,
            )?;
        }
        let chain = body.chain.clone();
        let mut found = parse(entry, body, chain);
        found.owned = self.in_partition(&ranges);
        Ok(found)
    }

    /// Those of some blocks of the disc that are in the metadata partition, as it counts them.
    fn in_partition(&self, ranges: &[BlockRange]) -> Vec<Blocks> {
        let mut found = Vec::new();
        for &(first, lba, count) in &self.pieces(Side::Main) {
            let piece = BlockRange::with_count(lba, BlockCount::new(count));
            let parts = ranges.iter().filter_map(|range| range.intersection(piece?));
            found.extend(parts.map(|part| {
                let start = first + part.start_lba().blocks_since(lba).get();
                (start, start + part.block_count().get())
            }));
        }
        found
    }

    /// Where the blocks of the partition of entries are, or those of a metadata file's mirror:
    /// block of the partition, block of the disc, and how many; ascending, holes left out.
    fn pieces(&self, side: Side) -> Vec<(u32, Lba, u32)> {
        let pieces = self.partitions.pieces(self.partition, side).into_iter();
        pieces
            .filter_map(|(first, sector, count)| Some((first, Lba::checked(sector)?, count)))
            .collect()
    }

    /// See [`Base::pieces`].
    pub(crate) fn main_pieces(&self) -> Vec<(u32, Lba, u32)> {
        self.pieces(Side::Main)
    }

    /// Pieces of the mirror; `None` where they are those of the metadata file.
    pub(crate) fn mirror_pieces(&self) -> Option<Vec<(u32, Lba, u32)>> {
        self.partitions
            .has_mirror(self.partition)
            .then(|| self.pieces(Side::Mirror))
    }
}

/// Adds the blocks of a stream directory and of what it names.
fn add_streams(
    reader: &Reader<'_>,
    address: Address,
    place: Place,
    ranges: &mut Vec<BlockRange>,
) -> Result<(), UdfError> {
    let directory = reader.entry(address, place)?;
    let body = reader.body(&directory)?;
    if directory.icb.file_type != file_type::STREAM_DIRECTORY {
        return Ok(());
    }
    let mut add = |entry: &Entry, body: &Body| {
        ranges.extend(entry.blocks.iter().chain(&body.chain).chain(&body.data));
    };
    add(&directory, &body);
    reader.for_each_identifier(&directory, &body, &mut |raw| {
        if !raw.has(characteristics::DELETED | characteristics::PARENT) {
            let address = Address::of(raw.record.icb.extent_location);
            let stream = reader.entry(address, raw.place("icb"))?;
            let body = reader.body(&stream)?;
            add(&stream, &body);
        }
        Ok(())
    })
}

fn parse(entry: Entry, body: &Body, chain: Vec<BlockRange>) -> BaseEntry {
    BaseEntry {
        is_extended: entry.is_extended(),
        is_embedded: entry.icb.flags.get() & icb_flags::DESCRIPTORS == icb_flags::EMBEDDED,
        information_length: body.length,
        descriptors: entry.descriptors,
        block: entry.block.bytes,
        owned: Vec::new(),
        chain,
    }
}
