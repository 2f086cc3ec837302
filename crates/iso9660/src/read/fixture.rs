//! Small volumes for tests, put together record by record, so that one can be wrong.

use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_record::{Both16, Both32, Record};
use reburn_tree::{Content, Kind, Tree};

use super::{Hierarchy, ImportedTree, Volume};
use crate::IsoError;
use crate::records::{
    DirectoryRecord, FileFlags, PRIMARY, Px, STANDARD_IDENTIFIER, SUPPLEMENTARY, Sp, TERMINATOR,
    VolumeDescriptor,
};

/// Bytes of a block, as a directory record states them.
const BLOCK_BYTES: u32 = 2048;

/// Where the root directory of a fixture is.
pub(super) const ROOT: u32 = 20;

/// A disc with a primary volume descriptor, a terminator and an empty root directory.
pub(super) struct Fixture {
    pub(super) disc: Vec<u8>,
}

/// A directory record that is being put together.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) head: DirectoryRecord,
    pub(super) identifier: Vec<u8>,
    pub(super) system_use: Vec<u8>,
}

impl Row {
    pub(super) fn file(identifier: &[u8], start: u32, length: u32) -> Self {
        let mut head = DirectoryRecord::zeroed();
        head.extent_location = Both32::new(start);
        head.data_length = Both32::new(length);
        head.volume_sequence_number = Both16::new(1);
        head.date.years_since_1900 = 124;
        head.date.month = 2;
        head.date.day = 29;
        Self {
            head,
            identifier: identifier.to_vec(),
            system_use: Vec::new(),
        }
    }

    /// A directory of one block.
    pub(super) fn directory(identifier: &[u8], start: u32) -> Self {
        Self::file(identifier, start, BLOCK_BYTES).flags(FileFlags::DIRECTORY)
    }

    pub(super) fn flags(mut self, flags: FileFlags) -> Self {
        self.head.flags = self.head.flags | flags;
        self
    }

    pub(super) fn attributes(mut self, blocks: u8) -> Self {
        self.head.extended_attribute_length = blocks;
        self
    }

    /// Adds an entry to the system use area.
    pub(super) fn entry(mut self, bytes: &[u8]) -> Self {
        self.system_use.extend_from_slice(bytes);
        self
    }

    pub(super) fn px(self, mode: u32, links: u32, serial: u32) -> Self {
        self.entry(Px::new(mode, links, 7, 8, serial).bytes())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut head = self.head;
        head.identifier_length = self.identifier.len().try_into().unwrap();
        let before = DirectoryRecord::system_use_offset(head.identifier_length);
        let length = (before + self.system_use.len()).next_multiple_of(2);
        head.length = length.try_into().unwrap();
        let mut bytes = [head.bytes(), &self.identifier].concat();
        bytes.resize(before, 0);
        bytes.extend_from_slice(&self.system_use);
        bytes.resize(length, 0);
        bytes
    }
}

impl Fixture {
    /// A volume of 64 blocks with these records in its root directory.
    pub(super) fn new(rows: &[Row]) -> Self {
        let mut fixture = Self {
            disc: vec![0; 64 * BLOCK_SIZE],
        };
        fixture.descriptor(16, PRIMARY, ROOT, |_| {});
        let terminator = VolumeDescriptor {
            descriptor_type: TERMINATOR,
            standard_identifier: STANDARD_IDENTIFIER,
            version: 1,
            ..VolumeDescriptor::zeroed()
        };
        fixture.put(18, terminator.bytes());
        fixture.put(17, terminator.bytes());
        fixture.directory(ROOT, ROOT, rows)
    }

    /// The same, with an SP entry in the root directory.
    pub(super) fn rock_ridge(rows: &[Row]) -> Self {
        Self::new(&[]).with_own(Sp::new().bytes(), rows)
    }

    /// The root directory anew, with `entries` and PX in its own record.
    pub(super) fn with_own(mut self, entries: &[u8], rows: &[Row]) -> Self {
        let own = Row::directory(&[0], ROOT).entry(entries).px(0o40755, 2, 1);
        let parent = Row::directory(&[1], ROOT).px(0o40755, 2, 1);
        let all = [&[own, parent], rows].concat();
        self.records(ROOT, &all);
        self
    }

