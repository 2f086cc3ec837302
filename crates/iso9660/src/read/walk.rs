//! All directories of one tree, in ascending order of address.
//!
//! Invariants: a block is read as a directory at most once, so loops and directories with two
//! parents come to light and the work is bounded by the size of the disc; what waits to be read
//! was named by a record on disc.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use reburn_blocks::{BLOCK_SIZE, BlockRange};
use reburn_tree::{Extent, NodeId, Tree};

use super::Hierarchy;
use super::area::SystemUseReader;
use super::batch::{Location, RecordRef};
use super::directory::{DirectoryReader, RawRecord};
use super::disc::Disc;
use super::import::Import;
use super::note::{NoteKind, Notes};
use super::section::{OpenFile, Section};
use super::system_use::SystemUse;
use super::volume::{Placed, Susp};
use crate::records::{FileFlags, VolumeDescriptor};
use crate::{Corrupt, IsoError, Place};

/// A walk over the directories of one descriptor's tree.
pub(super) struct Walk<'a> {
    disc: Disc<'a>,
    descriptor: &'a VolumeDescriptor,
    susp: Option<Susp>,
    system_use: SystemUseReader<'a>,
    found: SystemUse,
    pending: BinaryHeap<Reverse<Pending>>,
    /// First block of each directory that was read, and the block after its last.
    read: BTreeMap<u32, u32>,
    /// What fills the tree; `None` for a walk that only looks for blocks.
    import: Option<Import>,
    open_file: Option<OpenFile>,
    ranges: Ranges,
}

/// The blocks that a walk came upon.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    pub(super) metadata: Vec<BlockRange>,
    pub(super) data: Vec<BlockRange>,
    pub(super) notes: Notes,
}

