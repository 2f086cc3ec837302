//! The whole disc as it shall be, readable block by block.
//!
//! Invariants: unchanged files keep their blocks; nothing new shares a write unit with a live
//! block of the base; what no new block covers reads as the base, and as zeros where there is
//! no base; reading is lazy, no more than a directory is held in memory.

use std::cell::RefCell;
use std::fmt;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Digest, Lba, ReadError,
};
use reburn_tree::{Kind, NodeId, Tree};

use crate::base::{Base, BaseVolume, first_blocks};
use crate::mirror_flip::UpdateBlocks;
use crate::new_blocks::{NewBlocks, Source, end_of_files};
use crate::placement::{PlacedFiles, Placement};
use crate::session;
use crate::source::{OpenFile, read_content};
use crate::{
    EntireImageRequired, FileSystemImage, FileSystems, ImageError, Medium, append, bridge, fresh,
    head_swap, in_place, mirror_flip, sparing_fold, sparing_redo, vds_flip,
};

/// The disc as a [`FileSystemImage`] makes it: a [`BlockRead`] over lazily read sources.
///
/// The counterpart of IMAPI's `IFileSystemImageResult2`.
pub struct ResultImage<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) base: Option<&'a Base<'a>>,
    pub(crate) medium: Medium,
    #[cfg(feature = "mutants")]
    pub(crate) mutant: Option<crate::Mutant>,
    pub(crate) placement: Placement,
    pub(crate) new: Option<NewBlocks>,
    total: BlockCount,
    /// The host file and the directories that were read last.
    open: RefCell<OpenFile>,
    rendered: RefCell<Rendered>,
}

