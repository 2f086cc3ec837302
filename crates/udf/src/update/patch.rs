//! An entry as it stands on the disc, with what changed of it: the rest keeps its bytes, also
//! what a tree does not know of.

use reburn_record::Record;
use reburn_record::little_endian::{U16, U32, U64};
use reburn_tree::{Metadata, Timestamp};

use super::tags;
use crate::read::posix_permissions;
use crate::records::{
    DiscTime, ExtendedFileEntry, FileEntry, IcbTag, LongAd, Tag, file_type, icb_flags, tag_id,
};
use crate::write::{StreamsAt, disc_time, permission_bits};

/// The id of an owner or group that is not known (ECMA-167 4/14.9.3).
const NO_ID: u32 = u32::MAX;

/// Flags of an ICB tag that are permissions, and which of POSIX they are.
const SPECIAL: [(u16, u16); 3] = [
    (icb_flags::SETUID, 0o4000),
    (icb_flags::SETGID, 0o2000),
    (icb_flags::STICKY, 0o1000),
];

/// What changes of an entry; `None` stays.
#[derive(Debug, Default)]
pub(super) struct Patch<'a> {
    pub(super) metadata: Option<&'a Metadata>,
    pub(super) links: Option<u16>,
    pub(super) body: Option<NewBody>,
    /// Together with a body.
    pub(super) attributes: Option<&'a [u8]>,
    /// Of an extended entry.
    pub(super) streams: Option<StreamsAt>,
    pub(super) checkpoint: Option<u32>,
    pub(super) file_type: Option<u8>,
    /// When the body changed, where no metadata say it.
    pub(super) modified: Option<Timestamp>,
}

/// What an entry has behind its attributes, and what it says of that.
#[derive(Debug)]
pub(super) struct NewBody {
    /// Kind of allocation descriptors (ECMA-167 4/14.6.8).
    pub(super) form: u16,
    /// Allocation descriptors or content.
    pub(super) tail: Vec<u8>,
    pub(super) information_length: u64,
    pub(super) blocks_recorded: u64,
}

/// Changes the fields that both forms of entries have.
macro_rules! patch_fields {
    ($entry:ident, $patch:ident) => {
        if let Some(metadata) = $patch.metadata {
            patch_icb(&mut $entry.icb_tag, metadata);
            let old = posix_permissions($entry.permissions.get(), 0);
            if old != metadata.permissions & 0o777 {
                $entry.permissions = U32::new(permission_bits(metadata.permissions));
            }
            patch_id(&mut $entry.uid, metadata.uid);
            patch_id(&mut $entry.gid, metadata.gid);
            patch_time(&mut $entry.access_date_and_time, metadata.accessed);
            patch_time(
                &mut $entry.modification_date_and_time,
                Some(metadata.modified),
            );
            patch_time(&mut $entry.attribute_date_and_time, metadata.changed);
        }
        if let Some(time) = $patch.modified {
            $entry.modification_date_and_time = disc_time(time);
            $entry.attribute_date_and_time = disc_time(time);
        }
        if let Some(links) = $patch.links {
            $entry.file_link_count = U16::new(links);
        }
        if let Some(checkpoint) = $patch.checkpoint {
            $entry.checkpoint = U32::new(checkpoint);
        }
        if let Some(file_type) = $patch.file_type {
            $entry.icb_tag.file_type = file_type;
        }
        if let Some(body) = &$patch.body {
            let flags = $entry.icb_tag.flags.get() & !icb_flags::DESCRIPTORS;
            $entry.icb_tag.flags = U16::new(flags | body.form);
            $entry.information_length = U64::new(body.information_length);
            $entry.logical_blocks_recorded = U64::new(body.blocks_recorded);
            $entry.length_of_allocation_descriptors = U32::new(body.tail.len() as u32);
        }
    };
}

