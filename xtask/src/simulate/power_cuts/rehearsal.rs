//! One scenario from a disc to a report.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use reburn_blocks::{CrashClass, Plan, Protocol, WriteUnit};
use reburn_image::{FileSystemImage, Medium};
use reburn_rehearse::{Cost, Explorer, Options, RepairFn, Report, mend};
use reburn_tree::{Timestamp, Tree};

use super::disc::{Disc, text};
use super::edits::{Change, bytes, file, fill, fill_large};
use super::scenario::{Case, Scenario, Volume};

/// When discs are new.
const THEN: Timestamp = Timestamp::from_seconds(1_600_000_000);

/// What a scenario came to.
pub struct Found {
    /// How the disc gets from old to new.
    pub protocol: Protocol,
    /// What the rehearsal found.
    pub report: Report,
}

/// Rehearses scenarios; discs that many of them begin with are made once.
pub struct Stage {
    options: Options,
    small: HashMap<(Medium, Volume), Disc>,
}

impl Stage {
    /// A stage without discs.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            small: HashMap::new(),
        }
    }

    /// Rehearses a scenario; `None` if there is nothing to change for one of its changes, or it
    /// changes nothing.
    pub fn rehearse(&mut self, scenario: &Scenario) -> Result<Option<Found>, String> {
        let Scenario { medium, volume, .. } = *scenario;
        let options = self.options;
        let is_repaired = scenario.is_repaired();
        match &scenario.case {
            Case::Changes(changes) => {
                let disc = self.small(medium, volume)?;
                rehearse(disc, (medium, is_repaired), options, |image| {
                    make_all(image, changes)
                })
            }
            &Case::Large(files, folders, depth, changes) => {
                let fill =
                    |image: &mut FileSystemImage<'_>| fill_large(image, (files, folders, depth));
                let disc = new_disc(medium, volume, fill)?;
                rehearse(&disc, (medium, is_repaired), options, |image| {
                    change_files(image, changes)
                })
            }
            &Case::Edit(number) => {
                let mut disc = new_disc(medium, volume, fill)?;
                for edit in 0..number {
                    disc = record(&disc, medium, edit)?;
                }
                rehearse(&disc, (medium, is_repaired), options, |image| {
                    edit(image, number)
                })
            }
            &Case::Cut(state) => {
                let disc = self.small(medium, volume)?;
                let Some(disc) = cut_disc(disc, medium, options, state)? else {
                    return Ok(None);
                };
                // What readers refuse, or has lost a unit that the edit writes, is repaired first.
                if !can_be_edited(&disc, medium) {
                    return Ok(None);
                }
                rehearse(&disc, (medium, is_repaired), options, |image| {
                    make_all(image, &[Change::Grow, Change::Add])
                })
            }
        }
    }

    fn small(&mut self, medium: Medium, volume: Volume) -> Result<&Disc, String> {
        Ok(match self.small.entry((medium, volume)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(new_disc(medium, volume, fill)?),
        })
    }
}

