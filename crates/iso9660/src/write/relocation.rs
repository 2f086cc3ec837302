//! Folders that lie too deep: which move, and where they are recorded instead (RRIP 4.1.5).
//!
//! A moved folder is recorded in `rr_moved` in the root, on the third of eight levels, and
//! what is in it below that; where it belongs, a file record says where it is.

use reburn_tree::{NodeId, Tree};

use super::LayoutError;
use super::listing::Member;
use crate::names::{DIGITS_MAX, NameRules};

/// Levels that directories may lie on, the root's included (ECMA-119 6.8.2.1).
const LEVEL_MAX: u32 = 8;
/// The level on which moved folders are recorded.
const MOVED_LEVEL: u32 = 3;
/// Characters of a path: identifiers, and one for each directory (ECMA-119 6.8.2.1).
const PATH_MAX: usize = 255;
/// The longest file identifier with its separators and version.
const FILE_IDENTIFIER_MAX: usize = 33;

/// Names that readers know the folder of moved ones by.
const FOLDER_NAMES: [&[u8]; 2] = [b"rr_moved", b".rr_moved"];

/// The folders of a tree that move.
#[derive(Debug)]
pub(super) struct Relocation {
    /// The name of the folder in the root that they move to.
    pub(super) folder_name: &'static [u8],
    /// That folder, if the tree has it.
    pub(super) folder: Option<NodeId>,
    /// In the order of their paths.
    pub(super) moved: Vec<Moved>,
    /// Indices into `moved`, by node.
    by_node: Vec<u32>,
}

/// A folder that moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub(super) node: NodeId,
    /// The directory that it is recorded as.
    pub(super) directory: u32,
    /// The directory that it belongs in.
    pub(super) parent: u32,
}

impl Relocation {
    /// The folders of `tree` that move, if any do.
    pub(super) fn plan(tree: &Tree, rules: NameRules) -> Result<Option<Self>, LayoutError> {
        let moved: Vec<_> = TooDeep::new(tree, rules)
            .map(|node| Moved {
                node,
                directory: 0,
                parent: 0,
            })
            .collect();
        if moved.is_empty() {
            return Ok(None);
        }
        let mut by_node: Vec<u32> = (0..moved.len() as u32).collect();
        by_node.sort_unstable_by_key(|&at| moved[at as usize].node);
        let (folder_name, folder) = choose_folder(tree)?;
        Ok(Some(Self {
            folder_name,
            folder,
            moved,
            by_node,
        }))
    }

    /// Where a folder is recorded and belongs, if it moves.
    pub(super) fn find(&self, node: NodeId) -> Option<&Moved> {
        self.position(node).map(|at| &self.moved[at])
    }

    /// Takes note that `directory` holds a record of `member`: the folder itself, whose
    /// directory is `child`, or what stands in its place.
    pub(super) fn note(&mut self, member: Member, directory: u32, child: Option<u32>) {
        match (member, child) {
            (Member::Moved(node), Some(child)) => {
                if let Some(at) = self.position(node) {
                    self.moved[at].directory = child;
                }
            }
            (Member::Placeholder(node), _) => {
                if let Some(at) = self.position(node) {
                    self.moved[at].parent = directory;
                }
            }
            _ => {}
        }
    }

    fn position(&self, node: NodeId) -> Option<usize> {
        let at = self
            .by_node
            .binary_search_by_key(&node, |&at| self.moved[at as usize].node);
        at.ok().map(|at| self.by_node[at] as usize)
    }
}

/// A folder of the tree that may not stay where it is, if there is one.
pub(super) fn first_too_deep(tree: &Tree, rules: NameRules) -> Option<NodeId> {
    TooDeep::new(tree, rules).next()
}

/// The folder for the moved ones: one that the tree has, or a name that it does not have.
fn choose_folder(tree: &Tree) -> Result<(&'static [u8], Option<NodeId>), LayoutError> {
    FOLDER_NAMES
        .iter()
        .find_map(|&name| match tree.child(Tree::ROOT, name) {
            None => Some((name, None)),
            Some(node) => tree.is_directory(node).then_some((name, Some(node))),
        })
        .ok_or(LayoutError::NoRelocationFolder)
}

/// The folders that lie too deep when those before them have moved, in the order of paths.
struct TooDeep<'a> {
    tree: &'a Tree,
    rules: NameRules,
    pending: Vec<Step>,
    scratch: Vec<u8>,
}

/// A folder on the way down.
#[derive(Clone, Copy)]
struct Step {
    node: NodeId,
    level: u32,
    /// Whether it or a folder above it has moved.
    moved: bool,
}

impl<'a> TooDeep<'a> {
    fn new(tree: &'a Tree, rules: NameRules) -> Self {
        let root = Step {
            node: Tree::ROOT,
            level: 1,
            moved: false,
        };
        Self {
            tree,
            rules,
            pending: vec![root],
            scratch: Vec::new(),
        }
    }

    fn is_too_deep(&mut self, step: Step) -> bool {
        // Below a moved folder no path is too long: one of its names is that of `rr_moved`.
        let may_be_long = step.level == LEVEL_MAX && !step.moved;
        step.level > LEVEL_MAX || may_be_long && self.path_len(step.node) > PATH_MAX
    }

    /// Characters of the longest path that a file in the folder can have, should identifiers
    /// get numbers.
    fn path_len(&mut self, folder: NodeId) -> usize {
        let root_len = 1;
        let mut len = root_len + 1 + FILE_IDENTIFIER_MAX;
        let mut node = folder;
        while node != Tree::ROOT {
            len += self.identifier_len(node) + 1;
            node = self.tree.parent(node);
        }
        len
    }

    fn identifier_len(&mut self, node: NodeId) -> usize {
        self.scratch.clear();
        let name = self.tree.name(node);
        self.rules.mangle(name, true, &mut self.scratch);
        (self.scratch.len() + DIGITS_MAX).min(self.rules.directory_len_max())
    }
}

impl Iterator for TooDeep<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        while let Some(mut step) = self.pending.pop() {
            let too_deep = self.is_too_deep(step);
            if too_deep {
                step.level = MOVED_LEVEL;
                step.moved = true;
            }
            let children = self.tree.children(step.node).iter().rev();
            let folders = children.filter(|&&child| self.tree.is_directory(child));
            self.pending.extend(folders.map(|&node| Step {
                node,
                level: step.level + 1,
                moved: step.moved,
            }));
            if too_deep {
                return Some(step.node);
            }
        }
        None
    }
}
