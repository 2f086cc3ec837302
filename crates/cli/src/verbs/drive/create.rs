//! `reburn drive create`: a virtual disc, as it is sold.

use std::process::ExitCode;

use reburn_emulator::VirtualDisc;
use serde_json::json;

use crate::drive_args::Create;
use crate::failure::Failure;
use crate::progress::Terminal;

/// Makes the disc; a file that exists stays as it is.
pub fn run(args: &Create, terminal: Terminal) -> Result<ExitCode, Failure> {
    let disc = VirtualDisc::create(&args.disc, args.media)
        .map_err(|error| Failure::usage(error.to_string()))?;
    let kind = disc.kind();
    let path = args.disc.display();
    let object = json!({ "disc": path.to_string(), "media": kind.name() });
    terminal.result(
        &format!("{path}: a new {kind}, up to {} blocks", kind.capacity()),
        &object,
    );
    Ok(ExitCode::SUCCESS)
}
