//! A virtual drive served to other hosts.

use insta::assert_snapshot;

use crate::place::Place;

fn place() -> Place {
    let place = Place::new();
    place.ok(&["drive", "create", "disc", "--media", "dvd-ram"]);
    place
}

#[test]
fn who_could_reach_the_drive_is_asked_for_a_secret() {
    let place = place();
    let serve = ["drive", "serve", "--disc", "disc", "--listen"];
    let fails = |rest: &[&str]| place.fails(&[&serve, rest].concat());
    let (code, said) = fails(&["0.0.0.0:0"]);
    assert_eq!(code, 2);
    assert_snapshot!(
        said,
        @"0.0.0.0:0 is reached by other machines, and everyone on them could write to the disc; add --chap-user and --chap-secret-file, or listen on 127.0.0.1"
    );
    place.write("secret", b"short\n");
    let chap = ["127.0.0.1:0", "--chap-user", "me", "--chap-secret-file"];
    let (code, said) = fails(&[&chap[..], &["secret"]].concat());
    assert_eq!(code, 2);
    assert_snapshot!(said, @"the secret of `me` has 5 bytes; it must have 12 to 255");
    let (code, said) = fails(&[&chap[..], &["none"]].concat());
    assert_eq!(code, 2);
    assert!(said.starts_with("none: "), "{said}");
    let (code, said) = fails(&["127.0.0.1:0", "--name", "drive"]);
    assert_eq!(code, 2);
    assert!(said.contains("`drive` is no name of a target"), "{said}");
}

/// The program says where it listens, and a request to end is the way to stop it.
#[test]
#[cfg(unix)]
fn it_says_where_it_listens_and_ends_when_told_to() {
    use std::io::{BufRead, BufReader, Read};
    use std::net::TcpStream;
    use std::path::Path;
    use std::process::{Command, Stdio};

    let place = place();
    let arguments = [
        "--json",
        "drive",
        "serve",
        "--disc",
        "disc",
        "--listen",
        "127.0.0.1:0",
        "--trace",
        "trace",
    ];
    let mut serve = place.command(Path::new(env!("CARGO_BIN_EXE_reburn")), &arguments);
    let mut serve = serve.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(serve.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["name"], "iqn.2026-11.example.reburn:drive");
    let address = object["address"].as_str().unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    let (code, said_twice) = place.fails(&["drive", "serve", "--disc", "disc"]);
    assert_eq!(code, 2);
    assert!(said_twice.contains("disc"), "{said_twice}");

    let kill = Command::new("kill")
        .args(["-TERM", &serve.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert!(serve.wait().unwrap().success());
    let mut rest = Vec::new();
    assert_eq!(
        connection.read_to_end(&mut rest).unwrap_or(0),
        0,
        "the connection is closed"
    );
    assert!(place.path("trace").exists());
}
