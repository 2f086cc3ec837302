//! The whole disc as it shall be, readable block by block.
//!
//! Invariants: unchanged files keep their blocks; nothing new shares a write unit with a live
//! block of the base; what no new block covers reads as the base, and as zeros where there is
//! no base; reading is lazy, no more than a directory is held in memory.

use std::cell::RefCell;
use std::fmt;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Digest, ExtentMap, Lba,
    ReadError, WriteUnit,
};
use reburn_iso9660::{Layout, Placed, RenderCache};
use reburn_tree::{Extent, InodeId, Kind, NodeId, Tree};

use crate::base::{Base, first_blocks};
use crate::iso_options::style_of;
use crate::placement::{NewFile, PlacedFiles, Placement, Request, new_files};
use crate::session::{self, Sessions};
use crate::source::{OpenFile, read_content};
use crate::{FileSystemImage, ImageError, Medium};

/// The disc as a [`FileSystemImage`] makes it: a [`BlockRead`] over lazily read sources.
///
/// The counterpart of IMAPI's `IFileSystemImageResult2`.
pub struct ResultImage<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) base: Option<&'a Base<'a>>,
    pub(crate) medium: Medium,
    placement: Placement,
    pub(crate) new: Option<NewBlocks>,
    total: BlockCount,
    /// The host file and the directory that were read last.
    open: RefCell<OpenFile>,
    rendered: RefCell<RenderCache>,
}

/// What a result has that its base has not.
pub(crate) struct NewBlocks {
    /// Where the bytes of each new block come from.
    pub(crate) sources: ExtentMap<Source>,
    layout: Layout,
    metadata_start: Lba,
    /// The volume descriptors at block 16.
    head_descriptors: Vec<u8>,
    /// The same in the session, where the volume's size counts from the session's start.
    session_descriptors: Vec<u8>,
    /// The blocks at 16 that readers begin with.
    pub(crate) head: BlockRange,
    /// Blocks of new file data.
    pub(crate) data: BlockCount,
    /// Blocks of descriptors, path tables and directories in the new session.
    pub(crate) session: BlockCount,
    pub(crate) session_start: Lba,
}

/// Where a new block's bytes come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    HeadDescriptors,
    SessionDescriptors,
    /// Path tables and directories.
    Metadata,
    File(InodeId),
}

impl fmt::Debug for ResultImage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultImage")
            .field("blocks", &self.total)
            .finish_non_exhaustive()
    }
}

impl<'a> ResultImage<'a> {
    pub(crate) fn new(image: &'a FileSystemImage<'_>) -> Result<Self, ImageError> {
        let (tree, medium) = (&image.tree, image.medium);
        let base = image.base.as_ref();
        let mut result = Self {
            tree,
            base,
            medium,
            placement: Placement::new(tree),
            new: None,
            total: BlockCount::ZERO,
            open: RefCell::default(),
            rendered: RefCell::default(),
        };
        let changed = base.is_none_or(|base| tree.has_changed_since(base.imported));
        if changed || image.options_changed {
            result.lay_out(image)?;
        }
        result.total = result.count_total();
        Ok(result)
    }

    /// Finds room for everything that is new.
    fn lay_out(&mut self, image: &FileSystemImage<'_>) -> Result<(), ImageError> {
        let layout = Layout::new(self.tree, &image.iso)?;
        let boots = self.base.is_some_and(|base| base.boot_record.is_some());
        let descriptor_blocks = layout.descriptor_blocks() + BlockCount::new(boots.into());
        let head = BlockRange::with_count(session::HEAD, descriptor_blocks)
            .expect("a volume has descriptors");

        let medium = self.medium;
        let (live, unit) = self.base.map_or_else(
            || {
                let first = first_blocks(session::FIRST_START + session::SYSTEM_AREA);
                ([first].into_iter().collect(), WriteUnit::FILE)
            },
            |base| (base.live.clone(), medium.write_unit()),
        );
        // Only a base has data where the head will be.
        let doomed = BlockRangeList::from_iter([head]).align_outward(unit);
        let files = new_files(self.tree, &doomed);
        let session = descriptor_blocks + layout.metadata_blocks();
        let request = Request {
            session,
            files: &files,
            medium,
            unit,
        };
        let descriptors_start = request.place(&live, &mut self.placement)?;
        let session_start = Lba::new(descriptors_start.get() - session::SYSTEM_AREA.get());
        let metadata_start = descriptors_start + descriptor_blocks;
        let sources = self.map_sources(head, descriptors_start, layout.metadata_blocks(), &files);
        let [head_descriptors, session_descriptors] =
            self.describe(image, &layout, metadata_start, session_start, sources.end());
        self.new = Some(NewBlocks {
            sources,
            layout,
            metadata_start,
            head_descriptors,
            session_descriptors,
            head,
            data: files.iter().map(|file| file.blocks).sum(),
            session,
            session_start,
        });
        Ok(())
    }

