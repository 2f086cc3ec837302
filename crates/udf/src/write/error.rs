//! Why a tree cannot be laid out.

use super::Access;
use crate::PartitionKind;

/// A tree that a volume of the wanted kind cannot hold. Each says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// Two names of a folder are the same once they are in characters that UDF can record.
    #[error(
        "{path}: UDF would record it as {recorded:?}, the same as another name in its folder; \
         rename one of them"
    )]
    NamesCollide {
        /// The file whose name had to be translated.
        path: String,
        /// What it was translated to.
        recorded: String,
    },
    /// A symbolic link whose path does not fit into its entry (ECMA-167 4/8.7, 4/14.16).
    #[error(
        "{path}: the link's path takes {len} bytes, but its entry holds {max}; shorten the path \
         (ECMA-167 4/14.16)"
    )]
    SymlinkTooLong {
        /// The link.
        path: String,
        /// Bytes that the path takes as components.
        len: u64,
        /// The most that fit.
        max: u64,
    },
    /// More names than a link count of 16 bits counts (ECMA-167 4/14.9.6).
    #[error(
        "{path}: {links} directory entries lead to it, but an entry counts at most 65535 \
         (ECMA-167 4/14.9.6); spread them"
    )]
    TooManyLinks {
        /// The file, or the folder with folders in it.
        path: String,
        /// How many lead to it.
        links: u64,
    },
    /// A directory whose entries do not fit.
    #[error("{path}: the folder has too many entries: they take {bytes} bytes")]
    DirectoryTooLarge {
        /// The folder.
        path: String,
        /// What its entries take.
        bytes: u64,
    },
    /// All metadata together do not fit on any disc.
    #[error("the entries and directories take {blocks} blocks, more than a volume can address")]
    MetadataTooLarge {
        /// How many blocks they take.
        blocks: u64,
    },
    /// A text that does not fit into its field.
    #[error("{field}: {text:?} takes {len} bytes, but the field holds {max}; shorten it")]
    TextTooLong {
        /// The field, named as in the standard.
        field: &'static str,
        /// The text.
        text: String,
        /// Bytes that it takes there.
        len: usize,
        /// The most that fit.
        max: usize,
    },
    /// A text with a character that OSTA CS0 does not have (UDF 2.1.1).
    #[error("{field}: {text:?} has a character that UDF cannot record (UDF 2.1.1); remove it")]
    TextNotRecordable {
        /// The field, named as in the standard.
        field: &'static str,
        /// The text.
        text: String,
    },
    /// Named streams before there were any (UDF 3.3.5).
    #[error(
        "{path}: it has named streams, which UDF {revision} does not have (UDF 3.3.5); remove \
         them, or choose 2.00 or later"
    )]
    Streams {
        /// The file or folder.
        path: String,
        /// The revision wanted.
        revision: &'static str,
    },
    /// A named stream that UDF does not allow.
    #[error("{path}: its stream {name:?} cannot be recorded: {reason}; remove or rename it")]
    Stream {
        /// The file or folder.
        path: String,
        /// The stream.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// Attributes that do not fit into the entry.
    #[error(
        "{path}: its extended attributes take {bytes} bytes, but its entry holds {max}; remove \
         some"
    )]
    AttributesTooLarge {
        /// The file or folder.
        path: String,
        /// Bytes that they take.
        bytes: u64,
        /// The most that fit.
        max: u64,
    },
    /// The name of an attribute that no entity identifier holds (ECMA-167 1/7.4).
    #[error(
        "{path}: the name of its extended attribute {name:?} has more than 23 bytes (ECMA-167 \
         1/7.4); shorten or remove it"
    )]
    AttributeName {
        /// The file or folder.
        path: String,
        /// The attribute.
        name: String,
    },
    /// A file in the root that is called as one of the volume's own.
    #[error(
        "{path}: on a sparable partition of UDF 1.50 that file lists damaged blocks (UDF 1.50 \
         2.3.13); rename yours"
    )]
    ReservedName {
        /// The file.
        path: String,
    },
    /// A second copy of the metadata needs a metadata partition (UDF 2.2.10).
    #[error(
        "a {partition} partition has no metadata that could be duplicated (UDF 2.2.10); choose a \
         metadata partition, or do not duplicate"
    )]
    NoMetadataPartition {
        /// The kind of partition wanted.
        partition: PartitionKind,
    },
    /// A kind of partition that the revision does not have (UDF 2.2.8 to 2.2.10).
    #[error("UDF {revision} has no {partition} partition; choose {choose}")]
    Partition {
        /// The revision wanted.
        revision: &'static str,
        /// The kind of partition wanted.
        partition: PartitionKind,
        /// What there is instead.
        choose: &'static str,
    },
    /// An access that a partition of that kind cannot have (UDF 2.2.14.2).
    #[error(
        "a {partition} partition of UDF {revision} is never {access} (UDF 2.2.14.2); choose \
         {choose}"
    )]
    Access {
        /// The revision wanted.
        revision: &'static str,
        /// The kind of partition wanted.
        partition: PartitionKind,
        /// The access wanted.
        access: Access,
        /// What there is instead.
        choose: &'static str,
    },
}
