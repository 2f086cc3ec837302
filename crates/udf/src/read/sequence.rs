//! The volume descriptor sequence: of each kind the descriptor that prevails (ECMA-167 3/8.4).

use std::collections::BTreeMap;

use reburn_blocks::BlockRange;
use reburn_record::Record;

use super::body::push_range;
use super::disc::{Disc, blocks_of};
use super::note::{NoteKind, Notes};
use crate::records::{
    EntityId, ExtentAd, ImplementationUseVolume, LogicalVolume, Partition, PrimaryVolume, Tag,
    TagFault, VolumeDescriptorPointer, tag_id,
};
use crate::{Corrupt, Place, UdfError};

/// Sectors of one extent of a sequence that are looked at.
const SECTORS_MAX: u32 = 512;

/// Extents of one sequence that are looked at.
const EXTENTS_MAX: u32 = 16;

/// Bytes of partition maps that are taken: some hundred maps.
const MAP_TABLE_MAX: usize = 8192;

/// What a sequence says.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    pub(super) primary: Option<PrimaryVolume>,
    pub(super) logical: Option<LogicalVolumeFound>,
    pub(super) information: Option<ImplementationUseVolume>,
    pub(super) partitions: BTreeMap<u16, (Partition, u64)>,
    /// The extents that it is in.
    pub(super) blocks: Vec<BlockRange>,
}

/// A logical volume descriptor with its maps, and where it is on the disc, in bytes.
#[derive(Debug, Clone)]
pub(super) struct LogicalVolumeFound {
    pub(super) record: LogicalVolume,
    pub(super) maps: Vec<u8>,
    pub(super) at: u64,
}

/// A sequence that is being read.
pub(super) struct SequenceReader<'a> {
    pub(super) disc: &'a Disc<'a>,
    pub(super) sector_size: u32,
    pub(super) notes: &'a mut Notes,
}

