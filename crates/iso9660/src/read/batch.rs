//! The entries of one directory, gathered and then added to a tree in the order of their names.
//!
//! A tree takes names in order without moving others, and two equal names show up next to each
//! other. Names and extents of a batch stand in one arena each, so a directory of 100,000 files
//! costs a few allocations.

use std::collections::BTreeMap;

use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_tree::{Content, Extent, InodeId, Kind, Metadata, NewKind, NodeId, Tree};

use super::note::{NoteKind, Notes};
use crate::records::{Cl, DirectoryRecord};
use crate::{IsoError, Place};

/// The files and folders of one directory.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) names: Vec<u8>,
    extents: Vec<Extent>,
    entries: Vec<Entry>,
}

/// A run of bytes in the arena of names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: usize,
    len: usize,
}

/// A file or folder that is going to be in the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: Span,
    /// The version in its identifier.
    pub(super) version: Option<u16>,
    pub(super) metadata: Metadata,
    pub(super) kind: EntryKind,
    /// The number of names that the file has, by its own account.
    pub(super) links: u32,
    /// Its serial number, if it has one.
    pub(super) serial: Option<u32>,
    /// Where its record is.
    pub(super) record: RecordRef,
}

/// Where a directory record or an entry of SUSP starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordRef {
    pub(super) block: Lba,
    pub(super) offset: u16,
}

impl RecordRef {
    /// At `offset` in `block`.
    pub(super) fn new(block: Lba, offset: usize) -> Self {
        debug_assert!(offset < BLOCK_SIZE, "offset {offset} is not in a block");
        Self {
            block,
            offset: u16::try_from(offset).unwrap_or(u16::MAX),
        }
    }

    pub(super) fn place(self, field: &'static str) -> Place {
        Place::of::<DirectoryRecord>(self.block, self.offset.into(), field)
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy)]
pub(super) enum EntryKind {
    Directory(Location),
    /// The first extent in the arena, and how many.
    File(usize, usize),
    Symlink(Span),
    CharDevice(u32, u32),
    BlockDevice(u32, u32),
    Fifo,
    Socket,
}

/// Where a directory's records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Location {
    pub(super) start: u32,
    /// In bytes; `None` where a CL entry leads here, which does not say it.
    pub(super) length: Option<u32>,
    /// What leads here: a directory record, or else a CL entry.
    pub(super) from: RecordRef,
}

impl Location {
    /// The field that leads here, or the one beside it.
    pub(super) fn place(&self, field: &'static str) -> Place {
        match self.length {
            Some(_) => self.from.place(field),
            None => Place::of::<Cl>(self.from.block, self.from.offset.into(), "location"),
        }
    }
}

/// What two names of one file have in common: serial number, first block, length, what it is.
type LinkKey = (Option<u32>, u32, u64, u8);

/// Files that may have further names.
pub(super) type Links = BTreeMap<LinkKey, InodeId>;

impl Batch {
    /// Everything from `start` to the end of the arena.
    pub(super) fn span_from(&self, start: usize) -> Span {
        let len = self.names.len() - start;
        Span { start, len }
    }

    /// Adds a name to the arena.
    pub(super) fn add_name(&mut self, name: &[u8]) -> Span {
        let start = self.names.len();
        self.names.extend_from_slice(name);
        self.span_from(start)
    }

    /// Takes the name that was added last out of the arena.
    pub(super) fn take_name(&mut self, span: Span) -> Vec<u8> {
        self.names.split_off(span.start)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// A file of no extents, to which the next ones will be added.
    pub(super) fn new_file(&self) -> EntryKind {
        EntryKind::File(self.extents.len(), 0)
    }

    /// Adds an extent to the file that was pushed last.
    pub(super) fn extend_file(&mut self, extent: Extent) {
        if let Some(Entry {
            kind: EntryKind::File(_, count),
            ..
        }) = self.entries.last_mut()
        {
            *count += 1;
            self.extents.push(extent);
        }
    }

    fn name(&self, span: Span) -> &[u8] {
        &self.names[span.start..span.start + span.len]
    }

    /// Adds all entries to a folder and forgets them. Calls `folder` for each new folder.
    pub(super) fn flush(
        &mut self,
        tree: &mut Tree,
        parent: NodeId,
        links: &mut Links,
        notes: &mut Notes,
        folder: &mut dyn FnMut(NodeId, Location),
    ) -> Result<(), IsoError> {
        let mut entries = std::mem::take(&mut self.entries);
        // Stable: of equal names, the one that comes first on disc keeps it.
        entries.sort_by(|a, b| self.name(a.name).cmp(self.name(b.name)));
        let mut taken = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let name = self.name(entry.name);
            if index > 0 && name == self.name(entries[index - 1].name) {
                taken.push(entry);
                continue;
            }
            self.add(tree, parent, name, entry, links, folder)?;
        }
        let mut number = 0;
        let mut last: &[u8] = &[];
        for entry in taken {
            let name = self.name(entry.name);
            number = if name == last { number } else { 0 };
            last = name;
            let free = free_name(tree, parent, name, entry.version, &mut number);
            notes.add(NoteKind::Renamed, || {
                entry.record.place("identifier_length")
            });
            self.add(tree, parent, &free, entry, links, folder)?;
        }
        entries.clear();
        self.entries = entries;
        self.names.clear();
        self.extents.clear();
        Ok(())
    }