/// A directory to be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pending {
    location: Location,
    /// The folder in the tree; the root where there is no tree.
    node: NodeId,
    is_root: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        disc: Disc<'a>,
        placed: &'a Placed,
        susp: Option<Susp>,
        import: Option<Import>,
        ranges: Ranges,
    ) -> Self {
        let root = &placed.descriptor.root.head;
        let mut walk = Self {
            disc,
            descriptor: &placed.descriptor,
            susp,
            system_use: SystemUseReader::new(disc),
            found: SystemUse::default(),
            pending: BinaryHeap::new(),
            read: BTreeMap::new(),
            import,
            open_file: None,
            ranges,
        };
        let start = root.extent_location.le();
        let location = Location {
            start: start.saturating_add(root.extended_attribute_length.into()),
            length: Some(root.data_length.le()),
            from: RecordRef::new(placed.lba, std::mem::offset_of!(VolumeDescriptor, root)),
        };
        walk.pending.push(Reverse(Pending {
            location,
            node: Tree::ROOT,
            is_root: true,
        }));
        walk
    }

    /// Reads every directory. Returns the tree, if one was to be filled, and the blocks.
    pub(super) fn run(mut self) -> Result<(Option<Tree>, Ranges), IsoError> {
        self.read_pending()?;
        while self.adopt_moved()? {
            self.read_pending()?;
        }
        self.ranges.metadata.extend(self.system_use.blocks());
        let tree = match self.import {
            Some(import) => Some(import.finish(&mut self.ranges.notes)?),
            None => None,
        };
        Ok((tree, self.ranges))
    }

    fn read_pending(&mut self) -> Result<(), IsoError> {
        let mut reader = DirectoryReader::default();
        while let Some(Reverse(directory)) = self.pending.pop() {
            self.read_directory(&mut reader, directory)?;
        }
        Ok(())
    }

    fn read_directory(
        &mut self,
        reader: &mut DirectoryReader,
        directory: Pending,
    ) -> Result<(), IsoError> {
        let location = directory.location;
        let length = match location.length {
            Some(length) => length,
            None => self.own_length(location)?,
        };
        if length == 0 {
            let place = location.place("data_length");
            return Err(place.corrupt(Corrupt::EmptyDirectory));
        }
        let blocks = u64::from(length).div_ceil(BLOCK_SIZE as u64);
        let place = || location.place("extent_location");
        let extent = self.disc.range(location.start, blocks, place)?;
        self.claim(extent, place)?;
        self.ranges.metadata.push(extent);
        let mut is_first = true;
        reader.for_each_record(self.disc, extent, length, &mut |record| {
            if is_first {
                self.check_own_record(location.start, length, record);
            }
            is_first = false;
            self.take(directory, record)
        })?;
        if is_first {
            self.note(NoteKind::OwnRecord, place);
        }
        if let Some(file) = self.open_file.take() {
            return Err(file.missing_section());
        }
        self.flush(directory.node)
    }

    /// Marks the blocks of a directory as read. `place` is what led here.
    fn claim(&mut self, extent: BlockRange, place: impl FnOnce() -> Place) -> Result<(), IsoError> {
        let (start, end) = (extent.start_lba().get(), extent.end_exclusive());
        let before = self.read.range(..end).next_back();
        if before.is_some_and(|(_, &before_end)| before_end > start) {
            let problem = Corrupt::DirectoryReachedTwice { range: extent };
            return Err(place().corrupt(problem));
        }
        self.read.insert(start, end);
        Ok(())
    }

    /// The length of a directory by its own record, for one that CL leads to.
    fn own_length(&self, location: Location) -> Result<u32, IsoError> {
        let place = || location.place("extent_location");
        let block = self.disc.range(location.start, 1, place)?.start_lba();
        let mut bytes = [0; BLOCK_SIZE];
        self.disc.read("a moved directory", block, &mut bytes)?;
        match RawRecord::parse(block, &bytes, 0)? {
            Some(record) if record.is_self() && record.is_directory() => Ok(record.data_length()),
            _ => Err(place().corrupt(Corrupt::NotADirectory {
                location: location.start,
            })),
        }
    }

    /// Takes in one record of a directory.
    fn take(&mut self, directory: Pending, record: &RawRecord<'_>) -> Result<(), IsoError> {
        self.check_halves(record);
        self.read_system_use(directory.is_root, record)?;
        if record.is_self()
            && directory.is_root
            && let Some(import) = &mut self.import
        {
            import.take_root(record, &self.found);
        }
        if record.is_self() || record.is_parent() {
            return Ok(());
        }
        if let Some(file) = &self.open_file
            && !file.is_continued_by(record)
        {
            return Err(file.missing_section());
        }
        if record.is_directory() {
            self.take_directory(directory.node, record)
        } else {
            self.take_file(record)
        }
    }

    fn take_directory(&mut self, parent: NodeId, record: &RawRecord<'_>) -> Result<(), IsoError> {
        let attributes = record.attribute_blocks();
        if attributes > 0 {
            let place = || record.place("extent_location");
            let blocks = self
                .disc
                .range(record.location(), attributes.into(), place)?;
            self.ranges.metadata.push(blocks);
        }
        let location = Location {
            start: record.location().saturating_add(attributes),
            length: Some(record.data_length()),
            from: record.reference(),
        };
        if let Some(import) = &mut self.import {
            let mended = import.take_directory(parent, record, location, &self.found)?;
            self.note_entry(record, mended);
        } else {
            self.push(Tree::ROOT, location);
        }
        Ok(())
    }

    fn take_file(&mut self, record: &RawRecord<'_>) -> Result<(), IsoError> {
        let extent = self.data_extent(record)?;
        let is_associated = record.has(FileFlags::ASSOCIATED);
        let continues = self.open_file.take().is_some();
        self.open_file = OpenFile::after(record);
        if is_associated {
            self.note(NoteKind::AssociatedFile, || record.place("flags"));
        } else if let Some(import) = &mut self.import {
            if continues {
                import.extend_file(extent);
            } else {
                let mended = import.take_file(record, extent, &self.found)?;
                self.note_entry(record, mended);
            }
        }
        Ok(())
    }

    /// Where the data of a file's section is; `None` if it is empty.
    fn data_extent(&mut self, record: &RawRecord<'_>) -> Result<Option<Extent>, IsoError> {
        let section = Section::of(record, self.descriptor, self.disc)?;
        if record.attribute_blocks() > 0 {
            self.note(NoteKind::AttributeRecord, || {
                record.place("extended_attribute_length")
            });
        }
        let end = self.disc.end().get();
        if section
            .blocks
            .is_some_and(|blocks| blocks.end_exclusive() > end)
        {
            self.note(NoteKind::PastEnd, || record.place("extent_location"));
        }
        self.ranges.data.extend(section.blocks);
        Ok(section.data)
    }

    /// Adds what was gathered from a directory to the tree.
    fn flush(&mut self, node: NodeId) -> Result<(), IsoError> {
        let Some(import) = &mut self.import else {
            return Ok(());
        };
        import.flush(node, &mut self.ranges.notes, &mut |node, location| {
            self.pending.push(Reverse(Pending {
                location,
                node,
                is_root: false,
            }));
        })
    }

    fn push(&mut self, node: NodeId, location: Location) {
        self.pending.push(Reverse(Pending {
            location,
            node,
            is_root: false,
        }));
    }

    /// Adds the next moved directory that no CL entry led to, where it was moved to. Returns
    /// whether there was one.
    fn adopt_moved(&mut self) -> Result<bool, IsoError> {
        let read = &self.read;
        let is_claimed = |location: Location| read.contains_key(&location.start);
        let adopted = self
            .import
            .as_mut()
            .and_then(|import| import.adopt_moved(&is_claimed));
        let Some(parent) = adopted else {
            return Ok(false);
        };
        self.flush(parent)?;
        Ok(true)
    }

    /// Puts what the record's system use area says into `self.found`.
    fn read_system_use(&mut self, in_root: bool, record: &RawRecord<'_>) -> Result<(), IsoError> {
        let Some(susp) = self.susp else { return Ok(()) };
        let skipped = if in_root && record.is_self() {
            susp.root_offset
        } else {
            susp.offset
        };
        let area = record.system_use.get(skipped..).unwrap_or_default();
        let offset = record.system_use_offset() + skipped;
        let read = self
            .system_use
            .read(record.block, offset, area, &mut self.found);
        match read {
            // Only the blocks of continuations matter then.
            Err(IsoError::Corrupt { place, .. } | IsoError::Incompatible { place, .. })
                if !self.is_rock_ridge() =>
            {
                self.note(NoteKind::SystemUse, || place);
                Ok(())
            }
            read => read,
        }
    }

    fn is_rock_ridge(&self) -> bool {
        let import = self.import.as_ref();
        import.is_some_and(|import| import.hierarchy() == Hierarchy::RockRidge)
    }

    fn check_halves(&mut self, record: &RawRecord<'_>) {
        let head = record.head;
        let differing = [
            ("extent_location", head.extent_location.get().is_err()),
            ("data_length", head.data_length.get().is_err()),
        ];
        for (field, _) in differing.into_iter().filter(|(_, differs)| *differs) {
            self.note(NoteKind::HalvesDiffer, || record.place(field));
        }
    }

    /// Checks the first record of a directory against what led there.
    fn check_own_record(&mut self, start: u32, length: u32, record: &RawRecord<'_>) {
        let own_start = u64::from(record.location()) + u64::from(record.attribute_blocks());
        let agrees =
            record.is_self() && own_start == u64::from(start) && record.data_length() == length;
        if !agrees {
            self.note(NoteKind::OwnRecord, || record.place("extent_location"));
        }
    }

    /// Notes what of a file or folder is not in the tree as it is on disc.
    fn note_entry(&mut self, record: &RawRecord<'_>, mended: bool) {
        let is_rock_ridge = self.is_rock_ridge();
        let notes = [
            (NoteKind::Renamed, mended),
            (NoteKind::Compressed, is_rock_ridge && self.found.compressed),
            (NoteKind::Sparse, is_rock_ridge && self.found.sparse),
            (
                NoteKind::ExtendedAttributes,
                is_rock_ridge && self.found.attributes,
            ),
        ];
        for (kind, _) in notes.into_iter().filter(|(_, applies)| *applies) {
            self.note(kind, || record.place("identifier_length"));
        }
    }

    fn note(&mut self, kind: NoteKind, place: impl FnOnce() -> Place) {
        self.ranges.notes.add(kind, place);
    }
}
