//! Volume descriptors of a volume that changes (ECMA-167 3/10): those on the disc with new numbers
//! in them, everything else byte for byte as it is, whoever wrote it.

use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRead, Lba};
use reburn_record::Record;
use reburn_record::little_endian::U32;

use super::{UpdateError, UpdateRole, UpdateStructure, tags};
use crate::records::{
    ExtendedFileEntry, ExtentAd, FileEntry, LogicalVolume, Partition, SpareIntegrity, Tag, tag_id,
};
use crate::{EditObstacle, UdfError, Volume};

/// What changes in the volume descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VolumeChange {
    /// How long the partition is from now on; it starts where it did.
    pub partition: Option<BlockRange>,
    /// Where the integrity sequence is from now on.
    pub integrity: Option<BlockRange>,
}

impl VolumeChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A run of blocks as it shall stand on the disc.
pub type ChangedSequence = (Lba, Vec<u8>);

impl Volume {
    /// The volume descriptor sequences with a change in them, in the order to record them: first
    /// the one that readers do not take. That is the reserve sequence, unless the main one cannot
    /// be used. Both say then what readers see now, whatever one of them said so far.
    ///
    /// # Errors
    /// [`EditObstacle::Sequences`] if a sequence is missing or goes on elsewhere.
    pub fn changed_sequences(
        &self,
        disc: &dyn BlockRead,
        change: &VolumeChange,
    ) -> Result<Vec<ChangedSequence>, UpdateError> {
        let structures = self.structures();
        let both = [structures.reserve_sequence, structures.main_sequence];
        let ranges = both.map(|range| range.ok_or(EditObstacle::Sequences));
        let number = self.partitions().first().map(|partition| partition.number);
        let flawed = self.flawed_sequence(disc);
        let mut changed = Vec::new();
        for range in ranges {
            let range = range?;
            let mut bytes = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
            if let Some(flaw) = flawed.as_ref().filter(|flaw| flaw.range == range) {
                let [mend] = &flaw.mends[..] else {
                    return Err(EditObstacle::Sequences.into());
                };
                bytes.copy_from_slice(&mend.bytes);
            } else {
                let what = "a volume descriptor sequence";
                disc.read_blocks(range.start_lba(), &mut bytes)
                    .map_err(|source| UdfError::Io { what, source })?;
            }
            for at in (0..bytes.len()).step_by(BLOCK_SIZE) {
                change.apply(&mut bytes[at..], number)?;
            }
            changed.push((range.start_lba(), bytes));
        }
        if self.is_read_by_reserve() {
            changed.reverse();
        }
        Ok(changed)
    }

    /// The recognition sequence (ECMA-167 2/8.3) as the volume has it, for the session whose
    /// descriptors begin with this block.
    pub fn recognition_at(
        &self,
        disc: &dyn BlockRead,
        lba: Lba,
    ) -> Result<UpdateStructure, UpdateError> {
        /// The beginning, which file system it is, and the end.
        const STRUCTURES: usize = 3;
        let mut bytes = vec![0; STRUCTURES * BLOCK_SIZE];
        let what = "the recognition sequence";
        disc.read_blocks(self.structures().recognition, &mut bytes)
            .map_err(|source| UdfError::Io { what, source })?;
        Ok(UpdateStructure {
            role: UpdateRole::Recognition,
            start: lba,
            bytes,
        })
    }

