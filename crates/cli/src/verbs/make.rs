//! `reburn make`: a new image from a folder.

use std::process::ExitCode;

use reburn_image::{FileSystemImage, HostFileId, HostOptions, new_volume};
use reburn_iso9660::{DeepDirectories, IsoOptions, Joliet, Level};
use reburn_tree::Timestamp;
use serde_json::json;

use crate::args::{DeepArg, FileSystem, IsoArgs, JolietArg, LevelArg, Make, Switch};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Terminal;
use crate::render::size;
use crate::time::BuildTime;

/// Makes the image; nothing stands under its name until it is complete.
pub fn run(args: &Make, terminal: Terminal) -> Result<ExitCode, Failure> {
    let time = BuildTime::new(&args.time)?;
    let mut image =
        FileSystemImage::new(args.media, iso_options(&args.iso, time.volume), time.volume);
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
        ..HostOptions::default()
    };
    let report = image.add_host(&args.dir, b"/", options)?;
    let result = image.result()?;

    let mut output = Output::create(&args.output)?;
    let mut progress = terminal.progress("writing", result.total_blocks());
    result
        .write_to(output.file(), &mut |done| progress.at(done))
        .map_err(|error| Failure::from(error).of(args.output.display()))?;
    drop(progress);
    let total = result.total_blocks();
    let id = result.disc_id()?;
    output.keep()?;
    let text = format!(
        "{}: {} names, {total} blocks ({})",
        args.output.display(),
        report.added,
        size(total)
    );
    let object = json!({
        "image": args.output.to_string_lossy(), "names": report.added,
        "blocks": total.get(), "disc_id": id,
    });
    terminal.result(&text, &object);
    Ok(ExitCode::SUCCESS)
}

fn iso_options(args: &IsoArgs, time: Timestamp) -> IsoOptions {
    let FileSystem::Iso = args.fs;
    IsoOptions {
        level: match args.level {
            LevelArg::One => Level::One,
            LevelArg::Two => Level::Two,
            LevelArg::Three | LevelArg::Enhanced => Level::Three,
        },
        joliet: match args.joliet {
            JolietArg::Off => Joliet::Off,
            JolietArg::Strict => Joliet::Strict64,
            JolietArg::Relaxed => Joliet::Relaxed103,
        },
        rock_ridge: args.rock_ridge == Switch::On,
        deep: match args.deep {
            DeepArg::Relocate => DeepDirectories::Relocate,
            DeepArg::InPlace => DeepDirectories::InPlace,
        },
        enhanced: args.level == LevelArg::Enhanced,
        ..new_volume(&args.volume, time)
    }
}
