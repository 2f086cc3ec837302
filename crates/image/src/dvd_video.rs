//! DVD-Video: a bridge of UDF 1.02 whose films stand first, in the order in which players look
//! for them.
//!
//! Players follow the information files (IFO), which count sectors from their own start: a title
//! set is one run of its IFO, its menu and its titles (VOB), and the IFO's copy (BUP) at its end.
//! What an IFO says decides about the distances; gaps that it leaves stay empty.
//!
//! Invariants: `VIDEO_TS` is the first data on the disc; no extent of a film is cut.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRead};
use reburn_tree::{InodeId, Kind, NodeId, Tree};

use crate::ImageError;
use crate::placement::NewFile;
use crate::source::{OpenFile, read_content};

const FOLDER: &[u8] = b"/VIDEO_TS";
/// What the video manager's files are called before the dot.
const MANAGER: &str = "VIDEO_TS";

/// Where fields of an IFO stand, all of them numbers of sectors, most significant byte first.
mod ifo {
    pub(super) const BYTES: usize = 0x100;
    pub(super) const LAST_SECTOR_OF_SET: usize = 0x0c;
    pub(super) const LAST_SECTOR_OF_IFO: usize = 0x1c;
    pub(super) const MENU_START: usize = 0xc0;
    pub(super) const TITLES_START: usize = 0xc4;
}

/// A file and how many blocks after the start of all data it stands.
pub(crate) type Offset = (NewFile, u64);

/// One title set, or the video manager: files that an IFO reckons with.
#[derive(Default)]
struct TitleSet {
    ifo: Option<NewFile>,
    menu: Option<NewFile>,
    titles: Vec<NewFile>,
    backup: Option<NewFile>,
}

/// Puts the films first. Fails where `VIDEO_TS` cannot be that of a DVD-Video, or where an IFO and
/// the files beside it contradict each other.
pub(crate) fn order(
    tree: &Tree,
    base: Option<&dyn BlockRead>,
    files: &[NewFile],
) -> Result<Vec<Offset>, ImageError> {
    let folder = tree.lookup(FOLDER).filter(|&node| tree.is_directory(node));
    let folder = folder.ok_or_else(|| wrong("/VIDEO_TS", "there is no such folder"))?;
    let find = |node: NodeId| files.iter().find(|file| file.inode == tree.inode(node));
    let mut sets: Vec<(String, TitleSet)> = vec![(MANAGER.into(), TitleSet::default())];
    for &node in tree.children(folder) {
        let path = tree.display_path(node);
        let name = film_name(tree, node).ok_or_else(|| {
            wrong(
                &path,
                "only VIDEO_TS.IFO, .VOB, .BUP and VTS_nn_n.IFO, .VOB, .BUP can stand there",
            )
        })?;
        let file = find(node).ok_or_else(|| wrong(&path, "it is empty"))?;
        if sets.last().is_none_or(|(stem, _)| *stem != name.set) && name.set != MANAGER {
            sets.push((name.set.clone(), TitleSet::default()));
        }
        let set = match name.set.as_str() {
            MANAGER => sets.first_mut(),
            _ => sets.last_mut(),
        };
        let set = &mut set.expect("a set was just added").1;
        match (name.extension, name.part) {
            ("IFO", 0) => set.ifo = Some(*file),
            ("BUP", 0) => set.backup = Some(*file),
            ("VOB", 0) => set.menu = Some(*file),
            ("VOB", _) => set.titles.push(*file),
            _ => return Err(wrong(&path, "only VOB files have parts")),
        }
    }
    let mut placed = Vec::new();
    let mut next = 0;
    for (stem, set) in &sets {
        next = set.place(tree, base, stem, next, &mut placed)?;
    }
    let mut is_placed = vec![false; tree.inode_limit()];
    for (file, _) in &placed {
        is_placed[file.inode.index()] = true;
    }
    for file in files.iter().filter(|file| !is_placed[file.inode.index()]) {
        placed.push((*file, next));
        next += u64::from(file.blocks.get());
    }
    Ok(placed)
}

