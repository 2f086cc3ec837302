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

/// Programs see the drive, and what they start too; `None` where the system does not allow it.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn run_with_drive(place: &Place, script: &str) -> Option<std::process::Output> {
    let run = [
        "drive", "run", "--disc", "disc", "--trace", "trace", "--", "sh", "-c", script,
    ];
    let output = place.run(&run);
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("this system does not let") && std::env::var_os("CI").is_none() {
        println!("skipped: {said}");
        return None;
    }
    Some(output)
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn a_program_reads_and_writes_the_drive_as_a_block_device() {
    let place = Place::new();
    place.ok(&["drive", "create", "disc", "--media", "dvd-ram"]);
    let script = "test -b /dev/sr0 && cd /dev && test -r sr0 && test ! -e sr1 \
                  && exec 3<>/dev/sr0 4</dev/sr0 \
                  && printf 'over and out' >&3 && sync /dev/fd/3 \
                  && (dd bs=1 skip=9 count=3 2>/dev/null <&4 | grep out)";
    let Some(output) = run_with_drive(&place, script) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(output.stdout, b"out\n");
    assert!(
        String::from_utf8(place.read("trace"))
            .unwrap()
            .contains("WRITE (10): 2a")
    );
}

#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn a_program_ends_as_it_ends() {
    let place = Place::new();
    place.ok(&["drive", "create", "disc", "--media", "dvd+rw"]);
    for (script, code) in [
        ("exit 7", 7),
        ("kill -KILL $$", 137),
        ("(exit 3) | true", 0),
    ] {
        if let Some(output) = run_with_drive(&place, script) {
            assert_eq!(output.status.code(), Some(code), "{script}");
        }
    }
    // A DVD+RW that is not formatted has no room.
    let Some(output) = run_with_drive(&place, "echo x >/dev/sr0") else {
        return;
    };
    assert!(!output.status.success());
    let (code, said) = place.fails(&["drive", "run", "--disc", "disc", "--", "no-such-program"]);
    assert_eq!(code, 2);
    assert!(
        said.starts_with("no-such-program did not start: "),
        "{said}"
    );
    let relative = [
        "drive", "run", "--disc", "disc", "--device", "sr0", "--", "true",
    ];
    assert!(place.fails(&relative).1.contains("no absolute path"));
}

/// The program itself, on a drive that it reaches by SG_IO.
#[test]
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn reburn_records_and_reads_a_drive_of_the_system() {
    let place = Place::new();
    place.ok(&["make", "src", "-o", "disc.iso", "--media", "dvd+rw"]);
    place.ok(&["drive", "create", "disc", "--media", "dvd+rw"]);
    let program = env!("CARGO_BIN_EXE_reburn");
    let script = format!("{program} burn disc.iso /dev/sr0 && {program} show -r /dev/sr0");
    let Some(output) = run_with_drive(&place, &script) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(shown.contains("/sub/two.bin"), "{shown}");
    place.write("src/one.txt", b"changed");
    let script = format!(
        "{program} edit /dev/sr0 --sync src --compare content -o a.plan \
         && {program} burn a.plan /dev/sr0 && {program} get /dev/sr0 -o copy"
    );
    let output = run_with_drive(&place, &script).unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(place.read("copy/one.txt"), b"changed");
    let output = run_with_drive(&place, &format!("{program} show /dev/sr1")).unwrap();
    assert_eq!(output.status.code(), Some(2), "there is one drive only");
}
