//! Where the data of each file lies on the result.
//!
//! Invariants: a file that lies on the base keeps its blocks unless a commit is going to
//! rewrite them; a new file lies in one run of blocks, unless an edit in place puts it into the
//! blocks of the file that it replaces; empty files have none.

use std::collections::BTreeMap;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ReadError, WriteUnit,
};
use reburn_iso9660::{FilePlacement, SECTION_BLOCKS_MAX, section_lengths};
use reburn_tree::{Content, Extent, InodeId, Kind, Tree};
use reburn_udf::{EXTENT_BLOCKS_MAX, EXTENT_BYTES_MAX, file_extents, stays_in_place};

use crate::free_space::FreeSpace;
use crate::source::{OpenFile, read_content};
use crate::{ImageError, Medium};

/// The first blocks of newly placed files, by inode. Four bytes a file.
#[derive(Debug)]
pub(crate) struct Placement {
    starts: Vec<u32>,
    /// Those that lie in several runs.
    parts: BTreeMap<InodeId, Vec<Extent>>,
}

/// No block of that number exists.
const NOT_PLACED: u32 = u32::MAX;

/// A file that needs new blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewFile {
    pub(crate) inode: InodeId,
    pub(crate) blocks: BlockCount,
}

impl Placement {
    /// Nothing is placed yet.
    pub(crate) fn new(tree: &Tree) -> Self {
        Self {
            starts: vec![NOT_PLACED; tree.inode_limit()],
            parts: BTreeMap::new(),
        }
    }

    /// Where a newly placed file starts, if it lies in one run.
    pub(crate) fn start(&self, inode: InodeId) -> Option<Lba> {
        Lba::checked(self.starts[inode.index()].into())
    }

    /// Places `file` at `start`.
    pub(crate) fn set(&mut self, file: NewFile, start: Lba) {
        self.starts[file.inode.index()] = start.get();
    }

    /// Places a file of `size` bytes in several runs, which hold them in this order.
    pub(crate) fn set_parts(&mut self, inode: InodeId, size: u64, runs: &[BlockRange]) {
        let mut left = size;
        let extents = runs.iter().map(|run| {
            let bytes = left.min(run.block_count().bytes());
            left -= bytes;
            Extent::new(run.start_lba(), bytes)
        });
        let extents: Vec<_> = extents.collect();
        assert_eq!(left, 0, "the runs hold the file");
        self.starts[inode.index()] = NOT_PLACED;
        self.parts.insert(inode, extents);
    }

    /// The runs of blocks of a newly placed file.
    pub(crate) fn runs(&self, file: NewFile) -> Vec<BlockRange> {
        if let Some(parts) = self.parts.get(&file.inode) {
            return parts.iter().filter_map(Extent::blocks).collect();
        }
        let start = self.start(file.inode);
        let run = start.and_then(|start| BlockRange::with_count(start, file.blocks));
        run.into_iter().collect()
    }

    /// The runs of bytes that hold a file on the result; none for an empty file.
    pub(crate) fn extents<'t>(&'t self, tree: &'t Tree, inode: InodeId) -> FileExtents<'t> {
        let Kind::File { size, content } = tree.kind(inode) else {
            return FileExtents::None;
        };
        if let Some(parts) = self.parts.get(&inode) {
            return FileExtents::Runs(parts);
        }
        match (self.start(inode), content) {
            (Some(start), _) => FileExtents::Placed(Extent::new(start, size)),
            (None, Content::Base(extents)) => FileExtents::Runs(extents),
            (None, _) => FileExtents::None,
        }
    }

    /// The blocks that hold a file on the result, in the order of its bytes.
    pub(crate) fn ranges(&self, tree: &Tree, inode: InodeId) -> Vec<BlockRange> {
        self.extents(tree, inode)
            .as_slice()
            .iter()
            .filter_map(Extent::blocks)
            .collect()
    }
}

/// The extents of a file on the result.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FileExtents<'t> {
    None,
    Placed(Extent),
    Runs(&'t [Extent]),
}

