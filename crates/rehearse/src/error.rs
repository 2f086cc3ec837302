//! Why a plan could not be rehearsed.

use reburn_blocks::ReadError;
use reburn_image::ImageError;

/// Why a plan could not be rehearsed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RehearseError {
    /// No reader shows anything of the disc as it is, so there is no old tree to compare with.
    #[error("the disc cannot be read before the plan is recorded: {0}; repair it first")]
    Base(ImageError),
    /// A reader refuses the disc that the plan makes.
    #[error("the disc cannot be read once the plan is recorded: {0}; make the plan again")]
    Result(ImageError),
    /// A block of the base or of the plan's source could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The recorder refused the plan, or the disc.
    #[error(transparent)]
    Record(#[from] Box<reburn_recorder::Failure>),
    /// There is no emulated drive for the medium.
    #[error("no emulated drive takes {medium}; the states of a file come from its plan")]
    NoDrive {
        /// The medium.
        medium: reburn_image::Medium,
    },
}
