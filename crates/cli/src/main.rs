//! The program `reburn`.
fn main() {}
