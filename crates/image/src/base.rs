//! The disc that an image changes.

use std::fmt;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ReadError,
};
use reburn_iso9660::{Hierarchy, IsoOptions, Note, NoteKind, Volume};
use reburn_tree::{ChangePoint, Timestamp, Tree};

use crate::iso_options::as_before;
use crate::session::{self, Sessions};
use crate::{EntireImageRequired, ImageError, Medium};

/// How a disc is taken as a base.
#[derive(Debug, Clone, Copy)]
pub struct ImportOptions {
    /// The medium that the disc is, or that the image file stands for.
    pub medium: Medium,
    /// The hierarchy whose names and metadata are taken; the best one if `None`.
    pub hierarchy: Option<Hierarchy>,
    /// The volume's new modification date, once something changes.
    pub time: Timestamp,
    /// Go on where the disc has something that the changed volume would not have.
    pub accept_losses: bool,
}

/// A disc with an ISO 9660 file system.
pub(crate) struct Base<'b> {
    disc: &'b dyn BlockRead,
    pub(crate) volume: Volume,
    /// Every block that a reader of the present tree may read, and those kept for other
    /// reasons: the system area, the heads of older sessions.
    pub(crate) live: BlockRangeList,
    /// The blocks of descriptors, path tables and directories.
    pub(crate) metadata: BlockRangeList,
    pub(crate) sessions: Sessions,
    /// A boot record as it stands on the disc (El Torito 2.0); its addresses stay true.
    pub(crate) boot_record: Option<Box<[u8; BLOCK_SIZE]>>,
    /// The state of the tree as it was read.
    pub(crate) imported: ChangePoint,
    pub(crate) notes: Vec<Note>,
}

impl fmt::Debug for Base<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = self.disc.block_count();
        f.debug_struct("Base")
            .field("blocks", &blocks)
            .finish_non_exhaustive()
    }
}

impl<'b> Base<'b> {
    /// Reads the tree of a disc, and how to write it again.
    pub(crate) fn read(
        disc: &'b dyn BlockRead,
        options: &ImportOptions,
    ) -> Result<(Self, Tree, IsoOptions), ImageError> {
        let volume = match Volume::open(disc, Lba::ZERO) {
            Err(_) if is_blank(disc)? => return Err(EntireImageRequired::BlankMedium.into()),
            other => other?,
        };
        if volume.udf().is_some() {
            return Err(EntireImageRequired::UdfBridge.into());
        }
        let hierarchy = options.hierarchy.unwrap_or_else(|| volume.best());
        let imported = volume.read_tree(disc, hierarchy)?;
        if let Some(note) = imported.notes.iter().find(|note| is_loss(note.kind))
            && !options.accept_losses
        {
            return Err(ImageError::WouldLose { note: *note });
        }
        let mut tree = imported.tree;
        let sessions = Sessions::decode(&volume.primary().application_use);

        let mut live = imported.data_ranges.union(&imported.metadata_ranges);
        live.insert(first_blocks(session::FIRST_START + session::SYSTEM_AREA));
        live.extend(
            sessions
                .iter()
                .flat_map(|s| s.heads(volume.descriptor_blocks().block_count())),
        );
        if sessions.is_none() && options.medium == Medium::File {
            // Another program's image may have a partition or a backup table behind the volume.
            let end = Lba::checked(volume.volume_space().get().into());
            let tail = end.zip(disc.block_count().get().checked_sub(1).map(Lba::new));
            live.extend(tail.and_then(|(start, end)| BlockRange::new(start, end)));
        }
        let base = Self {
            disc,
            boot_record: read_boot_record(disc, &volume)?,
            live,
            metadata: imported.metadata_ranges,
            sessions: sessions.unwrap_or_default(),
            imported: tree.change_point(),
            notes: imported.notes,
            volume,
        };
        let iso = as_before(&base.volume, base.sessions.style, options.time);
        Ok((base, tree, iso))
    }

    /// The disc as it is.
    pub(crate) fn disc(&self) -> &'b dyn BlockRead {
        self.disc
    }
}

/// Whether directories that are written anew lack something that was noted. What they point at
/// stays, but nothing would tell how to read it.
fn is_loss(kind: NoteKind) -> bool {
    matches!(
        kind,
        NoteKind::PastEnd
            | NoteKind::AssociatedFile
            | NoteKind::AttributeRecord
            | NoteKind::ExtendedAttributes
            | NoteKind::Compressed
            | NoteKind::Sparse
    )
}

/// The blocks before `end`.
pub(crate) fn first_blocks(end: Lba) -> BlockRange {
    let count = BlockCount::new(end.get());
    BlockRange::with_count(Lba::ZERO, count).expect("there are blocks before the first session")
}

/// Whether the blocks that any file system starts in are missing or zeros.
fn is_blank(disc: &dyn BlockRead) -> Result<bool, ReadError> {
    let blocks = disc
        .block_count()
        .min(BlockCount::new(session::FIRST_START.get()));
    let mut start = vec![0; blocks.as_usize() * BLOCK_SIZE];
    disc.read_blocks(Lba::ZERO, &mut start)?;
    Ok(start.iter().all(|&byte| byte == 0))
}

fn read_boot_record(
    disc: &dyn BlockRead,
    volume: &Volume,
) -> Result<Option<Box<[u8; BLOCK_SIZE]>>, ReadError> {
    if volume.boot_catalog().is_none() {
        return Ok(None);
    }
    let mut block = Box::new([0; BLOCK_SIZE]);
    disc.read_blocks(session::HEAD + BlockCount::ONE, &mut *block)?;
    Ok(Some(block))
}
