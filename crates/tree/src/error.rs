//! Why a change to a tree is refused. A refused change leaves the tree as it was.

/// A change that the tree cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The folder already has an entry of that name.
    #[error("{path} exists already; remove or replace it")]
    Exists {
        /// The path that is taken.
        path: String,
    },
    /// Nothing has that path.
    #[error("{path} does not exist in the tree")]
    NotFound {
        /// The path asked for.
        path: String,
    },
    /// A folder is needed there.
    #[error("{path} is not a folder")]
    NotADirectory {
        /// The path of what is there.
        path: String,
    },
    /// The folder still has entries.
    #[error("{path} is a folder with entries in it; remove them first, or remove the whole tree")]
    NotEmpty {
        /// The folder.
        path: String,
    },
    /// A folder cannot have two names.
    #[error("{path} is a folder, and folders cannot be hard links")]
    LinkToDirectory {
        /// The folder.
        path: String,
    },
    /// The name cannot stand in any tree.
    #[error("{name:?} cannot be a name: {reason}")]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A stream is bytes.
    #[error("{name:?} cannot be a stream: only the bytes of a file can")]
    StreamKind {
        /// Its name.
        name: String,
    },
    /// The root stays where it is.
    #[error("the root folder cannot be removed, renamed or replaced")]
    Root,
    /// A folder would end up below itself.
    #[error("{path} cannot be moved below itself")]
    IntoItself {
        /// The folder.
        path: String,
    },
    /// Later changes made the point unreachable, or it was locked.
    #[error("that change point cannot be reached any more: it was locked or rolled back")]
    ChangePointGone,
    /// Ids and offsets are 32 bits.
    #[error("the tree holds {count} {what}, as many as it can")]
    Full {
        /// How many there are.
        count: u64,
        /// Of what.
        what: &'static str,
    },
}
