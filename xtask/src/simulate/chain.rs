//! One scenario from a folder to a disc, and from a changed folder to only its changed blocks.
//!
//! Invariants: what is on the disc is always read back through the drive; every comparison is
//! of all blocks that were recorded; the image that the disc is compared with last was built
//! without the plan.

use std::fs::{self, File};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, ImageFile, Lba, PlanFile,
};
use reburn_drive::{DriveExt, DriveReader};
use reburn_image::{ExtractOptions, FileSystemImage, HostOptions, ImportOptions, Medium, extract};
use reburn_recorder::{Event, Options, Recorder, Verify, inspect};
use reburn_tests::{Walk, compare};
use reburn_tree::{Timestamp, Tree};

use super::scenario::Format;
use super::target::Target;

/// The volume's date in the first recording; each later one is a day on.
const FIRST_TIME: i64 = 1_700_000_000;
/// Blocks compared at a time.
const CHUNK: BlockCount = BlockCount::new(512);
/// More free blocks in a row are the blank rest of a medium.
const FREED_MAX: BlockCount = BlockCount::new(8192);
/// Blocks behind the image that must stay as they were.
const BEHIND: u32 = 2048;

/// What one recording cost, and what was found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Round {
    /// Blocks of the whole image.
    pub image: u32,
    /// Blocks recorded to bring the disc up to date.
    pub modified: u32,
    /// Blocks that no plan does without.
    pub lower_bound: u32,
    /// Modelled time of recording the whole image.
    pub image_time: Option<Duration>,
    /// Modelled time of recording the plan.
    pub plan_time: Option<Duration>,
    /// Blocks compared.
    pub compared: u64,
    /// Blocks found different.
    pub differing: u64,
}

/// A disc that follows a folder.
pub struct Chain<'a> {
    medium: Medium,
    format: Format,
    folder: &'a Path,
    /// Where discs, images and extracted trees go.
    work: &'a Path,
    round: u32,
    image_time: Option<Duration>,
    /// Every block that was ever recorded.
    recorded: BlockRangeList,
}

impl<'a> Chain<'a> {
    /// A chain that has recorded nothing yet.
    pub fn new((medium, format): (Medium, Format), folder: &'a Path, work: &'a Path) -> Self {
        Self {
            medium,
            format,
            folder,
            work,
            round: 0,
            image_time: None,
            recorded: BlockRangeList::new(),
        }
    }

    /// Builds the image of the folder, records all of it on a blank disc, reads it back and
    /// extracts it.
    pub fn first(&mut self) -> Result<Round, String> {
        let time = self.time();
        let options = self.format.volume("SIMULATE", time);
        let mut image = FileSystemImage::new(self.medium, options, time);
        image
            .add_host(self.folder, b"/", HostOptions::default())
            .map_err(text)?;
        let result = image.result().map_err(text)?;

        let mut target = Target::blank(self.medium, &self.disc_path())?;
        let before = target.modelled_time();
        record(&mut target, |recorder, events| {
            recorder.record_image(&result, events)
        })?;
        self.image_time = since(&target, before);
        let unit = self.medium.write_unit();
        let used = result.used_ranges();
        let planned = if self.medium.is_sequential() {
            // A disc that is recorded in order has no room for what means nothing.
            let whole = BlockRange::with_count(Lba::ZERO, result.total_blocks());
            whole.into_iter().collect()
        } else {
            used.clone()
        };
        self.note_written(&mut target, &planned.align_outward(unit))?;

        let mut round = Round {
            image: used.block_count().get(),
            image_time: self.image_time,
            ..Round::default()
        };
        let (disc, options) = self.read(&mut target)?;
        compare_ranges(&disc, &result, &used, &mut round)?;
        self.compare_tree(&disc, &options)?;
        Ok(round)
    }

    /// Works out what the changed folder changes on the disc, records only that, and checks
    /// every block of the outcome.
    pub fn next(&mut self) -> Result<Round, String> {
        self.round += 1;
        let (base_copy, base_options) = self.copy_disc()?;
        let mut target = self.load()?;
        let plan_path = self.work.join(format!("{}.plan", self.round));
        let mut round = self.plan(&mut target, &plan_path)?;

        let plan = PlanFile::open(&plan_path).map_err(text)?;
        plan.check_blocks().map_err(text)?;
        let before = target.modelled_time();
        record(&mut target, |recorder, events| {
            recorder.record_plan(plan.plan(), &plan, events)
        })?;
        round.plan_time = since(&target, before);
        self.note_written(&mut target, &plan.plan().modified.ranges().collect())?;

        // In another drive, against an image that no plan went into.
        drop(target);
        let mut target = self.load()?;
        let (expected, used) = self.build_independently(&base_copy, &base_options)?;
        let (disc, options) = self.read(&mut target)?;
        let expected = ImageFile::open(&expected).map_err(text)?;
        compare_ranges(&disc, &expected, &self.readable(&used), &mut round)?;
        if !self.medium.is_sequential() {
            compare_behind(&disc, &base_copy, expected.block_count(), &mut round)?;
        }
        self.compare_tree(&disc, &options)?;
        Ok(round)
    }

