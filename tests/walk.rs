//! What a folder holds, name by name.
//!
//! A walk can be written as lines of text and read back, so that another machine can walk and
//! this one compare.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::text::{escape, hex, unescape};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A folder.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A name that is listed and cannot be read.
    Unreadable,
}

impl Kind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Directory, "folder"),
        (Self::File, "file"),
        (Self::Symlink, "link"),
        (Self::Fifo, "fifo"),
        (Self::Socket, "socket"),
        (Self::CharDevice, "char"),
        (Self::BlockDevice, "block"),
        (Self::Unreadable, "unreadable"),
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL
            .iter()
            .find(|(kind, _)| kind == self)
            .map_or("?", |(_, name)| name);
        f.pad(name)
    }
}

/// What a walk saw behind one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Bytes of a file's content; zero for anything else.
    pub size: u64,
    /// Permissions, twelve bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time, whole seconds since 1970, rounded down.
    pub modified_s: i64,
    /// How many names the file system says it has.
    pub links: u64,
    /// SHA-256 of a file's content, empty for anything else.
    pub digest: Vec<u8>,
    /// Where a symbolic link points, `major:minor` of a device, or why it is unreadable.
    pub target: Vec<u8>,
}

impl Entry {
    fn unreadable(error: &io::Error) -> Self {
        Self {
            kind: Kind::Unreadable,
            size: 0,
            mode: 0,
            uid: 0,
            gid: 0,
            modified_s: 0,
            links: 0,
            digest: Vec::new(),
            target: error.to_string().into_bytes(),
        }
    }
}

/// Every name below a folder, the folder itself (`.`) included. Paths are bytes, relative,
/// joined by `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// The entries by path.
    pub entries: BTreeMap<Vec<u8>, Entry>,
}

impl Walk {
    /// Walks a folder and reads every file in it. What cannot be read becomes an entry that
    /// says so; only a top folder that cannot be read is an error.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut walk = Self::default();
        let mut digests = HashMap::new();
        let mut pending = vec![(folder.to_path_buf(), b".".to_vec())];
        while let Some((path, name)) = pending.pop() {
            let entry = read_entry(&path, &mut digests).and_then(|entry| {
                if entry.kind == Kind::Directory {
                    for child in fs::read_dir(&path)? {
                        let child = child?.path();
                        let last = child.file_name().unwrap_or_default().as_encoded_bytes();
                        let below = join(&name, last);
                        pending.push((child, below));
                    }
                }
                Ok(entry)
            });
            let entry = match entry {
                Err(error) if path == folder => return Err(at(folder, &error)),
                entry => entry.unwrap_or_else(|error| Entry::unreadable(&error)),
            };
            walk.entries.insert(name, entry);
        }
        Ok(walk)
    }

    /// Reads what [`Display`](fmt::Display) wrote; `Err` is the line that makes no sense.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parse = |line: &str| parse_line(line).ok_or_else(|| line.to_owned());
        let entries = text.lines().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// How many bytes of files it holds, each name counted.
    pub fn byte_count(&self) -> u64 {
        self.entries.values().map(|entry| entry.size).sum()
    }
}

/// A path below `folder`; the top folder is `.`, and nothing else begins with it.
fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder == b"." {
        name.to_vec()
    } else {
        [folder, name].join(&b'/')
    }
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Digests by device and inode, so that a file with many names is read once.
type Digests = HashMap<(u64, u64), Vec<u8>>;

fn read_entry(path: &Path, digests: &mut Digests) -> io::Result<Entry> {
    let metadata = fs::symlink_metadata(path)?;
    let mut entry = platform::entry(&metadata);
    match entry.kind {
        Kind::Symlink => {
            entry.target = fs::read_link(path)?.as_os_str().as_encoded_bytes().to_vec();
        }
        Kind::File => {
            entry.size = metadata.len();
            entry.digest = if entry.links > 1 {
                shared_digest(path, platform::identity(&metadata), digests)?
            } else {
                digest_of(path)?
            };
        }
        _ => {}
    }
    Ok(entry)
}

fn shared_digest(path: &Path, identity: (u64, u64), digests: &mut Digests) -> io::Result<Vec<u8>> {
    if let Some(digest) = digests.get(&identity) {
        return Ok(digest.clone());
    }
    let digest = digest_of(path)?;
    digests.insert(identity, digest.clone());
    Ok(digest)
}

