//! What was read leniently from a disc, or is on it but not in the tree.

use std::fmt;

/// Something that was read leniently, or that the tree does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportNote {
    /// Of an ISO 9660 volume.
    Iso(reburn_iso9660::Note),
    /// Of a UDF volume.
    Udf(reburn_udf::Note),
}

impl ImportNote {
    /// Whether directories that are written anew lack what was noted. What they point at stays,
    /// but nothing would tell how to read it.
    pub fn is_loss(&self) -> bool {
        use reburn_iso9660::NoteKind as Iso;
        use reburn_udf::NoteKind as Udf;
        match self {
            Self::Iso(note) => matches!(
                note.kind,
                Iso::PastEnd
                    | Iso::AssociatedFile
                    | Iso::AttributeRecord
                    | Iso::ExtendedAttributes
                    | Iso::Compressed
                    | Iso::Sparse
            ),
            Self::Udf(note) => matches!(
                note.kind,
                Udf::PastEnd | Udf::ExtendedAttributes | Udf::FileType
            ),
        }
    }
}

impl ImportNote {
    /// Whether it is met on volumes that nothing is wrong with, and says nothing to a user.
    pub fn is_usual(&self) -> bool {
        match self {
            Self::Iso(_) => false,
            Self::Udf(note) => note.is_usual(),
        }
    }
}

impl fmt::Display for ImportNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iso(note) => note.fmt(f),
            Self::Udf(note) => note.fmt(f),
        }
    }
}