    /// Imports the disc, changes the tree, saves the plan, and compares result and disc where
    /// the plan records nothing.
    fn plan(&self, target: &mut Target, path: &Path) -> Result<Round, String> {
        let (disc, options) = self.read(target)?;
        let mut image = FileSystemImage::import(&disc, &options).map_err(text)?;
        image
            .sync_host(self.folder, HostOptions::default())
            .map_err(text)?;
        let result = image.result().map_err(text)?;
        let plan = result.plan().map_err(text)?;
        let mut out = BufWriter::new(File::create(path).map_err(text)?);
        plan.save(&result, &mut out).map_err(text)?;
        out.flush().map_err(text)?;

        let used = result.used_ranges();
        let mut round = Round {
            image: used.block_count().get(),
            modified: plan.modified.block_count().get(),
            lower_bound: plan.lower_bound.get(),
            image_time: self.image_time,
            ..Round::default()
        };
        // What is not recorded must be on the disc already.
        let recorded: BlockRangeList = plan.modified.ranges().collect();
        let on_disc = BlockRange::with_count(Lba::ZERO, disc.block_count());
        let kept = self.readable(&used).difference(&recorded);
        let kept = kept.intersection(&on_disc.into_iter().collect());
        compare_ranges(&disc, &result, &kept, &mut round)?;
        Ok(round)
    }

    /// The same edit, from a copy of the disc as it was to a file of every block, and which of
    /// those mean something.
    fn build_independently(
        &self,
        base: &Path,
        options: &ImportOptions,
    ) -> Result<(PathBuf, BlockRangeList), String> {
        let base = ImageFile::open(base).map_err(text)?;
        let mut image = FileSystemImage::import(&base, options).map_err(text)?;
        image
            .sync_host(self.folder, HostOptions::default())
            .map_err(text)?;
        let path = self.work.join("expected.img");
        let mut file = File::create(&path).map_err(text)?;
        let result = image.result().map_err(text)?;
        result.write_to(&mut file, &mut |_| {}).map_err(text)?;
        Ok((path, result.used_ranges()))
    }

    /// Extracts every file system on the disc and compares it with the folder, name by name.
    fn compare_tree(&self, disc: &dyn BlockRead, options: &ImportOptions) -> Result<(), String> {
        if let Format::Bridge(_) = self.format {
            let iso = reburn_iso9660::Volume::open(disc, Lba::ZERO).map_err(text)?;
            let iso = iso.read_tree(disc, iso.best()).map_err(text)?;
            self.compare_extracted(disc, &iso.tree)?;
            let session = reburn_udf::Session::default();
            let udf = reburn_udf::Volume::open(disc, session).map_err(text)?;
            let udf = udf.read_tree(disc).map_err(text)?;
            return self.compare_extracted(disc, &udf.tree);
        }
        let image = FileSystemImage::import(disc, options).map_err(text)?;
        self.compare_extracted(disc, image.tree())
    }

    fn compare_extracted(&self, disc: &dyn BlockRead, tree: &Tree) -> Result<(), String> {
        let to = self.work.join("extracted");
        let options = ExtractOptions {
            owners: rustix::process::geteuid().is_root(),
            ..ExtractOptions::default()
        };
        extract(tree, disc, Tree::ROOT, &to, options).map_err(text)?;
        let walks = (
            Walk::of(self.folder).map_err(text)?,
            Walk::of(&to).map_err(text)?,
        );
        fs::remove_dir_all(&to).map_err(text)?;
        let comparison = compare(&walks.0, &walks.1, &[]);
        if comparison.differences.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "the files on the disc are not those of the folder: {comparison}"
            ))
        }
    }

    /// The disc in a file: what means something on it, and what was freed in between, with which
    /// packets are filled up. Of a disc that is recorded in order, all that was recorded.
    fn copy_disc(&self) -> Result<(PathBuf, ImportOptions), String> {
        let mut target = self.load()?;
        let (disc, options) = self.read(&mut target)?;
        let path = self.work.join("base.img");
        let mut file = File::create(&path).map_err(text)?;
        if self.medium.is_sequential() {
            copy_ranges(&disc, &self.recorded, &mut file)?;
            return Ok((path, options));
        }
        let image = FileSystemImage::import(&disc, &options).map_err(text)?;
        let result = image.result().map_err(text)?;
        result.write_to(&mut file, &mut |_| {}).map_err(text)?;
        let freed = result.used_ranges().complement(result.total_blocks());
        let small = freed
            .iter()
            .filter(|range| range.block_count() <= FREED_MAX);
        copy_ranges(&disc, &small.collect(), &mut file)?;
        Ok((path, options))
    }

    /// The disc, and how it is imported: the drive says where one goes on that is appended to.
    fn read<'t>(
        &self,
        target: &'t mut Target,
    ) -> Result<(DriveReader<&'t mut Target>, ImportOptions), String> {
        target.clear_attentions().map_err(text)?;
        let found = inspect(target).map_err(text)?;
        let options = ImportOptions {
            append: found.appendable(),
            ..self.import_options()
        };
        let disc = match found.sequence {
            Some(_) => DriveReader::with_count(target, found.capacity),
            None => DriveReader::new(target).map_err(text)?,
        };
        Ok((disc, options))
    }

    /// What of these blocks can be compared: between sessions of some media nothing can be read.
    fn readable(&self, ranges: &BlockRangeList) -> BlockRangeList {
        if self.medium.is_sequential() {
            ranges.intersection(&self.recorded)
        } else {
            ranges.clone()
        }
    }

    /// The recorder wrote what was planned, and nothing else.
    fn note_written(
        &mut self,
        target: &mut Target,
        planned: &BlockRangeList,
    ) -> Result<(), String> {
        let written = target.take_written();
        self.recorded.extend(written.iter());
        same_ranges(&written, planned)
    }

    fn load(&self) -> Result<Target, String> {
        Target::load(self.medium, &self.disc_path())
    }

    fn disc_path(&self) -> PathBuf {
        self.work.join("disc")
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_seconds(FIRST_TIME + 86_400 * i64::from(self.round))
    }

    fn import_options(&self) -> ImportOptions {
        let (medium, time) = (self.medium, self.time());
        ImportOptions {
            medium,
            hierarchy: None,
            time,
            accept_losses: false,
            append: None,
        }
    }
}

