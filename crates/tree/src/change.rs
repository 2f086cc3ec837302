//! Changes to a tree.
//!
//! Invariant: a change that is refused leaves everything as it was.

use crate::content::{SourceRef, name_bytes};
use crate::history::Undo;
use crate::tree::{Inode, InodeKind, NameRef, Node};
use crate::{HostDir, InodeId, Metadata, NewKind, NodeId, Tree, TreeError};

impl Tree {
    /// Adds a folder of the host that files will be taken from.
    pub fn add_host_dir(&mut self, path: std::path::PathBuf) -> Result<HostDir, TreeError> {
        let id = next_id(self.sources.host_dirs.len(), "host folders")?;
        self.sources.host_dirs.push(path);
        Ok(HostDir(id))
    }

    /// Adds a file or folder under a new name.
    pub fn add(
        &mut self,
        parent: NodeId,
        name: &[u8],
        metadata: Metadata,
        kind: NewKind,
    ) -> Result<NodeId, TreeError> {
        self.check_vacant(parent, name)?;
        let id = self.next_inode()?;
        let name = self.intern_name(name)?;
        let kind = self.intern(kind, name)?;
        let node = self.new_node(parent, name, id)?;
        self.inodes.push(Inode {
            metadata,
            kind,
            links: 0,
        });
        self.attach(node);
        Ok(node)
    }

    /// Gives a file another name.
    pub fn link(
        &mut self,
        parent: NodeId,
        name: &[u8],
        inode: InodeId,
    ) -> Result<NodeId, TreeError> {
        self.check_vacant(parent, name)?;
        if matches!(self.inodes[inode.index()].kind, InodeKind::Directory(_)) {
            let path = self.join(parent, name);
            return Err(TreeError::LinkToDirectory { path });
        }
        let name = self.intern_name(name)?;
        let node = self.new_node(parent, name, inode)?;
        self.attach(node);
        Ok(node)
    }

    /// Gives a node other content and metadata. Its other names keep the old file: the link
    /// is broken, as when a program saves a file anew.
    pub fn replace(
        &mut self,
        node: NodeId,
        metadata: Metadata,
        kind: NewKind,
    ) -> Result<NodeId, TreeError> {
        if node == Self::ROOT {
            return Err(TreeError::Root);
        }
        if !self.children(node).is_empty() {
            return Err(TreeError::NotEmpty {
                path: self.display_path(node),
            });
        }
        let (parent, name) = (self.parent(node), self.nodes[node.index()].name);
        let inode = self.next_inode()?;
        let kind = self.intern(kind, name)?;
        let id = self.new_node(parent, name, inode)?;
        self.detach(node);
        self.inodes.push(Inode {
            metadata,
            kind,
            links: 0,
        });
        self.attach(id);
        Ok(id)
    }

    /// Changes permissions, owner or times of a file, under all its names.
    pub fn set_metadata(&mut self, inode: InodeId, metadata: Metadata) {
        let old = &mut self.inodes[inode.index()];
        self.history
            .note(|| Undo::Inode(inode, Box::new(old.clone())));
        old.metadata = metadata;
    }

    /// Removes a name; a folder must be empty.
    pub fn remove(&mut self, node: NodeId) -> Result<(), TreeError> {
        if !self.children(node).is_empty() {
            return Err(TreeError::NotEmpty {
                path: self.display_path(node),
            });
        }
        self.remove_tree(node)
    }

    /// Removes a name and everything below it.
    pub fn remove_tree(&mut self, node: NodeId) -> Result<(), TreeError> {
        if node == Self::ROOT {
            return Err(TreeError::Root);
        }
        // Deepest first, so that undoing puts folders back before what is in them.
        let below: Vec<_> = self.walk(node).map(|(node, _)| node).collect();
        for node in below.into_iter().rev() {
            self.detach(node);
        }
        Ok(())
    }

    /// Moves a node to a folder, under a name that is not taken there.
    pub fn rename(&mut self, node: NodeId, parent: NodeId, name: &[u8]) -> Result<(), TreeError> {
        if node == Self::ROOT {
            return Err(TreeError::Root);
        }
        if self.child(parent, name) == Some(node) {
            return Ok(());
        }
        self.check_vacant(parent, name)?;
        let mut above = parent;
        while above != Self::ROOT && above != node {
            above = self.parent(above);
        }
        if above == node {
            return Err(TreeError::IntoItself {
                path: self.display_path(node),
            });
        }
        let new_name = self.intern_name(name)?;
        let (old_parent, old_name) = (self.parent(node), self.nodes[node.index()].name);
        self.take_out(node);
        self.nodes[node.index()].parent = parent;
        self.nodes[node.index()].name = new_name;
        self.put_in(node);
        self.history
            .note(|| Undo::Moved(node, old_parent, old_name));
        Ok(())
    }

