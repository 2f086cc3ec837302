//! What is recorded in one directory, in the order of its records.

use reburn_tree::{Kind, NodeId, Tree};

use super::hierarchy::HierarchyLayout;
use super::relocation::Relocation;
use crate::names::Names;

/// Something that a directory has a record of, besides itself and its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// What the tree has there.
    Node(NodeId),
    /// The place of a folder that is recorded elsewhere.
    Placeholder(NodeId),
    /// A folder that belongs elsewhere.
    Moved(NodeId),
    /// The folder of moved folders, where the tree has none.
    RelocationFolder,
}

impl Member {
    /// The folder whose directory this record leads to; the root stands for the relocation
    /// folder.
    pub(super) fn directory(self, tree: &Tree) -> Option<NodeId> {
        match self {
            Self::Node(node) => tree.is_directory(node).then_some(node),
            Self::Moved(node) => Some(node),
            Self::RelocationFolder => Some(Tree::ROOT),
            Self::Placeholder(_) => None,
        }
    }

    /// Whether it is a folder to readers of Rock Ridge.
    pub(super) fn is_subfolder(self, tree: &Tree) -> bool {
        match self {
            Self::Node(node) => tree.is_directory(node),
            Self::Placeholder(_) => true,
            Self::Moved(_) | Self::RelocationFolder => false,
        }
    }
}

/// The members of one directory and their identifiers. Its memory serves one directory after
/// the other.
#[derive(Debug, Default)]
pub(super) struct Listing {
    members: Vec<Member>,
    names: Names,
}

impl Listing {
    /// Lists the directory at `index` of `hierarchy`.
    pub(super) fn fill(&mut self, tree: &Tree, hierarchy: &HierarchyLayout, index: usize) {
        self.members.clear();
        self.names.clear();
        self.collect(tree, hierarchy, index);
        let named = |&member| match member {
            Member::Node(node) => (tree.name(node), tree.is_directory(node)),
            Member::Placeholder(node) => (tree.name(node), false),
            Member::Moved(node) => (tree.name(node), true),
            Member::RelocationFolder => (relocation_name(hierarchy), true),
        };
        let bytes = self.members.iter().map(|member| named(member).0.len());
        self.names
            .reserve(hierarchy.rules, self.members.len(), bytes.sum());
        for (name, directory) in self.members.iter().map(named) {
            self.names.push(hierarchy.rules, name, directory);
        }
        self.names.settle(hierarchy.rules);
        self.members.truncate(self.names.len());
    }

    /// Whether there are more members than any directory can hold. Some are missing then.
    pub(super) fn too_many(&self) -> bool {
        self.names.too_many()
    }

    fn collect(&mut self, tree: &Tree, hierarchy: &HierarchyLayout, index: usize) {
        let node = hierarchy.directories[index].node;
        let relocation = hierarchy.relocation.as_ref();
        if !hierarchy.is_relocation_folder(index) {
            let children = tree.children(node).iter();
            self.members
                .extend(children.filter_map(|&child| member(tree, hierarchy, relocation, child)));
        }
        let Some(relocation) = relocation else {
            return;
        };
        if index == 0 && relocation.folder.is_none() {
            self.members.push(Member::RelocationFolder);
        }
        if hierarchy.is_relocation_folder(index) || relocation.folder == Some(node) {
            let moved = relocation.moved.iter();
            self.members
                .extend(moved.map(|moved| Member::Moved(moved.node)));
        }
    }

    /// How many members there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The member whose record has this place, and its identifier.
    pub(super) fn get(&self, place: usize) -> (Member, &[u8]) {
        let (item, identifier) = self.names.get(place);
        (self.members[item], identifier)
    }
}

/// How a child of a folder is recorded there, if at all.
fn member(
    tree: &Tree,
    hierarchy: &HierarchyLayout,
    relocation: Option<&Relocation>,
    child: NodeId,
) -> Option<Member> {
    if relocation.is_some_and(|relocation| relocation.find(child).is_some()) {
        return Some(Member::Placeholder(child));
    }
    // Only Rock Ridge can say that something is neither file nor folder.
    let plain = matches!(
        tree.kind(tree.inode(child)),
        Kind::Directory | Kind::File { .. }
    );
    (plain || hierarchy.has_rock_ridge()).then_some(Member::Node(child))
}

fn relocation_name(hierarchy: &HierarchyLayout) -> &'static [u8] {
    hierarchy
        .relocation
        .as_ref()
        .map_or(&[], |relocation| relocation.folder_name)
}
