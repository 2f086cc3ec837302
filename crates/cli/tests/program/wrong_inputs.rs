//! Wrong inputs: one clear sentence, the right exit code, and the output as it was.

use std::fs;
use std::path::Path;

use crate::place::{Place, failure};

const USAGE: i32 = 2;
const DRIVE: i32 = 3;
const WRONG_DISC: i32 = 4;

/// Runs the program with `out.iso` there already, and checks that it stays as it was.
fn keeps_output(place: &Place, args: &[&str]) -> (i32, String) {
    place.write("out.iso", b"precious");
    let failed = place.fails(args);
    assert_eq!(place.read("out.iso"), b"precious");
    let left: Vec<_> = fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    failed
}

#[test]
fn a_missing_folder() {
    let place = Place::new();
    let (code, said) = keeps_output(&place, &["make", "nowhere", "-o", "out.iso"]);
    assert_eq!(
        (code, said.as_str()),
        (USAGE, "nowhere: No such file or directory (os error 2)")
    );
    let (code, said) = keeps_output(&place, &["make", "src/one.txt", "-o", "out.iso"]);
    assert_eq!(
        (code, said.as_str()),
        (USAGE, "src/one.txt is not a folder")
    );
    let (code, _) = place.fails(&["edit", "disc.iso", "--add", "nowhere"]);
    assert_eq!(code, USAGE);
}

/// Root may read everything, so the program runs as somebody else where it can.
#[cfg(unix)]
#[test]
fn an_unreadable_file() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let place = Place::new();
    let secret = place.path("src/sub/two.bin");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    let args = ["make", "src", "-o", "out/out.iso"];
    let output = if rustix::process::geteuid().is_root() {
        let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777));
        let program = place.path("reburn");
        fs::copy(env!("CARGO_BIN_EXE_reburn"), &program).unwrap();
        fs::create_dir(place.path("out")).unwrap();
        for path in [&place.path("."), &program, &place.path("out")] {
            open(path).unwrap();
        }
        let mut command = place.command(&program, &args);
        command.uid(65534).gid(65534);
        // Another test that starts a program just now may still hold the copy open.
        loop {
            match command.output() {
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                output => break output.unwrap(),
            }
        }
    } else {
        fs::create_dir(place.path("out")).unwrap();
        place.run(&args)
    };
    let (code, said) = failure(&output);
    assert_eq!(code, USAGE);
    assert!(
        said.contains("src/sub/two.bin: cannot be opened: Permission denied"),
        "{said}"
    );
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 0);
}

/// Files of sysfs have a size that reading them never reaches.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_shrinks_while_being_read() {
    let short = "/sys/kernel/uevent_seqnum";
    if fs::metadata(short).map_or(0, |found| found.len()) < 4096 {
        println!("skipped: {short} is not as it is elsewhere");
        return;
    }
    let place = Place::new();
    let args = ["edit", "disc.iso", "--add", short, "--result", "out.iso"];
    let (code, said) = keeps_output(&place, &args);
    assert_eq!(code, USAGE);
    assert!(
        said.contains("/sys/kernel/uevent_seqnum: shrank to"),
        "{said}"
    );
    assert!(said.contains("it had 4096 when it was added"), "{said}");
}

#[test]
fn a_name_that_is_too_long() {
    let place = Place::new();
    let rename = format!("/one.txt=/{}", "n".repeat(256));
    let args = [
        "edit", "disc.iso", "--rename", &rename, "--result", "out.iso",
    ];
    let (code, said) = keeps_output(&place, &args);
    assert_eq!(code, USAGE);
    assert!(
        said.contains("the name has 256 bytes, but readers take at most 255"),
        "{said}"
    );
}

#[test]
fn an_image_that_is_no_disc() {
    let place = Place::new();
    for name in ["src/sub/two.bin", "src", "empty"] {
        place.write("empty", b"");
        let (code, said) = place.fails(&["show", name]);
        assert_eq!(code, USAGE, "{said}");
    }
    place.write("noise", &vec![0xa5; 100_000]);
    let (code, said) = place.fails(&["show", "noise"]);
    assert_eq!(code, USAGE);
    assert!(
        said.contains("no ISO 9660 volume descriptor is here"),
        "{said}"
    );
    let (code, said) = place.fails(&["show", "virtual:disc.iso"]);
    assert_eq!(code, USAGE);
    assert!(said.contains("this file is not a virtual disc"), "{said}");
    let (code, said) = place.fails(&["burn", "noise", "virtual:none"]);
    assert_eq!(code, USAGE);
    assert!(said.contains("--media bd-re"), "{said}");
}

