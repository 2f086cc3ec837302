//! From the names of a directory and their entries to nodes of a tree.
//!
//! Entries are read in the order of their addresses and added in the order of their names: disc
//! and tree both like it best that way.

use reburn_tree::{Attribute, InodeId, Metadata, NewKind, NodeId, Timestamp, Tree};

use super::attributes::Attributes;
use super::content::content;
use super::entries::EntryAt;
use super::entry::Entry;
use super::name::{mend, target};
use super::note::NoteKind;
use super::walk::{Identifier, Walk};
use crate::records::{DiscTime, file_type, icb_flags};
use crate::{Corrupt, UdfError};

/// Bytes of a symbolic link's target; kernels take a block.
const TARGET_MAX: u64 = 16 * 1024;

/// The id of an owner or group that is not known (ECMA-167 4/14.9.3).
const NO_ID: u32 = u32::MAX;

/// What a name leads to.
enum Leads {
    /// A file or folder that is not in the tree yet.
    New(Metadata, NewKind, Option<EntryAt>),
    /// A file that is in the tree, or will be under an earlier name of the same directory.
    Link,
    /// Nothing that a tree has.
    Nothing,
}

/// What few files have.
#[derive(Default)]
struct Extras {
    attributes: Vec<Attribute>,
    /// The entry, if it leads to streams.
    entry: Option<Entry>,
}

