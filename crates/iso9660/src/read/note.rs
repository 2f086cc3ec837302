//! What a reader passed over or mended, so that nobody takes the tree for more than it is.

use std::fmt;

use crate::Place;

/// Something that was read leniently, or that the tree does not have: how often, and where
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// How often it was met.
    pub count: u64,
    /// Where it was met first.
    pub first: Place,
}

/// What was read leniently or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteKind {
    /// A file's data, or a path table, is not on the disc as a whole.
    #[error("data past the end of the disc; it cannot be read")]
    PastEnd,
    /// A name was changed.
    #[error("names that were taken, empty or had a slash or a zero byte in them, and were changed")]
    Renamed,
    /// An associated file (ECMA-119 9.1.6) is not in the tree.
    #[error("associated files, which are left out")]
    AssociatedFile,
    /// An extended attribute record (ECMA-119 9.5) is not in the tree.
    #[error("extended attribute records, which are left out")]
    AttributeRecord,
    /// AAIP attributes or access control lists are not in the tree.
    #[error("extended attributes or access control lists, which are left out")]
    ExtendedAttributes,
    /// A zisofs file is in the tree as it is stored.
    #[error("files compressed by zisofs, which are listed as they are stored")]
    Compressed,
    /// A sparse file is in the tree as it is stored.
    #[error("sparse files, which are listed as they are stored")]
    Sparse,
    /// The halves of a both-endian number differ (ECMA-119 7.2.3, 7.3.3).
    #[error("numbers whose halves differ; the little-endian half was used")]
    HalvesDiffer,
    /// A directory begins otherwise than with its own record (ECMA-119 6.8.2.2).
    #[error("directories that do not begin with their own record, or whose own record differs")]
    OwnRecord,
    /// A moved directory that no CL entry claims.
    #[error("moved directories that belong nowhere; they are listed where they were moved to")]
    Unclaimed,
    /// A system use area that nobody needs now cannot be parsed.
    #[error("damaged system use areas; they were passed over")]
    SystemUse,
}

/// `3 x files compressed by zisofs, ..., first at block 20, byte 34 (...)`.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}, first at {}", self.count, self.kind, self.first)
    }
}

/// Notes of each kind, in the order in which the kinds were met first.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    pub(super) fn add(&mut self, kind: NoteKind, place: impl FnOnce() -> Place) {
        match self.0.iter_mut().find(|note| note.kind == kind) {
            Some(note) => note.count += 1,
            None => self.0.push(Note {
                kind,
                count: 1,
                first: place(),
            }),
        }
    }

    pub(super) fn into_vec(self) -> Vec<Note> {
        self.0
    }
}
