//! What the program takes on its command line. Every flag is declared here, once.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use reburn_image::Medium;
use reburn_tree::Timestamp;

use crate::choices::{
    AccessArg, CloseArg, CompareArg, DeepArg, JolietArg, LevelArg, PartitionArg, Switch, TreeArg,
    VerifyArg,
};
use crate::disc::DiscName;
use crate::drive_args::DriveArgs;
use crate::file_system::FileSystemArg;
use crate::time;

/// Record only the blocks of an optical disc that changed
#[derive(Debug, Parser)]
#[command(
    name = "reburn",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    after_help = "Exit codes: 0 done, 1 findings, 2 usage or input, 3 drive or medium, \
                        4 wrong disc, 5 verification failed"
)]
pub struct Cli {
    /// Print results and progress as JSON, one object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Show no progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a new image from a folder
    Make(Make),
    /// Show what is on a disc or image, or what a plan records
    Show(Show),
    /// Copy files out of a disc or image
    Get(Get),
    /// Change a disc or image: work out which blocks to record; nothing is written to it
    Edit(Edit),
    /// Compare two images: which blocks differ
    Diff(Diff),
    /// Record a plan or an image on a disc, and verify it
    Burn(Burn),
    /// Record a plan on an emulated drive and cut the power everywhere: what is left each time
    Rehearse(Rehearse),
    /// Say which files a disc shows and what of it is not whole, and mend it
    Check(Check),
    /// Virtual drives and discs: make one, let programs use it
    Drive(DriveArgs),
}

/// `reburn make`
#[derive(Debug, Args)]
pub struct Make {
    /// The folder whose content becomes the root of the image
    pub dir: PathBuf,
    /// The image to write
    #[arg(long, short, value_name = "IMAGE")]
    pub output: PathBuf,
    /// The medium that the image is for
    #[arg(long, default_value = "file", value_parser = medium)]
    pub media: Medium,
    #[command(flatten)]
    pub volume: VolumeArgs,
    #[command(flatten)]
    pub host: HostArgs,
    /// Have drives read a file, or all below a folder, at a steady rate: film and sound, for
    /// recorders (UDF from 2.01 on)
    #[arg(long, value_name = "PATH")]
    pub real_time: Vec<OsString>,
    #[command(flatten)]
    pub time: TimeArgs,
}

/// How the file systems are written.
#[derive(Debug, Args)]
pub struct VolumeArgs {
    /// The file systems: iso, udf (2.50), udf-1.02 to udf-2.60, or both over the same files, as
    /// in iso,udf-1.02
    #[arg(long, value_name = "FS", default_value_t = FileSystemArg::Iso)]
    pub fs: FileSystemArg,
    /// The volume's name
    #[arg(long, value_name = "NAME", default_value = "REBURN")]
    pub volume: String,
    /// Joliet names: none, or of at most so many characters
    #[arg(long, value_enum, default_value_t = JolietArg::Strict)]
    pub joliet: JolietArg,
    /// POSIX names and attributes
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub rock_ridge: Switch,
    /// ECMA-119 interchange level, or 1999 for a second tree with long names
    #[arg(long, value_enum, default_value_t = LevelArg::Three)]
    pub level: LevelArg,
    /// Folders more than eight deep: move them for old readers (Rock Ridge shows them in
    /// their place), or leave them
    #[arg(long, value_enum, default_value_t = DeepArg::Relocate)]
    pub deep: DeepArg,
    /// Make a disc that DVD players play, of a folder with VIDEO_TS in it: ISO 9660 and UDF 1.02,
    /// the films first
    #[arg(long, conflicts_with_all = ["fs", "joliet", "rock_ridge", "level", "deep"])]
    pub dvd_video: bool,
    /// How blocks of a UDF volume are found: the revision's usual partition by default
    #[arg(long, value_enum, value_name = "KIND")]
    pub partition: Option<PartitionArg>,
    /// What other systems may do with a UDF volume; with anything but read-only, bitmaps say which
    /// blocks are free
    #[arg(long, value_enum, value_name = "ACCESS")]
    pub access: Option<AccessArg>,
    /// Write entries and directories of UDF 2.50 or 2.60 twice
    #[arg(long)]
    pub duplicate_metadata: bool,
}

