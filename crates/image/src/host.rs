//! Folders of the host, merged into a tree or mirrored by it.
//!
//! Invariants: what counts as unchanged keeps its node, its content and with them its blocks;
//! a file with several names on the host has the same names in the tree; nothing of a file's
//! content is read here, unless contents are to be compared.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use reburn_blocks::BlockRead;
use reburn_tree::{HostDir, InodeId, Kind, Metadata, NewKind, NodeId, Timestamp, Tree};

use crate::host_file::{HostEntry, HostFileId, HostKind, name_bytes};
use crate::source::{OpenFile, read_content};
use crate::{ImageError, xattr};

/// When a file counts as unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compare {
    /// Same size and same modification time, in whole seconds.
    #[default]
    SizeAndTime,
    /// Same bytes.
    Content,
}

/// How a folder of the host is taken into the tree.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostOptions {
    /// When a file counts as unchanged.
    pub compare: Compare,
    /// Modification times after this one are set to it, for images that must not depend on
    /// when their files were unpacked.
    pub latest: Option<Timestamp>,
    /// Remove from the tree what the host does not have.
    pub mirror: bool,
    /// Take what users attached to files as named streams, which UDF has from 2.00 on.
    pub xattrs: bool,
    /// Take access, change and creation times too, which make every image differ.
    pub all_times: bool,
    /// A file that is not taken, wherever it is met: the image that is being written.
    pub leave_out: Option<HostFileId>,
}

/// What changed in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostReport {
    /// Names that are new.
    pub added: u64,
    /// Names whose content was exchanged.
    pub replaced: u64,
    /// Names that only got other permissions, owners or times.
    pub retouched: u64,
    /// Names that were removed, those below a removed folder included.
    pub removed: u64,
    /// Names that stayed as they were.
    pub unchanged: u64,
}

/// Merges `host` into `tree` at `node`, which must be a folder if `host` is one.
pub(crate) fn merge(
    tree: &mut Tree,
    base: Option<&dyn BlockRead>,
    host: &Path,
    node: NodeId,
    options: HostOptions,
) -> Result<HostReport, ImageError> {
    let mut merge = Merge::new(tree, base, options);
    let root = HostEntry::read(host)?;
    merge.retouch(node, root.metadata(options));
    merge.take_streams(node, host)?;
    merge.pending.push((host.to_owned(), node));
    while let Some((path, node)) = merge.pending.pop() {
        merge.folder(&path, node)?;
    }
    Ok(merge.report)
}

/// Puts one file of the host, or a folder with all that is in it, under a name in `parent`.
pub(crate) fn place(
    tree: &mut Tree,
    base: Option<&dyn BlockRead>,
    host: &Path,
    (parent, name): (NodeId, &[u8]),
    options: HostOptions,
) -> Result<HostReport, ImageError> {
    let entry = HostEntry::read(host)?;
    let existing = tree.child(parent, name);
    if matches!(entry.kind, HostKind::Directory) {
        let (node, added) = match existing {
            Some(node) if tree.is_directory(node) => (node, 0),
            other => {
                if let Some(node) = other {
                    tree.remove_tree(node)?;
                }
                let metadata = entry.metadata(options);
                (tree.add(parent, name, metadata, NewKind::Directory)?, 1)
            }
        };
        let mut report = merge(tree, base, host, node, options)?;
        report.added += added;
        return Ok(report);
    }
    let folder = host.parent().unwrap_or(Path::new("")).to_owned();
    let host_dir = tree.add_host_dir(folder)?;
    let mut merge = Merge::new(tree, base, options);
    let file_name = host.file_name().unwrap_or_default().to_owned();
    merge.entry(parent, name, &file_name, &entry, host_dir, host)?;
    Ok(merge.report)
}

struct Merge<'a> {
    tree: &'a mut Tree,
    base: Option<&'a dyn BlockRead>,
    options: HostOptions,
    report: HostReport,
    /// Files of the host with several names, and where the first of them is in the tree.
    links: HashMap<HostFileId, InodeId>,
    /// Files of the tree with several names, and whose content they keep.
    claims: HashMap<InodeId, HostFileId>,
    /// Folders still to be merged.
    pending: Vec<(PathBuf, NodeId)>,
}

