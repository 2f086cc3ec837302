//! Edits of discs that can only be appended to.

use reburn_blocks::{Appendable, BlockRange, EpochRole, Protocol};

use super::*;
use reburn_udf::PartitionKind;

use crate::{CheckOptions, FileSystems, Health, Session, UdfOptions, UdfRevision, View};

/// Media that are recorded once, with a write unit each.
const ONCE: [Medium; 4] = [Medium::CdR, Medium::DvdR, Medium::DvdPlusR, Medium::BdR];

fn options(medium: Medium, append: Appendable) -> ImportOptions {
    ImportOptions {
        medium,
        hierarchy: None,
        time: NOW,
        accept_losses: false,
        append: Some(append),
    }
}

/// The block behind some.
fn after(bytes: &[u8]) -> Lba {
    Lba::new(u32::try_from(bytes.len() / BLOCK_SIZE).unwrap())
}

fn last_of(bytes: &[u8]) -> Option<Lba> {
    after(bytes).get().checked_sub(1).map(Lba::new)
}

/// A disc in memory whose drive knows where its sessions are.
struct Disc {
    bytes: Vec<u8>,
    append: Appendable,
    medium: Medium,
}

impl Disc {
    /// The first session, closed. What a drive keeps between sessions is nothing that a file
    /// system may look at.
    fn new(medium: Medium) -> Self {
        let mut disc = Self {
            bytes: first(medium),
            append: Appendable::BLANK,
            medium,
        };
        disc.close();
        disc
    }

    /// A session that is still open: what follows goes on in it.
    fn open(medium: Medium, bytes: Vec<u8>) -> Self {
        Self {
            append: Appendable {
                session_start: Lba::ZERO,
                last_recorded: last_of(&bytes),
                next_writable: after(&bytes),
                begins_session: false,
            },
            bytes,
            medium,
        }
    }

    fn close(&mut self) {
        let gap = 224 * BLOCK_SIZE;
        let last_recorded = last_of(&self.bytes);
        self.bytes.resize(self.bytes.len() + gap, 0xee);
        self.append = Appendable {
            session_start: self.append.next_writable,
            last_recorded,
            next_writable: after(&self.bytes),
            begins_session: true,
        };
        self.append.next_writable = self
            .append
            .next_writable
            .align_up(self.medium.write_unit())
            .unwrap();
        let end = self.append.next_writable.get() as usize * BLOCK_SIZE;
        self.bytes.resize(end, 0xee);
    }

    fn import(&self) -> FileSystemImage<'_> {
        FileSystemImage::import(&self.bytes, &options(self.medium, self.append)).unwrap()
    }

    fn contents(&self) -> Contents {
        let session = Session {
            start: self.append.session_start,
            last_recorded: None,
        };
        let tree = View::Iso.read_session(&self.bytes, session).unwrap();
        contents_of(&tree, &self.bytes)
    }
}

/// What the plan appends, checked against every promise of it.
fn appended(disc: &Disc, result: &ResultImage<'_>) -> Vec<u8> {
    let plan = result.plan().unwrap();
    let unit = plan.modified.write_unit();
    assert_eq!(unit, disc.medium.write_unit());
    assert_eq!(plan.next_writable, Some(disc.append.next_writable));
    assert!(plan.modified.is_one_run_from(disc.append.next_writable));
    assert_eq!(plan.base.mismatch(&disc.bytes).unwrap(), None);
    assert!(plan.lower_bound <= plan.modified.block_count());
    let run: Vec<BlockRange> = plan.modified.ranges().collect();
    let [run] = run[..] else {
        panic!("{run:?} is not one run")
    };
    assert_eq!(run.end_exclusive(), plan.total_blocks.get());
    let mut bytes = vec![0; run.block_count().as_usize() * BLOCK_SIZE];
    result.read_blocks(run.start_lba(), &mut bytes).unwrap();
    bytes
}

#[test]
fn a_new_session_shows_the_new_tree_and_the_old_one_stays() {
    for medium in ONCE {
        let mut disc = Disc::new(medium);
        let old = disc.contents();
        let mut image = disc.import();
        image.add(b"/docs/new", file(), bytes(9, 10_000)).unwrap();
        image.remove(b"/three").unwrap();
        image.rename(b"/docs/two", b"/moved").unwrap();
        let result = image.result().unwrap();
        let plan = result.plan().unwrap();
        assert_eq!(plan.protocol, Protocol::SessionAppend, "{medium}");
        assert_eq!(plan.modified.epochs()[0].role, EpochRole::Shadow);
        // 16 blocks nobody reads, descriptors, tables and folders, and five blocks of data.
        // The shortest track of a CD has 300.
        let track = if medium == Medium::CdR { 300 } else { 0 };
        let recorded = plan.lower_bound.max(BlockCount::new(track));
        assert_eq!(recorded, plan.modified.block_count(), "{medium}");
        assert!(plan.lower_bound.get() > 16 + 3 + 5 && plan.lower_bound.get() <= 64);
        let wanted = contents_of(image.tree(), &read_all(&result));
        let session = appended(&disc, &result);
        let before = disc.bytes.clone();
        for cut in (0..session.len()).step_by(disc.medium.write_unit().bytes()) {
            disc.bytes.truncate(before.len());
            disc.bytes.extend_from_slice(&session[..cut]);
            assert_eq!(disc.contents(), old, "{medium} cut after {cut} bytes");
        }
        disc.bytes.truncate(before.len());
        disc.bytes.extend_from_slice(&session);
        disc.close();
        assert_eq!(disc.contents(), wanted, "{medium}");
        let names: Vec<_> = wanted.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            names,
            ["/", "/docs", "/docs/new", "/docs/one", "/empty", "/moved"]
        );
        assert!(
            disc.bytes.starts_with(&before),
            "{medium}: old blocks changed"
        );
    }
}

