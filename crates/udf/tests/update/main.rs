//! Editing volumes: what an edit needs to know of a volume, and what it makes of it.

mod cases;
mod damage;
mod edit;
mod foreign;
#[allow(dead_code)] // it serves other tests too
#[path = "../write/image.rs"]
mod image;
mod in_place;
mod rounds;
mod structures;
