//! File identifiers of a directory, one after the other (ECMA-167 4/8.6, 4/14.4).
//!
//! Invariant: at most [`BUFFER_BYTES`] and one identifier are in memory.

use reburn_record::Record;

use super::body::Body;
use super::entry::{Entry, Reader};
use super::note::NoteKind;
use crate::records::{FileIdentifier, Tag, TagFault, tag_id};
use crate::{Place, UdfError};

/// Bytes of a directory read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// The longest identifier: its record and what the lengths in it can say.
const IDENTIFIER_MAX: usize = FileIdentifier::SIZE + 0xffff + 0xff + 3;

/// An identifier as it stands in a directory.
pub(super) struct RawIdentifier<'a> {
    pub(super) record: &'a FileIdentifier,
    /// Compression id and characters.
    pub(super) name: &'a [u8],
    /// Where it is on the disc, in bytes.
    pub(super) at: u64,
}

impl RawIdentifier<'_> {
    pub(super) fn has(&self, characteristics: u8) -> bool {
        self.record.file_characteristics & characteristics != 0
    }

    pub(super) fn place(&self, field: &'static str) -> Place {
        Place::of::<FileIdentifier>(self.at, field)
    }
}

impl Reader<'_> {
    /// Calls `take` for each identifier of a directory.
    pub(super) fn for_each_identifier(
        &self,
        entry: &Entry,
        body: &Body,
        take: &mut dyn FnMut(&RawIdentifier<'_>) -> Result<(), UdfError>,
    ) -> Result<(), UdfError> {
        let mut buffer = Vec::new();
        // Where in the directory the buffer ends, and where in the buffer to go on.
        let (mut end, mut next) = (0, 0);
        loop {
            if buffer.len() - next < IDENTIFIER_MAX && end < body.length {
                buffer.drain(..next);
                next = 0;
                let left = usize::try_from(body.length - end).unwrap_or(usize::MAX);
                let held = buffer.len();
                buffer.resize(held + left.min(BUFFER_BYTES), 0);
                self.read_body("a directory", body, end, &mut buffer[held..])?;
                end += (buffer.len() - held) as u64;
            }
            let rest = &buffer[next..];
            if rest.is_empty() {
                return Ok(());
            }
            let offset = end - rest.len() as u64;
            let (at, address) = body.locate(offset, self.partitions.block_size);
            let identifier = parse(rest, at)?;
            let block = address.map_or(entry.block.address.block, |address| address.block);
            if identifier.record.tag.at(block).is_err() {
                self.note(NoteKind::IdentifierLocation, || {
                    Place::of::<Tag>(at, "tag_location")
                });
            }
            take(&identifier)?;
            next += identifier.record.full_length();
        }
    }
}

/// The identifier at the start of some bytes.
fn parse(bytes: &[u8], at: u64) -> Result<RawIdentifier<'_>, UdfError> {
    let fault = |fault: TagFault| Place::of::<Tag>(at, fault.field()).corrupt(fault);
    let short = || fault(TagFault::Short(bytes.len()));
    let (record, _) = FileIdentifier::view(bytes).map_err(|_| short())?;
    // Before its length is believed: zeros, or any other descriptor.
    record.tag.is(tag_id::FILE_IDENTIFIER).map_err(fault)?;
    let whole = bytes.get(..record.full_length()).ok_or_else(short)?;
    Tag::check(whole).map_err(fault)?;
    let start = FileIdentifier::SIZE + usize::from(record.length_of_implementation_use.get());
    let len = usize::from(record.length_of_file_identifier);
    let name = &whole[start..start + len];
    Ok(RawIdentifier { record, name, at })
}
