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

use super::attributes::table_attributes;
use super::emit::{developer, dstring, udf_identifier};
use super::entry::Entry;
use super::extents::{EXTENT_BYTES_MAX, cut};
use super::placed::short_ad;
use super::{Layout, Placed, VirtualTableAddresses};
use crate::records::{
    EntityId, PreviousVat, VirtualTableExtension, VirtualTableHead, VirtualTableTail, file_type,
    icb_flags,
};

/// Blocks of the table and its entry.
pub(super) fn blocks(layout: &Layout) -> BlockCount {
    if is_embedded(layout) {
        return BlockCount::ONE;
    }
    // Not more than blocks of metadata, as each has four bytes in the table.
    let table = BlockCount::for_bytes(table_bytes(layout)).expect("a table is small");
    BlockCount::ONE + table
}

fn table_bytes(layout: &Layout) -> u64 {
    let around = if layout.form.is_extended {
        VirtualTableHead::SIZE + EntityId::SIZE
    } else {
        VirtualTableTail::SIZE
    };
    around as u64 + 4 * u64::from(layout.used_blocks())
}

/// Whether the table is in its entry. With attributes there it is not: Linux takes them for the
/// beginning of the table then.
fn is_embedded(layout: &Layout) -> bool {
    let room = BLOCK_SIZE - layout.form.head_bytes();
    layout.form.is_extended && table_bytes(layout) <= room as u64
}

impl Placed<'_> {
    /// The table, if it does not fit into its entry, and the entry.
    pub(super) fn virtual_table(&self, at: VirtualTableAddresses) -> Vec<u8> {
        let (layout, options) = (self.layout, &self.layout.options);
        let table = self.table(at);
        let bytes = table.len() as u64;
        let block = self.addresses.in_partition(at.entry);
        let mut entry = Entry {
            information_length: bytes,
            unique_id: self.virtual_table_id(),
            ..Entry::of_system(file_type::UNSPECIFIED, layout.volume_time)
        };
        if layout.form.is_extended {
            entry.file_type = file_type::VIRTUAL_TABLE;
        } else {
            entry.attributes = self.extension(block);
        }
        let mut out = Vec::new();
        if is_embedded(layout) {
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

    /// The unique id of the table's entry: the last that was given (UDF 3.2.1.1).
    fn virtual_table_id(&self) -> u64 {
        self.layout.next_unique_id() - 1
    }

    fn table(&self, at: VirtualTableAddresses) -> Vec<u8> {
        let (layout, options) = (self.layout, &self.layout.options);
        let mut out = Vec::with_capacity(table_bytes(layout) as usize);
        let previous = at
            .previous
            .map_or(PreviousVat::NONE, |lba| self.addresses.in_partition(lba));
        if layout.form.is_extended {
            let mut head = VirtualTableHead::zeroed();
            let length = VirtualTableHead::SIZE + EntityId::SIZE;
            head.length_of_header = U16::new(length as u16);
            head.length_of_implementation_use = U16::new(EntityId::SIZE as u16);
            head.logical_volume_identifier = dstring(self.label());
            head.previous_vat_icb_location = U32::new(previous);
            head.number_of_files = U32::new(layout.counts.files);
            head.number_of_directories = U32::new(layout.counts.directories);
            head.minimum_udf_read_revision = U16::new(options.revision.needed_to_read());
            head.minimum_udf_write_revision = U16::new(options.needed_to_write());
            head.maximum_udf_write_revision = U16::new(options.revision.code());
            out.extend_from_slice(head.bytes());
            out.extend_from_slice(developer(options).bytes());
        }
        self.push_entries(&mut out);
        if !layout.form.is_extended {
            let mut tail = VirtualTableTail::zeroed();
            tail.entity_identifier = udf_identifier(EntityId::VIRTUAL_TABLE, options.revision);
            tail.previous_vat_icb_location = U32::new(previous);
            out.extend_from_slice(tail.bytes());
        }
        debug_assert_eq!(out.len() as u64, table_bytes(layout));
        out
    }

    /// Where each block of the metadata is, or that it has no virtual address.
    fn push_entries(&self, out: &mut Vec<u8>) {
        let layout = self.layout;
        let first = self.addresses.in_partition(self.addresses.metadata);
        let start = out.len();
        for block in 0..layout.used_blocks() {
            out.extend_from_slice(&(first + block).to_le_bytes());
        }
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
        for (entry, blocks) in folders.chain(streams) {
            let from = start + 4 * (entry as usize + 1);
            out[from..from + 4 * blocks as usize].fill(0xff);
        }
    }

    /// The attribute with what later tables have in their header (UDF 1.50, errata).
    fn extension(&self, block: u32) -> Vec<u8> {
        let mut extension = VirtualTableExtension::zeroed();
        extension.verification_id = U64::new(self.virtual_table_id());
        extension.number_of_files = U32::new(self.layout.counts.files);
        extension.number_of_directories = U32::new(self.layout.counts.directories);
        extension.logical_volume_identifier = dstring(self.label());
        table_attributes(&self.layout.options, extension.bytes(), block)
    }
}
