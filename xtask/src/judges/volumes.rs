//! UDF volumes that judges look at: each revision with each kind of partition, over trees that
//! are empty, small, difficult, crowded and huge, and some that were edited in place.
//!
//! A sample has every revision and every kind of partition once with the difficult tree, and
//! every other tree once.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use reburn_tests::{Kind as EntryKind, ROUNDS, Walk, edit};

use super::evidence::{Evidence, failed, thin_out, walk};
use super::volume_kinds::{EDITED, KINDS, Kind, Partition, Tree, WITH_STREAMS};

/// How many files a crowded folder has.
pub const CROWD: u32 = 100_000;

/// What a file of a crowd is called.
pub fn crowd_name(number: u32) -> String {
    format!("one of many {number:06}")
}

/// What it holds: nothing, or a line where the number is a multiple of [`CROWD_STEP`]. Files
/// without blocks are made and removed much faster.
pub fn crowd_content(number: u32) -> String {
    if number.is_multiple_of(CROWD_STEP) {
        format!("the content of {number}\n")
    } else {
        String::new()
    }
}

/// One in so many files of a crowd has content.
pub const CROWD_STEP: u32 = 1111;

/// A volume and what it must hold.
#[derive(Debug, Clone)]
pub struct Volume {
    pub name: String,
    /// The image file.
    pub path: PathBuf,
    pub kind: &'static Kind,
    pub tree: Tree,
    /// The folder it was made from, as it is now.
    pub folder: PathBuf,
    /// What that folder holds.
    pub walk: Rc<Walk>,
    /// Whether it was changed after it was made, by recording modified blocks.
    pub is_edited: bool,
}

impl Volume {
    /// The name that systems show.
    pub fn label(&self) -> &'static str {
        self.kind.label()
    }
}

/// The volumes of one run.
pub struct Volumes {
    pub all: Vec<Volume>,
    /// How many there could be.
    pub whole: usize,
}

/// A folder that volumes are made from, and what is in it.
type Source = (Tree, PathBuf, Rc<Walk>);

impl Volumes {
    pub fn make(evidence: &Evidence) -> Result<Self, String> {
        let mut volumes = Self {
            all: Vec::new(),
            whole: 0,
        };
        let mut sources = Vec::new();
        for (kind, tree) in every_kind_and_tree() {
            volumes.whole += 1;
            if !evidence.is_full() && !kind.sample.contains(&tree) {
                continue;
            }
            let source = source(evidence, tree, &mut sources)?;
            let name = format!("{} ({tree:?})", kind.name);
            volumes
                .all
                .push(make_volume(evidence, kind, name, source, &[])?);
        }
        volumes.whole += EDITED.len();
        volumes.all.extend(edited(evidence)?);
        Ok(volumes)
    }

    /// The volumes that a judge looks at, with a word on how many there could be.
    pub fn looked_at(&self, by: impl Fn(&Volume) -> bool) -> Vec<&Volume> {
        self.all.iter().filter(|volume| by(volume)).collect()
    }

    /// A volume with the difficult tree, which has a file to damage.
    pub fn difficult(&self) -> Result<&Volume, String> {
        let found = self
            .all
            .iter()
            .find(|volume| volume.tree == Tree::Difficult);
        found.ok_or_else(|| "there is no volume with the difficult tree".to_owned())
    }
}

/// Whatever can be made: for readers of everything, and for those of files and folders only.
fn every_kind_and_tree() -> impl Iterator<Item = (&'static Kind, Tree)> {
    let pairs = KINDS
        .iter()
        .flat_map(|kind| Tree::ALL.map(|tree| (kind, tree)));
    pairs.filter(|(kind, tree)| match tree {
        Tree::Gentle => matches!(kind.partition, Partition::Plain | Partition::Metadata),
        tree => (*tree == Tree::Streams) == (kind.name == WITH_STREAMS),
    })
}