#[test]
fn a_plan_for_another_disc() {
    let place = Place::new();
    place.ok(&["edit", "disc.iso", "--remove", "/one.txt", "-o", "a.plan"]);
    place.write("src/other", b"other");
    place.ok(&["make", "src", "-o", "other.iso"]);
    let before = place.read("other.iso");
    let (code, said) = place.fails(&["burn", "a.plan", "other.iso"]);
    assert_eq!(code, WRONG_DISC, "{said}");
    assert!(said.contains("nothing was recorded"), "{said}");
    assert_eq!(place.read("other.iso"), before);
}

#[test]
fn a_plan_for_another_medium() {
    let place = Place::new();
    place.ok(&["burn", "disc.iso", "virtual:bd", "--media", "bd-re"]);
    place.ok(&["edit", "disc.iso", "--remove", "/one.txt", "-o", "a.plan"]);
    let (code, said) = place.fails(&["burn", "a.plan", "virtual:bd"]);
    assert_eq!(code, DRIVE, "{said}");
    assert!(
        said.contains("make the plan for this kind of medium"),
        "{said}"
    );
}

#[test]
fn a_damaged_plan() {
    let place = Place::new();
    place.ok(&["edit", "disc.iso", "--add", "src/sub", "-o", "a.plan"]);
    let mut plan = place.read("a.plan");
    let last_block = plan.len() - 1000;
    plan[last_block] ^= 1;
    place.write("a.plan", &plan);
    let before = place.read("disc.iso");
    let (code, said) = place.fails(&["burn", "a.plan", "disc.iso"]);
    assert_eq!(code, USAGE);
    assert!(said.contains("the plan is damaged"), "{said}");
    assert_eq!(place.read("disc.iso"), before);
}

#[test]
fn a_full_disc() {
    let place = Place::new();
    place.sparse("src/huge", 5_000_000_000);
    let args = ["make", "src", "-o", "out.iso", "--media", "dvd+rw"];
    let (code, said) = keeps_output(&place, &args);
    assert_eq!(code, USAGE);
    assert!(
        said.contains("what is to be recorded needs 4.7 GiB, and dvd+rw has 4.4 GiB free"),
        "{said}"
    );

    // An image made for a file does not fit on every disc either.
    place.sparse("large.iso", 4_800_000_000);
    let (code, said) = place.fails(&["burn", "large.iso", "virtual:dvd", "--media", "dvd+rw"]);
    assert_eq!(code, DRIVE, "{said}");
    assert!(said.contains("nothing was recorded"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_read_only_drive() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.ok(&["edit", "disc.iso", "--remove", "/one.txt", "-o", "a.plan"]);
    let read_only = fs::Permissions::from_mode(0o444);
    fs::set_permissions(place.path("disc.iso"), read_only).unwrap();
    let before = place.read("disc.iso");
    let (code, said) = place.fails(&["burn", "a.plan", "disc.iso"]);
    assert_eq!(code, DRIVE);
    assert!(said.contains("write-protected"), "{said}");
    assert_eq!(place.read("disc.iso"), before);
}

#[test]
fn files_are_never_overwritten_by_get() {
    let place = Place::new();
    place.write("to/one.txt", b"mine");
    let (code, said) = place.fails(&["get", "disc.iso", "-o", "to"]);
    assert_eq!(code, USAGE);
    assert!(said.contains("to/one.txt"), "{said}");
    assert_eq!(place.read("to/one.txt"), b"mine");
}

#[test]
fn paths_that_are_not_there() {
    let place = Place::new();
    let (code, said) = place.fails(&["show", "disc.iso", "/three"]);
    assert_eq!(code, USAGE);
    assert!(
        said.contains("`reburn show disc.iso` lists what it has"),
        "{said}"
    );
    let (code, said) = keeps_output(
        &place,
        &[
            "edit", "disc.iso", "--remove", "/three", "--result", "out.iso",
        ],
    );
    assert_eq!(
        (code, said.as_str()),
        (USAGE, "/three does not exist in the tree")
    );
}
