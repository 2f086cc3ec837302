//! The program as its users see it: run in folders of its own, judged by what it prints and
//! leaves behind.

mod check;
mod drive;
mod help;
mod journey;
mod once;
mod place;
mod readme;
mod records;
mod rehearse;
mod serve;
mod wrong_inputs;
