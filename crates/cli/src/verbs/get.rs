//! `reburn get`: copy files out of a disc.

use std::process::ExitCode;

use reburn_image::{ExtractOptions, extract};
use serde_json::json;

use super::OpenVolume;
use crate::args::Get;
use crate::failure::Failure;
use crate::progress::Terminal;

/// Copies a file, or everything below a folder, into a folder of the host.
pub fn run(args: &Get, terminal: Terminal) -> Result<ExitCode, Failure> {
    let tree = args.session.tree(&args.disc, &args.tree)?;
    let open = OpenVolume::open(&args.disc, &tree, terminal)?;
    let tree = &open.tree;
    let node = open.find(&args.disc, args.path.as_deref())?;
    let to = if tree.is_directory(node) {
        args.output.clone()
    } else {
        std::fs::create_dir_all(&args.output).map_err(|e| Failure::host(&args.output, &e))?;
        args.output
            .join(String::from_utf8_lossy(tree.name(node)).as_ref())
    };
    let options = ExtractOptions {
        owners: is_root(),
        xattrs: args.xattrs,
    };
    let report = extract(tree, &*open.disc.blocks, node, &to, options)?;
    for path in &report.skipped {
        terminal.note(&format!(
            "{path} is a device, which only root may make; left out"
        ));
    }
    for stream in &report.detached {
        terminal.note(&format!(
            "{stream} is a stream that this file system cannot attach; left out"
        ));
    }
    let text = format!("{} names, {} bytes copied", report.made, report.bytes);
    let object = json!({ "names": report.made, "bytes": report.bytes, "left_out": report.skipped,
        "streams_left_out": report.detached });
    terminal.result(&text, &object);
    Ok(ExitCode::SUCCESS)
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