    fn add(
        &self,
        tree: &mut Tree,
        parent: NodeId,
        name: &[u8],
        entry: &Entry,
        links: &mut Links,
        folder: &mut dyn FnMut(NodeId, Location),
    ) -> Result<(), IsoError> {
        let key = self.link_key(entry);
        if let Some(inode) = key.and_then(|key| links.get(&key).copied())
            && self.is_same_file(tree, inode, entry)
        {
            tree.link(parent, name, inode)?;
            return Ok(());
        }
        let node = tree.add(parent, name, entry.metadata, self.new_kind(entry.kind))?;
        if let EntryKind::Directory(location) = entry.kind {
            folder(node, location);
        } else if let Some(key) = key {
            links.insert(key, tree.inode(node));
        }
        Ok(())
    }

    fn new_kind(&self, kind: EntryKind) -> NewKind {
        match kind {
            EntryKind::Directory(_) => NewKind::Directory,
            EntryKind::File(first, count) => {
                NewKind::Base(self.extents[first..first + count].to_vec())
            }
            EntryKind::Symlink(target) => NewKind::Symlink(self.name(target).to_vec()),
            EntryKind::CharDevice(major, minor) => NewKind::CharDevice { major, minor },
            EntryKind::BlockDevice(major, minor) => NewKind::BlockDevice { major, minor },
            EntryKind::Fifo => NewKind::Fifo,
            EntryKind::Socket => NewKind::Socket,
        }
    }

    /// What tells a file with several names: its serial number (RRIP 4.1.1), or else the same
    /// blocks. `None` for a file that has one name, or nothing to tell it by.
    fn link_key(&self, entry: &Entry) -> Option<LinkKey> {
        if entry.links < 2 {
            return None;
        }
        let (start, bytes, kind) = match entry.kind {
            EntryKind::Directory(_) => return None,
            EntryKind::File(first, count) => {
                let extents = &self.extents[first..first + count];
                let start = extents.first().and_then(Extent::start).map_or(0, Lba::get);
                (start, extents.iter().map(|extent| extent.bytes).sum(), 0)
            }
            EntryKind::Symlink(_) => (0, 0, 1),
            EntryKind::CharDevice(..) => (0, 0, 2),
            EntryKind::BlockDevice(..) => (0, 0, 3),
            EntryKind::Fifo => (0, 0, 4),
            EntryKind::Socket => (0, 0, 5),
        };
        // Writers that number nothing leave zeros.
        let serial = entry.serial.filter(|&serial| serial != 0);
        (serial.is_some() || bytes > 0).then_some((serial, start, bytes, kind))
    }

    /// Whether an entry says of itself just what is known of a file. Where it does not, one
    /// of both accounts would be lost by joining them.
    fn is_same_file(&self, tree: &Tree, inode: InodeId, entry: &Entry) -> bool {
        let same_kind = match (tree.kind(inode), entry.kind) {
            (
                Kind::File {
                    content: Content::Base(extents),
                    ..
                },
                EntryKind::File(first, count),
            ) => *extents == self.extents[first..first + count],
            (Kind::Symlink(path), EntryKind::Symlink(target)) => path == self.name(target),
            (Kind::CharDevice { major, minor }, EntryKind::CharDevice(a, b))
            | (Kind::BlockDevice { major, minor }, EntryKind::BlockDevice(a, b)) => {
                (major, minor) == (a, b)
            }
            (Kind::Fifo, EntryKind::Fifo) | (Kind::Socket, EntryKind::Socket) => true,
            _ => false,
        };
        same_kind && *tree.metadata(inode) == entry.metadata
    }
}

/// A name near `name` that is free: with its version, or with a number that has not been tried.
fn free_name(
    tree: &Tree,
    parent: NodeId,
    name: &[u8],
    version: Option<u16>,
    number: &mut u32,
) -> Vec<u8> {
    let with = |suffix: String| [name, suffix.as_bytes()].concat();
    let with_version = version.map(|version| with(format!(";{version}")));
    with_version
        .into_iter()
        .chain(std::iter::repeat_with(|| {
            *number += 1;
            with(format!("~{number}"))
        }))
        .find(|name| tree.child(parent, name).is_none())
        .unwrap_or_default()
}
