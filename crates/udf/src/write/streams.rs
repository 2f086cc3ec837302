//! Named streams of files and folders (ECMA-167 4/9.2, UDF 3.3.5).
//!
//! Each file that has some leads to a stream directory, whose identifiers lead to an entry a
//! stream. Invariants: streams have neither streams nor attributes of their own; from UDF 2.01 on
//! directory and streams have the unique id of their file (UDF 3.2.1.1).

use std::borrow::Cow;

use reburn_blocks::BLOCK_SIZE;
use reburn_tree::{InodeId, Kind, NodeId, Tree};

use super::directory::{DirectoryPlace, Fid, FidSizes, copy_part};
use super::entry::Entry;
use super::extents::EXTENT_BYTES_MAX;
use super::names::recorded_name;
use super::{Layout, LayoutError, Placed, UdfRevision};
use crate::records::{EntityId, LongAd, characteristics, file_type};

/// Streams that UDF defines for files (UDF 3.3.8). All others whose names begin like theirs are
/// the volume's own, or of later revisions.
const DEFINED: [&[u8]; 4] = [
    b"*UDF Macintosh Resource Fork",
    b"*UDF OS/2 EA",
    b"*UDF NT ACL",
    b"*UDF UNIX ACL",
];

/// The directory of the streams of one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamDirectory {
    /// The file or folder.
    pub(super) owner: InodeId,
    /// The block of its entry, counted from the first of the metadata.
    pub(super) start: u32,
    /// Bytes of its file identifiers.
    pub(super) bytes: u64,
    /// Which of the layout's streams is the first in it.
    pub(super) first_stream: u32,
}

impl Layout {
    /// Finds room for a file's stream directory and the entries of its streams.
    pub(super) fn add_streams(
        &mut self,
        tree: &Tree,
        node: NodeId,
        blocks: &mut u64,
    ) -> Result<(), LayoutError> {
        let owner = tree.inode(node);
        let path = || tree.display_path(node);
        if !self.options.revision.is_third_edition() {
            let revision = self.options.revision.name();
            return Err(LayoutError::Streams {
                path: path(),
                revision,
            });
        }
        let mut sizes = FidSizes::new(self);
        for (name, stream) in tree.streams(owner) {
            if let Err(reason) = self.check_stream(tree, owner, name, stream) {
                let name = String::from_utf8_lossy(name).into_owned();
                let path = path();
                return Err(LayoutError::Stream { path, name, reason });
            }
            sizes.push(&recorded_name(name));
        }
        let directory = StreamDirectory {
            owner,
            start: *blocks as u32,
            bytes: sizes.bytes(),
            first_stream: self.streams.len() as u32,
        };
        let extents = directory.bytes.div_ceil(EXTENT_BYTES_MAX);
        if extents > self.stream_directory_room() / self.form.directory_ads.bytes() as u64 {
            let bytes = directory.bytes;
            let path = path();
            return Err(LayoutError::DirectoryTooLarge { path, bytes });
        }
        *blocks += 1 + u64::from(self.stream_directory_blocks(&directory));
        self.stream_directories.push(directory);
        for (_, stream) in tree.streams(owner) {
            self.note_times(tree.metadata(stream));
            self.places.set(stream, *blocks as u32);
            self.streams.push(stream);
            *blocks += 1 + self.continuations(tree, stream);
        }
        Ok(())
    }

    /// Why a stream cannot be recorded, if it cannot.
    fn check_stream(
        &self,
        tree: &Tree,
        owner: InodeId,
        name: &[u8],
        stream: InodeId,
    ) -> Result<(), &'static str> {
        check_stream(tree, owner, name, stream)?;
        if self.places.is_placed(stream) {
            return Err("it is a file of its own as well, or a stream of two files");
        }
        Ok(())
    }

    fn stream_directory_room(&self) -> u64 {
        (BLOCK_SIZE - self.form.head_bytes()) as u64
    }

    /// Blocks of a stream directory behind its entry; none if it lies in the entry.
    pub(super) fn stream_directory_blocks(&self, directory: &StreamDirectory) -> u32 {
        if directory.bytes <= self.stream_directory_room() {
            return 0;
        }
        directory.bytes.div_ceil(BLOCK_SIZE as u64) as u32
    }

    /// The stream directory of a file, if it has one.
    pub(super) fn stream_directory_of(&self, owner: InodeId) -> Option<&StreamDirectory> {
        // They stand in the order of the entries that lead to them.
        let block = self.entry_block(owner);
        let found = self
            .stream_directories
            .partition_point(|directory| self.entry_block(directory.owner) < block);
        let found = self.stream_directories.get(found);
        found.filter(|directory| directory.owner == owner)
    }

    /// The stream directory that a block among those of the streams belongs to.
    pub(super) fn stream_directory_at(&self, block: u32) -> usize {
        self.stream_directories
            .partition_point(|directory| directory.start <= block)
            - 1
    }

    /// The stream whose entry, or what continues it, is in a block behind the stream directory at
    /// `index`.
    pub(super) fn stream_at(&self, index: usize, block: u32) -> InodeId {
        let first = self.stream_directories[index].first_stream as usize;
        let next = self.stream_directories.get(index + 1);
        let end = next.map_or(self.streams.len(), |next| next.first_stream as usize);
        let streams = &self.streams[first..end];
        let after = streams.partition_point(|&stream| self.entry_block(stream) <= block);
        streams[after - 1]
    }
}

