//! Everything that must hold before a change is taken: `cargo xtask test`.
//!
//! Steps run one after the other, all of them, whatever fails; each prints one line when it
//! ends. The last line printed is `N passed, N failed, N skipped`, and the exit code is zero
//! only if nothing failed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use crate::command::Program;
#[cfg(unix)]
use crate::judges::{Court, JUDGES, Settings, install_for_tests};
use crate::{tidy, workspace};

/// What `cargo xtask test` takes.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag on the command line
pub struct Options {
    /// Run only this step (may be given more than once; `judges` means all judges; see --list)
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// List the steps and do nothing
    #[arg(long)]
    list: bool,
    /// Let the judges look at everything instead of a sample
    #[arg(long)]
    full: bool,
    /// Keep the folder with images and extracted trees (target/judges)
    #[arg(long)]
    keep: bool,
    /// Let xorriso write the images, to see what the judges say of somebody else's work
    #[arg(long)]
    foreign_maker: bool,
}

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It found nothing wrong; with a few words on what it saw.
    Passed(String),
    /// It found something wrong, or could not run.
    Failed(String),
    /// It was not run, and why.
    Skipped(String),
}

impl From<Result<String, String>> for Outcome {
    fn from(result: Result<String, String>) -> Self {
        match result {
            Ok(seen) => Self::Passed(seen),
            Err(error) => Self::Failed(error),
        }
    }
}

/// One line of the list of steps.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Outcome,
}

const STEPS: [Step; 8] = [
    Step {
        name: "fmt",
        what: "the sources are formatted",
        run: format,
    },
    Step {
        name: "clippy",
        what: "no lint complains",
        run: clippy,
    },
    Step {
        name: "tidy",
        what: "crate arrows, and the rules of files and documents",
        run: tidy,
    },
    Step {
        name: "tests",
        what: "unit, documentation and integration tests",
        run: tests,
    },
    Step {
        name: "simulate",
        what: "built, recorded, changed and recorded again, every block is as it must be",
        run: simulate,
    },
    Step {
        name: "power-cuts",
        what: "small edits, cut everywhere, leave the old tree or the new one",
        run: power_cuts,
    },
    Step {
        name: "mutants",
        what: "protocols that are broken in the code are caught",
        run: mutants,
    },
    Step {
        name: "docs",
        what: "the documentation builds without a warning",
        run: docs,
    },
];

fn format() -> Outcome {
    cargo(&["fmt", "--all", "--check"])
}

fn clippy() -> Outcome {
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
}

fn tidy() -> Outcome {
    tidy::check().into()
}

fn tests() -> Outcome {
    #[cfg(unix)]
    install_for_tests();
    cargo(&["test", "--workspace"])
}

/// The scenarios of `cargo xtask simulate`.
fn simulate() -> Outcome {
    run_self(&["simulate"])
}

/// The scenarios of `cargo xtask simulate --power-cuts`; `--full` has more.
fn power_cuts() -> Outcome {
    run_self(&["simulate", "--power-cuts"])
}

/// The crash explorer on protocols that a feature breaks.
fn mutants() -> Outcome {
    cargo(&[
        "test",
        "--package",
        "reburn-rehearse",
        "--features",
        "mutants",
        "--test",
        "mutants",
    ])
}

/// A job of this program, in a process of its own.
fn run_self(arguments: &[&str]) -> Outcome {
    let program = match std::env::current_exe() {
        Ok(program) => Program::new(program).args(arguments.iter().copied()),
        Err(error) => return Outcome::Failed(format!("this program is gone: {error}")),
    };
    program.pass_through().map(|()| String::new()).into()
}

fn docs() -> Outcome {
    let cargo = workspace::cargo(&["doc", "--workspace", "--no-deps"]);
    let result = cargo.env("RUSTDOCFLAGS", "-Dwarnings").pass_through();
    result.map(|()| String::new()).into()
}

fn cargo(arguments: &[&str]) -> Outcome {
    let result = workspace::cargo(arguments).pass_through();
    result.map(|()| String::new()).into()
}

/// Runs the steps that `options` choose and prints what became of them.
pub fn run(options: &Options) -> ExitCode {
    if options.list {
        list();
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = options.only.iter().find(|name| !exists(name)) {
        eprintln!("there is no step `{unknown}`; --list shows them");
        return ExitCode::from(2);
    }
    let mut tally = Tally::default();
    for step in STEPS.iter().filter(|step| options.wants(step.name, "")) {
        tally.time(step.name, step.run);
    }
    #[cfg(unix)]
    hear_judges(options, &mut tally);
    tally.finish()
}

impl Options {
    /// Some steps alone.
    pub fn only(steps: &[&str], full: bool, keep: bool) -> Self {
        Self {
            only: steps.iter().map(ToString::to_string).collect(),
            list: false,
            full,
            keep,
            foreign_maker: false,
        }
    }

    /// Whether a step of this name, in this group, is to run.
    fn wants(&self, name: &str, group: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name || only == group)
    }
}

