//! The contract of modified blocks, over small volumes in memory.

mod append;
mod bridge;
mod cost;
mod damage;
mod disc;
mod health;
mod in_place;
mod scratched;
mod sparable;
mod torn;
mod udf;

use bytes::Bytes;
use proptest::prelude::*;
use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRangeList, BlockRead, BlockWrite, EpochRole, Lba, Overlay, Plan,
    differing_units,
};
use reburn_tree::{Kind, Metadata, NewKind, Timestamp, Tree};

use crate::{
    EntireImageRequired, FileSystemImage, ImageError, ImportOptions, Medium, ResultImage,
    new_volume,
};

const THEN: Timestamp = Timestamp::from_seconds(1_600_000_000);
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn bytes(seed: u8, len: usize) -> NewKind {
    NewKind::Bytes(Bytes::from(
        (0..len)
            .map(|i| seed ^ (i / 7).to_le_bytes()[0])
            .collect::<Vec<u8>>(),
    ))
}

fn file() -> Metadata {
    Metadata::file().modified_at(THEN)
}

fn read_all(source: &dyn BlockRead) -> Vec<u8> {
    let mut all = vec![0; source.block_count().as_usize() * BLOCK_SIZE];
    source.read_blocks(Lba::ZERO, &mut all).unwrap();
    all
}

/// A volume with a folder and three files.
fn first(medium: Medium) -> Vec<u8> {
    let mut image = FileSystemImage::new(medium, new_volume("FIRST", THEN), THEN);
    let folder = Metadata::directory().modified_at(THEN);
    image.add(b"/docs", folder, NewKind::Directory).unwrap();
    image.add(b"/docs/one", file(), bytes(1, 5000)).unwrap();
    image.add(b"/docs/two", file(), bytes(2, 100_000)).unwrap();
    image.add(b"/empty", file(), bytes(0, 0)).unwrap();
    image.add(b"/three", file(), bytes(3, 2048)).unwrap();
    read_all(&image.result().unwrap())
}

fn import(disc: &dyn BlockRead, medium: Medium) -> FileSystemImage<'_> {
    let options = ImportOptions {
        medium,
        hierarchy: None,
        time: NOW,
        accept_losses: false,
        append: None,
    };
    FileSystemImage::import(disc, &options).unwrap()
}

/// Every path with its content, read from a disc.
fn contents(disc: &dyn BlockRead) -> Vec<(String, Option<Vec<u8>>)> {
    let image = import(disc, Medium::File);
    contents_of(image.tree(), disc)
}

fn contents_of(tree: &Tree, disc: &dyn BlockRead) -> Vec<(String, Option<Vec<u8>>)> {
    let mut open = crate::source::OpenFile::default();
    let read = |(node, _)| {
        let inode = tree.inode(node);
        let data = match tree.kind(inode) {
            Kind::File { size, content } => {
                let mut data = vec![0; usize::try_from(size).unwrap()];
                let source = (size, content);
                crate::source::read_content(Some(disc), &mut open, inode, source, 0, &mut data)
                    .unwrap();
                Some(data)
            }
            _ => None,
        };
        (tree.display_path(node), data)
    };
    tree.walk(Tree::ROOT).map(read).collect()
}

/// The descriptors of a session are those at block 16, but count the volume from its start.
fn assert_same_head(disc: &[u8], session_start: u32) {
    const SIZES: [std::ops::Range<usize>; 2] = [80..88, BLOCK_SIZE + 80..BLOCK_SIZE + 88];
    let head = |lba: u32| {
        let at = lba as usize * BLOCK_SIZE;
        disc[at..at + 3 * BLOCK_SIZE].to_vec()
    };
    let (mut first, mut session) = (head(16), head(session_start + 16));
    for range in SIZES {
        let size = |head: &[u8]| {
            u32::from_le_bytes(head[range.start..range.start + 4].try_into().unwrap())
        };
        assert_eq!(size(&first), size(&session) + session_start);
        first[range.clone()].fill(0);
        session[range].fill(0);
    }
    assert!(
        first == session,
        "the descriptors at 16 and {} differ",
        session_start + 16
    );
}

