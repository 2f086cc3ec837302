//! The records of one directory, and the system use areas that continue after them.
//!
//! Invariants: a record lies within one block (ECMA-119 6.8.1.1); so does each part of a
//! system use area (SUSP 5.1); what a record takes does not depend on any address, so that
//! measuring and writing are one piece of code.

use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_record::{Both16, Both32, Record};
use reburn_tree::{InodeId, Kind, Metadata, NodeId, Timestamp, Tree};

use super::FilePlacement;
use super::hierarchy::HierarchyLayout;
use super::listing::{Listing, Member};
use super::progress::{Checkpoints, Cursor, Size};
use super::sections::section_lengths;
use super::system_use::SystemUse;
use super::window::Window;
use crate::names::NameRules;
use crate::records::{
    Ce, DIRECTORY_RECORD_MAX, DirectoryDate, DirectoryRecord, FileFlags, PARENT_IDENTIFIER,
    SELF_IDENTIFIER,
};

const BLOCK: u64 = BLOCK_SIZE as u64;

/// All that records are made from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) tree: &'a Tree,
    pub(super) hierarchy: &'a HierarchyLayout,
    /// The serial number of each inode, and one more for the relocation folder.
    pub(super) serials: &'a [u32],
    /// The first block of all metadata.
    pub(super) metadata_start: Lba,
    pub(super) files: &'a dyn FilePlacement,
}

impl<'a> Sources<'a> {
    /// Sources to measure with: addresses mean nothing.
    pub(super) fn unplaced(
        tree: &'a Tree,
        hierarchy: &'a HierarchyLayout,
        serials: &'a [u32],
    ) -> Self {
        Self {
            tree,
            hierarchy,
            serials,
            metadata_start: Lba::ZERO,
            files: &|_: InodeId, _: usize| Lba::ZERO,
        }
    }

    /// The block at which a directory starts.
    pub(super) fn location(&self, directory: usize) -> u32 {
        self.metadata_start.get() + self.hierarchy.directories[directory].start
    }
}

/// Writes the records of one directory.
pub(super) struct DirectoryWriter<'a> {
    sources: Sources<'a>,
    listing: &'a Listing,
    /// Which directory.
    index: usize,
    system_use: SystemUse,
    record: Vec<u8>,
}

/// What a record says outside its system use area.
struct Head<'a> {
    identifier: &'a [u8],
    /// What follows the identifier: separators and version.
    suffix: &'static [u8],
    location: u32,
    length: u32,
    modified: Timestamp,
    flags: FileFlags,
}

impl<'a> DirectoryWriter<'a> {
    pub(super) fn new(sources: Sources<'a>, listing: &'a Listing, index: usize) -> Self {
        Self {
            sources,
            listing,
            index,
            system_use: SystemUse::default(),
            record: Vec::with_capacity(DIRECTORY_RECORD_MAX),
        }
    }

    /// How much the directory takes.
    pub(super) fn measure(&mut self) -> Size {
        let mut cursor = Cursor::default();
        while self.write_place(&mut cursor, &mut Window::nothing()) {}
        cursor.size
    }

    /// Puts what the window shows of the directory's records.
    pub(super) fn write_records(&mut self, known: &mut Checkpoints, window: &mut Window<'_>) {
        let mut cursor = known.last_with(|at| at.records <= window.start());
        while cursor.size.records < window.end() && self.write_place(&mut cursor, window) {
            known.note(cursor);
        }
        self.check_end(&cursor, window.end() >= self.continuations_start());
    }

    /// Puts what the window shows of the continuations, which start after the records.
    pub(super) fn write_continuations(&mut self, known: &mut Checkpoints, window: &mut Window<'_>) {
        let start = self.continuations_start();
        let mut cursor = known.last_with(|at| start + at.continuations <= window.start());
        while start + cursor.size.continuations < window.end()
            && self.write_place(&mut cursor, window)
        {
            known.note(cursor);
        }
        self.check_end(&cursor, false);
    }

    /// Checks that all records went where they were measured to go.
    fn check_end(&self, cursor: &Cursor, all_written: bool) {
        let directory = &self.sources.hierarchy.directories[self.index];
        let blocks = |bytes: u64| bytes.div_ceil(BLOCK);
        let (records, continuations) = (
            u64::from(directory.record_blocks),
            u64::from(directory.continuation_blocks),
        );
        let at_end = cursor.place == self.listing.len() + 2;
        let as_measured = if at_end {
            blocks(cursor.size.records) == records
                && blocks(cursor.size.continuations) == continuations
        } else {
            !all_written
        };
        assert!(as_measured, "the tree has changed since it was laid out");
    }

    fn continuations_start(&self) -> u64 {
        u64::from(self.sources.hierarchy.directories[self.index].record_blocks) * BLOCK
    }

    /// Writes the records of the next place; whether there was one.
    fn write_place(&mut self, cursor: &mut Cursor, window: &mut Window<'_>) -> bool {
        let place = cursor.place;
        match place {
            0 => self.write_self(cursor, window),
            1 => self.write_parent(cursor, window),
            _ if place - 2 < self.listing.len() => {
                let (member, identifier) = self.listing.get(place - 2);
                self.write_member(member, identifier, cursor, window);
            }
            _ => return false,
        }
        cursor.place += 1;
        true
    }

