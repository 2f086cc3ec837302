//! A tree and what is to be made of it.

use std::path::Path;

use reburn_blocks::{BlockRangeList, BlockRead};
use reburn_tree::{ChangePoint, Metadata, NewKind, NodeId, Timestamp, Tree, TreeError};

use crate::base::Base;
use crate::host;
use crate::{
    FileSystems, HostOptions, HostReport, ImageError, ImportNote, ImportOptions, Medium,
    ResultImage, Sessions,
};

/// Files and folders, the medium they are for, and the disc they change, if there is one.
///
/// The counterpart of IMAPI's `IFileSystemImage`: build or import a tree, change it, then ask
/// for the [`ResultImage`].
#[derive(Debug)]
pub struct FileSystemImage<'b> {
    pub(crate) tree: Tree,
    pub(crate) base: Option<Base<'b>>,
    pub(crate) medium: Medium,
    pub(crate) file_systems: FileSystems,
    /// The modification date of the volume, and its creation date if it is new.
    pub(crate) time: Timestamp,
    /// Whether the volume must be written anew even if the tree is the same.
    pub(crate) options_changed: bool,
    /// Whether an edit writes over what it replaces.
    pub(crate) in_place: bool,
    /// Whether what is in spare packets goes back.
    pub(crate) folds: bool,
    /// How its plans are broken, for tests that must notice.
    #[cfg(feature = "mutants")]
    pub(crate) mutant: Option<crate::Mutant>,
}

impl FileSystemImage<'static> {
    /// An empty image for a medium, with its volume dates set to `time`.
    pub fn new(medium: Medium, file_systems: impl Into<FileSystems>, time: Timestamp) -> Self {
        let tree = Tree::new(Metadata::directory().modified_at(time));
        Self {
            tree,
            base: None,
            medium,
            file_systems: file_systems.into(),
            time,
            options_changed: false,
            in_place: false,
            folds: false,
            #[cfg(feature = "mutants")]
            mutant: None,
        }
    }
}

impl<'b> FileSystemImage<'b> {
    /// Takes the tree of a disc or image, to change it. Its files keep their blocks.
    pub fn import(base: &'b dyn BlockRead, options: &ImportOptions) -> Result<Self, ImageError> {
        let (base, tree, file_systems) = Base::read(base, options)?;
        let (medium, time) = (options.medium, options.time);
        Ok(Self {
            tree,
            base: Some(base),
            medium,
            file_systems,
            time,
            options_changed: false,
            in_place: false,
            folds: false,
            #[cfg(feature = "mutants")]
            mutant: None,
        })
    }

    /// The tree as it stands.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The tree, for changes that have no method here.
    pub fn tree_mut(&mut self) -> &mut Tree {
        &mut self.tree
    }

    /// What was read leniently from the disc, or is on it but not in the tree.
    pub fn notes(&self) -> &[ImportNote] {
        self.base.as_ref().map_or(&[], |base| &base.notes)
    }

    /// The sessions of an ISO 9660 disc, as far as it has a note of them.
    pub fn sessions(&self) -> Option<&Sessions> {
        Some(&self.base.as_ref()?.iso()?.sessions)
    }

    /// The medium that the image is for.
    pub fn medium(&self) -> Medium {
        self.medium
    }

    /// Which file systems will be written, and how.
    pub fn file_systems(&self) -> &FileSystems {
        &self.file_systems
    }

    /// Which file systems will be written, to be changed.
    /// The volume is then written anew even if the tree stays the same.
    pub fn file_systems_mut(&mut self) -> &mut FileSystems {
        self.options_changed = true;
        &mut self.file_systems
    }

    /// Adds a file or folder at a path whose folder exists.
    pub fn add(
        &mut self,
        path: &[u8],
        metadata: Metadata,
        kind: NewKind,
    ) -> Result<NodeId, ImageError> {
        let (parent, name) = self.split(path)?;
        Ok(self.tree.add(parent, name, metadata, kind)?)
    }

    /// Exchanges the content and metadata of what is at a path.
    pub fn replace(
        &mut self,
        path: &[u8],
        metadata: Metadata,
        kind: NewKind,
    ) -> Result<NodeId, ImageError> {
        let node = self.find(path)?;
        Ok(self.tree.replace(node, metadata, kind)?)
    }

    /// Removes a file, or a folder with everything in it.
    pub fn remove(&mut self, path: &[u8]) -> Result<(), ImageError> {
        let node = self.find(path)?;
        Ok(self.tree.remove_tree(node)?)
    }

