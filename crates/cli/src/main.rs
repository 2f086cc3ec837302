//! The program `reburn`: record only the blocks of an optical disc that changed.
#![forbid(unsafe_code)]

mod args;
mod choices;
mod device;
mod disc;
mod drive_args;
mod failure;
mod file_system;
mod output;
mod progress;
mod render;
mod time;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Verb};
use progress::Terminal;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal {
        json: cli.json,
        quiet: cli.quiet,
    };
    let done = match &cli.verb {
        Verb::Make(args) => verbs::make::run(args, terminal),
        Verb::Show(args) => verbs::show::run(args, terminal),
        Verb::Get(args) => verbs::get::run(args, terminal),
        Verb::Edit(args) => verbs::edit::run(args, terminal),
        Verb::Diff(args) => verbs::diff::run(args, terminal),
        Verb::Burn(args) => verbs::burn::run(args, terminal),
        Verb::Rehearse(args) => verbs::rehearse::run(args, terminal),
        Verb::Check(args) => verbs::check::run(args, terminal),
        Verb::Drive(args) => verbs::drive::run(args, terminal),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit_code()
        }
    }
}
