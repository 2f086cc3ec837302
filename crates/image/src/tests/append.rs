//! Edits of discs that can only be appended to.

use reburn_blocks::{Appendable, BlockRange, EpochRole, Protocol};

use super::*;
use crate::{Session, View};

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

    fn close(&mut self) {
        let gap = 224 * BLOCK_SIZE;
        self.bytes.resize(self.bytes.len() + gap, 0xee);
        self.append = Appendable {
            session_start: self.append.next_writable,
            next_writable: Lba::new(u32::try_from(self.bytes.len() / BLOCK_SIZE).unwrap()),
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

    fn contents(&self) -> Vec<(String, Option<Vec<u8>>)> {
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
        assert_eq!(plan.lower_bound, plan.modified.block_count());
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
