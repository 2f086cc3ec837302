//! From partition maps to partitions whose blocks can be found (UDF 2.2.8 to 2.2.10).

use std::collections::BTreeMap;

use reburn_blocks::BlockRange;
use reburn_record::Record;

use super::body::push_range;
use super::disc::{Disc, blocks_of};
use super::note::{NoteKind, Notes};
use super::partitions::{Kind, Map, Partitions, Sparing, SparingTables};
use super::sequence::{LogicalVolumeFound, Sequence};
use crate::records::{
    EntityId, LogicalVolume, MapHead, MetadataMap, SparableMap, SparingEntry, SparingTable, Tag,
    TypeOneMap, TypeTwoMap, map_identifier, tag_id,
};
use crate::{Corrupt, Incompatible, Place, UdfError};

/// Bytes of a sparing table that are read: its head and as many entries as it can count.
const TABLE_MAX: u32 = 56 + 8 * 0xffff;

/// What of a map is still to be loaded from the disc.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pending {
    Virtual,
    Metadata(MetadataMap, Place),
}

/// Partitions, and what is still to be loaded.
pub(super) struct Loaded {
    pub(super) partitions: Partitions,
    pub(super) pending: Vec<(u16, Pending)>,
    /// Sparing tables and the packets that they name.
    pub(super) blocks: Vec<BlockRange>,
}

/// Reads the maps of a logical volume, and the tables of sparable partitions.
pub(super) fn load(
    disc: &Disc<'_>,
    sequence: &Sequence,
    logical: &LogicalVolumeFound,
    notes: &mut Notes,
) -> Result<Loaded, UdfError> {
    let mut loaded = Loaded {
        partitions: Partitions {
            block_size: logical.record.logical_block_size.get(),
            maps: Vec::new(),
        },
        pending: Vec::new(),
        blocks: Vec::new(),
    };
    let stated = logical.record.number_of_partition_maps.get();
    let mut offset = 0;
    for found in 0..stated {
        let rest = logical.maps.get(offset..).unwrap_or_default();
        let at = logical.at + (LogicalVolume::SIZE + offset) as u64;
        let cut_off = || {
            let place = Place::of::<LogicalVolume>(logical.at, "number_of_partition_maps");
            place.corrupt(Corrupt::MapTable { found, stated })
        };
        let (head, _) = MapHead::view(rest).map_err(|_| cut_off())?;
        let length = usize::from(head.partition_map_length);
        let bytes = rest.get(..length.max(1)).ok_or_else(cut_off)?;
        let map = loaded.take(disc, sequence, bytes, at, notes)?;
        loaded.partitions.maps.push(map);
        offset += bytes.len();
    }
    loaded.check_underlying(logical)?;
    Ok(loaded)
}

impl Loaded {
    fn take(
        &mut self,
        disc: &Disc<'_>,
        sequence: &Sequence,
        bytes: &[u8],
        at: u64,
        notes: &mut Notes,
    ) -> Result<Map, UdfError> {
        let index = u16::try_from(self.partitions.maps.len()).unwrap_or(u16::MAX);
        let unknown = || {
            let (kind, length) = (bytes[0], bytes.get(1).copied().unwrap_or(0));
            Place::of::<MapHead>(at, "partition_map_type")
                .incompatible(Incompatible::PartitionMap { kind, length })
        };
        if bytes[0] == 1 {
            let (map, _) = TypeOneMap::view(bytes).map_err(|_| unknown())?;
            let place = Place::of::<TypeOneMap>(at, "partition_number");
            return partition(sequence, map.partition_number.get(), Kind::Plain, place);
        }
        let (map, _) = TypeTwoMap::view(bytes).map_err(|_| unknown())?;
        let number = map.partition_number.get();
        let place = Place::of::<TypeTwoMap>(at, "partition_number");
        // What a map lies on is found once all maps are known.
        let under = u16::MAX;
        let kind = match map.partition_type_identifier.name() {
            _ if bytes[0] != 2 || bytes.len() < SparableMap::SIZE => return Err(unknown()),
            map_identifier::VIRTUAL => {
                self.pending.push((index, Pending::Virtual));
                let entries = Vec::new();
                Kind::Virtual { under, entries }
            }
            map_identifier::METADATA => {
                let (map, _) = MetadataMap::view(bytes).map_err(|_| unknown())?;
                let place = Place::of::<MetadataMap>(at, "metadata_file_location");
                self.pending.push((index, Pending::Metadata(*map, place)));
                Kind::Metadata {
                    under,
                    main: super::partitions::FileMap::default(),
                    mirror: None,
                }
            }
            map_identifier::SPARABLE => {
                let (map, _) = SparableMap::view(bytes).map_err(|_| unknown())?;
                Kind::Sparable(self.sparing(disc, map, at, notes)?)
            }
            _ => {
                let place = Place::of::<TypeTwoMap>(at, "partition_type_identifier");
                return Err(place.incompatible(Incompatible::PartitionType));
            }
        };
        partition(sequence, number, kind, place)
    }

