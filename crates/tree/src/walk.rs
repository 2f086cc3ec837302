//! Every node of a tree, folders before what is in them.

use crate::{NodeId, Tree};

/// Depth-first iteration in the order of names, without recursion.
#[derive(Debug)]
pub struct Walk<'a> {
    tree: &'a Tree,
    /// What is still to come, with its depth; the next one last.
    pending: Vec<(NodeId, u32)>,
}

impl Tree {
    /// Every node below `start`, `start` first, each with its depth below it.
    pub fn walk(&self, start: NodeId) -> Walk<'_> {
        Walk {
            tree: self,
            pending: vec![(start, 0)],
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = (NodeId, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let (node, depth) = self.pending.pop()?;
        let children = self.tree.children(node).iter().rev();
        self.pending
            .extend(children.map(|&child| (child, depth + 1)));
        Some((node, depth))
    }
}
