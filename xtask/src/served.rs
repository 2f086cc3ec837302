//! An emulated drive served to other programs while a job runs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::command::{Program, last_lines};

/// How long the program may take to start, and to stop the drive.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// `reburn drive serve` at work. It is killed if it is dropped; [`Served::stop`] lets it finish
/// what it records.
pub struct Served {
    child: Child,
    program: Program,
    errors: PathBuf,
    /// `ADDRESS:PORT`.
    pub address: String,
    /// The target's name.
    pub name: String,
}

impl Served {
    /// Serves the virtual disc at some free port of this machine. What the program says is kept
    /// beside the disc.
    pub fn start(reburn: Program, disc: &Path, arguments: &[&str]) -> Result<Self, String> {
        let program = reburn
            .args([
                "--json",
                "drive",
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--disc",
            ])
            .arg(disc)
            .args(arguments);
        let (said, errors) = (beside(disc, "said"), beside(disc, "errors"));
        let create =
            |path: &Path| File::create(path).map_err(|e| format!("{}: {e}", path.display()));
        let child = program.start(create(&said)?, create(&errors)?)?;
        let mut served = Self {
            child,
            program,
            errors,
            address: String::new(),
            name: String::new(),
        };
        let line = served.first_line(&said)?;
        let object: Value = serde_json::from_str(&line).map_err(|_| format!("odd: {line}"))?;
        let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
        served.address = text("address");
        served.name = text("name");
        Ok(served)
    }

    /// The drive as a URL, with `who` (`user%secret@`) before the address.
    pub fn url(&self, who: &str) -> String {
        format!("iscsi://{who}{}/{}/0", self.address, self.name)
    }

    /// Ends serving; the drive finishes what it records.
    pub fn stop(mut self) -> Result<(), String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or("the program has an odd process id")?;
        kill_process(pid, Signal::TERM).map_err(|error| self.failed(&error.to_string()))?;
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(self.failed(&format!("ended with {status}"))),
                Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(LOOK),
                Ok(None) => return Err(self.failed("does not end when told to")),
                Err(error) => return Err(self.failed(&error.to_string())),
            }
        }
    }

    fn first_line(&mut self, said: &Path) -> Result<String, String> {
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(said).unwrap_or_default();
            if let Some((line, _)) = text.split_once('\n') {
                return Ok(line.to_owned());
            }
            let ended = self
                .child
                .try_wait()
                .map_err(|error: io::Error| error.to_string())?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                return Err(self.failed("does not serve"));
            }
            std::thread::sleep(LOOK);
        }
    }

    fn failed(&self, what: &str) -> String {
        let said = fs::read_to_string(&self.errors).unwrap_or_default();
        format!("`{}` {what}:\n{}", self.program, last_lines(&said, 20))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // One that ended already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn beside(disc: &Path, what: &str) -> PathBuf {
    let mut name = disc.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}
