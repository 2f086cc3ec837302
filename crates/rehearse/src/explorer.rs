//! Cuts a recording everywhere.

use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use reburn_blocks::{BlockRead, CrashClass, EpochRole, Plan};
use reburn_image::Medium;

use crate::RehearseError;
use crate::content::{Content, CrashState};
use crate::cuts::{CutEpoch, visit_cuts};
use crate::disc::CrashDisc;
use crate::judge::{Judge, Remedy};
use crate::proof;
use crate::repair::RepairFn;
use crate::report::{Breach, Cost, DistinctState, Report, Verdict};
use crate::trace::Trace;
use crate::units::{State, Units};

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Decides the random subsets, and what garbage is.
    pub seed: u64,
    /// Random subsets of every epoch that has more writes than all subsets are visited of.
    pub subsets: u32,
    /// States of each distinct one whose repair is cut as well.
    pub repairs: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            subsets: 1000,
            repairs: 8,
        }
    }
}

/// Visits every state that a cut can leave of a recording, and says what each shows.
pub struct Explorer<'a> {
    units: Units<'a>,
    epochs: Vec<CutEpoch>,
    judge: Judge<'a>,
    options: Options,
    class: CrashClass,
    report: Report,
}

impl<'a> Explorer<'a> {
    /// An explorer of what a recorder leaves of `plan` on `base` that follows it to the letter.
    /// `source` has the plan's blocks.
    pub fn new(
        base: &'a dyn BlockRead,
        plan: &Plan,
        source: &dyn BlockRead,
        options: Options,
    ) -> Result<Self, RehearseError> {
        let trace = Trace::of_plan(plan, source)?;
        Self::of_trace(base, plan, source, &trace, options)
    }

    /// The same of what the recorder really tells a drive with such a medium; of a file, what the
    /// plan says.
    pub fn recorded(
        base: &'a dyn BlockRead,
        plan: &Plan,
        source: &dyn BlockRead,
        medium: Medium,
        options: Options,
    ) -> Result<Self, RehearseError> {
        let trace = match medium {
            Medium::File => Trace::of_plan(plan, source)?,
            _ => Trace::emulated(plan, source, base, medium)?,
        };
        Self::of_trace(base, plan, source, &trace, options)
    }

    /// The same of what was written in `trace`, which was meant to be `plan`.
    pub fn of_trace(
        base: &'a dyn BlockRead,
        plan: &Plan,
        source: &dyn BlockRead,
        trace: &Trace,
        options: Options,
    ) -> Result<Self, RehearseError> {
        let mut units = Units::new(base, trace.unit, options.seed);
        let planned = epochs_of(&mut units, plan, &Trace::of_plan(plan, source)?);
        let mut end = State::default();
        for &(unit, content) in planned.iter().flat_map(|epoch| &epoch.writes) {
            end.set(unit, content);
        }
        let epochs = epochs_of(&mut units, plan, trace);
        let (mut judge, read) = Judge::new(&units, &end, plan.class)?;
        let report = Report {
            proof: proof::prove(base, plan, (&units, &mut judge), &epochs, read),
            cost: cost(&epochs),
            ..Report::default()
        };
        Ok(Self {
            units,
            epochs,
            judge,
            options,
            class: plan.class,
            report,
        })
    }

    /// Rehearses this repair too, and cuts inside it.
    #[must_use]
    pub fn with_repair(mut self, repair: &'a RepairFn<'a>) -> Self {
        self.judge.set_repair(repair);
        self
    }

