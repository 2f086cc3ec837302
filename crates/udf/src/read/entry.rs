//! Entries of files: from an address, along strategy 4096's chain, to what the entry says
//! (ECMA-167 4/14.6 to 4/14.9, 4/14.17).

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;

use reburn_blocks::BlockRange;
use reburn_record::Record;

use super::disc::{Disc, blocks_of};
use super::note::{NoteKind, Notes};
use super::partitions::{Address, Partitions, Side};
use crate::records::{
    DiscTime, ExtendedFileEntry, FileEntry, IcbTag, IndirectEntry, LbAddr, LongAd, Tag, TagFault,
    tag_id,
};
use crate::{Corrupt, Incompatible, Place, UdfError};

/// Entries followed for one file of strategy 4096.
const VERSIONS_MAX: u32 = 4096;

/// What reading needs: the disc, where partitions are, and what was met so far.
pub(super) struct Reader<'a> {
    pub(super) disc: &'a Disc<'a>,
    pub(super) partitions: &'a Partitions,
    pub(super) notes: &'a RefCell<Notes>,
    /// Blocks that allocation descriptors go on in, each of which may be read once.
    pub(super) chains: RefCell<BTreeSet<u64>>,
    /// Pieces of extents that may still be met. As no block is in two files, there are no more
    /// of them than blocks.
    pub(super) pieces_left: Cell<u64>,
}

/// A logical block that was read.
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    /// Where it is on the disc, in bytes.
    pub(super) at: u64,
    pub(super) address: Address,
}

/// A file's entry.
pub(super) struct Entry {
    pub(super) block: Block,
    pub(super) icb: IcbTag,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) permissions: u32,
    pub(super) information_length: u64,
    pub(super) unique_id: u64,
    pub(super) accessed: DiscTime,
    pub(super) modified: DiscTime,
    pub(super) changed: DiscTime,
    pub(super) created: Option<DiscTime>,
    pub(super) attribute_icb: LongAd,
    pub(super) stream_icb: Option<LongAd>,
    /// Extended attributes, in the block.
    pub(super) attributes: Range<usize>,
    /// Allocation descriptors or the file's own bytes, in the block.
    pub(super) descriptors: Range<usize>,
    /// Blocks of the entry and of those before it in the chain.
    pub(super) blocks: Vec<BlockRange>,
}

impl Address {
    pub(crate) fn of(address: LbAddr) -> Self {
        Self {
            partition: address.partition_reference_number.get(),
            block: address.logical_block_number.get(),
        }
    }
}

impl Entry {
    /// A field that file entries of both forms have.
    pub(super) fn place(&self, field: &'static str) -> Place {
        if self.is_extended() {
            Place::of::<ExtendedFileEntry>(self.block.at, field)
        } else {
            Place::of::<FileEntry>(self.block.at, field)
        }
    }

    pub(super) fn icb_place(&self, field: &'static str) -> Place {
        Place::of::<IcbTag>(self.block.at + Tag::SIZE as u64, field)
    }

    pub(super) fn is_extended(&self) -> bool {
        self.block.tag_id() == tag_id::EXTENDED_FILE_ENTRY
    }

    /// The bytes where allocation descriptors are.
    pub(super) fn descriptor_bytes(&self) -> &[u8] {
        &self.block.bytes[self.descriptors.clone()]
    }

    fn parse(block: Block) -> Result<Self, UdfError> {
        let short = |_| Place::of::<Tag>(block.at, "tag_identifier");
        let length = block.bytes.len();
        let missing = |place: Place| place.corrupt(TagFault::Short(length));
        if block.tag_id() == tag_id::EXTENDED_FILE_ENTRY {
            let view = ExtendedFileEntry::view(&block.bytes);
            let (entry, _) = view.map_err(|error| missing(short(error)))?;
            let lengths = [
                entry.length_of_extended_attributes.get(),
                entry.length_of_allocation_descriptors.get(),
            ];
            let parts = parts::<ExtendedFileEntry>(&block, lengths)?;
            let entry = *entry;
            Ok(Self::from_extended(block, &entry, parts))
        } else {
            let view = FileEntry::view(&block.bytes);
            let (entry, _) = view.map_err(|error| missing(short(error)))?;
            let lengths = [
                entry.length_of_extended_attributes.get(),
                entry.length_of_allocation_descriptors.get(),
            ];
            let parts = parts::<FileEntry>(&block, lengths)?;
            let entry = *entry;
            Ok(Self::from_plain(block, &entry, parts))
        }
    }

    fn from_extended(block: Block, entry: &ExtendedFileEntry, parts: [Range<usize>; 2]) -> Self {
        let [attributes, descriptors] = parts;
        Self {
            block,
            icb: entry.icb_tag,
            uid: entry.uid.get(),
            gid: entry.gid.get(),
            permissions: entry.permissions.get(),
            information_length: entry.information_length.get(),
            unique_id: entry.unique_id.get(),
            accessed: entry.access_date_and_time,
            modified: entry.modification_date_and_time,
            changed: entry.attribute_date_and_time,
            created: Some(entry.creation_date_and_time),
            attribute_icb: entry.extended_attribute_icb,
            stream_icb: Some(entry.stream_directory_icb).filter(|icb| !icb.is_none()),
            attributes,
            descriptors,
            blocks: Vec::new(),
        }
    }

    fn from_plain(block: Block, entry: &FileEntry, parts: [Range<usize>; 2]) -> Self {
        let [attributes, descriptors] = parts;
        Self {
            block,
            icb: entry.icb_tag,
            uid: entry.uid.get(),
            gid: entry.gid.get(),
            permissions: entry.permissions.get(),
            information_length: entry.information_length.get(),
            unique_id: entry.unique_id.get(),
            accessed: entry.access_date_and_time,
            modified: entry.modification_date_and_time,
            changed: entry.attribute_date_and_time,
            created: None,
            attribute_icb: entry.extended_attribute_icb,
            stream_icb: None,
            attributes,
            descriptors,
            blocks: Vec::new(),
        }
    }
}

