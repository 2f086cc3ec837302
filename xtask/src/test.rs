//! Everything that must hold before a change is taken: `cargo xtask test`.
//!
//! Steps run one after the other, all of them, whatever fails; each prints one line when it
//! ends. The last line printed is `N passed, N failed, N skipped`, and the exit code is zero
//! only if nothing failed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;

use crate::{tidy, workspace};

/// What `cargo xtask test` takes.
#[derive(Debug, Args)]
pub struct Options {
    /// Run only this step (may be given more than once; see --list)
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// List the steps and do nothing
    #[arg(long)]
    list: bool,
    /// Run the longest judges at full size instead of on a sample
    #[arg(long)]
    pub full: bool,
    /// Keep the folder with images and extracted trees
    #[arg(long)]
    pub keep: bool,
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
    run: fn(&Options) -> Outcome,
}

const STEPS: [Step; 5] = [
    Step {
        name: "fmt",
        what: "the sources are formatted",
        run: |_| cargo_step(&["fmt", "--all", "--check"]),
    },
    Step {
        name: "clippy",
        what: "no lint complains",
        run: |_| clippy(),
    },
    Step {
        name: "tidy",
        what: "crate arrows, heads, lengths and words of files",
        run: |_| tidy::check().into(),
    },
    Step {
        name: "tests",
        what: "unit, documentation and integration tests",
        run: |_| cargo_step(&["test", "--workspace"]),
    },
    Step {
        name: "docs",
        what: "the documentation builds without a warning",
        run: |_| docs(),
    },
];

/// Runs the steps that `options` choose and prints what became of them.
pub fn run(options: &Options) -> ExitCode {
    if options.list {
        for step in &STEPS {
            println!("{:<12} {}", step.name, step.what);
        }
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = options
        .only
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != **name))
    {
        eprintln!("there is no step `{unknown}`; --list shows them");
        return ExitCode::from(2);
    }
    let mut tally = Tally::default();
    for step in &STEPS {
        if !options.only.is_empty() && options.only.iter().all(|name| name != step.name) {
            continue;
        }
        let start = Instant::now();
        let outcome = (step.run)(options);
        tally.add(step.name, start.elapsed(), &outcome);
    }
    tally.finish()
}

/// Counts outcomes and remembers what failed.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Tally {
    fn add(&mut self, name: &str, time: Duration, outcome: &Outcome) {
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
        println!("{word:<8}{name:<16}{:>7.1} s  {text}", time.as_secs_f64());
    }

    fn finish(self) -> ExitCode {
        for (what, names) in [("failed", &self.failed), ("skipped", &self.skipped)] {
            if !names.is_empty() {
                println!("{what}: {}", names.join(", "));
            }
        }
        println!(
            "{} passed, {} failed, {} skipped",
            self.passed,
            self.failed.len(),
            self.skipped.len()
        );
        if self.failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn cargo_step(arguments: &[&str]) -> Outcome {
    let result = workspace::cargo(arguments).pass_through();
    result.map(|()| String::new()).into()
}

fn clippy() -> Outcome {
    cargo_step(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
}

fn docs() -> Outcome {
    let cargo = workspace::cargo(&["doc", "--workspace", "--no-deps"]);
    let result = cargo.env("RUSTDOCFLAGS", "-Dwarnings").pass_through();
    result.map(|()| String::new()).into()
}
