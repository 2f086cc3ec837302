//! The commands of the README, run as they stand there.

use std::fs;

use crate::place::Place;

const README: &str = include_str!("../../../../README.md");

/// Each `$ ` line runs; lines below it are the beginning of what it prints.
#[test]
fn commands_do_what_the_readme_shows() {
    let place = Place::new();
    for number in 1..=3 {
        place.write(&format!("photos/{number}.jpg"), &vec![number; 90_000]);
    }
    place.write("new.jpg", &vec![9; 40_000]);
    place.write("other/x", b"y");
    place.ok(&["make", "other", "-o", "other.iso"]);
    let commands = README
        .split("```console\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let mut printed = String::new();
    let mut run = 0;
    for line in commands.unwrap().lines() {
        let Some(command) = line.strip_prefix("$ ") else {
            assert!(
                printed.starts_with(line),
                "the README shows {line:?}, but it is {printed}"
            );
            continue;
        };
        let command = command.split(" #").next().unwrap_or(command);
        let words: Vec<_> = command.split_whitespace().collect();
        printed = match words[0] {
            "cp" => {
                fs::copy(place.path(words[1]), place.path("photos/new.jpg")).unwrap();
                String::new()
            }
            "reburn" => {
                let output = place.run(&words[1..]);
                let code = output.status.code();
                let differs = words[1] == "diff" && code == Some(1);
                assert!(code == Some(0) || differs, "{command} failed");
                run += 1;
                String::from_utf8(output.stdout).unwrap()
            }
            other => panic!("the README runs {other}"),
        };
    }
    assert!(run >= 7, "only {run} commands were found in the README");
}