    /// Where each new block's bytes come from.
    fn map_sources(
        &self,
        head: BlockRange,
        descriptors_start: Lba,
        metadata_blocks: BlockCount,
        files: &[NewFile],
    ) -> ExtentMap<Source> {
        let mut sources = ExtentMap::new();
        let mut add = |start, count, source| {
            if let Some(range) = BlockRange::with_count(start, count) {
                sources.insert(range, source);
            }
        };
        let count = head.block_count();
        add(head.start_lba(), count, Source::HeadDescriptors);
        add(descriptors_start, count, Source::SessionDescriptors);
        add(descriptors_start + count, metadata_blocks, Source::Metadata);
        let mut placed: Vec<_> = files
            .iter()
            .filter_map(|file| Some((self.placement.start(file.inode)?, *file)))
            .collect();
        placed.sort_unstable_by_key(|(start, _)| *start);
        for (start, file) in placed {
            add(start, file.blocks, Source::File(file.inode));
        }
        sources
    }

    /// The volume descriptors at block 16 and in the session.
    fn describe(
        &self,
        image: &FileSystemImage<'_>,
        layout: &Layout,
        metadata_start: Lba,
        session_start: Lba,
        new_end: BlockCount,
    ) -> [Vec<u8>; 2] {
        // What a file has behind the last used block still counts, so that no reader thinks
        // that something else follows the volume.
        let in_file = self.base.filter(|_| self.medium == Medium::File);
        let file_end = in_file.map_or(BlockCount::ZERO, |base| base.disc().block_count());
        let volume_space = self.end_of_files().max(new_end).max(file_end);
        let older = self
            .base
            .map_or_else(Sessions::default, |base| base.sessions.clone());
        let note = older.with(session_start, style_of(&image.iso)).encode();
        let (tree, placement) = (self.tree, &self.placement);
        let files = PlacedFiles { tree, placement };
        let placed = layout.place(tree, metadata_start, &files);
        let boot_record = self.base.and_then(|base| base.boot_record.as_deref());
        [
            volume_space,
            volume_space - BlockCount::new(session_start.get()),
        ]
        .map(|volume_space| {
            let mut blocks = placed.descriptors(volume_space, &note);
            if let Some(boot_record) = boot_record {
                // Right after the primary descriptor (El Torito 2.0).
                blocks.splice(BLOCK_SIZE..BLOCK_SIZE, boot_record.iter().copied());
            }
            blocks
        })
    }

    /// The first block after the data of every file.
    fn end_of_files(&self) -> BlockCount {
        let nodes = self
            .tree
            .walk(Tree::ROOT)
            .map(|(node, _)| self.tree.inode(node));
        let ends = nodes.map(|inode| {
            let extents = self.placement.extents(self.tree, inode);
            let ends = extents.as_slice().iter().filter_map(Extent::blocks);
            ends.map(BlockRange::end_exclusive).max().unwrap_or(0)
        });
        BlockCount::new(ends.max().unwrap_or(0))
    }

    /// On a file everything that is there belongs to the image; on a disc the blank rest does
    /// not.
    fn count_total(&self) -> BlockCount {
        let new_end = self
            .new
            .as_ref()
            .map_or(BlockCount::ZERO, |new| new.sources.end());
        let end = new_end.max(self.end_of_files());
        let Some(base) = self.base else {
            return end.round_up(self.medium.write_unit());
        };
        if self.medium == Medium::File {
            return end.max(base.disc().block_count());
        }
        let live = base.live.last_lba().map_or(0, |last| last.get() + 1);
        let end = end
            .max(BlockCount::new(live))
            .round_up(self.medium.write_unit());
        end.min(base.disc().block_count().max(new_end))
    }

