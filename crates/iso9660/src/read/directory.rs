//! The records of a directory, read block by block (ECMA-119 6.8.1).
//!
//! Invariants: a record handed out lies within one block, and its identifier within it; the
//! memory used is the same for every directory.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_record::Record;

use super::batch::RecordRef;
use super::disc::Disc;
use crate::records::{DirectoryRecord, FileFlags, PARENT_IDENTIFIER, SELF_IDENTIFIER};
use crate::{Corrupt, IsoError, Place};

/// Blocks read at a time.
const CHUNK: BlockCount = BlockCount::new(32);

/// A directory record as it stands on disc.
#[derive(Clone, Copy)]
pub(super) struct RawRecord<'a> {
    /// The block that it is in.
    pub(super) block: Lba,
    /// Where it starts in the block.
    pub(super) offset: usize,
    pub(super) head: &'a DirectoryRecord,
    pub(super) identifier: &'a [u8],
    /// What follows identifier and padding.
    pub(super) system_use: &'a [u8],
}

impl<'a> RawRecord<'a> {
    /// The record at `offset` in a block; `None` where the rest of the block is unused.
    pub(super) fn parse(
        block: Lba,
        bytes: &'a [u8],
        offset: usize,
    ) -> Result<Option<Self>, IsoError> {
        let rest = bytes.get(offset..).unwrap_or_default();
        let length = rest.first().copied().map_or(0, usize::from);
        if length == 0 {
            return Ok(None);
        }
        let place = |field| Place::of::<DirectoryRecord>(block, offset, field);
        if length > rest.len() {
            let left = rest.len();
            return Err(place("length").corrupt(Corrupt::RecordCrossesBlock { length, left }));
        }
        let record = &rest[..length];
        let too_short =
            |needed| place("length").corrupt(Corrupt::RecordTooShort { length, needed });
        let (head, tail) =
            DirectoryRecord::view(record).map_err(|_| too_short(DirectoryRecord::SIZE))?;
        let identifier = tail.get(..head.identifier_length.into()).ok_or_else(|| {
            too_short(DirectoryRecord::SIZE + usize::from(head.identifier_length))
        })?;
        // A record may end right after the identifier, without the padding.
        let system_use = record
            .get(DirectoryRecord::system_use_offset(head.identifier_length)..)
            .unwrap_or_default();
        Ok(Some(Self {
            block,
            offset,
            head,
            identifier,
            system_use,
        }))
    }

    /// A field of the record, to point at.
    pub(super) fn place(&self, field: &'static str) -> Place {
        Place::of::<DirectoryRecord>(self.block, self.offset, field)
    }

    /// Where the record starts.
    pub(super) fn reference(&self) -> RecordRef {
        RecordRef::new(self.block, self.offset)
    }

    /// Where the system use area starts in the block.
    pub(super) fn system_use_offset(&self) -> usize {
        self.offset + DirectoryRecord::system_use_offset(self.head.identifier_length)
    }

    /// Whether it is the directory's own record.
    pub(super) fn is_self(&self) -> bool {
        self.identifier == [SELF_IDENTIFIER]
    }

    /// Whether it is the record of the directory's parent.
    pub(super) fn is_parent(&self) -> bool {
        self.identifier == [PARENT_IDENTIFIER]
    }

    pub(super) fn has(&self, flags: FileFlags) -> bool {
        self.head.flags.contains(flags)
    }

    pub(super) fn is_directory(&self) -> bool {
        self.has(FileFlags::DIRECTORY)
    }

    /// The block of the extended attribute record, if there is one, else of the data.
    pub(super) fn location(&self) -> u32 {
        self.head.extent_location.le()
    }

    /// Blocks of the extended attribute record.
    pub(super) fn attribute_blocks(&self) -> u32 {
        self.head.extended_attribute_length.into()
    }

    pub(super) fn data_length(&self) -> u32 {
        self.head.data_length.le()
    }
}

/// Reads directories, one after the other, with one buffer.
#[derive(Default)]
pub(super) struct DirectoryReader {
    buffer: Vec<u8>,
}

