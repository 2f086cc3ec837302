//! Loading what virtual and metadata partitions need before their blocks can be found: the
//! virtual allocation table (UDF 2.2.11) and the metadata file with its mirror (UDF 2.2.13).

use reburn_blocks::{BLOCK_SIZE, BlockRange, Lba};
use reburn_record::Record;

use super::Session;
use super::body::{Body, Source, push_range};
use super::entry::{Entry, Reader};
use super::note::NoteKind;
use super::partitions::{Address, FileMap};
use crate::records::{
    EntityId, ExtentKind, FileEntry, MetadataMap, VirtualTableHead, VirtualTableTail, file_type,
    tag_id,
};
use crate::{Corrupt, Place, UdfError};

/// Blocks from the last one back that are looked at for a table: what a drive may report too
/// much, and an ECC block of padding.
const SEARCHED: u32 = 64;

/// Bytes of a table: 4 GiB of addresses would be needed by no disc; 64 MiB are 16 million
/// blocks, 32 GiB.
const TABLE_MAX: u64 = 64 << 20;

/// A virtual allocation table.
pub(super) struct VirtualTable {
    pub(super) entries: Vec<u32>,
    /// What precedes the entries from UDF 2.00 on.
    pub(super) head: Option<VirtualTableHead>,
    pub(super) unique_id: u64,
    pub(super) blocks: Vec<BlockRange>,
    /// The block with the table's entry.
    pub(super) found_in: Lba,
    /// The same block, as the partition below counts it.
    pub(super) address: Address,
}

