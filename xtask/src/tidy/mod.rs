//! The rules of the source tree that no compiler checks.
//!
//! - [`crates`]: which crate may use which, what every crate must have, which dependencies
//!   the project has explained.
//! - [`sources`]: heads, lengths and words of source files.
//! - [`documents`]: what the documents may say, and that the commands they show exist.
//! - [`claims`]: that each promise has a test.
//!
//! A rule is a function from text to findings, so that its tests are texts.

mod claims;
mod crates;
mod documents;
mod lexer;
mod sources;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::workspace;

/// Something in the source tree that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file or folder, below the top of the workspace.
    path: PathBuf,
    /// The line, counted from one; zero for the file as a whole.
    line: usize,
    /// Whether the finding fails the run.
    severity: Severity,
    /// What is wrong and what to do.
    text: String,
}

/// What a finding means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Error,
    Warning,
}

impl Finding {
    fn error(path: impl Into<PathBuf>, line: usize, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let severity = Severity::Error;
        Self {
            path,
            line,
            severity,
            text,
        }
    }

    fn warning(path: impl Into<PathBuf>, line: usize, text: impl Into<String>) -> Self {
        let severity = Severity::Warning;
        Self {
            severity,
            ..Self::error(path, line, text)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        let severity = match self.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        write!(f, ": {severity}{}", self.text)
    }
}

/// Runs every rule and prints what they find: `cargo xtask tidy`.
pub fn run() -> ExitCode {
    match check() {
        Ok(summary) => {
            println!("tidy: {summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("tidy: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs every rule, prints each finding on a line; `Err` if any of them is an error.
pub fn check() -> Result<String, String> {
    let root = workspace::root();
    let tree = SourceTree::read(&root)
        .map_err(|error| format!("the source tree cannot be read: {error}"))?;
    let mut findings = crates::check(&tree);
    findings.extend(sources::check(&tree));
    findings.extend(documents::check(&tree));
    findings.extend(claims::check(&tree));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let summary = format!(
        "{} files, {errors} errors, {} warnings",
        tree.files.len(),
        findings.len() - errors
    );
    if errors == 0 {
        Ok(summary)
    } else {
        Err(summary)
    }
}

/// The text files of the workspace, read once.
#[derive(Debug, Default)]
struct SourceTree {
    files: Vec<SourceFile>,
}

#[derive(Debug)]
struct SourceFile {
    /// Below the top of the workspace.
    path: PathBuf,
    text: String,
}

impl SourceTree {
    fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, Path::new(""))?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    fn read_folder(&mut self, root: &Path, below: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(root.join(below))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = below.join(&name);
            if entry.file_type()?.is_dir() {
                let skipped = ["target", ".git", "node_modules"];
                if !skipped.iter().any(|skipped| name == *skipped) {
                    self.read_folder(root, &path)?;
                }
            } else if is_text(&path) {
                let text = std::fs::read_to_string(entry.path())
                    .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
                self.files.push(SourceFile { path, text });
            }
        }
        Ok(())
    }

    fn get(&self, path: impl AsRef<Path>) -> Option<&SourceFile> {
        let path = path.as_ref();
        self.files.iter().find(|file| file.path == path)
    }

    fn with_extension(&self, extension: &str) -> impl Iterator<Item = &SourceFile> {
        self.files
            .iter()
            .filter(move |file| file.path.extension().is_some_and(|e| e == extension))
    }
}

fn is_text(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rs" | "md" | "toml" | "sh")) || path.ends_with(".ci/run")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source tree made of literals.
    pub(super) fn tree(files: &[(&str, &str)]) -> SourceTree {
        let files = files
            .iter()
            .map(|(path, text)| SourceFile {
                path: path.into(),
                text: (*text).to_owned(),
            })
            .collect();
        SourceTree { files }
    }

    /// What the findings say, a line each.
    pub(super) fn said(findings: &[Finding]) -> String {
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    #[test]
    fn this_very_tree_is_read() {
        let tree = SourceTree::read(&workspace::root()).unwrap();
        assert!(tree.get("xtask/src/tidy/mod.rs").is_some());
        assert!(tree.get("Cargo.toml").is_some());
        assert!(
            tree.files
                .iter()
                .all(|file| !file.path.starts_with("target"))
        );
    }
}
