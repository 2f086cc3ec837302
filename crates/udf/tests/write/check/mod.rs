//! A verifier of whole volumes, from their bytes alone: it shares no code with the reader, and
//! knows where fields stand from the standard. What it finds wrong is a panic that says where.

mod bytes;
mod entry;
mod files;
mod space;
mod volume;

use reburn_udf::UdfOptions;

/// How many of everything the verifier came upon.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub files: u32,
    pub directories: u32,
    pub streams: u32,
    pub attributes: u32,
}

/// Verifies a volume that was written with `options`.
pub fn check(image: &[u8], options: &UdfOptions) -> Counts {
    let volume = volume::check(image, options);
    let mut files = files::Files::new(volume);
    let counts = files.check();
    space::check(&files);
    counts
}
