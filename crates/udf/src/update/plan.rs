//! Working out an edit: which addresses of the metadata partition get which new content.

use std::collections::{BTreeMap, BTreeSet};

use reburn_blocks::BLOCK_SIZE;
use reburn_tree::{Changes, InodeId, Metadata, Timestamp, Tree};

use super::directory::{AllPlaces, GoneNames, Naming, Sketch, block_at};
use super::folders::{Draft, Folders};
use super::ids::UniqueIds;
use super::patch::NewBody;
use super::space::Space;
use super::{UpdateError, UpdateOptions};
use crate::read::{Base, BaseEntry};
use crate::records::icb_flags;
use crate::write::{EntryPlace, NewEntries, UdfOptions, directory_ads};
use crate::{Entries, LayoutError};

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
    /// The entry of a changed folder, by its number among them.
    Folder(u32),
    /// A block of its directory.
    Directory(u32, u32),
}

/// A changed folder.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) inode: InodeId,
    /// Its directory. Empty if only its entry changes.
    pub(super) bytes: Vec<u8>,
    /// Blocks of the directory; none if it is in the entry.
    pub(super) blocks: Vec<u32>,
    pub(super) links: u16,
    /// The entry as it is; `None` of a new folder.
    pub(super) old: Option<Vec<u8>>,
}

/// What was worked out.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) sources: BTreeMap<u32, Source>,
    pub(super) directories: Vec<Directory>,
    /// Entries of files and folders that are new.
    pub(super) places: BTreeMap<InodeId, EntryPlace>,
    /// Units that change, ascending.
    pub(super) units: Vec<u32>,
    /// Addresses that there are from now on.
    pub(super) end: u32,
    pub(super) next_unique_id: u64,
    /// The newest time of anything that changed.
    pub(super) newest: Timestamp,
}

/// An edit that is being worked out.
pub(super) struct Planner<'a> {
    pub(super) base: &'a Base<'a>,
    pub(super) tree: &'a Tree,
    pub(super) entries: &'a Entries,
    pub(super) changes: &'a Changes,
    pub(super) options: &'a UdfOptions,
    pub(super) serial: u16,
    pub(super) space: Space,
    pub(super) sources: BTreeMap<u32, Source>,
    pub(super) directories: Vec<Directory>,
    pub(super) places: BTreeMap<InodeId, EntryPlace>,
    pub(super) ids: UniqueIds,
}

