//! `reburn edit`: change a disc in memory, and work out which blocks to record.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use reburn_blocks::{Appendable, BlockRangeList, BlockRead, Lba, Plan};
use reburn_emulator::{DriveProfile, MediumKind};
use reburn_image::{Compare, FileSystemImage, HostOptions, ImportOptions, Medium};

use crate::args::Edit;
use crate::choices::CompareArg;
use crate::disc::OpenDisc;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Terminal;
use crate::render;
use crate::time::BuildTime;

/// Changes the tree as asked, and writes the plan or the result.
pub fn run(args: &Edit, terminal: Terminal) -> Result<ExitCode, Failure> {
    let time = BuildTime::new(&args.time)?;
    let disc = args.disc.open()?;
    let medium = disc.medium.or(args.media).unwrap_or(Medium::File);
    if let (Some(is), Some(asked)) = (disc.medium, args.media)
        && is != asked
    {
        let name = &args.disc;
        return Err(Failure::usage(format!(
            "{name} is a {is} disc; leave out --media {asked}"
        )));
    }
    let append = append(args, &disc, medium)?;
    let import = ImportOptions {
        medium,
        hierarchy: args.tree.hierarchy(),
        time: time.volume,
        accept_losses: args.accept_losses,
        append,
    };
    let mut image = FileSystemImage::import(&*disc.blocks, &import)
        .map_err(|error| Failure::from(error).of(&args.disc))?;
    for note in image.notes().iter().filter(|note| !note.is_usual()) {
        terminal.note(&format!("{}: {note}", args.disc));
    }
    let options = HostOptions {
        compare: match args.compare {
            CompareArg::Time => Compare::SizeAndTime,
            CompareArg::Content => Compare::Content,
        },
        latest: time.latest,
        xattrs: args.host.xattrs,
        all_times: args.host.all_times,
        ..HostOptions::default()
    };
    image.set_in_place(args.in_place);
    change(&mut image, args, options)?;
    let result = image.result()?;
    super::make::tell_translated(&result, terminal);
    let plan = result.plan()?;
    if let Some(path) = &args.output {
        save(&plan, &result, path)?;
    }
    if let Some(path) = &args.result {
        let mut output = Output::create(path)?;
        let mut progress = terminal.progress("writing", result.total_blocks());
        result
            .write_to(output.file(), &mut |done| progress.at(done))
            .map_err(|error| Failure::from(error).of(path.display()))?;
        drop(progress);
        output.keep()?;
    }
    let (mut text, mut object) = (render::plan(&plan), render::plan_json(&plan));
    if let Some((of_plan, of_image)) = recording_times(medium, &plan, &result.used_ranges()) {
        let (plan, image) = (of_plan.as_secs_f64(), of_image.as_secs_f64());
        text =
            format!("{text}\nrecording takes about {plan:.1} s, and all of the image {image:.1} s");
        object["seconds"] = plan.into();
        object["image_seconds"] = image.into();
    }
    terminal.result(&text, &object);
    Ok(ExitCode::SUCCESS)
}

/// Where the disc goes on, if it can only be appended to. An image of such a disc is taken for
/// one whose sessions are closed.
fn append(args: &Edit, disc: &OpenDisc, medium: Medium) -> Result<Option<Appendable>, Failure> {
    if let Some(sequence) = &disc.sequence {
        let cannot = || Failure::drive(format!("nothing can be added: {sequence}")).of(&args.disc);
        return disc.append.ok_or_else(cannot).map(Some);
    }
    if disc.medium.is_some() || !medium.is_sequential() {
        return Ok(None);
    }
    let end = disc.blocks.block_count();
    let behind = end.round_up(medium.write_unit()).get();
    let last = args.tree.last.or(end.get().checked_sub(1));
    Ok(Some(Appendable {
        session_start: args.tree.start(),
        last_recorded: last.map(Lba::new),
        next_writable: Lba::new(args.next.unwrap_or(behind)),
        begins_session: true,
    }))
}

/// How long an ordinary drive takes to record the plan, and the whole image instead; none for
/// a file, or if there is nothing to record.
fn recording_times(
    medium: Medium,
    plan: &Plan,
    image: &BlockRangeList,
) -> Option<(Duration, Duration)> {
    let kind = MediumKind::from_name(medium.name()).filter(|_| !plan.modified.is_empty())?;
    let drive = DriveProfile::default();
    let image = image.align_outward(medium.write_unit());
    Some((
        drive.recording_time(kind, &plan.modified),
        drive.range_list_time(kind, &image),
    ))
}

/// Makes the changes in the order sync, remove, rename, add.
fn change(
    image: &mut FileSystemImage<'_>,
    args: &Edit,
    options: HostOptions,
) -> Result<(), Failure> {
    if args.fold {
        image.fold();
    }
    if let Some(dir) = &args.sync {
        image.sync_host(dir, options)?;
    }
    for path in &args.remove {
        image.remove(path.as_encoded_bytes())?;
    }
    for pair in &args.rename {
        let (from, to) = split(pair).ok_or_else(|| {
            let pair = pair.display();
            Failure::usage(format!(
                "--rename {pair}: give FROM=TO, two paths on the disc"
            ))
        })?;
        image.rename(from.as_encoded_bytes(), to.as_encoded_bytes())?;
    }
    for pair in &args.add {
        let (source, path) = added(pair)?;
        image.add_host(&source, &path, options)?;
    }
    Ok(())
}

/// What `SRC[=DEST]` names: a host path, and the path that it gets on the disc.
fn added(pair: &OsStr) -> Result<(PathBuf, Vec<u8>), Failure> {
    // A host file with an equals sign in its name is itself.
    if let Some((source, dest)) = split(pair).filter(|_| !Path::new(pair).exists()) {
        return Ok((source.into(), dest.as_encoded_bytes().to_vec()));
    }
    let source = PathBuf::from(pair);
    let full = fs::canonicalize(&source).map_err(|error| Failure::host(&source, &error))?;
    let named = source.file_name().or(full.file_name());
    let name = named.ok_or_else(|| {
        let pair = pair.display();
        Failure::usage(format!(
            "--add {pair}: it has no name; give it one as {pair}=NAME"
        ))
    })?;
    let dest = name.as_encoded_bytes().to_vec();
    Ok((source, dest))
}

/// Splits at the last equals sign.
fn split(pair: &OsStr) -> Option<(OsString, OsString)> {
    let bytes = pair.as_encoded_bytes();
    let at = bytes.iter().rposition(|&byte| byte == b'=')?;
    let text = |bytes: &[u8]| OsString::from(String::from_utf8_lossy(bytes).into_owned());
    Some((text(&bytes[..at]), text(&bytes[at + 1..])))
}

/// Writes a plan with its blocks.
pub fn save(plan: &Plan, result: &dyn BlockRead, path: &Path) -> Result<(), Failure> {
    let mut output = Output::create(path)?;
    let mut out = BufWriter::with_capacity(1 << 20, output.file());
    plan.save(result, &mut out)
        .map_err(|error| Failure::from(error).of(path.display()))?;
    out.flush().map_err(|error| Failure::host(path, &error))?;
    drop(out);
    output.keep()
}