/// What of the host's files is taken besides names, contents and modes.
#[derive(Debug, Args)]
pub struct HostArgs {
    /// Keep what users attached to files (user.NAME) as named streams, which UDF has from 2.00 on
    #[arg(long)]
    pub xattrs: bool,
    /// Keep access, change and creation times too; every image is another then
    #[arg(long)]
    pub all_times: bool,
}

/// The times in an image.
#[derive(Debug, Args)]
pub struct TimeArgs {
    /// The volume's dates, in seconds since 1970 or as 2024-01-31T12:00:00Z, and the latest
    /// that a file's time may be; makes output reproducible. Without it the environment
    /// variable SOURCE_DATE_EPOCH counts, and without that the clock
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub time: Option<Timestamp>,
}

/// `reburn show`
#[derive(Debug, Args)]
pub struct Show {
    /// An image, virtual:PATH, a drive such as /dev/sr0, or a plan
    pub disc: DiscName,
    /// A file or folder on it
    pub path: Option<OsString>,
    /// Show everything below the folder
    #[arg(long, short, conflicts_with_all = ["records", "block"])]
    pub recursive: bool,
    /// Show the records on the disc field by field, each with its clause in the standard
    ///
    /// Those of the volume, or those of the path. Damage is shown below the record that has it,
    /// and refused nowhere.
    #[arg(long)]
    pub records: bool,
    /// Show what a block of 2048 bytes says that it is, and its fields
    #[arg(long, value_name = "N", conflicts_with = "path")]
    pub block: Option<u32>,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub tree: TreeArgs,
}

/// Which of a disc's trees is read.
#[derive(Debug, Clone, Args)]
pub struct TreeArgs {
    /// The tree to read; the best that is there by default
    #[arg(long, value_enum, value_name = "TREE")]
    pub tree: Option<TreeArg>,
    /// The block that the session starts at, on discs with several: the last one that is closed by
    /// default, and block 0 of an image
    #[arg(long, value_name = "BLOCK")]
    #[arg(value_parser = clap::value_parser!(u32).range(..=0xffff_ff00))]
    pub start: Option<u32>,
    /// The last block that was recorded, where a virtual allocation table is looked for: the end
    /// of the image by default
    #[arg(long, value_name = "BLOCK")]
    #[arg(value_parser = clap::value_parser!(u32).range(..=0xffff_ff00))]
    pub last: Option<u32>,
}

/// `reburn get`
#[derive(Debug, Args)]
pub struct Get {
    /// An image, virtual:PATH, or a drive such as /dev/sr0
    pub disc: DiscName,
    /// The file or folder to copy; everything by default
    pub path: Option<OsString>,
    /// Where to copy it: a new folder, or one that has none of the files
    #[arg(long, short, value_name = "DIR")]
    pub output: PathBuf,
    /// Attach named streams to files as user.NAME
    #[arg(long)]
    pub xattrs: bool,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub tree: TreeArgs,
}

/// `reburn edit`
#[derive(Debug, Args)]
pub struct Edit {
    /// An image, virtual:PATH, or a drive such as /dev/sr0
    pub disc: DiscName,
    /// Make the disc the same as this folder
    #[arg(long, value_name = "DIR")]
    pub sync: Option<PathBuf>,
    /// Add a file or folder, at the root under its own name or at a path of the disc
    #[arg(long, value_name = "SRC[=DEST]")]
    pub add: Vec<OsString>,
    /// Remove a file, or a folder with everything in it
    #[arg(long, value_name = "PATH")]
    pub remove: Vec<OsString>,
    /// Move or rename a file or folder
    #[arg(long, value_name = "FROM=TO")]
    pub rename: Vec<OsString>,
    /// Move back what edits left in spare packets of a sparable UDF volume, and change nothing else
    #[arg(long, conflicts_with_all = ["sync", "add", "remove", "rename"])]
    pub fold: bool,
    #[command(flatten)]
    pub host: HostArgs,
    /// When a file counts as unchanged and keeps its blocks
    #[arg(long, value_enum, default_value_t = CompareArg::Time)]
    pub compare: CompareArg,
    /// Go on where the disc has something that would be lost, as extended attributes
    #[arg(long)]
    pub accept_losses: bool,
    /// Record the fewest blocks, each over what it replaces; a power cut can leave neither tree
    #[arg(long)]
    pub in_place: bool,
    /// Write the plan: the blocks to record, in order, with their content
    #[arg(long, short, value_name = "PLAN")]
    pub output: Option<PathBuf>,
    /// Write the whole result as an image
    #[arg(long, value_name = "IMAGE")]
    pub result: Option<PathBuf>,
    /// The medium that the image is on or for; a virtual disc says so itself
    #[arg(long, value_parser = medium)]
    pub media: Option<Medium>,
    /// Where a disc that is recorded once goes on, if it is in an image: behind it by default
    #[arg(long, value_name = "BLOCK")]
    #[arg(value_parser = clap::value_parser!(u32).range(..=0xffff_ff00))]
    pub next: Option<u32>,
    #[command(flatten)]
    pub time: TimeArgs,
    #[command(flatten)]
    pub tree: TreeArgs,
}