#[test]
fn sessions_follow_each_other_and_are_all_listed() {
    let mut disc = Disc::new(Medium::DvdPlusR);
    let mut starts = vec![Lba::new(32)];
    for number in 0..5u8 {
        let name = format!("/docs/{number}");
        let mut image = disc.import();
        image
            .add(name.as_bytes(), file(), bytes(number, 3000))
            .unwrap();
        let session = appended(&disc, &image.result().unwrap());
        starts.insert(0, disc.append.next_writable);
        disc.bytes.extend_from_slice(&session);
        disc.close();
        let image = disc.import();
        assert_eq!(image.sessions().unwrap().starts, starts);
        assert_eq!(disc.contents().len(), 7 + usize::from(number));
    }
}

#[test]
fn an_unchanged_tree_records_nothing() {
    let disc = Disc::new(Medium::BdR);
    let plan = disc.import().result().unwrap().plan().unwrap();
    assert!(plan.modified.is_empty());
    assert_eq!(plan.next_writable, Some(disc.append.next_writable));
    assert_eq!(plan.protocol, Protocol::SessionAppend);
}

#[test]
fn what_cannot_be_appended_is_refused_in_words() {
    let disc = Disc::new(Medium::BdR);
    let refusal = |append: Appendable, change: &dyn Fn(&mut FileSystemImage<'_>)| {
        let mut image =
            FileSystemImage::import(&disc.bytes, &options(Medium::BdR, append)).unwrap();
        image.add(b"/more", file(), bytes(1, 1)).unwrap();
        change(&mut image);
        image.result().unwrap_err().to_string()
    };
    let open = Appendable {
        begins_session: false,
        ..disc.append
    };
    let text = refusal(open, &|_| {});
    assert!(text.contains("still open"), "{text}");
    let odd = Appendable {
        next_writable: disc.append.next_writable + BlockCount::ONE,
        ..disc.append
    };
    let text = refusal(odd, &|_| {});
    assert!(text.contains("does not begin a write unit"), "{text}");
    let full = Appendable {
        next_writable: Lba::new(12_219_392),
        ..disc.append
    };
    let text = refusal(full, &|_| {});
    assert!(text.contains("choose a larger medium"), "{text}");
    let text = refusal(disc.append, &|image| image.set_in_place(true));
    assert!(text.contains("cannot be edited in place"), "{text}");
    let text = refusal(disc.append, &|image| image.fold());
    assert!(text.contains("cannot be folded back"), "{text}");
}

/// A volume with a virtual partition, as it is recorded first.
fn first_virtual(medium: Medium, revision: UdfRevision) -> Vec<u8> {
    let udf = UdfOptions {
        time: THEN,
        ..UdfOptions::with_partition(revision, PartitionKind::Virtual)
    };
    let mut image = FileSystemImage::new(medium, FileSystems::Udf(udf), THEN);
    let folder = Metadata::directory().modified_at(THEN);
    image.add(b"/docs", folder, NewKind::Directory).unwrap();
    image.add(b"/docs/one", file(), bytes(1, 5000)).unwrap();
    image.add(b"/docs/two", file(), bytes(2, 100_000)).unwrap();
    image.add(b"/empty", file(), bytes(0, 0)).unwrap();
    image.add(b"/three", file(), bytes(3, 20_000)).unwrap();
    for number in 0..200 {
        let name = format!("/docs/a name that is long enough {number:03}");
        image.add(name.as_bytes(), file(), bytes(4, 3000)).unwrap();
    }
    read_all(&image.result().unwrap())
}

/// Every path with its content.
type Contents = Vec<(String, Option<Vec<u8>>)>;

/// The tree that a reader shows that looks at the last block recorded, and before it a little.
fn shown(bytes: &[u8], start: Lba) -> Result<Contents, ImageError> {
    let session = Session {
        start,
        last_recorded: last_of(bytes),
    };
    let tree = View::Udf.read_session(&bytes, session)?;
    Ok(contents_of(&tree, &bytes))
}