    fn write_self(&mut self, cursor: &mut Cursor, window: &mut Window<'_>) {
        self.system_use.clear();
        if self.sources.hierarchy.has_rock_ridge() {
            if self.index == 0 {
                self.system_use.push_sharing_protocol();
            }
            self.push_directory_attributes(self.index);
            if self.index == 0 {
                self.system_use.push_extension_reference();
            }
        }
        let head = self.directory_head(self.index, &[SELF_IDENTIFIER]);
        self.write_record(&head, cursor, window);
    }

    fn write_parent(&mut self, cursor: &mut Cursor, window: &mut Window<'_>) {
        let hierarchy = self.sources.hierarchy;
        let directory = &hierarchy.directories[self.index];
        let parent = directory.parent as usize;
        self.system_use.clear();
        if hierarchy.has_rock_ridge() {
            let relocation = hierarchy.relocation.as_ref();
            let moved = relocation.and_then(|relocation| relocation.find(directory.node));
            let shown = moved.map_or(parent, |moved| moved.parent as usize);
            self.push_directory_attributes(shown);
            if moved.is_some() {
                let location = self.sources.location(shown);
                self.system_use.push_parent_link(location);
            }
        }
        let head = self.directory_head(parent, &[PARENT_IDENTIFIER]);
        self.write_record(&head, cursor, window);
    }

    fn write_member(
        &mut self,
        member: Member,
        identifier: &[u8],
        cursor: &mut Cursor,
        window: &mut Window<'_>,
    ) {
        self.system_use.clear();
        let sources = self.sources;
        if member.directory(sources.tree).is_some() {
            let first = sources.hierarchy.directories[self.index].first_child;
            let child = (first + cursor.directories) as usize;
            cursor.directories += 1;
            self.push_folder(member, child);
            let head = self.directory_head(child, identifier);
            return self.write_record(&head, cursor, window);
        }
        match member {
            Member::Placeholder(node) => {
                self.push_placeholder(node);
                self.write_file(node, std::iter::once(0), identifier, cursor, window);
            }
            Member::Node(node) => {
                self.push_file(node);
                let inode = sources.tree.inode(node);
                let mut lengths = section_lengths(sources.tree, inode).peekable();
                if lengths.peek().is_none() {
                    self.write_file(node, std::iter::once(0), identifier, cursor, window);
                } else {
                    self.write_file(node, lengths, identifier, cursor, window);
                }
            }
            Member::Moved(_) | Member::RelocationFolder => {}
        }
    }

    /// Writes a record for each section of a file, all with the same system use area.
    fn write_file(
        &mut self,
        node: NodeId,
        lengths: impl Iterator<Item = u64>,
        identifier: &[u8],
        cursor: &mut Cursor,
        window: &mut Window<'_>,
    ) {
        let sources = self.sources;
        let inode = sources.tree.inode(node);
        let mut lengths = lengths.enumerate().peekable();
        while let Some((section, length)) = lengths.next() {
            let location = match length {
                0 => 0,
                _ => sources.files.section_start(inode, section).get(),
            };
            let head = Head {
                identifier,
                suffix: version_suffix(sources.hierarchy.rules, identifier),
                location,
                length: length as u32,
                modified: sources.tree.metadata(inode).modified,
                flags: match lengths.peek() {
                    Some(_) => FileFlags::MULTI_EXTENT,
                    None => FileFlags::NONE,
                },
            };
            self.write_record(&head, cursor, window);
        }
    }

