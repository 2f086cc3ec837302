//! Which names of changed folders stay, which are gone, and which are new: a directory as it
//! stands on the disc, beside the folder as it shall be.
//!
//! A name stays where it leads to the entry that it led to. A new file under the name of a file
//! that is gone altogether takes over its entry's address and unique id, and then the directory
//! need not change at all.

use std::collections::{BTreeMap, BTreeSet};

use reburn_tree::{Changes, InodeId, Kind, NodeId, Tree};

use super::UpdateError;
use crate::read::{Base, BaseDirectory, BaseIdentifier};
use crate::records::characteristics;
use crate::{Entries, EntryAt, UdfError};

/// Numbers that are tried to tell names apart when a tree is read.
const NUMBERS_TRIED: u64 = 1000;

/// A folder that changed.
pub(super) struct Draft {
    pub(super) node: NodeId,
    /// The directory as it is; `None` for a new folder.
    pub(super) base: Option<BaseDirectory>,
    /// Which of its identifiers are of names that are gone.
    pub(super) gone: Vec<usize>,
    /// Names that it does not have yet, in the order of the tree.
    pub(super) added: Vec<NodeId>,
}

/// All folders that changed, and what is new in them.
pub(super) struct Folders<'a> {
    base: &'a Base<'a>,
    tree: &'a Tree,
    entries: &'a Entries,
    pub(super) drafts: Vec<Draft>,
    /// Blocks of entries of files that no name leads to any more.
    dead: BTreeMap<u32, InodeId>,
    /// New files that take over an entry's address, each under the name that it does it by.
    pub(super) taken_over: BTreeMap<InodeId, (NodeId, EntryAt)>,
    /// Blocks of these.
    taken_blocks: BTreeSet<u32>,
    /// Files and folders without an entry, each under its first name.
    pub(super) new: Vec<NodeId>,
    pub(super) is_new: BTreeSet<InodeId>,
    /// Identifiers that may lead to what no tree has: draft, identifier.
    unknown: Vec<(usize, usize)>,
}

impl<'a> Folders<'a> {
    /// Compares every folder of `changes`, and `more`, with its directory.
    pub(super) fn compare(
        base: &'a Base<'a>,
        tree: &'a Tree,
        entries: &'a Entries,
        changes: &Changes,
        more: &[NodeId],
    ) -> Result<Self, UpdateError> {
        let dead = changes.inodes.iter();
        let dead = dead.filter(|&&inode| tree.links(inode) == 0);
        let dead = dead.filter_map(|&inode| Some((entries.get(inode)?.block, inode)));
        let mut folders = Self {
            base,
            tree,
            entries,
            drafts: Vec::new(),
            dead: dead.collect(),
            taken_over: BTreeMap::new(),
            taken_blocks: BTreeSet::new(),
            new: Vec::new(),
            is_new: BTreeSet::new(),
            unknown: Vec::new(),
        };
        let is_there = |&node: &NodeId| tree.is_directory(node) && tree.links(tree.inode(node)) > 0;
        // New folders are reached from the folders that they are in.
        let is_old = |&node: &NodeId| entries.get(tree.inode(node)).is_some();
        let nodes = changes.folders.iter().chain(more);
        let nodes: BTreeSet<_> = nodes.copied().collect();
        let nodes = nodes.into_iter();
        let mut pending: Vec<_> = nodes.filter(is_there).filter(is_old).collect();
        pending.reverse();
        while let Some(node) = pending.pop() {
            folders.compare_one(node)?;
            let new = folders.drafts.last().map_or(&[][..], |draft| &draft.added);
            let new = new.iter().copied().filter(|&child| {
                tree.is_directory(child) && entries.get(tree.inode(child)).is_none()
            });
            pending.extend(new);
        }
        let seen: BTreeSet<_> = folders.drafts.iter().map(|draft| draft.node).collect();
        let mut there = changes.folders.iter().filter(|node| is_there(node));
        if let Some(&missed) = there.find(|node| !seen.contains(node)) {
            let path = tree.display_path(missed);
            return Err(UpdateError::OtherTree { path });
        }
        folders.settle_unknown();
        Ok(folders)
    }

    /// The block of an inode's entry, old or taken over.
    fn block_of(&self, inode: InodeId) -> Option<u32> {
        let taken_over = self.taken_over.get(&inode).copied();
        self.entries
            .get(inode)
            .or(taken_over.map(|(_, entry)| entry))
            .map(|entry| entry.block)
    }

    fn compare_one(&mut self, node: NodeId) -> Result<(), UpdateError> {
        let mut draft = Draft {
            node,
            base: None,
            gone: Vec::new(),
            added: Vec::new(),
        };
        let mut claimed = BTreeSet::new();
        if let Some(entry) = self.entries.get(self.tree.inode(node)) {
            let directory = self.base.directory(entry.block)?;
            self.claim(&mut draft, &directory.identifiers, &mut claimed)?;
            draft.base = Some(directory);
        }
        let children = self.tree.children(node).iter();
        draft
            .added
            .extend(children.filter(|child| !claimed.contains(child)));
        for &child in &draft.added {
            let inode = self.tree.inode(child);
            let has_entry = self.entries.get(inode).is_some();
            if !has_entry && !self.taken_over.contains_key(&inode) && self.is_new.insert(inode) {
                self.new.push(child);
            }
        }
        self.drafts.push(draft);
        Ok(())
    }

