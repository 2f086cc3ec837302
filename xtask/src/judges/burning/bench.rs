//! One virtual disc, and the programs that use it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reburn_blocks::BLOCK_SIZE;
use reburn_emulator::{MediumKind, VirtualDisc};

use super::payload::same;
use super::state::State;
use super::{Expected, Payload};
use crate::command::{Output, Program, last_lines};
use crate::judges::evidence::{Evidence, failed};
use crate::judges::report::Report;

/// How long a program may take; most take two seconds, spent in waiting for the drive.
const TIMEOUT: Duration = Duration::from_mins(3);
/// Lines of the drive's trace that are shown with a failure.
const TRACE_LINES: usize = 12;

/// Whether a kind of medium is looked at in a run of this size: those with several layers differ
/// from the others in their size alone.
pub fn is_heard(evidence: &Evidence, kind: MediumKind) -> bool {
    evidence.is_full() || kind.layers() == 1
}

/// A disc, used step by step. After a step that failed, nothing more is done with it.
pub struct Bench<'a> {
    evidence: &'a Evidence,
    report: &'a mut Report,
    /// What the steps are for, for the report.
    name: String,
    kind: MediumKind,
    disc: PathBuf,
    last: Option<Program>,
}

impl<'a> Bench<'a> {
    /// A new disc of this kind.
    pub fn new(
        evidence: &'a Evidence,
        report: &'a mut Report,
        judge: &str,
        case: &str,
        kind: MediumKind,
    ) -> Result<Self, String> {
        // Without the program there is nothing to say of any case.
        evidence.reburn()?;
        let name = format!("{judge} {kind} {case}").trim_end().to_owned();
        let disc = evidence.file(&format!("{}.disc", name.replace('/', "-")));
        if disc.exists() {
            std::fs::remove_file(&disc).map_err(failed(&disc))?;
        }
        VirtualDisc::create(&disc, kind).map_err(|error| error.to_string())?;
        Ok(Self {
            evidence,
            report,
            name,
            kind,
            disc,
            last: None,
        })
    }

    /// The kind of the disc.
    pub fn kind(&self) -> MediumKind {
        self.kind
    }

    /// Does all steps; the first that fails is the finding.
    pub fn judge(mut self, steps: impl FnOnce(&mut Self) -> Result<(), String>) {
        let verdict = steps(&mut self);
        let replay = self.last.take().unwrap_or_else(|| Program::new("true"));
        self.report.verdict(&self.name, &replay, verdict);
        if !self.evidence.keeps() {
            // What stays behind is removed by the next run.
            let _ = std::fs::remove_file(&self.disc);
            let _ = std::fs::remove_file(self.trace());
        }
    }

    /// Runs a program that must succeed and leave the medium in a state.
    pub fn step(
        &mut self,
        arguments: &[impl AsRef<str>],
        expected: Expected,
    ) -> Result<Output, String> {
        let output = self.run(arguments)?;
        let disc = VirtualDisc::open_scratch(&self.disc).map_err(|error| error.to_string())?;
        let found = State::of(disc)?;
        expected
            .check(self.kind, &found)
            .map_err(|fault| format!("{fault}\n  found: {found:?}\n{}", self.end_of_trace()))?;
        Ok(output)
    }

    /// Runs a program that must succeed.
    pub fn run(&mut self, arguments: &[impl AsRef<str>]) -> Result<Output, String> {
        let program = self.program(arguments)?;
        self.last = Some(program.clone());
        let output = program.capture()?;
        if output.success() {
            return Ok(output);
        }
        let said = last_lines(&(output.stdout_text() + &output.stderr_text()), 15);
        Err(format!("it failed:\n{said}\n{}", self.end_of_trace()))
    }

    /// A program with the disc in its drive.
    fn program(&self, arguments: &[impl AsRef<str>]) -> Result<Program, String> {
        let run = self.evidence.reburn()?.args(["drive", "run", "--disc"]);
        let run = run.arg(&self.disc).arg("--trace").arg(self.trace());
        let arguments = arguments.iter().map(AsRef::as_ref);
        Ok(run.arg("--").args(arguments).timeout(TIMEOUT))
    }

    fn trace(&self) -> PathBuf {
        self.disc.with_extension("trace")
    }

    fn end_of_trace(&self) -> String {
        let trace = std::fs::read_to_string(self.trace()).unwrap_or_default();
        let told = trace
            .lines()
            .filter(|line| !line.contains("TEST UNIT READY"));
        let told: Vec<_> = told.collect();
        let shown = &told[told.len().saturating_sub(TRACE_LINES)..];
        format!("the drive's trace ends with:\n{}", shown.join("\n"))
    }

    /// Reads blocks through the block device, and compares.
    pub fn read_back(&mut self, start: u32, content: &[u8]) -> Result<(), String> {
        let copy = self.evidence.file("read-back.img");
        let [start_at, count] = [start as usize, content.len() / BLOCK_SIZE];
        self.run(&[
            "dd",
            "if=/dev/sr0",
            &format!("of={}", copy.display()),
            "bs=2048",
            &format!("skip={start_at}"),
            &format!("count={count}"),
        ])?;
        let read = std::fs::read(&copy).map_err(failed(&copy))?;
        same(
            &format!("what was written at block {start}"),
            &read,
            content,
        )
    }

    /// Lets xorriso read all files through the drive, and compares them.
    pub fn extract_with_xorriso(&mut self, payload: &Payload) -> Result<(), String> {
        let folder = self.evidence.scratch("burned files")?;
        let target = folder.display().to_string();
        let extract = ["-osirrox", "on", "-extract", "/", &target];
        let arguments = [&["xorriso", "-indev", "/dev/sr0"][..], &extract].concat();
        self.run(&arguments)?;
        payload.is_in(&folder)
    }

    /// Lets xorriso read all files out of a copy of what the drive shows from block 0 on, and
    /// compares them.
    pub fn extract_from_block_0(&mut self, payload: &Payload) -> Result<(), String> {
        let image = self.evidence.file("burned.iso");
        let [of, count] = [format!("of={}", image.display()), "count=4096".to_owned()];
        self.run(&["dd", "if=/dev/sr0", &of, "bs=2048", &count])?;
        let folder = self.evidence.scratch("burned files")?;
        let xorriso = Program::new("xorriso").arg("-indev").arg(&image);
        let extract = xorriso
            .args(["-osirrox", "on", "-extract", "/"])
            .arg(&folder);
        extract.capture()?.require_success(&extract)?;
        payload.is_in(&folder)
    }

    /// Scratches one bit of the disc that has `content`, after which `comparison` must fail.
    pub fn must_see_damage(
        &mut self,
        content: &[u8],
        comparison: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let needle = content
            .get(BLOCK_SIZE..2 * BLOCK_SIZE)
            .ok_or("the content is too short to be damaged")?;
        flip_bit(&self.disc, needle).map_err(failed(&self.disc))?;
        match comparison(self) {
            Ok(()) => Err("one bit of the disc is wrong here, and no difference was seen".into()),
            Err(_) => Ok(()),
        }
    }
}

/// Flips a bit in the first block of a file that is `needle`.
fn flip_bit(path: &Path, needle: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut block = vec![0; needle.len()];
    let mut at = 0;
    while file.read_exact(&mut block).is_ok() {
        if block == needle {
            file.seek(SeekFrom::Start(at))?;
            return file.write_all(&[block[0] ^ 0x10]);
        }
        at += needle.len() as u64;
    }
    Err(std::io::Error::other(
        "the disc lacks what was burned on it",
    ))
}