impl FileExtents<'_> {
    pub(crate) fn as_slice(&self) -> &[Extent] {
        match self {
            Self::None => &[],
            Self::Placed(extent) => std::slice::from_ref(extent),
            Self::Runs(extents) => extents,
        }
    }
}

/// The files of `tree` that need new blocks, in the order of the tree: those that do not lie
/// on the base, and those of the base with a block in `doomed`.
pub(crate) fn new_files(tree: &Tree, doomed: &BlockRangeList) -> Vec<NewFile> {
    let mut seen = vec![false; tree.inode_limit()];
    let mut files = Vec::new();
    for (node, _) in tree.walk(Tree::ROOT) {
        let inode = tree.inode(node);
        let Kind::File { size, content } = tree.kind(inode) else {
            continue;
        };
        if size == 0 || std::mem::replace(&mut seen[inode.index()], true) {
            continue;
        }
        if let Content::Base(extents) = content
            && stays_in_place(extents)
            && extents
                .iter()
                .filter_map(Extent::blocks)
                .all(|range| !doomed.intersects(range))
        {
            continue;
        }
        // A size that no disc can hold fails later, as a whole image that is too big.
        let blocks = BlockCount::for_bytes(size).unwrap_or(BlockCount::MAX);
        files.push(NewFile { inode, blocks });
    }
    files
}

/// What needs room.
pub(crate) struct Request<'a> {
    /// Blocks of the new session: descriptors, path tables and directories.
    pub(crate) session: BlockCount,
    pub(crate) files: &'a [NewFile],
    pub(crate) medium: Medium,
    /// What new blocks must not share with live ones: the medium's write unit, or a block
    /// where nothing of an old tree is to be kept.
    pub(crate) unit: WriteUnit,
}

impl Request<'_> {
    /// Finds room for the session and the files; gives back where the session's descriptors
    /// stand.
    ///
    /// On a disc everything goes into one run while there is one, which wastes no part of a
    /// write unit and leaves older sessions as they are for long. A file must not grow while
    /// it has room, so there the session and each file take the first run that holds them.
    pub(crate) fn place(
        &self,
        live: &BlockRangeList,
        placement: &mut Placement,
    ) -> Result<Lba, ImageError> {
        let medium = self.medium;
        let end = medium.capacity().unwrap_or(BlockCount::new(Lba::MAX.get()));
        let mut free = FreeSpace::new(live, end, self.unit);
        let data: u64 = self
            .files
            .iter()
            .map(|file| u64::from(file.blocks.get()))
            .sum();
        let needed = data + u64::from(self.session.get());
        if needed > u64::from(free.block_count().get()) {
            let needed = BlockCount::checked(needed).unwrap_or(BlockCount::MAX);
            return Err(ImageError::TooBig {
                needed,
                free: free.block_count(),
                medium,
            });
        }
        let one_run = BlockCount::checked(needed).filter(|_| medium != Medium::File);
        let Some(run) = one_run.and_then(|needed| free.take(needed, self.unit)) else {
            return self.place_apart(&mut free, placement);
        };
        let mut next = run.start_lba() + self.session;
        for &file in self.files {
            placement.set(file, next);
            next += file.blocks;
        }
        Ok(run.start_lba())
    }

    /// Gives the session and each file the first free run that holds it.
    fn place_apart(
        &self,
        free: &mut FreeSpace,
        placement: &mut Placement,
    ) -> Result<Lba, ImageError> {
        let no_room = |what: &str, needed, free: &FreeSpace| ImageError::NoRoomInARow {
            what: what.into(),
            needed,
            longest: free.longest(),
            medium: self.medium,
        };
        let session = free
            .take(self.session, self.unit)
            .ok_or_else(|| no_room("the new session", self.session, free))?;
        for &file in self.files {
            let range = free
                .take(file.blocks, WriteUnit::FILE)
                .ok_or_else(|| no_room("a file", file.blocks, free))?;
            placement.set(file, range.start_lba());
        }
        Ok(session.start_lba())
    }
}

