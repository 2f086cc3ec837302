//! What every command makes of every state of a medium: tables, one file a medium, in
//! `tests/transitions`.
//!
//! A table begins with `==`, its title, a colon and the disc: the kind, and `formatted` if it is
//! not as it is sold. Then each command with the figures that the drive answers, and below it
//! how the medium stands: READ DISC INFORMATION, the tracks as READ TRACK INFORMATION shows
//! them (`[start+size flags next writable, free]`, flags as in MMC-6: reserved, blank, packet,
//! fixed packet; D for damaged), the last block as READ CAPACITY counts it, and READ TOC,
//! formats 0 and 1. A line that begins with `?` asks something else, and changes nothing. Lines
//! that begin with `#` are remarks.
//!
//! `UPDATE_TRANSITIONS=1` writes down what the drive does now, to be read and judged.

mod common;

use std::fmt::Write as _;
use std::path::Path;

use common::questions::ask;
use common::ready;
use common::script::{step, summary};
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};

/// A drive with the disc that a title names.
fn drive(title: &str) -> Emulator {
    let (_, disc) = title.rsplit_once(": ").expect("a title names its disc");
    let (kind, formatted) = match disc.strip_suffix(" formatted") {
        Some(kind) => (kind, true),
        None => (disc, false),
    };
    let kind = MediumKind::from_name(kind).expect("a kind of medium");
    ready(if formatted {
        VirtualDisc::formatted(kind)
    } else {
        VirtualDisc::in_memory(kind)
    })
}

/// The table as the drive makes it of the commands in `text`.
fn actual(text: &str) -> String {
    let mut log = String::new();
    let mut current = None;
    for line in text.lines() {
        if line.starts_with("    ") {
            continue; // how the medium stood
        }
        match line.split_once(": ") {
            _ if line.is_empty() || line.starts_with('#') => writeln!(log, "{line}").unwrap(),
            _ if line.starts_with("==") => {
                current = Some(drive(line));
                writeln!(log, "{line}").unwrap();
            }
            command => {
                let command = command.map_or(line, |(command, _)| command);
                let drive = current.as_mut().expect("a title comes first");
                if let Some(question) = command.strip_prefix("? ") {
                    writeln!(log, "{command}: {}", ask(drive, question)).unwrap();
                } else {
                    let answer = step(drive, command);
                    writeln!(log, "{command}: {answer}\n    {}", summary(drive)).unwrap();
                }
            }
        }
    }
    log
}

#[track_caller]
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/transitions")
        .join(name);
    let expected = std::fs::read_to_string(&path).unwrap();
    let actual = actual(&expected);
    if std::env::var_os("UPDATE_TRANSITIONS").is_some() {
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let differs = expected
        .lines()
        .zip(actual.lines())
        .position(|(a, b)| a != b);
    if let Some(line) = differs {
        let show = |text: &str| text.lines().nth(line).unwrap_or_default().to_owned();
        panic!(
            "{name}, line {}:\nexpected {}\nfound    {}",
            line + 1,
            show(&expected),
            show(&actual)
        );
    }
    assert_eq!(expected.lines().count(), actual.lines().count());
}

#[test]
fn dvd_plus_r() {
    check("dvd+r.txt");
}

#[test]
fn bd_r() {
    check("bd-r.txt");
}

#[test]
fn dvd_r() {
    check("dvd-r.txt");
}

#[test]
fn dvd_rw() {
    check("dvd-rw.txt");
}

#[test]
fn cd() {
    check("cd.txt");
}
