//! Help texts, so that a change to them is seen.

use insta::assert_snapshot;

use crate::place::Place;

#[test]
fn the_program() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["--help"]));
}

#[test]
fn make() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["make", "-h"]));
}

#[test]
fn show() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["show", "-h"]));
}

#[test]
fn edit() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["edit", "-h"]));
}

#[test]
fn check() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["check", "-h"]));
}

#[test]
fn get() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["get", "-h"]));
}

#[test]
fn burn() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["burn", "-h"]));
}

#[test]
fn rehearse() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["rehearse", "-h"]));
}

#[test]
fn drive() {
    let place = Place::new();
    assert_snapshot!(place.ok(&["drive", "-h"]));
}
