//! Volume descriptors (ECMA-167 3/8.4, 3/10) and the file set descriptor (4/14.1).
//!
//! Invariants: main and reserve sequence differ in their tags alone; the logical volume
//! descriptor comes first, since it is what a reader cannot do without.

use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
use reburn_record::little_endian::{U16, U32};
use reburn_record::{Record, crc16};

use super::emit::{
    char_spec, check_dstring, developer, disc_time, domain, dstring, extent, identifier, seal,
    udf_identifier,
};
use super::layout::ROOT_ENTRY;
use super::metadata_file::partition_maps;
use super::{LayoutError, Placed, UdfTexts};
use crate::records::{
    AnchorPointer, EntityId, FileSetDescriptor, ImplementationUseVolume, LogicalVolume, Partition,
    PrimaryVolume, SpareIntegrity, TerminatingDescriptor, UnallocatedSpace, tag_id,
};

/// Both interchange levels of a volume, of which one disc is the whole set (UDF 2.2.2.1).
const SINGLE_VOLUME: u16 = 2;
/// Both interchange levels of a file set (UDF 2.3.2.1).
const FILE_SET_LEVEL: u16 = 3;
/// The character set list with CS0 alone (UDF 2.2.2.3).
const CS0: u32 = 1;
/// The partition's space is allocated (ECMA-167 3/10.5.3).
const ALLOCATED: u16 = 1;

/// The name of a volume without a name; identifiers must not be empty (UDF 2.2.2.5).
const UNNAMED: &str = "UDF";

/// Checks that all texts fit into their fields.
pub(super) fn check_texts(texts: &UdfTexts) -> Result<(), LayoutError> {
    check_dstring("volume identifier (ECMA-167 3/10.1.4)", &texts.label, 32)?;
    // Sixteen digits stand before the text, and take two bytes each if the text's do.
    let digits = &texts.volume_set_digits;
    let set = format!("{digits:016}{}", texts.volume_set);
    check_dstring("volume set identifier (ECMA-167 3/10.1.11)", &set, 128)?;
    check_dstring("owner (UDF 2.2.7.2.3)", &texts.owner, 36)?;
    check_dstring("organization (UDF 2.2.7.2.3)", &texts.organization, 36)?;
    check_dstring("contact (UDF 2.2.7.2.3)", &texts.contact, 36)?;
    let (field, text) = ("developer (UDF 2.1.5.2)", &texts.developer);
    let max = 23;
    if text.len() > max {
        return Err(LayoutError::TextTooLong {
            field,
            text: text.clone(),
            len: text.len(),
            max,
        });
    }
    if !text.starts_with('*') || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        let text = text.clone();
        return Err(LayoutError::TextNotRecordable { field, text });
    }
    Ok(())
}

