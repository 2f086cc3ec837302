//! Sizes of everything, before anything has an address.
//!
//! The metadata are one run of blocks. The first is the file set descriptor. Then comes, for
//! each folder in the order of paths: its entry, its directory where that does not fit into the
//! entry, and the entries of the files that are first named in it. So what listing a folder
//! needs lies together. Named streams follow, in the order of the files that have them, and last
//! what the volume keeps for itself.

use std::borrow::Cow;
use std::sync::Arc;

use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba, WriteUnit};
use reburn_tree::{Content, InodeId, Kind, Metadata, NodeId, Timestamp, Tree};

use super::attributes::check_attributes;
use super::descriptors;
use super::directory::FidSizes;
use super::entry::EntryForm;
use super::extents::{EXTENT_BYTES_MAX, file_extents, stays_in_place};
use super::kept::{EntryPlace, EntryPlaces, Kept};
use super::names::recorded_name;
use super::placed::FilePlacement;
use super::streams::StreamDirectory;
use super::symlink::encoded_target_len;
use super::{Addresses, LayoutError, Placed, UdfOptions, UdfRevision, system, virtual_table};
use crate::PartitionKind;

/// Where the root's entry is, counted from the first block of the metadata.
pub(super) const ROOT_ENTRY: u32 = 1;

/// The lowest unique id of anything but the root (UDF 3.2.1.1).
pub(super) const FIRST_UNIQUE_ID: u32 = 16;

/// The least blocks that a metadata file grows by (UDF 2.2.10).
const ALLOCATION_UNIT_MIN: BlockCount = BlockCount::new(32);

/// Blocks that metadata may take, so that unique ids made of block numbers stay below those
/// that some readers take for negative.
const METADATA_BLOCKS_MAX: u64 = 1 << 30;

/// How a tree becomes a volume: where each entry and directory stands in the run of metadata.
///
/// A layout is made from one tree and goes with that tree as it was then; it holds neither
/// names nor contents. It takes about 8 bytes an inode and 32 a directory.
#[derive(Debug)]
pub struct Layout {
    pub(super) options: UdfOptions,
    pub(super) form: EntryForm,
    /// In the order of their blocks.
    pub(super) directories: Vec<Directory>,
    /// What is not a folder, in the order of the entries' blocks.
    pub(super) files: Vec<InodeId>,
    /// In the order of their blocks.
    pub(super) stream_directories: Vec<StreamDirectory>,
    /// Named streams, in the order of the entries' blocks.
    pub(super) streams: Vec<InodeId>,
    pub(super) places: EntryPlaces,
    pub(super) counts: Counts,
    /// The block where streams begin, and the one where what is the volume's own does.
    pub(super) streams_start: u32,
    pub(super) system_start: u32,
    /// Blocks that are used, before they are rounded up to whole allocation units.
    used_blocks: u32,
    /// When the volume was made, or its newest file.
    pub(super) volume_time: Timestamp,
    /// Tells this layout from all others.
    pub(super) identity: Arc<()>,
}

/// A folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Directory {
    pub(super) node: NodeId,
    /// The block of its entry, counted from the first of the metadata.
    pub(super) start: u32,
    /// Bytes of its file identifiers.
    pub(super) bytes: u64,
    /// Which of the layout's files is the first that is named here.
    pub(super) first_file: u32,
    /// Names in earlier folders whose file was named before.
    pub(super) links_before: u32,
    /// Folders in it.
    pub(super) subfolders: u16,
}

/// How much of everything there is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Names of files; each hard link is one (UDF 2.2.6.4).
    pub(super) files: u32,
    /// Folders, the root included.
    pub(super) directories: u32,
    /// Names of files that are not the first one.
    pub(super) links: u32,
}

impl Layout {
    /// Lays out `tree`. Nothing is read; no address is known yet.
    pub fn new(tree: &Tree, options: &UdfOptions) -> Result<Self, LayoutError> {
        Self::build(tree, options, None)
    }

    /// Lays out `tree` for a volume that is on the disc already, in a plain or sparable partition:
    /// entries of files that did not change stay where they are, everything else is laid out
    /// anew.
    pub fn with_kept(
        tree: &Tree,
        options: &UdfOptions,
        kept: &Kept<'_>,
    ) -> Result<Self, LayoutError> {
        Self::build(tree, options, Some(kept))
    }

