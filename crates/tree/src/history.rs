//! Change points: how to get back to an earlier state of a tree.
//!
//! From the first change point on, a tree notes how to undo each change. Nodes and inodes are
//! never reused, so undoing is putting back what a change took out.

use std::collections::BTreeSet;

use crate::streams::Extras;
use crate::tree::{Inode, InodeId, NameRef, NodeId};
use crate::{Tree, TreeError};

/// A state of a tree that [`Tree::roll_back`] can return to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangePoint(usize);

/// What changed since a [`ChangePoint`], whether or not it is still in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Folders that got, lost or renamed an entry, or were moved themselves.
    pub folders: BTreeSet<NodeId>,
    /// Files and folders that are new, or have other metadata, links, streams or attributes.
    pub inodes: BTreeSet<InodeId>,
}

/// How to undo one change.
#[derive(Debug)]
pub(crate) enum Undo {
    /// The node was put into its parent.
    Attached(NodeId),
    /// The node was taken out of its parent.
    Detached(NodeId),
    /// The node had this parent and name.
    Moved(NodeId, NodeId, NameRef),
    /// The inode was this.
    Inode(InodeId, Box<Inode>),
    /// The inode had these streams and attributes.
    Extras(InodeId, Box<Extras>),
}

/// The notes, and from where on they may be used.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// `None` until the first change point: a tree that is only built keeps no notes.
    notes: Option<Vec<Undo>>,
    locked: usize,
}

impl History {
    pub(crate) fn note(&mut self, undo: impl FnOnce() -> Undo) {
        if let Some(notes) = &mut self.notes {
            notes.push(undo());
        }
    }
}

impl Tree {
    /// Marks the present state, to return to with [`Tree::roll_back`].
    pub fn change_point(&mut self) -> ChangePoint {
        ChangePoint(self.history.notes.get_or_insert_default().len())
    }

    /// Undoes every change since `point`.
    pub fn roll_back(&mut self, point: ChangePoint) -> Result<(), TreeError> {
        let notes = self
            .history
            .notes
            .as_mut()
            .ok_or(TreeError::ChangePointGone)?;
        if point.0 > notes.len() || point.0 < self.history.locked {
            return Err(TreeError::ChangePointGone);
        }
        for undo in notes.split_off(point.0).into_iter().rev() {
            match undo {
                Undo::Attached(node) => self.take_out(node),
                Undo::Detached(node) => self.put_in(node),
                Undo::Moved(node, parent, name) => {
                    self.take_out(node);
                    self.nodes[node.index()].parent = parent;
                    self.nodes[node.index()].name = name;
                    self.put_in(node);
                }
                Undo::Inode(inode, old) => self.inodes[inode.index()] = *old,
                Undo::Extras(inode, old) => self.put_extras(inode, *old),
            }
        }
        Ok(())
    }

    /// Whether anything changed since `point`, or it is gone.
    pub fn has_changed_since(&self, point: ChangePoint) -> bool {
        self.history
            .notes
            .as_ref()
            .is_none_or(|notes| notes.len() != point.0)
    }

    /// What changed since `point`; `None` if it is gone. O(changes).
    pub fn changes_since(&self, point: ChangePoint) -> Option<Changes> {
        let notes = self.history.notes.as_ref()?.get(point.0..)?;
        let mut changes = Changes::default();
        for undo in notes {
            match undo {
                Undo::Attached(node) | Undo::Detached(node) => {
                    changes.folders.insert(self.parent(*node));
                    changes.inodes.insert(self.inode(*node));
                }
                Undo::Moved(node, old_parent, _) => {
                    changes.folders.extend([*old_parent, self.parent(*node)]);
                    if self.is_directory(*node) {
                        // What leads up from it.
                        changes.folders.insert(*node);
                    }
                }
                Undo::Inode(inode, _) | Undo::Extras(inode, _) => {
                    changes.inodes.insert(*inode);
                }
            }
        }
        Some(changes)
    }

    /// Gives up every change point so far; later ones stay reachable.
    pub fn lock_in(&mut self) {
        if let Some(notes) = &self.history.notes {
            self.history.locked = notes.len();
        }
    }
}
