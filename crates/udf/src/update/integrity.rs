//! The integrity descriptor of an edit (ECMA-167 3/10.10): the last one with the new numbers,
//! closed, in the write unit behind it. The volume is whole at every moment, so it never says
//! otherwise.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, WriteUnit};
use reburn_record::Record;
use reburn_record::little_endian::{U32, U64};
use reburn_tree::{Timestamp, Tree};

use super::{UpdateError, tags};
use crate::records::{
    ExtentAd, IntegrityUse, LogicalVolumeIntegrity, Tag, TerminatingDescriptor, tag_id,
};
use crate::write::{UdfOptions, developer, disc_time};
use crate::{Corrupt, Entries, Place, UdfError, VolumeStructures};

/// What a new descriptor says.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewIntegrity {
    pub(super) time: Timestamp,
    pub(super) next_unique_id: u64,
    pub(super) counts: Counts,
    /// A partition of another size: its number among all, and its blocks.
    pub(super) size: Option<(usize, u32)>,
    pub(super) serial: u16,
    /// The extent that the sequence goes on in, if not where it is.
    pub(super) moved_to: Option<BlockRange>,
    /// Whether it is written over the last one.
    pub(super) is_in_place: bool,
}

/// How much there is on a volume (UDF 2.2.6.4).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    files: u32,
    directories: u32,
}

impl Counts {
    pub(super) fn files(self) -> u32 {
        self.files
    }

    pub(super) fn directories(self) -> u32 {
        self.directories
    }

    /// Counts anew: the last descriptor may be that of an edit that was cut. Files that the
    /// volume keeps for itself count.
    pub(super) fn of(tree: &Tree, entries: &Entries) -> Self {
        let mut counts = Self {
            files: entries.own_files(),
            directories: 0,
        };
        for (node, _) in tree.walk(Tree::ROOT) {
            if tree.is_directory(node) {
                counts.directories += 1;
            } else {
                counts.files += 1;
            }
        }
        counts
    }
}

impl NewIntegrity {
    /// Where the descriptor goes and the blocks there: a write unit of copies, and a terminator
    /// behind them if something else is there that readers would go on to. In another extent, with
    /// zeros to its end.
    pub(super) fn render(
        &self,
        structures: &VolumeStructures,
        disc: &dyn BlockRead,
        unit: WriteUnit,
        options: &UdfOptions,
    ) -> Result<(Lba, Vec<u8>), UpdateError> {
        let full = || UpdateError::IntegrityFull(unit);
        let last = structures.integrity_descriptor.ok_or_else(full)?;
        let start = match self.moved_to {
            _ if self.is_in_place => last,
            Some(extent) => extent.start_lba(),
            None => structures.next_integrity_unit(unit).ok_or_else(full)?,
        };
        let mut descriptor = vec![0; BLOCK_SIZE];
        let what = "the integrity descriptor";
        disc.read_blocks(last, &mut descriptor)
            .map_err(|source| UdfError::Io { what, source })?;
        self.patch(&mut descriptor, options).ok_or_else(|| {
            let at = last.byte_offset();
            let place = Place::of::<LogicalVolumeIntegrity>(at, "length_of_implementation_use");
            place.corrupt(Corrupt::Missing("table of partitions"))
        })?;
        if self.is_in_place {
            return Ok((last, descriptor));
        }
        let mut bytes = Vec::with_capacity(unit.bytes() + BLOCK_SIZE);
        let mut lba = start;
        for _ in 0..unit.blocks().get() {
            tags::set_location(&mut descriptor, lba.get());
            bytes.extend_from_slice(&descriptor);
            lba += BlockCount::ONE;
        }
        if let Some(extent) = self.moved_to {
            bytes.resize(extent.block_count().as_usize() * BLOCK_SIZE, 0);
            return Ok((start, bytes));
        }
        let is_inside = structures
            .integrity
            .iter()
            .any(|extent| extent.contains(lba));
        if is_inside && !ends_here(disc, lba) {
            let mut end = vec![0; BLOCK_SIZE];
            end[..2].copy_from_slice(&tag_id::TERMINATING.to_le_bytes());
            end[2..4].copy_from_slice(&descriptor[2..4]);
            tags::set_serial(&mut end, self.serial);
            tags::set_location(&mut end, lba.get());
            tags::reseal(&mut end, TerminatingDescriptor::SIZE - Tag::SIZE);
            bytes.extend(end);
        }
        Ok((start, bytes))
    }

