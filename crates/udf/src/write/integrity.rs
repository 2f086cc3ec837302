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
use crate::PartitionKind;
use crate::records::{IntegrityUse, LogicalVolumeIntegrity, tag_id};

/// Blocks that are not counted (UDF 2.2.6.2).
const UNKNOWN: u32 = u32::MAX;

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
        let partitions = self.partition_sizes();
        let mut integrity = LogicalVolumeIntegrity::zeroed();
        integrity.recording_date_and_time = disc_time(layout.volume_time);
        // A virtual allocation table takes over what an open descriptor says (UDF 2.2.6).
        integrity.integrity_type = U32::new(match options.partition {
            PartitionKind::Virtual => LogicalVolumeIntegrity::OPEN,
            _ => LogicalVolumeIntegrity::CLOSED,
        });
        integrity.next_unique_id = U64::new(layout.next_unique_id());
        integrity.number_of_partitions = U32::new(partitions.len() as u32);
        integrity.length_of_implementation_use = U32::new(IntegrityUse::SIZE as u32);
        let mut out = integrity.bytes().to_vec();
        out.extend(partitions.iter().flat_map(|(free, _)| free.to_le_bytes()));
        out.extend(partitions.iter().flat_map(|(_, size)| size.to_le_bytes()));
        let mut used = IntegrityUse::zeroed();
        used.implementation_identifier = developer(options);
        used.number_of_files = U32::new(layout.counts.files);
        used.number_of_directories = U32::new(layout.counts.directories);
        used.minimum_udf_read_revision = U16::new(options.revision.needed_to_read());
        used.minimum_udf_write_revision = U16::new(options.needed_to_write());
        used.maximum_udf_write_revision = U16::new(options.revision.code());
        out.extend_from_slice(used.bytes());
        out
    }

    /// Free blocks and all blocks of each partition (UDF 2.2.6.2, 2.2.6.3).
    fn partition_sizes(&self) -> Vec<(u32, u32)> {
        let (layout, at) = (self.layout, self.addresses);
        let free = match layout.options.access {
            Access::ReadOnly => 0,
            Access::PseudoOverwritable => UNKNOWN,
            Access::Rewritable | Access::Overwritable => self.free_space().block_count().get(),
            // What is free comes after the table.
            Access::WriteOnce => at.virtual_table.map_or(0, |table| {
                let last = at.partition.end_lba();
                last.blocks_since(table.entry).get()
            }),
        };
        let mut partitions = vec![(free, at.partition.block_count().get())];
        match layout.options.partition {
            PartitionKind::Plain | PartitionKind::Sparable => {}
            PartitionKind::Virtual => partitions.push((UNKNOWN, UNKNOWN)),
            PartitionKind::Metadata => {
                let blocks = layout.metadata_blocks().get();
                let free = match layout.options.access {
                    Access::Overwritable => blocks - layout.used_blocks(),
                    _ => 0,
                };
                partitions.push((free, blocks));
            }
        }
        partitions
    }
}