/// The directory of each file system that was rendered last.
#[derive(Default)]
struct Rendered {
    iso: reburn_iso9660::RenderCache,
    udf: reburn_udf::RenderCache,
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
            #[cfg(feature = "mutants")]
            mutant: image.mutant,
            placement: Placement::new(tree),
            new: None,
            total: BlockCount::ZERO,
            open: RefCell::default(),
            rendered: RefCell::default(),
        };
        let changed = base.is_none_or(|base| tree.has_changed_since(base.imported));
        if changed || image.options_changed || image.folds {
            result.lay_out(image)?;
        }
        result.total = result.count_total();
        Ok(result)
    }

    /// Finds room for everything that is new.
    fn lay_out(&mut self, image: &FileSystemImage<'_>) -> Result<(), ImageError> {
        let placement = &mut self.placement;
        let new = match (&image.base, &image.file_systems) {
            (None, _) => fresh::lay_out(image, placement)?,
            (
                Some(
                    base @ Base {
                        append: Some(append),
                        ..
                    },
                ),
                _,
            ) => append::lay_out(image, (base, *append), placement)?,
            (Some(base), _) if image.folds => {
                self.new = sparing_fold::lay_out(image, base, placement)?;
                return Ok(());
            }
            (Some(base), _) if image.in_place => in_place::lay_out(image, base, placement)?,
            (Some(base), file_systems) => match (&base.volume, file_systems) {
                (BaseVolume::Iso(iso), FileSystems::Iso(options)) => {
                    head_swap::lay_out(image, (base, iso), options, placement)?
                }
                (BaseVolume::Udf(udf), FileSystems::Udf(_))
                    if udf.structures.metadata.is_some() =>
                {
                    mirror_flip::lay_out(image, (base, udf), placement)?
                }
                (BaseVolume::Udf(udf), FileSystems::Udf(options))
                    // Descriptors that change are rewritten in any case.
                    if udf.structures.sparing.is_some() && !image.options_changed =>
                {
                    sparing_redo::lay_out(image, (base, udf), options, placement)?
                }
                (BaseVolume::Udf(udf), FileSystems::Udf(options)) => {
                    vds_flip::lay_out(image, (base, udf), options, placement)?
                }
                (BaseVolume::Bridge(iso, udf), FileSystems::Bridge(iso_options, udf_options)) => {
                    let options = (iso_options, udf_options);
                    bridge::lay_out(image, (base, iso, udf), options, placement)?
                }
                _ => return Err(EntireImageRequired::OtherFileSystem.into()),
            },
        };
        self.new = Some(new);
        Ok(())
    }

    /// On a file everything that is there belongs to the image; on a disc the blank rest does
    /// not.
    fn count_total(&self) -> BlockCount {
        let new_end = self
            .new
            .as_ref()
            .map_or(BlockCount::ZERO, |new| new.sources.end());
        let end = new_end.max(end_of_files(self.tree, &self.placement));
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

    /// The names that UDF cannot record as they are, by their paths, and what they are recorded
    /// as.
    pub fn translated_names(&self) -> impl Iterator<Item = (String, String)> {
        let layout = self.new.as_ref().and_then(|new| new.udf.as_ref());
        let names = layout.map(|udf| udf.layout.translated_names(self.tree));
        let names = names.into_iter().flatten();
        names.map(|(node, recorded)| (self.tree.display_path(node), recorded))
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
        let files = PlacedFiles::new(self.tree, &self.placement, self.base.map(Base::disc));
        let iso = || new.iso.as_ref().expect("there is ISO 9660");
        let udf = || new.udf.as_ref().expect("there is UDF");
        let update = || new.update.as_ref().expect("there is an edit of UDF");
        let mut part_of = |whole: &[u8]| {
            let from = skipped.as_usize() * BLOCK_SIZE;
            buf.copy_from_slice(&whole[from..from + buf.len()]);
            Ok(())
        };
        match source {
            Source::Nothing => {
                buf.fill(0);
                Ok(())
            }
            Source::IsoHead => part_of(&iso().head_descriptors),
            Source::IsoSession => part_of(&iso().session_descriptors),
            Source::UdfStructure(index) => part_of(&udf().structures[index].bytes),
            Source::IsoMetadata => {
                let placed = iso().layout.place(self.tree, iso().metadata_start, &files);
                placed.read_metadata(start, buf, &mut self.rendered.borrow_mut().iso);
                Ok(())
            }
            Source::UdfUpdate(index) => part_of(&update().structures[index].bytes),
            Source::UdfSequence(index) => part_of(&update().sequences[index].1),
            Source::UdfUnits => {
                let base = self.base.expect("an edit has a base");
                let UpdateBlocks { update, places, .. } = update();
                update
                    .place(self.tree, base.disc(), places, &files)
                    .read(start, buf)
            }
            Source::UdfMetadata => {
                let placed = udf().layout.place(self.tree, &udf().addresses, &files);
                placed.read_metadata(start, buf, &mut self.rendered.borrow_mut().udf)
            }
            Source::File(inode, before) => {
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
                    before.bytes() + skipped.bytes(),
                    buf,
                )
            }
        }
    }

    /// Every block that a reader may look at, and those before it where other file systems would
    /// be; all of them where it is not known what free space is.
    fn used(&self) -> Option<BlockRangeList> {
        let new = self.new.as_ref();
        let written = new.map(|new| new.sources.iter().map(|(range, ..)| range).collect());
        let mut used: BlockRangeList = written.unwrap_or_default();
        match (new.and_then(|new| new.udf.as_ref()), self.base) {
            (_, Some(base)) => used = used.union(&base.used()?),
            (Some(udf), None) => used.insert(first_blocks(udf.addresses.partition.start_lba())),
            (None, None) => return None,
        }
        Some(used)
    }

    /// What was there before, or zeros.
    fn read_base(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Some(base) = self.base else {
            buf.fill(0);
            return Ok(());
        };
        let Err(error) = base.disc().read_filled(start, buf) else {
            return Ok(());
        };
        // What fills up a torn write unit cannot be read, and is nothing that anybody reads.
        let mut lba = start;
        for block in buf.chunks_mut(BLOCK_SIZE) {
            if base.disc().read_filled(lba, block).is_err() {
                if base.live.contains(lba) {
                    return Err(error);
                }
                block.fill(0);
            }
            lba += BlockCount::ONE;
        }
        Ok(())
    }
}

impl BlockRead for ResultImage<'_> {
    fn block_count(&self) -> BlockCount {
        self.total
    }

    fn used_ranges(&self) -> BlockRangeList {
        let whole = BlockRange::with_count(Lba::ZERO, self.total);
        let whole: BlockRangeList = whole.into_iter().collect();
        match self.used() {
            Some(used) => used.intersection(&whole),
            None => whole,
        }
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
