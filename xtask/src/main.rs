//! The project's own jobs.
fn main() {}
