//! What is on a disc after whatever happened to it, what of it is not whole, and what to record so
//! that it is again.
//!
//! Every commit protocol keeps both trees whole until its last epoch, so there is always a copy to
//! mend from. What prevails is what readers show: the head of ISO 9660 at block 16, the main
//! descriptor sequence of UDF, the entry of its metadata file, its first sparing table; the other
//! copy only where that one cannot be used.
//!
//! | what | mended from |
//! |---|---|
//! | head of ISO 9660 | the newest session that is whole; beside UDF the one with the same tree |
//! | anchors | any other |
//! | descriptor sequence, metadata entry, sparing table, metadata block | the other copy |
//! | recognition sequence | the revision of the volume |
//! | place in the integrity sequence | zeros, or a newer descriptor behind it |
//! | virtual allocation table that is not at the end | recorded once more there |
//!
//! Invariants: nothing is written where nothing is wrong, so a repaired disc has no repair; each
//! structure takes one write unit, as far as it fits into one; a write unit with something else in
//! it that cannot be read is left alone; a repair that was cut is repaired in the same way. On a
//! disc that can only be appended to, nothing but a table is mended.

mod finding;
mod iso;
mod recognition;
mod repair;
mod search;
mod sessions;
mod table;
mod udf;
mod unreadable;

use std::fmt;

use reburn_blocks::{Appendable, BlockRange, BlockRangeList, BlockRead, Lba};
use reburn_tree::{Timestamp, Tree};

pub use finding::Finding;
pub use repair::Repair;

use self::iso::IsoFound;
use self::repair::Job;
use self::udf::UdfFound;
use crate::base::Base;
use crate::{EntireImageRequired, ImageError, Medium, View};

/// How thoroughly a disc is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CheckOptions {
    /// Whether all file data are read too. Takes as long as reading the disc.
    pub read_data: bool,
    /// Where the disc goes on, if it can only be appended to, and which session readers begin in.
    pub append: Option<Appendable>,
}

/// What readers of one file system show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The volume's name.
    pub label: String,
    /// When the volume was last changed, as it says.
    pub time: Option<Timestamp>,
    /// The number of the session of ISO 9660, counted from 1; none where the disc has no note of
    /// it.
    pub session: Option<u32>,
    /// Names of files.
    pub files: u64,
    /// Folders, the root included.
    pub folders: u64,
}

/// One file system of a disc: what its readers show, or why they show nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewHealth {
    /// Which it is.
    pub view: View,
    /// What readers show that begin where all readers do.
    pub shown: Result<Shown, String>,
}

/// What is on a disc and what of it is not whole.
pub struct Health<'d> {
    views: Vec<ViewHealth>,
    findings: Vec<Finding>,
    repair: Option<Repair<'d>>,
}

impl fmt::Debug for Health<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("views", &self.views)
            .field("findings", &self.findings)
            .finish_non_exhaustive()
    }
}

impl<'d> Health<'d> {
    /// Looks at every structure of a disc that exists twice, and reads all names.
    ///
    /// # Errors
    /// If nothing is on the disc that is or was a file system.
    pub fn check(disc: &'d dyn BlockRead, medium: Medium) -> Result<Self, ImageError> {
        Self::check_with(disc, medium, CheckOptions::default())
    }

    /// [`Health::check`] with options.
    ///
    /// # Errors
    /// See [`Health::check`].
    pub fn check_with(
        disc: &'d dyn BlockRead,
        medium: Medium,
        options: CheckOptions,
    ) -> Result<Self, ImageError> {
        let mut diagnosis = Diagnosis::new(disc, medium, options.append);
        let udf = diagnosis.examine_udf();
        let iso = diagnosis.examine_iso(udf.as_ref());
        if diagnosis.views.is_empty() {
            return Err(nothing_here(disc, medium, options.append));
        }
        if let Some(udf) = &udf {
            diagnosis.examine_recognition(udf, iso.as_ref());
        }
        diagnosis.examine_blocks(udf.as_ref(), iso.as_ref(), options);
        diagnosis.keep_apart();
        let label = label(udf.as_ref(), iso.as_ref());
        if let Some(append) = options.append {
            return diagnosis.end_appendable(label, append);
        }
        let Diagnosis {
            views,
            mut findings,
            jobs,
            live,
            metadata,
            ..
        } = diagnosis;
        let live = live.as_ref();
        let repair = Repair::new(disc, medium, label, &jobs, live, &metadata, &mut findings)?;
        Ok(Self {
            views,
            findings,
            repair,
        })
    }

    /// What readers show, for each file system of the disc.
    pub fn views(&self) -> &[ViewHealth] {
        &self.views
    }

