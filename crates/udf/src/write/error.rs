//! Why a tree cannot be laid out.

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
    /// A second copy of the metadata needs a metadata partition (UDF 2.2.10).
    #[error(
        "UDF {revision} has no metadata partition that could be duplicated (UDF 2.2.10); choose \
         2.50 or 2.60"
    )]
    NoMetadataPartition {
        /// The revision wanted.
        revision: &'static str,
    },
    /// A combination of options that this layouter does not write.
    #[error("UDF {revision} with overwritable access is not written yet; choose read-only access")]
    Access {
        /// The revision wanted.
        revision: &'static str,
    },
}
