//! Running other programs: never with standard input, always with an end.
//!
//! A captured program writes into temporary files rather than pipes, so that one which prints
//! much, or leaves a child behind that holds the pipe, cannot block this one.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a program may run unless its caller says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(30);

/// A program and its arguments, ready to run.
#[derive(Debug, Clone)]
pub struct Program {
    name: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
    input: Option<PathBuf>,
    timeout: Duration,
}

/// What a captured program left behind.
#[derive(Debug)]
pub struct Output {
    /// How it ended; `None` if it was killed for running too long.
    pub status: Option<ExitStatus>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether it ended by itself, with success.
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// Standard output as text, strange bytes replaced.
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text, strange bytes replaced.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output if the program succeeded, else a sentence with the end of what it said.
    pub fn require_success(self, program: &Program) -> Result<Self, String> {
        if self.success() {
            return Ok(self);
        }
        let mut said = self.stderr_text();
        if said.trim().is_empty() {
            said = self.stdout_text();
        }
        Err(format!(
            "`{program}` {}:\n{}",
            ending(self.status),
            last_lines(&said, 20)
        ))
    }
}

impl Program {
    /// The program `name`, looked up in the search path unless it is a path.
    pub fn new(name: impl Into<OsString>) -> Self {
        Self {
            name: name.into(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            input: None,
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The folder it runs in.
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Feeds it this file through a pipe, which it cannot seek in.
    pub fn piped_input(mut self, file: impl Into<PathBuf>) -> Self {
        self.input = Some(file.into());
        self
    }

    /// How long it may run before it is killed.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it with its output passed through. `Err` says what failed.
    pub fn pass_through(&self) -> Result<(), String> {
        let status = self
            .spawn(Stdio::inherit(), Stdio::inherit(), false)
            .and_then(|mut child| self.wait(&mut child))
            .map_err(|error| self.failed(&error))?;
        if status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        Err(format!("`{self}` {}", ending(status)))
    }

    /// Runs it and keeps what it wrote. `Err` only if it could not be run at all.
    pub fn capture(&self) -> Result<Output, String> {
        self.try_capture().map_err(|error| self.failed(&error))
    }

    /// Starts it beside this program, with its output in these files. It has a process group of
    /// its own, and ends when its caller ends it.
    pub fn start(&self, out: File, err: File) -> Result<Child, String> {
        let child = self.spawn(out.into(), err.into(), true);
        child.map_err(|error| self.failed(&error))
    }

    fn try_capture(&self) -> io::Result<Output> {
        let mut stdout = tempfile::tempfile()?;
        let mut stderr = tempfile::tempfile()?;
        let (out, err) = (stdout.try_clone()?.into(), stderr.try_clone()?.into());
        let mut child = self.spawn(out, err, true)?;
        let feeder = self.feed(&mut child)?;
        let status = self.wait(&mut child)?;
        if let Some(feeder) = feeder {
            // A program may stop reading early; only its own verdict counts.
            let _ = feeder.join();
        }
        Ok(Output {
            status,
            stdout: read_back(&mut stdout)?,
            stderr: read_back(&mut stderr)?,
        })
    }

    fn feed(&self, child: &mut Child) -> io::Result<Option<std::thread::JoinHandle<()>>> {
        let (Some(path), Some(mut pipe)) = (&self.input, child.stdin.take()) else {
            return Ok(None);
        };
        let mut file = File::open(path)?;
        Ok(Some(std::thread::spawn(move || {
            let _ = io::copy(&mut file, &mut pipe);
        })))
    }

    fn spawn(&self, out: Stdio, err: Stdio, own_group: bool) -> io::Result<Child> {
        let mut command = Command::new(&self.name);
        command.args(&self.args).stdout(out).stderr(err);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        #[cfg(unix)]
        if own_group {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        #[cfg(not(unix))]
        let _ = own_group;
        command.spawn()
    }

    /// Waits for the end; kills the program, and what it started, when its time is over.
    fn wait(&self, child: &mut Child) -> io::Result<Option<ExitStatus>> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if start.elapsed() > self.timeout {
                kill_group(child.id());
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    fn failed(&self, error: &dyn fmt::Display) -> String {
        format!("`{self}` could not be run: {error}")
    }
}

/// Kills the process group that a captured program leads.
fn kill_group(leader: u32) {
    if cfg!(unix) {
        let group = format!("-{leader}");
        let _ = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn read_back(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How a program ended, as the rest of a sentence.
fn ending(status: Option<ExitStatus>) -> String {
    match status {
        None => "was killed for running too long".to_owned(),
        Some(status) => format!("ended with {status}"),
    }
}

/// The last lines of a text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The command as a shell takes it.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(dir) = &self.dir
            && *dir != crate::workspace::root()
        {
            write!(f, "cd {} && ", quoted(dir.as_os_str()))?;
        }
        for (name, value) in &self.env {
            write!(f, "{}={} ", name.display(), quoted(value))?;
        }
        if let Some(input) = &self.input {
            write!(f, "cat {} | ", quoted(input.as_os_str()))?;
        }
        write!(f, "{}", quoted(&self.name))?;
        for arg in &self.args {
            write!(f, " {}", quoted(arg))?;
        }
        Ok(())
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Whether a program of this name is in the search path.
pub fn is_installed(name: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    // User-mode tools of the system live in sbin, which a user's path may lack.
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|dir| dir.join(name).is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn output_and_status_are_kept() {
        let program = Program::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]);
        let output = program.capture().unwrap();
        assert_eq!(output.stdout, b"out\n");
        assert_eq!(output.stderr, b"err\n");
        let error = output.require_success(&program).unwrap_err();
        assert_eq!(
            error,
            "`sh -c 'echo out; echo err >&2; exit 3'` ended with exit status: 3:\nerr"
        );
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let start = Instant::now();
        let program = Program::new("sh")
            .args(["-c", "sleep 60 & sleep 60"])
            .timeout(Duration::from_millis(100));
        assert!(program.capture().unwrap().status.is_none());
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn standard_input_is_empty_or_a_pipe() {
        let output = Program::new("cat").capture().unwrap();
        assert_eq!(output.stdout, b"");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let output = Program::new("cat").piped_input(file).capture().unwrap();
        assert_eq!(output.stdout, std::fs::read(file).unwrap());
    }

    #[test]
    fn a_missing_program_is_a_sentence() {
        let error = Program::new("no-such-program").capture().unwrap_err();
        assert!(
            error.starts_with("`no-such-program` could not be run: "),
            "{error}"
        );
        assert!(!is_installed("no-such-program"));
        assert!(is_installed("sh"));
    }
}