    fn build(
        tree: &Tree,
        options: &UdfOptions,
        kept: Option<&Kept<'_>>,
    ) -> Result<Self, LayoutError> {
        descriptors::check_texts(&options.texts)?;
        options.check()?;
        let mut layout = Self {
            options: options.clone(),
            form: EntryForm::of(options),
            directories: Vec::new(),
            files: Vec::new(),
            stream_directories: Vec::new(),
            streams: Vec::new(),
            places: EntryPlaces::new(tree, kept),
            counts: Counts::default(),
            streams_start: 0,
            system_start: 0,
            used_blocks: ROOT_ENTRY,
            volume_time: options.time,
            identity: Arc::new(()),
        };
        let mut blocks = u64::from(ROOT_ENTRY);
        let mut with_streams = Vec::new();
        for (node, _) in tree.walk(Tree::ROOT) {
            if tree.is_directory(node) {
                layout.add_directory(tree, node, kept, &mut blocks, &mut with_streams)?;
            }
        }
        // A number too large is refused in the end.
        layout.streams_start = blocks as u32;
        for node in with_streams {
            layout.add_streams(tree, node, &mut blocks)?;
        }
        layout.system_start = blocks as u32;
        layout.add_system(tree, &mut blocks)?;
        // Whole allocation units fit as well then.
        if blocks > METADATA_BLOCKS_MAX {
            return Err(LayoutError::MetadataTooLarge { blocks });
        }
        layout.used_blocks = blocks as u32;
        if kept.is_some() {
            let count = layout.used_blocks.saturating_add(layout.counts.links);
            layout.places.start_ids(options.next_unique_id, count);
        }
        Ok(layout)
    }

    /// Finds room for a folder's entry, its directory, and the entries of files first named
    /// in it.
    fn add_directory(
        &mut self,
        tree: &Tree,
        node: NodeId,
        kept: Option<&Kept<'_>>,
        blocks: &mut u64,
        with_streams: &mut Vec<NodeId>,
    ) -> Result<(), LayoutError> {
        let bytes = self.directory_bytes(tree, node)?;
        let subfolders = tree.children(node).iter();
        let subfolders = subfolders
            .filter(|&&child| tree.is_directory(child))
            .count();
        if subfolders >= u16::MAX.into() {
            return Err(LayoutError::TooManyLinks {
                path: tree.display_path(node),
                links: subfolders as u64 + 1,
            });
        }
        let directory = Directory {
            node,
            start: *blocks as u32,
            bytes,
            first_file: self.files.len() as u32,
            links_before: self.counts.links,
            subfolders: subfolders as u16,
        };
        let inode = tree.inode(node);
        self.places.set(inode, directory.start);
        self.note_times(tree.metadata(inode));
        check_attributes(self.form, tree, node)?;
        self.counts.directories += 1;
        *blocks += 1 + u64::from(self.directory_blocks(tree, &directory));
        let extents = bytes.div_ceil(EXTENT_BYTES_MAX);
        if extents > self.form.directory_extents_max(tree, inode) {
            let path = tree.display_path(node);
            return Err(LayoutError::DirectoryTooLarge { path, bytes });
        }
        self.directories.push(directory);
        if tree.streams(inode).len() > 0 {
            with_streams.push(node);
        }
        for &child in tree.children(node) {
            if !tree.is_directory(child) && self.add_file(tree, child, kept, blocks)? {
                with_streams.push(child);
            }
        }
        Ok(())
    }

    /// Finds room for a file's entry, unless it has one; whether the file has streams to come.
    fn add_file(
        &mut self,
        tree: &Tree,
        node: NodeId,
        kept: Option<&Kept<'_>>,
        blocks: &mut u64,
    ) -> Result<bool, LayoutError> {
        let inode = tree.inode(node);
        self.counts.files += 1;
        if self.places.is_placed(inode) {
            self.counts.links += 1;
            return Ok(false);
        }
        if let Some(block) = kept.and_then(|kept| kept.block(inode)) {
            self.note_times(tree.metadata(inode));
            self.places.keep(tree, inode, block, node);
            for (_, stream) in tree.streams(inode) {
                // Where it is, the kept entry says.
                self.places.keep(tree, stream, block, node);
            }
            return Ok(false);
        }
        self.check_file(tree, node)?;
        self.note_times(tree.metadata(inode));
        self.places.set(inode, *blocks as u32);
        self.files.push(inode);
        *blocks += 1 + self.continuations(tree, inode);
        Ok(tree.streams(inode).len() > 0)
    }

    /// Checks what an entry must obey, whichever name leads to it.
    fn check_file(&self, tree: &Tree, node: NodeId) -> Result<(), LayoutError> {
        let inode = tree.inode(node);
        let path = || tree.display_path(node);
        let links = u64::from(tree.links(inode));
        if links > u16::MAX.into() {
            return Err(LayoutError::TooManyLinks {
                path: path(),
                links,
            });
        }
        check_attributes(self.form, tree, node)?;
        if let Kind::Symlink(target) = tree.kind(inode) {
            let (len, max) = (encoded_target_len(target), self.form.room(tree, inode));
            if len > max {
                return Err(LayoutError::SymlinkTooLong {
                    path: path(),
                    len,
                    max,
                });
            }
        }
        Ok(())
    }

