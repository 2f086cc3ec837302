//! What a raw view of a volume needs: bytes by any address that a volume knows, as far as its
//! descriptors can be read.
//!
//! Invariant: nothing here fails for damage. What could not be found out is said in `problems`.

use std::cell::RefCell;

use reburn_blocks::BlockRead;
use reburn_record::Record;

use super::Session;
use super::anchor::{self, Anchor, Recognition};
use super::disc::Disc;
use super::maps;
use super::note::Notes;
use super::open::{Prefer, load_tables, read_sequence};
use super::partitions::{Address, FileMap, Kind, Partitions, Side};
use super::sequence::{LogicalVolumeFound, Sequence};
use crate::UdfError;
use crate::records::{AnchorPointer, FileSetDescriptor, LogicalVolume, LongAd, Partition, tag_id};

/// Bytes of sectors where nothing says otherwise.
const SECTOR_SIZE: u32 = 2048;

/// A session of a disc, and what of its volume could be found out.
pub(crate) struct RawVolume<'a> {
    disc: Disc<'a>,
    session: Session,
    /// Bytes of a sector, and of a logical block.
    pub(crate) sector_size: u32,
    /// Whether anything announces a UDF volume.
    pub(crate) is_udf: bool,
    /// Whole anchors.
    anchors: Vec<Anchor>,
    sequence: Option<(Sequence, LogicalVolumeFound)>,
    partitions: Option<Partitions>,
    /// Where the entry of the virtual allocation table is.
    pub(crate) virtual_table: Option<Address>,
    /// Why something is not known.
    pub(crate) problems: Vec<String>,
}

impl<'a> RawVolume<'a> {
    /// Finds out as much as it can.
    pub(crate) fn new(source: &'a dyn BlockRead, session: Session) -> Self {
        let disc = Disc::new(source);
        let recognition = Recognition::scan(&disc, session);
        let anchors = anchor::find(&disc, session);
        let mut raw = Self {
            disc,
            session,
            sector_size: anchors.first().map_or(SECTOR_SIZE, |a| a.sector_size),
            is_udf: recognition.nsr.is_some() || !anchors.is_empty(),
            anchors,
            sequence: None,
            partitions: None,
            virtual_table: None,
            problems: Vec::new(),
        };
        let mut problems: Vec<UdfError> = Vec::new();
        for anchor in raw.anchors.clone() {
            match raw.load(&anchor) {
                Ok(()) => {
                    problems.clear();
                    break;
                }
                Err(error) => problems.push(error),
            }
        }
        // The first anchor is the likeliest one, and so is its error.
        raw.problems = problems
            .iter()
            .take(1)
            .map(ToString::to_string)
            .chain(std::mem::take(&mut raw.problems))
            .collect();
        raw
    }

    /// Takes in the volume that an anchor leads to.
    fn load(&mut self, anchor: &Anchor) -> Result<(), UdfError> {
        let mut notes = Notes::default();
        let (sequence, logical, _) = read_sequence(&self.disc, anchor, Prefer::Main, &mut notes)?;
        self.sector_size = anchor.sector_size;
        let loaded = maps::load(&self.disc, &sequence, &logical, &mut notes);
        self.sequence = Some((sequence, logical));
        let loaded = loaded?;
        self.partitions = Some(loaded.partitions.clone());
        let notes = RefCell::new(notes);
        match load_tables(&self.disc, self.session, loaded, &notes, &mut Vec::new()) {
            Ok((partitions, table)) => {
                self.partitions = Some(partitions);
                self.virtual_table = table.map(|table| table.address);
            }
            Err(error) => self.problems.push(error.to_string()),
        }
        Ok(())
    }

    /// Bytes of the disc.
    pub(crate) fn len(&self) -> u64 {
        self.disc.len()
    }

    /// The `len` bytes from byte `at` of the disc on, or why they cannot be read. The caller
    /// has bounded `len`.
    pub(crate) fn bytes(&self, at: u64, len: usize) -> Result<Vec<u8>, String> {
        let bytes = self.disc.bytes("this block", at, len);
        bytes.map_err(|error| error.to_string())
    }

    /// A sector of the volume.
    pub(crate) fn sector(&self, sector: u32) -> Result<Vec<u8>, String> {
        self.bytes(self.sector_at(sector), self.sector_size as usize)
    }

    /// Where a sector of the volume is, in bytes.
    pub(crate) fn sector_at(&self, sector: u32) -> u64 {
        u64::from(sector) * u64::from(self.sector_size)
    }

    /// Where the recognition sequence of the session begins, in bytes.
    pub(crate) fn recognition_start(&self) -> u64 {
        Recognition::start(self.session)
    }

    /// The sectors where anchors can be.
    pub(crate) fn anchor_places(&self) -> Vec<u64> {
        anchor::places(&self.disc, self.session, self.sector_size)
    }

    /// Whole anchors, the preferred one first.
    pub(crate) fn anchors(&self) -> impl Iterator<Item = &AnchorPointer> {
        self.anchors.iter().map(|anchor| &anchor.pointer)
    }

