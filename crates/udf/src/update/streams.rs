//! Named streams and extended attributes that changed.
//!
//! A stream directory is small and is written anew as a whole; streams that stay keep their
//! entries. It has the unique id of its file, and so have the streams (UDF 3.2.1.1).

use std::borrow::Cow;
use std::collections::BTreeMap;

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_tree::{InodeId, NodeId, Tree};

use super::UpdateError;
use super::directory::{AllPlaces, EntryPlaces, block_at};
use super::folders::Folders;
use super::plan::{Planner, Source};
use super::tags;
use crate::LayoutError;
use crate::records::characteristics;
use crate::write::{
    EntryPlace, Identifier, NewEntries, StreamsAt, developer, directory_ads, encoded_len, entry_ad,
    fid_len, filler, recorded_name,
};

/// An identifier of a stream directory: its characteristics, the block of the entry that it leads
/// to, and its name.
type Named<'a> = (u8, u32, Cow<'a, str>);

/// What of an old entry cannot stay.
#[derive(Debug, Clone, Copy)]
pub(super) struct OldExtras {
    /// A name that leads to it.
    pub(super) node: NodeId,
    pub(super) has_new_attributes: bool,
    pub(super) has_new_streams: bool,
    /// Whether the entry can lead to streams.
    is_extended: bool,
    /// The block with the entry of its stream directory.
    streams: Option<u32>,
}

impl OldExtras {
    /// Whether the entry must be rendered, not patched.
    pub(super) fn is_rendered(&self) -> bool {
        self.has_new_attributes || !self.is_extended
    }
}

/// A stream directory that changed.
#[derive(Debug)]
pub(super) struct StreamDirectory {
    pub(super) owner: InodeId,
    pub(super) place: EntryPlace,
    pub(super) bytes: Vec<u8>,
    /// The blocks that they are in; none if they are in the entry.
    pub(super) blocks: Vec<u32>,
}

