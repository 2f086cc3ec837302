//! Digests of files, as `sha256sum` prints them in a guest and on the host.

use std::collections::BTreeMap;
use std::path::Path;

use crate::command::Program;

/// Digests of files by their paths.
pub type Digests = BTreeMap<String, String>;

/// What `sha256sum` printed, whatever stands between its lines.
pub fn parse_digests(said: &str) -> Digests {
    let lines = said.lines().filter_map(|line| line.split_once("  ./"));
    let digests = lines.filter(|(digest, _)| digest.len() == 64);
    digests
        .map(|(digest, path)| (path.to_owned(), digest.to_owned()))
        .collect()
}

/// Digests of the files in a folder of the host.
pub fn digests(folder: &Path) -> Result<Digests, String> {
    let find = Program::new("find")
        .args([".", "-type", "f", "-exec", "sha256sum", "{}", ";"])
        .current_dir(folder);
    let said = find.capture()?.require_success(&find)?.stdout_text();
    Ok(parse_digests(&said))
}

pub fn same(seen: &Digests, expected: &Digests) -> Result<(), String> {
    let paths = expected.keys().chain(seen.keys());
    match paths
        .into_iter()
        .find(|path| seen.get(*path) != expected.get(*path))
    {
        None => Ok(()),
        Some(path) => Err(match (seen.get(path), expected.get(path)) {
            (None, _) => format!("`{path}` is missing"),
            (_, None) => format!("`{path}` should not be there"),
            _ => format!("`{path}` has other bytes"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_that_differ_are_named() {
        let line = |letter: &str, path: &str| format!("{}  ./{path}\n", letter.repeat(64));
        let expected = parse_digests(&(line("a", "x/y z") + &line("b", "q")));
        let same_but = |text: String| same(&parse_digests(&text), &expected);
        assert_eq!(
            same_but(line("b", "q") + "noise  ./x\n" + &line("a", "x/y z")),
            Ok(())
        );
        let missing = same_but(line("b", "q")).unwrap_err();
        assert_eq!(missing, "`x/y z` is missing");
        let other = same_but(line("c", "q") + &line("a", "x/y z")).unwrap_err();
        assert_eq!(other, "`q` has other bytes");
    }
}
