//! The Linux kernel itself, as user-mode-linux: one boot mounts every image, in every tree,
//! and walks it.
//!
//! The guest's root is the host's file system, so that the guest runs this very program to
//! walk, and leaves its listings where the host finds them. The guest needs no terminal,
//! switches itself off, and is killed if it does not.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reburn_tests::{Aspect, Comparison, Kind, Tolerance, Walk};

use super::evidence::{Evidence, Image, Joliet, failed};
use super::names::{all_parts, joliet_carries};
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::{Program, last_lines};

pub const JUDGE: Judge = Judge {
    name: "kernel",
    proves: "the Linux kernel mounts the Rock Ridge, Joliet and plain trees and reads all files",
    needs: &[
        ("linux.uml", "user-mode-linux"),
        ("insmod", "kmod"),
        ("losetup", "mount"),
        ("mount", "mount"),
        ("setpriv", "util-linux"),
    ],
    optional: false,
    run,
};

/// How long the guest may take for everything.
const TIMEOUT: Duration = Duration::from_mins(20);

/// Names from this length on are cut by fs/isofs/rock.c (`get_rock_ridge_filename`).
const CUT_NAME_BYTES: usize = 254;

/// Names of one byte of value 0 or 1 are taken for `.` and `..`.
const CONTROL_NAMES: Tolerance = Tolerance {
    name: "a name that is one control character",
    because: "isofs_find_entry skips one-byte names of value 0 and 1, which mean . and ..",
    forgives: |difference| {
        let unreadable = difference
            .seen
            .as_ref()
            .is_some_and(|e| e.kind == Kind::Unreadable);
        unreadable && difference.path.ends_with(b"/\x01")
    },
};

/// What two names share that differ only where the kernel has cut them off.
const CUT_NAMES: Tolerance = Tolerance {
    name: "names of 254 and 255 bytes that begin alike",
    because: "the kernel cuts them at a Rock Ridge entry's end, and then they are the same",
    forgives: |difference| {
        let long = |name: &[u8]| name.len() >= 200;
        matches!(difference.aspect, Aspect::Missing | Aspect::Unexpected)
            && difference.path.split(|byte| *byte == b'/').any(long)
    },
};

const TIMES_PAST_2038: Tolerance = Tolerance {
    name: "times past 2038",
    because: "iso_date in fs/isofs/util.c returns 32 bits",
    forgives: |difference| {
        let (Some(expected), Some(seen)) = (&difference.expected, &difference.seen) else {
            return false;
        };
        let wrapped = (expected.modified_s + (1 << 31)).rem_euclid(1 << 32) - (1 << 31);
        difference.aspect == Aspect::Time && seen.modified_s == wrapped
    },
};

const DOTS_AT_THE_END: Tolerance = Tolerance {
    name: "dots at the end of names",
    because: "get_joliet_filename takes them off, and then two names may be the same",
    forgives: |difference| {
        let with_dot = |name: &[u8]| name.ends_with(b".") && name != b".";
        difference.path.split(|byte| *byte == b'/').any(with_dot)
            || difference.path.windows(6).any(|part| part == b"/noext")
    },
};

/// The trees of an image that a mount can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    RockRidge,
    Joliet,
    Plain,
}

impl View {
    fn mount_options(self) -> &'static str {
        match self {
            Self::RockRidge => "ro,iocharset=utf8",
            Self::Joliet => "ro,norock,check=strict,iocharset=utf8",
            Self::Plain => "ro,norock,nojoliet",
        }
    }
}

/// One mount in the guest.
struct Case {
    image: Image,
    view: View,
    is_damaged: bool,
    /// Where the guest puts its listing; what it and its kernel said lies beside it.
    listing: PathBuf,
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("kernel")?;
    let cases = cases(evidence, &folder)?;
    let guest = guest(&folder, &cases)?;
    let output = guest.capture()?;
    let done = folder.join("done").exists();
    if !done {
        let said = last_lines(&output.stdout_text(), 20);
        return Err(format!(
            "the guest did not come to its end; its last words:\n{said}\n{guest}"
        ));
    }
    for case in &cases {
        judge(case, &guest, report);
    }
    evidence.discard(&folder)
}

