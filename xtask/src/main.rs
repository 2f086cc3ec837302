//! The project's own jobs, run as `cargo xtask JOB`.
//!
//! - `test`: everything that must hold before a change is taken, outside judges included.
//! - `tidy`: the rules of the source tree that no compiler checks.
//!
//! Every job works without a terminal and without standard input.
#![forbid(unsafe_code)]

mod command;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own jobs.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Run every check: format, lints, tests, simulation, documentation, outside judges
    Test(test::Options),
    /// Check the rules of the source tree: crate arrows, file heads and lengths, words
    Tidy,
}

fn main() -> ExitCode {
    match Arguments::parse().job {
        Job::Test(options) => test::run(&options),
        Job::Tidy => tidy::run(),
    }
}
