//! The integrity descriptor (ECMA-167 3/10.10): the volume is whole, and what it holds.
//!
//! It fills a write unit with copies of itself, so that the next one, in the write unit after
//! it, never shares what a failed write can lose. The first one comes with zeros up to the end of
//! the sequence, so that nothing that was on the medium before is taken for a newer one.

use reburn_blocks::{BLOCK_SIZE, BlockCount};
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32, U64};

use super::emit::{developer, disc_time};
use super::{Access, Placed};
use crate::records::{IntegrityUse, LogicalVolumeIntegrity, tag_id};

impl Placed<'_> {
    /// The write unit with the integrity descriptor; a first one with the rest of the sequence.
    pub(super) fn integrity(&self) -> Vec<u8> {
        let (sequence, start) = (
            self.addresses.integrity,
            self.addresses.integrity_descriptor,
        );
        let unit = self.layout.options.write_unit.blocks();
        let descriptor = self.integrity_descriptor();
        let mut out = Vec::with_capacity(unit.as_usize() * BLOCK_SIZE);
        let mut lba = start;
        for _ in 0..unit.get() {
            out.extend(self.sealed_block(&descriptor, tag_id::INTEGRITY, lba));
            lba += BlockCount::ONE;
        }
        if start == sequence.start_lba() {
            out.resize(sequence.block_count().as_usize() * BLOCK_SIZE, 0);
        }
        out
    }

    fn integrity_descriptor(&self) -> Vec<u8> {
        let (layout, options) = (self.layout, &self.layout.options);
        let partition = self.addresses.partition.block_count();
        let free = match options.access {
            Access::ReadOnly => BlockCount::ZERO,
            Access::Overwritable => self.free_space().block_count(),
        };
        let mut partitions = vec![(free, partition)];
        if options.revision.has_metadata_partition() {
            partitions.push((BlockCount::ZERO, layout.metadata_blocks()));
        }
        let mut integrity = LogicalVolumeIntegrity::zeroed();
        integrity.recording_date_and_time = disc_time(layout.volume_time);
        integrity.integrity_type = U32::new(LogicalVolumeIntegrity::CLOSED);
        integrity.next_unique_id = U64::new(layout.next_unique_id());
        integrity.number_of_partitions = U32::new(partitions.len() as u32);
        integrity.length_of_implementation_use = U32::new(IntegrityUse::SIZE as u32);
        let mut out = integrity.bytes().to_vec();
        out.extend(
            partitions
                .iter()
                .flat_map(|(free, _)| free.get().to_le_bytes()),
        );
        out.extend(
            partitions
                .iter()
                .flat_map(|(_, size)| size.get().to_le_bytes()),
        );
        let mut used = IntegrityUse::zeroed();
        used.implementation_identifier = developer(options);
        used.number_of_files = U32::new(layout.counts.files);
        used.number_of_directories = U32::new(layout.counts.directories);
        used.minimum_udf_read_revision = U16::new(options.revision.needed());
        used.minimum_udf_write_revision = U16::new(options.revision.needed());
        used.maximum_udf_write_revision = U16::new(options.revision.code());
        out.extend_from_slice(used.bytes());
        out
    }
}
