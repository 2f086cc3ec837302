//! A changed directory, put together: identifiers that stay keep their bytes and places, gone
//! ones are marked deleted, new ones go into deleted places of exactly their length or to the
//! end. A directory that is mostly deleted names is written anew.
//!
//! Invariant: each identifier is tagged with the block that it starts in.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_record::little_endian::U16;
use reburn_tree::{InodeId, NodeId, Tree};

use super::folders::Draft;
use super::ids::UniqueIds;
use super::tags;
use crate::LayoutError;
use crate::read::{BaseDirectory, BaseIdentifier};
use crate::records::{EntityId, FileIdentifier, LongAd, Tag, characteristics};
use crate::write::{
    EntryPlace, Identifier, PHYSICAL, UdfRevision, encoded_len, entry_ad, fid_len, filler,
    recorded_name,
};

/// Compression ids, and those of deleted names (UDF 2.3.4.2).
const DELETED_IDS: [(u8, u8); 2] = [(8, 254), (16, 255)];

/// Where in a directory an identifier comes from.
#[derive(Debug, Clone)]
enum Part {
    /// Bytes of the old directory, as they are.
    Kept(Range<usize>),
    /// Bytes of the old directory, to be marked deleted.
    Gone(Range<usize>),
    /// The identifier that leads to the parent, anew.
    Parent,
    /// A new name, of the draft's added ones.
    New(usize),
}

/// How directories of a volume are put together.
#[derive(Debug, Clone, Copy)]
pub(super) struct SketchForm {
    /// Whether no tag of an identifier may lie in two blocks (UDF 2.3.4.4).
    pub(super) keeps_tags_whole: bool,
    /// Whether a directory that changes goes elsewhere as a whole.
    pub(super) is_moved_whole: bool,
}

/// A directory that is being put together. It knows how long it gets, but not yet where.
pub(super) struct Sketch<'a> {
    tree: &'a Tree,
    draft: &'a Draft,
    form: SketchForm,
    names: Vec<Cow<'a, str>>,
    parts: Vec<Part>,
    /// Bytes of all identifiers.
    pub(super) bytes: u64,
    /// Whether every identifier is written anew, not in the places of the old directory.
    pub(super) is_anew: bool,
    /// More folders than before.
    pub(super) more_folders: i64,
}

/// Where entries are, old and new.
pub(super) trait EntryPlaces {
    /// Block and unique id of an inode's entry.
    fn entry(&self, inode: InodeId) -> Option<(u32, u64)>;
}

/// Names that were taken away somewhere: what their identifiers said, by the entry's block.
pub(super) type GoneNames = BTreeMap<u32, Vec<(LongAd, u8)>>;

/// What gives new identifiers their ids.
pub(super) struct Naming<'a> {
    pub(super) places: &'a dyn EntryPlaces,
    pub(super) gone: GoneNames,
    pub(super) ids: UniqueIds,
    /// New inodes that have no name yet.
    pub(super) unnamed: BTreeSet<InodeId>,
    pub(super) revision: UdfRevision,
    /// The partition of the entries.
    pub(super) partition: u16,
    pub(super) serial: u16,
    /// What identifiers grow by where that is needed.
    pub(super) developer: &'a EntityId,
}

impl<'a> Sketch<'a> {
    /// Works out what a directory will be made of. `parent` is the block of its parent's entry.
    pub(super) fn new(
        tree: &'a Tree,
        draft: &'a Draft,
        parent: Option<u32>,
        form: SketchForm,
    ) -> Result<Self, LayoutError> {
        let added = draft.added.iter();
        let names: Vec<_> = added
            .clone()
            .map(|&child| recorded_name(tree.name(child)))
            .collect();
        check_names(tree, draft, &names)?;
        let folders = added.filter(|&&child| tree.is_directory(child)).count();
        let gone = draft.gone_identifiers();
        let gone = gone.filter(|gone| gone.has(characteristics::DIRECTORY));
        let mut sketch = Self {
            tree,
            draft,
            form,
            names,
            parts: Vec::new(),
            bytes: 0,
            is_anew: true,
            more_folders: folders as i64 - gone.count() as i64,
        };
        if let Some(base) = &draft.base {
            sketch.edit(base, parent);
        } else {
            sketch.parts.push(Part::Parent);
            sketch.parts.extend((0..draft.added.len()).map(Part::New));
        }
        sketch.bytes = sketch.total();
        Ok(sketch)
    }

