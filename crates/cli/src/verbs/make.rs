//! `reburn make`: a new image from a folder.

use std::ffi::OsStr;
use std::process::ExitCode;

use reburn_blocks::BlockRead;
use reburn_image::{FileSystemImage, HostFileId, HostOptions, Medium, ResultImage};
use reburn_tree::Metadata;
use serde_json::json;

use crate::args::Make;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Terminal;
use crate::render::size;
use crate::time::BuildTime;

/// Makes a file, or all files below a folder, ones that drives read at a steady rate.
fn mark_real_time(image: &mut FileSystemImage<'_>, path: &OsStr) -> Result<(), Failure> {
    let tree = image.tree_mut();
    let found = tree.lookup(path.as_encoded_bytes()).ok_or_else(|| {
        let path = path.display();
        Failure::usage(format!("--real-time {path}: the folder has no such file"))
    })?;
    let below: Vec<_> = tree.walk(found).map(|(node, _)| tree.inode(node)).collect();
    for inode in below {
        let metadata = Metadata {
            real_time: true,
            ..*tree.metadata(inode)
        };
        tree.set_metadata(inode, metadata);
    }
    Ok(())
}

/// Translated names that are told one by one.
const NAMES_TOLD: usize = 10;

/// Tells which names are recorded as others.
pub fn tell_translated(result: &ResultImage<'_>, terminal: Terminal) {
    let mut names = result.translated_names();
    for (path, recorded) in names.by_ref().take(NAMES_TOLD) {
        terminal.note(&format!(
            "{path} is recorded as {recorded}: UDF has no such name"
        ));
    }
    let more = names.count();
    if more > 0 {
        terminal.note(&format!("{more} more names are recorded as others"));
    }
}

/// Makes the image; nothing stands under its name until it is complete.
pub fn run(args: &Make, terminal: Terminal) -> Result<ExitCode, Failure> {
    let time = BuildTime::new(&args.time)?;
    let file_systems = args.volume.file_systems(time.volume, args.media);
    let mut image = FileSystemImage::new(args.media, file_systems, time.volume);
    if !args.dir.is_dir() {
        let missing = std::fs::metadata(&args.dir).err();
        return Err(missing.map_or_else(
            || Failure::usage(format!("{} is not a folder", args.dir.display())),
            |error| Failure::host(&args.dir, &error),
        ));
    }
    let options = HostOptions {
        latest: time.latest,
        leave_out: HostFileId::of(&args.output),
        xattrs: args.host.xattrs,
        all_times: args.host.all_times,
        ..HostOptions::default()
    };
    let report = image.add_host(&args.dir, b"/", options)?;
    for path in &args.real_time {
        mark_real_time(&mut image, path)?;
    }
    let result = image.result()?;
    tell_translated(&result, terminal);

    let mut output = Output::create(&args.output)?;
    let mut progress = terminal.progress("writing", result.total_blocks());
    result
        .write_to(output.file(), &mut |done| progress.at(done))
        .map_err(|error| Failure::from(error).of(args.output.display()))?;
    drop(progress);
    let total = result.total_blocks();
    let used = result.used_ranges().block_count();
    let id = result.disc_id()?;
    output.keep()?;
    let mut text = format!(
        "{}: {} names, {total} blocks ({})",
        args.output.display(),
        report.added,
        size(total)
    );
    if args.media != Medium::File {
        text = format!("{text}, of which {used} ({}) are in use", size(used));
    }
    let object = json!({
        "image": args.output.to_string_lossy(), "names": report.added,
        "blocks": total.get(), "used_blocks": used.get(), "disc_id": id,
    });
    terminal.result(&text, &object);
    Ok(ExitCode::SUCCESS)
}
