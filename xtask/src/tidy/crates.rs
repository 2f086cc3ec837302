//! Which crate may use which, what every crate must have, and whether each dependency is
//! explained.
//!
//! The crates stand in two columns, one that knows file systems and one that knows drives.
//! They meet at the bottom in `blocks` and `record`, and at the top where a person or a test
//! puts them together. An arrow that [`CRATES`] lacks is an error.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::{Finding, SourceFile, SourceTree};

/// The side of the design that a crate stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// Blocks and records: below both sides.
    Bottom,
    /// Knows file systems and no drive.
    FileSystems,
    /// Knows drives and no file system.
    Drives,
    /// Puts the two sides together.
    Top,
}

use Column::{Bottom, Drives, FileSystems, Top};

/// A crate's line in the design.
struct Crate {
    /// Its folder below `crates`, and its package's name behind `reburn-`.
    name: &'static str,
    column: Column,
    /// The crates of the workspace that it may use.
    may_use: &'static [&'static str],
}

/// Every crate and the arrows that leave it. `Top` crates may use all.
const CRATES: [Crate; 14] = [
    Crate {
        name: "blocks",
        column: Bottom,
        may_use: &[],
    },
    Crate {
        name: "record",
        column: Bottom,
        may_use: &[],
    },
    Crate {
        name: "tree",
        column: FileSystems,
        may_use: &["blocks"],
    },
    Crate {
        name: "iso9660",
        column: FileSystems,
        may_use: &["record", "tree", "blocks"],
    },
    Crate {
        name: "udf",
        column: FileSystems,
        may_use: &["record", "tree", "blocks"],
    },
    Crate {
        name: "image",
        column: FileSystems,
        may_use: &["iso9660", "udf", "tree", "blocks"],
    },
    Crate {
        name: "mmc",
        column: Drives,
        may_use: &["record", "blocks"],
    },
    Crate {
        name: "drive",
        column: Drives,
        may_use: &["mmc", "blocks"],
    },
    Crate {
        name: "emulator",
        column: Drives,
        may_use: &["drive", "mmc", "blocks"],
    },
    Crate {
        name: "recorder",
        column: Drives,
        may_use: &["drive", "mmc", "blocks"],
    },
    Crate {
        name: "attach",
        column: Drives,
        may_use: &["emulator", "drive", "mmc", "blocks"],
    },
    Crate {
        name: "rehearse",
        column: Top,
        may_use: &[],
    },
    Crate {
        name: "cli",
        column: Top,
        may_use: &[],
    },
    Crate {
        name: "xtask",
        column: Top,
        may_use: &[],
    },
];

/// What a crate's tests may use on top of its own arrows: everything of its column and below.
fn may_use_in_tests(from: Column, to: Column) -> bool {
    to == Bottom || from == to || from == Top
}

/// The document with one line for each dependency.
const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// Runs the rules of this module on every manifest.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut dependencies = BTreeSet::new();
    for file in tree
        .with_extension("toml")
        .filter(|file| file.path.ends_with("Cargo.toml"))
    {
        let manifest = match file.text.parse::<Table>() {
            Ok(manifest) => manifest,
            Err(error) => {
                findings.push(Finding::error(&file.path, 0, error.to_string()));
                continue;
            }
        };
        findings.extend(manifest_arrows(file, &manifest));
        findings.extend(furniture(tree, file, &manifest));
        for section in sections(&manifest) {
            dependencies.extend(
                section
                    .names
                    .iter()
                    .filter(|name| own_crate(name).is_none())
                    .cloned(),
            );
        }
    }
    findings.extend(explained(tree, &dependencies));
    findings
}

/// One table of dependencies of a manifest.
struct Section {
    for_tests: bool,
    /// Packages, by the name they are published under.
    names: Vec<String>,
}