    /// Visits every state.
    pub fn run(&mut self) -> Report {
        let mut queue = Queue::new(self.options.repairs);
        let mut visited: Vec<u64> = Vec::new();
        let judge = &mut self.judge;
        let mut visit = |units: &mut Units<'_>, state: &State| {
            let number = judge.look(units, state);
            visited.resize(visited.len().max(number + 1), 0);
            visited[number] += 1;
            if matches!(judge.remedy_of[number], Remedy::Record(_)) {
                queue.add(number, state);
            }
        };
        let mut state = State::default();
        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
        visit(&mut self.units, &state);
        for epoch in &self.epochs {
            let subsets = (self.options.subsets, &mut random);
            visit_cuts(&mut self.units, &mut state, epoch, subsets, &mut visit);
        }
        self.check_end(&state);
        self.recover(queue);
        self.count(&visited);
        self.report.clone()
    }

    /// What the last [`Explorer::run`] found that readers can tell apart.
    pub fn distinct_states(&self) -> &[DistinctState] {
        &self.judge.distinct
    }

    /// Calls `visit` with every state that [`Explorer::run`] visits, repairs left out, and its
    /// disc; for readers of others.
    pub fn each_state(&mut self, visit: &mut dyn FnMut(&CrashState, &CrashDisc<'_>)) {
        let mut visit = |units: &mut Units<'_>, state: &State| {
            visit(&units.describe(state), &CrashDisc::new(units, state));
        };
        let mut state = State::default();
        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
        visit(&mut self.units, &state);
        for epoch in &self.epochs {
            let subsets = (self.options.subsets, &mut random);
            visit_cuts(&mut self.units, &mut state, epoch, subsets, &mut visit);
        }
    }

    /// Calls `look` with the disc in a state that was visited; `None` if there is none such.
    pub fn with_disc<T>(
        &self,
        state: &CrashState,
        look: impl FnOnce(&CrashDisc<'_>) -> T,
    ) -> Option<T> {
        let state = self.units.find(state)?;
        Some(look(&CrashDisc::new(&self.units, &state)))
    }

    /// A recording that came to its end must show the new tree in every view.
    fn check_end(&mut self, end: &State) {
        if self.class == CrashClass::None {
            return;
        }
        let number = self.judge.look(&mut self.units, end);
        let verdicts = self.judge.distinct[number].verdicts.clone();
        let same = |view| self.judge.is_same(view);
        let missing = { verdicts.into_iter() }
            .filter(|(view, verdict)| *verdict != Verdict::New && !same(*view))
            .collect::<Vec<_>>();
        for (view, verdict) in missing {
            let what = format!("everything is recorded, and {view} shows {verdict}");
            self.judge
                .breach(&self.units, end, Breach::Incomplete, what);
        }
    }

    /// Repairs the states of the queue, cuts inside the repairs, and repairs those, until nothing
    /// new comes up.
    fn recover(&mut self, mut queue: Queue) {
        while let Some((number, start)) = queue.next() {
            let Remedy::Record(steps) = self.judge.remedy_of[number].clone() else {
                continue;
            };
            self.report.repaired += 1;
            let size = steps.iter().map(|step| step.writes.len()).sum();
            self.report.repair_units_max = self.report.repair_units_max.max(size);
            let mut cuts = 0;
            let judge = &mut self.judge;
            let mut visit = |units: &mut Units<'_>, state: &State| {
                cuts += 1;
                let number = judge.look(units, state);
                if matches!(judge.remedy_of[number], Remedy::Record(_)) {
                    queue.add(number, state);
                }
            };
            let mut state = start.clone();
            let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
            for step in &*steps {
                let subsets = (self.options.subsets, &mut random);
                visit_cuts(&mut self.units, &mut state, step, subsets, &mut visit);
            }
            self.report.cuts_in_repairs += cuts;
            self.check_repaired(&start, &state);
        }
    }

    fn check_repaired(&mut self, start: &State, state: &State) {
        let before = self.units.describe(start);
        let number = self.judge.look(&mut self.units, state);
        let found = self.judge.distinct[number].clone();
        if self.class == CrashClass::None {
            return;
        }
        // A repair of one structure cannot bring back another that nobody knows of.
        let broken = found
            .verdicts
            .iter()
            .filter(|(_, verdict)| !verdict.is_whole());
        for (view, verdict) in broken.filter(|_| !found.is_beyond_repair) {
            let what = format!("it was repaired ({before} before), and {view} shows {verdict}");
            self.judge.breach(&self.units, state, Breach::Repair, what);
        }
        if found.needs_repair {
            let what = format!("it was repaired ({before} before), and there is more to repair");
            self.judge
                .breach(&self.units, state, Breach::NotIdempotent, what);
        }
    }

    fn count(&mut self, visited: &[u64]) {
        let report = &mut self.report;
        for (found, &visits) in self.judge.distinct.iter().zip(visited) {
            report.visited += visits;
            report.beyond_repair += if found.is_beyond_repair { visits } else { 0 };
            let has = |wanted: fn(&Verdict) -> bool| found.verdicts.iter().any(|(_, v)| wanted(v));
            let is_other = has(|verdict| matches!(verdict, Verdict::Other(_)));
            let is_refused = has(|verdict| matches!(verdict, Verdict::Refused(_)));
            let (has_old, has_new) = (has(|v| *v == Verdict::Old), has(|v| *v == Verdict::New));
            let counter = match (is_other, is_refused, has_old, has_new) {
                (true, ..) => &mut report.other,
                (_, true, ..) => &mut report.refused,
                (.., true, true) => &mut report.between,
                (.., true) => &mut report.new,
                _ => &mut report.old,
            };
            *counter += visits;
        }
        report.distinct = self.judge.distinct.len() as u64;
        report.violations = proof::violations(&report.proof, self.class, self.units.size());
        report.violations.append(&mut self.judge.violations.clone());
    }
}

/// The epochs of a trace; one that writes what the plan's commit does is a commit.
fn epochs_of(units: &mut Units<'_>, plan: &Plan, trace: &Trace) -> Vec<CutEpoch> {
    let commits = { plan.modified.epochs().iter() }.filter(|e| e.role == EpochRole::Commit);
    let committed: Vec<_> = commits.map(|epoch| &epoch.ranges).collect();
    let epochs = trace.epochs.iter().map(|epoch| {
        let writes = epoch.writes.iter().map(|write| {
            let unit = units.unit(write.start);
            (unit, units.content(unit, &write.bytes, Content::New))
        });
        let is_committed = |lba| committed.iter().any(|ranges| ranges.contains(lba));
        CutEpoch {
            writes: writes.collect(),
            is_commit: epoch.writes.iter().any(|write| is_committed(write.start)),
        }
    });
    epochs.collect()
}

fn cost(epochs: &[CutEpoch]) -> Cost {
    let units =
        |epochs: &mut dyn Iterator<Item = &CutEpoch>| epochs.map(|epoch| epoch.writes.len()).sum();
    Cost {
        rewritten: units(&mut epochs.iter().filter(|epoch| epoch.is_commit)),
        total: units(&mut epochs.iter()),
        barriers: epochs.len(),
    }
}

/// States to be repaired, each once, and a few of each distinct one.
struct Queue {
    most: usize,
    counts: Vec<usize>,
    known: HashSet<State>,
    waiting: Vec<(usize, State)>,
}

impl Queue {
    fn new(most: usize) -> Self {
        Self {
            most,
            counts: Vec::new(),
            known: HashSet::new(),
            waiting: Vec::new(),
        }
    }

    fn add(&mut self, number: usize, state: &State) {
        self.counts.resize(self.counts.len().max(number + 1), 0);
        if self.counts[number] < self.most && self.known.insert(state.clone().trimmed()) {
            self.counts[number] += 1;
            self.waiting.push((number, state.clone()));
        }
    }

    fn next(&mut self) -> Option<(usize, State)> {
        self.waiting.pop()
    }
}
