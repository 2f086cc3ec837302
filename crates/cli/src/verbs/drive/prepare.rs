//! `reburn drive blank`, `format` and `close`: what is done to a disc besides recording.

use std::process::ExitCode;

use reburn_recorder::{BlankWay, Close, FormatWay, Medium, Recorder};
use serde_json::json;

use crate::disc::DiscName;
use crate::drive_args::{Blank, CloseDisc, Format, FormatArg};
use crate::failure::Failure;
use crate::progress::Terminal;
use crate::verbs::burn::{Show, catch_interrupts};

/// Blanks the disc.
pub fn blank(args: &Blank, terminal: Terminal) -> Result<ExitCode, Failure> {
    let way = if args.full {
        BlankWay::Full
    } else {
        BlankWay::Minimal
    };
    run(&args.disc, terminal, |recorder, show| {
        recorder.blank(way, &mut |event| show.event(event))
    })
}

/// Formats the disc.
pub fn format(args: &Format, terminal: Terminal) -> Result<ExitCode, Failure> {
    let way = match args.way {
        FormatArg::Usual => FormatWay::Usual,
        FormatArg::Full => FormatWay::Full,
        FormatArg::SpareAreas => FormatWay::SpareAreas,
    };
    run(&args.disc, terminal, |recorder, show| {
        recorder.format(way, &mut |event| show.event(event))
    })
}

/// Closes what is open.
pub fn close(args: &CloseDisc, terminal: Terminal) -> Result<ExitCode, Failure> {
    let close = if args.finalise {
        Close::Finalise
    } else {
        Close::Session
    };
    run(&args.disc, terminal, |recorder, show| {
        recorder.close(close, &mut |event| show.event(event))
    })
}

/// Does it, and says what the disc is then.
fn run(
    disc: &DiscName,
    terminal: Terminal,
    act: impl FnOnce(&mut Recorder<'_>, &mut Show) -> Result<Medium, reburn_recorder::Failure>,
) -> Result<ExitCode, Failure> {
    let mut drive = disc.drive(None)?;
    catch_interrupts()?;
    let mut show = Show::new(terminal);
    let mut recorder = Recorder::new(&mut *drive);
    let done = act(&mut recorder, &mut show);
    drop(show);
    let medium = done.map_err(|failure| Failure::from(failure).of(disc))?;
    let state = match &medium.sequence {
        Some(sequence) => sequence.to_string(),
        None => format!("formatted, {} blocks can be written", medium.writable),
    };
    let object = json!({
        "disc": disc.to_string(), "media": medium.profile.to_string(), "state": state,
        "blank": medium.blank, "writable": medium.writable.get(),
        "next": medium.appendable().map(|found| found.next_writable.get()),
    });
    terminal.result(&format!("{disc}: {}, {state}", medium.profile), &object);
    Ok(ExitCode::SUCCESS)
}
