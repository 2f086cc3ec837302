//! `cargo xtask simulate`: from a folder to a disc, and from a changed folder to only its
//! changed blocks, on every medium, with every block compared; and with the power cut everywhere.

mod chain;
mod folder;
mod power_cuts;
pub mod scenario;
mod table;
mod target;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use reburn_image::{ExtractOptions, FileSystemImage, HostOptions, Medium, extract, new_volume};
use reburn_tree::{Timestamp, Tree};

use chain::{Chain, Round};
use folder::SeededFolder;
use scenario::{Edit, Format, Scenario, built_in};
use table::Table;

/// What `cargo xtask simulate` takes.
#[derive(Debug, Args)]
pub struct Options {
    /// Simulate with a copy of this folder instead of the built-in scenarios
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Changes to make in the copy
    #[arg(long, default_value_t = 10, requires = "tree")]
    edits: usize,
    /// Only this medium
    #[arg(long, value_parser = medium)]
    media: Option<Medium>,
    /// The file systems on the disc, with --tree
    #[arg(long, value_name = "FS", default_value = "iso", requires = "tree")]
    fs: Format,
    /// Decides the trees and the edits
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this scenario: MEDIUM/FS/EDIT/SEED; with --power-cuts MEDIUM/VOLUME/CASE
    #[arg(long, value_name = "ID", conflicts_with_all = ["tree", "media"])]
    scenario: Option<String>,
    /// Cut the power everywhere while small edits are recorded, and read what is left
    #[arg(long, conflicts_with = "tree")]
    power_cuts: bool,
    /// With --power-cuts: every sequence of three changes on every volume and medium, and more
    /// large trees; takes more than a quarter of an hour
    #[arg(long, requires = "power_cuts")]
    full: bool,
}

fn medium(name: &str) -> Result<Medium, String> {
    Medium::from_name(name).ok_or_else(|| {
        let names = Medium::ALL.map(Medium::name);
        format!("known media are {}", names.join(", "))
    })
}

/// Runs the scenarios and prints a table; success only if no block differs.
pub fn run(options: &Options) -> ExitCode {
    let only = options.scenario.as_deref();
    if options.power_cuts {
        return power_cuts::run(options.media, only, options.full, options.seed);
    }
    let scenarios = match only.map(str::parse::<Scenario>) {
        Some(Ok(scenario)) => vec![scenario],
        Some(Err(error)) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
        None => built_in(options.media, options.seed),
    };
    let mut table = Table::start();
    if let Some(dir) = &options.tree {
        let media = options.media.map_or_else(
            || {
                vec![
                    Medium::File,
                    Medium::DvdPlusRw,
                    Medium::DvdRam,
                    Medium::BdRe,
                ]
            },
            |medium| vec![medium],
        );
        for medium in media {
            let replay = format!(
                "cargo xtask simulate --tree {} --edits {} --media {medium} --fs {} --seed {}",
                dir.display(),
                options.edits,
                options.fs,
                options.seed
            );
            let outcome = in_folder(|work| real_folder(dir, medium, options, work));
            table.row(
                &format!("{medium}/{}/{} edits", options.fs, options.edits),
                outcome,
                &replay,
            );
        }
    } else {
        for scenario in scenarios {
            let replay = format!("cargo xtask simulate --scenario {scenario}");
            let outcome = in_folder(|work| seeded_folder(scenario, work));
            table.row(&scenario.to_string(), outcome, &replay);
        }
    }
    table.end()
}

/// Runs something with a folder that is gone afterwards.
fn in_folder<T>(run: impl FnOnce(&Path) -> Result<T, String>) -> Result<T, String> {
    let work = tempfile::tempdir().map_err(|error| error.to_string())?;
    run(work.path())
}

/// A folder made from a seed, changed and recorded in rounds.
fn seeded_folder(scenario: Scenario, work: &Path) -> Result<Vec<Round>, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut folder = SeededFolder::make(work.join("folder"), scenario.seed).map_err(text)?;
    let path = folder.path().to_owned();
    let mut chain = Chain::new((scenario.medium, scenario.format), &path, work);
    let mut rounds = vec![chain.first()?];
    for _ in 0..scenario.rounds() {
        folder.change(scenario.edit, 5).map_err(text)?;
        rounds.push(chain.next()?);
    }
    Ok(rounds)
}

/// A copy of a real folder, changed and recorded once.
fn real_folder(
    dir: &Path,
    medium: Medium,
    options: &Options,
    work: &Path,
) -> Result<Vec<Round>, String> {
    let copy = work.join("folder");
    copy_folder(dir, &copy)?;
    let mut folder = SeededFolder::adopt(copy.clone(), options.seed);
    let mut chain = Chain::new((medium, options.fs), &copy, work);
    let first = chain.first()?;
    folder
        .change(Edit::Mixed, options.edits)
        .map_err(|error| error.to_string())?;
    Ok(vec![first, chain.next()?])
}

/// Copies a folder with links, times and permissions, by the means that discs are made of.
fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    if !from.is_dir() {
        return Err(format!("{} is not a folder", from.display()));
    }
    let text = |error: reburn_image::ImageError| error.to_string();
    let time = Timestamp::EPOCH;
    let mut image = FileSystemImage::new(Medium::File, new_volume("COPY", time), time);
    image
        .add_host(from, b"/", HostOptions::default())
        .map_err(text)?;
    fs::create_dir(to).map_err(|error| error.to_string())?;
    let nothing = reburn_blocks::ZeroBlocks(reburn_blocks::BlockCount::ZERO);
    let options = ExtractOptions {
        owners: rustix::process::geteuid().is_root(),
        ..ExtractOptions::default()
    };
    extract(image.tree(), &nothing, Tree::ROOT, to, options)
        .map(drop)
        .map_err(text)
}
