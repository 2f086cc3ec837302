//! The virtual allocation table (UDF 2.2.11; before 2.00 UDF 1.50 2.2.10): where the blocks of a
//! virtual partition are.
//!
//! Virtual block n is the n-th block of the metadata: 0 the file set descriptor, 1 the root.
//! Blocks of directories, which are addressed as they stand, have no virtual address.
//!
//! Invariant: the table's entry is the last block of the volume, the table is in it or right
//! before it.

use reburn_blocks::{BLOCK_SIZE, BlockCount};
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32, U64};
use reburn_tree::Timestamp;

use super::attributes::table_attributes;
use super::emit::{developer, dstring, udf_identifier};
use super::entry::Entry;
use super::extents::{EXTENT_BYTES_MAX, cut};
use super::placed::short_ad;
use super::{Layout, Placed, UdfOptions, UdfRevision, VirtualTableAddresses};
use crate::records::{
    EntityId, ExtendedFileEntry, PreviousVat, VirtualTableExtension, VirtualTableHead,
    VirtualTableTail, file_type, icb_flags,
};

/// Blocks of the table of a layout and its entry.
pub(super) fn blocks(layout: &Layout) -> BlockCount {
    VirtualTable::blocks_for(layout.options.revision, layout.used_blocks())
}

/// A virtual allocation table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VirtualTable {
    /// The name of the volume.
    pub(crate) label: String,
    /// The block with the entry of the table before; [`VirtualTable::NOWHERE`] if there is none.
    pub(crate) previous: u32,
    /// Where each virtual block is.
    pub(crate) entries: Vec<u32>,
    /// The last unique id that was given (UDF 3.2.1.1).
    pub(crate) unique_id: u64,
    pub(crate) files: u32,
    pub(crate) directories: u32,
    pub(crate) time: Timestamp,
}

impl VirtualTable {
    /// No block, as an entry.
    pub(crate) const NOWHERE: u32 = PreviousVat::NONE;

    /// Blocks of a table with so many entries, and of its entry.
    pub(crate) fn blocks_for(revision: UdfRevision, entries: u32) -> BlockCount {
        let bytes = table_bytes(revision, entries);
        if is_embedded(revision, bytes) {
            return BlockCount::ONE;
        }
        // Not more than blocks of metadata, as each has four bytes in the table.
        let table = BlockCount::for_bytes(bytes).expect("a table is small");
        BlockCount::ONE + table
    }

    /// The table, if it does not fit into its entry, and the entry, which the partition knows as
    /// `block`: the table stands right before it.
    pub(crate) fn render(&self, options: &UdfOptions, block: u32) -> Vec<u8> {
        let is_extended = options.revision.is_third_edition();
        let table = self.table(options);
        let bytes = table.len() as u64;
        let mut entry = Entry {
            information_length: bytes,
            unique_id: self.unique_id,
            ..Entry::of_system(file_type::UNSPECIFIED, self.time)
        };
        if is_extended {
            entry.file_type = file_type::VIRTUAL_TABLE;
        } else {
            entry.attributes = self.extension(options, block);
        }
        let mut out = Vec::new();
        if is_embedded(options.revision, bytes) {
            entry.flags = icb_flags::EMBEDDED;
            entry.tail = table;
        } else {
            let blocks = bytes.div_ceil(BLOCK_SIZE as u64);
            entry.blocks_recorded = blocks;
            let mut first = block - blocks as u32;
            for bytes in cut(bytes, EXTENT_BYTES_MAX) {
                entry.tail.extend_from_slice(short_ad(bytes, first).bytes());
                first += EXTENT_BYTES_MAX as u32 / BLOCK_SIZE as u32;
            }
            out = table;
            out.resize(blocks as usize * BLOCK_SIZE, 0);
        }
        let start = out.len();
        out.resize(start + BLOCK_SIZE, 0);
        entry.write(options, block, &mut out[start..]);
        out
    }