fn sections(manifest: &Table) -> Vec<Section> {
    let mut sections = Vec::new();
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets
        .into_iter()
        .flat_map(|targets| targets.values().filter_map(Value::as_table));
    for table in std::iter::once(manifest).chain(tables) {
        for key in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let Some(listed) = table.get(key).and_then(Value::as_table) else {
                continue;
            };
            let names = listed.iter().map(|(name, value)| {
                let package = value.get("package").and_then(Value::as_str);
                package.unwrap_or(name).to_owned()
            });
            sections.push(Section {
                for_tests: key == "dev-dependencies",
                names: names.collect(),
            });
        }
    }
    sections
}

/// The folder name of a crate of this workspace, given its package's name.
fn own_crate(package: &str) -> Option<&str> {
    match package {
        "reburn" => Some("cli"),
        "xtask" => Some("xtask"),
        _ => package.strip_prefix("reburn-"),
    }
}

/// The crate's name in the table: the folder below `crates`, or the top-level folder.
fn folder_name(manifest: &Path) -> Option<&str> {
    let folder = manifest.parent()?;
    folder.file_name()?.to_str()
}

fn manifest_arrows(file: &SourceFile, manifest: &Table) -> Vec<Finding> {
    let Some(name) = folder_name(&file.path) else {
        return Vec::new();
    };
    // The package of tests puts everything together, like the crates at the top.
    let known = CRATES.iter().find(|known| known.name == name);
    let column = known.map_or(Top, |known| known.column);
    let mut findings = Vec::new();
    let mut error = |text: String| findings.push(Finding::error(&file.path, 0, text));
    if known.is_none() && name != "tests" {
        error(format!(
            "the crate `{name}` has no line in the table of the design"
        ));
        return findings;
    }
    for section in sections(manifest) {
        for used in section
            .names
            .iter()
            .filter_map(|package| own_crate(package))
        {
            if used == "tests" && (section.for_tests || name == "xtask") {
                continue;
            }
            let Some(target) = CRATES.iter().find(|known| known.name == used) else {
                error(format!(
                    "uses `{used}`, which has no line in the table of the design"
                ));
                continue;
            };
            let listed = known.is_some_and(|known| known.may_use.contains(&used));
            let allowed = column == Top
                || listed
                || (section.for_tests && may_use_in_tests(column, target.column));
            if !allowed && section.for_tests {
                error(format!(
                    "the tests of `{name}` use `{used}`, which is across the columns"
                ));
            } else if !allowed {
                error(format!(
                    "`{name}` uses `{used}`: the table of the design has no such arrow"
                ));
            }
        }
    }
    findings
}

/// What a crate must have beside its code: a README, its own or the one its manifest names.
fn furniture(tree: &SourceTree, file: &SourceFile, manifest: &Table) -> Option<Finding> {
    let folder = file.path.parent()?;
    let package = manifest.get("package").and_then(Value::as_table);
    let named = package.and_then(|package| package.get("readme")?.as_str());
    let outer = named.and_then(|named| named.strip_prefix("../../"));
    let readme = outer.map_or_else(|| folder.join("README.md"), Into::into);
    if !folder.starts_with("crates") || tree.get(readme).is_some() {
        return None;
    }
    let text = "lacks README.md with what it is for and one example that runs";
    Some(Finding::error(folder, 0, text))
}

