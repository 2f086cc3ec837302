//! A folder with every difficulty that a disc can meet.
//!
//! The same options give the same names, contents, modes and times. What only the superuser
//! can make (devices, other owners, files nobody may read) is left out for anyone else.

use std::ffi::OsStr;
use std::fs::{self, File, FileTimes, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps};

/// The size of the big file: 5 GiB and a part of a block.
const BIG_FILE_BYTES: u64 = 5 * (1 << 30) + 12_345;

/// What the tree shall hold.
#[derive(Debug, Clone, Copy)]
pub struct DifficultTree {
    /// Contents and times come from it.
    pub seed: u64,
    /// Whether a sparse file of 5 GiB is part of it.
    pub big_file: bool,
    /// How many files stand in one folder.
    pub crowd: u32,
}

impl Default for DifficultTree {
    fn default() -> Self {
        Self {
            seed: 1,
            big_file: false,
            crowd: 3000,
        }
    }
}

impl DifficultTree {
    /// Makes the tree in `folder`, which must exist and be empty.
    pub fn make(&self, folder: &Path) -> io::Result<()> {
        let mut maker = Maker {
            top: folder.to_path_buf(),
            random: ChaCha8Rng::seed_from_u64(self.seed),
            superuser: rustix::process::geteuid().is_root(),
        };
        maker.sizes()?;
        maker.depths()?;
        maker.scripts()?;
        maker.colliding_names()?;
        maker.forbidden_characters()?;
        maker.long_names()?;
        maker.symbolic_links()?;
        maker.hard_links()?;
        maker.crowd(self.crowd)?;
        maker.modes_and_owners()?;
        maker.special_files()?;
        if self.big_file {
            maker.big_file()?;
        }
        maker.times()
    }
}

struct Maker {
    top: PathBuf,
    random: ChaCha8Rng,
    superuser: bool,
}

impl Maker {
    /// The path of a name below the top; its folder is made.
    fn place(&self, path: impl AsRef<OsStr>) -> io::Result<PathBuf> {
        let path = self.top.join(Path::new(path.as_ref()));
        fs::create_dir_all(path.parent().unwrap_or(&self.top))?;
        Ok(path)
    }

    /// A file of `bytes` random bytes.
    fn file(&mut self, path: impl AsRef<OsStr>, bytes: usize) -> io::Result<()> {
        let mut content = vec![0; bytes];
        self.random.fill_bytes(&mut content);
        let path = self.place(path)?;
        fs::write(&path, content)?;
        fs::set_permissions(&path, Permissions::from_mode(0o644))
    }

    /// A file whose content is its own path, so that a mix-up shows.
    fn named_file(&self, below_top: &[u8]) -> io::Result<()> {
        let path = self.place(OsStr::from_bytes(below_top))?;
        fs::write(&path, below_top)?;
        fs::set_permissions(&path, Permissions::from_mode(0o644))
    }

    fn folder(&self, path: &str) -> io::Result<()> {
        fs::create_dir_all(self.top.join(path))
    }

    fn link(&self, path: &str, target: &str) -> io::Result<()> {
        symlink(target, self.place(path)?)
    }

    fn sizes(&mut self) -> io::Result<()> {
        for bytes in [0, 1, 2047, 2048, 2049, 4096, 65_537, (1 << 20) + 7] {
            self.file(format!("sizes/{bytes}"), bytes)?;
        }
        for number in 0..5 {
            self.file(format!("sizes/empty {number}"), 0)?;
        }
        let holes = File::create(self.place("sizes/holes only")?)?;
        holes.set_len(300_000)?;
        self.folder("empty folders/one/two/three")
    }

    /// Deep folders, with something in each; ECMA-119 6.8.2.1 allows eight levels.
    fn depths(&mut self) -> io::Result<()> {
        let mut path = String::from("deep");
        for level in 1..=30 {
            path = format!("{path}/level {level:02}");
            self.file(format!("{path}/at level {level}"), 100 + level)?;
            if level % 7 == 0 {
                self.folder(&format!("{path}/empty"))?;
                self.file(format!("{path}/branch/leaf"), level)?;
            }
        }
        // Paths longer than 255 bytes (ECMA-119 6.8.2.1) within a few levels.
        let name = "a folder with quite a long name that goes on until it is long".repeat(3);
        self.file(
            format!("deep/{name}/{name}/{name}/{name}/{name}/{name}/end"),
            50,
        )?;
        for sibling in 0..20 {
            let folder = format!("deep/siblings/b/c/d/e/f/{sibling}/h/i");
            self.file(format!("{folder}/file"), 20 + sibling)?;
        }
        Ok(())
    }

