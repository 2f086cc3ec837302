//! From a disc to a volume: anchor, descriptor sequence, partitions, file set.

use std::cell::RefCell;

use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRead, Lba};
use reburn_record::Record;

use super::anchor::{self, Anchor, Recognition};
use super::disc::{Disc, blocks_of};
use super::entry::Reader;
use super::integrity::{self, Integrity};
use super::maps::{self, Loaded, Pending};
use super::note::{NoteKind, Notes};
use super::partitions::{Address, Kind, Partitions};
use super::sequence::{LogicalVolumeFound, Sequence, SequenceReader};
use super::tables::VirtualTable;
use super::view::Revision;
use super::{Session, Volume};
use crate::records::{
    AnchorPointer, EntityId, ExtentKind, FileSetDescriptor, LogicalVolume, VolumeStructure, tag_id,
};
use crate::{Corrupt, Incompatible, Place, UdfError};

/// Blocks of a file set descriptor sequence that are looked at.
const FILE_SETS_MAX: u32 = 64;

impl Volume {
    /// Opens the volume of a session; [`Session::default`] is that of a disc with one session.
    ///
    /// # Errors
    /// [`UdfError::Incompatible`] where no UDF volume is, or one that is not supported;
    /// [`UdfError::Corrupt`] where neither of two copies can be used, or the only one cannot.
    pub fn open(disc: &dyn BlockRead, session: Session) -> Result<Self, UdfError> {
        Self::open_by(disc, session, Prefer::Main)
    }

    /// Opens the volume that the reserve sequence describes, whether the main one can be used or
    /// not: for repairs of a volume whose main sequence leads to nothing whole.
    ///
    /// # Errors
    /// See [`Volume::open`].
    pub fn open_by_reserve(disc: &dyn BlockRead, session: Session) -> Result<Self, UdfError> {
        Self::open_by(disc, session, Prefer::Reserve)
    }

    fn open_by(disc: &dyn BlockRead, session: Session, prefer: Prefer) -> Result<Self, UdfError> {
        let disc = Disc::new(disc);
        let recognition = Recognition::scan(&disc, session);
        let anchors = anchor::find(&disc, session);
        let mut result = None;
        for anchor in &anchors {
            let opened = open_at(&disc, session, anchor, prefer);
            if let Ok(mut volume) = opened {
                volume.add_recognition(&disc, session, &recognition, &anchors);
                return Ok(volume);
            }
            // The first anchor is the likeliest one, and so is its error.
            result.get_or_insert(opened);
        }
        let start = Recognition::start(session);
        let place = Place::of::<VolumeStructure>(start, "standard_identifier");
        match (result, recognition.nsr) {
            (Some(result), _) => result,
            (None, Some(_)) => Err(place.corrupt(Corrupt::NoAnchor)),
            (None, None) => Err(place.incompatible(Incompatible::NotUdf)),
        }
    }

    fn add_recognition(
        &mut self,
        disc: &Disc<'_>,
        session: Session,
        recognition: &Recognition,
        anchors: &[Anchor],
    ) {
        let start = Recognition::start(session);
        if recognition.nsr.is_none() {
            self.notes.add(NoteKind::NoRecognition, || {
                Place::of::<VolumeStructure>(start, "standard_identifier")
            });
        }
        let end = recognition.end.max(start).min(disc.len());
        self.blocks
            .extend(blocks_of(start, end.saturating_sub(start)));
        let sector_size = self.block_size();
        let own = anchors
            .iter()
            .filter(|anchor| anchor.sector_size == sector_size);
        let own = own.filter_map(|anchor| blocks_of(anchor.at, sector_size.into()));
        self.blocks.extend(own);
        let lba = |at: u64| Lba::checked(at / BLOCK_SIZE as u64);
        self.recognition = lba(start).unwrap_or(Lba::MAX);
        let extents = |pointer: &AnchorPointer| [pointer.main_sequence, pointer.reserve_sequence];
        let own = anchors.iter().filter(|anchor| {
            anchor.sector_size == sector_size && extents(&anchor.pointer) == extents(&self.pointer)
        });
        let others = own.filter_map(|anchor| lba(anchor.at));
        let used = self.anchors.first().copied();
        self.anchors
            .extend(others.filter(|other| Some(*other) != used));
    }
}

