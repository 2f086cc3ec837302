//! The disc that an image changes.

mod bridge;
mod iso;
mod note;
mod udf;

use std::fmt;

use reburn_blocks::{
    Appendable, BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ReadError,
};
use reburn_iso9660::{Hierarchy, Volume};
use reburn_tree::{ChangePoint, Timestamp, Tree};

pub(crate) use bridge::{check_same, is_same_metadata};
pub(crate) use iso::IsoBase;
pub use note::ImportNote;
pub(crate) use udf::{UdfBase, is_absent as is_udf_absent, unused_integrity};

use crate::{EntireImageRequired, FileSystems, ImageError, Medium, session};

/// How a disc is taken as a base.
#[derive(Debug, Clone, Copy)]
pub struct ImportOptions {
    /// The medium that the disc is, or that the image file stands for.
    pub medium: Medium,
    /// The hierarchy of ISO 9660 whose names and metadata are taken; the best one if `None`. A disc
    /// that has UDF too is read as UDF has it.
    pub hierarchy: Option<Hierarchy>,
    /// The volume's new modification date, once something changes.
    pub time: Timestamp,
    /// Go on where the disc has something that the changed volume would not have.
    pub accept_losses: bool,
    /// Where the disc goes on, if it can only be appended to; its last session is then what is
    /// changed. `None` if its blocks can be overwritten.
    pub append: Option<Appendable>,
}

impl ImportOptions {
    /// The first block of the session that readers begin in.
    pub(crate) fn session_start(&self) -> Lba {
        self.append.map_or(Lba::ZERO, |append| append.session_start)
    }

    /// The same session as UDF looks at it: a virtual allocation table is the last thing recorded.
    pub(crate) fn udf_session(&self) -> reburn_udf::Session {
        reburn_udf::Session {
            start: self.session_start(),
            last_recorded: self.append.and_then(|append| append.last_recorded),
        }
    }
}

/// A disc with a file system.
pub(crate) struct Base<'b> {
    disc: &'b dyn BlockRead,
    /// Where the disc goes on, if it can only be appended to.
    pub(crate) append: Option<Appendable>,
    pub(crate) volume: BaseVolume,
    /// Every block that a reader of the present tree may read, and those kept for other
    /// reasons: the system area, the heads of older sessions.
    pub(crate) live: BlockRangeList,
    /// The blocks that say what is where: any change on the disc shows there.
    pub(crate) metadata: BlockRangeList,
    /// The state of the tree as it was read.
    pub(crate) imported: ChangePoint,
    pub(crate) notes: Vec<ImportNote>,
}

/// What only one kind of file system has.
pub(crate) enum BaseVolume {
    Iso(Box<IsoBase>),
    Udf(Box<UdfBase>),
    /// Both, over the same file data.
    Bridge(Box<IsoBase>, Box<UdfBase>),
}

/// What reading a disc gives, whatever is on it.
pub(crate) struct Found {
    pub(crate) volume: BaseVolume,
    pub(crate) live: BlockRangeList,
    pub(crate) metadata: BlockRangeList,
    pub(crate) tree: Tree,
    pub(crate) notes: Vec<ImportNote>,
    pub(crate) file_systems: FileSystems,
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
    ) -> Result<(Self, Tree, FileSystems), ImageError> {
        let start = options.session_start();
        let found = match Volume::open(disc, start) {
            Ok(volume) if volume.udf().is_some() => bridge::read(disc, volume, options)?,
            // UDF would go stale if ISO 9660 alone were changed.
            Ok(volume) if has_lost_recognition(disc, &volume, options) => {
                return Err(ImageError::LostRecognition);
            }
            Ok(volume) => {
                let hierarchy = options.hierarchy.unwrap_or_else(|| volume.best());
                iso::read_volume(disc, volume, hierarchy, options)?
            }
            // What is left of ISO 9660 would go stale if UDF alone were changed.
            Err(source) if has_iso_descriptors(disc, start) => {
                return Err(ImageError::TornHead { source });
            }
            Err(error) => match udf::read(disc, options) {
                // Whatever there is, it is no UDF: the first answer counts.
                Err(ImageError::Udf(no)) if udf::is_absent(&no) => {
                    if is_blank(disc, start)? {
                        return Err(EntireImageRequired::BlankMedium.into());
                    }
                    return Err(error.into());
                }
                other => other?,
            },
        };
        if let Some(note) = found.notes.iter().find(|note| note.is_loss())
            && !options.accept_losses
        {
            return Err(ImageError::WouldLose { note: *note });
        }
        let mut tree = found.tree;
        let base = Self {
            disc,
            append: options
                .append
                .or_else(|| grows(disc, &found.volume, options)),
            volume: found.volume,
            live: found.live,
            metadata: found.metadata,
            imported: tree.change_point(),
            notes: found.notes,
        };
        Ok((base, tree, found.file_systems))
    }

    /// The disc as it is.
    pub(crate) fn disc(&self) -> &'b dyn BlockRead {
        self.disc
    }

    /// The volume's name.
    pub(crate) fn label(&self) -> String {
        match &self.volume {
            BaseVolume::Iso(iso) => iso.label(),
            BaseVolume::Udf(udf) | BaseVolume::Bridge(_, udf) => udf.volume.label(),
        }
    }

    /// Live blocks, and those before the partition, where other file systems would be. `None` where
    /// the disc does not say what is free.
    pub(crate) fn used(&self) -> Option<BlockRangeList> {
        let udf = match &self.volume {
            BaseVolume::Iso(_) => return None,
            BaseVolume::Udf(udf) | BaseVolume::Bridge(_, udf) => udf,
        };
        let partition = udf.structures.partitions.first()?;
        let mut used = self.live.clone();
        used.insert(first_blocks(partition.start_lba()));
        Some(used)
    }

    /// What there is of ISO 9660.
    pub(crate) fn iso(&self) -> Option<&IsoBase> {
        match &self.volume {
            BaseVolume::Iso(iso) | BaseVolume::Bridge(iso, _) => Some(iso),
            BaseVolume::Udf(_) => None,
        }
    }
}