fn cases(evidence: &Evidence, folder: &Path) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let mut add = |image: &Image, view, is_damaged| {
        let listing = folder.join(format!("listing-{}", cases.len()));
        cases.push(Case {
            image: image.clone(),
            view,
            is_damaged,
            listing,
        });
    };
    for image in evidence.images()? {
        add(image, View::RockRidge, false);
        let all_views = evidence.is_full() || image.name == "default" || image.name == "edited";
        if all_views {
            add(image, View::Plain, false);
        }
        if all_views && image.joliet != Joliet::Off {
            add(image, View::Joliet, false);
        }
    }
    add(evidence.big_image()?, View::RockRidge, false);
    add(
        &evidence.damaged(evidence.image("default")?)?,
        View::RockRidge,
        true,
    );
    Ok(cases)
}

/// The guest, with a script as its first process.
fn guest(folder: &Path, cases: &[Case]) -> Result<Program, String> {
    let script = folder.join("init");
    fs::create_dir_all(folder.join("mount")).map_err(failed(folder))?;
    fs::write(&script, init_script(folder, cases)?).map_err(failed(&script))?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(failed(&script))?;
    // The guest dies with this program, should that be killed.
    let guest = Program::new("setpriv")
        .args(["--pdeathsig", "KILL", "linux.uml"])
        .args(["mem=384M", "rootfstype=hostfs", "rootflags=/", "rw"])
        .args(["con=null", "con0=null,fd:1", "ssl=null"])
        .arg(format!("uml_dir={}", folder.display()))
        .arg(format!("init={}", script.display()))
        // Its memory is a file there; the usual place is too small in many containers.
        .env("TMPDIR", folder)
        .timeout(TIMEOUT);
    Ok(guest)
}

fn init_script(folder: &Path, cases: &[Case]) -> Result<String, String> {
    let xtask = std::env::current_exe().map_err(failed(Path::new("this program")))?;
    let mut script = format!(
        "#!/bin/sh\n\
         # Mounts each image in each view and walks it; made anew by every run.\n\
         export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8\n\
         mount -t proc proc /proc\n\
         mount -t sysfs sys /sys\n\
         K=/usr/lib/uml/modules/$(uname -r)/kernel\n\
         for m in drivers/cdrom/cdrom fs/isofs/isofs fs/nls/nls_utf8 drivers/block/loop; do\n\
         [ -e $K/$m.ko ] && insmod $K/$m.ko\n\
         done\n\
         dmesg --clear\n\
         cd {}\n\
         look() {{\n\
         L=$(losetup --find --show --read-only \"$1\") || return\n\
         mount -t iso9660 -o \"$2\" $L mount && {} walk mount -o \"$3\"\n\
         umount mount\n\
         losetup --detach $L\n\
         dmesg --read-clear > \"$3.log\"\n\
         }}\n",
        quoted(folder),
        quoted(&xtask),
    );
    for case in cases {
        let (image, listing) = (quoted(&case.image.path), quoted(&case.listing));
        let options = case.view.mount_options();
        let line = writeln!(
            script,
            "look {image} {options} {listing} 2> {listing}.errors"
        );
        line.map_err(|error| error.to_string())?;
    }
    script += "echo > done\nsync\necho o > /proc/sysrq-trigger\nsleep 60\n";
    Ok(script)
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn judge(case: &Case, guest: &Program, report: &mut Report) {
    let name = format!("{} ({:?})", case.image.name, case.view);
    let read = |suffix: &str| {
        let path = format!("{}{suffix}", case.listing.display());
        fs::read_to_string(path).unwrap_or_default()
    };
    let listing = fs::read_to_string(&case.listing).map_err(|_| {
        format!(
            "the kernel could not read it:\n{}{}",
            read(".errors"),
            read(".log")
        )
    });
    let seen = listing.and_then(|text| Walk::parse(&text).map_err(|line| format!("odd: {line}")));
    let seen = match seen {
        Ok(seen) => seen,
        Err(fault) => return report.verdict(&name, guest, Err(fault)),
    };
    let comparison = compare(case, seen);
    if case.is_damaged {
        report.must_differ(&name, guest, &comparison);
    } else {
        report.verdict(&name, guest, no_complaint(&read(".log")));
        report.comparison(&name, guest, &comparison);
    }
}

fn compare(case: &Case, mut seen: Walk) -> Comparison {
    let expected = &case.image.walk;
    match case.view {
        View::RockRidge => {
            let expected = with_counted_links(expected);
            restore_cut_names(&expected, &mut seen);
            let forgiven = [CONTROL_NAMES, CUT_NAMES, TIMES_PAST_2038];
            reburn_tests::compare(&expected, &seen, &forgiven)
        }
        View::Joliet => {
            let limit = if case.image.joliet == Joliet::Long {
                103
            } else {
                64
            };
            let carries = move |path: &[u8]| all_parts(path, |name| joliet_carries(name, limit));
            let forgiven = [tolerances::TOP_FOLDER, TIMES_PAST_2038, DOTS_AT_THE_END];
            reburn_tests::compare_contents(expected, &seen, &carries, &forgiven)
        }
        View::Plain => reburn_tests::compare_contents(expected, &seen, &|_| false, &[]),
    }
}

/// Whether the kernel's log holds nothing but the lines of a mount that went well.
fn no_complaint(log: &str) -> Result<(), String> {
    let usual = [
        "ISO 9660 Extensions: Microsoft Joliet",
        "ISO 9660 Extensions: RRIP_1991A",
        "ISO 9660 Extensions: IEEE_P1282",
        "loop0: detected capacity change",
    ];
    let strange = |line: &&str| !usual.iter().any(|usual| line.contains(usual));
    let complaints: Vec<_> = log.lines().filter(strange).take(20).collect();
    if complaints.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the kernel complains:\n  {}",
        complaints.join("\n  ")
    ))
}