impl DirectoryReader {
    /// Calls `visit` for every record of the directory at `extent`, of which `length` bytes
    /// count.
    pub(super) fn for_each_record(
        &mut self,
        disc: Disc<'_>,
        extent: BlockRange,
        length: u32,
        visit: &mut dyn FnMut(&RawRecord<'_>) -> Result<(), IsoError>,
    ) -> Result<(), IsoError> {
        let mut left = length as usize;
        for chunk in extent.pieces(CHUNK) {
            self.buffer
                .resize(chunk.block_count().as_usize() * BLOCK_SIZE, 0);
            disc.read("a directory", chunk.start_lba(), &mut self.buffer)?;
            let blocks = (chunk.start_lba().get()..).map(Lba::new);
            for (bytes, block) in self.buffer.chunks(BLOCK_SIZE).zip(blocks) {
                let counting = &bytes[..left.min(BLOCK_SIZE)];
                for_each_in_block(block, counting, visit)?;
                left = left.saturating_sub(BLOCK_SIZE);
            }
        }
        Ok(())
    }
}

fn for_each_in_block(
    block: Lba,
    bytes: &[u8],
    visit: &mut dyn FnMut(&RawRecord<'_>) -> Result<(), IsoError>,
) -> Result<(), IsoError> {
    let mut offset = 0;
    while let Some(record) = RawRecord::parse(block, bytes, offset)? {
        visit(&record)?;
        offset += usize::from(record.head.length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use reburn_record::Both32;

    use super::*;

    fn record(identifier: &[u8], length: u8) -> Vec<u8> {
        let mut head = DirectoryRecord::zeroed();
        head.length = length;
        head.extent_location = Both32::new(30);
        head.identifier_length = identifier.len().try_into().unwrap();
        let mut bytes = head.bytes().to_vec();
        bytes.extend_from_slice(identifier);
        bytes.resize(length.into(), 0);
        bytes
    }

    fn identifiers(disc: &[u8], length: u32) -> Result<Vec<String>, String> {
        let blocks = reburn_blocks::BlockRead::block_count(disc);
        let extent = BlockRange::with_count(Lba::ZERO, blocks).unwrap();
        let source = disc.to_vec();
        let mut found = Vec::new();
        DirectoryReader::default()
            .for_each_record(Disc::new(&source), extent, length, &mut |record| {
                found.push(record.identifier.escape_ascii().to_string());
                Ok(())
            })
            .map(|()| found)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn records_fill_blocks() {
        let mut disc = [record(b"A", 34), record(b"BB", 36)].concat();
        disc.resize(BLOCK_SIZE, 0);
        disc.extend(record(b"C", 40));
        disc.resize(BLOCK_SIZE * 2, 0);
        assert_eq!(identifiers(&disc, 4096).unwrap(), ["A", "BB", "C"]);
        assert_eq!(identifiers(&disc, 2048).unwrap(), ["A", "BB"]);
        assert_eq!(identifiers(&disc, 0).unwrap(), [""; 0]);
    }

    #[test]
    fn records_that_do_not_fit_are_named() {
        let mut disc = record(b"A", 34);
        disc[32] = 2;
        disc.resize(BLOCK_SIZE, 0);
        assert_eq!(
            identifiers(&disc, 2048).unwrap_err(),
            "block 0, byte 0 (DirectoryRecord.length, ECMA-119 9.1.1): a length of 34 is too \
             short: the record takes at least 35 bytes"
        );
        let mut disc = vec![0; BLOCK_SIZE];
        for start in (0..BLOCK_SIZE).step_by(64) {
            disc[start] = 64;
        }
        disc[BLOCK_SIZE - 64] = 66;
        assert_eq!(
            identifiers(&disc, 2048).unwrap_err(),
            "block 0, byte 1984 (DirectoryRecord.length, ECMA-119 9.1.1): a record of 66 bytes \
             does not end in this block, which has 64 bytes left"
        );
    }
}
