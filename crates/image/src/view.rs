//! What a reader of one file system sees on a disc.

use std::fmt;

use reburn_blocks::BlockRead;
use reburn_tree::Tree;
use reburn_udf::Session;

use crate::ImageError;

/// One of the file systems that a disc can have, each with readers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// ISO 9660, by its best hierarchy.
    Iso,
    /// UDF.
    Udf,
}

impl View {
    /// Every view.
    pub const ALL: [Self; 2] = [Self::Iso, Self::Udf];

    /// The tree that a reader shows that begins where all readers of this file system do. Files
    /// point at their blocks on the disc.
    ///
    /// # Errors
    /// If there is no such file system, or the reader refuses it.
    pub fn read(self, disc: &dyn BlockRead) -> Result<Tree, ImageError> {
        self.read_session(disc, Session::default())
    }

    /// The same on a disc whose last session begins elsewhere, as its drive tells readers.
    ///
    /// # Errors
    /// See [`View::read`].
    pub fn read_session(self, disc: &dyn BlockRead, session: Session) -> Result<Tree, ImageError> {
        match self {
            Self::Iso => {
                let volume = reburn_iso9660::Volume::open(disc, session.start)?;
                Ok(volume.read_tree(disc, volume.best())?.tree)
            }
            Self::Udf => {
                let volume = reburn_udf::Volume::open(disc, session)?;
                Ok(volume.read_tree(disc)?.tree)
            }
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Iso => "ISO 9660",
            Self::Udf => "UDF",
        })
    }
}
