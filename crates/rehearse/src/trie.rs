//! What a reader decides, by the answers to its reads.
//!
//! A reader is deterministic: what it reads next depends on what it has read. So all its runs form
//! a tree: a node is a read that touches units which were written, an edge is what it found there,
//! a leaf is what it came to. A state that leads along known edges needs no run.
//!
//! Invariant: leaves keep their numbers, even when the tree is begun anew because there are more
//! units.

use std::collections::HashMap;

use reburn_blocks::BlockRange;

use crate::units::{BlockId, State, UnitId, Units};

#[derive(Debug, Clone, Copy)]
enum Link {
    Node(usize),
    Leaf(usize),
}

#[derive(Debug)]
struct Node {
    parts: Box<[(UnitId, u16, u16)]>,
    edges: HashMap<Box<[BlockId]>, Link>,
}

/// A tree of decisions with what they lead to.
#[derive(Debug)]
pub(crate) struct Trie<T> {
    /// By the number of blocks of the disc, which readers ask for as well.
    roots: HashMap<u32, Link>,
    nodes: Vec<Node>,
    leaves: Vec<T>,
    /// The number of units that nodes know of.
    units: usize,
    key: Vec<BlockId>,
}

impl<T> Trie<T> {
    pub(crate) fn new() -> Self {
        Self {
            roots: HashMap::new(),
            nodes: Vec::new(),
            leaves: Vec::new(),
            units: 0,
            key: Vec::new(),
        }
    }

    pub(crate) fn leaf(&self, leaf: usize) -> &T {
        &self.leaves[leaf]
    }

    /// Where the state leads, if its way is known.
    pub(crate) fn find(&mut self, units: &Units<'_>, state: &State) -> Option<usize> {
        if self.units != units.len() {
            // Reads that touched no unit may touch one now.
            self.roots.clear();
            self.nodes.clear();
            self.units = units.len();
            return None;
        }
        let mut link = *self.roots.get(&units.block_count(state).get())?;
        loop {
            match link {
                Link::Leaf(leaf) => return Some(leaf),
                Link::Node(node) => {
                    let node = &self.nodes[node];
                    fill_key(units, state, &node.parts, &mut self.key);
                    link = *node.edges.get(self.key.as_slice())?;
                }
            }
        }
    }

    /// Notes what a run came to that did these reads, after [`Trie::find`] found nothing.
    pub(crate) fn insert(
        &mut self,
        units: &Units<'_>,
        state: &State,
        reads: &[BlockRange],
        value: T,
    ) -> usize {
        let leaf = self.leaves.len();
        self.leaves.push(value);
        // The edge that was taken last: none before the root.
        let mut from: Option<(usize, Box<[BlockId]>)> = None;
        let root = units.block_count(state).get();
        for &read in reads {
            let parts = units.parts(read);
            if parts.is_empty() {
                continue;
            }
            let link = match &from {
                None => self.roots.get(&root).copied(),
                Some((node, key)) => self.nodes[*node].edges.get(key).copied(),
            };
            let node = match link {
                Some(Link::Node(node)) => {
                    assert_eq!(*self.nodes[node].parts, *parts, "a reader is deterministic");
                    node
                }
                Some(Link::Leaf(_)) => unreachable!("a reader is deterministic"),
                None => {
                    let node = self.nodes.len();
                    fill_key(units, state, &parts, &mut self.key);
                    let (parts, edges) = (parts.into(), HashMap::new());
                    self.nodes.push(Node { parts, edges });
                    self.link(root, from.take(), Link::Node(node));
                    node
                }
            };
            fill_key(units, state, &self.nodes[node].parts, &mut self.key);
            from = Some((node, self.key.as_slice().into()));
        }
        self.link(root, from, Link::Leaf(leaf));
        leaf
    }

    fn link(&mut self, root: u32, from: Option<(usize, Box<[BlockId]>)>, link: Link) {
        let before = match from {
            None => self.roots.insert(root, link),
            Some((node, key)) => self.nodes[node].edges.insert(key, link),
        };
        assert!(before.is_none(), "a reader is deterministic");
    }
}

fn fill_key(
    units: &Units<'_>,
    state: &State,
    parts: &[(UnitId, u16, u16)],
    key: &mut Vec<BlockId>,
) {
    key.clear();
    for &part in parts {
        units.push_key(state, part, key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba, WriteUnit};

    #[test]
    fn a_known_way_needs_no_run_and_an_unknown_answer_does() {
        let base = vec![1; 64 * BLOCK_SIZE];
        let mut units = Units::new(&base, WriteUnit::DVD, 7);
        let (main, mirror) = (units.unit(Lba::new(16)), units.unit(Lba::new(48)));
        let new = units.content(main, &vec![2; 16 * BLOCK_SIZE], Content::New);
        let torn = units.tears(main, 0, new)[0];
        let read = |start| BlockRange::with_count(Lba::new(start), BlockCount::ONE).unwrap();
        let mut trie = Trie::new();
        let mut state = State::default();
        assert_eq!(trie.find(&units, &state), None);
        let old = trie.insert(&units, &state, &[read(0), read(16)], "old");
        // The reader never looked at the mirror.
        state.set(mirror, 1);
        assert_eq!(trie.find(&units, &state), Some(old));
        state.set(main, torn);
        assert_eq!(trie.find(&units, &state), None);
        let reads = [read(0), read(16), read(48)];
        let refused = trie.insert(&units, &state, &reads, "refused");
        state.set(mirror, 0);
        assert_eq!(trie.find(&units, &state), None);
        let mirrored = trie.insert(&units, &state, &reads, "old, from the mirror");
        state.set(mirror, 1);
        assert_eq!(trie.find(&units, &state), Some(refused));
        assert_ne!(refused, mirrored);
        assert_eq!(*trie.leaf(mirrored), "old, from the mirror");
    }
}
