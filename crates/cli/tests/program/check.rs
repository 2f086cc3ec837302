//! `check`: what a person sees of a disc that was cut or scratched, and of one that was mended.

use insta::assert_snapshot;
use serde_json::Value;

use crate::place::Place;

const BLOCK: usize = 2048;

/// The image with a block that has nonsense in it.
fn scratch(place: &Place, disc: &str, lba: usize) -> Vec<u8> {
    let whole = place.read(disc);
    let mut scratched = whole.clone();
    scratched[lba * BLOCK..(lba + 1) * BLOCK].fill(0xee);
    place.write(disc, &scratched);
    whole
}

/// Adds a file, and records the plan.
fn edit(place: &Place, disc: &str, name: &str, time: &str) {
    place.write(name, name.as_bytes());
    place.ok(&["edit", disc, "--add", name, "-o", "a.plan", "--time", time]);
    place.ok(&["burn", "a.plan", disc]);
}

#[test]
fn a_disc_that_nothing_is_wrong_with() {
    let place = Place::new();
    let said = place.ok(&["check", "disc.iso"]);
    assert_snapshot!(said, @"
    ISO 9660  shows REBURN, session 1, of 2023-11-14 22:13:20, 2 names of files, 2 folders
    whole     nothing is wrong
    ");
    let said = place.ok(&["check", "disc.iso", "--read-all", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["whole"], true);
    assert_eq!(
        place.ok(&["check", "disc.iso", "--repair"]).lines().count(),
        2
    );
}

#[test]
fn a_torn_head_is_brought_back() {
    let place = Place::new();
    edit(&place, "disc.iso", "new", "1700000100");
    let whole = scratch(&place, "disc.iso", 16);
    let output = place.run(&["check", "disc.iso"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("session 2 is whole (a repair mends it)"),
        "{said}"
    );
    assert!(
        said.ends_with("`reburn check disc.iso --repair` mends 1\n"),
        "{said}"
    );
    let (code, said) = place.fails(&["edit", "disc.iso", "--remove", "/new"]);
    assert_eq!(code, 2);
    assert!(said.contains("`reburn check --repair`"), "{said}");
    let said = place.ok(&["check", "disc.iso", "--repair"]);
    assert!(
        said.contains("disc.iso: recorded 1 blocks in 1 epoch"),
        "{said}"
    );
    assert!(said.ends_with("whole     nothing is wrong\n"), "{said}");
    assert!(place.read("disc.iso") == whole);
}

#[test]
fn a_virtual_disc_is_repaired_in_whole_write_units() {
    let place = Place::new();
    place.ok(&[
        "make", "src", "-o", "disc.udf", "--fs", "udf", "--media", "bd-re",
    ]);
    place.ok(&["burn", "disc.udf", "virtual:bd", "--media", "bd-re"]);
    let said = place.ok(&["check", "virtual:bd"]);
    assert!(said.starts_with("UDF       shows REBURN, of "), "{said}");
    let (code, said) = place.fails(&["show", "virtual:bd", "--session", "1"]);
    assert_eq!(code, 2);
    assert!(said.contains("UDF has its present state only"), "{said}");
}

#[test]
fn older_sessions_are_shown_and_made_current() {
    let place = Place::new();
    edit(&place, "disc.iso", "second", "1700000100");
    edit(&place, "disc.iso", "third", "1700000200");
    let shown = place.ok(&["show", "disc.iso"]);
    let line = shown.lines().find(|line| line.starts_with("sessions"));
    assert!(
        line.unwrap()
            .starts_with("sessions  1 at block 32, 2 at block "),
        "{shown}"
    );
    assert_eq!(line.unwrap().matches(" at block ").count(), 3, "{shown}");
    let has = |session: &str, name: &str| {
        let args = ["show", "disc.iso", "--session", session, "-r", "/"];
        place.ok(&args).contains(name)
    };
    assert!(
        !has("1", "/second") && has("2", "/second") && !has("2", "/third") && has("3", "/third")
    );
    place.ok(&["get", "disc.iso", "--session", "1", "-o", "first"]);
    assert!(place.path("first/one.txt").exists() && !place.path("first/second").exists());
    let (code, said) = place.fails(&["show", "disc.iso", "--session", "4"]);
    assert_eq!(code, 2);
    assert!(
        said.contains("session 4 cannot be shown: the disc lists no such session"),
        "{said}"
    );

    let said = place.ok(&["check", "disc.iso", "--repair", "--session", "2"]);
    assert!(said.contains("session 2 is shown now"), "{said}");
    let shown = place.ok(&["show", "disc.iso", "-r", "/"]);
    assert!(
        shown.contains("/second") && !shown.contains("/third"),
        "{shown}"
    );
    edit(&place, "disc.iso", "fourth", "1700000300");
    assert!(has("3", "/fourth") && !has("3", "/third"));
    place.ok(&["check", "disc.iso", "--read-all"]);
}

#[test]
fn what_no_repair_mends_stays_a_finding() {
    let place = Place::new();
    let shown = place.ok(&["show", "disc.iso", "--records"]);
    assert!(shown.contains("block 16"));
    // The root directory of the one session.
    let root = place.read("disc.iso");
    let at = 16 * BLOCK + 156 + 2;
    let root = u32::from_le_bytes(root[at..at + 4].try_into().unwrap());
    scratch(&place, "disc.iso", root as usize);
    let output = place.run(&["check", "disc.iso", "--repair"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("of which no repair mends any"), "{said}");
}
