//! What a reader passed over, mended, or took from a second copy.

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

impl Note {
    /// Whether it is met on volumes that nothing is wrong with, and says nothing to a user.
    pub fn is_usual(&self) -> bool {
        self.kind == NoteKind::Deleted
    }
}

/// What was read leniently or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteKind {
    /// No recognition sequence (ECMA-167 2/8.3); many systems will not see the volume.
    #[error("no recognition sequence; the volume was found by its anchor")]
    NoRecognition,
    /// A descriptor of the main sequence is damaged; others of its kind were used.
    #[error("damaged volume descriptors; others were used")]
    DamagedDescriptor,
    /// The reserve sequence was used instead of the main one (ECMA-167 3/8.4.2).
    #[error("the main volume descriptor sequence cannot be used; the reserve sequence was")]
    ReserveSequence,
    /// The mirror of the metadata file was used (UDF 2.2.13).
    #[error("the metadata file cannot be used; its mirror was")]
    MetadataMirror,
    /// The mirror of the metadata file cannot be used; the file itself can.
    #[error("the mirror of the metadata file cannot be used")]
    NoMirror,
    /// Single blocks were taken from the mirror of the metadata file.
    #[error("blocks of the metadata file cannot be read; those of its mirror were")]
    MirrorBlock,
    /// A copy of the sparing table is damaged; another one was used.
    #[error("damaged sparing tables; another one was used")]
    SparingTable,
    /// Sparing tables differ, as after a power cut; the first one was used, as systems do.
    #[error("sparing tables that are not the same; the first one was used")]
    SparingTables,
    /// The newest virtual allocation table is not the last thing recorded.
    #[error("the virtual allocation table is not in the last block of the disc")]
    VirtualTableEarlier,
    /// No integrity descriptor can be read (ECMA-167 3/10.10).
    #[error("no logical volume integrity descriptor can be read")]
    NoIntegrity,
    /// The volume was left open: its writer did not finish.
    #[error("the volume was left open by its last writer; its free space may be wrong")]
    Open,
    /// The domain is not that of UDF.
    #[error("the volume does not say that it is UDF; it was read as such")]
    Domain,
    /// A file identifier was written for another block.
    #[error("file identifiers that state another block than they are in")]
    IdentifierLocation,
    /// A file's data is not on the disc as a whole.
    #[error("data past the end of the disc; it cannot be read")]
    PastEnd,
    /// A name was changed.
    #[error("names that were taken, empty or had a slash or a zero byte in them, and were changed")]
    Renamed,
    /// Names in no known form.
    #[error("names that are not in OSTA compressed Unicode; they were read as far as possible")]
    Name,
    /// A file identifier and its entry disagree about what is a directory.
    #[error("names that say directory where the entry does not, or the other way")]
    DirectoryBit,
    /// Deleted names (ECMA-167 4/14.4.3) are not in the tree.
    #[error("deleted names, which are left out")]
    Deleted,
    /// Extended attributes without a place in the tree.
    #[error("extended attributes, which are left out")]
    ExtendedAttributes,
    /// A space of extended attributes cannot be parsed.
    #[error("damaged extended attributes; they were passed over")]
    DamagedAttributes,
    /// Entries of types that are not files of users.
    #[error("files of types that no tree has, which are left out")]
    FileType,
    /// A time that does not exist.
    #[error("times that do not exist; they count as 1970")]
    Time,
}

/// `3 x deleted names, which are left out, first at block 20, byte 34 (...)`.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {}, first at {}", self.count, self.kind, self.first)
    }
}

/// Notes of each kind, in the order in which the kinds were met first.
#[derive(Debug, Default, Clone)]
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

    pub(super) fn as_slice(&self) -> &[Note] {
        &self.0
    }

    pub(super) fn into_vec(self) -> Vec<Note> {
        self.0
    }
}
