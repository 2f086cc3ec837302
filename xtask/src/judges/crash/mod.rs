//! Outside readers on discs as faults and power cuts leave them.
//!
//! Each state of a disc is shown to the Linux kernel, libblkid and 7-Zip through a device that
//! reports errors where the disc has unreadable write units, and to the reader of this workspace.

mod answer;
pub mod cuts;
mod disc;
mod expected;
mod look;
pub mod lost_units;
mod places;
mod volumes;

use std::process::ExitCode;

use clap::Args;

use super::guest;
use crate::test;

/// What `cargo xtask judge-crash` takes.
#[derive(Debug, Args)]
pub struct Options {
    /// Look at every medium and every state instead of a sample
    #[arg(long)]
    full: bool,
    /// Keep the folder with images and what readers said of them (target/judges)
    #[arg(long)]
    keep: bool,
}

/// Hears the judges of this folder.
pub fn run(options: &Options) -> ExitCode {
    let judges = [lost_units::JUDGE.name, cuts::JUDGE.name];
    test::run(&test::Options::only(&judges, options.full, options.keep))
}

/// What the judges here need.
const NEEDS: [(&str, &str); 9] = {
    let [a, b, c, d, e, f] = guest::NEEDS;
    let mapper = ("dmsetup", "dmsetup");
    let blkid = ("blkid", "util-linux");
    [a, b, c, d, e, f, mapper, blkid, ("7z", "p7zip-full")]
};
