//! Every state that a cut inside one epoch can leave.
//!
//! Since the last barrier any of the writes may be missing, in any order, and one write unit may be
//! torn. Of an epoch with few writes every subset is visited, with every unit in flight torn in
//! every way; of one with many none, all, all but one, only one, and random ones, each with one
//! unit torn as well.
//!
//! Invariant: a visit leaves the state as it found it; after the epoch everything is written.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use crate::units::{ContentId, State, UnitId, Units};

/// Writes of a commit of which every subset is visited.
const COMMIT_SUBSETS_MAX: usize = 10;
/// The same before the commit, where readers see none of them.
const SHADOW_SUBSETS_MAX: usize = 6;

/// One write: the unit, and what it holds then.
pub(crate) type Write = (UnitId, ContentId);

/// What is done with each state.
pub(crate) type Visit<'v> = dyn FnMut(&mut Units<'_>, &State) + 'v;

/// Writes between two barriers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CutEpoch {
    pub(crate) writes: Vec<Write>,
    /// Whether readers see something of it.
    pub(crate) is_commit: bool,
}

/// Walks through the states of one epoch.
struct Cuts<'c, 'b> {
    units: &'c mut Units<'b>,
    before: &'c State,
    state: State,
    writes: &'c [Write],
    visit: &'c mut Visit<'c>,
}

/// Visits every state of an epoch, and leaves `state` as it is when the epoch is done. The state
/// before the epoch is not visited: it is the last one of the epoch before.
pub(crate) fn visit_cuts<'c>(
    units: &'c mut Units<'_>,
    state: &mut State,
    epoch: &'c CutEpoch,
    (subsets, random): (u32, &mut impl Rng),
    visit: &'c mut Visit<'c>,
) {
    let before = state.clone();
    let mut cuts = Cuts {
        units,
        before: &before,
        state: before.clone(),
        writes: &epoch.writes,
        visit,
    };
    let most = if epoch.is_commit {
        COMMIT_SUBSETS_MAX
    } else {
        SHADOW_SUBSETS_MAX
    };
    if epoch.writes.len() <= most {
        cuts.every_subset();
    } else {
        cuts.few_missing(random);
        cuts.few_written(random);
        for _ in 0..subsets {
            cuts.random_subset(random);
        }
    }
    for &(unit, content) in &epoch.writes {
        state.set(unit, content);
    }
}

impl Cuts<'_, '_> {
    fn reset(&mut self) {
        for &(unit, _) in self.writes {
            self.state.set(unit, self.before.get(unit));
        }
    }

    fn set_all(&mut self) {
        for &(unit, content) in self.writes {
            self.state.set(unit, content);
        }
    }

    fn visit(&mut self) {
        (self.visit)(self.units, &self.state);
    }

    /// This state with one missing write under way, torn in every way.
    fn tear(&mut self, write: usize) {
        let (unit, to) = self.writes[write];
        let from = self.state.get(unit);
        for &torn in &*self.units.tears(unit, from, to) {
            self.state.set(unit, torn);
            self.visit();
        }
        self.state.set(unit, from);
    }

    /// This state with one missing write under way, torn in one way.
    fn tear_somehow(&mut self, write: usize, random: &mut impl Rng) {
        let (unit, to) = self.writes[write];
        let from = self.state.get(unit);
        let tears = self.units.tears(unit, from, to);
        if let Some(&torn) = tears.choose(random) {
            self.state.set(unit, torn);
            self.visit();
            self.state.set(unit, from);
        }
    }

    fn every_subset(&mut self) {
        for subset in 0..1u32 << self.writes.len() {
            self.reset();
            let is_in = |write: usize| subset >> write & 1 == 1;
            for (write, &(unit, content)) in self.writes.iter().enumerate() {
                if is_in(write) {
                    self.state.set(unit, content);
                }
            }
            if subset != 0 {
                self.visit();
            }
            for write in (0..self.writes.len()).filter(|&write| !is_in(write)) {
                self.tear(write);
            }
        }
    }

    /// All, and all but one, that one torn too.
    fn few_missing(&mut self, random: &mut impl Rng) {
        self.set_all();
        self.visit();
        for (write, &(unit, content)) in self.writes.iter().enumerate() {
            self.state.set(unit, self.before.get(unit));
            self.visit();
            self.tear_somehow(write, random);
            self.state.set(unit, content);
        }
    }

    /// Only one, and only one torn.
    fn few_written(&mut self, random: &mut impl Rng) {
        self.reset();
        for (write, &(unit, content)) in self.writes.iter().enumerate() {
            self.state.set(unit, content);
            self.visit();
            self.state.set(unit, self.before.get(unit));
            self.tear_somehow(write, random);
        }
    }

    fn random_subset(&mut self, random: &mut impl Rng) {
        self.reset();
        let mut missing = Vec::new();
        for (write, &(unit, content)) in self.writes.iter().enumerate() {
            if random.random() {
                self.state.set(unit, content);
            } else {
                missing.push(write);
            }
        }
        self.visit();
        if let Some(&write) = missing.choose(random) {
            self.tear_somehow(write, random);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use reburn_blocks::{BLOCK_SIZE, Lba, WriteUnit};

    use super::*;
    use crate::content::Content;

    fn states(writes: u32, is_commit: bool) -> (HashSet<String>, String) {
        let base = vec![0; 1024 * BLOCK_SIZE];
        let mut units = Units::new(&base, WriteUnit::FILE, 3);
        let writes = (0..writes).map(|number| {
            let unit = units.unit(Lba::new(number));
            (unit, units.content(unit, &[5; BLOCK_SIZE], Content::New))
        });
        let epoch = CutEpoch {
            writes: writes.collect(),
            is_commit,
        };
        let mut seen = HashSet::new();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut state = State::default();
        let mut visit = |units: &mut Units<'_>, state: &State| {
            seen.insert(units.describe(state).to_string());
        };
        visit_cuts(
            &mut units,
            &mut state,
            &epoch,
            (50, &mut random),
            &mut visit,
        );
        let end = units.describe(&state).to_string();
        (seen, end)
    }

    #[test]
    fn few_writes_are_cut_in_every_way() {
        let (seen, end) = states(1, true);
        assert_eq!(
            seen.len(),
            1 + 5,
            "new, unreadable, garbage, three prefixes"
        );
        assert_eq!(end, "new: 0");
        // Four subsets but none; each with each missing write torn in five ways.
        let (seen, _) = states(2, true);
        assert_eq!(seen.len(), 3 + 5 * (2 + 1 + 1));
        assert!(seen.contains("new: 1; unreadable: 0"));
    }

    #[test]
    fn many_writes_are_sampled() {
        let (seen, end) = states(40, false);
        assert!(seen.len() > 120, "{} states", seen.len());
        assert!(seen.contains("new: 0-39") && seen.contains("new: 0-16 18-39"));
        assert!(seen.contains("new: 17"));
        assert_eq!(end, "new: 0-39");
    }
}
