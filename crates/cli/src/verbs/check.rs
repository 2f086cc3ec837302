//! `reburn check`: what a disc shows, what of it is not whole, and how that is mended.

use std::fmt::Write as _;
use std::process::ExitCode;

use reburn_blocks::{BLOCK_SIZE, BlockRead, BlockWrite, Overlay, Plan, ZeroBlocks};
use reburn_image::{CheckOptions, Finding, Health, Medium, Repair, Shown, ViewHealth};
use reburn_recorder::{Outcome, Recorder};
use serde_json::{Value, json};

use super::burn::{Show, catch_interrupts};
use crate::args::Check;
use crate::failure::Failure;
use crate::progress::Terminal;

/// Exit code where something is not whole.
const FINDINGS: u8 = 1;

/// Says what is on the disc, and mends it if asked to. Exit code 1 if something is not whole.
pub fn run(args: &Check, terminal: Terminal) -> Result<ExitCode, Failure> {
    let mut checked = Checked::of(args)?;
    checked.tell(args, terminal);
    if args.repair {
        let repair = match args.session {
            Some(number) => return_to(args, number)?,
            None => checked.repair.take(),
        };
        if let Some((plan, source)) = repair {
            let outcome = record(args, &plan, &source, terminal)?;
            tell_outcome(args, &outcome, terminal);
            checked = Checked::of(args)?;
            checked.tell(args, terminal);
        } else if let Some(number) = args.session {
            let name = &args.disc;
            terminal.note(&format!("{name}: session {number} is shown already"));
        }
    }
    Ok(if checked.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FINDINGS)
    })
}

/// A plan with the blocks that it records.
type OwnedRepair = (Plan, Overlay<ZeroBlocks>);

/// What a check came to, with the disc closed again.
struct Checked {
    views: Vec<ViewHealth>,
    findings: Vec<Finding>,
    repair: Option<OwnedRepair>,
}

fn medium_of(args: &Check, own: Option<Medium>) -> Result<Medium, Failure> {
    if let (Some(is), Some(asked)) = (own, args.media)
        && is != asked
    {
        let name = &args.disc;
        return Err(Failure::usage(format!(
            "{name} is a {is} disc; leave out --media {asked}"
        )));
    }
    Ok(own.or(args.media).unwrap_or(Medium::File))
}

impl Checked {
    fn of(args: &Check) -> Result<Self, Failure> {
        let disc = args.disc.open()?;
        let medium = medium_of(args, disc.medium)?;
        let options = CheckOptions {
            read_data: args.read_all,
            append: disc.append,
        };
        let health = Health::check_with(&*disc.blocks, medium, options)
            .map_err(|error| Failure::from(error).of(&args.disc))?;
        Ok(Self {
            views: health.views().to_vec(),
            findings: health.findings().to_vec(),
            repair: health.repair().map(owned).transpose()?,
        })
    }

    fn tell(&self, args: &Check, terminal: Terminal) {
        let mut text = String::new();
        for view in &self.views {
            let shown = match &view.shown {
                Ok(shown) => said(shown),
                Err(error) => format!("shows nothing: {error}"),
            };
            let _ = writeln!(text, "{:8}  {shown}", view.view.to_string());
        }
        let mended = self.findings.iter().filter(|f| f.is_mended).count();
        for finding in &self.findings {
            let _ = writeln!(text, "finding   {finding}");
        }
        let summary = match (self.findings.len(), mended) {
            (0, _) => "whole     nothing is wrong".to_owned(),
            (count, 0) => format!("findings  {count}, of which no repair mends any"),
            (count, mended) => {
                let name = &args.disc;
                let how = format!("`reburn check {name} --repair` mends {mended}");
                format!("findings  {count}, of which {how}")
            }
        };
        text.push_str(&summary);
        let object = json!({
            "disc": args.disc.to_string(),
            "whole": self.findings.is_empty(),
            "views": self.views.iter().map(view_object).collect::<Vec<_>>(),
            "findings": self.findings.iter().map(finding_object).collect::<Vec<_>>(),
        });
        terminal.result(&text, &object);
    }
}

/// What readers show, in a line.
fn said(shown: &Shown) -> String {
    let mut text = format!("shows {}", shown.label);
    if let Some(number) = shown.session {
        let _ = write!(text, ", session {number}");
    }
    if let Some(time) = shown.time {
        let _ = write!(text, ", of {time}");
    }
    let (files, folders) = (shown.files, shown.folders);
    let _ = write!(text, ", {files} names of files, {folders} folders");
    text
}

fn view_object(view: &ViewHealth) -> Value {
    let name = view.view.to_string();
    match &view.shown {
        Ok(shown) => json!({
            "view": name, "volume": shown.label, "session": shown.session,
            "modified": shown.time.map(|time| time.to_string()),
            "files": shown.files, "folders": shown.folders,
        }),
        Err(error) => json!({ "view": name, "error": error }),
    }
}

fn finding_object(finding: &Finding) -> Value {
    let blocks = finding.blocks;
    json!({
        "view": finding.view.to_string(),
        "blocks": blocks.map(|range| [range.start_lba().get(), range.end_lba().get()]),
        "what": finding.what,
        "mended": finding.is_mended,
        "obstacle": finding.obstacle,
    })
}

/// A repair with its blocks in memory, so that the disc can be opened for recording.
fn owned(repair: &Repair<'_>) -> Result<OwnedRepair, Failure> {
    let plan = repair.plan().clone();
    let mut source = Overlay::new(ZeroBlocks(plan.total_blocks));
    for range in plan.modified.ranges() {
        let mut bytes = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
        repair.read_filled(range.start_lba(), &mut bytes)?;
        source
            .write_blocks(range.start_lba(), &bytes)
            .map_err(|error| Failure::usage(error.to_string()))?;
    }
    Ok((plan, source))
}

/// What makes an older session the one that readers show.
fn return_to(args: &Check, number: u32) -> Result<Option<OwnedRepair>, Failure> {
    let disc = args.disc.open()?;
    let medium = medium_of(args, disc.medium)?;
    let repair = Repair::return_to(&*disc.blocks, medium, number)
        .map_err(|error| Failure::from(error).of(&args.disc))?;
    repair.as_ref().map(owned).transpose()
}

fn record(
    args: &Check,
    plan: &Plan,
    source: &dyn BlockRead,
    terminal: Terminal,
) -> Result<Outcome, Failure> {
    catch_interrupts()?;
    let mut drive = args.disc.drive(None)?;
    let mut show = Show::new(terminal);
    let mut recorder = Recorder::new(&mut *drive);
    let outcome = recorder.record_plan(plan, source, &mut |event| show.event(event));
    outcome.map_err(|failure| Failure::from(failure).of(&args.disc))
}

fn tell_outcome(args: &Check, outcome: &Outcome, terminal: Terminal) {
    let name = &args.disc;
    let object = json!({
        "disc": name.to_string(),
        "session": args.session,
        "recorded": outcome.recorded.get(),
        "epochs": outcome.epochs,
        "verified": outcome.verified.get(),
    });
    let text = match args.session {
        Some(number) => format!(
            "{name}: {outcome}; session {number} is shown now, and what is newer stays on the disc, \
             listed no more, until an edit needs the room"
        ),
        None => format!("{name}: {outcome}"),
    };
    terminal.result(&text, &object);
}