fn explained(tree: &SourceTree, dependencies: &BTreeSet<String>) -> Vec<Finding> {
    let Some(document) = tree.get(ARCHITECTURE) else {
        let text = "is missing: bird's eye, code map, invariants, one line a dependency";
        return vec![Finding::error(ARCHITECTURE, 0, text)];
    };
    let unexplained = dependencies.iter().filter(|name| {
        let marked = format!("`{name}`");
        !document.text.lines().any(|line| line.contains(&marked))
    });
    unexplained
        .map(|name| {
            let text = format!("does not say in one line why the project depends on `{name}`");
            Finding::error(ARCHITECTURE, 0, text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{said, tree};
    use super::*;

    /// What the rules say of a crate `name` with this manifest and everything else in order.
    fn arrows(name: &str, manifest: &str) -> String {
        let folder = format!("crates/{name}");
        let (path, readme) = (
            format!("{folder}/Cargo.toml"),
            format!("{folder}/README.md"),
        );
        let files = [
            (path.as_str(), manifest),
            (readme.as_str(), "# Crate\n"),
            (ARCHITECTURE, "- `crc`: checksums\n- `toml`: manifests\n"),
        ];
        said(&check(&tree(&files)))
    }

    #[test]
    fn arrows_of_the_design_are_allowed() {
        let manifest = "[dependencies]\nreburn-drive.workspace = true\ncrc = \"3\"\n";
        assert_eq!(arrows("emulator", manifest), "");
        let manifest = "[dependencies]\nreburn-image.workspace = true\nreburn-drive = \"1\"\n";
        assert_eq!(arrows("cli", manifest), "");
    }

    #[test]
    fn every_arrow_that_the_design_lacks_is_found() {
        let expected = "crates/image/Cargo.toml: `image` uses `drive`: the table of the design \
                        has no such arrow";
        for manifest in [
            "[dependencies]\nreburn-drive.workspace = true\n",
            "[dependencies.reburn-drive]\npath = \"../drive\"\n",
            "[build-dependencies]\nreburn-drive = \"0.1\"\n",
            "[dependencies]\nd = { package = \"reburn-drive\", version = \"0.1\" }\n",
            "[target.'cfg(unix)'.dependencies]\nreburn-drive = \"0.1\"\n",
        ] {
            assert_eq!(arrows("image", manifest), expected, "{manifest}");
        }
        let upward = "[dependencies]\nreburn-tree = \"0.1\"\n";
        assert!(arrows("blocks", upward).contains("`blocks` uses `tree`"));
        let program = "[dependencies]\nreburn = \"0.1\"\n";
        assert!(arrows("mmc", program).contains("`mmc` uses `cli`"));
    }

    #[test]
    fn tests_may_use_their_own_column_only() {
        let emulator = "[dev-dependencies]\nreburn-emulator.workspace = true\n";
        assert_eq!(arrows("recorder", emulator), "");
        assert_eq!(
            arrows("iso9660", emulator),
            "crates/iso9660/Cargo.toml: the tests of `iso9660` use `emulator`, which is across \
             the columns"
        );
        let helpers = "[dev-dependencies]\nreburn-tests.workspace = true\n";
        assert_eq!(arrows("iso9660", helpers), "");
        let helpers = "[dependencies]\nreburn-tests.workspace = true\n";
        assert!(arrows("iso9660", helpers).contains("no line in the table"));
    }

    #[test]
    fn unknown_crates_and_broken_manifests_are_found() {
        assert_eq!(
            arrows("fat", "[package]\n"),
            "crates/fat/Cargo.toml: the crate `fat` has no line in the table of the design"
        );
        let unknown = arrows("image", "[dependencies]\nreburn-fat = \"1\"\n");
        assert!(
            unknown.contains("uses `fat`, which has no line"),
            "{unknown}"
        );
        assert!(arrows("image", "[dependencies\n").contains("crates/image/Cargo.toml: "));
    }

    #[test]
    fn readme_and_reasons_are_required() {
        let files = [(
            "crates/tree/Cargo.toml",
            "[dependencies]\ncrc = \"3\"\nzip = \"2\"\n",
        )];
        assert_eq!(
            said(&check(&tree(&files))),
            "crates/tree: lacks README.md with what it is for and one example that runs\n\
             ARCHITECTURE.md: is missing: bird's eye, code map, invariants, one line a dependency"
        );
        let tree_manifest = files[0].1;
        let outer = (
            "crates/cli/Cargo.toml",
            "[package]\nreadme = \"../../README.md\"\n",
        );
        let missing = said(&check(&tree(&[outer, (ARCHITECTURE, "")])));
        assert!(
            missing.starts_with("crates/cli: lacks README.md"),
            "{missing}"
        );
        let files = [outer, (ARCHITECTURE, ""), ("README.md", "# All\n")];
        assert_eq!(said(&check(&tree(&files))), "");
        assert_eq!(
            arrows("tree", tree_manifest),
            "ARCHITECTURE.md: does not say in one line why the project depends on `zip`"
        );
    }
}