    pub(super) fn note_times(&mut self, metadata: &Metadata) {
        let times = [metadata.accessed, metadata.changed, metadata.created];
        let newest = times
            .into_iter()
            .flatten()
            .fold(metadata.modified, Timestamp::max);
        self.volume_time = self.volume_time.max(newest);
    }

    /// Blocks of a folder's directory; none if it lies in the entry.
    pub(super) fn directory_blocks(&self, tree: &Tree, directory: &Directory) -> u32 {
        if directory.bytes <= self.form.room(tree, tree.inode(directory.node)) {
            return 0;
        }
        // More than 32 bits of blocks are refused with all metadata together.
        directory.bytes.div_ceil(BLOCK_SIZE as u64) as u32
    }

    /// Blocks after a file's entry that continue its allocation descriptors.
    pub(super) fn continuations(&self, tree: &Tree, inode: InodeId) -> u64 {
        if self.is_embedded(tree, inode) {
            return 0;
        }
        let extents = file_extents(tree, inode).count() as u64;
        self.form.continuations(tree, inode, extents)
    }

    /// Whether a file's content lies in its entry, so that it needs no block of its own.
    /// Content of the base that can stay in its blocks does.
    pub fn is_embedded(&self, tree: &Tree, inode: InodeId) -> bool {
        match tree.kind(inode) {
            Kind::File { size: 0, .. } => true,
            Kind::File {
                content: Content::Base(extents),
                ..
            } if stays_in_place(extents) => false,
            Kind::File { size, .. } => {
                self.options.embed_files && size <= self.form.room(tree, inode)
            }
            _ => false,
        }
    }