impl<'a> Merge<'a> {
    fn new(tree: &'a mut Tree, base: Option<&'a dyn BlockRead>, options: HostOptions) -> Self {
        Self {
            tree,
            base,
            options,
            report: HostReport::default(),
            links: HashMap::new(),
            claims: HashMap::new(),
            pending: Vec::new(),
        }
    }

    fn folder(&mut self, path: &Path, node: NodeId) -> Result<(), ImageError> {
        let mut entries = HostEntry::read_folder(path)?;
        if let Some(left_out) = self.options.leave_out {
            entries.retain(|(_, entry)| entry.key != left_out);
        }
        if self.options.mirror {
            self.remove_missing(node, &entries)?;
        }
        let host_dir = self.tree.add_host_dir(path.to_owned())?;
        for (file_name, entry) in &entries {
            let name = name_bytes(file_name);
            self.entry(
                node,
                &name,
                file_name,
                entry,
                host_dir,
                &path.join(file_name),
            )?;
        }
        Ok(())
    }

    fn remove_missing(
        &mut self,
        node: NodeId,
        entries: &[(OsString, HostEntry)],
    ) -> Result<(), ImageError> {
        if self.tree.children(node).is_empty() {
            return Ok(());
        }
        let present: HashSet<_> = entries.iter().map(|(name, _)| name_bytes(name)).collect();
        let children = self.tree.children(node).iter().copied();
        let gone: Vec<_> = children
            .filter(|&child| !present.contains(self.tree.name(child)))
            .collect();
        for child in gone {
            self.remove(child)?;
        }
        Ok(())
    }

    fn remove(&mut self, node: NodeId) -> Result<(), ImageError> {
        self.report.removed += self.tree.walk(node).count() as u64;
        Ok(self.tree.remove_tree(node)?)
    }

    /// Brings one name up to date.
    fn entry(
        &mut self,
        parent: NodeId,
        name: &[u8],
        file_name: &std::ffi::OsStr,
        entry: &HostEntry,
        host_dir: HostDir,
        path: &Path,
    ) -> Result<(), ImageError> {
        let metadata = entry.metadata(self.options);
        let linked = entry
            .link_key()
            .and_then(|key| self.links.get(&key).copied());
        let existing = self.tree.child(parent, name);
        let node = match (existing, linked) {
            (Some(node), Some(inode)) if self.tree.inode(node) == inode => {
                self.report.unchanged += 1;
                return Ok(());
            }
            (existing, Some(inode)) => {
                if let Some(node) = existing {
                    self.remove(node)?;
                    self.report.removed -= 1; // the name stays
                    self.report.replaced += 1;
                } else {
                    self.report.added += 1;
                }
                self.tree.link(parent, name, inode)?;
                return Ok(());
            }
            (None, None) => {
                self.report.added += 1;
                self.tree
                    .add(parent, name, metadata, entry.to_new(host_dir, file_name))?
            }
            (Some(node), None) if self.is_same_kind(node, entry, path)? => {
                self.retouch(node, metadata);
                node
            }
            (Some(node), None) => {
                self.report.replaced += 1;
                let new = entry.to_new(host_dir, file_name);
                if self.tree.children(node).is_empty() {
                    self.tree.replace(node, metadata, new)?
                } else {
                    self.remove(node)?;
                    self.report.removed -= 1;
                    self.tree.add(parent, name, metadata, new)?
                }
            }
        };
        if matches!(entry.kind, HostKind::Directory) {
            self.pending.push((path.to_owned(), node));
        }
        self.take_streams(node, path)?;
        let inode = self.tree.inode(node);
        if let Some(key) = entry.link_key() {
            self.links.insert(key, inode);
        }
        if self.tree.links(inode) > 1 {
            self.claims.insert(inode, entry.key);
        }
        Ok(())
    }

