//! From records of one hierarchy to files and folders of a tree.

use std::collections::BTreeSet;

use reburn_tree::{Extent, Metadata, NodeId, Timestamp, Tree};

use super::Hierarchy;
use super::batch::{Batch, Entry, EntryKind, Links, Location, RecordRef};
use super::directory::RawRecord;
use super::name::{append_name, mend};
use super::note::{NoteKind, Notes};
use super::system_use::{Posix, SystemUse};
use crate::{Corrupt, IsoError};

/// Type bits of a mode (POSIX `S_IFMT` and its values).
const TYPE_MASK: u32 = 0o170_000;
const SOCKET: u32 = 0o140_000;
const SYMLINK: u32 = 0o120_000;
const REGULAR: u32 = 0o100_000;
const BLOCK_DEVICE: u32 = 0o060_000;
const DIRECTORY: u32 = 0o040_000;
const CHAR_DEVICE: u32 = 0o020_000;
const FIFO: u32 = 0o010_000;

/// Permissions where none are recorded: anybody may read, nobody may write.
const DIRECTORY_PERMISSIONS: u16 = 0o555;
const FILE_PERMISSIONS: u16 = 0o444;

/// Names of the folder that writers make for directories they move.
const MOVED_NAMES: [&[u8]; 2] = [b"rr_moved", b".rr_moved"];

/// Fills a tree, one directory after the other.
pub(super) struct Import {
    hierarchy: Hierarchy,
    tree: Tree,
    batch: Batch,
    links: Links,
    /// Directories with an RE entry, which CL entries elsewhere should lead to.
    moved: Vec<Moved>,
    /// The folders that they were moved to.
    hosts: BTreeSet<NodeId>,
    /// Those that no CL entry led to.
    adopted: Vec<(Vec<u8>, NodeId, RecordRef)>,
}

/// A directory with an RE entry, at the place it was moved to.
struct Moved {
    parent: NodeId,
    name: Vec<u8>,
    entry: Entry,
    location: Location,
}

impl Import {
    pub(super) fn new(hierarchy: Hierarchy) -> Self {
        let root = Metadata::with_permissions(DIRECTORY_PERMISSIONS);
        Self {
            hierarchy,
            tree: Tree::new(root),
            batch: Batch::default(),
            links: Links::new(),
            moved: Vec::new(),
            hosts: BTreeSet::new(),
            adopted: Vec::new(),
        }
    }

    pub(super) fn hierarchy(&self) -> Hierarchy {
        self.hierarchy
    }

    /// Takes in the root's own record.
    pub(super) fn take_root(&mut self, record: &RawRecord<'_>, found: &SystemUse) {
        let root = self.tree.inode(Tree::ROOT);
        let metadata = self.metadata(record, DIRECTORY_PERMISSIONS, found);
        self.tree.set_metadata(root, metadata);
    }

    /// Takes in the record of a directory. Returns whether its name had to be mended.
    pub(super) fn take_directory(
        &mut self,
        parent: NodeId,
        record: &RawRecord<'_>,
        location: Location,
        found: &SystemUse,
    ) -> Result<bool, IsoError> {
        if let Some(posix) = self.posix(found)
            && !matches!(posix.mode & TYPE_MASK, DIRECTORY | 0)
        {
            let (mode, directory) = (posix.mode, true);
            return Err(posix.corrupt(Corrupt::Mode { mode, directory }));
        }
        let kind = EntryKind::Directory(location);
        let (entry, mended) = self.entry(record, kind, DIRECTORY_PERMISSIONS, found);
        if self.hierarchy == Hierarchy::RockRidge && found.relocated {
            let name = self.batch.take_name(entry.name);
            self.hosts.insert(parent);
            self.moved.push(Moved {
                parent,
                name,
                entry,
                location,
            });
            return Ok(false);
        }
        self.batch.push(entry);
        Ok(mended)
    }

    /// Takes in the record of a file's first section, or of anything else that is not a
    /// directory. Returns whether its name had to be mended.
    pub(super) fn take_file(
        &mut self,
        record: &RawRecord<'_>,
        extent: Option<Extent>,
        found: &SystemUse,
    ) -> Result<bool, IsoError> {
        let kind = self.file_kind(record, found)?;
        let permissions = match kind {
            EntryKind::Directory(_) => DIRECTORY_PERMISSIONS,
            _ => FILE_PERMISSIONS,
        };
        let (entry, mended) = self.entry(record, kind, permissions, found);
        self.batch.push(entry);
        self.extend_file(extent);
        Ok(mended)
    }

    /// Takes in a section of the file that was taken in last. Whatever is not a file has none.
    pub(super) fn extend_file(&mut self, extent: Option<Extent>) {
        if let Some(extent) = extent {
            self.batch.extend_file(extent);
        }
    }

    /// Adds everything that was taken in since the last call to a folder. Calls `folder` for
    /// each new folder.
    pub(super) fn flush(
        &mut self,
        parent: NodeId,
        notes: &mut Notes,
        folder: &mut dyn FnMut(NodeId, Location),
    ) -> Result<(), IsoError> {
        self.batch
            .flush(&mut self.tree, parent, &mut self.links, notes, folder)
    }

