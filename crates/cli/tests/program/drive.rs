//! Virtual drives and discs.

use insta::assert_snapshot;

use crate::place::Place;

#[test]
fn a_disc_is_made_once() {
    let place = Place::new();
    let said = place.ok(&["drive", "create", "disc", "--media", "bd-re"]);
    assert_snapshot!(said, @"disc: a new bd-re, up to 11826176 blocks");
    let (code, said) = place.fails(&["drive", "create", "disc", "--media", "dvd-ram"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("disc"), "{said}");
    let output = place.run(&["drive", "create", "other", "--media", "laserdisc"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("known media are"), "{said}");
    assert!(!place.path("other").exists());
}
