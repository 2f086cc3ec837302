//! What all rehearsals came to, a line for each protocol and medium.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use reburn_rehearse::Report;

use super::rehearsal::Found;
use super::scenario::Scenario;

/// Violations that are printed of one scenario.
const SHOWN: usize = 3;

/// Figures of one line.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    scenarios: u64,
    visited: u64,
    distinct: u64,
    old: u64,
    new: u64,
    between: u64,
    refused: u64,
    other: u64,
    repairs: u64,
    beyond: u64,
    violations: u64,
}

impl Line {
    fn add(&mut self, report: &Report) {
        self.scenarios += 1;
        self.visited += report.visited + report.cuts_in_repairs;
        self.distinct += report.distinct;
        self.old += report.old;
        self.new += report.new;
        self.between += report.between;
        self.refused += report.refused;
        self.other += report.other;
        self.repairs += report.repaired;
        self.beyond += report.beyond_repair;
        self.violations += report.violations.len() as u64;
    }

    fn print(&self, name: &str) {
        let Self {
            scenarios,
            visited,
            distinct,
            old,
            new,
            between,
            refused,
            other,
            repairs,
            beyond,
            violations,
        } = self;
        println!(
            "{name:<44} {scenarios:>9} {visited:>10} {distinct:>9} {old:>10} {new:>8} \
             {between:>8} {refused:>8} {other:>6} {repairs:>8} {beyond:>7} {violations:>10}"
        );
    }
}

/// Sums of what was found so far.
#[derive(Debug, Default)]
pub struct Tally {
    lines: BTreeMap<String, Line>,
    failed: u64,
    empty: u64,
}

impl Tally {
    /// Takes in what a scenario came to, and prints what is wrong with it.
    pub fn add(&mut self, scenario: &Scenario, found: Result<Option<Found>, String>) {
        let replay = format!("cargo xtask simulate --power-cuts --scenario {scenario}");
        let found = match found {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.empty += 1;
                return;
            }
            Err(error) => {
                self.failed += 1;
                println!("{scenario}: FAILED: {error}\n  replay: {replay}");
                return;
            }
        };
        let name = format!("{} {} {}", scenario.medium, scenario.volume, found.protocol);
        self.lines.entry(name).or_default().add(&found.report);
        let violations = &found.report.violations;
        for violation in violations.iter().take(SHOWN) {
            println!("{scenario}: VIOLATION {violation}");
        }
        if !violations.is_empty() {
            println!("  {} in all; replay: {replay}", violations.len());
        }
    }

    /// Takes in another tally.
    pub fn join(&mut self, other: Self) {
        for (name, line) in other.lines {
            let sum = self.lines.entry(name).or_default();
            sum.scenarios += line.scenarios;
            sum.visited += line.visited;
            sum.distinct += line.distinct;
            sum.old += line.old;
            sum.new += line.new;
            sum.between += line.between;
            sum.refused += line.refused;
            sum.other += line.other;
            sum.repairs += line.repairs;
            sum.beyond += line.beyond;
            sum.violations += line.violations;
        }
        self.failed += other.failed;
        self.empty += other.empty;
    }

    /// Prints the table and the sums; success only if nothing is wrong.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    pub fn end(self, time: Duration) -> ExitCode {
        println!(
            "{:<44} {:>9} {:>10} {:>9} {:>10} {:>8} {:>8} {:>8} {:>6} {:>8} {:>7} {:>10}",
            "medium, volume, protocol",
            "scenarios",
            "states",
            "distinct",
            "old",
            "new",
            "between",
            "refused",
            "other",
            "repairs",
            "garbage",
            "violations"
        );
        let mut all = Self::default();
        for (name, line) in &self.lines {
            line.print(name);
            let sum = BTreeMap::from([(String::new(), *line)]);
            all.join(Self {
                lines: sum,
                ..Self::default()
            });
        }
        let sum = all.lines.remove("").unwrap_or_default();
        sum.print("all");
        let seconds = time.as_secs_f64().max(0.001);
        println!(
            "power cuts: {} scenarios, {} states in {seconds:.0} s, {:.0} a second, {} violations",
            sum.scenarios,
            sum.visited,
            sum.visited as f64 / seconds,
            sum.violations
        );
        if self.empty > 0 {
            println!("{} more scenarios change nothing", self.empty);
        }
        if self.failed > 0 {
            println!("{} scenarios did not come to their end", self.failed);
        }
        if self.failed == 0 && sum.violations == 0 && sum.scenarios > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
