//! Partition maps (ECMA-167 3/10.7), and the metadata partition's own files (UDF 2.2.10, 2.2.13).

use reburn_blocks::{BLOCK_SIZE, BlockRange};
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32};
use reburn_tree::Metadata;

use super::emit::udf_identifier;
use super::entry::Entry;
use super::extents::cut;
use super::{MetadataFileAddresses, Placed};
use crate::records::{
    MapHead, MetadataMap, ShortAd, TypeOneMap, file_type, icb_flags, map_identifier,
};

/// The number of the volume in its set (ECMA-167 3/10.7.2.3).
const VOLUME: u16 = 1;

/// The maps of the volume's partitions: the plain one, and for a metadata partition one above
/// it.
pub(super) fn partition_maps(placed: &Placed<'_>) -> Vec<Vec<u8>> {
    let plain = TypeOneMap {
        head: MapHead {
            partition_map_type: 1,
            partition_map_length: TypeOneMap::SIZE as u8,
        },
        volume_sequence_number: U16::new(VOLUME),
        partition_number: U16::new(0),
    };
    let mut maps = vec![plain.bytes().to_vec()];
    if let Some(file) = &placed.addresses.metadata_file {
        maps.push(metadata_map(placed, file).bytes().to_vec());
    }
    maps
}

fn metadata_map(placed: &Placed<'_>, file: &MetadataFileAddresses) -> MetadataMap {
    let layout = placed.layout;
    let mut map = MetadataMap::zeroed();
    map.common.head.partition_map_type = 2;
    map.common.head.partition_map_length = MetadataMap::SIZE as u8;
    map.common.partition_type_identifier =
        udf_identifier(map_identifier::METADATA, layout.options.revision);
    map.common.volume_sequence_number = U16::new(VOLUME);
    map.metadata_file_location = U32::new(placed.addresses.in_partition(file.entry));
    map.metadata_mirror_file_location = U32::new(placed.addresses.in_partition(file.mirror_entry));
    // Nobody looks for free blocks where nobody may write (UDF 2.2.13.2).
    map.metadata_bitmap_file_location = U32::new(MetadataMap::NO_BITMAP);
    map.allocation_unit_size = U32::new(layout.allocation_unit().blocks().get());
    map.alignment_unit_size = U16::new(layout.options.write_unit.blocks().get() as u16);
    map.flags = if file.mirror.is_some() {
        MetadataMap::DUPLICATE
    } else {
        0
    };
    map
}

impl Placed<'_> {
    /// The entries of the metadata file and of its mirror, a write unit each.
    pub(super) fn metadata_entries(&self, file: &MetadataFileAddresses) -> [Vec<u8>; 2] {
        let main = self.addresses.metadata_range(self.layout);
        let mirror = self.addresses.mirror_range(self.layout).unwrap_or(main);
        let entries = [
            (file_type::METADATA, file.entry, main),
            (file_type::METADATA_MIRROR, file.mirror_entry, mirror),
        ];
        entries.map(|(file_type, lba, blocks)| {
            let options = &self.layout.options;
            let mut unit = vec![0; options.write_unit.bytes()];
            let entry = self.metadata_entry(file_type, blocks);
            let block = self.addresses.in_partition(lba);
            entry.write(options, block, &mut unit[..BLOCK_SIZE]);
            unit
        })
    }

    fn metadata_entry(&self, file_type: u8, blocks: BlockRange) -> Entry {
        let count = blocks.block_count();
        // Extents are whole allocation units (UDF 2.2.13.1).
        let unit = self.layout.allocation_unit().bytes() as u64;
        let extent_max = super::EXTENT_BYTES_MAX / unit * unit;
        let mut tail = Vec::new();
        let mut at = self.addresses.in_partition(blocks.start_lba());
        for bytes in cut(count.bytes(), extent_max) {
            let ad = ShortAd {
                extent_length: U32::new(bytes as u32),
                extent_position: U32::new(at),
            };
            tail.extend_from_slice(ad.bytes());
            at += (bytes / BLOCK_SIZE as u64) as u32;
        }
        let metadata = Metadata {
            uid: u32::MAX,
            gid: u32::MAX,
            ..Metadata::with_permissions(0).modified_at(self.layout.volume_time)
        };
        Entry {
            file_type,
            flags: icb_flags::SHORT,
            metadata,
            // No directory leads to it (UDF 2.2.13).
            links: 0,
            information_length: count.bytes(),
            blocks_recorded: count.get().into(),
            unique_id: 0,
            attributes: Vec::new(),
            tail,
        }
    }
}