    fn scripts(&self) -> io::Result<()> {
        let names = [
            "Grüße, Öl und Übermut",
            "Ελληνικά κείμενα.txt",
            "Русский текст.документ",
            "עברית.txt",
            "العربية.txt",
            "हिन्दी देवनागरी.txt",
            "ไทย.txt",
            "日本語のファイル名.テキスト",
            "中文文件名.文本",
            "한국어 파일.txt",
            "composed \u{e9}",
            "decomposed e\u{301}",
            "emoji 🔥💿 and family 👩\u{200d}👩\u{200d}👧.png",
            "outside the first plane 𝒳𐍈𠀀",
            "byte order mark \u{feff} and direction \u{202e}txt",
        ];
        for name in names {
            self.named_file(format!("scripts/{name}").as_bytes())?;
            self.named_file(format!("scripts/folder {name}/{name}").as_bytes())?;
        }
        self.named_file(b"scripts/not UTF-8 \xff\xfe\x80")?;
        self.named_file(b"scripts/Latin-1 caf\xe9/men\xfc")?;
        self.named_file(b"scripts/cut off \xe6\x97")
    }

    /// Names that become one when cut to 8.3, when case is lost, or when characters are.
    fn colliding_names(&self) -> io::Result<()> {
        for number in 0..120 {
            self.named_file(format!("collisions/a long name {number}.text").as_bytes())?;
        }
        let names = [
            "README",
            "ReadMe",
            "Readme",
            "readme",
            "read.me",
            "read_me",
            "READ_ME",
            "a.b.c",
            "a.b,c",
            "a,b.c",
            "a_b.c",
            "A_B.C",
            "noext",
            "noext.",
            "no.ext",
            "x.tar.gz",
            "x.tar_gz",
            "x_tar.gz",
            "A~1",
            "a~1",
            "ANAM~001.TEX",
            "ALONGNAM.TEX",
            "a0000001",
        ];
        for name in names {
            self.named_file(format!("collisions/{name}").as_bytes())?;
            self.named_file(format!("collisions/folders/{name}/x").as_bytes())?;
        }
        Ok(())
    }

    /// Characters that ECMA-119 7.4.1, Joliet or a careless program cannot take.
    fn forbidden_characters(&self) -> io::Result<()> {
        let names: [&[u8]; 22] = [
            b"semi;colon",
            b"version;1",
            b"version;32768",
            b"star*",
            b"question?",
            b"colon:",
            b"back\\slash",
            b"quotes\"'`",
            b"pipe|<>&",
            b"dollar $(HOME) ${x}",
            b"tab\there",
            b"line\nfeed",
            b"bell\x07",
            b"\x01",
            b"\x7f",
            b".hidden",
            b"..two dots",
            b"...",
            b"trailing dot.",
            b"trailing space ",
            b" ",
            b"-rf --help",
        ];
        for name in names {
            self.named_file(&[b"characters/", name].concat())?;
        }
        self.named_file(b"characters/folder; with.dot/file")?;
        self.named_file(b"characters/RR_MOVED/file")
    }

    fn long_names(&self) -> io::Result<()> {
        // Joliet's limits are 64 and 103 UCS-2 characters; names share all but the last.
        for length in [
            30, 31, 32, 63, 64, 65, 102, 103, 104, 110, 197, 207, 221, 250, 253, 254, 255,
        ] {
            for ending in ["A", "B"] {
                let name = "n".repeat(length - 1) + ending;
                self.named_file(format!("long names/{name}").as_bytes())?;
            }
            let wide = "ж".repeat(length.min(127));
            self.named_file(format!("long names/{wide}").as_bytes())?;
        }
        for length in [62, 63, 101, 102] {
            let split_pair = "p".repeat(length) + "💿💿";
            self.named_file(format!("long names/{split_pair}").as_bytes())?;
        }
        let three_bytes = "長".repeat(85);
        self.named_file(format!("long names/{three_bytes}").as_bytes())?;
        let folder = "F".repeat(255);
        for number in 0..40 {
            let name = format!("{number:03}{}", "x".repeat(252));
            self.named_file(format!("long names/{folder}/{name}").as_bytes())?;
        }
        let dotted = "d.".repeat(127);
        self.named_file(format!("long names/{dotted}").as_bytes())
    }