impl Planner<'_> {
    /// Old entries whose streams or attributes changed.
    pub(super) fn old_extras(&self) -> Result<BTreeMap<InodeId, OldExtras>, UpdateError> {
        let mut found = BTreeMap::new();
        for &inode in &self.changes.inodes {
            let is_there = self.tree.links(inode) > 0;
            let Some(entry) = self.entries.get(inode).filter(|_| is_there) else {
                continue;
            };
            let base = self.base.extras(entry.block)?;
            let streams = self.tree.streams(inode);
            let count = base.streams.map_or(0, |(_, count)| count);
            let is_same_count = streams.len() == count;
            let mut streams = streams.map(|(_, stream)| self.entries.get(stream));
            let has_new_streams = !is_same_count || streams.any(|entry| entry.is_none());
            // Without a field for it, the time of creation is an attribute.
            let created = self.tree.metadata(inode).created;
            let has_new_attributes = self.tree.attributes(inode) != base.attributes
                || !base.is_extended && created != base.created;
            if has_new_streams || has_new_attributes {
                let extras = OldExtras {
                    node: Tree::ROOT,
                    has_new_attributes,
                    has_new_streams,
                    is_extended: base.is_extended,
                    streams: base.streams.map(|(block, _)| block),
                };
                found.insert(inode, extras);
            }
        }
        if found.is_empty() {
            return Ok(found);
        }
        // Few files have any of these, and names are found by looking at all.
        for (node, _) in self.tree.walk(Tree::ROOT) {
            if let Some(extras) = found.get_mut(&self.tree.inode(node)) {
                extras.node = node;
            }
        }
        // What has no name is a stream itself.
        found.retain(|inode, extras| self.tree.inode(extras.node) == *inode);
        for extras in found.values() {
            // Attributes can be exchanged where new entries have the same form.
            let is_usual = !self.options.revision.is_third_edition() && !extras.has_new_streams;
            if self.tree.is_directory(extras.node) && !extras.is_extended && !is_usual {
                let path = self.tree.display_path(extras.node);
                return Err(UpdateError::PlainEntry { path });
            }
        }
        Ok(found)
    }

    /// Gives streams and stream directories their places.
    pub(super) fn place_streams(
        &mut self,
        folders: &Folders<'_>,
        extras: &BTreeMap<InodeId, OldExtras>,
    ) -> Result<(), UpdateError> {
        let new = folders.new.iter().copied();
        let new = new.chain(folders.taken_over.values().map(|&(node, _)| node));
        for node in new {
            if self.tree.streams(self.tree.inode(node)).len() > 0 {
                self.place_streams_of(node, None)?;
            }
        }
        for (&inode, extras) in extras {
            let streams = if !extras.has_new_streams {
                StreamsAt {
                    block: extras.streams,
                    partition: self.options.entry_partition(),
                    bytes: self.new_entries().stream_bytes(inode),
                }
            } else if self.tree.streams(inode).len() == 0 {
                StreamsAt::default()
            } else {
                self.place_streams_of(extras.node, extras.streams)?;
                continue;
            };
            self.set_streams(inode, streams);
        }
        Ok(())
    }

    /// Lets an entry, new or old, lead to streams.
    fn set_streams(&mut self, inode: InodeId, streams: StreamsAt) {
        match self.places.get_mut(&inode) {
            Some(place) => place.streams = streams,
            None => {
                self.old_streams.insert(inode, streams);
            }
        }
    }

    pub(super) fn new_entries(&self) -> NewEntries<'_> {
        NewEntries {
            options: self.options,
            tree: self.tree,
            over: &self.over,
        }
    }

    fn place_streams_of(&mut self, node: NodeId, old: Option<u32>) -> Result<(), UpdateError> {
        let owner = self.tree.inode(node);
        self.new_entries().check_extras(node)?;
        let places = AllPlaces {
            entries: self.entries,
            new: &self.places,
        };
        let (owner_block, unique_id) = places.entry(owner).unwrap_or_default();
        let block = old.unwrap_or_else(|| self.space.take());
        self.space.change(block);
        let mut identifiers = vec![(
            characteristics::PARENT | characteristics::DIRECTORY,
            owner_block,
            "".into(),
        )];
        let streams: Vec<_> = self.tree.streams(owner).collect();
        for (name, stream) in streams {
            let at = match self.entries.get(stream) {
                Some(entry) => entry.block,
                None => self.place_stream(stream, unique_id),
            };
            identifiers.push((0, at, recorded_name(name)));
        }
        let fillers = self.fillers(&identifiers);
        let lengths = identifiers.iter().zip(&fillers);
        let lengths = lengths.map(|((_, _, name), filler)| fid_len(encoded_len(name)) + filler);
        let bytes = lengths.sum::<usize>() as u64;
        let room = self.new_entries().stream_directory_room();
        let mut blocks = Vec::new();
        if bytes > room {
            let too_large = || LayoutError::DirectoryTooLarge {
                path: self.tree.display_path(node),
                bytes,
            };
            let count = u32::try_from(bytes.div_ceil(BLOCK_SIZE as u64));
            blocks = self.space.take_run(count.map_err(|_| too_large())?);
            if directory_ads(&blocks, bytes, self.space.unit()).len() as u64 > room {
                return Err(too_large().into());
            }
        }
        let at = (block, &blocks[..], unique_id);
        let out = self.render_streams(&identifiers, &fillers, at);
        let number = self.stream_directories.len() as u32;
        self.sources.insert(block, Source::StreamDirectory(number));
        for (index, &block) in (0..).zip(&blocks) {
            self.sources.insert(block, Source::Streams(number, index));
        }
        let streams = StreamsAt {
            block: Some(block),
            partition: self.options.entry_partition(),
            bytes: self.new_entries().stream_bytes(owner),
        };
        self.set_streams(owner, streams);
        self.stream_directories.push(StreamDirectory {
            owner,
            place: EntryPlace {
                block,
                unique_id,
                ..EntryPlace::default()
            },
            bytes: out,
            blocks,
        });
        Ok(())
    }

    /// Bytes by which each identifier grows so that the tag of the next one lies in one block.
    fn fillers(&self, identifiers: &[Named<'_>]) -> Vec<usize> {
        let last = identifiers.len() - 1;
        let keeps_whole = self.options.keeps_tags_whole();
        let mut end = 0;
        let of = identifiers.iter().enumerate().map(|(index, (_, _, name))| {
            end += fid_len(encoded_len(name)) as u64;
            let is_needed = keeps_whole && index < last;
            let filler = if is_needed { filler(end) } else { 0 };
            end += u64::from(filler);
            filler.into()
        });
        of.collect()
    }

    /// The bytes of a stream directory that is in these blocks, or in its entry.
    fn render_streams(
        &self,
        identifiers: &[Named<'_>],
        fillers: &[usize],
        (entry, blocks, unique_id): (u32, &[u32], u64),
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let developer = developer(self.options);
        for ((bits, leads_to, name), &filler) in identifiers.iter().zip(fillers) {
            let start = out.len();
            let at = match blocks {
                [] => entry,
                blocks => block_at(blocks, start as u64),
            };
            let identifier = Identifier {
                characteristics: *bits,
                icb: entry_ad(*leads_to, self.options.entry_partition(), unique_id),
                implementation_use: &developer.bytes()[..filler],
                name,
            };
            identifier.write(self.options.revision, at, &mut out);
            tags::set_serial(&mut out[start..], self.serial);
        }
        out
    }

    /// Places the entry of a new stream; its block.
    fn place_stream(&mut self, stream: InodeId, unique_id: u64) -> u32 {
        let block = self.space.take();
        let place = EntryPlace {
            block,
            unique_id,
            is_stream: true,
            ..EntryPlace::default()
        };
        self.places.insert(stream, place);
        self.place_continuations(stream);
        block
    }
}
