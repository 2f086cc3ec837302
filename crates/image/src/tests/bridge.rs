//! Edits of discs with ISO 9660 and UDF over the same files.

use reburn_blocks::{BlockRange, CrashClass, Protocol};
use reburn_iso9660::Hierarchy;
use reburn_udf::{Access, Session, UdfOptions, UdfRevision};

use super::disc::{self, Contents, Disc};
use super::udf::small_volume;
use super::*;
use crate::{FileSystems, IsoOptions, new_udf_volume};

fn bridge(revision: UdfRevision, access: Access) -> FileSystems {
    let udf = new_udf_volume("FIRST", revision, THEN);
    FileSystems::Bridge(new_volume("FIRST", THEN), UdfOptions { access, ..udf })
}

/// What ISO 9660 and UDF show, each read alone.
fn both(disc: &Disc) -> [Contents; 2] {
    let iso = reburn_iso9660::Volume::open(disc, Lba::ZERO).unwrap();
    let iso = iso.read_tree(disc, Hierarchy::RockRidge).unwrap();
    let udf = reburn_udf::Volume::open(disc, Session::default()).unwrap();
    let udf = udf.read_tree(disc).unwrap();
    [iso.tree, udf.tree].map(|tree| contents_of(&tree, disc))
}

fn try_import(disc: &Disc, medium: Medium) -> Result<FileSystemImage<'_>, ImageError> {
    let options = ImportOptions {
        medium,
        hierarchy: None,
        time: NOW,
        accept_losses: false,
        append: None,
    };
    FileSystemImage::import(disc, &options)
}

fn refusal(disc: &Disc) -> String {
    match try_import(disc, Medium::File) {
        Err(error @ ImageError::EntireImageRequired(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_file_system_is_committed_in_turn() {
    for medium in [Medium::File, Medium::DvdPlusRw, Medium::BdRe] {
        let mut disc = small_volume(medium, bridge(UdfRevision::V1_02, Access::ReadOnly));
        for round in 0..4u8 {
            let mut image = import(&disc, medium);
            image.replace(b"/small", file(), bytes(round, 700)).unwrap();
            let path = [b"/docs/new-", &[b'a' + round][..]].concat();
            image.add(&path, file(), bytes(round, 5000)).unwrap();
            let result = image.result().unwrap();
            let plan = result.plan().unwrap();
            assert_eq!(plan.protocol, Protocol::Bridge);
            assert_eq!(plan.class, CrashClass::Recoverable);
            let states = disc::record(&disc, &plan, &result);
            let [old, _] = both(&disc);
            let new = contents_of(image.tree(), &disc);
            let seen: Vec<_> = states.iter().map(both).collect();
            let wanted = [[&old, &old], [&new, &old], [&new, &old], [&new, &new]];
            assert_eq!(seen.len(), wanted.len());
            for (seen, wanted) in seen.iter().zip(wanted) {
                assert!([&seen[0], &seen[1]] == wanted, "{medium}, round {round}");
            }
            let recognition = BlockRange::new(Lba::new(16), Lba::new(31)).unwrap();
            for one in recognition.pieces(BlockCount::ONE) {
                let [before, after] = [&disc, &states[3]].map(|disc| disc.block(one.start_lba()));
                let is_iso = &before[1..6] == b"CD001";
                assert!(is_iso || before == after, "block {one} is not of ISO 9660");
            }
            disc = disc::check_contract(&disc, &result);
        }
    }
}

#[test]
fn trees_that_differ_are_refused_with_the_path() {
    let disc = small_volume(Medium::File, bridge(UdfRevision::V1_02, Access::ReadOnly));
    let volume = reburn_iso9660::Volume::open(&disc, Lba::ZERO).unwrap();
    let tree = volume.read_tree(&disc, Hierarchy::RockRidge).unwrap();
    let root = volume.primary().root.head.extent_location.le();
    let mut wrong = disc.clone();
    let mut block = wrong.block(Lba::new(root));
    // The name that Rock Ridge gives to a file of the root.
    let at = block.windows(5).position(|name| name == b"three").unwrap();
    block[at..at + 5].copy_from_slice(b"tiger");
    wrong.write_blocks(Lba::new(root), &block).unwrap();
    assert!(tree.tree.lookup(b"/three").is_some());
    let said = refusal(&wrong);
    assert!(
        said.contains("differ at /three: ISO 9660 does not have it"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let plain = IsoOptions {
        rock_ridge: false,
        ..new_volume("FIRST", THEN)
    };
    for (revision, reason) in [
        (UdfRevision::V1_02, "players of DVD-Video"),
        (UdfRevision::V2_01, "no Rock Ridge names"),
    ] {
        let udf = new_udf_volume("FIRST", revision, THEN);
        let disc = small_volume(Medium::File, FileSystems::Bridge(plain.clone(), udf));
        let said = refusal(&disc);
        assert!(said.contains(reason), "{said}");
    }
    let metadata = bridge(UdfRevision::V2_50, Access::ReadOnly);
    let disc = small_volume(Medium::File, metadata);
    let mut image = import(&disc, Medium::File);
    image.remove(b"/three").unwrap();
    let said = image.result().unwrap_err().to_string();
    assert!(
        said.contains("only plain and sparable partitions"),
        "{said}"
    );
}

#[test]
fn more_descriptors_have_no_room() {
    let disc = small_volume(Medium::File, bridge(UdfRevision::V1_02, Access::ReadOnly));
    let mut image = import(&disc, Medium::File);
    let FileSystems::Bridge(iso, _) = image.file_systems_mut() else {
        panic!("a bridge was imported")
    };
    iso.enhanced = true;
    let said = image.result().unwrap_err().to_string();
    assert!(
        said.contains("recognition sequence stands right behind"),
        "{said}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(32)
    })]
    #[test]
    fn the_contract_holds_for_any_chain_of_edits(
        medium in prop::sample::select(vec![Medium::File, Medium::DvdPlusRw, Medium::BdRe]),
        revision in prop::sample::select(vec![UdfRevision::V1_02, UdfRevision::V2_01]),
        access in prop::sample::select(vec![Access::ReadOnly, Access::Overwritable]),
        rounds in prop::collection::vec(
            prop::collection::vec((any::<u8>(), any::<usize>(), 0usize..40_000), 1..6), 1..4),
    ) {
        let mut disc = small_volume(medium, bridge(revision, access));
        for edits in rounds {
            let mut image = import(&disc, medium);
            for edit in edits {
                change(&mut image, edit);
            }
            let result = image.result().unwrap();
            disc = disc::check_contract(&disc, &result);
            let [iso, udf] = both(&disc);
            prop_assert_eq!(iso, udf);
        }
    }
}