    /// Arranges an old directory's identifiers and the new ones.
    fn edit(&mut self, base: &BaseDirectory, parent: Option<u32>) {
        let mut gone = self.draft.gone.iter().copied().peekable();
        let mut vacant: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut wasted = 0;
        for (index, identifier) in base.identifiers.iter().enumerate() {
            let bytes = identifier.bytes.clone();
            let is_gone = gone.next_if_eq(&index).is_some();
            if is_gone || identifier.has(characteristics::DELETED) {
                vacant.entry(bytes.len()).or_default().push(index);
                wasted += bytes.len();
            }
            self.parts.push(if is_gone {
                Part::Gone(bytes)
            } else if leads_elsewhere(identifier, parent) {
                Part::Parent
            } else {
                Part::Kept(bytes)
            });
        }
        let mut appended = 0;
        for (index, name) in self.names.iter().enumerate() {
            let len = fid_len(encoded_len(name));
            if let Some(at) = vacant.get_mut(&len).and_then(Vec::pop) {
                self.parts[at] = Part::New(index);
                wasted -= len;
            } else {
                self.parts.push(Part::New(index));
                appended += len;
            }
        }
        let is_kept = self.parts.iter().all(|part| matches!(part, Part::Kept(_)));
        if is_kept && self.form.is_moved_whole {
            self.is_anew = false;
            return;
        }
        let is_scattered = base.blocks.is_none() && !base.entry.is_embedded;
        self.is_anew = is_scattered || 2 * wasted > base.bytes.len() + appended;
        if self.is_anew {
            self.compact(base);
        }
    }

    /// Leaves out what is deleted. The way up comes first.
    fn compact(&mut self, base: &BaseDirectory) {
        let is_deleted = |part: &Part| match part {
            Part::Gone(_) => true,
            Part::Kept(bytes) => has_characteristic(&base.bytes, bytes, characteristics::DELETED),
            Part::Parent | Part::New(_) => false,
        };
        let is_parent = |part: &Part| match part {
            Part::Parent => true,
            Part::Kept(bytes) => has_characteristic(&base.bytes, bytes, characteristics::PARENT),
            Part::Gone(_) | Part::New(_) => false,
        };
        self.parts.retain(|part| !is_deleted(part));
        match self.parts.iter().position(is_parent) {
            Some(at) => self.parts[..=at].rotate_right(1),
            None => self.parts.insert(0, Part::Parent),
        }
    }

    /// Bytes of all identifiers, with what keeps their tags whole.
    fn total(&self) -> u64 {
        let mut end = 0;
        for (index, part) in self.parts.iter().enumerate() {
            end += self.len(part) as u64;
            end += self.filler(index, end) as u64;
        }
        end
    }

    /// Bytes by which an identifier that ends there grows, so that the tag of the next one lies in
    /// one block.
    fn filler(&self, index: usize, end: u64) -> usize {
        let is_last = index + 1 == self.parts.len();
        if self.form.keeps_tags_whole && !is_last {
            filler(end).into()
        } else {
            0
        }
    }

    fn len(&self, part: &Part) -> usize {
        match part {
            Part::Kept(bytes) | Part::Gone(bytes) => bytes.len(),
            Part::Parent => self.parent_len(),
            Part::New(index) => fid_len(encoded_len(&self.names[*index])),
        }
    }

    /// The way up takes the place of the old one exactly, whatever else that has in it.
    fn parent_len(&self) -> usize {
        let base = self.draft.base.as_ref();
        let old = base.and_then(|base| base.identifiers.iter().find(|i| is_way_up(i)));
        old.map_or(fid_len(0), |old| old.bytes.len())
    }

    /// Whether the directory differs from what it was.
    pub(super) fn is_changed(&self) -> bool {
        self.is_anew || !self.parts.iter().all(|part| matches!(part, Part::Kept(_)))
    }