fn list() {
    for step in &STEPS {
        println!("{:<12} {}", step.name, step.what);
    }
    #[cfg(unix)]
    for judge in &JUDGES {
        println!("{:<12} judge: {}", judge.name, judge.proves);
    }
}

fn exists(name: &str) -> bool {
    let is_step = STEPS.iter().any(|step| step.name == name);
    #[cfg(unix)]
    let is_step = is_step || name == "judges" || JUDGES.iter().any(|judge| judge.name == name);
    is_step
}

#[cfg(unix)]
fn hear_judges(options: &Options, tally: &mut Tally) {
    let wanted = || {
        JUDGES
            .iter()
            .filter(|judge| options.wants(judge.name, "judges"))
    };
    if wanted().next().is_none() {
        return;
    }
    let Options {
        full,
        keep,
        foreign_maker,
        ..
    } = *options;
    let court = match Court::open(Settings {
        full,
        keep,
        foreign_maker,
    }) {
        Ok(court) => court,
        Err(error) => return tally.time("judges", || Outcome::Failed(error.clone())),
    };
    let mut judges = Tally::default();
    for judge in wanted() {
        judges.time(judge.name, || court.hear(judge));
    }
    let size = if full {
        "full size"
    } else {
        "a sample; --full looks at more"
    };
    println!("judges: {} ({size})", judges.counts());
    tally.join(judges);
}

/// Counts outcomes and remembers what did not pass.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Tally {
    /// Runs a step, prints its line, counts it.
    fn time(&mut self, name: &str, run: impl FnOnce() -> Outcome) {
        let start = Instant::now();
        let outcome = run();
        println!("{}", self.add(name, start.elapsed(), outcome));
    }

    fn add(&mut self, name: &str, time: Duration, outcome: Outcome) -> String {
        let (word, text) = match outcome {
            Outcome::Passed(seen) => {
                self.passed += 1;
                ("passed", seen)
            }
            Outcome::Failed(error) => {
                self.failed.push(name.to_owned());
                ("FAILED", error)
            }
            Outcome::Skipped(reason) => {
                self.skipped.push(name.to_owned());
                ("skipped", reason)
            }
        };
        let line = format!("{word:<8}{name:<12}{:>7.1} s  {text}", time.as_secs_f64());
        line.trim_end().to_owned()
    }

    fn join(&mut self, other: Self) {
        self.passed += other.passed;
        self.skipped.extend(other.skipped);
        self.failed.extend(other.failed);
    }

    fn counts(&self) -> String {
        let Self {
            passed,
            skipped,
            failed,
        } = self;
        format!(
            "{passed} passed, {} failed, {} skipped",
            failed.len(),
            skipped.len()
        )
    }

    fn finish(self) -> ExitCode {
        for (what, names) in [("failed", &self.failed), ("skipped", &self.skipped)] {
            if !names.is_empty() {
                println!("{what}: {}", names.join(", "));
            }
        }
        println!("{}", self.counts());
        if self.failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_and_named() {
        let mut tally = Tally::default();
        let second = Duration::from_secs(1);
        let line = tally.add("fmt", second, Outcome::Passed(String::new()));
        assert_eq!(line, "passed  fmt             1.0 s");
        let mut judges = Tally::default();
        let line = judges.add("7-zip", second, Outcome::Failed("two\nlines".to_owned()));
        assert_eq!(line, "FAILED  7-zip           1.0 s  two\nlines");
        judges.add(
            "kernel",
            second,
            Outcome::Skipped("not installed".to_owned()),
        );
        tally.join(judges);
        assert_eq!(tally.counts(), "1 passed, 1 failed, 1 skipped");
        assert_eq!(tally.failed, ["7-zip"]);
    }

    #[test]
    fn only_chooses_steps_and_groups() {
        let options = |only: &[&str]| Options::only(only, false, false);
        assert!(options(&[]).wants("fmt", ""));
        assert!(options(&["judges"]).wants("xorriso", "judges"));
        assert!(!options(&["judges"]).wants("fmt", ""));
        assert!(exists("tidy") && !exists("tidi"));
    }
}