/// Records a plan's blocks, epoch by epoch, and shows the disc after each.
fn record(disc: &[u8], plan: &Plan, result: &dyn BlockRead) -> Vec<Vec<u8>> {
    let mut overlay = Overlay::new(disc.to_vec());
    let mut states = Vec::new();
    for epoch in plan.modified.epochs() {
        for range in &epoch.ranges {
            let mut data = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
            let end = result.block_count().get().min(range.end_exclusive());
            let present = (end - range.start_lba().get()) as usize * BLOCK_SIZE;
            result
                .read_blocks(range.start_lba(), &mut data[..present])
                .unwrap();
            overlay.write_blocks(range.start_lba(), &data).unwrap();
        }
        states.push(read_all(&overlay));
    }
    states
}

/// Checks every promise of the contract that holds for any edit; gives back the new disc.
fn check_contract(disc: &[u8], result: &ResultImage<'_>) -> Vec<u8> {
    let plan = result.plan().unwrap();
    let unit = plan.modified.write_unit();
    let states = record(disc, &plan, result);
    let new = states.last().cloned().unwrap_or_else(|| disc.to_vec());

    // Sufficient: every block of the result is there.
    let whole = read_all(result);
    assert!(new.len() >= whole.len());
    assert_eq!(
        new[..whole.len()],
        whole[..],
        "the disc differs from the result"
    );
    // Tight: every listed unit differs, or lies past the old end.
    let listed: BlockRangeList = plan.modified.ranges().collect();
    let mut filled = disc.to_vec();
    filled.resize(new.len(), 0);
    let differing = differing_units(&filled, &new, unit).unwrap();
    assert!(
        differing.difference(&listed).is_empty(),
        "differing units are not listed"
    );
    let old_blocks = BlockCount::in_buffer(disc.len());
    for range in &listed.difference(&differing) {
        assert!(
            range.end_lba().get() >= old_blocks.get(),
            "blocks {range} do not differ"
        );
    }
    // The old tree is whole until the commit.
    if let Some(shadow) = states.first().filter(|_| states.len() == 2) {
        assert_eq!(contents(shadow), contents(&disc.to_vec()));
    }
    assert!(plan.lower_bound <= plan.modified.block_count());
    new
}

#[test]
fn a_new_volume_starts_at_32_with_a_copy_of_its_head_at_16() {
    for medium in [Medium::File, Medium::DvdPlusRw, Medium::BdRe] {
        let disc = first(medium);
        let block = |lba: usize| &disc[lba * BLOCK_SIZE..(lba + 1) * BLOCK_SIZE];
        assert_eq!(&block(16)[..6], b"\x01CD001");
        assert_same_head(&disc, 32);
        assert!(block(40).iter().all(|&byte| byte == 0));
        assert_eq!(disc.len() % medium.write_unit().bytes(), 0);
        let image = import(&disc, medium);
        assert_eq!(image.sessions().unwrap().starts, [Lba::new(32)]);
        assert_eq!(contents(&disc).len(), 6);
    }
}

#[test]
fn a_new_image_has_no_modified_blocks() {
    let image = FileSystemImage::new(Medium::File, new_volume("NEW", THEN), THEN);
    let error = image.result().unwrap().modified_blocks().unwrap_err();
    assert!(matches!(
        error,
        ImageError::EntireImageRequired(EntireImageRequired::NoBase)
    ));

    let blank = vec![0; 64 * BLOCK_SIZE];
    let options = ImportOptions {
        medium: Medium::File,
        hierarchy: None,
        time: NOW,
        accept_losses: false,
        append: None,
    };
    let error = FileSystemImage::import(&blank, &options).unwrap_err();
    assert!(matches!(
        error,
        ImageError::EntireImageRequired(EntireImageRequired::BlankMedium)
    ));
}