    /// Blocks of the whole result.
    pub fn total_blocks(&self) -> BlockCount {
        self.total
    }

    /// Bytes in a block.
    pub fn block_size(&self) -> usize {
        BLOCK_SIZE
    }

    /// The medium that the image is for.
    pub fn medium(&self) -> Medium {
        self.medium
    }

    /// Names the disc with this content: 32 hexadecimal digits, made of the descriptors.
    pub fn disc_id(&self) -> Result<String, ReadError> {
        let head = BlockRange::with_count(session::HEAD, session::SYSTEM_AREA);
        let mut id = Digest::of_blocks(self, head.expect("the head has blocks"))?.to_string();
        id.truncate(32);
        Ok(id)
    }

    /// The blocks that hold a file, in the order of its bytes; none for an empty file and
    /// for what is not a file.
    pub fn ranges_of(&self, node: NodeId) -> Vec<BlockRange> {
        self.placement.ranges(self.tree, self.tree.inode(node))
    }

    /// Every file with the blocks that hold it, in the order of names: IMAPI's progress items.
    pub fn files(&self) -> impl Iterator<Item = (NodeId, Vec<BlockRange>)> {
        let nodes = self.tree.walk(Tree::ROOT).map(|(node, _)| node);
        let is_file =
            |&node: &NodeId| matches!(self.tree.kind(self.tree.inode(node)), Kind::File { .. });
        nodes
            .filter(is_file)
            .map(|node| (node, self.ranges_of(node)))
    }

    /// The first file whose data is in a block. O(n).
    pub fn file_at(&self, lba: Lba) -> Option<NodeId> {
        self.files()
            .find(|(_, ranges)| ranges.iter().any(|range| range.contains(lba)))
            .map(|(node, _)| node)
    }

    /// The tree that the result holds.
    pub fn tree(&self) -> &'a Tree {
        self.tree
    }

    fn read_new(
        &self,
        new: &NewBlocks,
        source: Source,
        start: Lba,
        skipped: BlockCount,
        buf: &mut [u8],
    ) -> Result<(), ReadError> {
        match source {
            Source::HeadDescriptors | Source::SessionDescriptors => {
                let descriptors = match source {
                    Source::HeadDescriptors => &new.head_descriptors,
                    _ => &new.session_descriptors,
                };
                let from = skipped.as_usize() * BLOCK_SIZE;
                buf.copy_from_slice(&descriptors[from..from + buf.len()]);
                Ok(())
            }
            Source::Metadata => {
                let files = PlacedFiles {
                    tree: self.tree,
                    placement: &self.placement,
                };
                let placed: Placed<'_> = new.layout.place(self.tree, new.metadata_start, &files);
                placed.read_metadata(start, buf, &mut self.rendered.borrow_mut());
                Ok(())
            }
            Source::File(inode) => {
                let Kind::File { size, content } = self.tree.kind(inode) else {
                    unreachable!("only files are placed");
                };
                let disc = self.base.map(Base::disc);
                let mut open = self.open.borrow_mut();
                read_content(
                    disc,
                    &mut open,
                    inode,
                    (size, content),
                    skipped.bytes(),
                    buf,
                )
            }
        }
    }

    /// What was there before, or zeros.
    fn read_base(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        if let Some(disc) = self.base.map(Base::disc) {
            return disc.read_filled(start, buf);
        }
        buf.fill(0);
        Ok(())
    }
}

impl BlockRead for ResultImage<'_> {
    fn block_count(&self) -> BlockCount {
        self.total
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Some(range) = BlockRange::with_count(start, BlockCount::in_buffer(buf.len())) else {
            return Ok(());
        };
        if range.end_exclusive() > self.total.get() {
            return Err(ReadError::OutOfRange {
                range,
                available: self.total,
            });
        }
        let Some(new) = &self.new else {
            return self.read_base(start, buf);
        };
        for piece in new.sources.pieces(range) {
            let from = piece.range.start_lba().blocks_since(start).as_usize() * BLOCK_SIZE;
            let len = piece.range.block_count().as_usize() * BLOCK_SIZE;
            let (buf, at) = (&mut buf[from..from + len], piece.range.start_lba());
            match piece.value {
                Some((&source, skipped)) => self.read_new(new, source, at, skipped, buf)?,
                None => self.read_base(at, buf)?,
            }
        }
        Ok(())
    }
}
