//! What can go wrong between a folder and a result image.

use std::io;
use std::path::PathBuf;

use reburn_blocks::{BlockCount, ByteCount, ReadError};
use reburn_iso9660::{IsoError, LayoutError};
use reburn_tree::TreeError;
use reburn_udf::UpdateError;

use crate::{ImportNote, Medium};

/// Why an image could not be built, imported or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A file system could not be read or laid out.
    #[error(transparent)]
    Iso(#[from] IsoError),
    /// The tree cannot be a volume of the wanted kind.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The descriptors of ISO 9660 are damaged, and a session may have whole ones.
    #[error(
        "the descriptors of ISO 9660 where readers begin cannot be used: {source}; \
         `reburn check --repair` brings them back if a session is whole"
    )]
    TornHead {
        /// What is wrong with them.
        source: IsoError,
    },
    /// The disc has UDF too, but what says so is lost.
    #[error(
        "the disc has ISO 9660 and UDF, and the recognition sequence of UDF cannot be read; \
         `reburn check --repair` writes it anew"
    )]
    LostRecognition,
    /// Readers cannot be made to show a session.
    #[error("session {number} cannot be shown: {reason}; `reburn show DISC` lists what there is")]
    Session {
        /// Its number, counted from 1.
        number: u32,
        /// What stands against it.
        reason: &'static str,
    },
    /// A UDF volume could not be read.
    #[error(transparent)]
    Udf(#[from] reburn_udf::UdfError),
    /// The tree cannot be a UDF volume of the wanted kind.
    #[error(transparent)]
    UdfLayout(#[from] reburn_udf::LayoutError),
    /// A UDF volume could not be edited: it contradicts itself, or the tree is not its.
    #[error(transparent)]
    UdfUpdate(Box<UpdateError>),
    /// The tree refused a change.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Blocks could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file or folder of the host could not be read.
    #[error("{}: {source}", path.display())]
    Host {
        /// The file or folder.
        path: PathBuf,
        /// The host's error.
        source: io::Error,
    },
    /// The tree is not that of a DVD-Video.
    #[error("{path}: {reason}; a DVD-Video cannot be made of this folder")]
    NotDvdVideo {
        /// The file or folder on the disc.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Where a rewritable medium ends says nothing of what was recorded last.
    #[error(
        "a virtual partition is found by the last block recorded, which {medium} does not tell; \
         choose another partition, or a file as the medium"
    )]
    VirtualPartition {
        /// The medium.
        medium: Medium,
    },
    /// The image does not fit.
    #[error(
        "what is to be recorded needs {}, and {medium} has {} free: {} too much; take something \
         out or choose a larger medium",
        ByteCount::new(needed.bytes()), ByteCount::new(free.bytes()),
        ByteCount::new(needed.bytes().saturating_sub(free.bytes()))
    )]
    TooBig {
        /// Blocks of new data and metadata.
        needed: BlockCount,
        /// Blocks in write units that hold nothing.
        free: BlockCount,
        /// The medium.
        medium: Medium,
    },
    /// The changed volume would not have all that the disc has.
    #[error(
        "the disc has {note}; they would be lost, so say that you accept losses or keep the \
         disc"
    )]
    WouldLose {
        /// What there is, how often, and where first.
        note: ImportNote,
    },
    /// There is room, but not in one piece.
    #[error(
        "{what} needs {needed} free blocks in a row, and the longest free run on {medium} has \
         {longest}; record the whole image instead"
    )]
    NoRoomInARow {
        /// What is to be placed.
        what: String,
        /// Blocks needed.
        needed: BlockCount,
        /// The longest run of free blocks.
        longest: BlockCount,
        /// The medium.
        medium: Medium,
    },
    /// The volume is of a kind that is not edited in place.
    #[error(
        "the volume cannot be edited in place: {0}; leave in place out, and what changes goes beside \
         what is there"
    )]
    NotInPlace(&'static str),
    /// There are no spare packets that could be folded back, or more is asked for.
    #[error("spare packets cannot be folded back: {0}")]
    NotFolded(&'static str),
    /// The base cannot be edited block by block.
    #[error(transparent)]
    EntireImageRequired(#[from] EntireImageRequired),
}

impl From<UpdateError> for ImageError {
    fn from(error: UpdateError) -> Self {
        let reason = match error {
            UpdateError::Obstacle(obstacle) => {
                return EntireImageRequired::UdfObstacle(obstacle).into();
            }
            UpdateError::IntegrityFull(_) => {
                "its integrity sequence has no room for another descriptor"
            }
            UpdateError::SharedWriteUnit { .. } => {
                "the entry of its metadata file shares a write unit with other structures"
            }
            UpdateError::WriteUnit { .. } => {
                "its metadata file does not grow by whole write units of the medium"
            }
            UpdateError::Layout(reburn_udf::LayoutError::DirectoryTooLarge { .. }) => {
                "a folder is in more pieces of the metadata file than its entry can name"
            }
            UpdateError::OutsideMetadata { .. } => "a folder leads out of the metadata partition",
            other => return Self::UdfUpdate(Box::new(other)),
        };
        EntireImageRequired::UdfStructure { reason }.into()
    }
}

/// Why a result has no list of modified blocks: the whole image must be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntireImageRequired {
    /// The image was built from nothing.
    #[error("the image has no base to differ from; record all of it")]
    NoBase,
    /// The disc has nothing on it.
    #[error("the disc is blank, so all of the image must be recorded; make an image and burn it")]
    BlankMedium,
    /// The disc has one file system, and the image shall have another.
    #[error("the image has another file system than the disc; record all of it")]
    OtherFileSystem,
    /// A UDF volume that cannot be changed in place.
    #[error("the UDF volume cannot be edited: {reason}; make a new image instead")]
    UdfStructure {
        /// What stands against it.
        reason: &'static str,
    },
    /// A UDF volume that cannot be edited block by block.
    #[error("the UDF volume cannot be edited: {0}; make a new image instead")]
    UdfObstacle(reburn_udf::EditObstacle),
    /// ISO 9660 and UDF on the same disc show different trees, so one of them would be lost.
    #[error(
        "the disc has ISO 9660 and UDF over the same files, but they differ at {path}: {what}; if a \
         plan was cut on it, record that again or use `reburn check --repair`, else make a new image"
    )]
    BridgeDiffers {
        /// The first path that differs.
        path: String,
        /// How it differs.
        what: &'static str,
    },
    /// ISO 9660 beside UDF shows too little of its files to tell whether both are the same.
    #[error(
        "the disc has ISO 9660 and UDF over the same files, but no Rock Ridge names in ISO 9660 that \
         could be compared with those of UDF; make a new image instead"
    )]
    NoRockRidge,
    /// A disc that can only be appended to, and its last session is not closed.
    #[error(
        "the last session of the disc is still open, and readers of ISO 9660 look at closed ones; \
         close it first (`reburn drive close`)"
    )]
    SessionOpen,
    /// A disc that can only be appended to, with a volume that cannot.
    #[error(
        "the disc can only be appended to, and {reason}; make a new image for another disc instead"
    )]
    NotAppendable {
        /// What stands against it.
        reason: &'static str,
    },
    /// A disc for players of DVD-Video.
    #[error(
        "players of DVD-Video want the films of a disc in one piece and in their order, which an edit \
         would not keep; make a new image instead"
    )]
    DvdVideo,
}

impl EntireImageRequired {
    /// What IMAPI's `get_ModifiedBlocks` answers in this case: `E_NOTIMPL`.
    pub const HRESULT: u32 = 0x8000_4001;
}