impl Patch<'_> {
    /// Changes the entry in `block`, which was checked to be one. A new body fits into it.
    pub(super) fn apply(&self, block: &mut [u8]) {
        let is_extended = block[..2] == tag_id::EXTENDED_FILE_ENTRY.to_le_bytes();
        let start = if is_extended {
            self.apply_extended(block)
        } else {
            self.apply_plain(block)
        };
        let Some((tail_at, tail_len)) = start else {
            return;
        };
        let mut end = tail_at + tail_len;
        if let Some(attributes) = self.attributes {
            block[tail_at - attributes.len()..tail_at].copy_from_slice(attributes);
        }
        if let Some(body) = &self.body {
            end = tail_at + body.tail.len();
            block[tail_at..end].copy_from_slice(&body.tail);
            block[end..].fill(0);
        }
        tags::reseal(block, end - Tag::SIZE);
    }

    /// Where what is behind the attributes starts, and how long it is.
    fn apply_extended(&self, block: &mut [u8]) -> Option<(usize, usize)> {
        let mut entry = *ExtendedFileEntry::view(block).ok()?.0;
        let old_length = entry.information_length.get();
        patch_fields!(entry, self);
        if let Some(metadata) = self.metadata {
            patch_time(&mut entry.creation_date_and_time, metadata.created);
        }
        if let Some(body) = &self.body {
            // Its own length and that of its streams (ECMA-167 4/14.17.11).
            let streams = entry.object_size.get().saturating_sub(old_length);
            entry.object_size = U64::new(body.information_length.saturating_add(streams));
        }
        if let Some(streams) = self.streams {
            entry.stream_directory_icb = streams.icb().unwrap_or(LongAd::zeroed());
            let own = entry.information_length.get();
            entry.object_size = U64::new(own.saturating_add(streams.bytes));
        }
        if let Some(attributes) = self.attributes {
            // All of them, so none is left in a file.
            entry.extended_attribute_icb = LongAd::zeroed();
            entry.length_of_extended_attributes = U32::new(attributes.len() as u32);
        }
        block[..ExtendedFileEntry::SIZE].copy_from_slice(entry.bytes());
        let attributes = entry.length_of_extended_attributes.get() as usize;
        let tail = entry.length_of_allocation_descriptors.get() as usize;
        Some((ExtendedFileEntry::SIZE + attributes, tail))
    }

    /// As [`Patch::apply_extended`]. The time of creation is an attribute.
    fn apply_plain(&self, block: &mut [u8]) -> Option<(usize, usize)> {
        let mut entry = *FileEntry::view(block).ok()?.0;
        patch_fields!(entry, self);
        if let Some(attributes) = self.attributes {
            entry.extended_attribute_icb = LongAd::zeroed();
            entry.length_of_extended_attributes = U32::new(attributes.len() as u32);
        }
        block[..FileEntry::SIZE].copy_from_slice(entry.bytes());
        let attributes = entry.length_of_extended_attributes.get() as usize;
        let tail = entry.length_of_allocation_descriptors.get() as usize;
        Some((FileEntry::SIZE + attributes, tail))
    }
}

fn patch_icb(icb: &mut IcbTag, metadata: &Metadata) {
    let mut flags = icb.flags.get();
    for (flag, mode) in SPECIAL {
        let is_set = metadata.permissions & mode != 0;
        flags = if is_set { flags | flag } else { flags & !flag };
    }
    icb.flags = U16::new(flags);
    icb.file_type = match (icb.file_type, metadata.real_time) {
        (file_type::FILE, true) => file_type::REAL_TIME,
        (file_type::REAL_TIME, false) => file_type::FILE,
        (other, _) => other,
    };
}

/// An unknown id stays unknown until it is given another value than the zero it is read as.
fn patch_id(field: &mut U32, id: u32) {
    let old = field.get();
    let read = if old == NO_ID { 0 } else { old };
    if read != id {
        *field = U32::new(id);
    }
}

/// A time keeps its bytes, and with them its zone, as long as it is the same point in time.
fn patch_time(field: &mut DiscTime, time: Option<Timestamp>) {
    let Some(time) = time else { return };
    let is_unknown = time == Timestamp::EPOCH && field.timestamp().is_none();
    if field.timestamp() != Some(time) && !is_unknown {
        *field = disc_time(time);
    }
}
