//! `cargo xtask bench`: the program beside its peers, on the same files in the same run.
//!
//! A figure is the median of several runs after one that is not counted; ratios are taken in
//! one run, because machines drift. Nothing here passes or fails: figures are read by people.

mod folders;
mod measure;

use std::process::ExitCode;

use clap::Args;

use crate::command::is_installed;
use crate::workspace;
use measure::{Figure, OUTPUT, Peer, Runner, peer};

/// What `cargo xtask bench` takes.
#[derive(Debug, Args)]
pub struct Options {
    /// Runs that count, for each program
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Small files in the tree
    #[arg(long, default_value_t = 100_000)]
    files: u32,
    /// Size of the large file, in MiB
    #[arg(long, default_value_t = 1024)]
    large: u64,
}

/// Measures and prints a table.
pub fn run(options: &Options) -> ExitCode {
    match bench(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(options: &Options) -> Result<(), String> {
    workspace::cargo(&["build", "--release", "--quiet", "--package", "reburn"]).pass_through()?;
    let reburn = workspace::root().join("target/release/reburn");
    let work = tempfile::tempdir().map_err(|error| error.to_string())?;
    let runner = Runner {
        dir: work.path(),
        runs: options.runs.max(1),
    };
    let program = reburn.to_string_lossy();
    let program = program.as_ref();

    small_files(&runner, program, options.files)?;
    edits(&runner, program, options.files)?;
    large_file(&runner, program, options.large)?;
    emulator()
}

/// What the emulator takes and gives back, 64 KiB at a time.
fn emulator() -> Result<(), String> {
    println!("emulator, 64 KiB at a time");
    let example = ["--package", "reburn-emulator", "--example", "throughput"];
    workspace::cargo(&[&["run", "--release", "--quiet"][..], &example].concat()).pass_through()
}

fn small_files(runner: &Runner<'_>, program: &str, files: u32) -> Result<(), String> {
    println!("{files} small files in folders of 1000");
    folders::small_files(&runner.dir.join("small"), files).map_err(|e| e.to_string())?;
    let make = |fs| {
        [
            program, "make", "small", "-q", "--fs", fs, "--media", "file", "-o", OUTPUT,
        ]
    };
    let genisoimage = ["genisoimage", "-quiet", "-R", "-J", "-o", OUTPUT];
    compare(
        runner,
        &[
            peer("reburn make", "r.iso", &make("iso")),
            peer("reburn udf", "r.udf", &make("udf-2.50")),
            peer("reburn 2.01", "r2.udf", &make("udf-2.01")),
            peer("reburn bridge", "r.both", &make("iso,udf-1.02")),
            peer(
                "genisoimage",
                "g.iso",
                &[&genisoimage[..], &["small"]].concat(),
            ),
            peer(
                "with -udf",
                "g.udf",
                &[&genisoimage[..], &["-udf", "small"]].concat(),
            ),
            peer(
                "xorriso",
                "x.iso",
                &["xorrisofs", "-quiet", "-R", "-J", "-o", OUTPUT, "small"],
            ),
            peer("tar", "t.tar", &["tar", "-c", "small", "-f", OUTPUT]),
        ],
    );
    Ok(())
}

fn edits(runner: &Runner<'_>, program: &str, files: u32) -> Result<(), String> {
    println!("10 of {files} files changed: what to record");
    folders::touch_ten(&runner.dir.join("small"), files).map_err(|e| e.to_string())?;
    let edit = |base| [program, "edit", base, "--sync", "small", "-q", "-o", OUTPUT];
    let bases = [
        ("reburn edit", "r.iso", "r.plan"),
        ("udf-2.50", "r.udf", "u.plan"),
        ("udf-2.01", "r2.udf", "u2.plan"),
    ];
    let commands = bases.map(|(.., base, _)| edit(base));
    let peers: Vec<_> = bases
        .iter()
        .zip(&commands)
        .map(|(&(name, _, plan), command)| peer(name, plan, command))
        .collect();
    compare(runner, &peers);
    for edit in &peers {
        let told = runner.output(edit);
        println!(
            "  {:<14} {}",
            edit.name,
            told.lines().next().unwrap_or_default()
        );
    }
    Ok(())
}

fn large_file(runner: &Runner<'_>, program: &str, mebibytes: u64) -> Result<(), String> {
    println!("one file of {mebibytes} MiB");
    folders::large_file(&runner.dir.join("large"), mebibytes).map_err(|e| e.to_string())?;
    let make = |fs| {
        [
            program, "make", "large", "-q", "--fs", fs, "--media", "file", "-o", OUTPUT,
        ]
    };
    compare(
        runner,
        &[
            peer("reburn make", "r.iso", &make("iso")),
            peer("reburn udf", "r.udf", &make("udf-2.50")),
            peer("cat", "c.bin", &["sh", "-c", "cat large/file >$0", OUTPUT]),
            peer(
                "cp",
                "p.bin",
                &["cp", "--reflink=never", "large/file", OUTPUT],
            ),
            peer(
                "genisoimage",
                "g.iso",
                &["genisoimage", "-quiet", "-R", "-J", "-o", OUTPUT, "large"],
            ),
        ],
    );
    Ok(())
}

/// Runs every program that is there, in turn, and prints a line each with the ratio to the
/// first.
fn compare(runner: &Runner<'_>, peers: &[Peer<'_>]) {
    let (present, absent): (Vec<&Peer<'_>>, Vec<_>) =
        peers.iter().partition(|peer| is_installed(peer.command[0]));
    for peer in absent {
        println!(
            "  {:<14} skipped: {} is not installed",
            peer.name, peer.command[0]
        );
    }
    let figures = runner.in_turn(&present);
    let first = figures
        .first()
        .and_then(|figure| figure.as_ref().ok())
        .map(Figure::seconds);
    for (peer, figure) in present.iter().zip(&figures) {
        let name = peer.name;
        match figure {
            Ok(figure) => {
                let ratio = first.map_or(1.0, |first| first / figure.seconds());
                println!("  {name:<14} {figure}  reburn takes {ratio:.2} of its time");
            }
            Err(error) => println!("  {name:<14} failed: {error}"),
        }
    }
}