    /// Moves what is at `from` to the vacant path `to`.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), ImageError> {
        let node = self.find(from)?;
        let (parent, name) = self.split(to)?;
        Ok(self.tree.rename(node, parent, name)?)
    }

    /// Adds a file of the host, or a folder with everything in it, at `path`; a folder is
    /// merged with one that is there, and a file replaces what is there.
    ///
    /// Folders on the way to `path` are made. All or nothing: an error leaves the tree as it
    /// was.
    pub fn add_host(
        &mut self,
        host: &Path,
        path: &[u8],
        options: HostOptions,
    ) -> Result<HostReport, ImageError> {
        self.all_or_nothing(|image| {
            let disc = image.base.as_ref().map(Base::disc);
            if names(path).next().is_none() {
                return host::merge(&mut image.tree, disc, host, Tree::ROOT, options);
            }
            let made = Metadata::directory().modified_at(image.time);
            let all: Vec<&[u8]> = names(path).collect();
            let (name, folders) = all.split_last().expect("a path with a name");
            let mut parent = Tree::ROOT;
            for folder in folders {
                parent = match image.tree.child(parent, folder) {
                    Some(node) => node,
                    None => image.tree.add(parent, folder, made, NewKind::Directory)?,
                };
            }
            host::place(&mut image.tree, disc, host, (parent, name), options)
        })
    }

    /// Makes the tree the same as a folder of the host: what is there is added or exchanged,
    /// what is not there is removed, what is unchanged keeps its blocks.
    ///
    /// All or nothing: an error leaves the tree as it was.
    pub fn sync_host(
        &mut self,
        host: &Path,
        options: HostOptions,
    ) -> Result<HostReport, ImageError> {
        let options = HostOptions {
            mirror: true,
            ..options
        };
        self.all_or_nothing(|image| {
            let disc = image.base.as_ref().map(Base::disc);
            host::merge(&mut image.tree, disc, host, Tree::ROOT, options)
        })
    }

    /// Moves what earlier edits left in spare packets of a sparable UDF partition back to where it
    /// belongs, so that the spare packets are free for later edits. Nothing else may change; the
    /// [`result`](Self::result) says if something does.
    pub fn fold(&mut self) {
        self.folds = true;
    }

    /// Whether an edit writes the fewest blocks, each over what it replaces, as a kernel would; off
    /// unless asked for. Its class is [`CrashClass::None`]: a power cut while it is recorded can
    /// leave neither tree. Only UDF volumes with a metadata partition can be edited so.
    ///
    /// The result reads from the disc what it writes over, so nothing may be recorded before all
    /// of it was read, as [`Plan::save`] does.
    ///
    /// [`CrashClass::None`]: reburn_blocks::CrashClass::None
    /// [`Plan::save`]: reburn_blocks::Plan::save
    pub fn set_in_place(&mut self, in_place: bool) {
        self.in_place = in_place;
    }

    /// Marks the present state of the tree.
    pub fn change_point(&mut self) -> ChangePoint {
        self.tree.change_point()
    }

    /// Undoes every change to the tree since `point`.
    pub fn roll_back(&mut self, point: ChangePoint) -> Result<(), ImageError> {
        Ok(self.tree.roll_back(point)?)
    }

    /// The blocks of the disc that mean something; the others are free space. `None` without a
    /// disc, or where it does not say what is free.
    pub fn used_ranges(&self) -> Option<BlockRangeList> {
        self.base.as_ref()?.used()
    }

    /// The whole disc as it shall be. The tree cannot change while it is looked at.
    pub fn result(&self) -> Result<ResultImage<'_>, ImageError> {
        ResultImage::new(self)
    }

    fn all_or_nothing<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, ImageError>,
    ) -> Result<T, ImageError> {
        if self.base.is_none() && self.tree.node_limit() == 1 {
            // An empty tree is made anew rather than noting how to undo a whole image.
            let root = *self.tree.metadata(self.tree.inode(Tree::ROOT));
            return change(self).inspect_err(|_| self.tree = Tree::new(root));
        }
        let before = self.tree.change_point();
        let result = change(self);
        if result.is_err() {
            self.tree.roll_back(before)?;
        }
        result
    }

    fn find(&self, path: &[u8]) -> Result<NodeId, ImageError> {
        self.tree.lookup(path).ok_or_else(|| {
            let path = String::from_utf8_lossy(path).into_owned();
            TreeError::NotFound { path }.into()
        })
    }

    /// The folder that a path leads to, and the name in it.
    fn split<'p>(&self, path: &'p [u8]) -> Result<(NodeId, &'p [u8]), ImageError> {
        let all: Vec<&[u8]> = names(path).collect();
        let (name, folders) = all.split_last().ok_or(TreeError::Root)?;
        Ok((self.find(&folders.join(&b'/'))?, name))
    }
}

/// The names that make up a path.
fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."))
}
