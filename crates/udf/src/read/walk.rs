//! All directories of a volume, and the streams of its files.
//!
//! Invariants: an entry is read as a directory at most once, and no two directories share
//! blocks, so loops and directories with two names come to light and the work is bounded by the
//! size of the disc.

use std::collections::{BTreeMap, BTreeSet};

use reburn_blocks::BlockRange;
use reburn_tree::{InodeId, Metadata, NodeId, Tree};

use super::body::{Body, Source, push_range};
use super::directory::RawIdentifier;
use super::entries::{Entries, EntryAt};
use super::entry::{Entry, Reader};
use super::note::NoteKind;
use super::partitions::Address;
use super::tree::NamedStream;
use crate::records::{ExtentKind, FileIdentifier, characteristics, decode_cs0, file_type};
use crate::{Corrupt, Place, UdfError};

/// A walk over the directories of a volume, filling a tree.
pub(super) struct Walk<'a> {
    pub(super) reader: &'a Reader<'a>,
    /// The partition that the file set is in.
    pub(super) partition: u16,
    pub(super) found: Found,
    /// Directories to be read.
    pub(super) pending: Vec<(NodeId, Address, Place)>,
    /// Entries that were read as directories.
    directories: BTreeSet<Address>,
    /// Bytes of the disc with directories: where each starts and ends.
    claimed: BTreeMap<u64, u64>,
    /// Entries of files that are in the tree.
    pub(super) files: BTreeMap<Address, InodeId>,
}

/// What a walk came upon.
pub(super) struct Found {
    pub(super) tree: Tree,
    pub(super) metadata: Vec<BlockRange>,
    pub(super) data: Vec<BlockRange>,
    pub(super) streams: Vec<NamedStream>,
    pub(super) unusable: Vec<BlockRange>,
    pub(super) entries: Entries,
}

/// A name in a directory.
pub(super) struct Identifier {
    pub(super) name: Vec<u8>,
    pub(super) address: Address,
    pub(super) is_directory: bool,
    pub(super) is_hidden: bool,
    /// Where its identifier is, in bytes.
    pub(super) at: u64,
}

impl Identifier {
    pub(super) fn place(&self, field: &'static str) -> Place {
        Place::of::<FileIdentifier>(self.at, field)
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(reader: &'a Reader<'a>, partition: u16) -> Self {
        Self {
            reader,
            partition,
            found: Found {
                tree: Tree::new(Metadata::directory()),
                metadata: Vec::new(),
                data: Vec::new(),
                streams: Vec::new(),
                unusable: Vec::new(),
                entries: Entries::default(),
            },
            pending: Vec::new(),
            directories: BTreeSet::new(),
            claimed: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }

    pub(super) fn finish(self) -> Found {
        self.found
    }

    /// Begins with the root directory.
    pub(super) fn start(&mut self, address: Address, place: Place) -> Result<(), UdfError> {
        let entry = self.reader.entry(address, place)?;
        let (metadata, attributes) = self.take_metadata(&entry)?;
        let root = self.found.tree.inode(Tree::ROOT);
        self.found.tree.set_metadata(root, metadata);
        if !attributes.others.is_empty() {
            self.found.tree.set_attributes(root, attributes.others);
        }
        let entry_at = EntryAt::of(&entry, self.partition);
        self.found.entries.note(root, entry_at);
        self.read_own_streams(&entry, root)?;
        self.pending.push((Tree::ROOT, address, place));
        Ok(())
    }

    /// Reads every directory.
    pub(super) fn run(&mut self) -> Result<(), UdfError> {
        while let Some((node, address, place)) = self.pending.pop() {
            let identifiers = self.read_directory(address, place, file_type::DIRECTORY)?;
            self.import(node, identifiers)?;
        }
        Ok(())
    }

    /// The names in a directory, deleted ones and that of its parent left out.
    pub(super) fn read_directory(
        &mut self,
        address: Address,
        place: Place,
        expected: u8,
    ) -> Result<Vec<Identifier>, UdfError> {
        let entry = self.reader.entry(address, place)?;
        if entry.icb.file_type != expected {
            let problem = Corrupt::NotADirectory(entry.icb.file_type);
            return Err(entry.icb_place("file_type").corrupt(problem));
        }
        // The newest entry counts, whichever leads to it.
        if !self.directories.insert(entry.block.address) {
            return Err(place.corrupt(Corrupt::DirectoryReachedTwice));
        }
        let body = self.reader.body(&entry)?;
        self.claim(&entry, &body)?;
        let partitions = (self.reader.partitions, self.partition);
        let entries = &mut self.found.entries;
        entries.note_directory(&entry, &body, partitions);
        for &range in entry.blocks.iter().chain(&body.chain).chain(&body.data) {
            push_range(&mut self.found.metadata, Some(range));
        }
        let mut identifiers = Vec::new();
        let reader = self.reader;
        reader.for_each_identifier(&entry, &body, &mut |raw| {
            identifiers.extend(take_identifier(reader, raw));
            Ok(())
        })?;
        Ok(identifiers)
    }

    /// Marks the bytes of a directory as read.
    fn claim(&mut self, entry: &Entry, body: &Body) -> Result<(), UdfError> {
        let Source::Runs(runs) = &body.source else {
            return Ok(());
        };
        for run in runs.iter().filter(|run| run.kind != ExtentKind::Hole) {
            let end = run.at + run.bytes;
            let before = self.claimed.range(..end).next_back();
            if before.is_some_and(|(_, &before_end)| before_end > run.at) {
                let place = entry.place("length_of_allocation_descriptors");
                return Err(place.corrupt(Corrupt::DirectoryOverlap));
            }
            self.claimed.insert(run.at, end);
        }
        Ok(())
    }

    /// Takes in the blocks of an entry and of what it describes.
    pub(super) fn take_blocks(&mut self, entry: &Entry, body: &Body) {
        for &range in entry.blocks.iter().chain(&body.chain) {
            push_range(&mut self.found.metadata, Some(range));
        }
        let end = self.reader.disc.len();
        for &range in &body.data {
            if (range.end_lba().byte_offset()) >= end {
                let place = || entry.place("length_of_allocation_descriptors");
                self.reader.note(NoteKind::PastEnd, place);
            }
            push_range(&mut self.found.data, Some(range));
        }
    }
}

/// What a tree needs of an identifier; `None` for a deleted name and for the parent's.
fn take_identifier(reader: &Reader<'_>, raw: &RawIdentifier<'_>) -> Option<Identifier> {
    if raw.has(characteristics::DELETED) {
        reader.note(NoteKind::Deleted, || raw.place("file_characteristics"));
        return None;
    }
    if raw.has(characteristics::PARENT) {
        return None;
    }
    let decoded = decode_cs0(raw.name);
    if !decoded.is_clean {
        reader.note(NoteKind::Name, || raw.place("length_of_file_identifier"));
    }
    Some(Identifier {
        name: decoded.text.into_bytes(),
        address: Address::of(raw.record.icb.extent_location),
        is_directory: raw.has(characteristics::DIRECTORY),
        is_hidden: raw.has(characteristics::HIDDEN),
        at: raw.at,
    })
}