/// `reburn diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// The disc as it is: an image, or virtual:PATH
    pub old: DiscName,
    /// The image that it shall become
    pub new: DiscName,
    /// Write a plan that turns OLD into NEW
    #[arg(long, short, value_name = "PLAN")]
    pub output: Option<PathBuf>,
    /// The medium, whose write units are compared as a whole
    #[arg(long, value_parser = medium)]
    pub media: Option<Medium>,
}

/// `reburn burn`
#[derive(Debug, Args)]
pub struct Burn {
    /// A plan or an image
    pub source: PathBuf,
    /// Where to record it: an image file, virtual:PATH, or a drive such as /dev/sr0
    pub drive: DiscName,
    /// What to read back and compare afterwards
    #[arg(long, value_enum, default_value_t = VerifyArg::Recorded)]
    pub verify: VerifyArg,
    /// Make a virtual disc of this kind if PATH does not exist
    #[arg(long, value_parser = medium)]
    pub media: Option<Medium>,
    /// What becomes of the session on a medium that is recorded in sessions
    #[arg(long, value_enum, default_value_t = CloseArg::Session)]
    pub close: CloseArg,
    /// Record a DVD-R or DVD-RW at once; it is closed then
    #[arg(long)]
    pub at_once: bool,
    /// Go through everything with the laser off: CD, DVD-R and DVD-RW
    #[arg(long)]
    pub simulate: bool,
    /// The speed to write at, in kB/s; the drive takes the nearest that it has
    #[arg(long, value_name = "KB/S")]
    pub speed: Option<u32>,
}

/// `reburn rehearse`
#[derive(Debug, Args)]
pub struct Rehearse {
    /// A plan
    pub plan: PathBuf,
    /// The disc or image that the plan is for: an image, or virtual:PATH. It stays as it is
    pub disc: DiscName,
    /// Decides which of too many ways to cut are tried
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `reburn check`
#[derive(Debug, Args)]
pub struct Check {
    /// An image, virtual:PATH, or a drive such as /dev/sr0
    pub disc: DiscName,
    /// Mend what can be mended: one write unit for each structure that is damaged
    #[arg(long)]
    pub repair: bool,
    /// Read all file data too
    #[arg(long)]
    pub read_all: bool,
    /// With --repair: make an older session of ISO 9660 the one that readers show; newer ones are
    /// listed no more
    #[arg(long, value_name = "N", requires = "repair")]
    pub session: Option<u32>,
    /// The medium that the image is on or for; a virtual disc says so itself
    #[arg(long, value_parser = medium)]
    pub media: Option<Medium>,
}

/// An older state of a disc.
#[derive(Debug, Clone, Args)]
pub struct SessionArgs {
    /// The session of ISO 9660 to read, counted from 1, the oldest; the newest by default
    #[arg(long, value_name = "N", conflicts_with_all = ["start", "last"])]
    pub session: Option<u32>,
}

fn medium(name: &str) -> Result<Medium, String> {
    Medium::from_name(name).ok_or_else(|| {
        let names: Vec<_> = Medium::ALL.iter().map(|medium| medium.name()).collect();
        format!("known media are {}", names.join(", "))
    })
}
