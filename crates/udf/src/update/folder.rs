//! Where a changed directory goes: it stays in its blocks as far as they are enough, and gets more
//! or others where they are not.

use std::collections::BTreeMap;

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_tree::{InodeId, Tree};

use super::UpdateError;
use super::directory::{Naming, Sketch, SketchForm, block_at};
use super::folders::Draft;
use super::patch::NewBody;
use super::plan::{METADATA_BLOCKS_MAX, Source};
use super::space::Space;
use crate::LayoutError;
use crate::read::{BaseDirectory, BaseEntry};
use crate::records::{ExtendedFileEntry, FileEntry};
use crate::write::{NewEntries, directory_ads, directory_flags};

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
    /// Extended attributes, if an old folder gets others.
    pub(super) attributes: Option<Vec<u8>>,
}

/// A changed directory that gets its blocks.
pub(super) struct DirectoryPlan<'a> {
    pub(super) tree: &'a Tree,
    pub(super) draft: &'a Draft,
    pub(super) entries: NewEntries<'a>,
    pub(super) space: &'a mut Space,
    pub(super) sources: &'a mut BTreeMap<u32, Source>,
    pub(super) number: u32,
    /// Other attributes than an old folder has.
    pub(super) attributes: Option<Vec<u8>>,
    /// Whether more of the folder changed than what is in it.
    pub(super) is_changed: bool,
}

impl DirectoryPlan<'_> {
    /// The directory, unless neither it nor its entry changes.
    pub(super) fn make(
        mut self,
        naming: &mut Naming<'_>,
    ) -> Result<Option<Directory>, UpdateError> {
        let node = self.draft.node;
        let inode = self.tree.inode(node);
        let parent = self.tree.inode(self.tree.parent(node));
        let parent = naming.places.entry(parent).map(|(block, _)| block);
        let sketch = Sketch::new(self.tree, self.draft, parent, self.form())?;
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
            attributes: self.attributes,
        }))
    }

    fn form(&self) -> SketchForm {
        SketchForm {
            keeps_tags_whole: self.entries.options.keeps_tags_whole(),
            is_moved_whole: self.space.has_own_blocks(),
        }
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

    /// Bytes of an old entry that are left for the directory.
    fn old_room(&self, base: &BaseDirectory) -> u64 {
        let head = match &self.attributes {
            Some(attributes) if base.entry.is_extended => {
                ExtendedFileEntry::SIZE + attributes.len()
            }
            Some(attributes) => FileEntry::SIZE + attributes.len(),
            None => base.entry.descriptors.start,
        };
        BLOCK_SIZE.saturating_sub(head) as u64
    }

    /// The blocks of the directory; none if it goes into the entry.
    fn blocks(&mut self, sketch: &Sketch<'_>) -> Result<Vec<u32>, LayoutError> {
        let inode = self.tree.inode(self.draft.node);
        let base = self.draft.base.as_ref();
        let room = base.map_or_else(|| self.entries.room(inode), |base| self.old_room(base));
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
        if directory_ads(&blocks, sketch.bytes, self.space.unit()).len() as u64 > room {
            for &block in &blocks {
                self.space.release((block, block + 1));
            }
            blocks = self.space.take_contiguous(wanted as u32);
        }
        if directory_ads(&blocks, sketch.bytes, self.space.unit()).len() as u64 > room {
            return Err(too_large());
        }
        Ok(blocks)
    }
}

impl Directory {
    /// What the entry has behind its attributes.
    pub(super) fn body(&self, unit: u32) -> NewBody {
        let length = self.bytes.len() as u64;
        let form = directory_flags(&self.blocks);
        let tail = if self.blocks.is_empty() {
            self.bytes.clone()
        } else {
            directory_ads(&self.blocks, length, unit)
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
