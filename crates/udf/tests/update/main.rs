//! Editing volumes: what an edit needs to know of a volume, and what it makes of it.

#[path = "../write/image.rs"]
mod image;
mod structures;
