//! The images that judges look at, and the trees that these must hold.
//!
//! Everything is built when it is first asked for, once a run, in a folder of its own.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use reburn_tests::{DifficultTree, Entry, Kind, ROUNDS, Walk, edit};

use super::Settings;
use super::volumes::Volumes;
use crate::command::Program;
use crate::workspace;

/// The time that every image says it was made at, later than any file's (in 2103).
const IMAGE_TIME: &str = "4200000000";

/// Who writes the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// The program of this workspace.
    Reburn,
    /// xorriso, to judge the judges.
    Xorriso,
}

/// How an image is made.
struct Recipe {
    name: &'static str,
    flags: &'static [&'static str],
    joliet: Joliet,
    /// How many rounds of edits are recorded in place.
    rounds: u32,
}

/// Which Joliet names an image carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joliet {
    /// None.
    Off,
    /// Up to 64 characters.
    Short,
    /// Up to 103 characters.
    Long,
}

const RECIPES: [Recipe; 7] = [
    Recipe {
        name: "default",
        flags: &[],
        joliet: Joliet::Short,
        rounds: 0,
    },
    Recipe {
        name: "no joliet",
        flags: &["--joliet", "off"],
        joliet: Joliet::Off,
        rounds: 0,
    },
    Recipe {
        name: "long joliet",
        flags: &["--joliet", "103", "--level", "3"],
        joliet: Joliet::Long,
        rounds: 0,
    },
    Recipe {
        name: "level 1",
        flags: &["--level", "1"],
        joliet: Joliet::Short,
        rounds: 0,
    },
    Recipe {
        name: "1999 in place",
        flags: &["--level", "1999", "--deep", "in-place", "--joliet", "off"],
        joliet: Joliet::Off,
        rounds: 0,
    },
    Recipe {
        name: "edited",
        flags: &[],
        joliet: Joliet::Short,
        rounds: ROUNDS,
    },
    Recipe {
        name: "edited bd-re",
        flags: &["--media", "bd-re", "--joliet", "103"],
        joliet: Joliet::Long,
        rounds: ROUNDS,
    },
];

/// An image and what it must hold.
#[derive(Debug, Clone)]
pub struct Image {
    /// What is special about it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The folder it was made from, as it is now.
    pub tree: PathBuf,
    /// What that folder holds.
    pub walk: Rc<Walk>,
    /// Which Joliet names it carries.
    pub joliet: Joliet,
    /// Whether it was changed after it was made, by recording modified blocks.
    pub is_edited: bool,
}

/// Trees and images, shared by the judges.
pub struct Evidence {
    folder: PathBuf,
    maker: Maker,
    settings: Settings,
    program: OnceCell<Result<PathBuf, String>>,
    images: OnceCell<Result<Vec<Image>, String>>,
    big: OnceCell<Result<Image, String>>,
    volumes: OnceCell<Result<Volumes, String>>,
}

impl Evidence {
    pub fn new(target: &Path, maker: Maker, settings: Settings) -> Result<Self, String> {
        let folder = target.join("judges");
        remove(&folder)
            .and_then(|()| fs::create_dir_all(&folder))
            .map_err(failed(&folder))?;
        Ok(Self {
            folder,
            maker,
            settings,
            program: OnceCell::new(),
            images: OnceCell::new(),
            big: OnceCell::new(),
            volumes: OnceCell::new(),
        })
    }

    /// Whether everything is to be judged at full size.
    pub fn is_full(&self) -> bool {
        self.settings.full
    }

    /// Whether what was made stays.
    pub fn keeps(&self) -> bool {
        self.settings.keep
    }