    /// Finds out which children an old directory's identifiers lead to.
    fn claim(
        &mut self,
        draft: &mut Draft,
        identifiers: &[BaseIdentifier],
        claimed: &mut BTreeSet<NodeId>,
    ) -> Result<(), UpdateError> {
        let is_name = |identifier: &BaseIdentifier| {
            !identifier.has(characteristics::DELETED | characteristics::PARENT)
        };
        let mut open = Vec::new();
        for (index, identifier) in identifiers.iter().enumerate() {
            if !is_name(identifier) {
                continue;
            }
            if identifier.partition() != self.base.partition() {
                let path = self.tree.display_path(draft.node);
                return Err(UpdateError::OutsideMetadata { path });
            }
            let child = self.tree.child(draft.node, &identifier.name);
            let same = child
                .filter(|&child| self.block_of(self.tree.inode(child)) == Some(identifier.block()));
            match same {
                Some(child) if claimed.insert(child) => {}
                _ => open.push(index),
            }
        }
        for index in open {
            let identifier = &identifiers[index];
            if self.claim_numbered(draft.node, identifier, claimed)
                || self.take_over(draft.node, identifier, claimed)
            {
                continue;
            }
            let is_taken = self.tree.child(draft.node, &identifier.name).is_some();
            if is_taken || self.dead.contains_key(&identifier.block()) {
                draft.gone.push(index);
            } else {
                self.unknown.push((self.drafts.len(), index));
            }
        }
        Ok(())
    }

    /// Claims the child of an identifier whose name was taken when the tree was read, and that
    /// got a number.
    fn claim_numbered(
        &self,
        folder: NodeId,
        identifier: &BaseIdentifier,
        claimed: &mut BTreeSet<NodeId>,
    ) -> bool {
        let leads_here =
            |child: &NodeId| self.block_of(self.tree.inode(*child)) == Some(identifier.block());
        let has_number = |child: &NodeId| {
            let rest = self.tree.name(*child).strip_prefix(&identifier.name[..]);
            let number = rest.and_then(|rest| rest.strip_prefix(b"~"));
            let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
            number.is_some_and(|number: u64| {
                number
                    .checked_sub(identifier.at)
                    .is_some_and(|tried| tried < NUMBERS_TRIED)
            })
        };
        // Only names with the identifier's at their start.
        let children = self.tree.children(folder);
        let first = children.partition_point(|child| self.tree.name(*child) < &identifier.name[..]);
        let named = children[first..].iter();
        let mut named =
            named.take_while(|child| self.tree.name(**child).starts_with(&identifier.name));
        let found =
            named.find(|child| has_number(child) && leads_here(child) && !claimed.contains(child));
        found.is_some_and(|&child| claimed.insert(child))
    }

    /// Lets a new file under the identifier's name have the entry of a file that is gone.
    fn take_over(
        &mut self,
        folder: NodeId,
        identifier: &BaseIdentifier,
        claimed: &mut BTreeSet<NodeId>,
    ) -> bool {
        let Some(child) = self.tree.child(folder, &identifier.name) else {
            return false;
        };
        let inode = self.tree.inode(child);
        let is_vacant = self.entries.get(inode).is_none()
            && !self.taken_over.contains_key(&inode)
            && !self.is_new.contains(&inode);
        let dead = self.dead.get(&identifier.block()).copied();
        let Some(dead) = dead.filter(|_| is_vacant && !self.tree.is_directory(child)) else {
            return false;
        };
        let is_file = !matches!(self.tree.kind(dead), Kind::Directory);
        let is_named_so = !identifier.has(characteristics::DIRECTORY);
        if !is_file
            || !is_named_so
            || self.taken_blocks.contains(&identifier.block())
            || claimed.contains(&child)
        {
            return false;
        }
        let Some(entry) = self.entries.get(dead) else {
            return false;
        };
        self.taken_over.insert(inode, (child, entry));
        self.taken_blocks.insert(entry.block);
        claimed.insert(child)
    }

    /// Identifiers that lead to entries of the tree are gone; others are of what no tree has,
    /// and stay.
    fn settle_unknown(&mut self) {
        let identifier = |drafts: &[Draft], (draft, index): (usize, usize)| {
            let base = drafts[draft].base.as_ref();
            base.and_then(|base| base.identifiers.get(index).map(BaseIdentifier::block))
        };
        let unknown = std::mem::take(&mut self.unknown);
        let blocks: BTreeSet<u32> = unknown
            .iter()
            .filter_map(|&at| identifier(&self.drafts, at))
            .collect();
        let known = self.entries.known(&blocks);
        for at in unknown {
            if identifier(&self.drafts, at).is_some_and(|block| known.contains(&block)) {
                self.drafts[at.0].gone.push(at.1);
            }
        }
        for draft in &mut self.drafts {
            draft.gone.sort_unstable();
        }
    }

    /// The new files that take over an entry, each with the file that had it.
    pub(super) fn successors(&self) -> impl Iterator<Item = (InodeId, InodeId)> {
        let taken_over = self.taken_over.iter();
        taken_over.filter_map(|(&inode, (_, entry))| Some((inode, *self.dead.get(&entry.block)?)))
    }

    /// Calls `release` for the blocks of each entry that no name leads to any more.
    pub(super) fn for_each_dead(
        &self,
        mut release: impl FnMut(&[(u32, u32)]),
    ) -> Result<(), UdfError> {
        for &block in self.dead.keys() {
            release(&self.base.entry(block)?.owned);
        }
        Ok(())
    }
}

impl Draft {
    pub(super) fn gone_identifiers(&self) -> impl Iterator<Item = &BaseIdentifier> {
        let base = self.base.as_ref();
        let identifiers = base.map_or(&[][..], |base| &base.identifiers);
        self.gone.iter().map(|&index| &identifiers[index])
    }
}
