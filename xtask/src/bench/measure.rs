//! Wall time and peak memory of whole processes.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The median of several runs.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    wall: Duration,
    /// Peak memory in KiB, where the system tells.
    peak_kib: Option<u64>,
}

impl Figure {
    /// Wall time in seconds.
    pub fn seconds(&self) -> f64 {
        self.wall.as_secs_f64()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8.2} s", self.seconds())?;
        match self.peak_kib {
            Some(kib) => write!(f, " {:6} MiB", kib.div_ceil(1024)),
            None => write!(f, "          -"),
        }
    }
}

/// What stands for the output file among a program's arguments.
pub const OUTPUT: &str = "OUTPUT";

/// A program to measure.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// What the table calls it.
    pub name: &'a str,
    /// The file that it writes, in the runner's folder.
    output: &'a str,
    /// The program and its arguments; [`OUTPUT`] stands for the file's name.
    pub command: &'a [&'a str],
}

/// A program that writes one file.
pub fn peer<'a>(name: &'a str, output: &'a str, command: &'a [&'a str]) -> Peer<'a> {
    Peer {
        name,
        output,
        command,
    }
}

impl Peer<'_> {
    fn command(&self, dir: &Path) -> Command {
        let mut command = Command::new(self.command[0]);
        command
            .args(
                self.command[1..]
                    .iter()
                    .map(|&arg| if arg == OUTPUT { self.output } else { arg }),
            )
            .current_dir(dir)
            .stdin(Stdio::null());
        command
    }
}

/// Runs programs in a folder.
#[derive(Debug)]
pub struct Runner<'a> {
    /// The folder.
    pub dir: &'a Path,
    /// Runs that count.
    pub runs: usize,
}

impl Runner<'_> {
    /// Runs the programs in turn, A B C A B C, and gives each its median; the first round does
    /// not count.
    pub fn in_turn(&self, peers: &[&Peer<'_>]) -> Vec<Result<Figure, String>> {
        let mut figures: Vec<Result<Vec<Figure>, String>> = vec![Ok(Vec::new()); peers.len()];
        for round in 0..=self.runs {
            for (peer, figures) in peers.iter().zip(&mut figures) {
                // Freeing the last run's file is not what is timed.
                let _ = fs::remove_file(self.dir.join(peer.output));
                match (self.once(peer), &mut *figures) {
                    (Ok(figure), Ok(figures)) if round > 0 => figures.push(figure),
                    (Err(error), figures) => *figures = Err(error),
                    _ => {}
                }
            }
        }
        let median = |mut figures: Vec<Figure>| {
            figures.sort_by_key(|figure| figure.wall);
            figures[figures.len() / 2]
        };
        figures
            .into_iter()
            .map(|figures| figures.map(median))
            .collect()
    }

    /// What a program prints.
    pub fn output(&self, peer: &Peer<'_>) -> String {
        let output = peer.command(self.dir).output();
        output.map_or_else(
            |e| e.to_string(),
            |o| String::from_utf8_lossy(&o.stdout).into_owned(),
        )
    }

    fn once(&self, peer: &Peer<'_>) -> Result<Figure, String> {
        let start = Instant::now();
        let mut child = peer
            .command(self.dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut peak_kib = None;
        let status = loop {
            peak_kib = peak(&child).max(peak_kib);
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let wall = start.elapsed();
        if status.success() {
            Ok(Figure { wall, peak_kib })
        } else {
            Err(status.to_string())
        }
    }
}

/// The most memory that a process has had resident so far, in KiB.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