    /// A new empty folder below the folder of this run.
    pub fn scratch(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name.replace(' ', "-"));
        remove(&folder)
            .and_then(|()| fs::create_dir_all(&folder))
            .map_err(failed(&folder))?;
        Ok(folder)
    }

    /// The path of a file in the folder of this run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name.replace([' ', ',', '(', ')'], "-"))
    }

    /// Removes a folder that [`scratch`](Self::scratch) made, unless all is to be kept.
    pub fn discard(&self, folder: &Path) -> Result<(), String> {
        if self.settings.keep {
            Ok(())
        } else {
            remove(folder).map_err(failed(folder))
        }
    }

    /// The program of this workspace, built with optimization.
    pub fn reburn(&self) -> Result<Program, String> {
        Ok(Program::new(self.reburn_path()?).env("SOURCE_DATE_EPOCH", IMAGE_TIME))
    }

    /// Where that program is.
    pub fn reburn_path(&self) -> Result<PathBuf, String> {
        self.program.get_or_init(workspace::build_reburn).clone()
    }

    /// The difficult tree and the images made from it, some of them edited.
    pub fn images(&self) -> Result<&[Image], String> {
        let images = self.images.get_or_init(|| self.make_images());
        images.as_deref().map_err(Clone::clone)
    }

    /// The image called `name`.
    pub fn image(&self, name: &str) -> Result<&Image, String> {
        let found = self.images()?.iter().find(|image| image.name == name);
        found.ok_or_else(|| format!("there is no image `{name}`"))
    }

    /// An image with a file of more than 4 GiB.
    pub fn big_image(&self) -> Result<&Image, String> {
        let make = || {
            let tree = self.tree("big tree", true, 20)?;
            let walk = Rc::new(walk(&tree)?);
            self.make_image("big", &[], Joliet::Short, &tree, walk)
        };
        self.big.get_or_init(make).as_ref().map_err(Clone::clone)
    }

    /// An image without what some old programs do not survive: links with long targets, names
    /// that are not text.
    pub fn gentle_image(&self) -> Result<Image, String> {
        let tree = self.tree("gentle tree", false, 300)?;
        let is_hard = |path: &[u8], entry: &Entry| {
            entry.target.len() > 200 || std::str::from_utf8(path).is_err()
        };
        thin_out(&tree, is_hard)?;
        let walk = Rc::new(walk(&tree)?);
        self.make_image("gentle", &[], Joliet::Short, &tree, walk)
    }

    /// The UDF volumes, some of them edited.
    pub fn volumes(&self) -> Result<&Volumes, String> {
        let volumes = self.volumes.get_or_init(|| Volumes::make(self));
        volumes.as_ref().map_err(Clone::clone)
    }

    /// A copy of an image in which one bit of one file's content is wrong.
    pub fn damaged(&self, image: &Image) -> Result<Image, String> {
        Ok(Image {
            name: format!("{}, damaged", image.name),
            path: self.damaged_copy(&image.path, &image.tree)?,
            ..image.clone()
        })
    }

    /// A copy of an image of a difficult tree in which one bit of one file's content is wrong.
    pub fn damaged_copy(&self, image: &Path, tree: &Path) -> Result<PathBuf, String> {
        let path = self.folder.join("damaged.img");
        fs::copy(image, &path).map_err(failed(&path))?;
        let victim = tree.join("hard links/copy");
        let content = fs::read(&victim).map_err(failed(&victim))?;
        flip_bit(&path, &content).map_err(failed(&path))?;
        Ok(path)
    }

    /// A difficult tree in a folder of this run.
    pub fn tree(&self, name: &str, big_file: bool, crowd: u32) -> Result<PathBuf, String> {
        let tree = self.scratch(name)?;
        let difficult = DifficultTree {
            seed: 1,
            big_file,
            crowd,
        };
        difficult.make(&tree).map_err(failed(&tree))?;
        Ok(tree)
    }

    fn crowd(&self) -> u32 {
        if self.settings.full { 10_000 } else { 3000 }
    }

    fn make_images(&self) -> Result<Vec<Image>, String> {
        let tree = self.tree("tree", false, self.crowd())?;
        let fresh = Rc::new(walk(&tree)?);
        let edited = self.tree("edited tree", false, self.crowd())?;
        let mut images = Vec::new();
        for recipe in &RECIPES {
            if recipe.rounds == 0 {
                let walk = Rc::clone(&fresh);
                let Recipe {
                    name,
                    flags,
                    joliet,
                    ..
                } = recipe;
                images.push(self.make_image(name, flags, *joliet, &tree, walk)?);
            }
        }
        if self.maker == Maker::Xorriso {
            return Ok(images);
        }
        let mut live = Vec::new();
        for recipe in RECIPES.iter().filter(|recipe| recipe.rounds > 0) {
            let Recipe {
                name,
                flags,
                joliet,
                ..
            } = recipe;
            live.push(self.make_image(name, flags, *joliet, &edited, Rc::clone(&fresh))?);
        }
        for round in 1..=ROUNDS {
            edit(&edited, round).map_err(failed(&edited))?;
            for image in &live {
                self.record_edit(&image.path, &image.tree)?;
            }
        }
        let walk = Rc::new(walk(&edited)?);
        images.extend(live.into_iter().map(|image| Image {
            walk: Rc::clone(&walk),
            is_edited: true,
            ..image
        }));
        Ok(images)
    }

    fn make_image(
        &self,
        name: &str,
        flags: &[&str],
        joliet: Joliet,
        tree: &Path,
        walk: Rc<Walk>,
    ) -> Result<Image, String> {
        let path = self.folder.join(format!("{}.iso", name.replace(' ', "-")));
        let make = match self.maker {
            Maker::Reburn => self
                .reburn()?
                .arg("make")
                .arg(tree)
                .arg("-o")
                .arg(&path)
                .args(flags),
            Maker::Xorriso => {
                let joliet: &[&str] = match joliet {
                    Joliet::Off => &[],
                    Joliet::Short => &["-J"],
                    Joliet::Long => &["-J", "-joliet-long"],
                };
                let xorriso = Program::new("xorriso").args(["-as", "mkisofs", "-quiet", "-R"]);
                xorriso
                    .args(["-iso-level", "3"])
                    .args(joliet)
                    .arg("-o")
                    .arg(&path)
                    .arg(tree)
            }
        };
        make.capture()?.require_success(&make)?;
        let (name, tree) = (name.to_owned(), tree.to_path_buf());
        Ok(Image {
            name,
            path,
            tree,
            walk,
            joliet,
            is_edited: false,
        })
    }

    /// Brings an image up to date with a tree by recording the modified blocks only.
    pub fn record_edit(&self, image: &Path, tree: &Path) -> Result<(), String> {
        let plan = self.folder.join("edit.plan");
        let edit = self.reburn()?.arg("edit").arg(image);
        let edit = edit.arg("--sync").arg(tree).arg("-o").arg(&plan);
        edit.capture()?.require_success(&edit)?;
        let burn = self.reburn()?.arg("burn").arg(&plan).arg(image);
        burn.capture()?.require_success(&burn).map(|_| ())
    }
}

