//! Where the workspace is and how to call cargo in it.

use std::path::{Path, PathBuf};

use crate::command::Program;

/// The top folder of the workspace: the one that holds the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// A call of the cargo that runs this job, in the workspace.
pub fn cargo(arguments: &[&str]) -> Program {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Program::new(cargo).args(arguments).current_dir(root())
}

/// Whether this run is an unattended one that must not skip anything (`CI=true`).
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