impl SequenceReader<'_> {
    /// Reads the sequence that an anchor leads to. `place` is the anchor's field.
    pub(super) fn read(&mut self, first: ExtentAd, place: Place) -> Result<Sequence, UdfError> {
        let mut found = Sequence::default();
        let mut next = Some(first);
        for _ in 0..EXTENTS_MAX {
            let Some(extent) = next else {
                return found.complete(place);
            };
            next = self.read_extent(extent, &mut found)?;
        }
        Err(place.corrupt(Corrupt::Chain { max: EXTENTS_MAX }))
    }

    /// Reads one extent. Returns where the sequence goes on.
    fn read_extent(
        &mut self,
        extent: ExtentAd,
        found: &mut Sequence,
    ) -> Result<Option<ExtentAd>, UdfError> {
        let size = u64::from(self.sector_size);
        let length = extent.extent_length.get();
        let first = extent.extent_location.get();
        let at = u64::from(first) * size;
        push_range(&mut found.blocks, blocks_of(at, length.into()));
        let sectors = (length / self.sector_size).min(SECTORS_MAX);
        let mut index = 0;
        while index < sectors {
            let at = at + u64::from(index) * size;
            let bytes = self.disc.bytes(
                "the volume descriptor sequence",
                at,
                self.sector_size as usize,
            )?;
            // Blank: the sequence ends (ECMA-167 3/8.4.1).
            if bytes.iter().all(|&byte| byte == 0) {
                break;
            }
            let location = first.saturating_add(index);
            index += 1;
            match self.take(&bytes, at, location, sectors - index, found) {
                Ok(Taken::More(sectors)) => index += sectors,
                Ok(Taken::Next(next)) => return Ok(Some(next)),
                Ok(Taken::End) => break,
                Err(error @ UdfError::Io { .. }) => return Err(error),
                Err(_) => self.notes.add(NoteKind::DamagedDescriptor, || {
                    Place::of::<Tag>(at, "tag_identifier")
                }),
            }
        }
        Ok(None)
    }

    /// Takes in the descriptor of a sector.
    fn take(
        &self,
        bytes: &[u8],
        at: u64,
        location: u32,
        left: u32,
        found: &mut Sequence,
    ) -> Result<Taken, UdfError> {
        let fault = |fault: TagFault| Place::of::<Tag>(at, fault.field()).corrupt(fault);
        let short = |_| fault(TagFault::Short(bytes.len()));
        let (tag, _) = Tag::view(bytes).map_err(short)?;
        let covered = usize::from(tag.descriptor_crc_length.get()) + Tag::SIZE;
        let sectors = u32::try_from(covered.div_ceil(bytes.len())).unwrap_or(u32::MAX);
        // A logical volume with many maps goes on in the next sectors.
        let longer;
        let (bytes, more) = if sectors > 1 && sectors - 1 <= left {
            longer = self.disc.bytes(
                "a volume descriptor",
                at,
                sectors as usize * self.sector_size as usize,
            )?;
            (&longer[..], sectors - 1)
        } else {
            (bytes, 0)
        };
        let tag = Tag::check(bytes).map_err(fault)?;
        tag.at(location).map_err(fault)?;
        match tag.tag_identifier.get() {
            tag_id::PRIMARY_VOLUME => {
                let (primary, _) = PrimaryVolume::view(bytes).map_err(short)?;
                let prevailing = found.primary.map(|old| old.sequence_number.get());
                if prevails(primary.sequence_number.get(), prevailing) {
                    found.primary = Some(*primary);
                }
            }
            tag_id::IMPLEMENTATION_USE => {
                let (used, _) = ImplementationUseVolume::view(bytes).map_err(short)?;
                let prevailing = found.information.map(|old| old.sequence_number.get());
                if used.implementation_identifier.name() == EntityId::LV_INFO
                    && prevails(used.sequence_number.get(), prevailing)
                {
                    found.information = Some(*used);
                }
            }
            tag_id::PARTITION => {
                let (partition, _) = Partition::view(bytes).map_err(short)?;
                let number = partition.partition_number.get();
                let old = found.partitions.get(&number);
                let prevailing = old.map(|(old, _)| old.sequence_number.get());
                if prevails(partition.sequence_number.get(), prevailing) {
                    found.partitions.insert(number, (*partition, at));
                }
            }
            tag_id::LOGICAL_VOLUME => found.take_logical(bytes, at).map_err(fault)?,
            tag_id::VOLUME_POINTER => {
                let (pointer, _) = VolumeDescriptorPointer::view(bytes).map_err(short)?;
                return Ok(Taken::Next(pointer.next_sequence));
            }
            tag_id::TERMINATING => return Ok(Taken::End),
            _ => {}
        }
        Ok(Taken::More(more))
    }
}

/// What a descriptor does to the sequence.
enum Taken {
    /// It goes on, after this many further sectors of the descriptor.
    More(u32),
    Next(ExtentAd),
    End,
}

/// Whether a descriptor takes the place of the one that was found before (ECMA-167 3/8.4.3).
fn prevails(number: u32, before: Option<u32>) -> bool {
    before.is_none_or(|before| number >= before)
}

impl Sequence {
    fn take_logical(&mut self, bytes: &[u8], at: u64) -> Result<(), TagFault> {
        let view = LogicalVolume::view(bytes);
        let (record, rest) = view.map_err(|_| TagFault::Short(bytes.len()))?;
        let before = self.logical.as_ref();
        let prevailing = before.map(|old| old.record.sequence_number.get());
        if prevails(record.sequence_number.get(), prevailing) {
            let length = (record.map_table_length.get() as usize).min(MAP_TABLE_MAX);
            let maps = rest[..length.min(rest.len())].to_vec();
            let record = *record;
            self.logical = Some(LogicalVolumeFound { record, maps, at });
        }
        Ok(())
    }

    /// The sequence, if it has what every volume needs.
    fn complete(self, place: Place) -> Result<Self, UdfError> {
        let missing = [
            (self.primary.is_none(), "primary volume descriptor"),
            (self.logical.is_none(), "logical volume descriptor"),
            (self.partitions.is_empty(), "partition descriptor"),
        ];
        match missing.iter().find(|(is_missing, _)| *is_missing) {
            Some((_, what)) => Err(place.corrupt(Corrupt::Missing(what))),
            None => Ok(self),
        }
    }
}
