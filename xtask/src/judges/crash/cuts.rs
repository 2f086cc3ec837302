//! The judge of power cuts: outside readers on the states that a cut can leave of a recording.
//!
//! - The states come from a rehearsal of what the recorder tells a drive: all that the own reader
//!   can tell apart, since readers differ in what they look at, and a sample of the others.
//! - Nobody may show what is neither the old tree nor the new one, in any class.
//! - In the atomic class the kernel must show one of them in every state, and libblkid must find
//!   the volume. 7-Zip knows no second copies, so it may refuse; how often is counted.
//! - In the recoverable class readers may refuse, until the disc is repaired: a sample of states
//!   is, and then everybody must read it.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use reburn_blocks::{
    BlockRange, BlockRead, CrashClass, EpochRole, ExtentMap, ImageFile, Plan, Protocol,
};
use reburn_image::{Health, Medium, ResultImage, UdfRevision};
use reburn_rehearse::{Content, CrashState, Explorer, Options};

use super::answer::{Answer, Reader};
use super::disc::{Instead, Patches};
use super::expected::Group;
use super::look::{Answers, Looked, Original, State, look};
use super::volumes::{Folders, Kind, read, text};
use crate::judges::Judge;
use crate::judges::evidence::{Evidence, failed};
use crate::judges::report::Report;
use crate::simulate::scenario::Format;

pub const JUDGE: Judge = Judge {
    name: "power cuts",
    proves: "the kernel shows the old or the new tree after a cut, others nothing else",
    needs: &super::NEEDS,
    optional: false,
    run,
};

/// The media, one of each size of write units.
const MEDIA: [Medium; 2] = [Medium::DvdPlusRw, Medium::BdRe];

/// How many states are looked at of one recording.
struct Limits {
    /// Of those that the own reader can tell apart, and of all others.
    distinct: usize,
    others: usize,
    /// States that are repaired.
    repaired: usize,
}

const SAMPLE: Limits = Limits {
    distinct: 12,
    others: 4,
    repaired: 2,
};
/// Everything that can be told apart; thousands of others lead to the same answers.
const FULL: Limits = Limits {
    distinct: usize::MAX,
    others: 60,
    repaired: 20,
};

/// The kinds of volumes, each of which is changed by another protocol.
fn formats() -> [Format; 5] {
    let of = |group: Group| group.kind(Medium::DvdPlusRw).format;
    [
        of(Group::Metadata),
        of(Group::Sparable),
        of(Group::Plain),
        of(Group::Iso),
        Format::Bridge(UdfRevision::V1_02),
    ]
}

/// What is known of a state that is looked at.
struct Case {
    kind: Kind,
    protocol: Protocol,
    class: CrashClass,
    is_repaired: bool,
    /// Whether it is no state of a recording that keeps its order, so that somebody must notice.
    is_wrong: bool,
}

/// States to look at, and what is known of each.
#[derive(Default)]
struct Cuts {
    cases: Vec<Case>,
    states: Vec<State>,
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("power cuts")?;
    let folders = Folders::make(&folder)?;
    let limits = if evidence.is_full() { &FULL } else { &SAMPLE };
    let mut cuts = Cuts::default();
    for (number, format) in formats().into_iter().enumerate() {
        for (place, medium) in MEDIA.into_iter().enumerate() {
            // A sample has every format on one medium or the other, and the first on both.
            if evidence.is_full() || number == 0 || number % MEDIA.len() == place {
                let kind = Kind { format, medium };
                cuts.add(kind, &folders, &folder, limits)
                    .map_err(|error| format!("{kind}: {error}"))?;
            }
        }
    }
    let looked = look(&cuts.states, &folder)?;
    cuts.judge(&looked, report);
    for line in cuts.table(&looked) {
        report.note(line);
    }
    evidence.discard(&folder)
}

impl Cuts {
    /// Adds the states of one recording.
    fn add(
        &mut self,
        kind: Kind,
        folders: &Folders,
        folder: &Path,
        limits: &Limits,
    ) -> Result<(), String> {
        let image = folder.join(format!("{}.img", self.states.len()));
        kind.make(&folders.old, &image)?;
        let disc = ImageFile::open(&image).map_err(failed(&image))?;
        let mut patches = Patches::create(image.with_extension("patches"))?;
        let original = Rc::new(Original {
            patches: patches.path().to_path_buf(),
            image,
            blocks: disc.block_count(),
            views: kind.views(),
            trees: folders.trees.clone(),
        });
        kind.change(&disc, &folders.new, |plan, result| {
            let found = states(&disc, (plan, result), kind.medium, limits, &mut patches)?;
            for (name, instead, is_repaired) in found {
                self.cases.push(Case {
                    kind,
                    protocol: plan.protocol,
                    class: plan.class,
                    is_repaired,
                    is_wrong: false,
                });
                self.states.push(State {
                    name,
                    original: Rc::clone(&original),
                    instead,
                });
            }
            self.cases.push(Case {
                kind,
                protocol: plan.protocol,
                class: CrashClass::Atomic,
                is_repaired: false,
                is_wrong: true,
            });
            self.states.push(State {
                name: "the commit alone, without what it leads to".into(),
                original: Rc::clone(&original),
                instead: commit_alone(plan, result, &mut patches)?,
            });
            Ok(())
        })?;
        patches.finish()
    }