impl TitleSet {
    /// Places the files from `start` on; where the next set starts.
    fn place(
        &self,
        tree: &Tree,
        base: Option<&dyn BlockRead>,
        stem: &str,
        start: u64,
        placed: &mut Vec<Offset>,
    ) -> Result<u64, ImageError> {
        let path = |extension: &str| {
            let part = if stem == MANAGER { "" } else { "_0" };
            format!("/VIDEO_TS/{stem}{part}.{extension}")
        };
        let ifo = self
            .ifo
            .ok_or_else(|| wrong(&path("IFO"), "it is missing"))?;
        let head = read_head(tree, base, ifo.inode)?;
        let sector = |at: usize| {
            u64::from(u32::from_be_bytes([
                head[at],
                head[at + 1],
                head[at + 2],
                head[at + 3],
            ]))
        };
        if !head.starts_with(b"DVDVIDEO-V") {
            return Err(wrong(
                &path("IFO"),
                "it is no information file of a DVD-Video",
            ));
        }
        let mut next = start;
        let mut put = |file: NewFile, wanted: u64, name: String| {
            let at = start + wanted;
            if at < next {
                let reason = format!(
                    "the IFO wants it at its sector {wanted}, but the file before it reaches to \
                     {}",
                    next - start
                );
                return Err(wrong(&name, &reason));
            }
            placed.push((file, at));
            next = at + u64::from(file.blocks.get());
            Ok(next - start)
        };
        put(ifo, 0, path("IFO"))?;
        if let Some(menu) = self.menu {
            put(menu, sector(ifo::MENU_START), path("VOB"))?;
        }
        let mut wanted = sector(ifo::TITLES_START);
        for (part, title) in self.titles.iter().enumerate() {
            let name = format!("/VIDEO_TS/{stem}_{}.VOB", part + 1);
            wanted = put(*title, wanted, name)?;
        }
        if let Some(backup) = self.backup {
            let last = sector(ifo::LAST_SECTOR_OF_SET);
            let own = sector(ifo::LAST_SECTOR_OF_IFO);
            let wanted = last.checked_sub(own).ok_or_else(|| {
                wrong(&path("IFO"), "its last sector comes after that of its set")
            })?;
            put(backup, wanted, path("BUP"))?;
        }
        Ok(next)
    }
}

/// What the name of a film's file says.
struct FilmName {
    /// `VIDEO_TS`, or `VTS_nn`.
    set: String,
    /// 0 for all but the VOB files of titles.
    part: u8,
    extension: &'static str,
}

fn film_name(tree: &Tree, node: NodeId) -> Option<FilmName> {
    if tree.is_directory(node) {
        return None;
    }
    let name = std::str::from_utf8(tree.name(node)).ok()?;
    let (stem, extension) = name.split_once('.')?;
    let known = ["IFO", "VOB", "BUP"].into_iter();
    let extension = { known }.find(|known| *known == extension)?;
    if stem == MANAGER {
        return Some(FilmName {
            set: MANAGER.into(),
            part: 0,
            extension,
        });
    }
    let (set, part) = stem.rsplit_once('_')?;
    let number = set.strip_prefix("VTS_")?;
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (number.len() == 2 && part.len() == 1 && is_digits(number) && is_digits(part)).then(|| {
        FilmName {
            set: set.into(),
            part: part.as_bytes()[0] - b'0',
            extension,
        }
    })
}

fn read_head(
    tree: &Tree,
    base: Option<&dyn BlockRead>,
    inode: InodeId,
) -> Result<[u8; ifo::BYTES], ImageError> {
    let mut head = [0; ifo::BYTES];
    if let Kind::File { size, content } = tree.kind(inode) {
        let mut open = OpenFile::default();
        read_content(base, &mut open, inode, (size, content), 0, &mut head)?;
    }
    Ok(head)
}

/// Blocks that everything takes, gaps included.
pub(crate) fn span(placed: &[Offset]) -> Option<BlockCount> {
    let end = |(file, at): &Offset| at + u64::from(file.blocks.get());
    let end = placed.iter().map(end).max().unwrap_or(0);
    BlockCount::for_bytes(end.checked_mul(BLOCK_SIZE as u64)?)
}

fn wrong(path: &str, reason: &str) -> ImageError {
    ImageError::NotDvdVideo {
        path: path.into(),
        reason: reason.into(),
    }
}
