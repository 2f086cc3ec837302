//! Reading the bytes of files, wherever they come from.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use reburn_blocks::{BlockRead, ReadError};
use reburn_tree::{Content, HostPath, InodeId, read_extents};

/// The host file that was read last, kept open because large files are read piece by piece.
#[derive(Debug, Default)]
pub(crate) struct OpenFile(Option<(InodeId, PathBuf, File)>);

/// Fills `buf` with a file's bytes from `offset` on; what lies past its end is zeros.
pub(crate) fn read_content(
    base: Option<&dyn BlockRead>,
    open: &mut OpenFile,
    inode: InodeId,
    (size, content): (u64, Content<'_>),
    offset: u64,
    buf: &mut [u8],
) -> Result<(), ReadError> {
    let present = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
    let (data, beyond) = buf.split_at_mut(present.min(buf.len()));
    beyond.fill(0);
    if data.is_empty() {
        return Ok(());
    }
    match content {
        Content::Bytes(bytes) => {
            let start = usize::try_from(offset).expect("an offset into bytes in memory");
            data.copy_from_slice(&bytes[start..start + data.len()]);
            Ok(())
        }
        Content::Host(path) => open.read(inode, path, size, offset, data),
        Content::Base(extents) => {
            let base = base.expect("content on a base belongs to an image with a base");
            read_extents(base, extents, offset, data)
        }
        Content::Custom(source) => source.read_exact_at(offset, data).map_err(|error| {
            let what = "a file's content".to_owned();
            ReadError::Content {
                what,
                reason: format!("its source failed: {error}"),
            }
        }),
    }
}

impl OpenFile {
    fn read(
        &mut self,
        inode: InodeId,
        path: HostPath<'_>,
        size: u64,
        offset: u64,
        data: &mut [u8],
    ) -> Result<(), ReadError> {
        if self.0.as_ref().is_none_or(|(open, ..)| *open != inode) {
            let path = path.to_path();
            let file = File::open(&path).map_err(|error| ReadError::Content {
                what: path.display().to_string(),
                reason: format!("cannot be opened: {error}"),
            })?;
            self.0 = Some((inode, path, file));
        }
        let Some((_, path, file)) = &mut self.0 else {
            unreachable!("it was just opened")
        };
        let result = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(data));
        result.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => shrank(
                path,
                file.metadata().map_or(offset, |metadata| metadata.len()),
                size,
            ),
            _ => ReadError::Content {
                what: path.display().to_string(),
                reason: format!("cannot be read at byte {offset}: {error}"),
            },
        })
    }
}

/// A file of the host is shorter than when it was added.
pub(crate) fn shrank(path: &Path, now: u64, then: u64) -> ReadError {
    ReadError::Content {
        what: path.display().to_string(),
        reason: format!(
            "shrank to {now} bytes while it was being read; it had {then} when it was added. Try \
             again when nothing writes to it"
        ),
    }
}