    /// Reads the sparing tables of a map and takes the first that is whole.
    ///
    /// The highest number should prevail (UDF 2.2.12), but Linux, NetBSD and FreeBSD take the
    /// first table of the map that they can read, whatever the others say. Who records a change
    /// to the others first and to the first one last has them all see the same tree at any moment.
    fn sparing(
        &mut self,
        disc: &Disc<'_>,
        map: &SparableMap,
        at: u64,
        notes: &mut Notes,
    ) -> Result<Sparing, UdfError> {
        let packet = map.packet_length.get();
        if !packet.is_power_of_two() {
            let place = Place::of::<SparableMap>(at, "packet_length");
            return Err(place.corrupt(Corrupt::PacketLength(packet)));
        }
        let locations = map.locations();
        let count = usize::from(map.number_of_sparing_tables).min(locations.len());
        let size = u64::from(self.partitions.block_size);
        let length = map.size_of_each_sparing_table.get().min(TABLE_MAX);
        let mut first: Option<FoundTable> = None;
        for &(location, field) in &locations[..count] {
            let table_at = u64::from(location) * size;
            push_range(&mut self.blocks, blocks_of(table_at, length.into()));
            let what = "a sparing table";
            let bytes = disc.bytes(what, table_at, length as usize);
            let Some(table) = bytes.ok().and_then(|bytes| parse_table(&bytes, location)) else {
                notes.add(NoteKind::SparingTable, || {
                    Place::of::<SparableMap>(at, field)
                });
                continue;
            };
            for &sector in &table.packets {
                let bytes = u64::from(packet) * size;
                let range = blocks_of(u64::from(sector) * size, bytes);
                push_range(&mut self.blocks, range);
            }
            match &first {
                None => first = Some(table),
                Some(first) if *first == table => {}
                Some(_) => notes.add(NoteKind::SparingTables, || {
                    Place::of::<SparableMap>(at, field)
                }),
            }
        }
        let first = first.ok_or_else(|| {
            let place = Place::of::<SparableMap>(at, "location_1");
            place.corrupt(Corrupt::NoSparingTable(map.number_of_sparing_tables))
        })?;
        let packet = packet.into();
        // Readers look packets up by their first block: what names another one moves nothing.
        let mut moved = first.moved;
        moved.retain(|original, _| original % packet == 0);
        let tables = SparingTables {
            sectors: locations[..count].iter().map(|(at, _)| *at).collect(),
            bytes: map.size_of_each_sparing_table.get(),
            number: first.number,
            packets: first.packets,
            free: first.free,
        };
        Ok(Sparing {
            packet,
            moved,
            tables,
        })
    }

    /// Finds out what virtual and metadata partitions lie on.
    fn check_underlying(&mut self, logical: &LogicalVolumeFound) -> Result<(), UdfError> {
        let maps = &self.partitions.maps;
        let is_base = |map: &Map| matches!(map.kind, Kind::Plain | Kind::Sparable(_));
        let bases: BTreeMap<u16, u16> = (0u16..)
            .zip(maps)
            .filter(|(_, map)| is_base(map))
            .map(|(index, map)| (map.number, index))
            .collect();
        for map in &mut self.partitions.maps {
            let number = map.number;
            if let Kind::Virtual { under, .. } | Kind::Metadata { under, .. } = &mut map.kind {
                *under = *bases.get(&number).ok_or_else(|| {
                    let place = Place::of::<LogicalVolume>(logical.at, "number_of_partition_maps");
                    place.corrupt(Corrupt::NoPartition(number))
                })?;
            }
        }
        Ok(())
    }
}

/// A partition with the place that its descriptor states.
fn partition(sequence: &Sequence, number: u16, kind: Kind, place: Place) -> Result<Map, UdfError> {
    let found = sequence.partitions.get(&number);
    let (descriptor, _) = found.ok_or_else(|| place.corrupt(Corrupt::NoPartition(number)))?;
    Ok(Map {
        number,
        start: descriptor.starting_location.get(),
        length: descriptor.partition_length.get(),
        kind,
    })
}

/// What a sparing table says.
#[derive(PartialEq, Eq)]
pub(super) struct FoundTable {
    /// Its sequence number.
    number: u32,
    /// The packets that it moves.
    moved: BTreeMap<u32, u32>,
    /// All packets that it names.
    packets: Vec<u32>,
    /// Those of them that are free.
    free: Vec<u32>,
}

/// What a sparing table says; `None` if it is damaged.
pub(super) fn parse_table(bytes: &[u8], location: u32) -> Option<FoundTable> {
    Tag::expect(bytes, tag_id::SPARING_TABLE, location).ok()?;
    let (table, mut rest) = SparingTable::view(bytes).ok()?;
    if table.sparing_identifier.name() != EntityId::SPARING_TABLE {
        return None;
    }
    let (mut moved, mut packets, mut free) = (BTreeMap::new(), Vec::new(), Vec::new());
    for _ in 0..table.reallocation_table_length.get() {
        let (entry, after) = SparingEntry::view(rest).ok()?;
        rest = after;
        let original = entry.original_location.get();
        let mapped = entry.mapped_location.get();
        packets.push(mapped);
        match original {
            SparingEntry::ORIGINAL_FREE => free.push(mapped),
            SparingEntry::ORIGINAL_RESERVED.. => {}
            _ => _ = moved.insert(original, mapped),
        }
    }
    Some(FoundTable {
        number: table.sequence_number.get(),
        moved,
        packets,
        free,
    })
}