/// Where an image in a file goes on that has a virtual partition: behind its last block, which is
/// that of the table.
fn grows(disc: &dyn BlockRead, volume: &BaseVolume, options: &ImportOptions) -> Option<Appendable> {
    let BaseVolume::Udf(udf) = volume else {
        return None;
    };
    let is_virtual = udf.structures.virtual_table.is_some();
    let end = disc.block_count().get();
    (is_virtual && options.medium == Medium::File).then_some(Appendable {
        session_start: Lba::ZERO,
        last_recorded: end.checked_sub(1).map(Lba::new),
        next_writable: Lba::checked(end.into())?,
        begins_session: false,
    })
}

/// The blocks before `end`.
pub(crate) fn first_blocks(end: Lba) -> BlockRange {
    let count = BlockCount::new(end.get());
    BlockRange::with_count(Lba::ZERO, count).expect("there are blocks before the first session")
}

/// Whether a UDF volume is on a disc with ISO 9660, and its recognition sequence, right behind the
/// descriptors of ISO 9660, cannot be read.
fn has_lost_recognition(disc: &dyn BlockRead, volume: &Volume, options: &ImportOptions) -> bool {
    const STRUCTURES: BlockCount = BlockCount::new(3);
    let mut block = vec![0; BLOCK_SIZE];
    let behind = Lba::checked(volume.descriptor_blocks().end_exclusive().into());
    let behind = behind.and_then(|start| BlockRange::with_count(start, STRUCTURES));
    let mut blocks = behind
        .into_iter()
        .flat_map(|range| range.pieces(BlockCount::ONE).map(BlockRange::start_lba))
        .filter(|lba| lba.get() < disc.block_count().get());
    blocks.any(|lba| disc.read_blocks(lba, &mut block).is_err())
        && reburn_udf::Volume::open(disc, options.udf_session()).is_ok()
}

/// Whether there are volume descriptors of ISO 9660 (ECMA-119 8.1.2), of which some may be damaged,
/// or blocks that cannot be read where some may have been.
fn has_iso_descriptors(disc: &dyn BlockRead, start: Lba) -> bool {
    let at = |lba: Lba| start.get().saturating_add(lba.get());
    let end = at(session::FIRST_START).min(disc.block_count().get());
    let mut block = vec![0; BLOCK_SIZE];
    (at(session::HEAD)..end).any(|lba| {
        disc.read_blocks(Lba::new(lba), &mut block).is_err() || block[1..].starts_with(b"CD001")
    })
}

/// Whether the blocks that any file system starts in are missing or zeros.
fn is_blank(disc: &dyn BlockRead, start: Lba) -> Result<bool, ReadError> {
    let behind = disc.block_count().get().saturating_sub(start.get());
    let blocks = behind.min(session::FIRST_START.get());
    let mut first = vec![0; blocks as usize * BLOCK_SIZE];
    disc.read_blocks(start, &mut first)?;
    Ok(first.iter().all(|&byte| byte == 0))
}
