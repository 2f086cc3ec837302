//! The difficult tree goes onto a disc and comes back, fresh and after each round of edits, of
//! which only the modified blocks are written.
//!
//! The reader is our own here, so that this proves that nothing is lost between folder, tree,
//! image, plan and folder; what others read is for `cargo xtask test` to ask.
#![cfg(unix)]

use std::path::Path;

use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba};
use reburn_image::{ExtractOptions, FileSystemImage, HostOptions, ImportOptions, Medium};
use reburn_image::{extract, new_volume};
use reburn_tests::{Aspect, DifficultTree, Kind, ROUNDS, Tolerance, Walk, compare, edit};
use reburn_tree::{Timestamp, Tree};

const TREE: DifficultTree = DifficultTree {
    seed: 7,
    big_file: false,
    crowd: 301,
};

/// The whole result, block by block.
fn blocks(result: &dyn BlockRead) -> Vec<u8> {
    let mut disc = vec![0; result.block_count().as_usize() * BLOCK_SIZE];
    result.read_blocks(Lba::ZERO, &mut disc).unwrap();
    disc
}

fn now() -> Timestamp {
    Timestamp::from_seconds(1_900_000_000)
}

fn import(disc: &dyn BlockRead, medium: Medium) -> FileSystemImage<'_> {
    let options = ImportOptions {
        medium,
        hierarchy: None,
        time: now(),
        accept_losses: false,
        append: None,
    };
    FileSystemImage::import(disc, &options).unwrap()
}

/// Copies everything out and compares it with the folder that it came from.
fn comes_back(disc: &dyn BlockRead, medium: Medium, folder: &Path) {
    let out = tempfile::tempdir().unwrap();
    let owners = rustix::process::geteuid().is_root();
    let image = import(disc, medium);
    let to = out.path().join("out");
    extract(
        image.tree(),
        disc,
        Tree::ROOT,
        &to,
        ExtractOptions {
            owners,
            ..ExtractOptions::default()
        },
    )
    .unwrap();
    let (expected, seen) = (Walk::of(folder).unwrap(), Walk::of(&to).unwrap());
    // Owners and devices are the superuser's to make; the disc has them.
    let rights = Tolerance {
        name: "rights",
        because: "only the superuser gives files away and makes devices",
        forgives: |difference| {
            let kind = difference.expected.as_ref().map(|entry| entry.kind);
            let device = matches!(kind, Some(Kind::CharDevice | Kind::BlockDevice));
            device || difference.aspect == Aspect::Owner
        },
    };
    let forgiven = if owners { Vec::new() } else { vec![rights] };
    let comparison = compare(&expected, &seen, &forgiven);
    assert!(
        comparison.differences.is_empty(),
        "{medium:?}: {comparison}"
    );
    assert!(comparison.compared > 800, "{comparison}");
}

/// Writes the listed blocks of the result over the base, and nothing else.
fn record(base: &[u8], result: &reburn_image::ResultImage<'_>) -> Vec<u8> {
    let mut disc = base.to_vec();
    for range in result.modified_blocks().unwrap().ranges() {
        let mut data = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
        result.read_filled(range.start_lba(), &mut data).unwrap();
        let start = range.start_lba().get() as usize * BLOCK_SIZE;
        disc.resize(disc.len().max(start + data.len()), 0);
        disc[start..start + data.len()].copy_from_slice(&data);
    }
    disc
}

#[test]
fn every_round_of_edits_comes_back() {
    for medium in [Medium::File, Medium::BdRe] {
        let folder = tempfile::tempdir().unwrap();
        TREE.make(folder.path()).unwrap();
        let mut image = FileSystemImage::new(medium, new_volume("DIFFICULT", now()), now());
        let options = HostOptions::default();
        image.sync_host(folder.path(), options).unwrap();
        let mut disc = blocks(&image.result().unwrap());
        comes_back(&disc, medium, folder.path());

        for round in 1..=ROUNDS {
            edit(folder.path(), round).unwrap();
            let mut image = import(&disc, medium);
            image.sync_host(folder.path(), options).unwrap();
            let result = image.result().unwrap();
            let recorded = record(&disc, &result);
            let expected = blocks(&result);
            assert!(
                recorded[..expected.len()] == expected,
                "{medium:?}, round {round}"
            );
            let changed = result.modified_blocks().unwrap().block_count();
            assert!(changed < result.total_blocks(), "{medium:?}, round {round}");
            drop(image);
            disc = recorded;
            comes_back(&disc, medium, folder.path());
        }
    }
}
