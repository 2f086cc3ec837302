//! The judge of lost units: what every reader makes of a volume that has lost one structure.
//!
//! - Every structure that a reader may need is lost once as unreadable and once as garbage, which
//!   are different faults to readers.
//! - What they must answer is a table in the code, with the reason for each row. A reader that
//!   starts to answer otherwise is an error: the commit protocols stand on these answers.
//! - The volumes have been changed once, so each holds the new tree; the old one must never show.

use std::path::Path;
use std::rc::Rc;

use reburn_blocks::{BlockRange, BlockRead, ExtentMap, ImageFile};
use reburn_image::Medium;

use super::answer::Reader;
use super::disc::{Instead, Patches};
use super::expected::{Fault, Group, ROWS, Row};
use super::look::{Answers, Original, State, look};
use super::places::Places;
use super::volumes::{Folders, Kind};
use crate::judges::Judge;
use crate::judges::evidence::{Evidence, failed};
use crate::judges::report::Report;

pub const JUDGE: Judge = Judge {
    name: "lost units",
    proves: "the kernel, libblkid, 7-Zip and reburn answer as the commit protocols suppose",
    needs: &super::NEEDS,
    optional: false,
    run,
};

/// The media, one of each size of write units.
const MEDIA: [Medium; 2] = [Medium::DvdPlusRw, Medium::BdRe];

/// One row of the table on one disc; `None` for the disc with nothing lost.
struct Case {
    row: Option<(&'static Row, Fault)>,
    kind: Kind,
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("lost units")?;
    let folders = Folders::make(&folder)?;
    let mut lost = Lost::default();
    for (number, group) in Group::ALL.into_iter().enumerate() {
        for (place, medium) in MEDIA.into_iter().enumerate() {
            // A sample has every group once, on one medium or the other.
            if evidence.is_full() || number % MEDIA.len() == place {
                lost.add(group, medium, &folders, &folder)?;
            }
        }
    }
    let looked = look(&lost.states, &folder)?;
    for (number, case) in lost.cases.iter().enumerate() {
        let verdict = judge(case, &looked.answers[number]);
        let name = format!("{}, {}", case.kind, lost.states[number].name);
        report.verdict(&name, looked.replay(number), verdict);
    }
    evidence.discard(&folder)
}

/// What is to be looked at.
#[derive(Default)]
struct Lost {
    cases: Vec<Case>,
    states: Vec<State>,
}

impl Lost {
    fn add(
        &mut self,
        group: Group,
        medium: Medium,
        folders: &Folders,
        folder: &Path,
    ) -> Result<(), String> {
        let kind = group.kind(medium);
        let image = folder.join(format!("{}.img", self.states.len()));
        kind.make(&folders.old, &image)?;
        kind.record(&image, &folders.new)?;
        let disc = ImageFile::open(&image).map_err(failed(&image))?;
        let places = Places::find(&disc, medium.write_unit())?;
        let mut patches = Patches::create(image.with_extension("patches"))?;
        let garbage = patches.add(&garbage(medium.write_unit().bytes()))?;
        patches.finish()?;
        let original = Rc::new(Original {
            patches: patches.path().to_path_buf(),
            image,
            blocks: disc.block_count(),
            views: kind.views(),
            trees: folders.trees.clone(),
        });
        let mut add = |row, name, instead| {
            self.cases.push(Case { row, kind });
            self.states.push(State {
                name,
                original: Rc::clone(&original),
                instead,
            });
        };
        add(None, "whole".to_owned(), ExtentMap::new());
        for row in ROWS.iter().filter(|row| row.group == group) {
            let range = places.of(row.structure)?;
            for fault in Fault::ALL {
                let instead = match fault {
                    Fault::Unreadable => Instead::Unreadable,
                    Fault::Garbage => garbage,
                };
                let name = format!("{} lost, {}", row.structure, fault.word());
                add(Some((row, fault)), name, over(range, instead, medium));
            }
        }
        Ok(())
    }
}

/// The same in every write unit of a range.
fn over(range: BlockRange, instead: Instead, medium: Medium) -> ExtentMap<Instead> {
    let mut map = ExtentMap::new();
    for unit in range.pieces(medium.write_unit().blocks()) {
        map.insert(unit, instead);
    }
    map
}

/// Bytes that look like nothing.
fn garbage(len: usize) -> Vec<u8> {
    let mut word = 0x9e37_79b9_u32;
    let mut next = || {
        // Xorshift: Marsaglia 2003.
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        word.to_le_bytes()
    };
    std::iter::repeat_with(&mut next)
        .flatten()
        .take(len)
        .collect()
}

/// Whether all readers answer as the table says.
fn judge(case: &Case, answers: &Answers) -> Result<(), String> {
    let mut wrong = Vec::new();
    for ((_, reader), answer) in answers {
        let (expected, because) = match case.row {
            Some((row, fault)) => (row.word(fault, *reader), row.because),
            None => (case.group_word(*reader), "nothing is lost"),
        };
        if answer.word() != expected {
            wrong.push(format!("{reader} says {answer}, not {expected}: {because}"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n  "))
    }
}

impl Case {
    /// What a reader says of a whole disc.
    fn group_word(&self, reader: Reader) -> &'static str {
        match reader {
            Reader::Blkid => "known",
            Reader::SevenZip if self.kind == Group::Sparable.kind(self.kind.medium) => "refused",
            _ => "new",
        }
    }
}