fn copy_ranges(
    disc: &dyn BlockRead,
    ranges: &BlockRangeList,
    file: &mut File,
) -> Result<(), String> {
    for range in ranges {
        let mut bytes = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
        disc.read_blocks(range.start_lba(), &mut bytes)
            .map_err(text)?;
        let start = SeekFrom::Start(range.start_lba().byte_offset());
        file.seek(start).map_err(text)?;
        file.write_all(&bytes).map_err(text)?;
    }
    Ok(())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn since(target: &Target, before: Option<Duration>) -> Option<Duration> {
    Some(target.modelled_time()?.saturating_sub(before?))
}

/// Records, and reads back what was recorded.
fn record(
    target: &mut Target,
    recording: impl FnOnce(
        &mut Recorder<'_>,
        &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<reburn_recorder::Outcome, reburn_recorder::Failure>,
) -> Result<(), String> {
    let options = Options {
        verify: Verify::None,
        ..Options::default()
    };
    let mut recorder = Recorder::with_options(target, options);
    recording(&mut recorder, &mut |_| ControlFlow::Continue(()))
        .map(drop)
        .map_err(text)
}

fn same_ranges(written: &BlockRangeList, planned: &BlockRangeList) -> Result<(), String> {
    if written == planned {
        return Ok(());
    }
    let (more, less) = (written.difference(planned), planned.difference(written));
    Err(format!(
        "the recorder wrote {more} beyond the plan and left out {less}"
    ))
}

/// Compares these blocks of `expected` with the disc.
fn compare_ranges(
    disc: &dyn BlockRead,
    expected: &dyn BlockRead,
    ranges: &BlockRangeList,
    round: &mut Round,
) -> Result<(), String> {
    ranges
        .iter()
        .try_for_each(|range| compare_range(disc, expected, range, round))
}

fn compare_range(
    disc: &dyn BlockRead,
    expected: &dyn BlockRead,
    range: BlockRange,
    round: &mut Round,
) -> Result<(), String> {
    let mut buffers = [0, 1].map(|_| vec![0; CHUNK.as_usize() * BLOCK_SIZE]);
    for piece in range.pieces(CHUNK) {
        let len = piece.block_count().as_usize() * BLOCK_SIZE;
        let [seen, wanted] = &mut buffers;
        let (seen, wanted) = (&mut seen[..len], &mut wanted[..len]);
        disc.read_blocks(piece.start_lba(), seen).map_err(text)?;
        expected
            .read_blocks(piece.start_lba(), wanted)
            .map_err(text)?;
        round.compared += u64::from(piece.block_count().get());
        let pairs = seen.chunks(BLOCK_SIZE).zip(wanted.chunks(BLOCK_SIZE));
        round.differing += pairs.filter(|(seen, wanted)| seen != wanted).count() as u64;
    }
    Ok(())
}

/// Behind the image the disc must be as it was: as the copy of it has it, and blank behind
/// that.
fn compare_behind(
    disc: &dyn BlockRead,
    base: &Path,
    end: BlockCount,
    round: &mut Round,
) -> Result<(), String> {
    let base = ImageFile::open(base).map_err(text)?;
    let last = disc
        .block_count()
        .get()
        .min(end.get().saturating_add(BEHIND));
    let Some(behind) = BlockRange::with_count(
        Lba::new(end.get()),
        BlockCount::new(last.saturating_sub(end.get())),
    ) else {
        return Ok(());
    };
    let mut filled = reburn_blocks::Overlay::new(base);
    let blank = vec![0; BLOCK_SIZE];
    if filled.block_count().get() < last {
        let end = Lba::new(last - 1);
        reburn_blocks::BlockWrite::write_blocks(&mut filled, end, &blank).map_err(text)?;
    }
    compare_range(disc, &filled, behind, round)
}
