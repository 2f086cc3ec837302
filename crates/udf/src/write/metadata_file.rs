//! Partition maps (ECMA-167 3/10.7), and the metadata partition's own files (UDF 2.2.10, 2.2.13).

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32};

use super::emit::udf_identifier;
use super::entry::Entry;
use super::extents::cut;
use super::placed::short_ad;
use super::{MetadataFileAddresses, Placed, SparingAddresses};
use crate::records::{
    MapHead, MetadataMap, SpaceBitmap, SparableMap, TypeOneMap, TypeTwoMap, VirtualMap, file_type,
    map_identifier,
};

/// The number of the volume in its set (ECMA-167 3/10.7.2.3).
const VOLUME: u16 = 1;

/// The maps of the volume's partitions: the plain or sparable one, and a metadata or virtual one
/// above it.
pub(super) fn partition_maps(placed: &Placed<'_>) -> Vec<Vec<u8>> {
    let mut maps = vec![match &placed.addresses.sparing {
        Some(sparing) => sparable_map(placed, sparing).bytes().to_vec(),
        None => plain_map().bytes().to_vec(),
    }];
    if let Some(file) = &placed.addresses.metadata_file {
        maps.push(metadata_map(placed, file).bytes().to_vec());
    }
    if placed.addresses.virtual_table.is_some() {
        let mut map = VirtualMap::zeroed();
        map.common = common_map(placed, map_identifier::VIRTUAL);
        maps.push(map.bytes().to_vec());
    }
    maps
}

fn plain_map() -> TypeOneMap {
    TypeOneMap {
        head: MapHead {
            partition_map_type: 1,
            partition_map_length: TypeOneMap::SIZE as u8,
        },
        volume_sequence_number: U16::new(VOLUME),
        partition_number: U16::new(0),
    }
}

/// What all maps that UDF defines begin with.
fn common_map(placed: &Placed<'_>, identifier: &[u8]) -> TypeTwoMap {
    let mut map = TypeTwoMap::zeroed();
    map.head.partition_map_type = 2;
    map.head.partition_map_length = VirtualMap::SIZE as u8;
    map.partition_type_identifier = udf_identifier(identifier, placed.layout.options.revision);
    map.volume_sequence_number = U16::new(VOLUME);
    map
}

fn sparable_map(placed: &Placed<'_>, sparing: &SparingAddresses) -> SparableMap {
    let mut map = SparableMap::zeroed();
    map.common = common_map(placed, map_identifier::SPARABLE);
    map.packet_length = U16::new(placed.layout.packet().blocks().get() as u16);
    map.number_of_sparing_tables = sparing.tables.len() as u8;
    map.size_of_each_sparing_table = U32::new(placed.sparing_table_bytes(sparing) as u32);
    let locations = [
        &mut map.location_1,
        &mut map.location_2,
        &mut map.location_3,
        &mut map.location_4,
    ];
    for (location, lba) in locations.into_iter().zip(&sparing.tables) {
        *location = U32::new(lba.get());
    }
    map
}

fn metadata_map(placed: &Placed<'_>, file: &MetadataFileAddresses) -> MetadataMap {
    let layout = placed.layout;
    let mut map = MetadataMap::zeroed();
    map.common = common_map(placed, map_identifier::METADATA);
    map.metadata_file_location = U32::new(placed.addresses.in_partition(file.entry));
    map.metadata_mirror_file_location = U32::new(placed.addresses.in_partition(file.mirror_entry));
    // Nobody looks for free blocks where nobody may write (UDF 2.2.13.2).
    let bitmap = file.bitmap.map(|lba| placed.addresses.in_partition(lba));
    map.metadata_bitmap_file_location = U32::new(bitmap.unwrap_or(MetadataMap::NO_BITMAP));
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
            tail.extend_from_slice(short_ad(bytes, at).bytes());
            at += (bytes / BLOCK_SIZE as u64) as u32;
        }
        Entry {
            information_length: count.bytes(),
            blocks_recorded: count.get().into(),
            tail,
            // No directory leads to it (UDF 2.2.13).
            ..Entry::of_system(file_type, self.layout.volume_time)
        }
    }

    /// The entry of the bitmap of free metadata and the bitmap, in whole write units.
    pub(super) fn metadata_bitmap_file(&self, start: Lba) -> Vec<u8> {
        let options = &self.layout.options;
        let bitmap = self.metadata_bitmap(start + BlockCount::ONE);
        let bits = self.layout.metadata_blocks().get();
        let bytes = SpaceBitmap::SIZE as u64 + u64::from(bits.div_ceil(8));
        let block = self.addresses.in_partition(start);
        let mut entry = Entry {
            information_length: bytes,
            blocks_recorded: bytes.div_ceil(BLOCK_SIZE as u64),
            ..Entry::of_system(file_type::METADATA_BITMAP, self.layout.volume_time)
        };
        // A bit a block: far less than an extent holds.
        entry
            .tail
            .extend_from_slice(short_ad(bytes, block + 1).bytes());
        let mut out = vec![0; BLOCK_SIZE];
        entry.write(options, block, &mut out);
        out.extend(bitmap);
        out.resize(out.len().next_multiple_of(options.write_unit.bytes()), 0);
        out
    }
}
