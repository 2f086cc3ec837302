//! A guest of one boot: the Linux kernel as user-mode-linux, mounting images and walking them.
//!
//! - The guest's root is the host's file system, so that it runs this very program to walk, and
//!   leaves its listings where the host finds them.
//! - It needs no terminal, switches itself off, and dies with the program that started it,
//!   all of it: else its processes would go on as the host's own.
//! - What the kernel says of an image stands in a file beside the listing, and counts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reburn_tests::{Kind, Walk};

use super::evidence::failed;
use crate::command::{Program, last_lines};

/// What a judge needs that asks the kernel.
pub const NEEDS: [(&str, &str); 6] = [
    ("linux.uml", "user-mode-linux"),
    ("insmod", "kmod"),
    ("losetup", "mount"),
    ("mount", "mount"),
    ("setpriv", "util-linux"),
    ("cc", "gcc"),
];

/// How long a guest may take for everything.
const TIMEOUT: Duration = Duration::from_mins(20);

/// Kernel modules without which nothing is mounted here.
const MODULES: [&str; 2] = ["fs/nls/nls_utf8", "drivers/block/loop"];

/// One mount that the guest shall make.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The image.
    pub image: PathBuf,
    /// Bytes of a sector. A kernel looks where it would on a disc only if it sees those of one.
    pub sector_bytes: u32,
    /// The kernel's name for the file system.
    pub file_system: &'static str,
    /// What `mount -o` takes.
    pub options: String,
    /// Shell words that fill the mounted folder before it is walked, in which it is `mount`.
    pub fill: Option<String>,
    /// Shell words to look at it with, where a walk of `mount` would take too long; what they
    /// print is the listing.
    pub look: Option<String>,
    /// Where the listing goes; what the guest and its kernel said lies beside it.
    pub listing: PathBuf,
}

/// A machine that was not started yet.
pub struct Guest {
    folder: PathBuf,
    program: Program,
}

impl Guest {
    /// A guest that lives in `folder`, loads these modules (below the kernel's folder, without
    /// `.ko`), and makes the mounts one after the other.
    pub fn new(folder: &Path, modules: &[&str], mounts: &[Mount]) -> Result<Self, String> {
        Self::with_work(folder, modules, &mounting(mounts)?)
    }

    /// A guest that lives in `folder`, loads these modules, and runs `work`, a shell's text, in
    /// `folder`, where `mount` is an empty folder.
    pub fn with_work(folder: &Path, modules: &[&str], work: &str) -> Result<Self, String> {
        let script = folder.join("init");
        fs::create_dir_all(folder.join("mount")).map_err(failed(folder))?;
        let text = init_script(folder, modules, work);
        fs::write(&script, text).map_err(failed(&script))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(failed(&script))?;
        // The guest dies with this program, should that be killed.
        let program = Program::new("setpriv")
            .args(["--pdeathsig", "KILL", "linux.uml"])
            .args(["mem=384M", "rootfstype=hostfs", "rootflags=/", "rw"])
            .args(["con=null", "con0=null,fd:1", "ssl=null"])
            .arg(format!("uml_dir={}", folder.display()))
            .arg(format!("init={}", script.display()))
            // Its memory is a file there; the usual place is too small in many containers.
            .env("TMPDIR", folder)
            .env("LD_PRELOAD", ptrace_library(folder)?)
            .timeout(TIMEOUT);
        let folder = folder.to_path_buf();
        Ok(Self { folder, program })
    }

    /// Runs it to its end.
    pub fn run(&self) -> Result<(), String> {
        let output = self.program.capture()?;
        if self.folder.join("done").exists() {
            return Ok(());
        }
        let said = last_lines(&output.stdout_text(), 20);
        Err(format!(
            "the guest did not come to its end; its last words:\n{said}\n{}",
            self.program
        ))
    }

    /// The command that runs it again.
    pub fn replay(&self) -> &Program {
        &self.program
    }
}

/// Runs guests side by side, all to their ends.
pub fn run_together(guests: &[Guest]) -> Result<(), String> {
    std::thread::scope(|scope| {
        let running: Vec<_> = guests
            .iter()
            .map(|guest| scope.spawn(|| guest.run()))
            .collect();
        running.into_iter().try_for_each(|guest| {
            let lost = || Err("the thread of a guest is lost".to_owned());
            guest.join().unwrap_or_else(|_| lost())
        })
    })
}

/// The library that keeps the guest's processes from outliving it, and lets them run on every
/// processor.
fn ptrace_library(folder: &Path) -> Result<PathBuf, String> {
    let (source, library) = (folder.join("ptrace.c"), folder.join("ptrace.so"));
    fs::write(&source, include_str!("guest_ptrace.c")).map_err(failed(&source))?;
    let compile = Program::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]);
    let compile = compile.arg(&library).arg(&source);
    compile.capture()?.require_success(&compile)?;
    Ok(library)
}

fn init_script(folder: &Path, modules: &[&str], work: &str) -> String {
    let modules = [modules, &MODULES].concat().join(" ");
    format!(
        "#!/bin/sh\n\
         # What a guest does; made anew by every run.\n\
         export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sys /sys\n\
         K=/usr/lib/uml/modules/$(uname -r)/kernel\n\
         for m in {modules}; do\n\
         [ -e $K/$m.ko ] && insmod $K/$m.ko\n\
         done\n\
         dmesg --clear\n\
         cd {folder}\n\
         {work}\
         echo > done\n\
         sync\n\
         echo o > /proc/sysrq-trigger\n\
         sleep 60\n",
        folder = quoted(folder),
    )
}