/// The walk with the link counts of folders as POSIX counts them: itself, its name above, and
/// one for each folder in it. File systems differ here.
fn with_counted_links(walk: &Walk) -> Walk {
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

/// Gives names that the kernel has cut off their ends back, where only one name begins so.
fn restore_cut_names(expected: &Walk, seen: &mut Walk) {
    let mut restored = Walk::default();
    for (path, entry) in &seen.entries {
        let mut whole: Vec<u8> = Vec::new();
        for part in path.split(|byte| *byte == b'/') {
            let mut next = whole.clone();
            if !next.is_empty() {
                next.push(b'/');
            }
            let folder = next.len();
            next.extend_from_slice(part);
            if !expected.entries.contains_key(&next) {
                next.splice(
                    folder..,
                    only_long_name(expected, &next).unwrap_or(part.to_vec()),
                );
            }
            whole = next;
        }
        restored.entries.insert(whole, entry.clone());
    }
    *seen = restored;
}

/// The last part of the only expected path that begins with `cut` and ends in a long name.
fn only_long_name(expected: &Walk, cut: &[u8]) -> Option<Vec<u8>> {
    let folder = cut
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    let begins = expected.entries.range(cut.to_vec()..);
    let begins = begins.take_while(|(path, _)| path.starts_with(cut));
    let mut long = begins
        .map(|(path, _)| &path[folder..])
        .filter(|name| name.len() >= CUT_NAME_BYTES && !name.contains(&b'/'));
    let only = long.next()?;
    long.next().is_none().then(|| only.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(paths: &[&str]) -> Walk {
        let line = |path: &&str| format!("folder 0755 0 0 7 1 0 - {path}\n");
        Walk::parse(&paths.iter().map(line).collect::<String>()).unwrap()
    }

    #[test]
    fn cut_names_are_restored_where_they_are_unique() {
        let long = "x".repeat(255);
        let (a, b) = ("y".repeat(254) + "a", "y".repeat(254) + "b");
        let inside = format!("d/{long}/{}", "z".repeat(254));
        let expected = walk(&["d", &format!("d/{long}"), &inside, &a, &b]);
        let (cut, twice) = ("x".repeat(250), "y".repeat(250));
        let cut_inside = format!("d/{cut}/{}", "z".repeat(250));
        let mut seen = walk(&["d", &format!("d/{cut}"), &cut_inside, &twice]);
        restore_cut_names(&expected, &mut seen);
        let paths: Vec<_> = seen
            .entries
            .keys()
            .map(|path| String::from_utf8_lossy(path))
            .collect();
        assert_eq!(paths, ["d", &format!("d/{long}"), &inside, &twice]);
    }

    #[test]
    fn folders_count_the_folders_in_them() {
        let walk = with_counted_links(&walk(&[".", "a", "a/b", "a/c", "a/c/d", "ab"]));
        let links: Vec<_> = walk.entries.values().map(|entry| entry.links).collect();
        assert_eq!(links, [4, 4, 2, 3, 2, 2]);
    }

    #[test]
    fn the_kernels_log_may_say_the_usual_only() {
        let log = "[    1.860000] loop0: detected capacity change from 0 to 20048\n\
                   [    1.900000] ISO 9660 Extensions: RRIP_1991A\n";
        assert_eq!(no_complaint(log), Ok(()));
        let log = "[    1.9] iso9660: Corrupted directory entry in block 1 of inode 2\n";
        assert!(no_complaint(log).is_err());
    }
}
