//! Files and folders of a disc, copied out to the host.
//!
//! Invariants: nothing that exists on the host is overwritten or followed; times and
//! permissions of a folder are set after everything in it; no more than one buffer of content
//! is held in memory.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use reburn_blocks::BlockRead;
use reburn_tree::{InodeId, Kind, NodeId, Tree};

use crate::ImageError;
use crate::attributes::{make_special, set_attributes, set_link_attributes};
use crate::host_file::host_name;
use crate::source::{OpenFile, read_content};
use crate::xattr;

/// Bytes copied at a time.
const CHUNK: usize = 1 << 20;

/// How files are copied out.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtractOptions {
    /// Give files the owners that the disc names, which takes the right to do so.
    pub owners: bool,
    /// Attach named streams to files, as what users attached to them.
    pub xattrs: bool,
}

/// What was copied out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtractReport {
    /// Files, folders, links and special files made.
    pub made: u64,
    /// Bytes of file content written.
    pub bytes: u64,
    /// Special files that the host did not let this user make, by their path on the disc.
    pub skipped: Vec<String>,
    /// Named streams that the host could not attach, as `PATH:NAME`.
    pub detached: Vec<String>,
}

/// Copies a file, or a folder with everything in it, to the vacant path `to`; a folder may
/// also be merged into a folder that exists. `disc` is what the tree was read from.
pub fn extract(
    tree: &Tree,
    disc: &dyn BlockRead,
    node: NodeId,
    to: &Path,
    options: ExtractOptions,
) -> Result<ExtractReport, ImageError> {
    let mut extract = Extract {
        tree,
        disc,
        options,
        report: ExtractReport::default(),
        links: HashMap::new(),
        open: OpenFile::default(),
        buf: vec![0; CHUNK],
    };
    let mut folders = Vec::new();
    let mut pending = vec![(node, to.to_owned())];
    while let Some((node, path)) = pending.pop() {
        if extract
            .make(node, &path)
            .map_err(|error| at(&path, error))?
        {
            let children = tree.children(node).iter().rev();
            pending.extend(children.map(|&child| (child, path.join(host_name(tree.name(child))))));
            folders.push((node, path));
        }
    }
    for (node, path) in folders.into_iter().rev() {
        let metadata = tree.metadata(tree.inode(node));
        set_attributes(&path, metadata, options).map_err(|error| at(&path, error.into()))?;
    }
    Ok(extract.report)
}

/// What can fail on the way to one file.
enum Failure {
    Host(io::Error),
    Disc(ImageError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Host(error)
    }
}

fn at(path: &Path, failure: Failure) -> ImageError {
    match failure {
        Failure::Host(source) => ImageError::Host {
            path: path.to_owned(),
            source,
        },
        Failure::Disc(error) => error,
    }
}

struct Extract<'a> {
    tree: &'a Tree,
    disc: &'a dyn BlockRead,
    options: ExtractOptions,
    report: ExtractReport,
    /// Where files with several names were put first.
    links: HashMap<InodeId, PathBuf>,
    open: OpenFile,
    buf: Vec<u8>,
}

impl Extract<'_> {
    /// Makes one file or folder; whether there is something in it to make.
    fn make(&mut self, node: NodeId, path: &Path) -> Result<bool, Failure> {
        let inode = self.tree.inode(node);
        if let Some(first) = self.links.get(&inode) {
            fs::hard_link(first, path)?;
            self.report.made += 1;
            return Ok(false);
        }
        let metadata = *self.tree.metadata(inode);
        match self.tree.kind(inode) {
            Kind::Directory => {
                if !fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
                    fs::create_dir(path)?;
                }
                self.report.made += 1;
                self.attach_streams(node, path)?;
                return Ok(true);
            }
            Kind::File { size, .. } => {
                self.copy(inode, size, path)?;
                self.attach_streams(node, path)?;
                set_attributes(path, &metadata, self.options)?;
            }
            kind => {
                if !make_special(path, kind)? {
                    self.report.skipped.push(self.tree.display_path(node));
                    return Ok(false);
                }
                if matches!(kind, Kind::Symlink(_)) {
                    set_link_attributes(path, &metadata, self.options)?;
                } else {
                    set_attributes(path, &metadata, self.options)?;
                }
            }
        }
        self.report.made += 1;
        if self.tree.links(inode) > 1 {
            self.links.insert(inode, path.to_owned());
        }
        Ok(false)
    }

    /// Attaches the named streams of a file or folder, if they are wanted.
    fn attach_streams(&mut self, node: NodeId, path: &Path) -> Result<(), Failure> {
        if !self.options.xattrs {
            return Ok(());
        }
        for (name, stream) in self.tree.streams(self.tree.inode(node)) {
            let Kind::File { size, content } = self.tree.kind(stream) else {
                continue;
            };
            let attached = size <= xattr::VALUE_MAX as u64 && {
                let mut value = vec![0; usize::try_from(size).expect("a small value")];
                let source = (size, content);
                read_content(
                    Some(self.disc),
                    &mut self.open,
                    stream,
                    source,
                    0,
                    &mut value,
                )
                .map_err(|error| Failure::Disc(error.into()))?;
                xattr::write(path, name, &value)?
            };
            if !attached {
                let (path, name) = (self.tree.display_path(node), String::from_utf8_lossy(name));
                self.report.detached.push(format!("{path}:{name}"));
            }
        }
        Ok(())
    }

    fn copy(&mut self, inode: InodeId, size: u64, path: &Path) -> Result<(), Failure> {
        let Kind::File { content, .. } = self.tree.kind(inode) else {
            return Ok(());
        };
        let mut file = File::create_new(path)?;
        let mut offset = 0;
        while offset < size {
            let len = usize::try_from(size - offset).map_or(CHUNK, |left| left.min(CHUNK));
            let chunk = &mut self.buf[..len];
            let source = (size, content);
            read_content(
                Some(self.disc),
                &mut self.open,
                inode,
                source,
                offset,
                chunk,
            )
            .map_err(|error| Failure::Disc(error.into()))?;
            write_sparse(&mut file, chunk)?;
            offset += len as u64;
        }
        file.set_len(size)?;
        self.report.bytes += size;
        Ok(())
    }
}

/// Writes a chunk, or skips over it if it is all zeros.
pub(crate) fn write_sparse(file: &mut File, chunk: &[u8]) -> io::Result<()> {
    if is_zero(chunk) {
        let len = i64::try_from(chunk.len()).expect("a chunk is small");
        file.seek(SeekFrom::Current(len)).map(drop)
    } else {
        file.write_all(chunk)
    }
}

/// Whether every byte is zero: the first is, and each equals the one before it.
fn is_zero(chunk: &[u8]) -> bool {
    chunk
        .first()
        .is_none_or(|&first| first == 0 && chunk[1..] == chunk[..chunk.len() - 1])
}