#[test]
fn a_new_table_shows_the_new_tree() {
    for medium in ONCE {
        for revision in [UdfRevision::V1_50, UdfRevision::V2_01, UdfRevision::V2_60] {
            let mut bytes_on_disc = first_virtual(medium, revision);
            let old = shown(&bytes_on_disc, Lba::ZERO).unwrap();
            assert_eq!(old.len(), 206);
            let mut disc = Disc::open(medium, std::mem::take(&mut bytes_on_disc));
            let mut image = disc.import();
            image.add(b"/new", file(), bytes(9, 10_000)).unwrap();
            image.remove(b"/three").unwrap();
            image.rename(b"/empty", b"/docs/moved").unwrap();
            let result = image.result().unwrap();
            let plan = result.plan().unwrap();
            assert_eq!(plan.protocol, Protocol::VatAppend, "{medium} {revision:?}");
            assert_eq!(plan.modified.epochs()[0].role, EpochRole::Commit);
            let wanted = contents_of(image.tree(), &read_all(&result));
            let run = appended(&disc, &result);
            // The root, /docs, a handful of entries, the data, and the table with its entry.
            let most = if medium.write_unit().blocks().get() == 1 {
                300
            } else {
                64
            };
            assert!(run.len() <= most * BLOCK_SIZE, "{medium}: {}", run.len());
            let before = disc.bytes.clone();
            disc.bytes.extend_from_slice(&run);
            assert_eq!(shown(&disc.bytes, Lba::ZERO).unwrap(), wanted, "{medium}");
            assert!(disc.bytes.starts_with(&before));
            // Cut anywhere, readers that look back a little show the old tree, or none.
            for cut in (BLOCK_SIZE..run.len()).step_by(medium.write_unit().bytes()) {
                let mut cut_disc = before.clone();
                cut_disc.extend_from_slice(&run[..cut]);
                if let Ok(shown) = shown(&cut_disc, Lba::ZERO) {
                    assert_eq!(shown, old, "{medium} {revision:?} cut after {cut} bytes");
                }
            }
            // The next edit begins a session.
            disc.close();
            disc.append.session_start = Lba::ZERO;
            let mut image = disc.import();
            image.remove(b"/docs/one").unwrap();
            let result = image.result().unwrap();
            let wanted = contents_of(image.tree(), &read_all(&result));
            let start = disc.append.next_writable;
            let run = appended(&disc, &result);
            disc.bytes.extend_from_slice(&run);
            assert_eq!(shown(&disc.bytes, start).unwrap(), wanted, "{medium}");
            assert_eq!(wanted.len(), 205);
        }
    }
}

#[test]
fn an_edit_of_one_file_costs_what_it_changes() {
    let disc = Disc::open(Medium::BdR, first_virtual(Medium::BdR, UdfRevision::V2_50));
    let mut image = disc.import();
    image.replace(b"/docs/two", file(), bytes(5, 2048)).unwrap();
    let result = image.result().unwrap();
    // The file has its entry's address, so its folder does not change: the entry, its data, and
    // the table.
    let new = result.new.as_ref().unwrap();
    assert_eq!(
        new.metadata.get()
            - new
                .update
                .as_ref()
                .unwrap()
                .update
                .virtual_table_blocks()
                .get(),
        1
    );
    assert_eq!(result.plan().unwrap().modified.block_count().get(), 32);
}

#[test]
fn a_table_that_a_cut_hides_is_recorded_once_more() {
    for (medium, revision) in [
        (Medium::DvdPlusR, UdfRevision::V1_50),
        (Medium::BdR, UdfRevision::V2_60),
        (Medium::CdR, UdfRevision::V2_01),
    ] {
        let whole = first_virtual(medium, revision);
        let old = shown(&whole, Lba::ZERO).unwrap();
        for begins_session in [false, true] {
            // Far more than readers search is recorded of something, and then the power is cut.
            let mut bytes = whole.clone();
            bytes.resize(bytes.len() + 2048 * BLOCK_SIZE, 0x5a);
            let mut disc = Disc::open(medium, bytes);
            disc.append.begins_session = begins_session;
            assert!(shown(&disc.bytes, Lba::ZERO).is_err());
            let options = CheckOptions {
                append: Some(disc.append),
                ..CheckOptions::default()
            };
            let health = Health::check_with(&disc.bytes, medium, options).unwrap();
            let found: Vec<_> = health.findings().iter().map(|f| f.what.as_str()).collect();
            assert!(
                found
                    .iter()
                    .any(|what| what.contains("does not end with its virtual")),
                "{found:?}"
            );
            let repair = health.repair().unwrap();
            let plan = repair.plan();
            assert!(plan.modified.is_one_run_from(disc.append.next_writable));
            let run = plan.modified.ranges().next().unwrap();
            let mut appended = vec![0; run.block_count().as_usize() * BLOCK_SIZE];
            repair.read_blocks(run.start_lba(), &mut appended).unwrap();
            let start = disc.append.next_writable;
            disc.bytes.extend_from_slice(&appended);
            let start = if begins_session { start } else { Lba::ZERO };
            assert_eq!(
                shown(&disc.bytes, start).unwrap(),
                old,
                "{medium} {revision:?}"
            );
            let mended = Disc::open(medium, disc.bytes);
            let options = CheckOptions {
                append: Some(Appendable {
                    session_start: start,
                    ..mended.append
                }),
                ..CheckOptions::default()
            };
            let health = Health::check_with(&mended.bytes, medium, options).unwrap();
            assert!(health.is_whole(), "{:?}", health.findings());
        }
    }
}