    /// The names that UDF cannot record as they are, and what they are recorded as.
    pub fn translated_names<'t>(
        &self,
        tree: &'t Tree,
    ) -> impl Iterator<Item = (NodeId, String)> + 't {
        let nodes = tree.walk(Tree::ROOT).skip(1);
        nodes.filter_map(|(node, _)| match recorded_name(tree.name(node)) {
            Cow::Borrowed(_) => None,
            Cow::Owned(name) => Some((node, name)),
        })
    }

    /// The options that the layout was made with.
    pub fn options(&self) -> &UdfOptions {
        &self.options
    }

    /// Blocks of all entries and directories, which form one run: whole allocation units
    /// where they are a metadata partition (UDF 2.2.10).
    pub fn metadata_blocks(&self) -> BlockCount {
        let used = BlockCount::new(self.used_blocks);
        if self.options.partition == PartitionKind::Metadata {
            used.round_up(self.allocation_unit())
        } else {
            used
        }
    }

    /// What a metadata file grows by: a multiple of 32 blocks and of the write unit
    /// (UDF 2.2.10).
    pub(super) fn allocation_unit(&self) -> WriteUnit {
        let unit = self.options.write_unit.blocks();
        let least = ALLOCATION_UNIT_MIN.get();
        let unit = if unit.get().is_multiple_of(least) || least.is_multiple_of(unit.get()) {
            unit.get().max(least)
        } else {
            unit.get() * least
        };
        WriteUnit::new(unit).expect("a unit has blocks")
    }

    /// What structures that are rewritten on their own are aligned to: the write unit, or on a
    /// sparable partition the packet where that is larger.
    pub fn alignment(&self) -> WriteUnit {
        let unit = self.options.write_unit;
        match self.options.partition {
            PartitionKind::Sparable if self.packet().blocks() > unit.blocks() => self.packet(),
            _ => unit,
        }
    }

    /// Blocks of a packet of a sparable partition: 32 up to UDF 2.00, and from then on as many
    /// as the medium records at once (UDF 2.2.9). Packets of files have 32.
    pub fn packet(&self) -> WriteUnit {
        match self.options.write_unit {
            WriteUnit::DVD if self.options.revision >= UdfRevision::V2_01 => WriteUnit::DVD,
            _ => WriteUnit::CD_PACKET,
        }
    }

    /// Blocks of one volume descriptor sequence: at least 16 (UDF 2.2.3.1), in write units of
    /// its own.
    pub fn sequence_blocks(&self) -> BlockCount {
        BlockCount::new(16).round_up(self.alignment())
    }

    /// Blocks that the bitmap of free space takes for a partition of that many; none where
    /// nobody shall look for free space (UDF 2.3.8).
    pub fn bitmap_blocks(&self, partition: BlockCount) -> BlockCount {
        if self.options.access.has_bitmap() {
            super::space::bitmap_blocks(partition)
        } else {
            BlockCount::ZERO
        }
    }

    /// Blocks of the entry of the bitmap of free metadata, and of the bitmap (UDF 2.2.13.2).
    pub fn metadata_bitmap_blocks(&self) -> BlockCount {
        BlockCount::ONE + super::space::bitmap_blocks(self.metadata_blocks())
    }

    /// Blocks of the virtual allocation table, its entry included (UDF 2.2.11).
    pub fn virtual_table_blocks(&self) -> BlockCount {
        virtual_table::blocks(self)
    }

    /// One more than the largest unique id on the volume, and not less than the options want.
    pub(super) fn next_unique_id(&self) -> u64 {
        let table = u64::from(self.options.partition == PartitionKind::Virtual);
        let next = self.places.new_id(self.used_blocks) + u64::from(self.counts.links) + table;
        next.max(self.options.next_unique_id)
    }

    /// The block of the entry of an inode that is laid out anew, counted from the first of the
    /// metadata.
    pub(super) fn entry_block(&self, inode: InodeId) -> u32 {
        match self.places.get(inode) {
            EntryPlace::New(block) => block,
            EntryPlace::Kept(block) => unreachable!("the entry stays in block {block}"),
        }
    }

    /// Whether the entry of a file stays where it is on the disc, and with it all that it says.
    pub fn keeps(&self, inode: InodeId) -> bool {
        self.places.is_placed(inode) && matches!(self.places.get(inode), EntryPlace::Kept(_))
    }

    /// Blocks of the metadata that something is in.
    pub(super) fn used_blocks(&self) -> u32 {
        self.used_blocks
    }

    /// The file whose entry, or what continues it, is in a block behind the directory of the
    /// folder at `index`.
    pub(super) fn file_at(&self, index: usize, block: u32) -> InodeId {
        let first = self.directories[index].first_file as usize;
        let next = self.directories.get(index + 1);
        let end = next.map_or(self.files.len(), |next| next.first_file as usize);
        let files = &self.files[first..end];
        let after = files.partition_point(|&inode| self.entry_block(inode) <= block);
        files[after - 1]
    }

    /// Bytes of a folder's file identifiers, if the names in it are still apart when they are
    /// recorded.
    fn directory_bytes(&self, tree: &Tree, node: NodeId) -> Result<u64, LayoutError> {
        let mut sizes = FidSizes::new(self);
        let mut translated = Vec::new();
        for &child in tree.children(node) {
            let name = recorded_name(tree.name(child));
            sizes.push(&name);
            if let Cow::Owned(name) = name {
                translated.push((name, child));
            }
        }
        if node == Tree::ROOT && system::has_root_file(self) {
            sizes.push(system::ROOT_FILE);
        }
        translated.sort_unstable();
        let twice = translated.windows(2).find(|two| two[0].0 == two[1].0);
        let taken = |(name, _): &&(String, NodeId)| tree.child(node, name.as_bytes()).is_some();
        let colliding = twice
            .map(|two| &two[1])
            .or_else(|| translated.iter().find(taken));
        match colliding {
            Some((recorded, child)) => Err(LayoutError::NamesCollide {
                path: tree.display_path(*child),
                recorded: recorded.clone(),
            }),
            None => Ok(sizes.bytes()),
        }
    }

    /// The folder that a block belongs to, unless it is the file set descriptor.
    pub(super) fn directory_at(&self, block: u32) -> Option<usize> {
        self.directories
            .partition_point(|directory| directory.start <= block)
            .checked_sub(1)
    }

    /// The layout with addresses: structures where `addresses` says, files where `files` says.
    ///
    /// # Panics
    /// If `tree` is not the one that the layout was made from, as far as that shows, or if
    /// `addresses` contradict each other or the layout; see [`Addresses`].
    pub fn place<'a>(
        &'a self,
        tree: &'a Tree,
        addresses: &'a Addresses,
        files: &'a dyn FilePlacement,
    ) -> Placed<'a> {
        assert_eq!(
            tree.inode_limit(),
            self.places.len(),
            "the tree has changed since it was laid out"
        );
        addresses.check(self);
        Placed {
            layout: self,
            tree,
            addresses,
            files,
        }
    }

    /// Where the recognition sequence of a volume that is nothing but UDF stands (ECMA-167
    /// 2/8.3).
    pub const RECOGNITION: Lba = Lba::new(16);
}