/// Where extended attributes and allocation descriptors are in an entry's block.
fn parts<R: Record>(block: &Block, lengths: [u32; 2]) -> Result<[Range<usize>; 2], UdfError> {
    let fields = [
        "length_of_extended_attributes",
        "length_of_allocation_descriptors",
    ];
    let mut start = R::SIZE;
    let mut parts = [0..0, 0..0];
    for ((length, field), part) in lengths.into_iter().zip(fields).zip(&mut parts) {
        let available = (block.bytes.len() - start) as u64;
        if u64::from(length) > available {
            let length = length.into();
            let place = Place::of::<R>(block.at, field);
            return Err(place.corrupt(Corrupt::Length { length, available }));
        }
        *part = start..start + length as usize;
        start = part.end;
    }
    Ok(parts)
}

impl Block {
    pub(super) fn tag_id(&self) -> u16 {
        u16::from_le_bytes([self.bytes[0], self.bytes[1]])
    }

    pub(super) fn range(&self) -> Option<BlockRange> {
        blocks_of(self.at, self.bytes.len() as u64)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        disc: &'a Disc<'a>,
        partitions: &'a Partitions,
        notes: &'a RefCell<Notes>,
    ) -> Self {
        let pieces = disc.len() / partitions.block_bytes().max(1);
        Self {
            disc,
            partitions,
            notes,
            chains: RefCell::default(),
            pieces_left: Cell::new(pieces + 1),
        }
    }

    pub(super) fn note(&self, kind: NoteKind, place: impl FnOnce() -> Place) {
        self.notes.borrow_mut().add(kind, place);
    }

    /// The descriptor at an address, one of those that `identifiers` names. Damage in the
    /// metadata file is mended from its mirror. `from` is what leads here.
    pub(super) fn descriptor(
        &self,
        what: &'static str,
        identifiers: &[u16],
        address: Address,
        from: Place,
    ) -> Result<Block, UdfError> {
        let main = self.descriptor_of(what, identifiers, address, from, Side::Main);
        if main.is_ok() || !self.partitions.has_mirror(address.partition) {
            return main;
        }
        let mirror = self.descriptor_of(what, identifiers, address, from, Side::Mirror);
        if mirror.is_ok() {
            self.note(NoteKind::MirrorBlock, || from);
            return mirror;
        }
        main
    }

    fn descriptor_of(
        &self,
        what: &'static str,
        identifiers: &[u16],
        address: Address,
        from: Place,
        side: Side,
    ) -> Result<Block, UdfError> {
        let piece = self.partitions.locate(address, 1, side);
        let at = piece.map_err(|problem| from.corrupt(problem))?.at;
        let len = self.partitions.block_size as usize;
        let bytes = self.disc.bytes(what, at, len)?;
        let fault = |fault: TagFault| Place::of::<Tag>(at, fault.field()).corrupt(fault);
        let tag = Tag::check(&bytes).map_err(fault)?;
        let id = tag.tag_identifier.get();
        if !identifiers.contains(&id) {
            tag.is(identifiers.first().copied().unwrap_or_default())
                .map_err(fault)?;
        }
        tag.at(address.block).map_err(fault)?;
        Ok(Block { bytes, at, address })
    }

    /// The newest entry of a file. `from` is what leads here.
    pub(super) fn entry(&self, address: Address, from: Place) -> Result<Entry, UdfError> {
        const ENTRIES: [u16; 3] = [
            tag_id::FILE_ENTRY,
            tag_id::EXTENDED_FILE_ENTRY,
            tag_id::INDIRECT_ENTRY,
        ];
        const NEXT: [u16; 2] = [tag_id::INDIRECT_ENTRY, tag_id::TERMINAL_ENTRY];
        let (mut address, mut from) = (address, from);
        let mut blocks = Vec::new();
        for _ in 0..VERSIONS_MAX {
            let block = self.descriptor("a file's entry", &ENTRIES, address, from)?;
            blocks.extend(block.range());
            if block.tag_id() == tag_id::INDIRECT_ENTRY {
                (address, from) = indirect(&block)?;
                continue;
            }
            let mut entry = Entry::parse(block)?;
            match entry.icb.strategy_type.get() {
                4 => {}
                4096 => {
                    let block = address.block.saturating_add(1);
                    let next = Address { block, ..address };
                    // Until there is a newer entry, the block after this one is not recorded.
                    if let Ok(next) = self.descriptor("an indirect entry", &NEXT, next, from) {
                        blocks.extend(next.range());
                        if next.tag_id() == tag_id::INDIRECT_ENTRY {
                            (address, from) = indirect(&next)?;
                            continue;
                        }
                    }
                }
                other => {
                    let place = entry.icb_place("strategy_type");
                    return Err(place.incompatible(Incompatible::Strategy(other)));
                }
            }
            entry.blocks = blocks;
            return Ok(entry);
        }
        Err(from.corrupt(Corrupt::Chain { max: VERSIONS_MAX }))
    }
}

/// Where an indirect entry leads.
fn indirect(block: &Block) -> Result<(Address, Place), UdfError> {
    let place = Place::of::<IndirectEntry>(block.at, "indirect_icb");
    let view = IndirectEntry::view(&block.bytes);
    let (entry, _) = view.map_err(|_| place.corrupt(TagFault::Short(block.bytes.len())))?;
    Ok((Address::of(entry.indirect_icb.extent_location), place))
}