impl Walk<'_> {
    /// Adds the names of a directory to a folder.
    pub(super) fn import(
        &mut self,
        parent: NodeId,
        mut identifiers: Vec<Identifier>,
    ) -> Result<(), UdfError> {
        for identifier in &mut identifiers {
            if mend(&mut identifier.name) {
                let place = identifier.place("length_of_file_identifier");
                self.reader.note(NoteKind::Renamed, || place);
            }
        }
        let mut by_address: Vec<usize> = (0..identifiers.len()).collect();
        by_address.sort_by_key(|&index| identifiers[index].address);
        let mut entries: Vec<Option<(Leads, Extras)>> = Vec::new();
        entries.resize_with(identifiers.len(), || None);
        let mut before = None;
        for index in by_address {
            let identifier = &identifiers[index];
            let is_known =
                before == Some(identifier.address) || self.files.contains_key(&identifier.address);
            before = Some(identifier.address);
            entries[index] = Some(if is_known {
                (Leads::Link, Extras::default())
            } else {
                self.read_entry(parent, identifier)?
            });
        }
        let mut by_name: Vec<usize> = (0..identifiers.len()).collect();
        by_name.sort_by(|&a, &b| identifiers[a].name.cmp(&identifiers[b].name));
        // First what is new, so that links have something to lead to.
        let mut links = Vec::new();
        for index in by_name {
            match entries[index].take() {
                Some((Leads::New(metadata, kind, at), extras)) => {
                    let inode = self.add(parent, &identifiers[index], metadata, kind)?;
                    self.found.entries.note(inode, at);
                    self.add_extras(inode, extras)?;
                }
                Some((Leads::Link, _)) => links.push(index),
                _ => {}
            }
        }
        for index in links {
            self.link(parent, &identifiers[index])?;
        }
        Ok(())
    }

    /// Reads what a name leads to.
    fn read_entry(
        &mut self,
        parent: NodeId,
        identifier: &Identifier,
    ) -> Result<(Leads, Extras), UdfError> {
        let entry = self
            .reader
            .entry(identifier.address, identifier.place("icb"))?;
        if parent == Tree::ROOT && self.is_unusable_file(identifier, &entry) {
            self.take_unusable(&entry)?;
            self.found.entries.note_own_file();
            return Ok((Leads::Nothing, Extras::default()));
        }
        let (metadata, attributes) = self.take_metadata(&entry)?;
        let kind = self.kind(&entry, &attributes)?;
        let is_directory = matches!(kind, Some(NewKind::Directory));
        if is_directory != identifier.is_directory {
            let place = identifier.place("file_characteristics");
            self.reader.note(NoteKind::DirectoryBit, || place);
        }
        let leads = match kind {
            Some(kind) => Leads::New(metadata, kind, EntryAt::of(&entry, self.partition)),
            None => Leads::Nothing,
        };
        let extras = Extras {
            attributes: attributes.others,
            entry: entry.stream_icb.is_some().then_some(entry),
        };
        Ok((leads, extras))
    }

    fn add(
        &mut self,
        parent: NodeId,
        identifier: &Identifier,
        metadata: Metadata,
        kind: NewKind,
    ) -> Result<InodeId, UdfError> {
        let is_directory = matches!(kind, NewKind::Directory);
        let name = self.free_name(parent, identifier);
        let node = self.found.tree.add(parent, &name, metadata, kind)?;
        let inode = self.found.tree.inode(node);
        if is_directory {
            let place = identifier.place("icb");
            self.pending.push((node, identifier.address, place));
        } else {
            self.files.insert(identifier.address, inode);
        }
        Ok(inode)
    }

    /// Gives a file its attributes and streams.
    fn add_extras(&mut self, inode: InodeId, extras: Extras) -> Result<(), UdfError> {
        if !extras.attributes.is_empty() {
            self.found.tree.set_attributes(inode, extras.attributes);
        }
        match &extras.entry {
            Some(entry) => self.read_own_streams(entry, inode),
            None => Ok(()),
        }
    }

    /// Gives a file another name.
    fn link(&mut self, parent: NodeId, identifier: &Identifier) -> Result<(), UdfError> {
        let Some(&inode) = self.files.get(&identifier.address) else {
            let place = identifier.place("icb");
            // Two names in one directory lead to the same entry, which is no file's.
            if identifier.is_directory {
                return Err(place.corrupt(Corrupt::DirectoryReachedTwice));
            }
            return Ok(());
        };
        let name = self.free_name(parent, identifier);
        self.found.tree.link(parent, &name, inode)?;
        Ok(())
    }

    /// The name of an identifier, or one near it that is free.
    fn free_name(&self, parent: NodeId, identifier: &Identifier) -> Vec<u8> {
        let tree: &Tree = &self.found.tree;
        if tree.child(parent, &identifier.name).is_none() {
            return identifier.name.clone();
        }
        let place = identifier.place("length_of_file_identifier");
        self.reader.note(NoteKind::Renamed, || place);
        // Where the identifier is makes the name unique, and keeps the search short.
        let mut number = identifier.at;
        loop {
            let name = [&identifier.name, format!("~{number}").as_bytes()].concat();
            if tree.child(parent, &name).is_none() {
                return name;
            }
            number += 1;
        }
    }

    /// What an entry is, with its content; `None` for what no tree has. Blocks of whatever it
    /// is are taken in.
    fn kind(
        &mut self,
        entry: &Entry,
        attributes: &Attributes,
    ) -> Result<Option<NewKind>, UdfError> {
        let found = entry.icb.file_type;
        if found == file_type::DIRECTORY {
            return Ok(Some(NewKind::Directory));
        }
        let body = self.reader.body(entry)?;
        self.take_blocks(entry, &body);
        let device = || {
            let place = entry.icb_place("file_type");
            attributes
                .device
                .ok_or_else(|| place.corrupt(Corrupt::NoDeviceNumbers))
        };
        Ok(Some(match found {
            file_type::FILE | file_type::REAL_TIME | file_type::UNSPECIFIED => content(&body),
            file_type::SYMLINK => {
                let place = entry.place("information_length");
                let what = "a symbolic link";
                let bytes = self.reader.whole_body(what, &body, TARGET_MAX, place)?;
                let unknown = |kind| place.corrupt(Corrupt::PathComponent(kind));
                NewKind::Symlink(target(&bytes).map_err(unknown)?)
            }
            file_type::CHAR_DEVICE => {
                let (major, minor) = device()?;
                NewKind::CharDevice { major, minor }
            }
            file_type::BLOCK_DEVICE => {
                let (major, minor) = device()?;
                NewKind::BlockDevice { major, minor }
            }
            file_type::FIFO => NewKind::Fifo,
            file_type::SOCKET => NewKind::Socket,
            _ => {
                let place = || entry.icb_place("file_type");
                self.reader.note(NoteKind::FileType, place);
                return Ok(None);
            }
        }))
    }

    /// Permissions, owner and times of an entry.
    pub(super) fn take_metadata(
        &mut self,
        entry: &Entry,
    ) -> Result<(Metadata, Attributes), UdfError> {
        let attributes = self.reader.attributes(entry)?;
        self.found.metadata.extend(&attributes.blocks);
        let time = |field: &'static str, time: &DiscTime| {
            let found = time.timestamp();
            if found.is_none() && !time.is_none() {
                self.reader.note(NoteKind::Time, || entry.place(field));
            }
            found
        };
        let known = |id: u32| if id == NO_ID { 0 } else { id };
        let created = entry.created.as_ref();
        let created = created.and_then(|created| time("creation_date_and_time", created));
        let metadata = Metadata {
            permissions: permissions(entry.permissions, entry.icb.flags.get()),
            uid: known(entry.uid),
            gid: known(entry.gid),
            modified: time("modification_date_and_time", &entry.modified)
                .unwrap_or(Timestamp::EPOCH),
            accessed: time("access_date_and_time", &entry.accessed),
            changed: time("attribute_date_and_time", &entry.changed),
            created: created.or(attributes.created),
            real_time: entry.icb.file_type == file_type::REAL_TIME,
        };
        Ok((metadata, attributes))
    }
}

/// The permissions of POSIX: five bits for others, group and owner each, of which the lowest
/// three are execute, write and read (ECMA-167 4/14.9.5).
pub(crate) fn permissions(bits: u32, flags: u16) -> u16 {
    let mut permissions = 0;
    for (class, shift) in [(0, 0), (5, 3), (10, 6)] {
        for (bit, posix) in [(0, 1), (1, 2), (2, 4)] {
            if bits >> (class + bit) & 1 == 1 {
                permissions |= posix << shift;
            }
        }
    }
    let special = [
        (icb_flags::SETUID, 0o4000),
        (icb_flags::SETGID, 0o2000),
        (icb_flags::STICKY, 0o1000),
    ];
    let set = special.iter().filter(|(flag, _)| flags & flag != 0);
    set.fold(permissions, |all, (_, posix)| all | posix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_those_of_posix() {
        // Read and execute for all, as genisoimage writes it.
        assert_eq!(permissions(0x14a5, 0), 0o555);
        assert_eq!(permissions(0x7fff, 0), 0o777);
        assert_eq!(permissions(0x1 | 0x2 << 5 | 0x4 << 10, 0x40), 0o4421);
        assert_eq!(
            permissions(0, icb_flags::STICKY | icb_flags::SETGID),
            0o3000
        );
    }
}
