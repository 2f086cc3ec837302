//! The table that a simulation prints, a row a recording.

use std::process::ExitCode;
use std::time::Duration;

use super::chain::Round;

/// Rows printed so far, in sums.
#[derive(Debug, Default)]
pub struct Table {
    scenarios: u64,
    compared: u64,
    differing: u64,
    failed: u64,
}

impl Table {
    /// Prints the head.
    pub fn start() -> Self {
        println!(
            "{:<22} {:>9} {:>9} {:>9} {:>6} {:>11} {:>11}",
            "scenario", "image", "modified", "bound", "ratio", "image time", "plan time"
        );
        Self::default()
    }

    /// Prints what a scenario came to: a row for each recording but the first, which is of
    /// the whole image.
    pub fn row(&mut self, name: &str, outcome: Result<Vec<Round>, String>, replay: &str) {
        self.scenarios += 1;
        let rounds = match outcome {
            Ok(rounds) => rounds,
            Err(error) => {
                self.failed += 1;
                println!("{name:<22} FAILED: {error}\n  replay: {replay}");
                return;
            }
        };
        let differing: u64 = rounds.iter().map(|round| round.differing).sum();
        self.compared += rounds.iter().map(|round| round.compared).sum::<u64>();
        self.differing += differing;
        for round in &rounds[1..] {
            println!(
                "{name:<22} {:>9} {:>9} {:>9} {:>6} {:>11} {:>11}",
                round.image,
                round.modified,
                round.lower_bound,
                ratio(round),
                time(round.image_time),
                time(round.plan_time),
            );
        }
        if differing > 0 {
            println!("{name:<22} FAILED: {differing} blocks differ\n  replay: {replay}");
        }
    }

    /// Prints the closing line.
    pub fn end(&self) -> ExitCode {
        if self.failed > 0 {
            println!("{} scenarios did not come to their end", self.failed);
        }
        println!(
            "simulate: {} scenarios, {} blocks compared, {} differing",
            self.scenarios, self.compared, self.differing
        );
        if self.failed == 0 && self.differing == 0 && self.scenarios > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn ratio(round: &Round) -> String {
    match (round.modified, round.lower_bound) {
        (0, 0) => "-".into(),
        (modified, bound) => format!("{:.2}", f64::from(modified) / f64::from(bound)),
    }
}

fn time(time: Option<Duration>) -> String {
    time.map_or("-".into(), |time| format!("{:.1} s", time.as_secs_f64()))
}
