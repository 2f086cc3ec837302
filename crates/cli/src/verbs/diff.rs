//! `reburn diff`: the blocks in which two images differ.

use std::process::ExitCode;

use reburn_blocks::{
    BlockRange, BlockRangeList, BlockRead, CrashClass, Epoch, EpochRole, Fingerprint, Lba,
    ModifiedBlocks, Plan, Protocol, differing_units,
};
use reburn_image::Medium;

use super::edit::save;
use crate::args::Diff;
use crate::failure::Failure;
use crate::progress::Terminal;
use crate::render;

/// Blocks of the old image that a plan's fingerprint samples.
const SAMPLES: u32 = 64;
/// Exchanged ranges that it covers.
const RANGES_MAX: usize = 1000;

/// Compares the images, and writes a plan if asked for one. Exit code 1 if they differ.
pub fn run(args: &Diff, terminal: Terminal) -> Result<ExitCode, Failure> {
    let (old, new) = (args.old.open()?, args.new.open()?);
    let medium = old.medium.or(args.media).unwrap_or(Medium::File);
    let unit = medium.write_unit();
    let ranges = differing_units(&*old.blocks, &*new.blocks, unit)?;
    if new.blocks.block_count() < old.blocks.block_count() && medium == Medium::File {
        let (was, is) = (old.blocks.block_count(), new.blocks.block_count());
        terminal.note(&format!(
            "{} is shorter, {is} blocks instead of {was}; a plan keeps the rest",
            args.new
        ));
    }
    let epoch = Epoch {
        role: EpochRole::Commit,
        ranges: ranges.clone(),
    };
    let modified = ModifiedBlocks::new(unit, [epoch]);
    let plan = Plan {
        volume: args.old.to_string(),
        base: fingerprint(&*old.blocks, &ranges)?,
        protocol: Protocol::Difference,
        next_writable: None,
        class: CrashClass::None,
        class_reason: "blocks are exchanged where they are, so until all are recorded the disc \
                       may be neither image"
            .into(),
        lower_bound: modified.block_count(),
        total_blocks: new.blocks.block_count(),
        modified,
    };
    if let Some(path) = &args.output {
        save(&plan, &*new.blocks, path)?;
    }
    terminal.result(&render::plan(&plan), &render::plan_json(&plan));
    Ok(if ranges.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// What the old image must look like: blocks all over it, and those that will be exchanged.
fn fingerprint(old: &dyn BlockRead, exchanged: &BlockRangeList) -> Result<Fingerprint, Failure> {
    let blocks = old.block_count();
    let step = (blocks.get() / SAMPLES).max(1);
    let samples = (0..blocks.get())
        .step_by(step as usize)
        .map(|lba| BlockRange::single(Lba::new(lba)));
    let whole: BlockRangeList = BlockRange::with_count(Lba::ZERO, blocks)
        .into_iter()
        .collect();
    let exchanged = exchanged.intersection(&whole);
    let covered = samples
        .chain(exchanged.iter().take(RANGES_MAX))
        .collect::<BlockRangeList>();
    Ok(Fingerprint::take(old, covered.iter())?)
}
