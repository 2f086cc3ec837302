//! What readers and repairs make of a state, looked up where it is known, and whether that breaks
//! the class.

use std::collections::HashMap;
use std::sync::Arc;

use reburn_blocks::{BlockRange, BlockRangeList, CrashClass};
use reburn_image::{ImageError, View};

use crate::RehearseError;
use crate::content::Content;
use crate::cuts::CutEpoch;
use crate::disc::{CrashDisc, Noted};
use crate::repair::RepairFn;
use crate::report::{Breach, DistinctState, Verdict, Violation};
use crate::seen::{KnownContents, Look, Seen};
use crate::trace::Trace;
use crate::trie::Trie;
use crate::units::{State, Units};

/// A view with the two trees that it may show.
pub(crate) struct Sight {
    view: View,
    old: Seen,
    new: Seen,
    trie: Trie<Verdict>,
}

/// What a repair does.
#[derive(Debug, Clone)]
pub(crate) enum Remedy {
    Nothing,
    Record(Arc<[CutEpoch]>),
    Impossible(String),
}

/// Says what a state is.
pub(crate) struct Judge<'a> {
    class: CrashClass,
    sights: Vec<Sight>,
    repair: Option<&'a RepairFn<'a>>,
    remedies: Trie<Remedy>,
    known: KnownContents,
    /// Units that the known contents lie apart from.
    known_units: usize,
    by_leaves: HashMap<Vec<usize>, usize>,
    leaves: Vec<usize>,
    pub(crate) distinct: Vec<DistinctState>,
    pub(crate) remedy_of: Vec<Remedy>,
    pub(crate) violations: Vec<Violation>,
}

impl<'a> Judge<'a> {
    /// A judge of states between `State::default` and `end`, and the blocks that readers of the
    /// old tree read.
    pub(crate) fn new(
        units: &Units<'_>,
        end: &State,
        class: CrashClass,
    ) -> Result<(Self, BlockRangeList), RehearseError> {
        let mut known = KnownContents::default();
        let mut sights = Vec::new();
        let mut read = BlockRangeList::new();
        let mut refusal = None;
        let start = State::default();
        for view in View::ALL {
            let (old, reads) = look(units, &start, &mut KnownContents::default(), view);
            let old = match old {
                Ok(old) => old,
                Err(error) => {
                    refusal = refusal.or(Some(error));
                    continue;
                }
            };
            read.extend(reads);
            let (new, _) = look(units, end, &mut known, view);
            sights.push(Sight {
                view,
                old,
                new: new.map_err(RehearseError::Result)?,
                trie: Trie::new(),
            });
        }
        if let (true, Some(error)) = (sights.is_empty(), refusal) {
            return Err(RehearseError::Base(error));
        }
        let judge = Self {
            class,
            sights,
            repair: None,
            remedies: Trie::new(),
            known,
            known_units: units.len(),
            by_leaves: HashMap::new(),
            leaves: Vec::new(),
            distinct: Vec::new(),
            remedy_of: Vec::new(),
            violations: Vec::new(),
        };
        Ok((judge, read))
    }

    /// Asks this repair too.
    pub(crate) fn set_repair(&mut self, repair: &'a RepairFn<'a>) {
        self.repair = Some(repair);
        self.by_leaves.clear();
        self.distinct.clear();
        self.remedy_of.clear();
    }

    /// Views that do not show the old tree in a state, and what they show.
    pub(crate) fn not_old(&mut self, units: &Units<'_>, state: &State) -> Vec<String> {
        let sights = self.sights.iter();
        let shown =
            sights.filter_map(
                |sight| match look(units, state, &mut self.known, sight.view).0 {
                    Ok(seen) if seen == sight.old => None,
                    Ok(seen) => Some(seen.difference(&sight.old, &sight.old)),
                    Err(error) => Some(error.to_string()),
                },
            );
        shown.collect()
    }

    /// Whether the plan changes nothing that the view shows.
    pub(crate) fn is_same(&self, view: View) -> bool {
        let mut sights = self.sights.iter();
        sights.any(|sight| sight.view == view && sight.old == sight.new)
    }

    /// The number of the distinct state that this one is.
    pub(crate) fn look(&mut self, units: &mut Units<'_>, state: &State) -> usize {
        let mut leaves = std::mem::take(&mut self.leaves);
        leaves.clear();
        if let Some(repair) = self.repair {
            leaves.push(match self.remedies.find(units, state) {
                Some(leaf) => leaf,
                None => self.find_remedy(units, state, repair),
            });
        }
        for index in 0..self.sights.len() {
            leaves.push(match self.sights[index].trie.find(units, state) {
                Some(leaf) => leaf,
                None => self.read(units, state, index),
            });
        }
        let number = match self.by_leaves.get(&leaves) {
            Some(&number) => number,
            None => self.add(units, state, &leaves),
        };
        self.leaves = leaves;
        self.distinct[number].visits += 1;
        number
    }

