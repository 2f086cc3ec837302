//! Working out an edit: which addresses of the partition get which new content.

use std::collections::{BTreeMap, BTreeSet};

use reburn_blocks::{BLOCK_SIZE, BlockRangeList};
use reburn_tree::{Changes, Content, Extent, InodeId, Kind, Metadata, NodeId, Timestamp, Tree};

use super::cut::CutDirectory;
use super::directory::{AllPlaces, GoneNames, Naming};
use super::folder::{Directory, DirectoryPlan};
use super::folders::{Draft, Folders};
use super::ids::UniqueIds;
use super::space::Space;
use super::streams::{OldExtras, StreamDirectory};
use super::{UpdateError, UpdateOptions};
use crate::read::Base;
use crate::write::{EntryPlace, NewEntries, Over, StreamsAt, UdfOptions, developer};
use crate::{Entries, LayoutError, stays_in_place};

/// Blocks that metadata may take, as when a volume is laid out.
pub(super) const METADATA_BLOCKS_MAX: u32 = 1 << 30;

/// What is new at an address.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// The entry of a new file.
    File(InodeId),
    /// A block of its allocation descriptors: the first (1), the second, and so on.
    Continuation(InodeId, u32),
    /// The old entry of an inode with other metadata.
    Patched(InodeId),
    /// The entry of a directory that stays, with other allocation descriptors.
    Cut,
    /// The entry of a changed folder, by its number among them.
    Folder(u32),
    /// A block of its directory.
    Directory(u32, u32),
    /// The entry of a changed stream directory, by its number among them.
    StreamDirectory(u32),
    /// A block of it.
    Streams(u32, u32),
    /// A block of the bitmap of free space.
    Bitmap(u32),
}

/// What was worked out.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) sources: BTreeMap<u32, Source>,
    pub(super) directories: Vec<Directory>,
    pub(super) stream_directories: Vec<StreamDirectory>,
    /// Old entries that lead to other streams than before.
    pub(super) old_streams: BTreeMap<InodeId, StreamsAt>,
    /// Directories that stay and get other allocation descriptors, by their entries.
    pub(super) cut: BTreeMap<u32, CutDirectory>,
    /// Entries of files, folders and streams that are new, or rendered anew where they are.
    pub(super) places: BTreeMap<InodeId, EntryPlace>,
    /// Where the content of new files goes over that of files that are gone.
    pub(super) over: Over,
    /// Units that get new blocks of the disc, ascending.
    pub(super) units: Vec<u32>,
    /// Addresses that there are from now on.
    pub(super) end: u32,
    /// Those that nothing is at, ascending: first, and one past the last.
    pub(super) free: Vec<(u32, u32)>,
    pub(super) next_unique_id: u64,
    /// The newest time of anything that changed.
    pub(super) newest: Timestamp,
}

impl Planned {
    /// Has a unit changed that was not known to.
    pub(super) fn change_unit(&mut self, unit: u32) {
        if let Err(at) = self.units.binary_search(&unit) {
            self.units.insert(at, unit);
        }
    }
}

/// An edit that is being worked out.
pub(super) struct Planner<'a> {
    pub(super) base: &'a Base<'a>,
    pub(super) tree: &'a Tree,
    pub(super) entries: &'a Entries,
    pub(super) changes: &'a Changes,
    pub(super) options: &'a UdfOptions,
    pub(super) serial: u16,
    /// Blocks of the disc that the data of files can be in.
    pub(super) data: BlockRangeList,
    pub(super) space: Space,
    pub(super) sources: BTreeMap<u32, Source>,
    pub(super) directories: Vec<Directory>,
    pub(super) stream_directories: Vec<StreamDirectory>,
    pub(super) old_streams: BTreeMap<InodeId, StreamsAt>,
    pub(super) cut: BTreeMap<u32, CutDirectory>,
    pub(super) places: BTreeMap<InodeId, EntryPlace>,
    pub(super) ids: UniqueIds,
    /// Of an edit in place: blocks of the disc with data of files that are gone, and nothing else.
    pub(super) writable: Option<&'a BlockRangeList>,
    pub(super) over: Over,
}

