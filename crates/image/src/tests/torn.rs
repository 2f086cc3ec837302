//! Discs that cannot be read everywhere, as power cuts and scratches leave them.

use reburn_blocks::{BlockRange, ReadError, WriteUnit};

use super::disc::{self, Contents, Disc};
use super::udf::small_volume;
use super::*;
use crate::{FileSystems, Finding, Health, View};

/// A disc of which some blocks cannot be read.
#[derive(Debug, Clone)]
pub(super) struct Torn {
    pub(super) disc: Disc,
    lost: BlockRangeList,
}

impl Torn {
    pub(super) fn new(disc: &Disc) -> Self {
        Self {
            disc: disc.clone(),
            lost: BlockRangeList::new(),
        }
    }

    pub(super) fn lose(&mut self, range: BlockRange) {
        self.lost.insert(range);
    }

    /// Records a write unit.
    pub(super) fn record(&mut self, range: BlockRange, from: &dyn BlockRead) {
        self.lost = self.lost.difference(&BlockRangeList::from_iter([range]));
        self.disc.copy(range, from);
    }

    /// The same with the first bytes of a block recorded.
    pub(super) fn half_recorded(&self, lba: Lba, bytes: usize, from: &dyn BlockRead) -> Self {
        let mut block = vec![0; BLOCK_SIZE];
        from.read_filled(lba, &mut block).unwrap();
        block[bytes..].copy_from_slice(&self.disc.block(lba)[bytes..]);
        let mut half = self.clone();
        half.disc.write_blocks(lba, &block).unwrap();
        half
    }

    pub(super) fn records(&self, plan: &Plan, from: &dyn BlockRead) -> Self {
        let mut new = self.clone();
        for range in plan.modified.ranges() {
            new.record(range, from);
        }
        new
    }
}

impl BlockRead for Torn {
    fn block_count(&self) -> BlockCount {
        self.disc.block_count()
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let range = BlockRange::with_count(start, BlockCount::in_buffer(buf.len()));
        let lost = self.lost.intersection(&range.into_iter().collect());
        match lost.iter().next() {
            Some(range) => Err(ReadError::Unreadable {
                lba: range.start_lba(),
                reason: "torn".into(),
            }),
            None => self.disc.read_blocks(start, buf),
        }
    }
}

/// What readers of each file system that the disc has show.
pub(super) fn shown(disc: &Torn, views: &[View]) -> Vec<Result<Contents, String>> {
    let read = |view: &View| match view.read(disc) {
        Ok(tree) => Ok(contents_of(&tree, disc)),
        Err(error) => Err(error.to_string()),
    };
    views.iter().map(read).collect()
}

pub(super) fn views_of(systems: &FileSystems) -> Vec<View> {
    match systems {
        FileSystems::Iso(_) => vec![View::Iso],
        FileSystems::Udf(_) => vec![View::Udf],
        _ => vec![View::Iso, View::Udf],
    }
}

pub(super) fn said(health: &Health<'_>) -> String {
    let findings = health.findings().iter().map(ToString::to_string);
    findings.collect::<Vec<_>>().join("\n")
}

/// Checks a disc that must be whole.
pub(super) fn assert_whole(disc: &Torn, medium: Medium) {
    let health = Health::check(disc, medium).unwrap();
    assert!(health.is_whole(), "{medium}: {}", said(&health));
    assert!(health.repair().is_none());
    assert!(health.views().iter().all(|view| view.shown.is_ok()));
}

/// Checks a disc of which nothing is left to repair. A second copy of all metadata is made by the
/// next edit.
pub(super) fn assert_mended(disc: &Torn, medium: Medium) {
    let health = Health::check(disc, medium).unwrap();
    let is_left = |finding: &&Finding| !finding.what.contains("no blocks of its own");
    let left = health.findings().iter().find(is_left);
    assert!(left.is_none(), "{medium}: {}", said(&health));
    assert!(health.repair().is_none());
}

/// One change of everything that a tree has.
pub(super) fn edited(image: &mut FileSystemImage<'_>, round: u8) {
    let path = [b"/docs/new-", &[b'a' + round][..]].concat();
    image.add(&path, file(), bytes(round, 5000)).unwrap();
    image.replace(b"/small", file(), bytes(round, 700)).unwrap();
}

/// A disc with some edits, so that nothing is new anymore.
pub(super) fn grown(medium: Medium, systems: FileSystems, edits: u8) -> Disc {
    let mut disc = small_volume(medium, systems);
    for round in 0..edits {
        let mut image = import(&disc, medium);
        edited(&mut image, round);
        let result = image.result().unwrap();
        let states = disc::record(&disc, &result.plan().unwrap(), &result);
        disc = states.last().unwrap().clone();
    }
    disc
}

/// Every state that a power cut in a commit can leave, one write unit in flight.
pub(super) fn cut_states(
    disc: &Disc,
    plan: &Plan,
    result: &ResultImage<'_>,
) -> Vec<(String, Torn)> {
    let unit: WriteUnit = plan.modified.write_unit();
    let mut now = Torn::new(disc);
    let mut states = vec![("before".into(), now.clone())];
    for (index, epoch) in plan.modified.epochs().iter().enumerate() {
        for range in &epoch.ranges {
            for one in range.pieces(unit.blocks()) {
                let mut torn = now.clone();
                torn.lose(one);
                states.push((format!("epoch {index}, {one} torn"), torn));
                if unit == WriteUnit::FILE {
                    // A host writes sectors of 512 bytes.
                    for bytes in [512, 1024, 1536] {
                        let half = now.half_recorded(one.start_lba(), bytes, result);
                        states.push((format!("epoch {index}, {bytes} bytes of {one}"), half));
                    }
                }
                now.record(one, result);
                if epoch.role == EpochRole::Commit {
                    states.push((format!("epoch {index}, {one} done"), now.clone()));
                }
            }
        }
    }
    states
}