    /// Adds a directory of one block, its own and its parent's record first.
    pub(super) fn directory(mut self, block: u32, parent: u32, rows: &[Row]) -> Self {
        let first = [Row::directory(&[0], block), Row::directory(&[1], parent)];
        self.records(block, &[&first, rows].concat());
        self
    }

    /// Fills a block with records, and nothing else.
    pub(super) fn records(&mut self, block: u32, rows: &[Row]) {
        let mut bytes: Vec<u8> = rows.iter().flat_map(Row::bytes).collect();
        bytes.resize(BLOCK_SIZE, 0);
        self.put(block, &bytes);
    }

    /// Puts a supplementary descriptor into block 17, with its root directory at `root`.
    pub(super) fn supplementary(
        mut self,
        root: u32,
        change: impl FnOnce(&mut VolumeDescriptor),
    ) -> Self {
        self.descriptor(17, SUPPLEMENTARY, root, change);
        self
    }

    /// Changes the primary volume descriptor.
    pub(super) fn primary(mut self, change: impl FnOnce(&mut VolumeDescriptor)) -> Self {
        self.descriptor(16, PRIMARY, ROOT, change);
        self
    }

    fn descriptor(
        &mut self,
        block: u32,
        kind: u8,
        root: u32,
        change: impl FnOnce(&mut VolumeDescriptor),
    ) {
        let mut descriptor = VolumeDescriptor::zeroed();
        descriptor.descriptor_type = kind;
        descriptor.standard_identifier = STANDARD_IDENTIFIER;
        descriptor.version = 1;
        descriptor.volume_space_size = Both32::new(64);
        descriptor.volume_set_size = Both16::new(1);
        descriptor.volume_sequence_number = Both16::new(1);
        descriptor.logical_block_size = Both16::new(2048);
        descriptor.root.head = Row::directory(&[0], root).head;
        descriptor.root.head.length = 34;
        descriptor.root.head.identifier_length = 1;
        change(&mut descriptor);
        self.put(block, descriptor.bytes());
    }

    /// Puts bytes at the start of a block.
    pub(super) fn put(&mut self, block: u32, bytes: &[u8]) {
        let start = block as usize * BLOCK_SIZE;
        self.disc[start..start + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn with(mut self, block: u32, bytes: &[u8]) -> Self {
        self.put(block, bytes);
        self
    }

    pub(super) fn open(&self) -> Result<Volume, IsoError> {
        Volume::open(&self.disc, Lba::ZERO)
    }

    pub(super) fn read(&self, hierarchy: Hierarchy) -> Result<ImportedTree, IsoError> {
        self.open()?.read_tree(&self.disc, hierarchy)
    }

    /// The error of reading the best tree, which there must be.
    pub(super) fn error(&self) -> String {
        let best = self.open().map(|volume| volume.best());
        let read = best.and_then(|best| self.read(best));
        read.map(|read| show(&read)).unwrap_err().to_string()
    }

    /// The best tree as text, or the error.
    pub(super) fn show(&self) -> String {
        let best = self.open().map(|volume| volume.best());
        best.and_then(|best| self.read(best))
            .map_or_else(|error| wrap(&error.to_string()), |read| show(&read))
    }
}

/// A line for each file and folder, then the notes.
pub(super) fn show(read: &ImportedTree) -> String {
    let tree = &read.tree;
    let mut lines = Vec::new();
    for (node, _) in tree
        .walk(Tree::ROOT)
        .filter(|&(node, _)| node != Tree::ROOT)
    {
        let inode = tree.inode(node);
        let what = match tree.kind(inode) {
            Kind::Directory => "folder".to_owned(),
            Kind::File {
                content: Content::Base(extents),
                ..
            } => {
                let extents = extents
                    .iter()
                    .map(|extent| format!("{}+{}", extent.start().unwrap(), extent.bytes));
                let names = tree.links(inode);
                let names = (names > 1).then(|| format!("{names} links"));
                extents.chain(names).collect::<Vec<_>>().join(" ")
            }
            Kind::Symlink(target) => format!("-> {}", target.escape_ascii()),
            kind => format!("{kind:?}"),
        };
        let path = tree.path(node).escape_ascii().to_string();
        lines.push(format!("{path} {what}").trim_end().to_owned());
    }
    lines.extend(
        read.notes
            .iter()
            .map(|note| format!("note: {:?} x {}", note.kind, note.count)),
    );
    lines.join("\n")
}

/// Text in lines of at most 80 characters, for snapshots.
pub(super) fn wrap(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= 80 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