    fn symbolic_links(&mut self) -> io::Result<()> {
        self.file("links/target", 10)?;
        self.link("links/relative", "target")?;
        self.link("links/up", "../sizes/2048")?;
        self.link("links/up twice", "../../..")?;
        self.link("links/absolute", "/usr/share/doc")?;
        self.link("links/root", "/")?;
        self.link("links/dangling", "no/such/file")?;
        self.link("links/itself", "itself")?;
        self.link("links/here", ".")?;
        self.link("links/dots inside", "./a/./b/../c")?;
        self.link("links/three dots", ".../..a/.b")?;
        self.link("links/wide", "../scripts/日本語のファイル名.テキスト")?;
        self.link("links/with spaces", " a b /  c ")?;
        for length in [248, 249, 250, 251, 255] {
            let component = "c".repeat(length);
            self.link(&format!("links/component of {length}"), &component)?;
            self.link(
                &format!("links/two of {length}"),
                &format!("../{component}/{component}"),
            )?;
        }
        let many: Vec<String> = (0..120).map(|number| format!("part{number}")).collect();
        self.link("links/many components", &many.join("/"))?;
        self.link("links/many ups", "../".repeat(200).trim_end_matches('/'))?;
        self.link(
            "links/long",
            &format!("/{}", vec!["l".repeat(99); 10].join("/")),
        )?;
        let byte = symlink(
            OsStr::from_bytes(b"not UTF-8 \xff"),
            self.place("links/bytes")?,
        );
        byte.and_then(|()| self.link("deep/level 01/level 02/link", "../../../links/target"))
    }

    fn hard_links(&mut self) -> io::Result<()> {
        self.file("hard links/first", 5000)?;
        self.file("hard links/empty", 0)?;
        let first = self.top.join("hard links/first");
        fs::hard_link(&first, self.place("hard links/second")?)?;
        fs::hard_link(&first, self.place("hard links/folder/third")?)?;
        fs::hard_link(&first, self.place("deep/level 01/fourth")?)?;
        fs::hard_link(
            self.top.join("hard links/empty"),
            self.place("hard links/empty too")?,
        )?;
        // The same bytes, and yet another file.
        fs::copy(&first, self.place("hard links/copy")?).map(|_| ())
    }

    fn crowd(&mut self, count: u32) -> io::Result<()> {
        for number in 0..count {
            let bytes = self.random.random_range(1..200);
            let name = match number % 3 {
                0 => format!("crowd/{number}"),
                1 => format!("crowd/file number {number}.txt"),
                _ => format!("crowd/{number:06} with a name that takes its place"),
            };
            self.file(name, bytes)?;
        }
        Ok(())
    }

    fn modes_and_owners(&mut self) -> io::Result<()> {
        let modes = [
            0o644, 0o755, 0o600, 0o400, 0o777, 0o4755, 0o2755, 0o6711, 0o1644, 0o7777,
        ];
        for mode in modes {
            self.file(format!("modes/file {mode:04o}"), 30)?;
            self.folder(&format!("modes/folder {mode:04o}"))?;
        }
        if self.superuser {
            self.file("modes/file 0000", 30)?;
            self.folder("modes/folder 0000")?;
            for (uid, gid) in [
                (1000, 1001),
                (65_534, 65_534),
                (4_000_000_000, 3_000_000_000),
            ] {
                self.file(format!("modes/owner {uid}"), 30)?;
                let path = self.top.join(format!("modes/owner {uid}"));
                std::os::unix::fs::chown(path, Some(uid), Some(gid))?;
            }
        }
        for entry in fs::read_dir(self.top.join("modes"))? {
            let path = entry?.path();
            let name = path.to_string_lossy();
            let mode = name
                .rsplit(' ')
                .next()
                .and_then(|mode| u32::from_str_radix(mode, 8).ok());
            if let Some(mode) = mode.filter(|_| !name.contains("owner")) {
                fs::set_permissions(&path, Permissions::from_mode(mode))?;
            }
        }
        Ok(())
    }