impl Planner<'_> {
    /// Works it out. `end` is one past the last address so far.
    pub(super) fn run(mut self, options: &UpdateOptions, end: u32) -> Result<Planned, UpdateError> {
        let extras = self.old_extras()?;
        let nodes = extras.values().map(|extras| extras.node);
        let more: Vec<_> = nodes.filter(|&node| self.tree.is_directory(node)).collect();
        let (tree, entries) = (self.tree, self.entries);
        let mut folders = Folders::compare(self.base, tree, entries, self.changes, &more)?;
        let space = &mut self.space;
        folders.for_each_dead(|owned| {
            for &blocks in owned {
                space.release(blocks);
            }
        })?;
        for (_, entry) in folders.taken_over.values() {
            self.space.reserve(entry.block);
        }
        self.begin_in_place(&folders);
        self.patch_old(&folders, &extras);
        self.expect_changes(&folders.drafts);
        self.place_new(&folders, &extras)?;
        self.place_streams(&folders, &extras)?;
        let mut gone = GoneNames::new();
        for draft in &folders.drafts {
            Naming::note_gone(&mut gone, draft);
        }
        let developer = developer(self.options);
        let mut ids = self.ids;
        let mut unnamed = std::mem::take(&mut folders.is_new);
        for draft in &folders.drafts {
            let places = AllPlaces {
                entries: self.entries,
                new: &self.places,
            };
            let mut naming = Naming {
                places: &places,
                gone: std::mem::take(&mut gone),
                ids,
                unnamed: std::mem::take(&mut unnamed),
                revision: self.options.revision,
                partition: self.options.entry_partition(),
                serial: self.serial,
                developer: &developer,
            };
            let inode = self.tree.inode(draft.node);
            let extras = extras.get(&inode);
            let entries = self.new_entries();
            let attributes = match (extras, self.entries.get(inode)) {
                (Some(extras), Some(entry)) if extras.has_new_attributes => {
                    entries.check_extras(draft.node)?;
                    Some(entries.attributes(inode, entry.block))
                }
                _ => None,
            };
            let directory = DirectoryPlan {
                tree: self.tree,
                draft,
                entries: NewEntries {
                    options: self.options,
                    tree: self.tree,
                    over: &self.over,
                },
                attributes,
                space: &mut self.space,
                sources: &mut self.sources,
                number: self.directories.len() as u32,
                is_changed: self.changes.inodes.contains(&inode),
            };
            let directory = directory.make(&mut naming)?;
            Naming {
                gone,
                ids,
                unnamed,
                ..
            } = naming;
            self.directories.extend(directory);
        }
        if self.writable.is_none() {
            self.cut_torn()?;
        }
        self.finish(ids, options, end)
    }

    fn finish(
        self,
        ids: UniqueIds,
        options: &UpdateOptions,
        end: u32,
    ) -> Result<Planned, UpdateError> {
        let free = self.space.free();
        let (units, end) = match self.writable {
            Some(_) => self.finish_in_place(end)?,
            None => self.space.finish(end),
        };
        if end > METADATA_BLOCKS_MAX {
            let blocks = end.into();
            return Err(LayoutError::MetadataTooLarge { blocks }.into());
        }
        let there = |inode: &&InodeId| self.tree.links(**inode) > 0;
        let changed = self.changes.inodes.iter().filter(there);
        let with_streams = changed.flat_map(|&inode| {
            let streams = self.tree.streams(inode).map(|(_, stream)| stream);
            std::iter::once(inode).chain(streams)
        });
        let times = with_streams.map(|inode| newest(self.tree.metadata(inode)));
        Ok(Planned {
            sources: self.sources,
            directories: self.directories,
            stream_directories: self.stream_directories,
            old_streams: self.old_streams,
            cut: self.cut,
            places: self.places,
            over: self.over,
            units,
            end,
            free,
            next_unique_id: ids.next(),
            newest: times.fold(options.time, Timestamp::max),
        })
    }

    /// Old entries with other metadata, link counts or streams. Those of changed folders come
    /// later, and those that are rendered anew.
    fn patch_old(&mut self, folders: &Folders<'_>, extras: &BTreeMap<InodeId, OldExtras>) {
        let drafts = folders.drafts.iter();
        let drafts: BTreeSet<_> = drafts.map(|draft| self.tree.inode(draft.node)).collect();
        for &inode in &self.changes.inodes {
            let is_rendered = extras.get(&inode).is_some_and(OldExtras::is_rendered);
            let is_there = self.tree.links(inode) > 0 && !drafts.contains(&inode) && !is_rendered;
            if let Some(entry) = self.entries.get(inode).filter(|_| is_there) {
                self.space.change(entry.block);
                self.sources.insert(entry.block, Source::Patched(inode));
            }
        }
    }

    /// Marks units that will change whatever gets which address: so what is new goes there.
    fn expect_changes(&mut self, drafts: &[Draft]) {
        for draft in drafts {
            let Some(base) = &draft.base else { continue };
            if draft.added.is_empty() && draft.gone.is_empty() {
                continue;
            }
            let blocks = base.blocks.as_deref().unwrap_or_default();
            for gone in draft.gone_identifiers() {
                if let Some(&block) = blocks.get(gone.bytes.start / BLOCK_SIZE) {
                    self.space.change(block);
                }
            }
            // What is added goes to the end, and the entry tells the length.
            let entry = self.entries.get(self.tree.inode(draft.node));
            let is_longer = !draft.added.is_empty();
            if let Some(entry) = entry.filter(|_| is_longer || blocks.is_empty()) {
                self.space.change(entry.block);
            }
        }
    }

    /// Finds addresses for what has none, and has the entries there rendered.
    fn place_new(
        &mut self,
        folders: &Folders<'_>,
        extras: &BTreeMap<InodeId, OldExtras>,
    ) -> Result<(), UpdateError> {
        let tree = self.tree;
        for &node in &folders.new {
            let place = EntryPlace {
                block: self.space.take(),
                unique_id: self.ids.take(),
                ..EntryPlace::default()
            };
            self.places.insert(tree.inode(node), place);
        }
        let taken_over = folders.taken_over.values().copied();
        let rendered = extras.iter().filter_map(|(&inode, extras)| {
            let is_file = !tree.is_directory(extras.node) && extras.is_rendered();
            Some((extras.node, self.entries.get(inode).filter(|_| is_file)?))
        });
        let rendered: Vec<_> = rendered.collect();
        let stay: Vec<_> = taken_over.chain(rendered).collect();
        for &(node, entry) in &stay {
            self.space.change(entry.block);
            let place = EntryPlace {
                block: entry.block,
                unique_id: entry.unique_id,
                ..EntryPlace::default()
            };
            self.places.insert(tree.inode(node), place);
        }
        let new = folders.new.iter().copied();
        for node in new.chain(stay.iter().map(|(node, _)| *node)) {
            if tree.is_directory(node) {
                self.new_entries().check_extras(node)?;
            } else {
                self.check_content(node)?;
                self.new_entries().check(node)?;
                self.place_continuations(tree.inode(node));
            }
        }
        Ok(())
    }

    /// Checks that the content of an old file is where data are, if its entry is rendered anew:
    /// blocks of the metadata file move, and those outside the partition have no number.
    fn check_content(&self, node: NodeId) -> Result<(), UpdateError> {
        let Kind::File {
            content: Content::Base(extents),
            ..
        } = self.tree.kind(self.tree.inode(node))
        else {
            return Ok(());
        };
        let is_data = |extent: &Extent| {
            let blocks = extent.blocks().into_iter().collect::<BlockRangeList>();
            extent.is_hole() || blocks.difference(&self.data).is_empty()
        };
        if stays_in_place(extents) && !extents.iter().all(is_data) {
            let path = self.tree.display_path(node);
            return Err(UpdateError::OutsideData { path });
        }
        Ok(())
    }

    /// Has the entry of a file rendered, and finds addresses for what continues it.
    pub(super) fn place_continuations(&mut self, inode: InodeId) {
        let count = self.new_entries().continuations(inode);
        let count = u32::try_from(count).unwrap_or(METADATA_BLOCKS_MAX);
        let continuations: Vec<u32> = (0..count).map(|_| self.space.take()).collect();
        for (part, &block) in (1..).zip(&continuations) {
            let source = Source::Continuation(inode, part);
            self.sources.insert(block, source);
        }
        if let Some(place) = self.places.get_mut(&inode) {
            place.continuations = continuations;
            self.sources.insert(place.block, Source::File(inode));
        }
    }
}

fn newest(metadata: &Metadata) -> Timestamp {
    let times = [metadata.accessed, metadata.changed, metadata.created];
    times
        .into_iter()
        .flatten()
        .fold(metadata.modified, Timestamp::max)
}
