//! The first file system of a guest, as the kernel unpacks it: a cpio archive in "newc" format
//! (Documentation/driver-api/early-userspace/buffer-format.rst of Linux).

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::super::evidence::failed;
use crate::command::Program;

const FOLDER: u32 = 0o040755;
const LINK: u32 = 0o120777;
const FILE: u32 = 0o100000;

/// An archive that grows.
#[derive(Debug, Default)]
pub struct Initrd {
    bytes: Vec<u8>,
    entries: u32,
    made: BTreeSet<PathBuf>,
}

impl Initrd {
    /// Adds a file with these permissions, and the folders above it.
    pub fn file(&mut self, path: &Path, permissions: u32, content: &[u8]) {
        self.folders_above(path);
        self.entry(path, FILE | permissions & 0o777, content);
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &Path, target: &str) {
        self.folders_above(path);
        self.entry(path, LINK, target.as_bytes());
    }

    /// Adds a file of the host where it stands there, unless it was added before.
    pub fn host_file(&mut self, path: &Path) -> Result<(), String> {
        self.copy(path, path)
    }

    /// Adds a file of the host somewhere else.
    pub fn copy(&mut self, from: &Path, to: &Path) -> Result<(), String> {
        if self.made.contains(to) {
            return Ok(());
        }
        let content = fs::read(from).map_err(failed(from))?;
        let mode = fs::metadata(from)
            .map_err(failed(from))?
            .permissions()
            .mode();
        self.file(to, mode, &content);
        Ok(())
    }

    /// Adds a program of the host as `to`, with the libraries that it is linked with.
    pub fn program(&mut self, from: &Path, to: &Path) -> Result<(), String> {
        self.copy(from, to)?;
        let list = Program::new("ldd").arg(from);
        let listed = list.capture()?.stdout_text(); // fails on programs without libraries
        for library in libraries(&listed) {
            self.host_file(Path::new(library))?;
        }
        Ok(())
    }

    /// Adds a folder of the host with the files and folders in it.
    pub fn tree(&mut self, from: &Path, to: &Path) -> Result<(), String> {
        let mut names = Vec::new();
        for entry in fs::read_dir(from).map_err(failed(from))? {
            names.push(entry.map_err(failed(from))?.file_name());
        }
        names.sort();
        for name in names {
            let (from, to) = (from.join(&name), to.join(&name));
            if from.is_dir() {
                self.tree(&from, &to)?;
            } else {
                self.copy(&from, &to)?;
            }
        }
        Ok(())
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry(Path::new("TRAILER!!!"), 0, b"");
        self.bytes
    }

    fn folders_above(&mut self, path: &Path) {
        let above: Vec<_> = path.ancestors().skip(1).collect();
        for folder in above.into_iter().rev() {
            let is_root = folder == Path::new("/") || folder == Path::new("");
            if !is_root && !self.made.contains(folder) {
                self.entry(folder, FOLDER, b"");
            }
        }
    }

    fn entry(&mut self, path: &Path, mode: u32, content: &[u8]) {
        use std::io::Write;
        self.made.insert(path.to_path_buf());
        self.entries += 1;
        let name = path
            .strip_prefix("/")
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned();
        let numbers = [
            self.entries,
            mode,
            0,
            0,
            1,
            0,
            size(content.len()),
            0,
            0,
            0,
            0,
        ];
        self.bytes.extend_from_slice(b"070701");
        for number in numbers.into_iter().chain([size(name.len() + 1), 0]) {
            let _ = write!(self.bytes, "{number:08x}"); // a Vec takes everything
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.fill();
        self.bytes.extend_from_slice(content);
        self.fill();
    }

    fn fill(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

fn size(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// The absolute paths in what `ldd` prints.
fn libraries(listed: &str) -> impl Iterator<Item = &str> {
    listed
        .split_whitespace()
        .filter(|word| word.starts_with('/') && word.contains(".so"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpio_reads_it() {
        if !crate::command::is_installed("cpio") {
            println!("skipped: cpio is not installed");
            return;
        }
        let mut initrd = Initrd::default();
        initrd.file(Path::new("/a/b/file"), 0o640, b"content");
        initrd.file(Path::new("/a/other"), 0o755, b"");
        initrd.link(Path::new("/a/link"), "b/file");
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("archive");
        fs::write(&archive, initrd.finish()).unwrap();
        let unpack = Program::new("cpio")
            .args(["-i", "-d"])
            .current_dir(folder.path());
        let unpack = unpack.piped_input(&archive);
        unpack.capture().unwrap().require_success(&unpack).unwrap();
        let file = folder.path().join("a/link");
        assert_eq!(fs::read(&file).unwrap(), b"content");
        assert_eq!(
            fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert_eq!(fs::read(folder.path().join("a/other")).unwrap(), b"");
    }

    #[test]
    fn libraries_are_found_in_what_ldd_prints() {
        let listed = "\tlinux-vdso.so.1 (0x00007fff)\n\tlibc.so.6 => /lib/libc.so.6 (0x00007f)\n\
                      \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let found: Vec<_> = libraries(listed).collect();
        assert_eq!(found, ["/lib/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
    }
}