    fn judge(&self, looked: &Looked, report: &mut Report) {
        for (number, case) in self.cases.iter().enumerate() {
            let mut verdict = case.judge(&looked.answers[number]);
            if case.is_wrong {
                verdict = match verdict {
                    Ok(()) => Err("no reader noticed".into()),
                    Err(_) => Ok(()),
                };
            }
            let name = format!("{}, {}", case.kind, self.states[number].name);
            report.verdict(&name, looked.replay(number), verdict);
        }
    }

    /// How many states each reader answers how, by protocol.
    fn table(&self, looked: &Looked) -> Vec<String> {
        let mut counts: BTreeMap<_, BTreeMap<&str, usize>> = BTreeMap::new();
        let looked_at = self.cases.iter().zip(&looked.answers);
        for (case, answers) in looked_at.filter(|(case, _)| !case.is_wrong) {
            for ((view, reader), answer) in answers {
                let repaired = if case.is_repaired { ", repaired" } else { "" };
                let place = format!("{}{repaired}, {view}", case.protocol);
                let row = counts.entry((place, *reader)).or_default();
                *row.entry(answer.word()).or_default() += 1;
            }
        }
        let line = |((place, reader), row): ((String, Reader), BTreeMap<&str, usize>)| {
            let said: Vec<_> = row
                .iter()
                .map(|(word, count)| format!("{count} {word}"))
                .collect();
            let all: usize = row.values().sum();
            format!(
                "{place:<46}{reader:<10}{all:>5} states: {}",
                said.join(", ")
            )
        };
        counts.into_iter().map(line).collect()
    }
}

impl Case {
    fn judge(&self, answers: &Answers) -> Result<(), String> {
        let wrong: Vec<_> = answers
            .iter()
            .filter(|((_, reader), answer)| !self.allows(*reader, answer))
            .map(|((view, reader), answer)| format!("{view}: {reader} says {answer}"))
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let class = if self.is_repaired {
            "it was repaired".to_owned()
        } else {
            format!("{} is {}", self.protocol, self.class)
        };
        Err(format!("{class}, and\n  {}", wrong.join("\n  ")))
    }

    /// Whether a reader may answer so.
    fn allows(&self, reader: Reader, answer: &Answer) -> bool {
        let is_promised = self.is_repaired || self.class == CrashClass::Atomic;
        match answer {
            Answer::Old | Answer::New | Answer::Known => true,
            Answer::Other(_) => false,
            // It has no second copies, and no sparable partitions at all.
            Answer::Refused(_) if reader == Reader::SevenZip => {
                !self.is_repaired || self.kind.format == formats()[1]
            }
            Answer::Unnamed | Answer::Refused(_) => !is_promised,
        }
    }
}

/// A state by its name, what its blocks hold, and whether it was repaired.
type Found = (String, ExtentMap<Instead>, bool);