fn digest_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// One line an entry: kind, mode, owner, group, time, links, size, digest, path, target.
impl fmt::Display for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, entry) in &self.entries {
            let Entry {
                kind,
                mode,
                uid,
                gid,
                modified_s,
                links,
                size,
                ..
            } = entry;
            write!(
                f,
                "{kind} {mode:04o} {uid} {gid} {modified_s} {links} {size} "
            )?;
            let digest = hex(&entry.digest);
            let digest = if digest.is_empty() { "-" } else { &digest };
            write!(f, "{digest} {}", escape(path))?;
            if !entry.target.is_empty() {
                write!(f, " {}", escape(&entry.target))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn parse_line(line: &str) -> Option<(Vec<u8>, Entry)> {
    let mut words = line.split(' ');
    let mut word = || words.next();
    let kind = word()?;
    let kind = Kind::ALL.iter().find(|(_, name)| *name == kind)?.0;
    let entry = Entry {
        kind,
        mode: u32::from_str_radix(word()?, 8).ok()?,
        uid: word()?.parse().ok()?,
        gid: word()?.parse().ok()?,
        modified_s: word()?.parse().ok()?,
        links: word()?.parse().ok()?,
        size: word()?.parse().ok()?,
        digest: parse_digest(word()?)?,
        target: Vec::new(),
    };
    let path = unescape(word()?)?;
    let target = word().map_or(Some(Vec::new()), unescape)?;
    word()
        .is_none()
        .then_some((path, Entry { target, ..entry }))
}

fn parse_digest(word: &str) -> Option<Vec<u8>> {
    if word == "-" {
        return Some(Vec::new());
    }
    let pairs = word.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(unix)]
mod platform {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    use super::{Entry, Kind, Metadata};

    pub fn entry(metadata: &Metadata) -> Entry {
        let file_type = metadata.file_type();
        let kind = match () {
            () if file_type.is_dir() => Kind::Directory,
            () if file_type.is_symlink() => Kind::Symlink,
            () if file_type.is_fifo() => Kind::Fifo,
            () if file_type.is_socket() => Kind::Socket,
            () if file_type.is_char_device() => Kind::CharDevice,
            () if file_type.is_block_device() => Kind::BlockDevice,
            () => Kind::File,
        };
        let device = metadata.rdev();
        let target = match kind {
            Kind::CharDevice | Kind::BlockDevice => {
                let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
                format!("{major}:{minor}").into_bytes()
            }
            _ => Vec::new(),
        };
        Entry {
            kind,
            size: 0,
            mode: metadata.mode() & 0o7777,
            uid: metadata.uid(),
            gid: metadata.gid(),
            modified_s: metadata.mtime(),
            links: metadata.nlink(),
            digest: Vec::new(),
            target,
        }
    }

    pub fn identity(metadata: &Metadata) -> (u64, u64) {
        (metadata.dev(), metadata.ino())
    }
}

#[cfg(not(unix))]
mod platform {
    use std::time::UNIX_EPOCH;

    use super::{Entry, Kind, Metadata};

    pub fn entry(metadata: &Metadata) -> Entry {
        let kind = match () {
            () if metadata.is_dir() => Kind::Directory,
            () if metadata.is_symlink() => Kind::Symlink,
            () => Kind::File,
        };
        let since = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let seconds = since.map_or(0, |since| since.as_secs());
        Entry {
            kind,
            size: 0,
            mode: if metadata.permissions().readonly() {
                0o555
            } else {
                0o755
            },
            uid: 0,
            gid: 0,
            modified_s: i64::try_from(seconds).unwrap_or(i64::MAX),
            links: 1,
            digest: Vec::new(),
            target: Vec::new(),
        }
    }

    /// Never asked for: no file here has more than one link.
    pub fn identity(_: &Metadata) -> (u64, u64) {
        (0, 0)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_is_walked_and_survives_as_text() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path();
        fs::create_dir(top.join("a folder")).unwrap();
        fs::write(top.join("a folder/f"), b"abc").unwrap();
        fs::hard_link(top.join("a folder/f"), top.join("g")).unwrap();
        fs::set_permissions(top.join("g"), fs::Permissions::from_mode(0o4711)).unwrap();
        std::os::unix::fs::symlink("a folder/none", top.join("l")).unwrap();

        let walk = Walk::of(top).unwrap();
        let paths: Vec<_> = walk.entries.keys().map(|path| escape(path)).collect();
        assert_eq!(paths, [".", "a%20folder", "a%20folder/f", "g", "l"]);
        let file = &walk.entries[b"g".as_slice()];
        assert_eq!(
            (file.kind, file.size, file.mode, file.links),
            (Kind::File, 3, 0o4711, 2)
        );
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(&file.digest), digest);
        assert_eq!(walk.entries[b"l".as_slice()].target, b"a folder/none");
        assert_eq!(walk.byte_count(), 6);

        assert_eq!(Walk::parse(&walk.to_string()), Ok(walk));
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let line = "file 0644 0 0 0 1 3 - name target more";
        assert_eq!(Walk::parse(line), Err(line.to_owned()));
        assert_eq!(Walk::parse("file"), Err("file".to_owned()));
    }
}