    fn check_vacant(&self, parent: NodeId, name: &[u8]) -> Result<(), TreeError> {
        let reason = match name {
            b"" => Some("it is empty"),
            b"." | b".." => Some("it stands for a folder"),
            _ if name.contains(&b'/') => Some("it has a slash in it"),
            _ if name.contains(&0) => Some("it has a zero byte in it"),
            _ if name.len() > usize::from(u16::MAX) => Some("it is longer than 65535 bytes"),
            _ => None,
        };
        if let Some(reason) = reason {
            let name = String::from_utf8_lossy(name).into_owned();
            return Err(TreeError::BadName { name, reason });
        }
        if self.folder(parent).is_none() {
            return Err(TreeError::NotADirectory {
                path: self.display_path(parent),
            });
        }
        match self.child(parent, name) {
            Some(_) => Err(TreeError::Exists {
                path: self.join(parent, name),
            }),
            None => Ok(()),
        }
    }

    fn join(&self, parent: NodeId, name: &[u8]) -> String {
        let mut path = self.path(parent);
        if path != b"/" {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        String::from_utf8_lossy(&path).into_owned()
    }

    pub(crate) fn next_inode(&self) -> Result<InodeId, TreeError> {
        next_id(self.inodes.len(), "files").map(InodeId)
    }

    fn new_node(
        &mut self,
        parent: NodeId,
        name: NameRef,
        inode: InodeId,
    ) -> Result<NodeId, TreeError> {
        let id = NodeId(next_id(self.nodes.len(), "names")?);
        self.nodes.push(Node {
            name,
            parent,
            inode,
        });
        Ok(id)
    }

    pub(crate) fn intern_name(&mut self, name: &[u8]) -> Result<NameRef, TreeError> {
        let offset = next_id(self.names.len(), "bytes of names")?;
        let len = u16::try_from(name.len()).map_err(|_| TreeError::BadName {
            name: String::from_utf8_lossy(name).into_owned(),
            reason: "it is longer than 65535 bytes",
        })?;
        self.names.extend_from_slice(name);
        Ok(NameRef { offset, len })
    }

    /// Stores what a kind refers to. A host file that is called as its node shares its name.
    pub(crate) fn intern(
        &mut self,
        kind: NewKind,
        node_name: NameRef,
    ) -> Result<InodeKind, TreeError> {
        let sources = &mut self.sources;
        Ok(match kind {
            NewKind::Directory => {
                self.folders.push(Vec::new());
                InodeKind::Directory(next_id(self.folders.len() - 1, "folders")?)
            }
            NewKind::Bytes(bytes) => {
                let size = bytes.len() as u64;
                InodeKind::File(size, SourceRef::Bytes(push(&mut sources.bytes, bytes)?))
            }
            NewKind::Host { dir, name, size } => {
                let name = name_bytes(&name);
                let name = if *name == *node_name.of(&self.names) {
                    node_name
                } else {
                    self.intern_name(&name)?
                };
                InodeKind::File(size, SourceRef::Host(dir, name))
            }
            NewKind::Base(extents) => {
                let size = extents.iter().map(|extent| extent.bytes).sum();
                let first = next_id(sources.extents.len(), "extents")?;
                let count = next_id(extents.len(), "extents")?;
                sources.extents.extend(extents);
                InodeKind::File(size, SourceRef::Base(first, count))
            }
            NewKind::Custom(source) => {
                let size = source.byte_len();
                InodeKind::File(size, SourceRef::Custom(push(&mut sources.custom, source)?))
            }
            NewKind::Symlink(target) => InodeKind::Symlink(self.intern_name(&target)?),
            NewKind::CharDevice { major, minor } => InodeKind::CharDevice(major, minor),
            NewKind::BlockDevice { major, minor } => InodeKind::BlockDevice(major, minor),
            NewKind::Fifo => InodeKind::Fifo,
            NewKind::Socket => InodeKind::Socket,
        })
    }

    fn attach(&mut self, node: NodeId) {
        self.put_in(node);
        self.history.note(|| Undo::Attached(node));
    }

    fn detach(&mut self, node: NodeId) {
        self.take_out(node);
        self.history.note(|| Undo::Detached(node));
    }

    /// Puts a node into its parent's children, where its name is vacant.
    pub(crate) fn put_in(&mut self, node: NodeId) {
        let parent = self.parent(node);
        let folder = self.folder(parent).expect("a parent is a folder");
        let place = self.position(&self.folders[folder], self.name(node));
        let index = place.expect_err("the name is vacant");
        self.folders[folder].insert(index, node);
        self.inodes[self.nodes[node.index()].inode.index()].links += 1;
    }

    /// Takes a node out of its parent's children.
    pub(crate) fn take_out(&mut self, node: NodeId) {
        let parent = self.parent(node);
        let folder = self.folder(parent).expect("a parent is a folder");
        let place = self.position(&self.folders[folder], self.name(node));
        let index = place.expect("a node stands among its parent's children");
        self.folders[folder].remove(index);
        self.inodes[self.nodes[node.index()].inode.index()].links -= 1;
    }
}

/// The next id of a table, or the error that there are no more.
fn next_id(len: usize, what: &'static str) -> Result<u32, TreeError> {
    u32::try_from(len).map_err(|_| TreeError::Full {
        count: len as u64,
        what,
    })
}

fn push<T>(table: &mut Vec<T>, value: T) -> Result<u32, TreeError> {
    let id = next_id(table.len(), "sources")?;
    table.push(value);
    Ok(id)
}
