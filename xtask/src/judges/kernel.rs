//! The Linux kernel's own reader of ISO 9660: one boot mounts every image, in every tree, and
//! walks it.

use std::path::{Path, PathBuf};

use reburn_tests::{Aspect, Comparison, Kind, Tolerance, Walk};

use super::evidence::{Evidence, Image, Joliet};
use super::guest::{self, Guest, Mount};
use super::names::{all_parts, joliet_carries};
use super::report::Report;
use super::{Judge, tolerances};
use crate::command::Program;

pub const JUDGE: Judge = Judge {
    name: "kernel",
    proves: "the Linux kernel mounts the Rock Ridge, Joliet and plain trees and reads all files",
    needs: &guest::NEEDS,
    optional: false,
    run,
};

/// What the kernel logs of a mount that went well.
const USUAL: [&str; 3] = [
    "ISO 9660 Extensions: Microsoft Joliet",
    "ISO 9660 Extensions: RRIP_1991A",
    "ISO 9660 Extensions: IEEE_P1282",
];

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
    /// Where the guest puts its listing.
    listing: PathBuf,
}

impl Case {
    fn mount(&self) -> Mount {
        Mount {
            image: self.image.path.clone(),
            file_system: "iso9660",
            options: self.view.mount_options().to_owned(),
            fill: None,
            sector_bytes: 2048,
            look: None,
            listing: self.listing.clone(),
        }
    }
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("kernel")?;
    let cases = cases(evidence, &folder)?;
    let mounts: Vec<_> = cases.iter().map(Case::mount).collect();
    let modules = ["drivers/cdrom/cdrom", "fs/isofs/isofs"];
    let guest = Guest::new(&folder, &modules, &mounts)?;
    guest.run()?;
    for case in &cases {
        judge(case, guest.replay(), report);
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

fn judge(case: &Case, replay: &Program, report: &mut Report) {
    let name = format!("{} ({:?})", case.image.name, case.view);
    let seen = match guest::seen(&case.listing) {
        Ok(seen) => seen,
        Err(fault) => return report.verdict(&name, replay, Err(fault)),
    };
    let comparison = compare(case, seen);
    if case.is_damaged {
        report.must_differ(&name, replay, &comparison);
    } else {
        let log = guest::log(&case.listing);
        report.verdict(&name, replay, guest::no_complaint(&log, &USUAL));
        report.comparison(&name, replay, &comparison);
    }
}

fn compare(case: &Case, mut seen: Walk) -> Comparison {
    let expected = &case.image.walk;
    match case.view {
        View::RockRidge => {
            let expected = guest::with_counted_links(expected);
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
}
