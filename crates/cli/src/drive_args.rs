//! What `reburn drive` takes on its command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reburn_emulator::MediumKind;

/// `reburn drive`
#[derive(Debug, Args)]
pub struct DriveArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub action: DriveAction,
}

/// What to do with virtual drives and discs.
#[derive(Debug, Subcommand)]
pub enum DriveAction {
    /// Make a virtual disc, as it is sold: blank, unless its kind is sold formatted
    Create(Create),
}

/// `reburn drive create`
#[derive(Debug, Args)]
pub struct Create {
    /// The file that the disc lies in; it grows as the disc is recorded
    pub disc: PathBuf,
    /// What kind of disc
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub media: MediumKind,
}

fn kind(name: &str) -> Result<MediumKind, String> {
    MediumKind::from_name(name).ok_or_else(|| {
        let names: Vec<_> = MediumKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("known media are {}", names.join(", "))
    })
}
