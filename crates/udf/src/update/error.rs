//! Why a volume cannot be edited.

use reburn_blocks::{BlockCount, Lba, WriteUnit};

use crate::{EditObstacle, LayoutError, UdfError};

/// An edit that cannot be. Where [`needs_entire_image`](Self::needs_entire_image) says so, the
/// same tree can still be recorded as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The base cannot be read, or contradicts itself.
    #[error(transparent)]
    Base(#[from] UdfError),
    /// The tree has something that no volume can hold.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The volume is not one that can be edited.
    #[error("the volume cannot be edited: {0}")]
    Obstacle(#[from] EditObstacle),
    /// No write unit is left for the integrity descriptor.
    #[error(
        "the integrity sequence has no write unit of {0} blocks left behind the last descriptor; \
         record the whole image (ECMA-167 3/8.8.2)"
    )]
    IntegrityFull(WriteUnit),
    /// A commit structure is not alone in its write unit.
    #[error(
        "the entry in block {entry} shares a write unit of {unit} blocks with block {other}, and \
         a torn write would lose both; record the whole image"
    )]
    SharedWriteUnit {
        /// The entry of the metadata file or of its mirror.
        entry: Lba,
        /// Another block that is in use.
        other: Lba,
        /// The medium's write unit.
        unit: WriteUnit,
    },
    /// New units of the metadata file would share write units with old ones.
    #[error(
        "the metadata file grows by {allocation} blocks, which are no whole write units of \
         {unit}; record the whole image"
    )]
    WriteUnit {
        /// What the file grows by.
        allocation: BlockCount,
        /// The medium's write unit.
        unit: WriteUnit,
    },
    /// The sparing tables cannot exchange packets.
    #[error("the sparing tables cannot be changed: {reason}; record the whole image (UDF 2.2.12)")]
    Sparing {
        /// What stands against it.
        reason: &'static str,
    },
    /// Too few spare packets are free.
    #[error(
        "{needed} packets change, and {free} spare packets are free; move back what is in the \
         others first"
    )]
    SparesFull {
        /// Packets that change and have live blocks in them.
        needed: usize,
        /// Spare packets that nothing is in.
        free: usize,
    },
    /// A sparable partition without room for new entries.
    #[error("the partition has no free blocks left for entries and folders")]
    PartitionFull,
    /// A file whose entry is not in the metadata partition.
    #[error("{path}: an entry in it is not in the partition of entries; record the whole image")]
    OutsideMetadata {
        /// The folder.
        path: String,
    },
    /// A file whose entry would have to lead to blocks that no data of files are in.
    #[error(
        "{path}: its content is outside the partition or among the metadata, and its entry cannot \
         be changed; record the whole image"
    )]
    OutsideData {
        /// The file.
        path: String,
    },
    /// An entry of the form before UDF 2.00, which leads to no streams, would have to.
    #[error(
        "{path}: its entry is of the form before UDF 2.00, so its streams and attributes cannot be \
         changed; record the whole image"
    )]
    PlainEntry {
        /// The folder.
        path: String,
    },
    /// An edit cannot be in place.
    #[error(
        "the volume cannot be edited in place: {0}; leave in place out, and what changes goes beside \
         what is there"
    )]
    InPlace(&'static str),
    /// Entries and changes are not those of the tree and volume.
    #[error("{path}: the folder was not read from this volume; open the volume again")]
    OtherTree {
        /// The folder.
        path: String,
    },
}

impl UpdateError {
    /// Whether recording the whole image is a way out.
    pub fn needs_entire_image(&self) -> bool {
        !matches!(
            self,
            Self::Base(_) | Self::Layout(_) | Self::OtherTree { .. } | Self::InPlace(_)
        )
    }
}
