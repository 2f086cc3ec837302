//! Power cuts on emulated discs, and what brings the disc to one of its two states again: the same
//! plan once more, or a repair.

mod drive;
mod repair;
mod resume;
