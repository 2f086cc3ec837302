//! `CLAIMS.md`: what the project promises, each claim with its class, its assumptions and the test
//! that holds it.
//!
//! - Assumptions are the numbered lines below `## Assumptions`.
//! - A claim is a heading `### ` below `## Claims`. It has a line `Class: ` (atomic, recoverable,
//!   none, or any for what is true of all), a line `Assumes: ` with numbers or `nothing`, and a
//!   line `Test: ` that names what holds it: `` `FILE.rs` `FUNCTION` ``, or
//!   `` `cargo xtask JOB` ``, several apart by commas.

use std::collections::BTreeSet;
use std::path::Path;

use super::documents::job_exists;
use super::{Finding, SourceTree};

const CLAIMS: &str = "CLAIMS.md";
const CLASSES: [&str; 4] = ["atomic", "recoverable", "none", "any"];

/// Checks every claim; a document without any is an error too.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let Some(file) = tree.get(CLAIMS) else {
        return vec![Finding::error(
            CLAIMS,
            0,
            "is missing: what is promised, and which test holds it",
        )];
    };
    let document = Document::parse(&file.text);
    let mut findings = Vec::new();
    let mut error = |line, text| findings.push(Finding::error(CLAIMS, line, text));
    if document.claims.is_empty() {
        error(0, "has no claims".into());
    }
    for claim in &document.claims {
        for problem in claim.problems(tree, &document.assumptions) {
            error(claim.line, format!("{}: {problem}", claim.title));
        }
    }
    findings
}

/// What the document says.
#[derive(Debug, Default)]
struct Document<'a> {
    assumptions: BTreeSet<u32>,
    claims: Vec<Claim<'a>>,
}

#[derive(Debug, Default)]
struct Claim<'a> {
    /// Its line, counted from one.
    line: usize,
    title: &'a str,
    class: Option<&'a str>,
    assumes: Option<&'a str>,
    test: Option<String>,
}

impl<'a> Document<'a> {
    fn parse(text: &'a str) -> Self {
        let mut document = Self::default();
        let mut section = "";
        // A line `Test: ` goes on until the paragraph ends.
        let mut in_test = false;
        for (index, line) in text.lines().enumerate() {
            if let Some(title) = line.strip_prefix("## ") {
                section = title.trim();
            }
            if section == "Assumptions"
                && let Some((number, _)) = line.split_once(". ")
            {
                document.assumptions.extend(number.parse::<u32>());
            }
            if section == "Claims"
                && let Some(title) = line.strip_prefix("### ")
            {
                document.claims.push(Claim {
                    line: index + 1,
                    title: title.trim(),
                    ..Claim::default()
                });
            }
            let Some(claim) = document.claims.last_mut() else {
                continue;
            };
            in_test &= !line.trim().is_empty();
            if let Some(rest) = line.strip_prefix("Class: ") {
                claim.class = Some(rest.trim());
            } else if let Some(rest) = line.strip_prefix("Assumes: ") {
                claim.assumes = Some(rest.trim());
            } else if let Some(rest) = line.strip_prefix("Test: ") {
                claim.test = Some(rest.to_owned());
                in_test = true;
            } else if let Some(test) = claim.test.as_mut().filter(|_| in_test) {
                test.push(' ');
                test.push_str(line.trim());
            }
        }
        document
    }
}

impl Claim<'_> {
    fn problems(&self, tree: &SourceTree, assumptions: &BTreeSet<u32>) -> Vec<String> {
        let mut problems = Vec::new();
        match self.class {
            Some(class) if CLASSES.contains(&class) => {}
            Some(other) => problems.push(format!("`{other}` is no class")),
            None => problems.push("has no line `Class: `".into()),
        }
        match self.assumes {
            None => problems.push("has no line `Assumes: `".into()),
            Some("nothing") => {}
            Some(numbers) => {
                let unknown = numbers.split(", ").filter(|number| {
                    let number = number.parse::<u32>();
                    !number.is_ok_and(|number| assumptions.contains(&number))
                });
                problems.extend(unknown.map(|number| format!("`{number}` is no assumption")));
            }
        }
        let named: Vec<_> = self.test.iter().flat_map(|test| test.split(", ")).collect();
        if named.is_empty() {
            problems.push("no test holds it".into());
        }
        problems.extend(named.iter().filter_map(|test| missing(tree, test)));
        problems
    }
}