impl Planner<'_> {
    /// Works it out. `end` is one past the last address so far.
    pub(super) fn run(mut self, options: &UpdateOptions, end: u32) -> Result<Planned, UpdateError> {
        let mut folders = Folders::compare(self.base, self.tree, self.entries, self.changes)?;
        let space = &mut self.space;
        folders.for_each_dead(|owned| {
            for &blocks in owned {
                space.release(blocks);
            }
        })?;
        for (&inode, entry) in &folders.taken_over {
            self.space.reserve(entry.block);
            self.space.change(entry.block);
            let place = EntryPlace {
                block: entry.block,
                unique_id: entry.unique_id,
                continuations: Vec::new(),
            };
            self.places.insert(inode, place);
        }
        self.patch_old(&folders);
        self.expect_changes(&folders.drafts);
        self.place_new(&folders)?;
        let mut gone = GoneNames::new();
        for draft in &folders.drafts {
            Naming::note_gone(&mut gone, draft);
        }
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
                serial: self.serial,
            };
            let directory = DirectoryPlan {
                tree: self.tree,
                draft,
                entries: NewEntries {
                    options: self.options,
                    tree: self.tree,
                },
                space: &mut self.space,
                sources: &mut self.sources,
                number: self.directories.len() as u32,
                is_changed: self.changes.inodes.contains(&self.tree.inode(draft.node)),
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
        self.finish(ids, options, end)
    }

    fn finish(
        self,
        ids: UniqueIds,
        options: &UpdateOptions,
        end: u32,
    ) -> Result<Planned, UpdateError> {
        let (units, end) = self.space.finish(end);
        if end > METADATA_BLOCKS_MAX {
            let blocks = end.into();
            return Err(LayoutError::MetadataTooLarge { blocks }.into());
        }
        let there = |inode: &&InodeId| self.tree.links(**inode) > 0;
        let changed = self.changes.inodes.iter().filter(there);
        let times = changed.map(|&inode| newest(self.tree.metadata(inode)));
        Ok(Planned {
            sources: self.sources,
            directories: self.directories,
            places: self.places,
            units,
            end,
            next_unique_id: ids.next(),
            newest: times.fold(options.time, Timestamp::max),
        })
    }

    /// Old entries with other metadata or link counts. Those of changed folders come later.
    fn patch_old(&mut self, folders: &Folders<'_>) {
        let drafts = folders.drafts.iter();
        let drafts: BTreeSet<_> = drafts.map(|draft| self.tree.inode(draft.node)).collect();
        for &inode in &self.changes.inodes {
            let is_there = self.tree.links(inode) > 0 && !drafts.contains(&inode);
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

    /// Finds addresses for what has none.
    fn place_new(&mut self, folders: &Folders<'_>) -> Result<(), UpdateError> {
        let new = NewEntries {
            options: self.options,
            tree: self.tree,
        };
        for &node in &folders.new {
            let inode = self.tree.inode(node);
            let place = EntryPlace {
                block: self.space.take(),
                unique_id: self.ids.take(),
                continuations: Vec::new(),
            };
            self.places.insert(inode, place);
        }
        let nodes = folders.new.iter().copied();
        let taken = folders.taken_over.keys().copied();
        for node in nodes.clone().filter(|&node| !self.tree.is_directory(node)) {
            new.check(node)?;
        }
        let files: Vec<InodeId> = nodes
            .filter(|&node| !self.tree.is_directory(node))
            .map(|node| self.tree.inode(node))
            .chain(taken)
            .collect();
        for inode in files {
            let count = new.continuations(inode);
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
        Ok(())
    }
}

fn newest(metadata: &Metadata) -> Timestamp {
    let times = [metadata.accessed, metadata.changed, metadata.created];
    times
        .into_iter()
        .flatten()
        .fold(metadata.modified, Timestamp::max)
}

/// A changed directory that gets its blocks.
struct DirectoryPlan<'a> {
    tree: &'a Tree,
    draft: &'a Draft,
    entries: NewEntries<'a>,
    space: &'a mut Space,
    sources: &'a mut BTreeMap<u32, Source>,
    number: u32,
    /// Whether more of the folder changed than what is in it.
    is_changed: bool,
}

impl DirectoryPlan<'_> {
    /// The directory, unless neither it nor its entry changes.
    fn make(mut self, naming: &mut Naming<'_>) -> Result<Option<Directory>, UpdateError> {
        let node = self.draft.node;
        let inode = self.tree.inode(node);
        let parent = self.tree.inode(self.tree.parent(node));
        let parent = naming.places.entry(parent).map(|(block, _)| block);
        let sketch = Sketch::new(self.tree, self.draft, parent)?;
        let links = self.links(&sketch)?;
        let base = self.draft.base.as_ref();
        let Some((entry_block, _)) = naming.places.entry(inode) else {
            return Ok(None);
        };
        if !sketch.is_changed() && !self.is_changed {
            return Ok(None);
        }
        let blocks = self.blocks(&sketch)?;
        let bytes = sketch.write(naming, |at| {
            if blocks.is_empty() {
                entry_block
            } else {
                block_at(&blocks, at)
            }
        });
        for (index, (&block, now)) in blocks.iter().zip(bytes.chunks(BLOCK_SIZE)).enumerate() {
            let was = base.filter(|base| {
                let old = base.blocks.as_ref();
                old.is_some_and(|old| old.get(index) == Some(&block))
            });
            let was = was.and_then(|base| base.bytes.chunks(BLOCK_SIZE).nth(index));
            if was != Some(now) {
                self.space.change(block);
                let source = Source::Directory(self.number, index as u32);
                self.sources.insert(block, source);
            }
        }
        let is_same_entry = base.is_some_and(|base| {
            let old_blocks = base.blocks.as_deref().unwrap_or_default();
            !self.is_changed
                && !blocks.is_empty()
                && old_blocks == blocks
                && base.bytes.len() == bytes.len()
                && sketch.more_folders == 0
        });
        if !is_same_entry {
            self.space.change(entry_block);
            let source = Source::Folder(self.number);
            self.sources.insert(entry_block, source);
        }
        Ok(Some(Directory {
            inode,
            bytes,
            blocks,
            links,
            old: base.map(|base| base.entry.block.clone()),
        }))
    }

    /// How many identifiers lead to the folder: its name, and the way up of each in it.
    fn links(&self, sketch: &Sketch<'_>) -> Result<u16, LayoutError> {
        let base = self.draft.base.as_ref();
        let before = base.map_or(1, |base| base.entry.links().into());
        let links = (before + sketch.more_folders).max(1);
        u16::try_from(links).map_err(|_| LayoutError::TooManyLinks {
            path: self.tree.display_path(self.draft.node),
            links: links.unsigned_abs(),
        })
    }

    /// The blocks of the directory; none if it goes into the entry.
    fn blocks(&mut self, sketch: &Sketch<'_>) -> Result<Vec<u32>, LayoutError> {
        let inode = self.tree.inode(self.draft.node);
        let base = self.draft.base.as_ref();
        let room = base.map_or_else(
            || self.entries.room(inode),
            |base| (BLOCK_SIZE - base.entry.descriptors.start) as u64,
        );
        let old = base
            .and_then(|base| base.blocks.clone())
            .unwrap_or_default();
        let may_embed = sketch.is_anew || base.is_some_and(|base| base.entry.is_embedded);
        let too_large = || LayoutError::DirectoryTooLarge {
            path: self.tree.display_path(self.draft.node),
            bytes: sketch.bytes,
        };
        let wanted = if may_embed && sketch.bytes <= room {
            0
        } else {
            let blocks = sketch.bytes.div_ceil(BLOCK_SIZE as u64);
            u32::try_from(blocks)
                .ok()
                .filter(|&blocks| blocks < METADATA_BLOCKS_MAX)
                .ok_or_else(too_large)? as usize
        };
        let mut blocks = old;
        for block in blocks.split_off(wanted.min(blocks.len())) {
            self.space.release((block, block + 1));
        }
        if blocks.len() < wanted {
            let missing = (wanted - blocks.len()) as u32;
            blocks.extend(self.space.take_run(missing));
        }
        if directory_ads(&blocks, sketch.bytes).len() as u64 > room {
            for &block in &blocks {
                self.space.release((block, block + 1));
            }
            blocks = self.space.take_contiguous(wanted as u32);
        }
        if directory_ads(&blocks, sketch.bytes).len() as u64 > room {
            return Err(too_large());
        }
        Ok(blocks)
    }
}

impl Directory {
    /// What the entry has behind its attributes.
    pub(super) fn body(&self) -> NewBody {
        let length = self.bytes.len() as u64;
        let (form, tail) = if self.blocks.is_empty() {
            (icb_flags::EMBEDDED, self.bytes.clone())
        } else {
            (icb_flags::SHORT, directory_ads(&self.blocks, length))
        };
        NewBody {
            form,
            tail,
            information_length: length,
            blocks_recorded: self.blocks.len() as u64,
        }
    }
}

impl BaseEntry {
    /// How many identifiers lead to it. The field is in the same place in both forms.
    fn links(&self) -> u16 {
        const AT: usize = 48;
        u16::from_le_bytes([self.block[AT], self.block[AT + 1]])
    }
}