/// The states of a recording to look at.
fn states(
    disc: &ImageFile,
    (plan, result): (&Plan, &ResultImage<'_>),
    medium: Medium,
    limits: &Limits,
    patches: &mut Patches,
) -> Result<Vec<Found>, String> {
    let options = Options {
        subsets: 20,
        ..Options::default()
    };
    let mut explorer = Explorer::recorded(disc, plan, result, medium, options).map_err(text)?;
    explorer.run();
    let distinct = explorer.distinct_states().iter();
    let distinct: Vec<_> = distinct.map(|distinct| distinct.state.clone()).collect();
    let mut others = Vec::new();
    explorer.each_state(&mut |state, _| {
        if !distinct.contains(state) {
            others.push(state.clone());
        }
    });
    let mut found = Vec::new();
    // What outside readers fail at is what they cannot read.
    let is_torn = |state: &&CrashState| {
        let mut contents = state.units.iter().map(|(_, content)| content);
        contents.any(|content| *content == Content::Unreadable)
    };
    let (torn, sound): (Vec<_>, Vec<_>) = distinct.iter().partition(is_torn);
    let others: Vec<_> = others.iter().collect();
    let chosen = [
        (torn, limits.distinct),
        (sound, limits.distinct / 2),
        (others, limits.others),
    ];
    let chosen: Vec<_> = { chosen.iter() }
        .flat_map(|(states, most)| spread(states, *most).copied())
        .collect();
    let mut to_repair = limits.repaired;
    for state in chosen {
        let with = |crashed: &dyn BlockRead| -> Result<(), String> {
            let instead = changed(state, crashed, patches)?;
            found.push((state.to_string(), instead.clone(), false));
            if to_repair > 0
                && is_left_by_cuts(state)
                && let Some(repaired) = repaired(crashed, medium, instead, patches)
                    .map_err(|error| format!("{state}: {error}"))?
            {
                to_repair -= 1;
                found.push((format!("{state}, repaired"), repaired, true));
            }
            Ok(())
        };
        let looked = explorer.with_disc(state, |crashed| crashed_disc(crashed, with));
        looked.ok_or("a state is gone that was visited")??;
    }
    Ok(found)
}

fn crashed_disc<T>(crashed: &dyn BlockRead, with: impl FnOnce(&dyn BlockRead) -> T) -> T {
    with(crashed)
}

/// A disc on which the first epoch was lost and the commit was not.
fn commit_alone(
    plan: &Plan,
    result: &ResultImage<'_>,
    patches: &mut Patches,
) -> Result<ExtentMap<Instead>, String> {
    let epochs = plan.modified.epochs().iter();
    let commits = epochs.filter(|epoch| epoch.role == EpochRole::Commit);
    let mut instead = ExtentMap::new();
    for range in commits.flat_map(|epoch| epoch.ranges.iter()) {
        instead.insert(range, patch(range, result, patches)?);
    }
    Ok(instead)
}

/// Whether a drive leaves such a state: it corrects what it reads, or reports an error. Garbage is
/// there to see that readers notice it; heads of garbage are not taken for a disc to repair.
fn is_left_by_cuts(state: &CrashState) -> bool {
    let mut contents = state.units.iter().map(|(_, content)| content);
    contents.all(|content| *content != Content::Garbage)
}

/// So many of these, from the first to the last.
fn spread<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    let count = all.len().min(most);
    (0..count).map(move |number| &all[number * (all.len() - 1) / count.saturating_sub(1).max(1)])
}

/// What a state has instead of what was on the disc.
fn changed(
    state: &CrashState,
    crashed: &dyn BlockRead,
    patches: &mut Patches,
) -> Result<ExtentMap<Instead>, String> {
    let mut instead = ExtentMap::new();
    for (range, content) in &state.units {
        let here = match content {
            Content::Unreadable => Instead::Unreadable,
            _ => patch(*range, crashed, patches)?,
        };
        instead.insert(*range, here);
    }
    Ok(instead)
}

fn patch(
    range: BlockRange,
    disc: &dyn BlockRead,
    patches: &mut Patches,
) -> Result<Instead, String> {
    patches.add(&read(disc, range.start_lba(), range.block_count())?)
}

/// The same disc after its repair; `None` where there is nothing to repair.
fn repaired(
    crashed: &dyn BlockRead,
    medium: Medium,
    mut instead: ExtentMap<Instead>,
    patches: &mut Patches,
) -> Result<Option<ExtentMap<Instead>>, String> {
    let health = Health::check(crashed, medium);
    let health = health.map_err(|error| format!("it cannot be checked: {error}"))?;
    let Some(repair) = health.into_repair() else {
        return Ok(None);
    };
    for range in repair.plan().modified.ranges() {
        for unit in range.pieces(medium.write_unit().blocks()) {
            instead.insert(unit, patch(unit, &repair, patches)?);
        }
    }
    Ok(Some(instead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_both_ends() {
        let all: Vec<u32> = (0..10).collect();
        let of = |all: &[u32], most| spread(all, most).copied().collect::<Vec<_>>();
        assert_eq!(of(&all, 4), [0, 3, 6, 9]);
        assert_eq!(of(&all, usize::MAX), all);
        assert_eq!(of(&all[..1], 4), [0]);
        assert!(of(&[], 4).is_empty());
    }

    #[test]
    fn classes_allow_what_they_promise() {
        let case = |class, is_repaired| Case {
            kind: Group::Metadata.kind(Medium::BdRe),
            protocol: Protocol::MirrorFlip,
            class,
            is_repaired,
            is_wrong: false,
        };
        let atomic = case(CrashClass::Atomic, false);
        let recoverable = case(CrashClass::Recoverable, false);
        let repaired = case(CrashClass::Recoverable, true);
        let refused = || Answer::Refused(String::new());
        for reader in Reader::ALL {
            let other = Answer::Other(String::new());
            for case in [&atomic, &recoverable, &repaired] {
                assert!(!case.allows(reader, &other));
                assert!(case.allows(reader, &Answer::Old));
            }
            assert!(recoverable.allows(reader, &refused()));
            assert!(!repaired.allows(reader, &refused()));
        }
        assert!(!atomic.allows(Reader::Kernel, &refused()));
        assert!(!atomic.allows(Reader::Blkid, &refused()));
        assert!(atomic.allows(Reader::SevenZip, &refused()));
    }
}
