//! Editing volumes: what an edit needs to know of a volume, and what it makes of it.

mod cases;
mod edit;
#[path = "../write/image.rs"]
mod image;
mod rounds;
mod structures;