    /// What is not whole, or was read leniently.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What mends all that can be mended; none where nothing can, or nothing needs to.
    pub fn repair(&self) -> Option<&Repair<'d>> {
        self.repair.as_ref()
    }

    /// The repair alone.
    pub fn into_repair(self) -> Option<Repair<'d>> {
        self.repair
    }

    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What was found so far.
struct Diagnosis<'d> {
    disc: &'d dyn BlockRead,
    medium: Medium,
    views: Vec<ViewHealth>,
    findings: Vec<Finding>,
    jobs: Vec<Job>,
    /// Blocks that a reader needs; none known where a tree could not be read.
    live: Option<BlockRangeList>,
    /// Blocks that tell the disc from others.
    metadata: BlockRangeList,
    /// Blocks of ISO 9660, which no repair of UDF may write over.
    of_iso: BlockRangeList,
    /// Blocks of files of UDF, which no repair of ISO 9660 may write over.
    of_udf: BlockRangeList,
    /// Where the disc goes on, if it can only be appended to.
    append: Option<Appendable>,
    /// A volume whose table is not where readers look, and the finding that says so.
    table: Option<(usize, reburn_udf::Volume)>,
}

impl<'d> Diagnosis<'d> {
    fn new(disc: &'d dyn BlockRead, medium: Medium, append: Option<Appendable>) -> Self {
        Self {
            disc,
            medium,
            views: Vec::new(),
            findings: Vec::new(),
            jobs: Vec::new(),
            live: Some(BlockRangeList::new()),
            metadata: BlockRangeList::new(),
            of_iso: BlockRangeList::new(),
            of_udf: BlockRangeList::new(),
            append,
            table: None,
        }
    }

    /// Drops what would write over blocks of the other file system: one of the two is what a disc
    /// held before it was recorded anew.
    fn keep_apart(&mut self) {
        let Self {
            findings,
            jobs,
            of_iso,
            of_udf,
            ..
        } = self;
        jobs.retain(|job| {
            let finding = &mut findings[job.finding];
            let others = match finding.view {
                View::Iso => &*of_udf,
                View::Udf => &*of_iso,
            };
            let is_apart = !others.intersects(job.range);
            if !is_apart {
                finding.obstacle = Some("blocks of the other file system are there".into());
            }
            is_apart
        });
    }

    fn block(&self, lba: Lba) -> Option<Vec<u8>> {
        let mut block = vec![0; reburn_blocks::BLOCK_SIZE];
        self.disc.read_blocks(lba, &mut block).ok()?;
        Some(block)
    }

    /// Whether a block is on the disc, but cannot be read.
    fn is_lost(&self, lba: Lba) -> bool {
        lba.get() < self.disc.block_count().get() && self.block(lba).is_none()
    }

    fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Notes a finding that the job mends, if nothing stands against it.
    fn find_and_mend(&mut self, finding: Finding, mut job: Job) {
        job.finding = self.findings.len();
        self.findings.push(finding);
        self.jobs.push(job);
    }

    fn show(&mut self, view: View, shown: Result<Shown, String>) {
        self.views.push(ViewHealth { view, shown });
    }

    /// Takes in which blocks a tree needs.
    fn need(&mut self, metadata: &BlockRangeList, data: &BlockRangeList) {
        self.metadata = self.metadata.union(metadata);
        if let Some(live) = &mut self.live {
            *live = live.union(&metadata.union(data));
        }
    }
}

/// Names of files and folders in a tree, the root included.
fn counts(tree: &Tree) -> (u64, u64) {
    tree.walk(Tree::ROOT)
        .fold((0, 0), |(files, folders), (node, _)| {
            if tree.is_directory(node) {
                (files, folders + 1)
            } else {
                (files + 1, folders)
            }
        })
}

fn label(udf: Option<&UdfFound>, iso: Option<&IsoFound>) -> String {
    let of_udf = udf.map(|udf| udf.volume.label());
    of_udf.or(iso.map(IsoFound::label)).unwrap_or_default()
}

/// Why there is nothing to check, as an import says it.
fn nothing_here(disc: &dyn BlockRead, medium: Medium, append: Option<Appendable>) -> ImageError {
    let options = crate::ImportOptions {
        medium,
        hierarchy: None,
        time: Timestamp::EPOCH,
        accept_losses: true,
        append,
    };
    match Base::read(disc, &options) {
        Err(error) => error,
        Ok(_) => EntireImageRequired::NoBase.into(),
    }
}

/// One block as a range.
fn single(lba: Lba) -> BlockRange {
    BlockRange::single(lba)
}