    fn table(&self, options: &UdfOptions) -> Vec<u8> {
        let count = u32::try_from(self.entries.len()).expect("as many as blocks of metadata");
        let len = table_bytes(options.revision, count);
        let mut out = Vec::with_capacity(len as usize);
        let is_extended = options.revision.is_third_edition();
        if is_extended {
            let mut head = VirtualTableHead::zeroed();
            let length = VirtualTableHead::SIZE + EntityId::SIZE;
            head.length_of_header = U16::new(length as u16);
            head.length_of_implementation_use = U16::new(EntityId::SIZE as u16);
            head.logical_volume_identifier = dstring(&self.label);
            head.previous_vat_icb_location = U32::new(self.previous);
            head.number_of_files = U32::new(self.files);
            head.number_of_directories = U32::new(self.directories);
            head.minimum_udf_read_revision = U16::new(options.revision.needed_to_read());
            head.minimum_udf_write_revision = U16::new(options.needed_to_write());
            head.maximum_udf_write_revision = U16::new(options.revision.code());
            out.extend_from_slice(head.bytes());
            out.extend_from_slice(developer(options).bytes());
        }
        for entry in &self.entries {
            out.extend_from_slice(&entry.to_le_bytes());
        }
        if !is_extended {
            let mut tail = VirtualTableTail::zeroed();
            tail.entity_identifier = udf_identifier(EntityId::VIRTUAL_TABLE, options.revision);
            tail.previous_vat_icb_location = U32::new(self.previous);
            out.extend_from_slice(tail.bytes());
        }
        debug_assert_eq!(out.len() as u64, len);
        out
    }

    /// The attribute with what later tables have in their header (UDF 1.50, errata).
    fn extension(&self, options: &UdfOptions, block: u32) -> Vec<u8> {
        let mut extension = VirtualTableExtension::zeroed();
        extension.verification_id = U64::new(self.unique_id);
        extension.number_of_files = U32::new(self.files);
        extension.number_of_directories = U32::new(self.directories);
        extension.logical_volume_identifier = dstring(&self.label);
        table_attributes(options, extension.bytes(), block)
    }
}

fn table_bytes(revision: UdfRevision, entries: u32) -> u64 {
    let around = if revision.is_third_edition() {
        VirtualTableHead::SIZE + EntityId::SIZE
    } else {
        VirtualTableTail::SIZE
    };
    around as u64 + 4 * u64::from(entries)
}

/// Whether the table is in its entry. With attributes there it is not: Linux takes them for the
/// beginning of the table then.
fn is_embedded(revision: UdfRevision, bytes: u64) -> bool {
    let room = BLOCK_SIZE - ExtendedFileEntry::SIZE;
    revision.is_third_edition() && bytes <= room as u64
}

impl Placed<'_> {
    /// The table, if it does not fit into its entry, and the entry.
    pub(super) fn virtual_table(&self, at: VirtualTableAddresses) -> Vec<u8> {
        let layout = self.layout;
        let number = |lba| self.addresses.in_partition(lba);
        let table = VirtualTable {
            label: self.label().to_owned(),
            previous: at.previous.map_or(VirtualTable::NOWHERE, number),
            entries: self.virtual_blocks(),
            unique_id: layout.next_unique_id() - 1,
            files: layout.counts.files,
            directories: layout.counts.directories,
            time: layout.volume_time,
        };
        table.render(&layout.options, number(at.entry))
    }

    /// Where each block of the metadata is, or that it has no virtual address.
    fn virtual_blocks(&self) -> Vec<u32> {
        let layout = self.layout;
        let first = self.addresses.in_partition(self.addresses.metadata);
        let mut blocks: Vec<u32> = (first..first + layout.used_blocks()).collect();
        let folders = layout.directories.iter();
        let folders = folders.map(|directory| {
            let blocks = layout.directory_blocks(self.tree, directory);
            (directory.start, blocks)
        });
        let streams = layout.stream_directories.iter();
        let streams = streams.map(|directory| {
            let blocks = layout.stream_directory_blocks(directory);
            (directory.start, blocks)
        });
        for (entry, count) in folders.chain(streams) {
            let from = entry as usize + 1;
            blocks[from..from + count as usize].fill(VirtualTable::NOWHERE);
        }
        blocks
    }
}