fn new_disc(
    medium: Medium,
    volume: Volume,
    fill: impl FnOnce(&mut FileSystemImage<'_>) -> Result<(), String>,
) -> Result<Disc, String> {
    let mut image = FileSystemImage::new(medium, volume.file_systems(THEN), THEN);
    fill(&mut image)?;
    Disc::of(&image.result().map_err(text)?)
}

fn make_all(image: &mut FileSystemImage<'_>, changes: &[Change]) -> Result<bool, String> {
    for (number, change) in (0u8..).zip(changes) {
        if !change.make(image, number)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Gives every so many files other content, in places all over the tree.
fn change_files(image: &mut FileSystemImage<'_>, changes: usize) -> Result<bool, String> {
    let tree = image.tree();
    let nodes = tree.walk(Tree::ROOT).map(|(node, _)| node);
    let files: Vec<_> = nodes.filter(|&node| !tree.is_directory(node)).collect();
    let step = (files.len() / changes).max(1);
    let paths: Vec<_> = { files.iter().step_by(step) }
        .map(|&node| tree.path(node))
        .collect();
    for (number, path) in paths.iter().enumerate() {
        let content = bytes(7, 300 + number % 5 * 2000);
        image.replace(path, file(), content).map_err(text)?;
    }
    Ok(true)
}

/// The edit of that number in a row: something new, and what an earlier one added is removed.
fn edit(image: &mut FileSystemImage<'_>, number: u8) -> Result<bool, String> {
    Change::Add.make(image, number)?;
    Change::Overwrite.make(image, number % 4)?;
    if number % 3 == 2 {
        Change::Remove.make(image, number)?;
    }
    Ok(true)
}

fn record(disc: &Disc, medium: Medium, number: u8) -> Result<Disc, String> {
    let mut image = disc.import(medium)?;
    edit(&mut image, number)?;
    let result = image.result().map_err(text)?;
    disc.record(&result.plan().map_err(text)?, &result)
}

/// The disc as a cut of another edit left it, in the distinct state of that number.
fn cut_disc(
    disc: &Disc,
    medium: Medium,
    options: Options,
    state: usize,
) -> Result<Option<Disc>, String> {
    let mut image = disc.import(medium)?;
    make_all(&mut image, &[Change::Embed, Change::Shrink])?;
    let result = image.result().map_err(text)?;
    let plan = result.plan().map_err(text)?;
    let mut explorer = Explorer::new(disc.blocks(), &plan, &result, options).map_err(text)?;
    explorer.run();
    let Some(found) = explorer.distinct_states().get(state).cloned() else {
        return Ok(None);
    };
    let cut = explorer.with_disc(&found.state, |cut| disc.cut(&found.state, cut));
    cut.transpose().map(Option::flatten)
}

fn can_be_edited(disc: &Disc, medium: Medium) -> bool {
    let plan = || {
        let mut image = disc.import(medium)?;
        make_all(&mut image, &[Change::Grow, Change::Add])?;
        let result = image.result().map_err(text)?;
        result.plan().map_err(text)
    };
    plan().is_ok()
}

/// Cuts the recording of an edit everywhere.
fn rehearse(
    disc: &Disc,
    (medium, is_repaired): (Medium, bool),
    options: Options,
    edit: impl FnOnce(&mut FileSystemImage<'_>) -> Result<bool, String>,
) -> Result<Option<Found>, String> {
    let mut image = disc.import(medium)?;
    if !edit(&mut image)? {
        return Ok(None);
    }
    let result = image.result().map_err(text)?;
    let plan = result.plan().map_err(text)?;
    if plan.modified.is_empty() {
        return Ok(None);
    }
    let base = disc.blocks();
    let repair: Box<RepairFn<'_>> = Box::new(|disc| mend(disc, medium));
    let mut explorer = Explorer::recorded(base, &plan, &result, medium, options).map_err(text)?;
    if is_repaired {
        explorer = explorer.with_repair(&*repair);
    }
    let report = explorer.run();
    check_cost(&plan, report.cost)?;
    let protocol = plan.protocol;
    Ok(Some(Found { protocol, report }))
}

/// A medium takes exactly what the protocol says.
fn check_cost(plan: &Plan, cost: Cost) -> Result<(), String> {
    let unit = plan.modified.write_unit();
    if unit == WriteUnit::FILE {
        return Ok(());
    }
    let expected = match plan.protocol {
        Protocol::HeadSwap => (1, 2),
        // A full integrity sequence goes on beside itself, and both descriptor sequences say so.
        Protocol::MirrorFlip | Protocol::SparingRedo if plan.class != CrashClass::Atomic => (4, 5),
        Protocol::MirrorFlip | Protocol::VdsFlip | Protocol::SparingRedo => (2, 3),
        Protocol::Bridge => (3, 4),
        _ => return Ok(()),
    };
    if (cost.rewritten, cost.barriers) == expected {
        return Ok(());
    }
    Err(format!(
        "{} takes {cost:?} instead of {expected:?}",
        plan.protocol
    ))
}
