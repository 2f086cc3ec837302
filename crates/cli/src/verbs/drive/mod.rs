//! `reburn drive`: virtual drives and discs.

mod create;
mod prepare;
mod profile;
mod run;
mod serve;

use std::process::ExitCode;

use crate::drive_args::{DriveAction, DriveArgs};
use crate::failure::Failure;
use crate::progress::Terminal;

/// Does what was asked of a virtual drive or disc.
pub fn run(args: &DriveArgs, terminal: Terminal) -> Result<ExitCode, Failure> {
    match &args.action {
        DriveAction::Create(args) => create::run(args, terminal),
        DriveAction::Blank(args) => prepare::blank(args, terminal),
        DriveAction::Format(args) => prepare::format(args, terminal),
        DriveAction::Close(args) => prepare::close(args, terminal),
        DriveAction::Run(args) => run::run(args, terminal),
        DriveAction::Serve(args) => serve::run(args, terminal),
    }
}