impl Drop for Evidence {
    fn drop(&mut self) {
        if !self.settings.keep {
            // What stays behind is removed by the next run.
            let _ = remove(&self.folder);
        }
    }
}

/// Removes everything from a folder that `is_hard` says so of.
pub fn thin_out(folder: &Path, is_hard: impl Fn(&[u8], &Entry) -> bool) -> Result<(), String> {
    for (path, entry) in &walk(folder)?.entries {
        let target = folder.join(Path::new(OsStr::from_bytes(path)));
        // A folder may be gone already, with what is in it.
        if is_hard(path, entry) && target.symlink_metadata().is_ok() {
            let removed = match entry.kind {
                Kind::Directory => fs::remove_dir_all(&target),
                _ => fs::remove_file(&target),
            };
            removed.map_err(failed(&target))?;
        }
    }
    Ok(())
}

/// Walks a folder; errors are sentences.
pub fn walk(folder: &Path) -> Result<Walk, String> {
    Walk::of(folder).map_err(failed(folder))
}

/// Turns an error of the system into a sentence that names the path.
pub fn failed(path: &Path) -> impl Fn(std::io::Error) -> String + use<> {
    let path = path.to_path_buf();
    move |error| format!("{}: {error}", path.display())
}

/// Removes a folder with everything in it, however little its modes allow.
fn remove(folder: &Path) -> std::io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let chmod = Program::new("chmod").args(["-R", "u+rwX"]).arg(folder);
    // Fails on dangling links in some versions; the removal says what matters.
    let _ = chmod.capture();
    fs::remove_dir_all(folder)
}

/// Flips a bit in the first block-aligned place of the image that holds `content`.
fn flip_bit(image: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().read(true).write(true).open(image)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let place = bytes
        .chunks(2048)
        .position(|block| content.starts_with(block));
    let block = place.ok_or_else(|| std::io::Error::other("the image lacks a file to damage"))?;
    let at = block * 2048 + 1000;
    file.seek(SeekFrom::Start(at as u64))?;
    file.write_all(&[bytes[at] ^ 0x10])
}
