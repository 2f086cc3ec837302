//! The structures of a volume that are few and small, and what they are.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_record::Record;

use super::Placed;
use crate::records::VolumeStructure;

/// A structure outside the run of metadata, as it shall stand on the disc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// What it is.
    pub kind: StructureKind,
    /// Its first block.
    pub start: Lba,
    /// Its bytes, in whole blocks.
    pub bytes: Vec<u8>,
}

/// What a [`Structure`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructureKind {
    /// The recognition sequence (ECMA-167 2/8.3, UDF 2.1.7).
    Recognition,
    /// An anchor (ECMA-167 3/10.2).
    Anchor,
    /// The main volume descriptor sequence (ECMA-167 3/8.4.2).
    MainSequence,
    /// The reserve volume descriptor sequence.
    ReserveSequence,
    /// The integrity descriptor (ECMA-167 3/10.10).
    Integrity,
    /// The bitmap of free space (ECMA-167 4/14.12).
    SpaceBitmap,
    /// The metadata file's entry (UDF 2.2.13).
    MetadataEntry,
    /// The metadata mirror file's entry.
    MirrorEntry,
    /// The entry of the bitmap of free metadata, and the bitmap (UDF 2.2.13.2).
    MetadataBitmap,
    /// A sparing table (UDF 2.2.12).
    SparingTable,
    /// The virtual allocation table, if it does not fit into its entry, and the entry, the last
    /// block of the volume (UDF 2.2.11).
    VirtualTable,
}

impl Structure {
    /// The blocks that it takes.
    pub fn range(&self) -> BlockRange {
        let count = BlockCount::in_buffer(self.bytes.len());
        BlockRange::with_count(self.start, count).expect("a structure has blocks, all on the disc")
    }
}

impl Placed<'_> {
    /// Everything outside the run of metadata, besides file data. They take some hundred
    /// kibibytes, where there is a bitmap a bit for each block of the partition, and where there
    /// is a virtual allocation table four bytes for each block of the metadata.
    pub fn structures(&self) -> Vec<Structure> {
        let at = self.addresses;
        let mut structures = Vec::new();
        let mut add = |kind, start, bytes| structures.push(Structure { kind, start, bytes });
        add(
            StructureKind::Recognition,
            at.recognition,
            self.recognition(),
        );
        let (main, reserve) = (at.main_sequence, at.reserve_sequence);
        add(StructureKind::MainSequence, main, self.sequence(main));
        add(
            StructureKind::ReserveSequence,
            reserve,
            self.sequence(reserve),
        );
        for &anchor in &at.anchors {
            add(StructureKind::Anchor, anchor, self.anchor(anchor));
        }
        add(
            StructureKind::Integrity,
            at.integrity_descriptor,
            self.integrity(),
        );
        if let Some(bitmap) = at.space_bitmap {
            add(
                StructureKind::SpaceBitmap,
                bitmap,
                self.space_bitmap(bitmap),
            );
        }
        if let Some(file) = &at.metadata_file {
            let [main, mirror] = self.metadata_entries(file);
            add(StructureKind::MetadataEntry, file.entry, main);
            add(StructureKind::MirrorEntry, file.mirror_entry, mirror);
            if let Some(start) = file.bitmap {
                let bitmap = self.metadata_bitmap_file(start);
                add(StructureKind::MetadataBitmap, start, bitmap);
            }
        }
        if let Some(sparing) = &at.sparing {
            for &lba in &sparing.tables {
                let table = self.sparing_table(sparing, lba);
                add(StructureKind::SparingTable, lba, table);
            }
        }
        if let Some((table, range)) = at.virtual_table.zip(at.virtual_table_range(self.layout)) {
            let bytes = self.virtual_table(table);
            add(StructureKind::VirtualTable, range.start_lba(), bytes);
        }
        structures
    }

    /// Beginning, edition of ECMA-167, end, and a blank block (UDF 2.1.7).
    fn recognition(&self) -> Vec<u8> {
        let edition = if self.layout.options.revision.is_third_edition() {
            VolumeStructure::NSR03
        } else {
            VolumeStructure::NSR02
        };
        let mut out = Vec::with_capacity(4 * BLOCK_SIZE);
        for identifier in [VolumeStructure::BEGIN, edition, VolumeStructure::END] {
            let mut structure = VolumeStructure::zeroed();
            structure.standard_identifier = *identifier;
            structure.structure_version = 1;
            out.extend_from_slice(structure.bytes());
        }
        out.resize(4 * BLOCK_SIZE, 0);
        out
    }
}