    fn special_files(&mut self) -> io::Result<()> {
        let fifo = self.place("special/fifo")?;
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o640), 0)?;
        let devices = [
            ("null", FileType::CharacterDevice, 1, 3),
            ("disk", FileType::BlockDevice, 8, 1),
            ("large numbers", FileType::BlockDevice, 259, 70_000),
        ];
        for (name, kind, major, minor) in devices.into_iter().filter(|_| self.superuser) {
            let path = self.place(format!("special/{name}"))?;
            let device = rustix::fs::makedev(major, minor);
            match rustix::fs::mknodat(CWD, &path, kind, Mode::from_raw_mode(0o600), device) {
                // A container may keep the superuser from making devices.
                Err(rustix::io::Errno::PERM) => break,
                made => made?,
            }
        }
        Ok(())
    }

    /// A sparse file over 4 GiB with known bytes where offsets of 32 bits end.
    fn big_file(&mut self) -> io::Result<()> {
        let file = File::create(self.place("big/five gibibytes")?)?;
        file.set_len(BIG_FILE_BYTES)?;
        let four_gib = 1 << 32;
        // The largest section that is whole blocks ends at 4 GiB less one block.
        let section = four_gib - 2048;
        for at in [
            0,
            2 << 30,
            section - 50,
            section + 10,
            four_gib - 5,
            BIG_FILE_BYTES - 40,
        ] {
            file.write_all_at(format!("these bytes stand at {at:012}.").as_bytes(), at)?;
        }
        Ok(())
    }

    /// Sets every modification time: old ones, new ones, all with fractions, folders last.
    fn times(&mut self) -> io::Result<()> {
        let known: [u64; 8] = [
            0, // 1970-01-01
            1,
            86_399,
            946_684_799,   // the last second of 1999
            951_782_400,   // 2000-02-29
            1_709_164_800, // 2024-02-29
            2_147_483_648, // 2038-01-19, past 31 bits
            4_102_444_800, // 2100-01-01
        ];
        for seconds in known {
            self.file(format!("times/{seconds}"), 10)?;
        }
        let mut paths = vec![self.top.clone()];
        let mut next = 0;
        while next < paths.len() {
            let folder = paths[next].clone();
            next += 1;
            if folder.is_symlink() || !folder.is_dir() {
                continue;
            }
            let mut children: Vec<_> = fs::read_dir(&folder)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()?;
            children.sort();
            paths.extend(children);
        }
        for path in paths.iter().rev() {
            let in_times = path
                .parent()
                .is_some_and(|parent| parent.ends_with("times"));
            let named = path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok());
            let seconds = match named {
                Some(seconds) if in_times => seconds,
                _ => self.random.random_range(800_000_000..1_700_000_000),
            };
            set_modified(path, seconds, self.random.random_range(0..1_000_000_000))?;
        }
        Ok(())
    }
}

/// Sets the modification and access time of anything, a link itself included.
pub fn set_modified(path: &Path, seconds: u64, nanoseconds: u32) -> io::Result<()> {
    let is_plain = fs::symlink_metadata(path)?.is_file();
    if is_plain && fs::metadata(path)?.permissions().mode() & 0o400 != 0 {
        let time: SystemTime = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        return File::open(path)?.set_times(FileTimes::new().set_modified(time).set_accessed(time));
    }
    let time = Timespec {
        tv_sec: i64::try_from(seconds).map_err(io::Error::other)?,
        tv_nsec: nanoseconds.into(),
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    Ok(rustix::fs::utimensat(
        CWD,
        path,
        &times,
        AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Walk, compare};

    #[test]
    fn the_same_seed_makes_the_same_tree() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let tree = DifficultTree {
            crowd: 30,
            ..DifficultTree::default()
        };
        tree.make(one.path()).unwrap();
        tree.make(two.path()).unwrap();
        let (one, two) = (Walk::of(one.path()).unwrap(), Walk::of(two.path()).unwrap());
        assert_eq!(compare(&one, &two, &[]).differences, []);

        let other = tempfile::tempdir().unwrap();
        DifficultTree { seed: 2, ..tree }
            .make(other.path())
            .unwrap();
        let other = Walk::of(other.path()).unwrap();
        assert!(!compare(&one, &other, &[]).differences.is_empty());
    }

    #[test]
    fn it_holds_what_it_promises() {
        let dir = tempfile::tempdir().unwrap();
        DifficultTree::default().make(dir.path()).unwrap();
        let walk = Walk::of(dir.path()).unwrap();
        let paths = || walk.entries.keys();
        assert!(paths().any(|path| path.split(|byte| *byte == b'/').count() > 31));
        assert!(paths().any(|path| {
            path.split(|byte| *byte == b'/')
                .any(|name| name.len() == 255)
        }));
        assert!(paths().any(|path| std::str::from_utf8(path).is_err()));
        let crowd = paths().filter(|path| path.starts_with(b"crowd/")).count();
        assert_eq!(crowd, 3000);
        for kind in [Kind::Directory, Kind::File, Kind::Symlink, Kind::Fifo] {
            assert!(
                walk.entries.values().any(|entry| entry.kind == kind),
                "{kind}"
            );
        }
        assert!(walk.entries.values().any(|entry| entry.modified_s == 0));
        assert!(
            walk.entries
                .values()
                .any(|entry| entry.kind == Kind::File && entry.links == 4)
        );
        // Times belong to the tree alone, not to the moment it was made.
        let limit = 4_102_444_800;
        assert!(
            walk.entries
                .values()
                .all(|entry| (0..=limit).contains(&entry.modified_s))
        );
    }
}