    /// The bytes of the directory, whose byte `n` is in the block that `block_of` gives.
    pub(super) fn write(&self, naming: &mut Naming<'_>, block_of: impl Fn(u64) -> u32) -> Vec<u8> {
        let old = self.draft.base.as_ref();
        let old = old.map_or(&[][..], |base| &base.bytes);
        let mut out = Vec::with_capacity(self.bytes as usize);
        for (index, part) in self.parts.iter().enumerate() {
            let start = out.len();
            let block = block_of(start as u64);
            match part {
                Part::Kept(bytes) => out.extend_from_slice(&old[bytes.clone()]),
                Part::Gone(bytes) => {
                    out.extend_from_slice(&old[bytes.clone()]);
                    mark_deleted(&mut out[start..], naming.revision);
                }
                Part::Parent => self.write_parent(naming, block, &mut out),
                Part::New(index) => {
                    let child = self.draft.added[*index];
                    naming.write(self.tree, child, &self.names[*index], block, &mut out);
                }
            }
            if self.filler(index, out.len() as u64) > 0 {
                grow(&mut out, start, naming.developer);
            }
            if tags::location(&out[start..]) != Some(block) {
                tags::set_location(&mut out[start..], block);
            }
        }
        debug_assert_eq!(out.len() as u64, self.bytes);
        out
    }

    /// The way up, as the old one but for where it leads.
    fn write_parent(&self, naming: &Naming<'_>, block: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let parent = self.tree.inode(self.tree.parent(self.draft.node));
        let (entry, unique_id) = naming.places.entry(parent).unwrap_or_default();
        let icb = naming.icb(entry, unique_id);
        let base = self.draft.base.as_ref();
        let old =
            base.and_then(|base| Some((base, base.identifiers.iter().find(|i| is_way_up(i))?)));
        match old {
            Some((base, old)) => {
                out.extend_from_slice(&base.bytes[old.bytes.clone()]);
                change(&mut out[start..], |record| record.icb = icb);
            }
            None => naming.write_one(
                &Identifier {
                    characteristics: characteristics::PARENT | characteristics::DIRECTORY,
                    icb,
                    implementation_use: &[],
                    name: "",
                },
                block,
                out,
            ),
        }
    }
}

impl Naming<'_> {
    /// Writes the identifier of a name that is new in its folder.
    fn write(&mut self, tree: &Tree, child: NodeId, name: &str, block: u32, out: &mut Vec<u8>) {
        let inode = tree.inode(child);
        let (entry, entry_id) = self.places.entry(inode).unwrap_or_default();
        let mut bits = 0;
        let mut icb = self.icb(entry, entry_id);
        let is_directory = tree.is_directory(child);
        if is_directory {
            bits |= characteristics::DIRECTORY;
        }
        if let Some((old, characteristics)) = self.gone.get_mut(&entry).and_then(Vec::pop) {
            // The name was moved: it stays the name that it was.
            icb.unique_id = old.unique_id;
            bits |= characteristics & characteristics::HIDDEN;
        } else if !self.unnamed.remove(&inode) && !is_directory && tree.links(inode) > 1 {
            // Each further name has an id of its own (UDF 2.3.4.3).
            let id = self.ids.take();
            icb = self.icb(entry, id);
        }
        let identifier = Identifier {
            characteristics: bits,
            icb,
            implementation_use: &[],
            name,
        };
        self.write_one(&identifier, block, out);
    }

    /// What leads to an entry. Before UDF 2.00 it has no unique id.
    fn icb(&self, entry: u32, unique_id: u64) -> LongAd {
        let unique_id = if self.revision.is_third_edition() {
            unique_id
        } else {
            0
        };
        entry_ad(entry, self.partition, unique_id)
    }

    fn write_one(&self, identifier: &Identifier<'_>, block: u32, out: &mut Vec<u8>) {
        let start = out.len();
        identifier.write(self.revision, block, out);
        tags::set_serial(&mut out[start..], self.serial);
    }
}

impl Naming<'_> {
    /// Takes note of where the names led that are gone.
    pub(super) fn note_gone(gone: &mut GoneNames, draft: &Draft) {
        for identifier in draft.gone_identifiers() {
            let names = gone.entry(identifier.block()).or_default();
            names.push((identifier.icb, identifier.characteristics));
        }
    }
}

