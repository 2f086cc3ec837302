//! Discs that are recorded once, session by session.

use std::fs;

use serde_json::Value;

use crate::place::Place;

const MEDIA: [&str; 5] = ["dvd-r", "dvd-rw", "dvd+r", "dvd+r-dl", "bd-r"];

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Makes a disc of a folder, then has it follow the folder twice, and gets it back each time.
fn follow(media: &str, fs_flags: &[&str]) {
    let place = Place::new();
    let disc = "virtual:once";
    let make = ["make", "src", "-o", "first.img", "--media", media];
    place.ok(&[&make[..], fs_flags].concat());
    place.ok(&["burn", "first.img", disc, "--media", media]);
    for round in 1..=2u8 {
        place.write("src/one.txt", &[round; 5000]);
        place.write(&format!("src/new {round}"), &vec![round; 70_000]);
        let sync = ["--sync", "src", "--compare", "content", "-o", "a.plan"];
        place.ok(&[&["edit", disc][..], &sync].concat());
        let burned = json(&place.ok(&["burn", "a.plan", disc, "--json"]));
        assert_eq!(burned["recorded"], burned["verified"], "{media}");
        assert_eq!(burned["closed"], true, "{media}");
        let copy = format!("copy {round}");
        place.ok(&["get", disc, "-o", &copy]);
        for name in ["one.txt", "new 1", "sub/two.bin"] {
            let (is, shall) = (format!("{copy}/{name}"), format!("src/{name}"));
            assert_eq!(place.read(&is), place.read(&shall), "{media} {name}");
        }
        let nothing = place.ok(&[&["edit", disc][..], &sync].concat());
        assert!(nothing.contains("nothing to record"), "{nothing}");
        fs::remove_file(place.path("a.plan")).unwrap();
    }
}

#[test]
fn an_iso_9660_disc_follows_a_folder_in_sessions() {
    for media in MEDIA {
        follow(media, &[]);
    }
}

#[test]
fn a_udf_disc_follows_a_folder_by_new_tables() {
    for (media, fs) in MEDIA
        .into_iter()
        .zip(["udf-1.50", "udf-2.00", "udf-2.01", "udf-2.50", "udf-2.60"])
    {
        follow(media, &["--fs", fs]);
    }
}

#[test]
fn older_sessions_can_still_be_read() {
    let place = Place::new();
    place.ok(&["burn", "disc.iso", "virtual:once", "--media", "dvd+r"]);
    place.write("src/one.txt", b"changed");
    let sync = ["--sync", "src", "--compare", "content", "-o", "a.plan"];
    place.ok(&[&["edit", "virtual:once"][..], &sync].concat());
    place.ok(&["burn", "a.plan", "virtual:once"]);
    let shown = place.ok(&["show", "virtual:once"]);
    assert!(
        shown.contains("sessions  1 at block 32, 2 at block"),
        "{shown}"
    );
    place.ok(&["get", "virtual:once", "--session", "1", "-o", "old"]);
    place.ok(&["get", "virtual:once", "-o", "new"]);
    assert_ne!(place.read("old/one.txt"), place.read("new/one.txt"));
    assert_eq!(place.read("new/one.txt"), b"changed");
}

#[test]
fn a_session_is_left_open_closed_and_closed_for_good() {
    let place = Place::new();
    let burn = ["burn", "disc.iso", "virtual:once", "--media", "bd-r"];
    place.ok(&[&burn[..], &["--close", "leave-open"]].concat());
    let (code, refused) = place.fails(&["edit", "virtual:once", "--remove", "one.txt"]);
    assert_eq!(code, 2, "{refused}");
    assert!(refused.contains("still open"), "{refused}");
    let closed = place.ok(&["drive", "close", "virtual:once"]);
    assert!(
        closed.contains("1 closed session, the next one begins at block"),
        "{closed}"
    );
    place.ok(&[
        "edit",
        "virtual:once",
        "--remove",
        "one.txt",
        "-o",
        "a.plan",
    ]);
    place.ok(&["burn", "a.plan", "virtual:once", "--close", "finalise"]);
    let (code, refused) = place.fails(&["edit", "virtual:once", "--remove", "sub"]);
    assert_eq!(code, 3, "{refused}");
    assert!(refused.contains("closed for good"), "{refused}");
}

#[test]
fn discs_are_tested_blanked_and_formatted() {
    let place = Place::new();
    let burn = ["burn", "disc.iso", "virtual:rw", "--media", "dvd-rw"];
    let tested = place.ok(&[&burn[..], &["--simulate"]].concat());
    assert!(tested.contains("with the laser off"), "{tested}");
    place.ok(&burn);
    let blanked = place.ok(&["drive", "blank", "virtual:rw", "--full"]);
    assert!(blanked.contains("blank"), "{blanked}");
    place.ok(&burn);
    let formatted = place.ok(&["drive", "format", "virtual:rw"]);
    assert!(formatted.contains("restricted overwrite"), "{formatted}");
    place.ok(&burn);
    // Overwritten now: an edit is a head swap.
    place.ok(&["edit", "virtual:rw", "--remove", "one.txt", "-o", "a.plan"]);
    let burned = json(&place.ok(&["burn", "a.plan", "virtual:rw", "--json"]));
    assert_eq!(burned["epochs"], 2);
    let (code, refused) = place.fails(&["drive", "blank", "virtual:rw2"]);
    assert_eq!(code, 2, "{refused}");
    assert!(refused.contains("does not exist"), "{refused}");
}
