//! The commands that README.md shows are run, one after the other, in a folder where the
//! files that they speak of exist.

use std::fs;
use std::path::Path;

use crate::command::Program;
use crate::tidy::shown_commands;
use crate::workspace;

/// Files that the reader of README.md is taken to have.
const FILES: [(&str, usize); 4] = [
    ("photos/2023/beach.jpg", 70_000),
    ("photos/2024/hills.jpg", 120_000),
    ("photos/notes.txt", 300),
    ("new.jpg", 90_000),
];

/// Another image, made as the reader might have made it.
const OTHER_IMAGE: &str = "reburn make photos -o other.iso --volume OTHER";

/// Runs every shown command but those of cargo, which would run this very job.
pub fn run() -> Result<String, String> {
    let path = workspace::root().join("README.md");
    let text = fs::read_to_string(&path).map_err(|error| format!("README.md: {error}"))?;
    let program = workspace::build_reburn()?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (name, bytes) in FILES {
        let made = make_file(&folder.path().join(name), bytes);
        made.map_err(|error| format!("{name}: {error}"))?;
    }
    let programs = program.parent().unwrap_or(Path::new("."));
    let search = std::env::var_os("PATH").unwrap_or_default();
    let search = std::env::split_paths(&search);
    let search = std::env::join_paths(std::iter::once(programs.to_path_buf()).chain(search))
        .map_err(|error| error.to_string())?;
    let run = |command: &str| {
        let shell = Program::new("sh").args(["-c", command]);
        let shell = shell.current_dir(folder.path()).env("PATH", &search);
        let output = shell.capture()?;
        // One means that there is something to report, as two images that differ.
        if output.status.and_then(|status| status.code()) == Some(1) {
            return Ok(());
        }
        output.require_success(&shell).map(|_| ())
    };
    run(OTHER_IMAGE)?;
    let mut count = 0;
    for shown in shown_commands(&text) {
        if shown.words[0] != "cargo" {
            let done = run(&shown.words.join(" "));
            done.map_err(|error| format!("README.md:{}: {error}", shown.line))?;
            count += 1;
        }
    }
    if count == 0 {
        return Err("README.md shows no command that could be run".to_owned());
    }
    Ok(format!("{count} commands"))
}

fn make_file(path: &Path, bytes: usize) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let content: Vec<u8> = (0..=250).cycle().take(bytes).collect();
    fs::write(path, content)
}