/// Opens the volume that an anchor leads to.
fn open_at(
    disc: &Disc<'_>,
    session: Session,
    anchor: &Anchor,
    prefer: Prefer,
) -> Result<Volume, UdfError> {
    let mut notes = Notes::default();
    let (sequence, logical, mut blocks) = read_sequence(disc, anchor, prefer, &mut notes)?;
    let loaded = maps::load(disc, &sequence, &logical, &mut notes)?;
    blocks.extend(&loaded.blocks);
    let notes = RefCell::new(notes);
    let (partitions, table) = load_tables(disc, session, loaded, &notes, &mut blocks)?;
    let integrity_extent = logical.record.integrity_sequence_extent;
    let (mut integrity, integrity_sequence) =
        integrity::read(disc, partitions.block_size, integrity_extent);
    blocks.extend(&integrity_sequence.extents);
    if let Some(table) = &table {
        override_integrity(&mut integrity, table);
    }
    check_integrity(&logical, integrity.as_ref(), table.is_some(), &notes)?;
    let reader = Reader::new(disc, &partitions, &notes);
    let (file_set, file_set_at) = file_set(&reader, &logical, &mut blocks)?;
    let primary = sequence.primary.map(Box::new);
    let primary = primary.ok_or_else(|| {
        let place = Place::of::<AnchorPointer>(anchor.at, "main_sequence");
        place.corrupt(Corrupt::Missing("primary volume descriptor"))
    })?;
    Ok(Volume {
        primary,
        logical: Box::new(logical.record),
        sequence,
        partitions,
        file_set: Box::new(file_set),
        file_set_at,
        integrity,
        integrity_sequence,
        virtual_table: table.as_ref().map(|table| table.found_in),
        virtual_head: table.and_then(|table| table.head),
        notes: notes.into_inner(),
        recognition: Lba::ZERO,
        anchors: Lba::checked(anchor.at / BLOCK_SIZE as u64)
            .into_iter()
            .collect(),
        pointer: anchor.pointer,
        blocks,
    })
}

/// Which descriptor sequence is looked at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefer {
    /// The main one, and the reserve where that cannot be used: as readers do.
    Main,
    /// The reserve alone.
    Reserve,
}

/// The main sequence, or the reserve sequence where that cannot be used.
pub(super) fn read_sequence(
    disc: &Disc<'_>,
    anchor: &Anchor,
    prefer: Prefer,
    notes: &mut Notes,
) -> Result<(Sequence, LogicalVolumeFound, Vec<BlockRange>), UdfError> {
    let main_place = Place::of::<AnchorPointer>(anchor.at, "main_sequence");
    let reserve_place = Place::of::<AnchorPointer>(anchor.at, "reserve_sequence");
    let mut reader = SequenceReader {
        disc,
        sector_size: anchor.sector_size,
        notes,
    };
    let usable = |sequence: Result<Sequence, UdfError>, place: Place| {
        let sequence = sequence?;
        let missing = || place.corrupt(Corrupt::Missing("logical volume descriptor"));
        let logical = sequence.logical.clone().ok_or_else(missing)?;
        check_logical(&logical, anchor)?;
        Ok((sequence, logical))
    };
    let main = match prefer {
        Prefer::Main => reader.read(anchor.pointer.main_sequence, main_place),
        Prefer::Reserve => Err(main_place.corrupt(Corrupt::Missing("volume descriptor"))),
    };
    let mut blocks = Vec::new();
    // Both copies are in use, whichever is read.
    for extent in [
        anchor.pointer.main_sequence,
        anchor.pointer.reserve_sequence,
    ] {
        let at = u64::from(extent.extent_location.get()) * u64::from(anchor.sector_size);
        let length = extent.extent_length.get().into();
        let range = blocks_of(at, length).filter(|_| at + length <= disc.len());
        blocks.extend(range);
    }
    match usable(main, main_place) {
        Ok((sequence, logical)) => {
            blocks.extend(&sequence.blocks);
            Ok((sequence, logical, blocks))
        }
        Err(error @ UdfError::Incompatible { .. }) => Err(error),
        Err(error) => {
            let reserve = reader.read(anchor.pointer.reserve_sequence, reserve_place);
            let Ok((sequence, logical)) = usable(reserve, reserve_place) else {
                return Err(error);
            };
            notes.add(NoteKind::ReserveSequence, || main_place);
            blocks.extend(&sequence.blocks);
            Ok((sequence, logical, blocks))
        }
    }
}

/// Whether the logical volume is one that can be read.
fn check_logical(logical: &LogicalVolumeFound, anchor: &Anchor) -> Result<(), UdfError> {
    let stated = logical.record.logical_block_size.get();
    let sector = anchor.sector_size;
    if stated != sector {
        let place = Place::of::<LogicalVolume>(logical.at, "logical_block_size");
        return Err(place.incompatible(Incompatible::BlockSize { stated, sector }));
    }
    Ok(())
}

