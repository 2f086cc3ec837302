//! What a person does with the program, from a folder to a changed disc.

use std::fs;

use crate::place::Place;
use serde_json::Value;

/// Every medium: make, burn, edit, burn only the change, get it back.
#[test]
fn a_disc_follows_a_folder() {
    for medium in ["file", "dvd+rw", "dvd-ram", "bd-re"] {
        let place = Place::new();
        let disc = if medium == "file" {
            "burned.iso"
        } else {
            "virtual:disc"
        };
        place.ok(&["burn", "disc.iso", disc, "--media", medium]);
        place.write("src/one.txt", b"changed");
        place.write("src/three", &vec![3; 70_000]);
        fs::remove_file(place.path("src/sub/two.bin")).unwrap();
        place.ok(&[
            "edit",
            disc,
            "--sync",
            "src",
            "--compare",
            "content",
            "-o",
            "a.plan",
        ]);
        let burned = place.ok(&["burn", "a.plan", disc, "--json"]);
        let burned: Value = serde_json::from_str(&burned).unwrap();
        assert_eq!(burned["epochs"], 2, "{medium}");
        assert_eq!(burned["recorded"], burned["verified"], "{medium}");
        place.ok(&["get", disc, "-o", "copy"]);
        assert_eq!(place.read("copy/one.txt"), b"changed");
        assert_eq!(place.read("copy/three"), vec![3; 70_000]);
        assert!(!place.path("copy/sub/two.bin").exists());
        let nothing = place.ok(&["edit", disc, "--sync", "src"]);
        assert_eq!(
            nothing,
            "nothing to record: the disc already has what it shall have\n"
        );
    }
}

#[test]
fn a_fixed_time_makes_images_the_same() {
    let place = Place::new();
    let make = |output: &str, extra: &[&str]| {
        place.ok(&[&["make", "src", "-o", output][..], extra].concat());
        place.read(output)
    };
    let first = make("a.iso", &["--time", "1600000000"]);
    // Files unpacked at another time, later than the fixed one, make no difference.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(1000);
    let file = fs::File::options()
        .write(true)
        .open(place.path("src/one.txt"))
        .unwrap();
    file.set_modified(later).unwrap();
    assert_eq!(make("b.iso", &["--time", "2020-09-13T12:26:40Z"]), first);

    let program = std::path::Path::new(env!("CARGO_BIN_EXE_reburn"));
    let mut command = place.command(program, &["make", "src", "-o", "c.iso"]);
    assert!(
        command
            .env("SOURCE_DATE_EPOCH", "1600000000")
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(place.read("c.iso"), first);
    assert_ne!(make("d.iso", &["--time", "1600000001"]), first);
}

#[test]
fn an_image_in_its_own_folder_is_left_out() {
    let place = Place::new();
    let make = ["make", "src", "-o", "src/self.iso", "--time", "1700000000"];
    place.ok(&make);
    let first = place.read("src/self.iso");
    place.ok(&make);
    assert!(
        place.read("src/self.iso") == first,
        "the image took itself in"
    );
}

#[test]
fn a_result_is_what_its_plan_makes_of_the_disc() {
    let place = Place::new();
    let edit = [
        "edit",
        "disc.iso",
        "--add",
        "src/sub=/again",
        "--time",
        "1700000100",
    ];
    place.ok(&[&edit[..], &["-o", "a.plan", "--result", "result.iso"]].concat());
    place.ok(&["burn", "a.plan", "disc.iso", "--verify", "recorded"]);
    assert_eq!(place.read("disc.iso"), place.read("result.iso"));
    assert_eq!(
        place.run(&["diff", "disc.iso", "result.iso"]).status.code(),
        Some(0)
    );
}

#[test]
fn a_difference_turns_one_image_into_the_other() {
    let place = Place::new();
    place.write("src/new", &[9; 9000]);
    place.ok(&["make", "src", "-o", "new.iso"]);
    let diff = place.run(&["diff", "disc.iso", "new.iso", "-o", "d.plan", "--json"]);
    assert_eq!(diff.status.code(), Some(1), "they differ");
    let diff: Value = serde_json::from_slice(&diff.stdout).unwrap();
    assert_eq!(diff["protocol"], "difference");
    assert_eq!(diff["class"], "none");
    place.ok(&["burn", "d.plan", "disc.iso"]);
    assert_eq!(place.read("disc.iso"), place.read("new.iso"));
}

#[test]
fn modified_blocks_come_as_json() {
    let place = Place::new();
    let plan = place.ok(&[
        "edit", "disc.iso", "--remove", "/sub", "--media", "bd-re", "--json",
    ]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["write_unit"], 32);
    assert_eq!(plan["class"], "recoverable");
    let epochs = plan["epochs"].as_array().unwrap();
    assert_eq!(epochs[0]["role"], "shadow");
    assert_eq!(epochs[1]["ranges"], serde_json::json!([[0, 31]]));
    assert_eq!(plan["modified_blocks"], 64);
}

#[test]
fn rename_keeps_the_data_where_it_is() {
    let place = Place::new();
    let extents = |path: &str| {
        let shown = place.ok(&["show", "disc.iso", path, "--json"]);
        serde_json::from_str::<Value>(&shown).unwrap()["extents"].clone()
    };
    let before = extents("/sub/two.bin");
    place.ok(&[
        "edit",
        "disc.iso",
        "--rename",
        "/sub/two.bin=/moved.bin",
        "-o",
        "a.plan",
    ]);
    place.ok(&["burn", "a.plan", "disc.iso"]);
    assert_eq!(extents("/moved.bin"), before);
}

/// In place, each changed block goes over what it replaces, and the program says what that risks.
#[test]
fn an_edit_in_place_is_the_fewest_blocks() {
    let place = Place::new();
    place.write("src/large", &vec![5; 40_000]);
    place.ok(&["make", "src", "-o", "disc.udf", "--fs", "udf"]);
    let edit = ["edit", "disc.udf", "--remove", "sub/two.bin"];
    let plan = place.ok(&[&edit[..], &["--in-place", "-o", "in.plan"]].concat());
    assert!(plan.contains("neither the old files nor the new ones (class none)"));
    let json = |extra: &[&str]| -> Value {
        let printed = place.ok(&[&edit[..], &["--json"], extra].concat());
        serde_json::from_str(&printed).unwrap()
    };
    let blocks = |plan: &Value| plan["modified_blocks"].as_u64().unwrap();
    let (safe, in_place) = (json(&[]), json(&["--in-place"]));
    assert_eq!(in_place["protocol"], "in place");
    assert!(blocks(&in_place) < blocks(&safe));
    place.ok(&["burn", "in.plan", "disc.udf"]);
    fs::remove_file(place.path("src/sub/two.bin")).unwrap();
    place.ok(&["get", "disc.udf", "-o", "copy"]);
    assert_eq!(place.read("copy/large"), vec![5; 40_000]);
    assert!(!place.path("copy/sub/two.bin").exists());
    // ISO 9660 is refused, with a way out.
    let (code, said) = place.fails(&["edit", "disc.iso", "--remove", "one.txt", "--in-place"]);
    assert_eq!(code, 2);
    assert!(said.contains("leave in place out"), "{said}");
}
