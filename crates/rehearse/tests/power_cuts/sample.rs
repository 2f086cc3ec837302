//! A small disc of any kind, and an edit of it.

use std::ops::ControlFlow;

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba, Plan};
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_image::{
    FileSystemImage, FileSystems, ImportOptions, Medium, ResultImage, UdfOptions, UdfRevision,
    new_udf_volume, new_volume,
};
use reburn_recorder::{Options, Recorder, Verify};
use reburn_tree::{Metadata, NewKind, Timestamp};
use reburn_udf::PartitionKind;

const THEN: Timestamp = Timestamp::from_seconds(1_600_000_000);
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

pub fn bytes(seed: u8, len: usize) -> NewKind {
    let byte = |i: usize| seed ^ (i / 7).to_le_bytes()[0];
    NewKind::Bytes((0..len).map(byte).collect::<Vec<u8>>().into())
}

pub fn file() -> Metadata {
    Metadata::file().modified_at(THEN)
}

pub fn iso() -> FileSystems {
    new_volume("SAMPLE", THEN).into()
}

pub fn udf(revision: UdfRevision, partition: PartitionKind) -> FileSystems {
    FileSystems::Udf(UdfOptions {
        partition,
        access: UdfOptions::with_partition(revision, partition).access,
        ..new_udf_volume("SAMPLE", revision, THEN)
    })
}

pub fn mirrored() -> FileSystems {
    udf(UdfRevision::V2_50, PartitionKind::Metadata)
}

pub fn plain() -> FileSystems {
    udf(UdfRevision::V2_01, PartitionKind::Plain)
}

pub fn sparable() -> FileSystems {
    udf(UdfRevision::V2_01, PartitionKind::Sparable)
}

pub fn bridge() -> FileSystems {
    let udf = new_udf_volume("SAMPLE", UdfRevision::V2_01, THEN);
    FileSystems::Bridge(new_volume("SAMPLE", THEN), udf)
}

/// A disc with a folder and three files.
pub fn disc(medium: Medium, file_systems: FileSystems) -> Box<dyn BlockRead> {
    let image = image(medium, file_systems);
    let result = image.result().unwrap();
    if let Some(kind) = MediumKind::from_name(medium.name()) {
        return Box::new(recorded(kind, &result));
    }
    let mut all = vec![0; result.block_count().as_usize() * BLOCK_SIZE];
    result.read_blocks(Lba::ZERO, &mut all).unwrap();
    Box::new(all)
}

fn image(medium: Medium, file_systems: FileSystems) -> FileSystemImage<'static> {
    let mut image = FileSystemImage::new(medium, file_systems, THEN);
    let folder = Metadata::directory().modified_at(THEN);
    image.add(b"/docs", folder, NewKind::Directory).unwrap();
    image.add(b"/docs/one", file(), bytes(1, 5000)).unwrap();
    image.add(b"/docs/two", file(), bytes(2, 100_000)).unwrap();
    image.add(b"/three", file(), bytes(3, 300)).unwrap();
    image
}

/// The same on a virtual disc.
pub fn virtual_disc(medium: Medium, kind: MediumKind, file_systems: FileSystems) -> VirtualDisc {
    recorded(kind, &image(medium, file_systems).result().unwrap())
}

fn recorded(kind: MediumKind, result: &ResultImage<'_>) -> VirtualDisc {
    let mut drive = Emulator::with_disc(VirtualDisc::formatted(kind));
    let options = Options {
        verify: Verify::None,
        ..Options::default()
    };
    Recorder::with_options(&mut drive, options)
        .record_image(result, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    drive.take_disc().unwrap()
}

/// Imports the disc, edits it, and calls `then` with the plan and the result.
pub fn edit<T>(
    disc: &dyn BlockRead,
    medium: Medium,
    then: impl FnOnce(&Plan, &ResultImage<'_>) -> T,
) -> T {
    let image = edited(disc, medium);
    let result = image.result().unwrap();
    then(&result.plan().unwrap(), &result)
}

/// The same with a broken protocol.
#[cfg(feature = "mutants")]
pub fn edit_with<T>(
    disc: &dyn BlockRead,
    medium: Medium,
    mutant: Option<reburn_image::Mutant>,
    then: impl FnOnce(&Plan, &ResultImage<'_>) -> T,
) -> T {
    let mut image = edited(disc, medium);
    if let Some(mutant) = mutant {
        image.break_with(mutant);
    }
    let result = image.result().unwrap();
    then(&result.plan().unwrap(), &result)
}

fn edited(disc: &dyn BlockRead, medium: Medium) -> FileSystemImage<'_> {
    let options = ImportOptions {
        medium,
        hierarchy: None,
        time: NOW,
        accept_losses: false,
        append: None,
    };
    let mut image = FileSystemImage::import(disc, &options).unwrap();
    image.add(b"/docs/new", file(), bytes(4, 70_000)).unwrap();
    image
        .add(
            b"/note",
            file(),
            NewKind::Bytes(Bytes::from_static(b"note")),
        )
        .unwrap();
    image.replace(b"/docs/one", file(), bytes(5, 9000)).unwrap();
    image.remove(b"/three").unwrap();
    image
}