/// Loads virtual allocation table and metadata file.
pub(super) fn load_tables(
    disc: &Disc<'_>,
    session: Session,
    loaded: Loaded,
    notes: &RefCell<Notes>,
    blocks: &mut Vec<BlockRange>,
) -> Result<(Partitions, Option<VirtualTable>), UdfError> {
    let mut partitions = loaded.partitions;
    let mut table = None;
    for (index, pending) in loaded.pending {
        let below = partitions.clone();
        let reader = Reader::new(disc, &below, notes);
        let Some(map) = partitions.maps.get_mut(usize::from(index)) else {
            continue;
        };
        match (&mut map.kind, pending) {
            (Kind::Virtual { under, entries }, Pending::Virtual) => {
                let found = reader.virtual_table(*under, session)?;
                entries.clone_from(&found.entries);
                blocks.extend(&found.blocks);
                table = Some(found);
            }
            (
                Kind::Metadata {
                    under,
                    main,
                    mirror,
                },
                Pending::Metadata(map, place),
            ) => {
                let (found, second, used) = reader.metadata_file(*under, &map, place)?;
                (*main, *mirror) = (found, second);
                blocks.extend(used);
            }
            _ => {}
        }
    }
    Ok((partitions, table))
}

/// A virtual allocation table says the newer truth (UDF 2.2.11).
fn override_integrity(integrity: &mut Option<Integrity>, table: &VirtualTable) {
    let Some(integrity) = integrity else { return };
    integrity.next_unique_id = table.unique_id.saturating_add(1);
    if let Some(head) = &table.head {
        integrity.files = head.number_of_files.get();
        integrity.directories = head.number_of_directories.get();
        integrity.minimum_read = head.minimum_udf_read_revision.get();
        integrity.minimum_write = head.minimum_udf_write_revision.get();
        integrity.maximum_write = head.maximum_udf_write_revision.get();
    }
}

fn check_integrity(
    logical: &LogicalVolumeFound,
    integrity: Option<&Integrity>,
    is_virtual: bool,
    notes: &RefCell<Notes>,
) -> Result<(), UdfError> {
    let extent = || Place::of::<LogicalVolume>(logical.at, "integrity_sequence_extent");
    let domain = Place::of::<LogicalVolume>(logical.at, "domain_identifier");
    let mut notes = notes.borrow_mut();
    let identifier = &logical.record.domain_identifier;
    if identifier.name() != EntityId::DOMAIN {
        notes.add(NoteKind::Domain, || domain);
    }
    let needed = match integrity {
        None => {
            notes.add(NoteKind::NoIntegrity, extent);
            identifier.domain().udf_revision.get()
        }
        Some(integrity) => {
            // On a disc with a virtual partition it stays open (UDF 2.2.6).
            if !integrity.is_closed && !is_virtual {
                notes.add(NoteKind::Open, extent);
            }
            integrity.minimum_read
        }
    };
    if needed > Revision::LATEST.0 {
        return Err(domain.incompatible(Incompatible::Revision(needed)));
    }
    Ok(())
}

/// The file set descriptor of a logical volume, and where it is on the disc, in bytes.
fn file_set(
    reader: &Reader<'_>,
    logical: &LogicalVolumeFound,
    blocks: &mut Vec<BlockRange>,
) -> Result<(FileSetDescriptor, u64), UdfError> {
    let place = Place::of::<LogicalVolume>(logical.at, "logical_volume_contents_use");
    let extent = &logical.record.logical_volume_contents_use;
    let first = Address::of(extent.extent_location);
    let (_, length) = ExtentKind::split(extent.extent_length.get());
    let count = (length / reader.partitions.block_size).clamp(1, FILE_SETS_MAX);
    let what = "the file set descriptor";
    let ids = [tag_id::FILE_SET];
    let mut found = None;
    for index in 0..count {
        let address = Address {
            block: first.block.saturating_add(index),
            ..first
        };
        let block = match reader.descriptor(what, &ids, address, place) {
            Ok(block) => block,
            Err(error) if found.is_none() => return Err(error),
            // A terminating descriptor, or a block that was never recorded.
            Err(_) => break,
        };
        blocks.extend(block.range());
        if let Ok((file_set, _)) = FileSetDescriptor::view(&block.bytes) {
            found = Some((*file_set, block.at));
        }
    }
    found.ok_or_else(|| place.corrupt(Corrupt::Missing("file set descriptor")))
}
