//! Why a tree cannot be laid out.

/// A tree that a volume of the wanted kind cannot hold. Each says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// A name that no reader of Rock Ridge takes.
    #[error("{path}: the name has {len} bytes, but readers take at most {max}; shorten it")]
    NameTooLong {
        /// The file.
        path: String,
        /// Bytes of its name.
        len: usize,
        /// The most that are taken.
        max: usize,
    },
    /// A folder below the eighth level, or with too long a path (ECMA-119 6.8.2.1).
    #[error(
        "{path}: folders may lie at most 8 levels deep with paths of 255 characters \
         (ECMA-119 6.8.2.1); turn on Rock Ridge, or let deep folders stay in place"
    )]
    TooDeep {
        /// The folder.
        path: String,
    },
    /// No name is left for the folder that holds the moved ones.
    #[error(
        "deep folders have to move to /rr_moved, but /rr_moved and /.rr_moved are files; rename \
         one, or let deep folders stay in place"
    )]
    NoRelocationFolder,
    /// More parent directories than a path table can number (ECMA-119 9.4.4).
    #[error(
        "{path}: this is folder number {number}, but only the first 65535 can have folders in \
         them (ECMA-119 9.4.4); spread the tree over several discs"
    )]
    TooManyDirectories {
        /// The folder with folders in it.
        path: String,
        /// Its number in the path table.
        number: u32,
    },
    /// A file of several sections at a level that allows one (ECMA-119 10.1, 10.2).
    #[error(
        "{path}: {size} bytes take {sections} sections, but interchange level {level} allows \
         one (ECMA-119 10); choose level 3"
    )]
    Sections {
        /// The file.
        path: String,
        /// Its length in bytes.
        size: u64,
        /// The sections it takes.
        sections: u64,
        /// The level wanted.
        level: u8,
    },
    /// A directory whose records do not fit (ECMA-119 9.1.4).
    #[error("{path}: the folder has too many entries: its records take more than 4 GiB")]
    DirectoryTooLarge {
        /// The folder.
        path: String,
    },
    /// All metadata together do not fit on any disc.
    #[error("the directories take {blocks} blocks, more than a disc can address")]
    MetadataTooLarge {
        /// How many blocks they take.
        blocks: u64,
    },
    /// A text that does not fit into its field.
    #[error("{field}: {text:?} has {len} characters, but the field holds {max}; shorten it")]
    TextTooLong {
        /// The field, named as in the standard.
        field: &'static str,
        /// The text.
        text: String,
        /// Its characters.
        len: usize,
        /// The most that fit.
        max: usize,
    },
    /// A descriptor shall name a file that is not there.
    #[error(
        "{field}: the root folder has no file named {name:?}; add it, or leave the field empty"
    )]
    NoSuchFile {
        /// The field, named as in the standard.
        field: &'static str,
        /// The name.
        name: String,
    },
}