/// The command that walks the folder `mount` in a guest; `-o LISTING` is to be added. A kernel may
/// go round in a damaged folder for ever.
pub fn walk_command() -> Result<String, String> {
    let xtask = std::env::current_exe().map_err(failed(Path::new("this program")))?;
    Ok(format!("timeout 60 {} walk mount", quoted(&xtask)))
}

/// The work of mounting these and looking at them.
fn mounting(mounts: &[Mount]) -> Result<String, String> {
    let mut script = "\
         look() {\n\
         L=$(losetup --find --show $5 \"$1\") || return\n\
         mount -t $2 -o \"$3\" $L mount && eval \"$6\" && eval \"$7\"\n\
         umount mount\n\
         losetup --detach $L\n\
         dmesg --read-clear > \"$4.log\"\n\
         }\n"
    .to_owned();
    let walk = format!("{} -o \"$4\"", walk_command()?);
    for mount in mounts {
        let (image, listing) = (quoted(&mount.image), quoted(&mount.listing));
        let (file_system, options) = (mount.file_system, &mount.options);
        let (access, fill) = match &mount.fill {
            Some(fill) => ("", fill.as_str()),
            None => ("--read-only", "true"),
        };
        let by = match &mount.look {
            Some(look) => format!("({look}) > \"$4\""),
            None => walk.clone(),
        };
        let (fill, by) = (quoted_word(fill), quoted_word(&by));
        let access = format!("'--sector-size {} {access}'", mount.sector_bytes);
        let look = [
            "look",
            &image,
            file_system,
            options,
            &listing,
            &access,
            &fill,
            &by,
        ]
        .join(" ");
        script += &[&look, " 2> ", &listing, ".errors\n"].concat();
    }
    Ok(script)
}

/// A path as one word of a shell.
pub fn quoted(path: &Path) -> String {
    quoted_word(&path.display().to_string())
}

fn quoted_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What the guest walked, or what it and its kernel said instead.
pub fn seen(listing: &Path) -> Result<Walk, String> {
    Walk::parse(&printed(listing)?).map_err(|line| format!("odd: {line}"))
}

/// What the guest printed, or what it and its kernel said instead.
pub fn printed(listing: &Path) -> Result<String, String> {
    fs::read_to_string(listing).map_err(|_| {
        let first = |text: String| text.lines().take(10).collect::<Vec<_>>().join("\n");
        let (errors, log) = (first(beside(listing, ".errors")), first(log(listing)));
        format!("the kernel could not read it:\n{errors}\n{log}")
    })
}

/// What the kernel logged meanwhile.
pub fn log(listing: &Path) -> String {
    beside(listing, ".log")
}

fn beside(listing: &Path, suffix: &str) -> String {
    fs::read_to_string(format!("{}{suffix}", listing.display())).unwrap_or_default()
}

/// Whether a kernel's log holds nothing but lines that have one of the `usual` texts in them.
pub fn no_complaint(log: &str, usual: &[&str]) -> Result<(), String> {
    let loops = "detected capacity change";
    let strange =
        |line: &&str| !line.contains(loops) && !usual.iter().any(|usual| line.contains(usual));
    let complaints: Vec<_> = log.lines().filter(strange).take(20).collect();
    if complaints.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the kernel complains:\n  {}",
        complaints.join("\n  ")
    ))
}

/// The walk with the link counts of folders as POSIX counts them, and the kernel on every disc:
/// itself, its name above, and one for each folder in it. The host's file system may differ.
pub fn with_counted_links(walk: &Walk) -> Walk {
    let mut counted = walk.clone();
    let is_folder = |path: &[u8]| walk.entries[path].kind == Kind::Directory;
    for (path, entry) in &mut counted.entries {
        if entry.kind == Kind::Directory {
            entry.links = 2;
            let prefix = if path == b"." {
                Vec::new()
            } else {
                [path, b"/".as_slice()].concat()
            };
            let below = walk.entries.range(prefix.clone()..);
            let below = below.take_while(|(child, _)| child.starts_with(&prefix));
            let direct = below.filter(|(child, _)| {
                *child != b"." && !child[prefix.len()..].contains(&b'/') && is_folder(child)
            });
            entry.links += direct.count() as u64;
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_count_the_folders_in_them() {
        let line = |path: &&str| format!("folder 0755 0 0 7 1 0 - {path}\n");
        let paths = [".", "a", "a/b", "a/c", "a/c/d", "ab"];
        let walk = Walk::parse(&paths.iter().map(line).collect::<String>()).unwrap();
        let counted = with_counted_links(&walk);
        let links: Vec<_> = counted.entries.values().map(|entry| entry.links).collect();
        assert_eq!(links, [4, 4, 2, 3, 2, 2]);
    }

    #[test]
    fn the_kernels_log_may_say_the_usual_only() {
        let log = "[    1.860000] loop0: detected capacity change from 0 to 20048\n\
                   [    1.900000] ISO 9660 Extensions: RRIP_1991A\n";
        assert_eq!(no_complaint(log, &["RRIP_1991A"]), Ok(()));
        assert!(no_complaint(log, &[]).is_err());
        let log = "[    1.9] iso9660: Corrupted directory entry in block 1 of inode 2\n";
        assert!(no_complaint(log, &["RRIP_1991A"]).is_err());
    }

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
