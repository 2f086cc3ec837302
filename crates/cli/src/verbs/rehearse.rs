//! `reburn rehearse`: record a plan on an emulated drive and cut the power everywhere.

use std::process::ExitCode;

use reburn_blocks::{BlockRead, CrashClass, Plan, PlanFile, WriteUnit};
use reburn_emulator::VirtualDisc;
use reburn_image::Medium;
use reburn_rehearse::{Explorer, Options, RehearseError, RepairFn, Report, mend};
use serde_json::{Value, json};

use crate::args::Rehearse;
use crate::disc::DiscName;
use crate::failure::Failure;
use crate::progress::Terminal;

/// Violations that are told one by one.
const TOLD: usize = 10;

/// Rehearses the plan. Exit code 1 if something breaks the promise of its class.
pub fn run(args: &Rehearse, terminal: Terminal) -> Result<ExitCode, Failure> {
    let of_plan =
        |error: reburn_blocks::PlanFileError| Failure::from(error).of(args.plan.display());
    let file = PlanFile::open(&args.plan).map_err(of_plan)?;
    file.check_blocks().map_err(of_plan)?;
    let plan = file.plan();
    let (base, medium) = open(&args.disc)?;
    let base = &*base;
    let medium = medium.unwrap_or_else(|| medium_of(plan));
    if let Some(mismatch) = plan.base.mismatch(base)? {
        let what = format!(
            "blocks {} are not those of the disc that the plan was made for ({})",
            mismatch.range, plan.volume
        );
        return Err(Failure::wrong_disc(what).of(&args.disc));
    }
    let options = Options {
        seed: args.seed,
        ..Options::default()
    };
    let failed = |error| rehearse_failure(error).of(&args.disc);
    let repair: Box<RepairFn<'_>> = Box::new(|disc| mend(disc, medium));
    let explorer = Explorer::recorded(base, plan, &file, medium, options).map_err(failed)?;
    let report = explorer.with_repair(&*repair).run();
    terminal.result(&describe(plan, &report), &object(plan, &report));
    Ok(if report.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// The disc as it is, without a drive before it, and what it is if it says so.
fn open(disc: &DiscName) -> Result<(Box<dyn BlockRead>, Option<Medium>), Failure> {
    let DiscName::Virtual(path) = disc else {
        let open = disc.open()?;
        return Ok((open.blocks, open.medium));
    };
    let found = VirtualDisc::open_scratch(path);
    let found = found.map_err(|error| Failure::usage(error.to_string()).of(disc))?;
    let medium = Medium::from_name(found.kind().name());
    Ok((Box::new(found), medium))
}

/// The medium that a plan for an image is for, by what it records at once.
fn medium_of(plan: &Plan) -> Medium {
    match plan.modified.write_unit() {
        WriteUnit::FILE => Medium::File,
        WriteUnit::BLU_RAY => Medium::BdRe,
        _ => Medium::DvdPlusRw,
    }
}

fn rehearse_failure(error: RehearseError) -> Failure {
    match error {
        RehearseError::Read(error) => error.into(),
        RehearseError::Record(failure) => (*failure).into(),
        other => Failure::usage(other.to_string()),
    }
}

/// In plain words.
fn describe(plan: &Plan, report: &Report) -> String {
    let Report {
        visited,
        distinct,
        old,
        new,
        between,
        refused,
        other,
        repaired,
        cuts_in_repairs,
        beyond_repair,
        cost,
        ..
    } = report;
    let mut lines = vec![format!(
        "{}, {}: {}\n{} write units in {} epochs, {} of them where readers begin\n{visited} ways to \
         cut it, of which readers tell {distinct} apart:",
        plan.protocol, plan.class, plan.class_reason, cost.total, cost.barriers, cost.rewritten
    )];
    for (count, what) in [
        (old, "leave the old files"),
        (new, "leave the new files"),
        (
            between,
            "leave the new files in one file system and the old ones in the other",
        ),
        (refused, "need repair before they can be read"),
        (
            beyond_repair,
            "of these hold garbage that no repair knows what to make of",
        ),
        (other, "leave something else"),
    ] {
        if *count > 0 {
            lines.push(format!("{count:>9} {what}"));
        }
    }
    if *repaired > 0 {
        lines.push(format!(
            "{repaired} repairs were rehearsed, and cut in {cuts_in_repairs} ways"
        ));
    }
    if plan.class == CrashClass::None {
        lines.push("the class promises nothing".into());
    } else if report.violations.is_empty() {
        lines.push("every one of them keeps the promise of its class".into());
    }
    for violation in report.violations.iter().take(TOLD) {
        lines.push(format!("broken: {violation}"));
    }
    if report.violations.len() > TOLD {
        lines.push(format!("and {} more", report.violations.len() - TOLD));
    }
    lines.join("\n")
}

fn object(plan: &Plan, report: &Report) -> Value {
    let violations = report.violations.iter().map(ToString::to_string);
    json!({
        "protocol": plan.protocol.to_string(),
        "class": plan.class.to_string(),
        "units": report.cost.total,
        "rewritten": report.cost.rewritten,
        "barriers": report.cost.barriers,
        "visited": report.visited,
        "distinct": report.distinct,
        "old": report.old,
        "new": report.new,
        "between": report.between,
        "needs_repair": report.refused,
        "beyond_repair": report.beyond_repair,
        "other": report.other,
        "repairs": report.repaired,
        "cuts_in_repairs": report.cuts_in_repairs,
        "violations": violations.collect::<Vec<_>>(),
    })
}
