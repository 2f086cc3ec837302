//! Cutting the power of a recording that never happens.

use serde_json::Value;

use crate::place::Place;

/// A disc, and a plan for it.
fn planned(fs: &str, disc: &str, medium: &str) -> Place {
    let place = Place::new();
    place.ok(&["make", "src", "-o", "fs.iso", "--fs", fs, "--media", medium]);
    if disc == "virtual:disc" {
        place.ok(&["burn", "fs.iso", disc, "--media", medium]);
    }
    place.write("new", &[7; 9000]);
    place.ok(&[
        "edit", disc, "--add", "new", "-o", "a.plan", "--media", medium,
    ]);
    place
}

#[test]
fn a_mirror_flip_needs_no_repair() {
    let place = planned("udf", "virtual:disc", "dvd+rw");
    let before = place.read("disc");
    let said = place.ok(&["rehearse", "a.plan", "virtual:disc"]);
    assert!(said.starts_with("mirror flip, atomic: "), "{said}");
    assert!(said.contains(" leave the old files\n") && said.contains(" leave the new files\n"));
    assert!(!said.contains("need repair"), "{said}");
    assert!(place.read("disc") == before, "the disc stays as it is");
}

#[test]
fn a_head_swap_needs_repair_where_the_head_is_torn() {
    for disc in ["virtual:disc", "fs.iso"] {
        let medium = if disc == "fs.iso" { "file" } else { "dvd+rw" };
        let place = planned("iso", disc, medium);
        let said = place.ok(&["rehearse", "a.plan", disc, "--json"]);
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(report["class"], "recoverable", "{disc}");
        assert_eq!(report["other"], 0, "{disc}");
        assert_eq!(report["violations"].as_array().unwrap().len(), 0, "{said}");
        assert!(report["needs_repair"].as_u64().unwrap() > 0, "{said}");
        assert!(report["repairs"].as_u64().unwrap() > 0, "{said}");
    }
}

#[test]
fn another_disc_is_refused() {
    let place = planned("iso", "fs.iso", "file");
    place.write("src/more", b"more");
    place.ok(&["make", "src", "-o", "fs.iso"]);
    let (code, said) = place.fails(&["rehearse", "a.plan", "fs.iso"]);
    assert_eq!(code, 4, "{said}");
    assert!(
        said.contains("not those of the disc that the plan was made for"),
        "{said}"
    );
    let (code, _) = place.fails(&["rehearse", "fs.iso", "fs.iso"]);
    assert_eq!(code, 2);
}