    /// Whether the node can stay, but for its metadata.
    fn is_same_kind(
        &self,
        node: NodeId,
        entry: &HostEntry,
        path: &Path,
    ) -> Result<bool, ImageError> {
        let inode = self.tree.inode(node);
        // Names that were one file in the tree and are two on the host must part.
        if self.claims.get(&inode).is_some_and(|&key| key != entry.key) {
            return Ok(false);
        }
        Ok(match (self.tree.kind(inode), &entry.kind) {
            (Kind::Directory, HostKind::Directory)
            | (Kind::Fifo, HostKind::Fifo)
            | (Kind::Socket, HostKind::Socket) => true,
            (Kind::Symlink(old), HostKind::Symlink(new)) => old == new,
            (Kind::CharDevice { major, minor }, HostKind::CharDevice(new))
            | (Kind::BlockDevice { major, minor }, HostKind::BlockDevice(new)) => {
                (major, minor) == *new
            }
            (Kind::File { size, .. }, HostKind::File(new)) if size == *new => {
                match self.options.compare {
                    Compare::SizeAndTime => {
                        let old = self.tree.metadata(inode).modified.seconds();
                        old == entry.metadata(self.options).modified.seconds()
                    }
                    Compare::Content => self.has_same_bytes(inode, path)?,
                }
            }
            _ => false,
        })
    }

    fn has_same_bytes(&self, inode: InodeId, path: &Path) -> Result<bool, ImageError> {
        const CHUNK: usize = 1 << 18;
        let host_error = |source| ImageError::Host {
            path: path.to_owned(),
            source,
        };
        let Kind::File { size, content } = self.tree.kind(inode) else {
            return Ok(false);
        };
        let mut file = fs::File::open(path).map_err(host_error)?;
        let mut open = OpenFile::default();
        let (mut old, mut new) = (vec![0; CHUNK], vec![0; CHUNK]);
        let mut offset = 0;
        while offset < size {
            let len = usize::try_from(size - offset).map_or(CHUNK, |left| left.min(CHUNK));
            match std::io::Read::read_exact(&mut file, &mut new[..len]) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok(false);
                }
                Err(error) => return Err(host_error(error)),
            }
            let old = &mut old[..len];
            read_content(self.base, &mut open, inode, (size, content), offset, old)?;
            if *old != new[..len] {
                return Ok(false);
            }
            offset += len as u64;
        }
        Ok(true)
    }

    /// Gives a node the named streams that the host has of it, if those are wanted.
    fn take_streams(&mut self, node: NodeId, path: &Path) -> Result<(), ImageError> {
        if !self.options.xattrs {
            return Ok(());
        }
        let inode = self.tree.inode(node);
        let wanted = xattr::read(path).map_err(|source| ImageError::Host {
            path: path.to_owned(),
            source,
        })?;
        let known: Vec<_> = self
            .tree
            .streams(inode)
            .map(|(name, _)| name.to_vec())
            .collect();
        for name in &known {
            if wanted.iter().all(|(kept, _)| kept != name) {
                self.tree.remove_stream(inode, name);
            }
        }
        for (name, value) in wanted {
            if self.has_stream(inode, &name, &value)? {
                continue;
            }
            let metadata = *self.tree.metadata(inode);
            let kind = NewKind::Bytes(value.into());
            self.tree.set_stream(inode, &name, metadata, kind)?;
        }
        Ok(())
    }

    /// Whether the file has that stream with those bytes.
    fn has_stream(&self, inode: InodeId, name: &[u8], value: &[u8]) -> Result<bool, ImageError> {
        let Some(stream) = self.tree.stream(inode, name) else {
            return Ok(false);
        };
        let Kind::File { size, content } = self.tree.kind(stream) else {
            return Ok(false);
        };
        if size != value.len() as u64 {
            return Ok(false);
        }
        let mut old = vec![0; value.len()];
        let mut open = OpenFile::default();
        read_content(self.base, &mut open, stream, (size, content), 0, &mut old)?;
        Ok(old == value)
    }

    /// Gives a node the host's metadata, if they differ by what a disc records.
    fn retouch(&mut self, node: NodeId, new: Metadata) {
        let inode = self.tree.inode(node);
        let old = *self.tree.metadata(inode);
        let recorded = |m: &Metadata| (m.permissions, m.uid, m.gid, m.modified.seconds());
        if recorded(&old) == recorded(&new) {
            self.report.unchanged += 1;
        } else {
            self.report.retouched += 1;
            let kept = Metadata {
                created: new.created.or(old.created),
                real_time: old.real_time,
                ..new
            };
            self.tree.set_metadata(inode, kept);
        }
    }
}