/// Makes the identifier from byte `start` on longer by implementation use that says nothing.
fn grow(out: &mut Vec<u8>, start: usize, developer: &EntityId) {
    let Ok((record, _)) = FileIdentifier::view(&out[start..]) else {
        return;
    };
    let used = record.length_of_implementation_use.get();
    let at = start + FileIdentifier::SIZE + usize::from(used);
    out.splice(at..at, developer.bytes().iter().copied());
    change(&mut out[start..], |record| {
        record.length_of_implementation_use = U16::new(used + EntityId::SIZE as u16);
    });
}

fn is_way_up(identifier: &BaseIdentifier) -> bool {
    identifier.has(characteristics::PARENT) && !identifier.has(characteristics::DELETED)
}

/// Whether the identifier is that of the parent, and leads to another one.
fn leads_elsewhere(identifier: &BaseIdentifier, parent: Option<u32>) -> bool {
    is_way_up(identifier) && parent.is_some_and(|parent| parent != identifier.block())
}

fn has_characteristic(directory: &[u8], bytes: &Range<usize>, bits: u8) -> bool {
    let record = FileIdentifier::view(&directory[bytes.clone()]);
    record.is_ok_and(|(record, _)| record.file_characteristics & bits != 0)
}

/// Marks an identifier deleted (ECMA-167 4/14.4.3). From UDF 2.01 on its name says so too
/// (UDF 2.3.4.2).
fn mark_deleted(identifier: &mut [u8], revision: UdfRevision) {
    let mut name_at = identifier.len();
    change(identifier, |record| {
        record.file_characteristics |= characteristics::DELETED;
        record.icb = LongAd::zeroed();
        name_at = FileIdentifier::SIZE + usize::from(record.length_of_implementation_use.get());
    });
    if let Some(id) = identifier.get_mut(name_at)
        && revision >= UdfRevision::V2_01
    {
        let deleted = DELETED_IDS.iter().find(|(live, _)| live == id);
        *id = deleted.map_or(*id, |(_, deleted)| *deleted);
    }
    let covered = identifier.len() - Tag::SIZE;
    tags::reseal(identifier, covered);
}

/// Changes the record of an identifier, and vouches for it anew.
fn change(identifier: &mut [u8], change: impl FnOnce(&mut FileIdentifier)) {
    let Ok((record, _)) = FileIdentifier::view(identifier) else {
        return;
    };
    let mut record = *record;
    change(&mut record);
    identifier[..FileIdentifier::SIZE].copy_from_slice(record.bytes());
    let covered = identifier.len() - Tag::SIZE;
    tags::reseal(identifier, covered);
}

/// Checks that new names stay apart from all others once they are recorded.
fn check_names(tree: &Tree, draft: &Draft, names: &[Cow<'_, str>]) -> Result<(), LayoutError> {
    let mut translated = BTreeSet::new();
    for (&child, name) in draft.added.iter().zip(names) {
        let Cow::Owned(recorded) = name else { continue };
        let is_taken = tree.child(draft.node, recorded.as_bytes()).is_some();
        if is_taken || !translated.insert(recorded) {
            return Err(LayoutError::NamesCollide {
                path: tree.display_path(child),
                recorded: recorded.clone(),
            });
        }
    }
    Ok(())
}

/// The block that byte `at` of a directory is in, if the directory is in these blocks.
pub(super) fn block_at(blocks: &[u32], at: u64) -> u32 {
    blocks[(at / BLOCK_SIZE as u64) as usize] & !PHYSICAL
}

/// Where new entries are, and the old ones.
pub(super) struct AllPlaces<'a> {
    pub(super) entries: &'a crate::Entries,
    pub(super) new: &'a BTreeMap<InodeId, EntryPlace>,
}

impl EntryPlaces for AllPlaces<'_> {
    fn entry(&self, inode: InodeId) -> Option<(u32, u64)> {
        let new = self.new.get(&inode);
        let new = new.map(|place| (place.block, place.unique_id));
        new.or_else(|| {
            self.entries
                .get(inode)
                .map(|entry| (entry.block, entry.unique_id))
        })
    }
}
