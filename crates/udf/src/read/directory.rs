//! File identifiers of a directory, one after the other (ECMA-167 4/8.6, 4/14.4).
//!
//! Invariants: at most [`BUFFER_BYTES`] and one identifier are in memory, twice where the mirror
//! of a metadata partition is needed; what one copy has damaged is taken from the other.

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

/// Bytes that are first tried from the other copy.
const MENDED_BYTES: usize = 4096;

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
        let what = "a directory";
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
                let now = &mut buffer[held..];
                if let Err(error) = self.read_body(what, body, end, now) {
                    if !self.read_mirror(what, body, end, now) {
                        return Err(error);
                    }
                    self.note(NoteKind::MirrorBlock, || entry.place("information_length"));
                }
                end += (buffer.len() - held) as u64;
            }
            let rest = &mut buffer[next..];
            if rest.is_empty() {
                return Ok(());
            }
            let offset = end - rest.len() as u64;
            let (at, address) = body.locate(offset, self.partitions.block_size);
            let place = |fault: TagFault| Place::of::<Tag>(at, fault.field());
            if let Err(fault) = check(rest) {
                let mended = self.mend(body, offset, rest);
                mended.ok_or_else(|| place(fault).corrupt(fault))?;
                self.note(NoteKind::MirrorBlock, || place(fault));
            }
            let identifier = view(rest, at).map_err(|fault| place(fault).corrupt(fault))?;
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

impl Reader<'_> {
    /// Takes the next bytes of a directory, from byte `offset` on, from the copy in which they
    /// begin with an identifier; `None` if neither does.
    fn mend(&self, body: &Body, offset: u64, bytes: &mut [u8]) -> Option<()> {
        let what = "a directory";
        // As many as an identifier hardly ever exceeds; all that are there for one that does.
        for len in [MENDED_BYTES.min(bytes.len()), bytes.len()] {
            let mut copy = vec![0; len];
            if self.read_mirror(what, body, offset, &mut copy) && check(&copy).is_ok() {
                bytes[..len].copy_from_slice(&copy);
                return Some(());
            }
            // What is held may itself be from the mirror.
            let main = self.read_body(what, body, offset, &mut copy);
            if main.is_ok() && check(&copy).is_ok() {
                bytes[..len].copy_from_slice(&copy);
                return Some(());
            }
        }
        None
    }
}

/// Whether some bytes begin with a whole identifier.
fn check(bytes: &[u8]) -> Result<(), TagFault> {
    let short = || TagFault::Short(bytes.len());
    let (record, _) = FileIdentifier::view(bytes).map_err(|_| short())?;
    // Before its length is believed: zeros, or any other descriptor.
    record.tag.is(tag_id::FILE_IDENTIFIER)?;
    let whole = bytes.get(..record.full_length()).ok_or_else(short)?;
    Tag::check(whole)?;
    Ok(())
}

/// The identifier at the start of some bytes that [`check`] has passed.
fn view(bytes: &[u8], at: u64) -> Result<RawIdentifier<'_>, TagFault> {
    let short = || TagFault::Short(bytes.len());
    let (record, rest) = FileIdentifier::view(bytes).map_err(|_| short())?;
    let start = usize::from(record.length_of_implementation_use.get());
    let len = usize::from(record.length_of_file_identifier);
    let name = rest.get(start..start + len).ok_or_else(short)?;
    Ok(RawIdentifier { record, name, at })
}
