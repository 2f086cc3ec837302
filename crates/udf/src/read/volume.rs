//! A volume that was opened, and what is known of it.

use reburn_blocks::{BlockRange, BlockRead, Lba};

use super::disc::Disc;
use super::entry::Reader;
use super::integrity::{Integrity, IntegritySequence};
use super::note::{Note, Notes};
use super::partitions::{Kind, Partitions};
use super::sequence::Sequence;
use super::view::{AccessType, PartitionKind, PartitionView, Revision};
use crate::UdfError;
use crate::records::{
    AnchorPointer, FileSetDescriptor, LogicalVolume, PrimaryVolume, VirtualTableHead,
};

/// A UDF volume: the descriptors of one session.
#[derive(Debug)]
pub struct Volume {
    pub(super) primary: Box<PrimaryVolume>,
    pub(super) logical: Box<LogicalVolume>,
    pub(super) sequence: Sequence,
    pub(super) partitions: Partitions,
    pub(super) file_set: Box<FileSetDescriptor>,
    /// Where the file set descriptor is, in bytes.
    pub(super) file_set_at: u64,
    pub(super) integrity: Option<Integrity>,
    pub(super) integrity_sequence: IntegritySequence,
    pub(super) virtual_head: Option<VirtualTableHead>,
    /// The block with the entry of the virtual allocation table, if there is one.
    pub(super) virtual_table: Option<Lba>,
    pub(super) notes: Notes,
    /// The first block of the recognition sequence.
    pub(super) recognition: Lba,
    /// Blocks with anchors, the one that was used first, and what that one says.
    pub(super) anchors: Vec<Lba>,
    pub(super) pointer: AnchorPointer,
    /// Blocks of the disc that all of this is in.
    pub(super) blocks: Vec<BlockRange>,
}

impl Volume {
    /// The revision of UDF that the volume was made for.
    pub fn revision(&self) -> Revision {
        Revision(self.logical.domain_identifier.domain().udf_revision.get())
    }

    /// Bytes of a logical block.
    pub fn block_size(&self) -> u32 {
        self.partitions.block_size
    }

    /// What systems show as the volume's name: the logical volume identifier, or its newer
    /// form in the virtual allocation table.
    pub fn label(&self) -> String {
        match &self.virtual_head {
            Some(head) => head.logical_volume_identifier.text(),
            None => self.logical.logical_volume_identifier.text(),
        }
    }

    /// The volume identifier (ECMA-167 3/10.1.4).
    pub fn volume_identifier(&self) -> String {
        self.primary.volume_identifier.text()
    }

    /// The volume set identifier (ECMA-167 3/10.1.11), which is unique by its first half.
    pub fn volume_set_identifier(&self) -> String {
        self.primary.volume_set_identifier.text()
    }

    /// The file set identifier (ECMA-167 4/14.1.12).
    pub fn file_set_identifier(&self) -> String {
        self.file_set.file_set_identifier.text()
    }

    /// The partitions, in the order of their maps.
    pub fn partitions(&self) -> Vec<PartitionView> {
        let maps = self.partitions.maps.iter();
        maps.map(|map| PartitionView {
            kind: match map.kind {
                Kind::Plain => PartitionKind::Plain,
                Kind::Sparable(_) => PartitionKind::Sparable,
                Kind::Virtual { .. } => PartitionKind::Virtual,
                Kind::Metadata { .. } => PartitionKind::Metadata,
            },
            number: map.number,
            start: map.start,
            blocks: map.length,
            access: self
                .sequence
                .partitions
                .get(&map.number)
                .map_or(AccessType::Unknown(u32::MAX), |(descriptor, _)| {
                    AccessType::from_number(descriptor.access_type.get())
                }),
        })
        .collect()
    }

    /// What the last writer said of the volume; `None` where nothing whole is left of it.
    pub fn integrity(&self) -> Option<&Integrity> {
        self.integrity.as_ref()
    }

    /// The block with the entry of the virtual allocation table (UDF 2.2.11), if there is one.
    pub fn virtual_table_entry(&self) -> Option<Lba> {
        self.virtual_table
    }

    /// What was read leniently, or from a second copy, to open the volume.
    pub fn notes(&self) -> &[Note] {
        self.notes.as_slice()
    }

    /// Free blocks of the partition that data is in, counted in its bitmap or table; `None`
    /// where it has neither, as on read-only and write-once media.
    pub fn free_blocks(&self, disc: &dyn BlockRead) -> Result<Option<u64>, UdfError> {
        let disc = Disc::new(disc);
        let notes = std::cell::RefCell::default();
        let reader = Reader::new(&disc, &self.partitions, &notes);
        for (index, map) in (0u16..).zip(&self.partitions.maps) {
            if matches!(map.kind, Kind::Plain | Kind::Sparable(_))
                && let Some((descriptor, at)) = self.sequence.partitions.get(&map.number)
                && let Some(space) = reader.free_space(index, descriptor, *at)?
            {
                return Ok(Some(space.free));
            }
        }
        Ok(None)
    }
}
