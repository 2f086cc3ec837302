//! Edits of discs that were cut or scratched: what they leave is whole, and on the way there is
//! always a tree.

use reburn_blocks::BlockRange;

use super::damage::{MEDIA, kinds};
use super::disc::Disc;
use super::torn::{Torn, assert_whole, cut_states, edited, grown, said, views_of};
use super::udf::small_volume;
use super::*;
use crate::{Finding, Health, View};

/// The entries of the metadata file, or the descriptor sequences, which a commit rewrites.
fn pair(disc: &Disc) -> [BlockRange; 2] {
    let volume = reburn_udf::Volume::open(disc, reburn_udf::Session::default()).unwrap();
    let places = volume.structures();
    match places.metadata {
        Some(metadata) => [metadata.entry, metadata.mirror_entry].map(BlockRange::single),
        None => [places.main_sequence, places.reserve_sequence].map(Option::unwrap),
    }
}

#[test]
fn an_edit_of_a_scratched_volume_makes_it_whole_and_never_shows_less() {
    for medium in MEDIA {
        for systems in kinds() {
            let views = views_of(&systems);
            if !views.contains(&View::Udf) {
                continue;
            }
            let disc = grown(medium, systems, 2);
            for lost in pair(&disc) {
                let mut torn = Torn::new(&disc);
                torn.lose(lost.align_outward(medium.write_unit()));
                let now = check_edit(&torn, medium, &views, &format!("{medium}, {lost} lost"));
                if is_sparable(&now) {
                    assert_mendable(&now, medium);
                } else {
                    assert_whole(&now, medium);
                }
            }
        }
    }
}

/// An edit of a sparable volume writes its tables or its descriptor sequences, and leaves the
/// others as they are.
fn is_sparable(disc: &Torn) -> bool {
    let volume = reburn_udf::Volume::open(disc, reburn_udf::Session::default()).unwrap();
    volume.structures().sparing.is_some()
}

/// Checks that a repair mends all that is not whole.
fn assert_mendable(disc: &Torn, medium: Medium) {
    let health = Health::check(disc, medium).unwrap();
    let is_mended = |finding: &Finding| finding.is_mended;
    assert!(health.findings().iter().all(is_mended), "{}", said(&health));
    if let Some(repair) = health.repair() {
        assert_whole(&disc.records(repair.plan(), repair), medium);
    }
}

/// Edits a disc, cutting the commit in each of its units; gives back the new one.
fn check_edit(disc: &Torn, medium: Medium, views: &[View], what: &str) -> Torn {
    let mut image = import(disc, medium);
    let old = contents_of(image.tree(), disc);
    edited(&mut image, 9);
    let new = contents_of(image.tree(), disc);
    let result = image
        .result()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let plan = result.plan().unwrap();
    assert_eq!(plan.base.mismatch(disc).unwrap(), None);
    let shows = |disc: &Torn, view: &View| {
        let tree = view
            .read(disc)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        contents_of(&tree, disc)
    };
    let mut now = disc.clone();
    for epoch in plan.modified.epochs() {
        for range in &epoch.ranges {
            for one in range.pieces(plan.modified.write_unit().blocks()) {
                let mut torn = now.clone();
                torn.lose(one);
                let seen = shows(&torn, &View::Udf);
                assert!(seen == old || seen == new, "{what}: {one} torn");
                now.record(one, &result);
            }
        }
    }
    for view in views {
        assert!(shows(&now, view) == new, "{what}");
    }
    now
}

#[test]
fn an_edit_after_a_cut_makes_both_copies_new() {
    for medium in MEDIA {
        for systems in kinds() {
            let views = views_of(&systems);
            if views != [View::Udf] {
                continue;
            }
            let disc = grown(medium, systems, 2);
            let mut image = import(&disc, medium);
            edited(&mut image, 7);
            let result = image.result().unwrap();
            let states = cut_states(&disc, &result.plan().unwrap(), &result);
            // A host that wrote a part of a descriptor sequence leaves a volume that is repaired
            // before it is edited.
            let is_shown = |(_, torn): &(String, Torn)| View::Udf.read(torn).is_ok();
            for (state, torn) in states.into_iter().filter(is_shown) {
                let now = check_edit(&torn, medium, &views, &format!("{medium}, {state}"));
                // An edit of a metadata partition leaves the descriptor sequences alone.
                let health = Health::check(&now, medium).unwrap();
                if is_sparable(&now) {
                    assert_mendable(&now, medium);
                    continue;
                }
                let is_sequence = |finding: &Finding| finding.what.contains("descriptor sequence");
                assert!(
                    health.findings().iter().all(is_sequence),
                    "{medium}, {state}: {}",
                    said(&health)
                );
            }
        }
    }
}

#[test]
fn a_torn_head_is_not_edited_but_repaired_first() {
    for medium in MEDIA {
        for systems in kinds() {
            if views_of(&systems)[0] != View::Iso {
                continue;
            }
            let mut torn = Torn::new(&small_volume(medium, systems));
            torn.lose(BlockRange::single(Lba::new(16)).align_outward(medium.write_unit()));
            let options = ImportOptions {
                medium,
                hierarchy: None,
                time: NOW,
                accept_losses: false,
                append: None,
            };
            let error = FileSystemImage::import(&torn, &options).unwrap_err();
            assert!(matches!(error, ImageError::TornHead { .. }), "{error}");
            assert!(error.to_string().contains("`reburn check --repair`"));
        }
    }
}
