//! What the program says while and after it works: one line on a terminal, JSON lines with
//! `--json`.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reburn_blocks::BlockCount;
use serde_json::{Value, json};

use crate::failure::Failure;

/// How results and progress are shown.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// As JSON.
    pub json: bool,
    /// Without progress.
    pub quiet: bool,
}

impl Terminal {
    /// Prints a result: a line for people, or an object.
    pub fn result(self, text: &str, object: &Value) {
        if self.json {
            print_line(&object.to_string());
        } else if !text.is_empty() {
            print_line(text);
        }
    }

    /// Prints why the program failed.
    pub fn failure(self, failure: &Failure) {
        if self.json {
            eprintln!(
                "{}",
                json!({ "error": failure.to_string(), "code": failure.code() })
            );
        } else {
            eprintln!("reburn: {failure}");
        }
    }

    /// Prints something that a person should know but that stops nothing.
    pub fn note(self, text: &str) {
        if self.json {
            eprintln!("{}", json!({ "note": text }));
        } else {
            eprintln!("reburn: {text}");
        }
    }

    /// Starts to show the progress of something over `total` blocks.
    pub fn progress(self, what: &'static str, total: BlockCount) -> Progress {
        if self.json {
            return Progress {
                what,
                total,
                shown: Shown::Json { percent: None },
                on: !self.quiet,
            };
        }
        let hidden = self.quiet || !std::io::stderr().is_terminal();
        let target = if hidden {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(total.bytes()), target);
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(250));
        Progress {
            what,
            total,
            shown: Shown::Bar(bar),
            on: !hidden,
        }
    }
}

/// Prints a line of results. A reader that has gone away, as `head` does, is no failure.
pub fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Progress being shown.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: BlockCount,
    shown: Shown,
    on: bool,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    /// The last percentage printed.
    Json {
        percent: Option<u64>,
    },
}

impl Progress {
    /// So many blocks are done.
    pub fn at(&mut self, done: BlockCount) {
        match &mut self.shown {
            Shown::Bar(bar) => bar.set_position(done.bytes()),
            Shown::Json { percent } => {
                let total = u64::from(self.total.get()).max(1);
                let now = u64::from(done.get()) * 100 / total;
                if self.on && *percent != Some(now) {
                    *percent = Some(now);
                    let (done, total) = (done.get(), self.total.get());
                    eprintln!(
                        "{}",
                        json!({ "progress": self.what, "done": done, "total": total })
                    );
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