/// Every named stream of a file that is in the tree: they need blocks as files do.
pub(crate) fn streams(tree: &Tree) -> impl Iterator<Item = NewFile> {
    let owners = tree
        .inodes_with_streams()
        .filter(|&inode| tree.links(inode) > 0);
    let streams = owners.flat_map(|owner| tree.streams(owner).map(|(_, stream)| stream));
    streams.filter_map(|inode| match tree.kind(inode) {
        Kind::File { size, .. } if size > 0 => {
            let blocks = BlockCount::for_bytes(size).unwrap_or(BlockCount::MAX);
            Some(NewFile { inode, blocks })
        }
        _ => None,
    })
}

/// A placement with its tree, as the layouters of file systems ask for it.
#[derive(Clone, Copy)]
pub(crate) struct PlacedFiles<'a> {
    pub(crate) tree: &'a Tree,
    placement: &'a Placement,
    base: Option<&'a dyn BlockRead>,
}

impl<'a> PlacedFiles<'a> {
    /// `base` is the disc that content of the base is on.
    pub(crate) fn new(
        tree: &'a Tree,
        placement: &'a Placement,
        base: Option<&'a dyn BlockRead>,
    ) -> Self {
        Self {
            tree,
            placement,
            base,
        }
    }
}

impl reburn_udf::FilePlacement for PlacedFiles<'_> {
    fn extent_start(&self, inode: InodeId, extent: usize) -> Lba {
        if let Some(start) = self.placement.start(inode) {
            // Content of the base that was moved is still laid out in the extents it had.
            let before = file_extents(self.tree, inode).take(extent);
            let before = before
                .map(|extent| extent.bytes.div_ceil(BLOCK_SIZE as u64))
                .sum();
            return start + BlockCount::checked(before).expect("the file fits");
        }
        // In several runs: find the one that this extent is a piece of.
        let mut left = extent;
        for whole in self.placement.extents(self.tree, inode).as_slice() {
            let pieces = usize::try_from(whole.bytes.div_ceil(EXTENT_BYTES_MAX));
            let pieces = pieces.unwrap_or(usize::MAX);
            if left < pieces {
                let before = u64::try_from(left).expect("a short list");
                let before = BlockCount::checked(before * u64::from(EXTENT_BLOCKS_MAX.get()));
                let start = whole.start().unwrap_or(Lba::MAX);
                return before
                    .and_then(|before| start.checked_add(before))
                    .unwrap_or(Lba::MAX);
            }
            left -= pieces;
        }
        unreachable!("only extents that a file has are asked for")
    }

    fn read_embedded(&self, inode: InodeId, content: &mut [u8]) -> Result<(), ReadError> {
        let Kind::File {
            size,
            content: from,
        } = self.tree.kind(inode)
        else {
            unreachable!("only files are embedded")
        };
        let mut open = OpenFile::default();
        read_content(self.base, &mut open, inode, (size, from), 0, content)
    }
}

impl FilePlacement for PlacedFiles<'_> {
    fn section_start(&self, inode: InodeId, section: usize) -> Lba {
        let blocks = |bytes| BlockCount::for_bytes(bytes).expect("a section has 32-bit length");
        let mut lengths = section_lengths(self.tree, inode).map(blocks);
        if let Some(start) = self.placement.start(inode) {
            return lengths
                .by_ref()
                .take(section)
                .fold(start, |at, blocks| at + blocks);
        }
        // A file of the base: find the extent that the section lies in.
        let extents = self.placement.extents(self.tree, inode);
        let mut sections_left = section;
        for extent in extents.as_slice() {
            let mut at = extent.start().unwrap_or(Lba::MAX);
            let mut left = blocks_of(extent);
            while !left.is_zero() {
                let section = left.min(SECTION_BLOCKS_MAX);
                if sections_left == 0 {
                    return at;
                }
                sections_left -= 1;
                left = left - section;
                at = at.checked_add(section).unwrap_or(Lba::MAX);
            }
        }
        unreachable!("only sections that a file has are asked for")
    }
}

/// The blocks that an extent touches, saturating.
fn blocks_of(extent: &Extent) -> BlockCount {
    BlockCount::for_bytes(extent.bytes).unwrap_or(BlockCount::MAX)
}