    /// The logical volume descriptor that prevails, and its partition maps.
    pub(crate) fn logical(&self) -> Option<(&LogicalVolume, &[u8])> {
        let (_, logical) = self.sequence.as_ref()?;
        Some((&logical.record, &logical.maps))
    }

    /// The partition descriptors that prevail, each with the number of the first partition map
    /// that has its blocks.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = (&Partition, u16)> {
        let maps = self.partitions.iter().flat_map(|partitions| {
            let bases = (0u16..).zip(&partitions.maps);
            bases.filter(|(_, map)| matches!(map.kind, Kind::Plain | Kind::Sparable(_)))
        });
        maps.filter_map(|(index, map)| {
            let (sequence, _) = self.sequence.as_ref()?;
            let (descriptor, _) = sequence.partitions.get(&map.number)?;
            Some((descriptor, index))
        })
    }

    /// Where the blocks of an extent begin on the disc, and how many of them, at least one,
    /// follow each other there.
    pub(crate) fn piece(&self, address: Address, blocks: u32) -> Result<(u64, u32), String> {
        self.piece_of(address, blocks, Side::Main)
    }

    /// Where the second copy of a block is, if it has one.
    pub(crate) fn mirror(&self, address: Address) -> Option<u64> {
        let partitions = self.partitions.as_ref()?;
        let has_mirror = partitions.has_mirror(address.partition);
        let (at, _) = self.piece_of(address, 1, Side::Mirror).ok()?;
        has_mirror.then_some(at)
    }

    fn piece_of(&self, address: Address, blocks: u32, side: Side) -> Result<(u64, u32), String> {
        let partitions = self.partitions.as_ref();
        let partitions = partitions.ok_or("the volume's partitions are not known")?;
        let piece = partitions.locate(address, blocks.max(1), side);
        let piece = piece.map_err(|problem| problem.to_string())?;
        Ok((piece.at, piece.blocks))
    }

    /// A logical block, and where it is.
    pub(crate) fn block(&self, address: Address) -> Result<(Vec<u8>, u64), String> {
        let (at, _) = self.piece(address, 1)?;
        Ok((self.bytes(at, self.sector_size as usize)?, at))
    }

    /// The partition that short allocation descriptors in a partition mean.
    pub(crate) fn of_short_descriptors(&self, partition: u16) -> u16 {
        let partitions = self.partitions.as_ref();
        partitions.map_or(partition, |found| found.of_short_descriptors(partition))
    }

    /// Every address that a sector of the volume has in its partitions.
    pub(crate) fn addresses(&self, sector: u64) -> Vec<Address> {
        let maps = self.partitions.iter().flat_map(|found| &found.maps);
        let mut found = Vec::new();
        for (partition, map) in (0u16..).zip(maps) {
            let relative = sector.checked_sub(map.start.into());
            let relative = relative.filter(|&block| block < u64::from(map.length));
            let relative = relative.and_then(|block| u32::try_from(block).ok());
            let block = match &map.kind {
                Kind::Plain => relative,
                Kind::Sparable(sparing) => {
                    let moved = sparing.moved.iter().find_map(|(&original, &moved)| {
                        let within = sector.checked_sub(moved.into())?;
                        let within = u32::try_from(within).ok()?;
                        (within < sparing.packet).then(|| original.saturating_add(within))
                    });
                    moved.or(relative)
                }
                Kind::Virtual { entries, .. } => {
                    let place = |block| entries.iter().position(|&entry| entry == block);
                    let place = relative.and_then(place);
                    place.and_then(|place| u32::try_from(place).ok())
                }
                Kind::Metadata { main, mirror, .. } => {
                    let mirror = mirror.as_ref().and_then(|file| block_in(file, sector));
                    block_in(main, sector).or(mirror)
                }
            };
            found.extend(block.map(|block| Address { partition, block }));
        }
        found
    }

    /// The extent of the file set descriptor sequence.
    pub(crate) fn file_sets(&self) -> Option<LongAd> {
        let (logical, _) = self.logical()?;
        Some(logical.logical_volume_contents_use)
    }

    /// The last file set descriptor of the first extent, whatever its checks say.
    pub(crate) fn file_set(&self) -> Option<FileSetDescriptor> {
        let extent = self.file_sets()?;
        let first = Address::of(extent.extent_location);
        let mut found = None;
        for index in 0..FILE_SETS_MAX {
            let block = first.block.saturating_add(index);
            let Ok((bytes, _)) = self.block(Address { block, ..first }) else {
                break;
            };
            match FileSetDescriptor::view(&bytes) {
                Ok((record, _)) if record.tag.is(tag_id::FILE_SET).is_ok() => {
                    found = Some(*record);
                }
                _ => break,
            }
        }
        found
    }
}

/// Blocks of a file set descriptor sequence that are looked at.
const FILE_SETS_MAX: u32 = 64;

/// The block of a file that a sector is.
fn block_in(file: &FileMap, sector: u64) -> Option<u32> {
    file.0.iter().find_map(|&(first, start, count)| {
        let within = u32::try_from(sector.checked_sub(start)?).ok()?;
        (within < count).then(|| first.saturating_add(within))
    })
}
