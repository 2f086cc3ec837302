//! Where the workspace is and how to call cargo in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// Builds the program of this workspace with optimization; says where it is.
pub fn build_reburn() -> Result<PathBuf, String> {
    let build = cargo(&["build", "--release", "--package", "reburn"]);
    let build = build
        .args(["--message-format", "json"])
        .timeout(Duration::from_mins(30));
    let output = build.capture()?.require_success(&build)?;
    let text = output.stdout_text();
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter_map(|message: serde_json::Value| {
            let executable = message.get("executable")?.as_str()?;
            (message.get("target")?.get("name")? == "reburn").then(|| PathBuf::from(executable))
        })
        .next_back()
        .ok_or_else(|| format!("`{build}` built no program `reburn`"))
}