    /// The entry of the virtual allocation table, for another block: it leads to the same blocks.
    /// Where a recording was cut, readers find the table again if this is the last block.
    pub fn virtual_table_again(
        &self,
        disc: &dyn BlockRead,
        lba: Lba,
    ) -> Result<UpdateStructure, UpdateError> {
        let known = self.virtual_table_entry().ok_or(EditObstacle::Partitions)?;
        let structures = self.structures();
        let partition = structures
            .partitions
            .first()
            .filter(|range| range.contains(lba));
        let partition = partition.ok_or(UpdateError::PartitionFull)?;
        let mut bytes = vec![0; BLOCK_SIZE];
        let what = "the virtual allocation table";
        disc.read_blocks(known, &mut bytes)
            .map_err(|source| UdfError::Io { what, source })?;
        let number = lba.blocks_since(partition.start_lba()).get();
        let (head, attributes) = match ExtendedFileEntry::view(&bytes) {
            Ok((entry, _)) if entry.tag.tag_identifier.get() == tag_id::EXTENDED_FILE_ENTRY => {
                let attributes = entry.length_of_extended_attributes.get();
                (ExtendedFileEntry::SIZE, attributes)
            }
            _ => {
                let attributes = FileEntry::view(&bytes)
                    .map_or(0, |(entry, _)| entry.length_of_extended_attributes.get());
                (FileEntry::SIZE, attributes)
            }
        };
        if attributes > 0 {
            // They have a tag of their own.
            tags::set_location(&mut bytes[head..], number);
        }
        let covered = Tag::view(&bytes).map_or(0, |(tag, _)| tag.descriptor_crc_length.get());
        tags::reseal(&mut bytes, covered.into());
        tags::set_location(&mut bytes, number);
        Ok(UpdateStructure {
            role: UpdateRole::VirtualTable,
            start: lba,
            bytes,
        })
    }

    /// An anchor as the volume has them, for another block.
    pub fn anchor_at(
        &self,
        disc: &dyn BlockRead,
        lba: Lba,
    ) -> Result<UpdateStructure, UpdateError> {
        let known = *self
            .structures()
            .anchors
            .first()
            .ok_or(EditObstacle::Sequences)?;
        let mut bytes = vec![0; BLOCK_SIZE];
        let what = "an anchor";
        disc.read_blocks(known, &mut bytes)
            .map_err(|source| UdfError::Io { what, source })?;
        tags::set_location(&mut bytes, lba.get());
        Ok(UpdateStructure {
            role: UpdateRole::Anchor,
            start: lba,
            bytes,
        })
    }
}

impl VolumeChange {
    /// Changes the descriptor that begins at the start of `bytes`, if it says what changes.
    fn apply(&self, bytes: &mut [u8], partition: Option<u16>) -> Result<(), UpdateError> {
        let Ok((tag, _)) = Tag::view(bytes) else {
            return Ok(());
        };
        let covered = usize::from(tag.descriptor_crc_length.get());
        match tag.tag_identifier.get() {
            tag_id::VOLUME_POINTER => return Err(EditObstacle::Sequences.into()),
            tag_id::PARTITION => {
                if let (Some(range), Ok((found, _))) = (self.partition, Partition::view(bytes))
                    && Some(found.partition_number.get()) == partition
                {
                    let mut new = *found;
                    new.partition_length = U32::new(range.block_count().get());
                    bytes[..Partition::SIZE].copy_from_slice(new.bytes());
                    tags::reseal(bytes, covered);
                }
            }
            tag_id::LOGICAL_VOLUME => {
                if let (Some(range), Ok((found, _))) = (self.integrity, LogicalVolume::view(bytes))
                {
                    let mut new = *found;
                    // Where it was is free for the next time.
                    if let Ok((note, _)) = SpareIntegrity::view(&found.implementation_use)
                        && note.magic == *SpareIntegrity::MAGIC
                    {
                        let mut note = *note;
                        note.extent = found.integrity_sequence_extent;
                        new.implementation_use[..SpareIntegrity::SIZE]
                            .copy_from_slice(note.bytes());
                    }
                    new.integrity_sequence_extent = ExtentAd {
                        extent_length: U32::new(range.block_count().bytes() as u32),
                        extent_location: U32::new(range.start_lba().get()),
                    };
                    bytes[..LogicalVolume::SIZE].copy_from_slice(new.bytes());
                    tags::reseal(bytes, covered);
                }
            }
            _ => {}
        }
        Ok(())
    }
}
