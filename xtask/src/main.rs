//! The project's own jobs, run as `cargo xtask JOB`.
//!
//! - `test`: everything that must hold before a change is taken, outside judges included.
//! - `simulate`: from a folder to a disc and back, on every medium, with every block compared.
//! - `judge-crash`: the judges of discs that lost blocks or power, alone.
//! - `vm`: the judge that boots a virtual machine, alone.
//! - `bench`: the program beside its peers.
//! - `tidy`: the rules of the source tree that no compiler checks.
//! - `tree`, `walk`: the difficult tree that the judges use, and the listing they compare.
//!
//! Every job works without a terminal and without standard input.
#![forbid(unsafe_code)]

mod bench;
mod command;
#[cfg(unix)]
mod judges;
#[cfg(unix)]
mod served;
#[cfg(unix)]
mod simulate;
mod test;
mod tidy;
mod trees;
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
    /// Build, record, change, record only what changed, and compare every block
    #[cfg(unix)]
    Simulate(simulate::Options),
    /// Let outside readers look at discs as faults and power cuts leave them
    #[cfg(unix)]
    JudgeCrash(judges::crash::Options),
    /// Let a virtual machine use served drives: mount, burn with growisofs, burn a plan
    #[cfg(unix)]
    Vm(judges::vm::Options),
    /// Measure the program beside its peers
    Bench(bench::Options),
    /// Check the rules of the source tree: crate arrows, file heads and lengths, words
    Tidy,
    /// Make the difficult tree that the judges use
    Tree(trees::TreeOptions),
    /// List a folder with everything that a judge compares
    Walk(trees::WalkOptions),
}

fn main() -> ExitCode {
    match Arguments::parse().job {
        Job::Test(options) => test::run(&options),
        #[cfg(unix)]
        Job::Simulate(options) => simulate::run(&options),
        #[cfg(unix)]
        Job::JudgeCrash(options) => judges::crash::run(&options),
        #[cfg(unix)]
        Job::Vm(options) => judges::vm::run_alone(&options),
        Job::Bench(options) => bench::run(&options),
        Job::Tidy => tidy::run(),
        Job::Tree(options) => trees::make(&options),
        Job::Walk(options) => trees::walk(&options),
    }
}