    fn directory_head<'i>(&self, index: usize, identifier: &'i [u8]) -> Head<'i> {
        let sources = self.sources;
        let directory = &sources.hierarchy.directories[index];
        let inode = sources.tree.inode(directory.node);
        Head {
            identifier,
            suffix: b"",
            location: sources.location(index),
            length: directory.data_length(),
            modified: sources.tree.metadata(inode).modified,
            flags: FileFlags::DIRECTORY,
        }
    }

    fn push_folder(&mut self, member: Member, child: usize) {
        let hierarchy = self.sources.hierarchy;
        if !hierarchy.has_rock_ridge() {
            return;
        }
        self.push_directory_attributes(child);
        match (member, &hierarchy.relocation) {
            (Member::Node(node) | Member::Moved(node), _) => {
                self.system_use.push_name(self.sources.tree.name(node));
            }
            (_, Some(relocation)) => self.system_use.push_name(relocation.folder_name),
            (_, None) => {}
        }
        if !matches!(member, Member::Node(_)) {
            self.system_use.push_relocated();
        }
    }

    fn push_placeholder(&mut self, node: NodeId) {
        let relocation = self.sources.hierarchy.relocation.as_ref();
        let moved = relocation.and_then(|relocation| relocation.find(node));
        let directory = moved.map_or(0, |moved| moved.directory as usize);
        self.push_directory_attributes(directory);
        self.system_use.push_name(self.sources.tree.name(node));
        let location = self.sources.location(directory);
        self.system_use.push_child_link(location);
    }

    fn push_file(&mut self, node: NodeId) {
        let Sources { tree, serials, .. } = self.sources;
        if !self.sources.hierarchy.has_rock_ridge() {
            return;
        }
        let inode = tree.inode(node);
        let (metadata, kind) = (tree.metadata(inode), tree.kind(inode));
        let entries = &mut self.system_use;
        entries.push_attributes(metadata, kind, tree.links(inode), serials[inode.index()]);
        entries.push_times(metadata);
        entries.push_name(tree.name(node));
        match kind {
            Kind::Symlink(target) => entries.push_target(target),
            Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
                entries.push_device(major, minor);
            }
            _ => {}
        }
    }

    fn push_directory_attributes(&mut self, index: usize) {
        let Sources {
            tree,
            hierarchy,
            serials,
            ..
        } = self.sources;
        let directory = &hierarchy.directories[index];
        let inode = tree.inode(directory.node);
        let (serial, links) = if hierarchy.is_relocation_folder(index) {
            (serials.last(), 2)
        } else {
            (serials.get(inode.index()), 2 + directory.subfolders)
        };
        let metadata: &Metadata = tree.metadata(inode);
        let serial = serial.copied().unwrap_or_default();
        self.system_use
            .push_attributes(metadata, Kind::Directory, links, serial);
        self.system_use.push_times(metadata);
    }

    /// Writes one record, with as much of the system use area as it holds.
    fn write_record(&mut self, head: &Head<'_>, cursor: &mut Cursor, window: &mut Window<'_>) {
        let identifier_length = (head.identifier.len() + head.suffix.len()) as u8;
        let system_use_offset = DirectoryRecord::system_use_offset(identifier_length);
        let total = self.system_use.bytes().len();
        let room = DIRECTORY_RECORD_MAX - system_use_offset;
        let (inside, pointer) = if total <= room {
            (total, 0)
        } else {
            (self.system_use.split(0, room - Ce::SIZE), Ce::SIZE)
        };
        let length = (system_use_offset + inside + pointer).next_multiple_of(2);
        let at = cursor.size.add_record(length);
        let record = DirectoryRecord {
            length: length as u8,
            extended_attribute_length: 0,
            extent_location: Both32::new(head.location),
            data_length: Both32::new(head.length),
            date: DirectoryDate::new(head.modified),
            flags: head.flags,
            file_unit_size: 0,
            interleave_gap: 0,
            volume_sequence_number: Both16::new(1),
            identifier_length,
        };
        let mut bytes = std::mem::take(&mut self.record);
        bytes.clear();
        bytes.extend_from_slice(record.bytes());
        bytes.extend_from_slice(head.identifier);
        bytes.extend_from_slice(head.suffix);
        bytes.resize(system_use_offset, 0);
        bytes.extend_from_slice(&self.system_use.bytes()[..inside]);
        if inside < total {
            let pointer = self.write_continuation(inside, cursor, window);
            bytes.extend_from_slice(pointer.bytes());
        }
        bytes.resize(length, 0);
        window.put(at, &bytes);
        self.record = bytes;
    }

    /// Writes the entries from `from` on into the continuations; what points at them.
    ///
    /// They are kept in one piece unless they are longer than a block.
    fn write_continuation(
        &mut self,
        from: usize,
        cursor: &mut Cursor,
        window: &mut Window<'_>,
    ) -> Ce {
        let start = self.continuations_start();
        let first_block = self.sources.location(self.index) + (start / BLOCK) as u32;
        let pointer = |at: u64, len: usize| {
            Ce::new(
                first_block + (at / BLOCK) as u32,
                (at % BLOCK) as u32,
                len as u32,
            )
        };
        // The parts, each with its place. All but the last end in a pointer to the next one.
        let total = self.system_use.bytes().len();
        let mut parts = Vec::with_capacity(1);
        let mut done = from;
        while done < total {
            let end = match total - done {
                left if left <= BLOCK_SIZE => total,
                _ => self.system_use.split(done, BLOCK_SIZE - Ce::SIZE),
            };
            let len = end - done + if end < total { Ce::SIZE } else { 0 };
            parts.push((done..end, cursor.size.add_continuation(len), len));
            done = end;
        }
        for (index, (range, at, _)) in parts.iter().enumerate() {
            window.put(start + at, &self.system_use.bytes()[range.clone()]);
            if let Some(&(_, next_at, next_len)) = parts.get(index + 1) {
                let next = pointer(next_at, next_len);
                window.put(start + at + range.len() as u64, next.bytes());
            }
        }
        let (_, at, len) = parts[0];
        pointer(at, len)
    }
}

/// What ends a file identifier: separators even where there is no extension, and a version
/// (ECMA-119 7.5.1). Joliet and ISO 9660:1999 do without, by custom and by standard.
pub(super) fn version_suffix(rules: NameRules, identifier: &[u8]) -> &'static [u8] {
    match rules {
        NameRules::Plain(_) if identifier.contains(&b'.') => b";1",
        NameRules::Plain(_) => b".;1",
        NameRules::Enhanced | NameRules::Joliet(_) => b"",
    }
}
