//! What the program does, a file a verb.

pub mod burn;
pub mod check;
pub mod diff;
pub mod drive;
pub mod edit;
pub mod get;
pub mod make;
pub mod records;
pub mod rehearse;
pub mod show;

mod open;

pub use open::{OpenVolume, VolumeKind};
