//! Sections of files: the blocks of one, and which ones make up a file (ECMA-119 6.5.1, 9.1.6).

use reburn_blocks::{BLOCK_SIZE, BlockRange, Lba};
use reburn_tree::Extent;

use super::batch::RecordRef;
use super::directory::RawRecord;
use super::disc::{Disc, addressable, past_end};
use crate::records::{FileFlags, VolumeDescriptor};
use crate::{Corrupt, Incompatible, IsoError};

/// One section of a file.
pub(super) struct Section {
    /// Its blocks, those of an extended attribute record included. They may reach past the end
    /// of the disc.
    pub(super) blocks: Option<BlockRange>,
    /// Its data, unless there is none.
    pub(super) data: Option<Extent>,
}

impl Section {
    /// The section that a record describes.
    pub(super) fn of(
        record: &RawRecord<'_>,
        descriptor: &VolumeDescriptor,
        disc: Disc<'_>,
    ) -> Result<Self, IsoError> {
        let (bytes, attributes) = (record.data_length(), record.attribute_blocks());
        let blocks = u64::from(bytes).div_ceil(BLOCK_SIZE as u64) + u64::from(attributes);
        if blocks == 0 {
            return Ok(Self {
                blocks: None,
                data: None,
            });
        }
        let (unit, gap) = (record.head.file_unit_size, record.head.interleave_gap);
        if unit != 0 || gap != 0 {
            let place = record.place("file_unit_size");
            return Err(place.incompatible(Incompatible::Interleaved { unit, gap }));
        }
        let file = record.head.volume_sequence_number.le();
        let this = descriptor.volume_sequence_number.le();
        // Kernels do not look at the number on a disc that is no part of a set.
        if descriptor.volume_set_size.le() > 1 && file != this && file != 0 {
            let place = record.place("volume_sequence_number");
            return Err(place.incompatible(Incompatible::OtherVolume { file, disc: this }));
        }
        let start = record.location();
        let range = addressable(start, blocks).ok_or_else(|| {
            let place = record.place("extent_location");
            place.corrupt(past_end(start, blocks, disc.end()))
        })?;
        let start = Lba::new(start + attributes);
        let data = (bytes > 0).then(|| Extent::new(start, bytes.into()));
        Ok(Self {
            blocks: Some(range),
            data,
        })
    }
}

/// A file whose next section is due.
pub(super) struct OpenFile {
    identifier: Vec<u8>,
    is_associated: bool,
    /// The section before.
    last: RecordRef,
}

impl OpenFile {
    /// The file that a section belongs to, unless that is its last one.
    pub(super) fn after(record: &RawRecord<'_>) -> Option<Self> {
        record.has(FileFlags::MULTI_EXTENT).then(|| Self {
            identifier: record.identifier.to_vec(),
            is_associated: record.has(FileFlags::ASSOCIATED),
            last: record.reference(),
        })
    }

    /// Whether a record is of the same file.
    pub(super) fn is_continued_by(&self, record: &RawRecord<'_>) -> bool {
        !record.is_directory()
            && self.identifier == record.identifier
            && self.is_associated == record.has(FileFlags::ASSOCIATED)
    }

    /// The error that it is not.
    pub(super) fn missing_section(&self) -> IsoError {
        self.last.place("flags").corrupt(Corrupt::MissingSection)
    }
}