    /// Notes that a promise was broken.
    pub(crate) fn breach(
        &mut self,
        units: &Units<'_>,
        state: &State,
        breach: Breach,
        what: String,
    ) {
        let state = units.describe(state);
        self.violations.push(Violation {
            breach,
            state,
            what,
        });
    }

    fn read(&mut self, units: &Units<'_>, state: &State, index: usize) -> usize {
        if self.known_units != units.len() {
            self.known = KnownContents::default();
            self.known_units = units.len();
        }
        let sight = &mut self.sights[index];
        let (seen, reads) = look(units, state, &mut self.known, sight.view);
        let verdict = match seen {
            Ok(seen) if seen == sight.new && seen != sight.old => Verdict::New,
            Ok(seen) if seen == sight.old => Verdict::Old,
            Ok(seen) => Verdict::Other(seen.difference(&sight.old, &sight.new)),
            Err(error) => Verdict::Refused(error.to_string()),
        };
        sight.trie.insert(units, state, &reads, verdict)
    }

    fn find_remedy(
        &mut self,
        units: &mut Units<'_>,
        state: &State,
        repair: &RepairFn<'_>,
    ) -> usize {
        let disc = CrashDisc::new(units, state);
        let noted = Noted::new(&disc);
        let found = match repair(&noted) {
            Ok(None) => Ok(None),
            Ok(Some(repair)) => Trace::of_plan(&repair.plan, &*repair.blocks)
                .map(Some)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error),
        };
        let reads = noted.into_reads();
        let remedy = match found {
            Ok(None) => Remedy::Nothing,
            Ok(Some(trace)) if trace.epochs.is_empty() => Remedy::Nothing,
            Ok(Some(trace)) => Remedy::Record(steps(units, &trace)),
            Err(error) => Remedy::Impossible(error),
        };
        // The repair may have made the units more.
        self.remedies.find(units, state);
        self.remedies.insert(units, state, &reads, remedy)
    }

    fn add(&mut self, units: &Units<'_>, state: &State, leaves: &[usize]) -> usize {
        let number = self.distinct.len();
        self.by_leaves.insert(leaves.to_vec(), number);
        let is_repairable = self.repair.is_some();
        let remedy = if is_repairable {
            self.remedies.leaf(leaves[0]).clone()
        } else {
            Remedy::Nothing
        };
        let of_views = &leaves[usize::from(is_repairable)..];
        let sights = self.sights.iter().zip(of_views);
        let verdicts = sights.map(|(sight, &leaf)| (sight.view, sight.trie.leaf(leaf).clone()));
        let described = units.describe(state);
        let has_garbage = { described.units.iter() }.any(|(_, c)| *c == Content::Garbage);
        let mut found = DistinctState {
            state: described,
            visits: 0,
            verdicts: verdicts.collect(),
            needs_repair: !matches!(remedy, Remedy::Nothing),
            is_beyond_repair: false,
        };
        for (view, verdict) in found.verdicts.clone() {
            match self.broken(view, &verdict, &remedy) {
                // No medium leaves garbage in the one place where readers begin.
                Some((Breach::Repair, _)) if has_garbage => found.is_beyond_repair = true,
                Some((breach, what)) => self.breach(units, state, breach, what),
                None => {}
            }
        }
        self.distinct.push(found);
        self.remedy_of.push(remedy);
        number
    }

    /// What the class promises otherwise.
    fn broken(&self, view: View, verdict: &Verdict, remedy: &Remedy) -> Option<(Breach, String)> {
        let shows = || format!("{view} shows {verdict}");
        match (self.class, verdict) {
            (CrashClass::None, _) | (_, Verdict::Old | Verdict::New) => None,
            (CrashClass::Recoverable, Verdict::Refused(_)) => match remedy {
                _ if self.repair.is_none() => None,
                Remedy::Record(_) => None,
                Remedy::Nothing => Some((
                    Breach::Repair,
                    shows() + ", and the repair finds nothing to do",
                )),
                Remedy::Impossible(error) => Some((
                    Breach::Repair,
                    format!("{}, and it cannot be repaired: {error}", shows()),
                )),
            },
            _ => Some((Breach::State, shows())),
        }
    }
}

/// What a view shows of a state, and what its reader read.
fn look(
    units: &Units<'_>,
    state: &State,
    known: &mut KnownContents,
    view: View,
) -> (Result<Seen, ImageError>, Vec<BlockRange>) {
    let disc = CrashDisc::new(units, state);
    let noted = Noted::new(&disc);
    let mut look = Look {
        disc: &noted,
        units,
        known,
    };
    let seen = Seen::read(view, &mut look);
    (seen, noted.into_reads())
}

/// The writes of a repair, as contents of units.
fn steps(units: &mut Units<'_>, trace: &Trace) -> Arc<[CutEpoch]> {
    let epochs = trace.epochs.iter().map(|epoch| {
        let writes = epoch.writes.iter().map(|write| {
            let unit = units.unit(write.start);
            (unit, units.content(unit, &write.bytes, Content::Other(0)))
        });
        CutEpoch {
            writes: writes.collect(),
            is_commit: true,
        }
    });
    epochs.collect()
}
