//! `cargo xtask simulate --power-cuts`: every recording of every small edit, on every medium and by
//! every protocol, cut everywhere.

mod disc;
mod edits;
mod rehearsal;
mod scenario;
mod tally;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use reburn_image::Medium;
use reburn_rehearse::Options;

use rehearsal::Stage;
use scenario::{Scenario, built_in};
use tally::Tally;

/// Scenarios that are rehearsed at a time.
const THREADS: usize = 2;

/// Rehearses the built-in scenarios, or one, and prints a table.
pub fn run(media: Option<Medium>, only: Option<&str>, full: bool, seed: u64) -> ExitCode {
    let scenarios = match only.map(str::parse) {
        Some(Ok(scenario)) => vec![scenario],
        Some(Err(error)) => {
            let error: String = error;
            eprintln!("{error}");
            return ExitCode::from(2);
        }
        None => built_in(media, full),
    };
    let options = Options {
        seed,
        ..Options::default()
    };
    let start = Instant::now();
    let next = AtomicUsize::new(0);
    let tally = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS.min(scenarios.len()))
            .map(|_| scope.spawn(|| work(&scenarios, &next, options)))
            .collect();
        let mut all = Tally::default();
        for worker in workers {
            all.join(worker.join().expect("a rehearsal does not panic"));
        }
        all
    });
    tally.end(start.elapsed())
}

/// Rehearses scenarios until none are left.
fn work(scenarios: &[Scenario], next: &AtomicUsize, options: Options) -> Tally {
    let mut stage = Stage::new(options);
    let mut tally = Tally::default();
    while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
        tally.add(scenario, stage.rehearse(scenario));
    }
    tally
}