/// What is wrong with the name of a test.
fn missing(tree: &SourceTree, test: &str) -> Option<String> {
    let parts: Vec<_> = test.split('`').map(str::trim).collect();
    match parts[..] {
        ["", command, ""] if command.starts_with("cargo xtask ") => {
            let words: Vec<_> = command.split_whitespace().map(str::to_owned).collect();
            job_exists(&words).err()
        }
        ["", path, "", function, ""] => {
            let Some(file) = tree.get(Path::new(path)) else {
                return Some(format!("there is no file {path}"));
            };
            let head = format!("fn {function}(");
            let found = file.text.find(&head);
            let is_test = found.is_some_and(|at| is_test(&file.text[..at]));
            (!is_test).then(|| format!("{path} has no test `{function}`"))
        }
        _ => Some(format!("`{}` names no test", test.trim())),
    }
}

/// Whether the text before a function ends with the attribute of a test, or with that of a property
/// test.
fn is_test(before: &str) -> bool {
    let attributes = before.rfind(['}', ';']).map_or(before, |at| &before[at..]);
    attributes.contains("#[test]")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{said, tree};
    use super::*;

    const CODE: &str = "#[test]\nfn power_is_cut() {}\n\nfn helper() {}\n";

    fn findings(claim: &str) -> String {
        let document =
            format!("## Assumptions\n\n1. Units tear as a whole.\n\n## Claims\n\n{claim}");
        said(&check(&tree(&[("CLAIMS.md", &document), ("a.rs", CODE)])))
    }

    #[test]
    fn a_claim_with_a_test_is_well() {
        let claim = "### Whole\n\nClass: atomic\nAssumes: 1\nTest: `a.rs` `power_is_cut`,\n\
                     `cargo xtask simulate`\n\nAnd why.\n";
        assert_eq!(findings(claim), "");
    }

    #[test]
    fn a_claim_without_a_test_is_an_error() {
        let claim = "### Whole\n\nClass: atomic\nAssumes: nothing\n";
        assert_eq!(findings(claim), "CLAIMS.md:7: Whole: no test holds it");
        let with = |test: &str| findings(&format!("{claim}Test: {test}\n"));
        assert_eq!(
            with("`a.rs` `helper`"),
            "CLAIMS.md:7: Whole: a.rs has no test `helper`"
        );
        assert_eq!(
            with("`b.rs` `power_is_cut`"),
            "CLAIMS.md:7: Whole: there is no file b.rs"
        );
        assert_eq!(
            with("`cargo xtask fly`"),
            "CLAIMS.md:7: Whole: shows the job `fly`, which does not exist"
        );
        assert_eq!(
            with("trust me"),
            "CLAIMS.md:7: Whole: `trust me` names no test"
        );
    }

    #[test]
    fn classes_and_assumptions_are_known_ones() {
        let test = "Test: `a.rs` `power_is_cut`\n";
        assert_eq!(
            findings(&format!("### Whole\n\nClass: safe\nAssumes: 1, 2\n{test}")),
            "CLAIMS.md:7: Whole: `safe` is no class\nCLAIMS.md:7: Whole: `2` is no assumption"
        );
        assert_eq!(
            findings(&format!("### Whole\n{test}")),
            "CLAIMS.md:7: Whole: has no line `Class: `\n\
             CLAIMS.md:7: Whole: has no line `Assumes: `"
        );
        assert_eq!(findings(""), "CLAIMS.md: has no claims");
        assert!(said(&check(&tree(&[]))).starts_with("CLAIMS.md: is missing"));
    }
}