    /// Takes in the next moved directory that is not claimed, where it was moved to. Returns
    /// the folder there.
    pub(super) fn adopt_moved(&mut self, is_claimed: &dyn Fn(Location) -> bool) -> Option<NodeId> {
        while let Some(mut moved) = self.moved.pop() {
            if !is_claimed(moved.location) {
                moved.entry.name = self.batch.add_name(&moved.name);
                self.batch.push(moved.entry);
                self.adopted
                    .push((moved.name, moved.parent, moved.entry.record));
                return Some(moved.parent);
            }
        }
        None
    }

    /// The tree. Folders that were made for moved directories are not in it.
    pub(super) fn finish(mut self, notes: &mut Notes) -> Result<Tree, IsoError> {
        for (name, parent, record) in self.adopted {
            let node = self.tree.child(parent, &name);
            let is_host = node.is_some_and(|node| self.hosts.contains(&node));
            match node {
                // A moved folder for moved folders: the writer's own, to be hidden.
                Some(node) if is_host && self.tree.children(node).is_empty() => {
                    self.hosts.remove(&node);
                    self.tree.remove(node)?;
                }
                _ => notes.add(NoteKind::Unclaimed, || record.place("flags")),
            }
        }
        for host in self.hosts {
            let name = self.tree.name(host).to_ascii_lowercase();
            if MOVED_NAMES.contains(&&*name) && self.tree.children(host).is_empty() {
                self.tree.remove(host)?;
            }
        }
        Ok(self.tree)
    }

    fn entry(
        &mut self,
        record: &RawRecord<'_>,
        kind: EntryKind,
        permissions: u16,
        found: &SystemUse,
    ) -> (Entry, bool) {
        let is_rock_ridge = self.hierarchy == Hierarchy::RockRidge;
        let names = &mut self.batch.names;
        let start = names.len();
        let mut version = None;
        if is_rock_ridge && !found.name.is_empty() {
            names.extend_from_slice(&found.name);
        } else {
            let identifier = record.identifier;
            version = append_name(self.hierarchy, identifier, record.is_directory(), names);
        }
        let mended = mend(names, start);
        let posix = self.posix(found);
        let entry = Entry {
            name: self.batch.span_from(start),
            version,
            metadata: self.metadata(record, permissions, found),
            kind,
            links: posix.map_or(1, |posix| posix.links),
            serial: posix.and_then(|posix| posix.serial),
            record: record.reference(),
        };
        (entry, mended)
    }

    /// What PX says, if this hierarchy goes by it.
    fn posix<'a>(&self, found: &'a SystemUse) -> Option<&'a Posix> {
        let found = (self.hierarchy == Hierarchy::RockRidge).then_some(found);
        found.and_then(|found| found.posix.as_ref())
    }

    fn metadata(&self, record: &RawRecord<'_>, permissions: u16, found: &SystemUse) -> Metadata {
        let mut metadata = Metadata::with_permissions(permissions);
        metadata.modified = record.head.date.timestamp().unwrap_or(Timestamp::EPOCH);
        if self.hierarchy != Hierarchy::RockRidge {
            return metadata;
        }
        if let Some(posix) = found.posix {
            metadata.permissions = (posix.mode & 0o7777) as u16;
            metadata.uid = posix.user;
            metadata.gid = posix.group;
        }
        metadata.modified = found.times.modified.unwrap_or(metadata.modified);
        metadata.accessed = found.times.accessed;
        metadata.changed = found.times.changed;
        metadata.created = found.times.created;
        metadata
    }

    /// What a record without the directory flag stands for.
    fn file_kind(
        &mut self,
        record: &RawRecord<'_>,
        found: &SystemUse,
    ) -> Result<EntryKind, IsoError> {
        if self.hierarchy != Hierarchy::RockRidge {
            return Ok(self.batch.new_file());
        }
        if let Some(child) = found.child {
            return Ok(EntryKind::Directory(child));
        }
        let Some(posix) = &found.posix else {
            return Ok(self.batch.new_file());
        };
        let device = || {
            found
                .device
                .ok_or_else(|| posix.corrupt(Corrupt::NoDeviceNumbers))
        };
        Ok(match posix.mode & TYPE_MASK {
            REGULAR | 0 => self.batch.new_file(),
            SYMLINK if found.target.present => {
                EntryKind::Symlink(self.batch.add_name(&found.target.path))
            }
            SYMLINK => return Err(posix.corrupt(Corrupt::NoTarget)),
            CHAR_DEVICE => {
                let (major, minor) = device()?;
                EntryKind::CharDevice(major, minor)
            }
            BLOCK_DEVICE => {
                let (major, minor) = device()?;
                EntryKind::BlockDevice(major, minor)
            }
            FIFO => EntryKind::Fifo,
            SOCKET => EntryKind::Socket,
            _ => {
                let (mode, directory) = (posix.mode, record.is_directory());
                return Err(posix.corrupt(Corrupt::Mode { mode, directory }));
            }
        })
    }
}
