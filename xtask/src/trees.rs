//! Trees for hands and for other machines: `cargo xtask tree` and `cargo xtask walk`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reburn_tests::Walk;

/// What `cargo xtask tree` takes.
#[derive(Debug, Args)]
pub struct TreeOptions {
    /// The folder to make it in; made if it does not exist
    folder: PathBuf,
    /// Contents and times come from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many files stand in one folder
    #[arg(long, default_value_t = 3000)]
    crowd: u32,
    /// Add a sparse file of 5 GiB
    #[arg(long)]
    big_file: bool,
    /// Edit it, this many rounds
    #[arg(long, default_value_t = 0)]
    rounds: u32,
}

/// What `cargo xtask walk` takes.
#[derive(Debug, Args)]
pub struct WalkOptions {
    /// The folder to walk
    folder: PathBuf,
    /// The file to write the listing to
    #[arg(short, long)]
    output: PathBuf,
}

/// Makes the difficult tree that the judges use.
pub fn make(options: &TreeOptions) -> ExitCode {
    finish(try_make(options))
}

#[cfg(unix)]
fn try_make(options: &TreeOptions) -> std::io::Result<()> {
    let TreeOptions {
        folder,
        seed,
        crowd,
        big_file,
        rounds,
    } = options;
    fs::create_dir_all(folder)?;
    let tree = reburn_tests::DifficultTree {
        seed: *seed,
        crowd: *crowd,
        big_file: *big_file,
    };
    tree.make(folder)?;
    (1..=*rounds).try_for_each(|round| reburn_tests::edit(folder, round))
}

#[cfg(not(unix))]
fn try_make(_: &TreeOptions) -> std::io::Result<()> {
    Err(std::io::Error::other(
        "the difficult tree needs a Unix file system",
    ))
}

/// Lists a folder with the kinds, sizes, modes, times and digests of everything in it.
pub fn walk(options: &WalkOptions) -> ExitCode {
    let walk = Walk::of(&options.folder);
    finish(walk.and_then(|walk| fs::write(&options.output, walk.to_string())))
}

fn finish(result: std::io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