/// Why a stream cannot be recorded in any volume, if it cannot.
pub(super) fn check_stream(
    tree: &Tree,
    owner: InodeId,
    name: &[u8],
    stream: InodeId,
) -> Result<(), &'static str> {
    if name.starts_with(EntityId::UDF_DEFINED) && !DEFINED.contains(&name) {
        return Err("UDF keeps names with *UDF for streams that it defines (UDF 3.3.7, 3.3.8)");
    }
    if let Cow::Owned(recorded) = recorded_name(name) {
        let other = |(other, _): (&[u8], InodeId)| {
            other != name && recorded_name(other) == recorded.as_str()
        };
        if tree.streams(owner).any(other) {
            return Err("UDF would record the name as that of another stream of the file");
        }
    }
    if tree.streams(stream).len() > 0 || !tree.attributes(stream).is_empty() {
        return Err("a stream has neither streams nor attributes (UDF 3.3.5.1)");
    }
    Ok(())
}

/// Bytes of all streams of a file.
pub(super) fn stream_bytes(tree: &Tree, owner: InodeId) -> u64 {
    let bytes = tree.streams(owner).map(|(_, stream)| {
        match tree.kind(stream) {
            Kind::File { size, .. } => size,
            _ => 0, // no stream is anything else
        }
    });
    bytes.sum()
}

impl Placed<'_> {
    /// What leads to the streams of a file, and how many bytes they have.
    pub(super) fn streams_of(&self, owner: InodeId) -> (Option<LongAd>, u64) {
        let Some(directory) = self.layout.stream_directory_of(owner) else {
            return (None, 0);
        };
        let icb = self.metadata_ad(directory.start, BLOCK_SIZE as u32);
        (Some(icb), stream_bytes(self.tree, owner))
    }

    /// The unique id of a stream.
    pub(super) fn stream_id(&self, owner: InodeId, stream: InodeId) -> u64 {
        if self.inherits_id() {
            self.unique_id(owner)
        } else {
            self.unique_id(stream)
        }
    }

    /// Whether stream directories and streams have the ids of their files.
    fn inherits_id(&self) -> bool {
        self.layout.options.revision >= UdfRevision::V2_01
    }

    fn stream_directory_place(&self, directory: &StreamDirectory) -> DirectoryPlace {
        self.directory_place(
            directory.start,
            self.layout.stream_directory_blocks(directory) == 0,
        )
    }

    /// The entry of a stream directory, with the directory if that fits.
    pub(super) fn write_stream_directory(&self, directory: &StreamDirectory, out: &mut [u8]) {
        let blocks = self.layout.stream_directory_blocks(directory);
        let mut tail = Vec::new();
        if blocks == 0 {
            tail.resize(directory.bytes as usize, 0);
            self.write_stream_identifiers(directory, 0, &mut tail);
        } else {
            let form = self.layout.form.directory_ads;
            let max = self.layout.stream_directory_room() / form.bytes() as u64;
            self.directory_extents(directory.start, directory.bytes, max, &mut tail);
        }
        let entry = Entry {
            flags: self.directory_flags(blocks == 0),
            metadata: *self.tree.metadata(directory.owner),
            information_length: directory.bytes,
            blocks_recorded: blocks.into(),
            unique_id: if self.inherits_id() {
                self.unique_id(directory.owner)
            } else {
                self.layout.places.new_id(directory.start)
            },
            tail,
            ..Entry::of_system(file_type::STREAM_DIRECTORY, self.layout.volume_time)
        };
        let block = self.metadata_block(directory.start);
        entry.write(&self.layout.options, block, out);
    }

    /// Fills `out` with the identifiers of a stream directory from byte `from` on.
    pub(super) fn write_stream_identifiers(
        &self,
        directory: &StreamDirectory,
        from: u64,
        out: &mut [u8],
    ) {
        let place = self.stream_directory_place(directory);
        let streams = self.tree.streams(directory.owner);
        let last = streams.len();
        let mut fid = Vec::new();
        let parent = Fid {
            characteristics: characteristics::PARENT | characteristics::DIRECTORY,
            icb: self.icb(directory.owner),
            unique_id: self.unique_id(directory.owner),
            name: "",
            at: 0,
            is_last: false,
        };
        self.write_fid(place, &parent, &mut fid);
        copy_part(&fid, 0, from, out);
        let mut at = fid.len() as u64;
        for (index, (name, stream)) in (1..).zip(streams) {
            if at >= from + out.len() as u64 {
                break;
            }
            fid.clear();
            let described = Fid {
                characteristics: 0,
                icb: self.icb(stream),
                unique_id: self.stream_id(directory.owner, stream),
                name: &recorded_name(name),
                at,
                is_last: index == last,
            };
            self.write_fid(place, &described, &mut fid);
            copy_part(&fid, at, from, out);
            at += fid.len() as u64;
        }
    }
}
