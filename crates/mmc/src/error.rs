//! What can be wrong with a reply or a parameter list.

use reburn_record::TooShort;

use crate::Sense;

/// Why bytes from the other side make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before what they must hold.
    #[error("{what}: {needed} bytes are needed, but {present} are present")]
    TooShort {
        /// The reply or parameter list.
        what: &'static str,
        /// Bytes that it takes, as far as they say so themselves.
        needed: usize,
        /// Bytes that are present.
        present: usize,
    },
    /// A field holds a value that the standard gives no meaning.
    #[error("{what}: byte {offset} holds {value:#04x}, which means nothing there")]
    Field {
        /// The reply or parameter list.
        what: &'static str,
        /// Bytes from its start.
        offset: usize,
        /// The value.
        value: u32,
    },
}

impl DecodeError {
    /// How a drive refuses a parameter list for it.
    pub const fn as_sense(&self) -> Sense {
        match self {
            Self::TooShort { .. } => Sense::PARAMETER_LIST_LENGTH,
            Self::Field { .. } => Sense::INVALID_FIELD_IN_PARAMETERS,
        }
    }
}

impl From<TooShort> for DecodeError {
    fn from(error: TooShort) -> Self {
        Self::TooShort {
            what: error.record,
            needed: error.needed,
            present: error.available,
        }
    }
}
