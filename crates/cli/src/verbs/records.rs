//! `reburn show --records` and `--block`: what is on a disc, field by field.
//!
//! The disc is looked at with the raw view of each file system that is on it, so that a volume
//! that no reader takes can still be looked into.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use reburn_blocks::{BlockRead, Lba};
use reburn_record::{Row, Sheet};
use serde_json::{Value, json};

use crate::args::{Show, TreeArgs};
use crate::choices::TreeArg;
use crate::failure::Failure;
use crate::progress::Terminal;

/// What is on a disc, of what was asked for.
struct Inspectors<'a> {
    iso: Option<reburn_iso9660::Inspector<'a>>,
    udf: Option<reburn_udf::Inspector<'a>>,
}

/// Shows records of the volume, of a path, or of a block.
pub fn run(args: &Show, tree: &TreeArgs, terminal: Terminal) -> Result<ExitCode, Failure> {
    let disc = args.disc.open()?;
    let tree = &tree.on(&disc);
    let mut printer = Printer::new(terminal);
    let flow = if let Some(block) = args.block {
        let end = disc.blocks.block_count();
        let block = Lba::checked(block.into()).filter(|lba| lba.get() < end.get());
        let block = block.ok_or_else(|| {
            Failure::usage(format!("the disc has {end} blocks, counted from 0")).of(&args.disc)
        })?;
        show_block(tree, &*disc.blocks, block, &mut printer)
    } else {
        let found = Inspectors::new(args, tree, &*disc.blocks)?;
        match args.path.as_deref() {
            Some(path) => found.file((args, tree), path, &mut printer)?,
            None => found.volume(&mut printer),
        }
    };
    // A reader that has gone away, as `head` does, is no failure.
    if flow.is_continue() {
        let _ = printer.out.flush();
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows a block as what it says that it is, by either file system.
fn show_block(
    tree: &TreeArgs,
    disc: &dyn BlockRead,
    block: Lba,
    printer: &mut Printer,
) -> ControlFlow<()> {
    let iso = reburn_iso9660::Inspector::new(disc, tree.start());
    if tree.tree != Some(TreeArg::Udf) && iso.block(block, &mut |sheet| printer.print(sheet))? {
        return ControlFlow::Continue(());
    }
    let udf = reburn_udf::Inspector::new(disc, tree.session());
    udf.block(block, &mut |sheet| printer.print(sheet))?;
    ControlFlow::Continue(())
}

impl<'a> Inspectors<'a> {
    fn new(args: &Show, wanted: &TreeArgs, disc: &'a dyn BlockRead) -> Result<Self, Failure> {
        let (start, tree) = (wanted.start(), wanted.tree);
        let iso = (tree != Some(TreeArg::Udf))
            .then(|| reburn_iso9660::Inspector::new(disc, start))
            .filter(reburn_iso9660::Inspector::is_iso9660);
        let udf = wanted.hierarchy().is_none();
        let udf = udf
            .then(|| reburn_udf::Inspector::new(disc, wanted.session()))
            .filter(reburn_udf::Inspector::is_udf);
        if iso.is_none() && udf.is_none() {
            let what = match tree {
                Some(TreeArg::Udf) => "no UDF volume is here",
                Some(_) => "no ISO 9660 volume is here",
                None => "neither an ISO 9660 nor a UDF volume is here",
            };
            return Err(Failure::usage(format!(
                "{what}; `reburn show {} --block N` shows any block",
                args.disc
            ))
            .of(&args.disc));
        }
        Ok(Self { iso, udf })
    }

    fn volume(&self, printer: &mut Printer) -> ControlFlow<()> {
        if let Some(iso) = &self.iso {
            iso.volume(&mut |sheet| printer.print(sheet))?;
        }
        if let Some(udf) = &self.udf {
            udf.volume(&mut |sheet| printer.print(sheet))?;
        }
        ControlFlow::Continue(())
    }

    /// Shows a path in each file system that has it.
    fn file(
        &self,
        (args, tree): (&Show, &TreeArgs),
        path: &OsStr,
        printer: &mut Printer,
    ) -> Result<ControlFlow<()>, Failure> {
        let path = path.as_encoded_bytes();
        let mut problems = Vec::new();
        let mut found = false;
        if let Some(iso) = &self.iso {
            let hierarchy = tree.hierarchy();
            match iso.file(path, hierarchy, &mut |sheet| printer.print(sheet)) {
                Ok(ControlFlow::Continue(())) => found = true,
                Ok(stopped) => return Ok(stopped),
                Err(error) => problems.push(error.to_string()),
            }
        }
        if let Some(udf) = &self.udf {
            match udf.file(path, &mut |sheet| printer.print(sheet)) {
                Ok(ControlFlow::Continue(())) => found = true,
                Ok(stopped) => return Ok(stopped),
                Err(error) => problems.push(error.to_string()),
            }
        }
        if found {
            return Ok(ControlFlow::Continue(()));
        }
        problems.dedup();
        Err(Failure::usage(problems.join("; ")).of(&args.disc))
    }
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