#[test]
fn no_change_is_no_blocks() {
    let disc = first(Medium::BdRe);
    let mut image = import(&disc, Medium::BdRe);
    let result = image.result().unwrap();
    assert!(result.modified_blocks().unwrap().is_empty());
    assert_eq!(read_all(&result), disc);
    drop(result);

    let before = image.change_point();
    image.remove(b"/docs").unwrap();
    image.roll_back(before).unwrap();
    assert!(
        image
            .result()
            .unwrap()
            .modified_blocks()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn unchanged_files_keep_their_blocks() {
    let disc = first(Medium::File);
    let mut image = import(&disc, Medium::File);
    let ranges = |image: &FileSystemImage<'_>, path: &[u8]| {
        let result = image.result().unwrap();
        result.ranges_of(image.tree().lookup(path).unwrap())
    };
    let before = ranges(&image, b"/docs/two");
    image.replace(b"/docs/one", file(), bytes(9, 6000)).unwrap();
    image.rename(b"/docs/two", b"/moved").unwrap();
    assert_eq!(ranges(&image, b"/moved"), before);

    let result = image.result().unwrap();
    let moved = image.tree().lookup(b"/moved").unwrap();
    assert_eq!(result.file_at(before[0].start_lba()), Some(moved));
    let new = check_contract(&disc, &result);
    assert_eq!(contents(&new), contents_of(image.tree(), &disc));
}

#[test]
fn freed_space_is_reused_by_the_next_plan_only() {
    let disc = first(Medium::File);
    let big = import(&disc, Medium::File);
    let freed: BlockRangeList = {
        let result = big.result().unwrap();
        result
            .ranges_of(big.tree().lookup(b"/docs/two").unwrap())
            .into_iter()
            .collect()
    };
    let mut image = import(&disc, Medium::File);
    image
        .replace(b"/docs/two", file(), bytes(7, 100_000))
        .unwrap();
    let result = image.result().unwrap();
    let written: BlockRangeList = result.modified_blocks().unwrap().ranges().collect();
    assert!(
        written.intersection(&freed).is_empty(),
        "freed blocks reused at once"
    );
    let disc = check_contract(&disc, &result);

    let mut image = import(&disc, Medium::File);
    image.add(b"/more", file(), bytes(8, 60_000)).unwrap();
    let result = image.result().unwrap();
    let written: BlockRangeList = result.modified_blocks().unwrap().ranges().collect();
    assert!(
        !written.intersection(&freed).is_empty(),
        "freed blocks never reused"
    );
    check_contract(&disc, &result);
}

#[test]
fn older_heads_survive() {
    let mut disc = first(Medium::DvdPlusRw);
    let mut heads = vec![disc[48 * BLOCK_SIZE..51 * BLOCK_SIZE].to_vec()];
    let mut starts = vec![Lba::new(32)];
    for round in 0..6u8 {
        let mut image = import(&disc, Medium::DvdPlusRw);
        let name = [b'/', b'a' + round];
        image.add(&name, file(), bytes(round, 3000)).unwrap();
        let new = check_contract(&disc, &image.result().unwrap());
        let sessions = import(&new, Medium::DvdPlusRw).sessions().unwrap().clone();
        assert_eq!(sessions.starts[1..], starts);
        starts = sessions.starts;
        disc = new;
        for (start, head) in starts[1..].iter().rev().zip(&heads) {
            let at = (start.get() as usize + 16) * BLOCK_SIZE;
            assert_eq!(
                disc[at..at + head.len()],
                head[..],
                "head of session {start}"
            );
        }
        assert_same_head(&disc, starts[0].get());
        let at = (starts[0].get() as usize + 16) * BLOCK_SIZE;
        heads.push(disc[at..at + 3 * BLOCK_SIZE].to_vec());
    }
}

#[test]
fn commit_is_one_run_after_a_barrier() {
    for (medium, commit) in [
        (Medium::File, "16-17"),
        (Medium::DvdRam, "16-31"),
        (Medium::BdRe, "0-31"),
    ] {
        let disc = first(medium);
        let mut image = import(&disc, medium);
        image.remove(b"/three").unwrap();
        let plan = image.result().unwrap().plan().unwrap();
        let roles: Vec<_> = plan
            .modified
            .epochs()
            .iter()
            .map(|epoch| epoch.role)
            .collect();
        assert_eq!(roles, [EpochRole::Shadow, EpochRole::Commit]);
        assert_eq!(
            plan.modified.epochs()[1].ranges.to_string(),
            commit,
            "{medium}"
        );
        check_contract(&disc, &image.result().unwrap());
    }
}

#[test]
fn too_much_is_refused_with_figures() {
    struct Huge;
    impl std::fmt::Debug for Huge {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Huge")
        }
    }
    impl reburn_tree::ContentRead for Huge {
        fn byte_len(&self) -> u64 {
            5_000_000_000
        }
        fn read_exact_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
            unreachable!("nothing is read of what does not fit")
        }
    }
    let mut image = FileSystemImage::new(Medium::DvdPlusRw, new_volume("BIG", THEN), THEN);
    image
        .add(b"/huge", file(), NewKind::Custom(std::sync::Arc::new(Huge)))
        .unwrap();
    let error = image.result().unwrap_err();
    assert!(
        matches!(
            error,
            ImageError::TooBig {
                medium: Medium::DvdPlusRw,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("dvd+rw has 4.4 GiB free"),
        "{error}"
    );
}

#[test]
fn the_fingerprint_tells_discs_apart() {
    let disc = first(Medium::File);
    let mut image = import(&disc, Medium::File);
    image.remove(b"/empty").unwrap();
    let plan = image.result().unwrap().plan().unwrap();
    assert_eq!(plan.base.mismatch(&disc).unwrap(), None);
    let mut other = FileSystemImage::new(Medium::File, new_volume("FIRST", THEN), THEN);
    other.add(b"/docs", file(), bytes(1, 1)).unwrap();
    let other = read_all(&other.result().unwrap());
    assert!(plan.base.mismatch(&other).unwrap().is_some());
}

/// One change with numbers that pick what and where.
fn change(image: &mut FileSystemImage<'_>, (what, which, size): (u8, usize, usize)) {
    let nodes: Vec<_> = image
        .tree()
        .walk(Tree::ROOT)
        .map(|(node, _)| node)
        .collect();
    let path = image.tree().path(nodes[which % nodes.len()]);
    let fresh = [path.as_slice(), b"/n", &[b'a' + what % 20]].concat();
    let new = bytes(what, size);
    // A change that is refused is as good as none.
    let _ = match what % 6 {
        0 | 1 => image.add(&fresh, file(), new).map(drop),
        2 => image.replace(&path, file(), new).map(drop),
        3 => image.remove(&path),
        4 => image.rename(&path, &[b'/', b'q', b'a' + what % 20]),
        _ => image
            .add(&fresh, Metadata::directory(), NewKind::Directory)
            .map(drop),
    };
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(48)
    })]
    #[test]
    fn the_contract_holds_for_any_chain_of_edits(
        medium in prop::sample::select(vec![Medium::File, Medium::DvdPlusRw, Medium::BdRe]),
        rounds in prop::collection::vec(
            prop::collection::vec((any::<u8>(), any::<usize>(), 0usize..40_000), 1..6), 1..4),
    ) {
        let mut disc = first(medium);
        for edits in rounds {
            let mut image = import(&disc, medium);
            for edit in edits {
                change(&mut image, edit);
            }
            let result = image.result().unwrap();
            let new = check_contract(&disc, &result);
            prop_assert_eq!(contents(&new), contents_of(image.tree(), &disc));
            disc = new;
        }
    }
}
