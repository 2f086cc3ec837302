//! A small tree, and the ten kinds of change that scenarios are made of.
//!
//! Invariant: a change works on the first thing in the tree that it fits, under a name that counts
//! up, so that any sequence of changes is possible while there is something left to change.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use reburn_image::FileSystemImage;
use reburn_tree::{Kind, Metadata, NewKind, NodeId, Timestamp, Tree};

/// When everything in the tree was last modified.
const THEN: Timestamp = Timestamp::from_seconds(1_600_000_000);
/// Bytes of a file that UDF keeps in its entry.
const EMBEDDED: usize = 200;

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Adds a file that UDF keeps in its entry.
    Embed,
    /// Adds a file of three blocks.
    Add,
    /// Gives a file other content of the same size.
    Overwrite,
    /// Makes a file longer.
    Grow,
    /// Makes a file shorter.
    Shrink,
    /// Removes a file.
    Remove,
    /// Gives a file another name.
    Rename,
    /// Moves a file into a folder.
    Move,
    /// Adds an empty folder.
    AddFolder,
    /// Removes a folder with what is in it.
    RemoveFolder,
}

impl Change {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Embed,
        Self::Add,
        Self::Overwrite,
        Self::Grow,
        Self::Shrink,
        Self::Remove,
        Self::Rename,
        Self::Move,
        Self::AddFolder,
        Self::RemoveFolder,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::Add => "add",
            Self::Overwrite => "overwrite",
            Self::Grow => "grow",
            Self::Shrink => "shrink",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::Move => "move",
            Self::AddFolder => "add-folder",
            Self::RemoveFolder => "remove-folder",
        }
    }

    /// Makes the change, as the one of that number; whether there was something to change.
    pub fn make(self, image: &mut FileSystemImage<'_>, number: u8) -> Result<bool, String> {
        let new = |prefix: &str| format!("/{prefix}{number}").into_bytes();
        let done = match self {
            Self::Embed => image
                .add(&new("e"), file(), bytes(number, EMBEDDED))
                .map(drop),
            Self::Add => image.add(&new("a"), file(), bytes(number, 6000)).map(drop),
            Self::AddFolder => {
                let folder = Metadata::directory().modified_at(THEN);
                image.add(&new("f"), folder, NewKind::Directory).map(drop)
            }
            Self::Overwrite | Self::Grow | Self::Shrink => {
                let Some((path, size)) = first_file(image, number) else {
                    return Ok(false);
                };
                let size = match self {
                    Self::Overwrite => size,
                    Self::Grow => size + 5000,
                    _ => size / 2,
                };
                image
                    .replace(&path, file(), bytes(100 + number, size))
                    .map(drop)
            }
            Self::Remove | Self::Rename | Self::Move => {
                let Some((path, _)) = first_file(image, 0) else {
                    return Ok(false);
                };
                match self {
                    Self::Remove => image.remove(&path),
                    Self::Rename => image.rename(&path, &new("r")),
                    _ if image.tree().lookup(b"/old").is_none() => return Ok(false),
                    _ => image.rename(&path, &[b"/old", &new("m")[..]].concat()),
                }
            }
            Self::RemoveFolder => {
                let tree = image.tree();
                let folders = tree.children(Tree::ROOT).iter().copied();
                let Some(folder) = { folders }.find(|&node| tree.is_directory(node)) else {
                    return Ok(false);
                };
                let path = tree.path(folder);
                image.remove(&path)
            }
        };
        done.map(|()| true).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Change {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|change| change.name() == name);
        known.ok_or_else(|| format!("{name} is no change"))
    }
}

pub fn file() -> Metadata {
    Metadata::file().modified_at(THEN)
}

pub fn bytes(seed: u8, len: usize) -> NewKind {
    let byte = |at: usize| seed ^ (at / 7).to_le_bytes()[0];
    NewKind::Bytes(Bytes::from((0..len).map(byte).collect::<Vec<u8>>()))
}

/// The small tree: files of all sizes, in folders and beside them.
pub fn fill(image: &mut FileSystemImage<'_>) -> Result<(), String> {
    let mut fill = || {
        let folder = Metadata::directory().modified_at(THEN);
        for path in [&b"/docs"[..], b"/docs/deep", b"/old"] {
            image.add(path, folder, NewKind::Directory)?;
        }
        for (path, size) in [
            (&b"/docs/deep/leaf"[..], EMBEDDED),
            (b"/docs/one", 5000),
            (b"/docs/two", 40_000),
            (b"/old/first", 2048),
            (b"/old/second", 0),
            (b"/zebra", 9000),
            (b"/zoo", EMBEDDED),
        ] {
            image.add(path, file(), bytes(path[1], size))?;
        }
        Ok::<_, reburn_image::ImageError>(())
    };
    fill().map_err(|error| error.to_string())
}

/// A folder of this many files in so many folders, one in another down to `depth`.
pub fn fill_large(
    image: &mut FileSystemImage<'_>,
    (files, folders, depth): (usize, usize, usize),
) -> Result<(), String> {
    let text = |error: reburn_tree::TreeError| error.to_string();
    let tree = image.tree_mut();
    let made = Metadata::directory().modified_at(THEN);
    let mut all = vec![Tree::ROOT];
    for number in 0..folders {
        let name = format!("folder-{number:04}");
        let folder = tree.add(Tree::ROOT, name.as_bytes(), made, NewKind::Directory);
        all.push(folder.map_err(text)?);
    }
    let mut at = Tree::ROOT;
    for level in 0..depth {
        let name = format!("level{level:02}");
        at = tree
            .add(at, name.as_bytes(), made, NewKind::Directory)
            .map_err(text)?;
        all.push(at);
    }
    for number in 0..files {
        let name = format!("file-{number:05}");
        let folder = all[number % all.len()];
        let seed = number.to_le_bytes()[0];
        let content = bytes(seed, 100 + number % 31 * 150);
        tree.add(folder, name.as_bytes(), file(), content)
            .map_err(text)?;
    }
    Ok(())
}

/// The file of that number in the order of paths, or the last one; its path and size.
fn first_file(image: &FileSystemImage<'_>, number: u8) -> Option<(Vec<u8>, usize)> {
    let tree = image.tree();
    let size = |node: NodeId| match tree.kind(tree.inode(node)) {
        Kind::File { size, .. } => usize::try_from(size).ok(),
        _ => None,
    };
    let files = tree
        .walk(Tree::ROOT)
        .filter_map(|(node, _)| Some((node, size(node)?)));
    let (node, size) = files.take(usize::from(number) + 1).last()?;
    Some((tree.path(node), size))
}
