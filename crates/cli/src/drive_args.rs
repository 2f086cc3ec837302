//! What `reburn drive` takes on its command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use reburn_emulator::MediumKind;

use crate::disc::DiscName;

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
    /// Blank a CD-RW or DVD-RW
    Blank(Blank),
    /// Format a disc, whatever it holds: burning an image formats by itself what must be
    Format(Format),
    /// Close what is open on a disc that is recorded in sessions, mending what was interrupted
    Close(CloseDisc),
    /// Run a program that sees a virtual disc in an optical drive, as /dev/sr0 (Linux)
    Run(Run),
    /// Offer a virtual disc in an optical drive to other hosts and virtual machines, by iSCSI
    Serve(Serve),
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

/// `reburn drive blank`
#[derive(Debug, Args)]
pub struct Blank {
    /// The disc: virtual:PATH
    pub disc: DiscName,
    /// Blank all of it, so that a DVD-RW takes sessions again
    #[arg(long)]
    pub full: bool,
}

/// `reburn drive format`
#[derive(Debug, Args)]
pub struct Format {
    /// The disc: virtual:PATH
    pub disc: DiscName,
    /// How: a BD-R so that its blocks can be replaced, or with spare areas alone; a DVD-RW for
    /// overwriting, so that it grows or all of it at once
    #[arg(long, value_enum, default_value_t = FormatArg::Usual)]
    pub way: FormatArg,
}

/// `reburn drive close`
#[derive(Debug, Args)]
pub struct CloseDisc {
    /// The disc: virtual:PATH
    pub disc: DiscName,
    /// Close it for good
    #[arg(long)]
    pub finalise: bool,
}

/// Ways to format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// The way that is ready soonest and lets blocks be overwritten
    Usual,
    /// All of the disc at once
    Full,
    /// Spare areas and no more
    SpareAreas,
}

fn kind(name: &str) -> Result<MediumKind, String> {
    MediumKind::from_name(name).ok_or_else(|| {
        let names: Vec<_> = MediumKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("known media are {}", names.join(", "))
    })
}

/// `reburn drive run`
#[derive(Debug, Args)]
pub struct Run {
    /// The virtual disc in the drive
    #[arg(long, value_name = "PATH")]
    pub disc: PathBuf,
    /// Where the program finds the drive; nothing needs to be there
    #[arg(long, value_name = "PATH", default_value = "/dev/sr0")]
    pub device: PathBuf,
    /// What kind of drive: bd-writer, bd-writer-strict, dvd-writer, cd-writer, or a file that says
    /// what is different from one of these
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// How many seconds pass in the drive while one passes for the program
    #[arg(long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub pace: u32,
    /// Write down every command that reaches the drive, a line each
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// The program and its arguments; what it starts sees the drive too
    #[arg(required = true, last = true, value_name = "PROGRAM")]
    pub program: Vec<OsString>,
}

/// `reburn drive serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// The virtual disc in the drive
    #[arg(long, value_name = "PATH")]
    pub disc: PathBuf,
    /// Where to listen; port 0 takes any that is free. Other hosts reach the drive only at an
    /// address that is theirs too, and must prove a secret then
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3260")]
    pub listen: SocketAddr,
    /// The drive's name for hosts
    #[arg(
        long,
        value_name = "IQN",
        default_value = "iqn.2026-11.example.reburn:drive"
    )]
    pub name: String,
    /// Let only hosts in that prove a secret under this name (CHAP)
    #[arg(long, value_name = "USER", requires = "chap_secret_file")]
    pub chap_user: Option<String>,
    /// The file with that secret, 12 to 255 bytes; a line end behind it does not count
    #[arg(long, value_name = "FILE", requires = "chap_user")]
    pub chap_secret_file: Option<PathBuf>,
    /// Prove another secret, under this name, to hosts that ask
    #[arg(long, value_name = "USER", requires_all = ["target_secret_file", "chap_user"])]
    pub target_user: Option<String>,
    /// The file with that other secret
    #[arg(long, value_name = "FILE", requires = "target_user")]
    pub target_secret_file: Option<PathBuf>,
    /// What kind of drive: bd-writer, bd-writer-strict, dvd-writer, cd-writer, or a file that says
    /// what is different from one of these
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// How many seconds pass in the drive while one passes for its hosts
    #[arg(long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub pace: u32,
    /// Write down every command that reaches the drive, a line each
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}