impl Placed<'_> {
    pub(super) fn label(&self) -> &str {
        match &*self.layout.options.texts.label {
            "" => UNNAMED,
            label => label,
        }
    }

    /// An anchor (ECMA-167 3/10.2) for the block `lba`.
    pub(super) fn anchor(&self, lba: Lba) -> Vec<u8> {
        let bytes = self.layout.sequence_blocks().bytes();
        let mut anchor = AnchorPointer::zeroed();
        anchor.main_sequence = extent(bytes, self.addresses.main_sequence.get());
        anchor.reserve_sequence = extent(bytes, self.addresses.reserve_sequence.get());
        self.sealed_block(anchor.bytes(), tag_id::ANCHOR, lba)
    }

    /// A volume descriptor sequence from `start` on, in whole write units.
    pub(super) fn sequence(&self, start: Lba) -> Vec<u8> {
        let mut sequence =
            Vec::with_capacity(self.layout.sequence_blocks().as_usize() * BLOCK_SIZE);
        let descriptors = [
            (self.logical_volume(), tag_id::LOGICAL_VOLUME),
            (self.primary_volume(), tag_id::PRIMARY_VOLUME),
            (self.partition(), tag_id::PARTITION),
            (self.information(), tag_id::IMPLEMENTATION_USE),
            (unallocated_space(), tag_id::UNALLOCATED_SPACE),
            (
                TerminatingDescriptor::zeroed().bytes().to_vec(),
                tag_id::TERMINATING,
            ),
        ];
        let mut lba = start;
        for ((descriptor, id), number) in descriptors.into_iter().zip(1u32..) {
            let mut descriptor = descriptor;
            if id != tag_id::TERMINATING {
                // All volume descriptors have their number there (ECMA-167 3/8.4.2).
                descriptor[16..20].copy_from_slice(&number.to_le_bytes());
            }
            sequence.extend(self.sealed_block(&descriptor, id, lba));
            lba += BlockCount::ONE;
        }
        sequence.resize(self.layout.sequence_blocks().as_usize() * BLOCK_SIZE, 0);
        sequence
    }

    /// A block that begins with `descriptor`.
    pub(super) fn sealed_block(&self, descriptor: &[u8], id: u16, lba: Lba) -> Vec<u8> {
        let mut block = descriptor.to_vec();
        seal(&mut block, id, self.layout.options.revision, lba.get());
        block.resize(block.len().next_multiple_of(BLOCK_SIZE), 0);
        block
    }

    fn primary_volume(&self) -> Vec<u8> {
        let options = &self.layout.options;
        let mut volume = PrimaryVolume::zeroed();
        volume.volume_identifier = dstring(self.label());
        volume.volume_sequence_number = U16::new(1);
        volume.maximum_volume_sequence_number = U16::new(1);
        volume.interchange_level = U16::new(SINGLE_VOLUME);
        volume.maximum_interchange_level = U16::new(SINGLE_VOLUME);
        volume.character_set_list = U32::new(CS0);
        volume.maximum_character_set_list = U32::new(CS0);
        volume.volume_set_identifier = dstring(&self.volume_set());
        volume.descriptor_character_set = char_spec();
        volume.explanatory_character_set = char_spec();
        volume.recording_date_and_time = disc_time(self.layout.volume_time);
        volume.implementation_identifier = developer(options);
        volume.bytes().to_vec()
    }

    /// Digits that tell volumes apart, of the time, the texts and how much there is, then the text
    /// (UDF 2.2.2.5).
    fn volume_set(&self) -> String {
        let texts = &self.layout.options.texts;
        if !texts.volume_set_digits.is_empty() {
            return format!("{:016}{}", texts.volume_set_digits, texts.volume_set);
        }
        let layout = self.layout;
        let named = crc16(format!("{}\0{}", texts.label, texts.volume_set).as_bytes());
        let counts = [
            layout.counts.files,
            layout.counts.directories,
            layout.used_blocks(),
        ];
        let partition = self.addresses.partition.block_count().get();
        let counted = counts.into_iter().chain([partition]);
        let counted: Vec<u8> = counted.flat_map(u32::to_le_bytes).collect();
        let seconds = layout.volume_time.seconds().cast_unsigned() as u32;
        format!(
            "{seconds:08X}{named:04X}{:04X}{}",
            crc16(&counted),
            texts.volume_set
        )
    }

    fn logical_volume(&self) -> Vec<u8> {
        let options = &self.layout.options;
        let maps = partition_maps(self);
        let mut volume = LogicalVolume::zeroed();
        volume.descriptor_character_set = char_spec();
        volume.logical_volume_identifier = dstring(self.label());
        volume.logical_block_size = U32::new(BLOCK_SIZE as u32);
        volume.domain_identifier = domain(options.revision);
        volume.logical_volume_contents_use = self.metadata_ad(0, BLOCK_SIZE as u32);
        volume.map_table_length = U32::new(maps.concat().len() as u32);
        volume.number_of_partition_maps = U32::new(maps.len() as u32);
        volume.implementation_identifier = developer(options);
        let integrity = self.addresses.integrity;
        volume.integrity_sequence_extent =
            extent(integrity.block_count().bytes(), integrity.start_lba().get());
        if let Some(spare) = self.addresses.spare_integrity {
            let mut note = SpareIntegrity::zeroed();
            note.magic = *SpareIntegrity::MAGIC;
            note.extent = extent(spare.block_count().bytes(), spare.start_lba().get());
            volume.implementation_use[..SpareIntegrity::SIZE].copy_from_slice(note.bytes());
        }
        [volume.bytes(), &maps.concat()].concat()
    }

    fn partition(&self) -> Vec<u8> {
        let options = &self.layout.options;
        let range = self.addresses.partition;
        let contents: &[u8] = if options.revision.is_third_edition() {
            b"+NSR03"
        } else {
            b"+NSR02"
        };
        let mut partition = Partition::zeroed();
        partition.partition_flags = U16::new(ALLOCATED);
        partition.partition_contents = identifier(contents);
        if let Some(bitmap) = self.addresses.space_bitmap {
            let blocks = self.layout.bitmap_blocks(range.block_count());
            let ad = &mut partition.header.unallocated_space_bitmap;
            ad.extent_length = U32::new(blocks.bytes() as u32);
            ad.extent_position = U32::new(self.addresses.in_partition(bitmap));
        }
        partition.access_type = U32::new(options.access.code());
        partition.starting_location = U32::new(range.start_lba().get());
        partition.partition_length = U32::new(range.block_count().get());
        partition.implementation_identifier = developer(options);
        partition.bytes().to_vec()
    }

    /// The logical volume once more, and whose it is (UDF 2.2.7).
    fn information(&self) -> Vec<u8> {
        let options = &self.layout.options;
        let mut volume = ImplementationUseVolume::zeroed();
        volume.implementation_identifier = udf_identifier(EntityId::LV_INFO, options.revision);
        let information = &mut volume.implementation_use;
        information.lvi_charset = char_spec();
        information.logical_volume_identifier = dstring(self.label());
        information.lv_info_1 = dstring(&options.texts.owner);
        information.lv_info_2 = dstring(&options.texts.organization);
        information.lv_info_3 = dstring(&options.texts.contact);
        information.implementation_identifier = developer(options);
        volume.bytes().to_vec()
    }

    /// The file set descriptor, a block.
    pub(super) fn file_set(&self, out: &mut [u8]) {
        let options = &self.layout.options;
        let mut set = FileSetDescriptor::zeroed();
        set.recording_date_and_time = disc_time(self.layout.volume_time);
        set.interchange_level = U16::new(FILE_SET_LEVEL);
        set.maximum_interchange_level = U16::new(FILE_SET_LEVEL);
        set.character_set_list = U32::new(CS0);
        set.maximum_character_set_list = U32::new(CS0);
        set.logical_volume_identifier_character_set = char_spec();
        set.logical_volume_identifier = dstring(self.label());
        set.file_set_character_set = char_spec();
        set.file_set_identifier = dstring(self.label());
        set.root_directory_icb = self.metadata_ad(ROOT_ENTRY, BLOCK_SIZE as u32);
        set.domain_identifier = domain(options.revision);
        if let Some(icb) = self.system_streams() {
            set.system_stream_directory_icb = icb;
        }
        out[..FileSetDescriptor::SIZE].copy_from_slice(set.bytes());
        let block = self.metadata_block(0);
        seal(
            &mut out[..FileSetDescriptor::SIZE],
            tag_id::FILE_SET,
            options.revision,
            block,
        );
    }
}

/// No space outside the partition is on offer (ECMA-167 3/10.8).
fn unallocated_space() -> Vec<u8> {
    UnallocatedSpace::zeroed().bytes().to_vec()
}
