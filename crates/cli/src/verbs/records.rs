//! `reburn show --records` and `--block`: what is on a disc, field by field.
//!
//! The disc is looked at with the raw view of each file system that is on it, so that a volume
//! that no reader takes can still be looked into.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use reburn_blocks::Lba;
use reburn_record::{Row, Sheet};
use reburn_udf::Session;
use serde_json::{Value, json};

use crate::args::Show;
use crate::failure::Failure;
use crate::progress::Terminal;

/// Shows records of the volume, of a path, or of a block.
pub fn run(args: &Show, terminal: Terminal) -> Result<ExitCode, Failure> {
    let disc = args.disc.open()?;
    let iso = reburn_iso9660::Inspector::new(&*disc.blocks, Lba::ZERO);
    let udf = reburn_udf::Inspector::new(&*disc.blocks, Session::default());
    let mut printer = Printer::new(terminal);
    let flow = match (args.block, args.path.as_deref()) {
        (Some(block), _) => {
            let end = disc.blocks.block_count();
            let block = Lba::checked(block.into()).filter(|lba| lba.get() < end.get());
            let block = block.ok_or_else(|| {
                Failure::usage(format!("the disc has {end} blocks, counted from 0")).of(&args.disc)
            })?;
            match iso.block(block, &mut |sheet| printer.print(sheet)) {
                ControlFlow::Continue(false) => {
                    let shown = udf.block(block, &mut |sheet| printer.print(sheet));
                    shown.map_continue(|_| ())
                }
                shown => shown.map_continue(|_| ()),
            }
        }
        (None, _) if !iso.is_iso9660() && !udf.is_udf() => {
            return Err(Failure::usage(format!(
                "{disc} has neither an ISO 9660 volume descriptor at block 16 nor an anchor of \
                 UDF; `reburn show {disc} --block N` shows any block of it",
                disc = args.disc
            )));
        }
        (None, Some(path)) => file(args, path, &iso, &udf, &mut printer)?,
        (None, None) => volume(&iso, &udf, &mut printer),
    };
    // A reader that has gone away, as `head` does, is no failure.
    if flow.is_continue() {
        let _ = printer.out.flush();
    }
    Ok(ExitCode::SUCCESS)
}

fn volume(
    iso: &reburn_iso9660::Inspector<'_>,
    udf: &reburn_udf::Inspector<'_>,
    printer: &mut Printer,
) -> ControlFlow<()> {
    if iso.is_iso9660() {
        iso.volume(&mut |sheet| printer.print(sheet))?;
    }
    if udf.is_udf() {
        udf.volume(&mut |sheet| printer.print(sheet))?;
    }
    ControlFlow::Continue(())
}

/// Shows a path in each file system that has it. A tree of ISO 9660 that was asked for leaves
/// UDF out.
fn file(
    args: &Show,
    path: &OsStr,
    iso: &reburn_iso9660::Inspector<'_>,
    udf: &reburn_udf::Inspector<'_>,
    printer: &mut Printer,
) -> Result<ControlFlow<()>, Failure> {
    let path = path.as_encoded_bytes();
    let hierarchy = args.tree.hierarchy();
    let mut problems = Vec::new();
    let mut found = false;
    if iso.is_iso9660() {
        match iso.file(path, hierarchy, &mut |sheet| printer.print(sheet)) {
            Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
            Ok(ControlFlow::Continue(())) => found = true,
            Err(error) => problems.push(error.to_string()),
        }
    }
    if udf.is_udf() && hierarchy.is_none() {
        match udf.file(path, &mut |sheet| printer.print(sheet)) {
            Ok(ControlFlow::Break(())) => return Ok(ControlFlow::Break(())),
            Ok(ControlFlow::Continue(())) => found = true,
            Err(error) => problems.push(error.to_string()),
        }
    }
    if found {
        return Ok(ControlFlow::Continue(()));
    }
    problems.dedup();
    Err(Failure::usage(problems.join("; ")).of(&args.disc))
}

/// Prints sheets, an empty line between two of them or an object a line.
struct Printer {
    terminal: Terminal,
    out: BufWriter<io::Stdout>,
    is_first: bool,
}

impl Printer {
    fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            out: BufWriter::new(io::stdout()),
            is_first: true,
        }
    }

    fn print(&mut self, sheet: &Sheet) -> ControlFlow<()> {
        let separator = if std::mem::take(&mut self.is_first) || self.terminal.json {
            ""
        } else {
            "\n"
        };
        let printed = if self.terminal.json {
            writeln!(self.out, "{}", object(sheet))
        } else {
            write!(self.out, "{separator}{sheet}")
        };
        match printed {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// A sheet as an object, with the fields that text folds away.
fn object(sheet: &Sheet) -> Value {
    let mut object = json!({
        "block": sheet.block,
        "byte": sheet.byte,
        "title": sheet.title,
        "record": sheet.record,
        "clause": sheet.clause,
        "fields": sheet.rows.iter().map(field).collect::<Vec<_>>(),
        "notes": sheet.notes,
    });
    if let Some(address) = &sheet.address {
        object["address"] = address.as_str().into();
    }
    object
}

fn field(row: &Row) -> Value {
    json!({
        "offset": row.offset,
        "length": row.len,
        "depth": row.depth,
        "name": row.name,
        "clause": row.clause,
        "value": row.value,
        "meaning": row.meaning,
    })
}