    /// Makes the last descriptor the next one; `None` if it does not have what it must have.
    fn patch(&self, block: &mut [u8], options: &UdfOptions) -> Option<()> {
        let (record, _) = LogicalVolumeIntegrity::view(block).ok()?;
        let mut record = *record;
        let partitions = record.number_of_partitions.get() as usize;
        let tables = partitions.checked_mul(8)?;
        let used_at = LogicalVolumeIntegrity::SIZE.checked_add(tables)?;
        let used_len = record.length_of_implementation_use.get() as usize;
        let end = used_at.checked_add(used_len)?;
        let number = self.size.map_or(0, |(number, _)| number);
        if partitions <= number || end > block.len() || used_len < IntegrityUse::SIZE {
            return None;
        }
        record.recording_date_and_time = disc_time(self.time);
        record.integrity_type = U32::new(LogicalVolumeIntegrity::CLOSED);
        record.next_integrity_extent = ExtentAd::zeroed();
        record.next_unique_id = U64::new(self.next_unique_id);
        let mut used = *IntegrityUse::view(&block[used_at..]).ok()?.0;
        used.implementation_identifier = developer(options);
        used.number_of_files = U32::new(self.counts.files);
        used.number_of_directories = U32::new(self.counts.directories);
        block[..LogicalVolumeIntegrity::SIZE].copy_from_slice(record.bytes());
        if let Some((number, blocks)) = self.size {
            let at = LogicalVolumeIntegrity::SIZE + 4 * (partitions + number);
            block[at..at + 4].copy_from_slice(&blocks.to_le_bytes());
        }
        block[used_at..used_at + IntegrityUse::SIZE].copy_from_slice(used.bytes());
        block[end..].fill(0);
        tags::reseal(block, end - Tag::SIZE);
        Some(())
    }
}

/// Changes the size of the partition that file data are in, in an integrity descriptor.
pub(super) fn set_partition_blocks(block: &mut [u8], blocks: BlockCount) {
    set_number(block, |partitions| partitions, blocks.get());
}

/// Changes how many blocks of that partition are free.
pub(super) fn set_free_blocks(block: &mut [u8], blocks: u32) {
    set_number(block, |_| 0, blocks);
}

/// Changes a number of the tables of partitions, by its place among them.
fn set_number(block: &mut [u8], place: impl FnOnce(usize) -> usize, blocks: u32) {
    let Ok((record, _)) = LogicalVolumeIntegrity::view(block) else {
        return;
    };
    let is_integrity = record.tag.tag_identifier.get() == tag_id::INTEGRITY;
    let covered = record.tag.descriptor_crc_length.get();
    let partitions = record.number_of_partitions.get() as usize;
    let at = LogicalVolumeIntegrity::SIZE + 4 * place(partitions);
    if let Some(size) = block.get_mut(at..at + 4).filter(|_| is_integrity) {
        size.copy_from_slice(&blocks.to_le_bytes());
        tags::reseal(block, covered.into());
    }
}

/// Whether readers stop at a block of an integrity sequence.
fn ends_here(disc: &dyn BlockRead, lba: Lba) -> bool {
    let mut bytes = vec![0; BLOCK_SIZE];
    disc.read_blocks(lba, &mut bytes).is_ok()
        && (bytes.iter().all(|&byte| byte == 0)
            || Tag::expect(&bytes, tag_id::TERMINATING, lba.get()).is_ok())
}
