//! The arena of nodes, inodes and names, and how it is read.
//!
//! Invariants: children stand in the order of their names' bytes, each name once; a folder
//! has exactly one name; an inode counts the names in the tree that lead to it; ids are never
//! reused.

use std::collections::BTreeMap;

use crate::content::{SourceRef, Sources};
use crate::history::History;
use crate::streams::Extras;
use crate::{Content, HostPath, Metadata};

/// A name in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// A dense index: below [`Tree::node_limit`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A file, folder or special file; several names can lead to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeId(pub(crate) u32);

impl InodeId {
    /// A dense index: below [`Tree::inode_limit`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an inode is.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// A folder.
    Directory,
    /// A file.
    File {
        /// Length in bytes.
        size: u64,
        /// Where the bytes are.
        content: Content<'a>,
    },
    /// A symbolic link to this path.
    Symlink(&'a [u8]),
    /// A character device.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// A local socket.
    Socket,
}

/// A run of bytes in the arena of names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameRef {
    pub(crate) offset: u32,
    pub(crate) len: u16,
}

impl NameRef {
    pub(crate) fn of(self, names: &[u8]) -> &[u8] {
        &names[self.offset as usize..self.offset as usize + usize::from(self.len)]
    }
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: NameRef,
    pub(crate) parent: NodeId,
    pub(crate) inode: InodeId,
}

#[derive(Debug, Clone)]
pub(crate) struct Inode {
    pub(crate) metadata: Metadata,
    pub(crate) kind: InodeKind,
    pub(crate) links: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum InodeKind {
    /// Index into `Tree::folders`.
    Directory(u32),
    File(u64, SourceRef),
    Symlink(NameRef),
    CharDevice(u32, u32),
    BlockDevice(u32, u32),
    Fifo,
    Socket,
}

/// Files and folders, from the root down.
#[derive(Debug)]
pub struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) inodes: Vec<Inode>,
    pub(crate) names: Vec<u8>,
    pub(crate) folders: Vec<Vec<NodeId>>,
    pub(crate) sources: Sources,
    pub(crate) history: History,
    /// Streams and attributes of the few files that have any.
    pub(crate) extras: BTreeMap<InodeId, Extras>,
}

impl Tree {
    /// The root folder, in every tree. It is its own parent and its name is empty.
    pub const ROOT: NodeId = NodeId(0);

    /// A tree with nothing but a root folder.
    pub fn new(root: Metadata) -> Self {
        let name = NameRef { offset: 0, len: 0 };
        Self {
            nodes: vec![Node {
                name,
                parent: Self::ROOT,
                inode: InodeId(0),
            }],
            inodes: vec![Inode {
                metadata: root,
                kind: InodeKind::Directory(0),
                links: 1,
            }],
            names: Vec::new(),
            folders: vec![Vec::new()],
            sources: Sources::default(),
            history: History::default(),
            extras: BTreeMap::new(),
        }
    }

    /// One more than the largest [`NodeId::index`], nodes no longer in the tree included.
    pub fn node_limit(&self) -> usize {
        self.nodes.len()
    }

    /// One more than the largest [`InodeId::index`], inodes without a name included.
    pub fn inode_limit(&self) -> usize {
        self.inodes.len()
    }

    /// The name of a node in its folder; empty for the root.
    pub fn name(&self, node: NodeId) -> &[u8] {
        self.nodes[node.index()].name.of(&self.names)
    }

    /// The folder that a node is in; the root's is the root.
    pub fn parent(&self, node: NodeId) -> NodeId {
        self.nodes[node.index()].parent
    }

    /// The file behind a name.
    pub fn inode(&self, node: NodeId) -> InodeId {
        self.nodes[node.index()].inode
    }

    /// Permissions, owner and times of a file.
    pub fn metadata(&self, inode: InodeId) -> &Metadata {
        &self.inodes[inode.index()].metadata
    }

    /// How many names lead to the file. Zero once the last is removed.
    pub fn links(&self, inode: InodeId) -> u32 {
        self.inodes[inode.index()].links
    }

    /// What the file is, and where its bytes are.
    pub fn kind(&self, inode: InodeId) -> Kind<'_> {
        match self.inodes[inode.index()].kind {
            InodeKind::Directory(_) => Kind::Directory,
            InodeKind::File(size, source) => Kind::File {
                size,
                content: self.content(source),
            },
            InodeKind::Symlink(target) => Kind::Symlink(target.of(&self.names)),
            InodeKind::CharDevice(major, minor) => Kind::CharDevice { major, minor },
            InodeKind::BlockDevice(major, minor) => Kind::BlockDevice { major, minor },
            InodeKind::Fifo => Kind::Fifo,
            InodeKind::Socket => Kind::Socket,
        }
    }

    fn content(&self, source: SourceRef) -> Content<'_> {
        match source {
            SourceRef::Bytes(index) => Content::Bytes(&self.sources.bytes[index as usize]),
            SourceRef::Host(dir, name) => Content::Host(HostPath {
                sources: &self.sources,
                names: &self.names,
                dir,
                name,
            }),
            SourceRef::Base(first, count) => {
                let first = first as usize;
                Content::Base(&self.sources.extents[first..first + count as usize])
            }
            SourceRef::Custom(index) => Content::Custom(&self.sources.custom[index as usize]),
        }
    }

    /// Whether the node is a folder.
    pub fn is_directory(&self, node: NodeId) -> bool {
        self.folder(node).is_some()
    }

    /// What is in a folder, in the order of the names' bytes; empty for anything else.
    pub fn children(&self, node: NodeId) -> &[NodeId] {
        self.folder(node)
            .map_or(&[], |folder| &self.folders[folder])
    }

    /// The entry of that name in a folder. O(log n).
    pub fn child(&self, parent: NodeId, name: &[u8]) -> Option<NodeId> {
        let children = self.children(parent);
        self.position(children, name)
            .ok()
            .map(|index| children[index])
    }

    /// The node at a path; names are separated by `/`, empty ones and `.` are passed over.
    pub fn lookup(&self, path: &[u8]) -> Option<NodeId> {
        components(path).try_fold(Self::ROOT, |node, name| self.child(node, name))
    }

    /// The path of a node from the root: `/a/b`, and `/` for the root.
    pub fn path(&self, node: NodeId) -> Vec<u8> {
        let mut names = Vec::new();
        let mut at = node;
        while at != Self::ROOT {
            names.push(self.name(at));
            at = self.parent(at);
        }
        if names.is_empty() {
            return b"/".to_vec();
        }
        let mut path = Vec::with_capacity(names.iter().map(|name| name.len() + 1).sum());
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        path
    }

    /// The path of a node for a person to read; bytes that are not UTF-8 are replaced.
    pub fn display_path(&self, node: NodeId) -> String {
        String::from_utf8_lossy(&self.path(node)).into_owned()
    }

    pub(crate) fn folder(&self, node: NodeId) -> Option<usize> {
        match self.inodes[self.inode(node).index()].kind {
            InodeKind::Directory(folder) => Some(folder as usize),
            _ => None,
        }
    }

    /// Where a name stands among children, or would.
    pub(crate) fn position(&self, children: &[NodeId], name: &[u8]) -> Result<usize, usize> {
        match children.last() {
            // The common case while a tree is built in order.
            Some(&last) if self.name(last) < name => Err(children.len()),
            _ => children.binary_search_by(|&child| self.name(child).cmp(name)),
        }
    }
}

/// The names that make up a path.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."))
}