impl Reader<'_> {
    /// The newest virtual allocation table of the partition `under`.
    pub(super) fn virtual_table(
        &self,
        under: u16,
        session: Session,
    ) -> Result<VirtualTable, UdfError> {
        let size = self.partitions.block_bytes();
        let disc_end = self.disc.len();
        let end = session.last_recorded.map_or(disc_end, |last| {
            (last.byte_offset() + BLOCK_SIZE as u64).min(disc_end)
        });
        let sectors = u32::try_from(end / size).unwrap_or(u32::MAX);
        let place = Place::of::<FileEntry>(end.saturating_sub(size), "information_length");
        let start = self.partitions.map(under).map_or(0, |map| map.start);
        for back in 1..=SEARCHED {
            let sector = sectors.checked_sub(back);
            let Some(block) = sector.and_then(|sector| sector.checked_sub(start)) else {
                break;
            };
            let address = Address {
                partition: under,
                block,
            };
            let Some(table) = self.table_at(address, place)? else {
                continue;
            };
            if back > 1 {
                let at = table.found_in.byte_offset();
                self.note(NoteKind::VirtualTableEarlier, || {
                    Place::of::<FileEntry>(at, "information_length")
                });
            }
            return Ok(table);
        }
        let last = Lba::checked((end / BLOCK_SIZE as u64).saturating_sub(1)).unwrap_or(Lba::MAX);
        Err(place.corrupt(Corrupt::NoVirtualTable(last)))
    }

    /// The table whose entry is in a block; `None` if none is.
    fn table_at(&self, address: Address, from: Place) -> Result<Option<VirtualTable>, UdfError> {
        let ids = [tag_id::FILE_ENTRY, tag_id::EXTENDED_FILE_ENTRY];
        let what = "a virtual allocation table";
        if self.descriptor(what, &ids, address, from).is_err() {
            return Ok(None);
        }
        let entry = self.entry(address, from)?;
        let is_new = match entry.icb.file_type {
            file_type::VIRTUAL_TABLE => true,
            file_type::UNSPECIFIED => false,
            _ => return Ok(None),
        };
        let body = self.body(&entry)?;
        let place = entry.place("information_length");
        let bytes = self.whole_body(what, &body, TABLE_MAX, place)?;
        let Some((entries, head)) = parse_table(&bytes, is_new, place)? else {
            return Ok(None);
        };
        let blocks = entry.blocks.iter().chain(&body.chain).chain(&body.data);
        Ok(Some(VirtualTable {
            entries,
            head,
            unique_id: entry.unique_id,
            blocks: blocks.copied().collect(),
            found_in: Lba::checked(entry.block.at / BLOCK_SIZE as u64).unwrap_or(Lba::MAX),
            address: entry.block.address,
        }))
    }

    /// Where the blocks of a metadata partition are, and those of its mirror where these are
    /// others. Also returns the blocks of both files' entries and of the bitmap's.
    pub(super) fn metadata_file(
        &self,
        under: u16,
        map: &MetadataMap,
        place: Place,
    ) -> Result<(FileMap, Option<FileMap>, Vec<BlockRange>), UdfError> {
        let mut blocks = Vec::new();
        let mut load = |block: u32, expected: u8| {
            let address = Address {
                partition: under,
                block,
            };
            let (entry, body) = self.metadata_entry(address, expected, place)?;
            for &range in entry.blocks.iter().chain(&body.chain).chain(&body.data) {
                push_range(&mut blocks, Some(range));
            }
            self.file_map(&entry, &body)
        };
        let main = load(map.metadata_file_location.get(), file_type::METADATA);
        let mirror = load(
            map.metadata_mirror_file_location.get(),
            file_type::METADATA_MIRROR,
        );
        let bitmap = map.metadata_bitmap_file_location.get();
        if bitmap != MetadataMap::NO_BITMAP {
            // Nobody needs it for reading: how much is free is told where it is asked for.
            let _ = load(bitmap, file_type::METADATA_BITMAP);
        }
        let (main, mirror) = match (main, mirror) {
            (Ok(main), Ok(mirror)) => {
                let differs = main.0 != mirror.0;
                (main, differs.then_some(mirror))
            }
            (Ok(main), Err(_)) => {
                self.note(NoteKind::NoMirror, || place);
                (main, None)
            }
            (Err(_), Ok(mirror)) => {
                self.note(NoteKind::MetadataMirror, || place);
                (mirror, None)
            }
            (Err(error), Err(_)) => return Err(error),
        };
        Ok((main, mirror, blocks))
    }

    /// The entry of a metadata file, its mirror or its bitmap, and where that is.
    pub(super) fn metadata_entry(
        &self,
        address: Address,
        expected: u8,
        place: Place,
    ) -> Result<(Entry, Body), UdfError> {
        // After a repair both entries may go on in the same block.
        self.chains.borrow_mut().clear();
        let entry = self.entry(address, place)?;
        let found = entry.icb.file_type;
        if found != expected {
            let problem = Corrupt::FileType { found, expected };
            return Err(entry.icb_place("file_type").corrupt(problem));
        }
        let body = self.body(&entry)?;
        Ok((entry, body))
    }

    /// The blocks of a file, as a map.
    pub(super) fn file_map(&self, entry: &Entry, body: &Body) -> Result<FileMap, UdfError> {
        let size = self.partitions.block_bytes();
        let mut map = FileMap::default();
        let Source::Runs(runs) = &body.source else {
            return Ok(map);
        };
        for run in runs.iter().filter(|run| run.kind == ExtentKind::Recorded) {
            let first = u32::try_from(run.offset / size);
            let count = u32::try_from(run.bytes.div_ceil(size));
            let (Ok(first), Ok(count)) = (first, count) else {
                let (length, available) = (body.length, u64::from(u32::MAX) * size);
                let place = entry.place("information_length");
                return Err(place.corrupt(Corrupt::Length { length, available }));
            };
            map.0.push((first, run.at / size, count));
        }
        Ok(map)
    }
}

/// Entries and head of a table; `None` for a file that is none.
#[allow(clippy::type_complexity)] // a pair, named by its caller
fn parse_table(
    bytes: &[u8],
    is_new: bool,
    place: Place,
) -> Result<Option<(Vec<u32>, Option<VirtualTableHead>)>, UdfError> {
    let length = bytes.len() as u64;
    let (entries, head) = if is_new {
        let wrong = |header| place.corrupt(Corrupt::VirtualTable { length, header });
        let (head, _) = VirtualTableHead::view(bytes).map_err(|_| wrong(0))?;
        let header = usize::from(head.length_of_header.get());
        let entries = bytes
            .get(header..)
            .filter(|_| header >= VirtualTableHead::SIZE);
        let entries = entries.ok_or_else(|| wrong(head.length_of_header.get().into()))?;
        (entries, Some(*head))
    } else {
        let Some(start) = bytes.len().checked_sub(VirtualTableTail::SIZE) else {
            return Ok(None);
        };
        let (entries, tail) = bytes.split_at(start);
        match VirtualTableTail::view(tail) {
            Ok((tail, _)) if tail.entity_identifier.name() == EntityId::VIRTUAL_TABLE => {}
            _ => return Ok(None),
        }
        (entries, None)
    };
    let (entries, _) = entries.as_chunks::<4>();
    let entries = entries.iter().map(|entry| u32::from_le_bytes(*entry));
    Ok(Some((entries.collect(), head)))
}