/// The folder of a tree, made when it is first asked for.
fn source<'s>(
    evidence: &Evidence,
    tree: Tree,
    sources: &'s mut Vec<Source>,
) -> Result<&'s Source, String> {
    if let Some(at) = sources.iter().position(|(made, ..)| *made == tree) {
        return Ok(&sources[at]);
    }
    let folder = match tree {
        Tree::Difficult => evidence.tree("udf difficult tree", false, 1000)?,
        Tree::Streams => {
            let folder = evidence.tree("udf tree with attributes", false, 100)?;
            add_attributes(&folder)?;
            folder
        }
        Tree::Gentle => {
            let folder = evidence.tree("udf gentle tree", false, 300)?;
            thin_out(&folder, |_, entry| {
                !matches!(entry.kind, EntryKind::File | EntryKind::Directory)
            })?;
            folder
        }
        _ => {
            let folder = evidence.scratch(&format!("udf {tree:?} tree"))?;
            fill(&folder, tree).map_err(failed(&folder))?;
            folder
        }
    };
    let walk = Rc::new(walk(&folder)?);
    sources.push((tree, folder, walk));
    Ok(&sources[sources.len() - 1])
}

/// Gives everything of some folders two attributes, a short one and one of several blocks.
fn add_attributes(folder: &Path) -> Result<(), String> {
    for path in walk(folder)?.entries.keys() {
        let text = String::from_utf8_lossy(path);
        if ["sizes", "collisions", "empty folders"]
            .iter()
            .any(|part| text.starts_with(part))
        {
            let target = folder.join(text.as_ref());
            let set = |name: &str, value: &[u8]| {
                let flags = rustix::fs::XattrFlags::empty();
                rustix::fs::setxattr(&target, name, value, flags)
            };
            set("user.short", text.as_bytes())
                .and_then(|()| set("user.long", &[b'l'; 3000]))
                .map_err(|error| failed(&target)(error.into()))?;
        }
    }
    Ok(())
}

fn fill(folder: &Path, tree: Tree) -> std::io::Result<()> {
    match tree {
        Tree::One => fs::write(folder.join("one file"), "its content"),
        Tree::Crowd => (0..CROWD).try_for_each(|number| {
            fs::write(folder.join(crowd_name(number)), crowd_content(number))
        }),
        Tree::Big => {
            let file = File::create(folder.join("five gibibytes"))?;
            let gib: u64 = 1 << 30;
            file.set_len(5 * gib + 12_345)?;
            // Around where extents must end at the latest, and where 32 bits do.
            for at in [
                0,
                gib - 2060,
                gib - 10,
                4 * gib - 9000,
                4 * gib - 5,
                5 * gib,
            ] {
                file.write_all_at(format!("these bytes stand at {at:012}.").as_bytes(), at)?;
            }
            Ok(())
        }
        Tree::Empty | Tree::Difficult | Tree::Gentle | Tree::Streams => Ok(()),
    }
}

fn make_volume(
    evidence: &Evidence,
    kind: &'static Kind,
    name: String,
    (tree, folder, walk): &Source,
    flags: &[&str],
) -> Result<Volume, String> {
    let path = evidence.file(&format!("{name}.udf"));
    let make = evidence
        .reburn()?
        .arg("make")
        .arg(folder)
        .arg("-o")
        .arg(&path);
    let make = make.args(kind.flags).args(flags);
    let make = make.args(["--volume", kind.label()]);
    make.capture()?.require_success(&make)?;
    Ok(Volume {
        name,
        path,
        kind,
        tree: *tree,
        folder: folder.clone(),
        walk: Rc::clone(walk),
        is_edited: false,
    })
}

/// Volumes that three rounds of edits were recorded in.
fn edited(evidence: &Evidence) -> Result<Vec<Volume>, String> {
    let folder = evidence.tree("udf edited tree", false, 1000)?;
    let source = (Tree::Difficult, folder.clone(), Rc::default());
    let mut volumes = Vec::new();
    for (kind, media, in_sample) in EDITED {
        let kind = KINDS.iter().find(|other| other.name == kind);
        let kind = kind.ok_or("an edited kind that there is not")?;
        if evidence.is_full() || in_sample {
            let name = format!("{} on {media}, edited", kind.name);
            let flags = ["--media", media];
            volumes.push(make_volume(evidence, kind, name, &source, &flags)?);
        }
    }
    for round in 1..=ROUNDS {
        edit(&folder, round).map_err(failed(&folder))?;
        for volume in &volumes {
            evidence.record_edit(&volume.path, &folder)?;
        }
    }
    let walk = Rc::new(walk(&folder)?);
    for volume in &mut volumes {
        (volume.walk, volume.is_edited) = (Rc::clone(&walk), true);
    }
    Ok(volumes)
}
