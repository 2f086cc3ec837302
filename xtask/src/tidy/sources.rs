//! Rules of source files: how they begin, how long they get, and words they must not hold.

use std::path::{Component, Path};

use super::lexer::{self, Views};
use super::{Finding, SourceFile, SourceTree};

/// Lines of code, tests not counted, from which a file should be split.
const LINES_WARN: usize = 400;
/// Lines of code, tests not counted, that no file may exceed.
const LINES_MAX: usize = 600;
/// Columns of a line.
const COLUMNS_MAX: usize = 100;

/// The only source files that may hold `unsafe`: modules around system calls. Their crates
/// deny it instead of forbidding it, and each of these allows it for itself.
const UNSAFE_MODULES: [&str; 2] = [
    "crates/attach/src/run/system.rs",
    "crates/drive/src/sg_io/system.rs",
];

/// Macros that stand for code not written, or written to be removed.
const UNFINISHED: [&str; 3] = ["todo!", "unimplemented!", "dbg!"];

/// Runs the rules of this module on every Rust source file.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs") {
        let views = lexer::views(&file.text);
        findings.extend(head(file));
        findings.extend(safety(file, &views));
        findings.extend(length(file));
        findings.extend(lines(file, &views));
    }
    findings
}

fn head(file: &SourceFile) -> Option<Finding> {
    let opens = file.text.starts_with("//!");
    (!opens).then(|| {
        let text = "opens without `//!`: say what this is, its invariants, its source";
        Finding::error(&file.path, 1, text)
    })
}

fn safety(file: &SourceFile, views: &Views) -> Vec<Finding> {
    let mut findings = Vec::new();
    let allowed = UNSAFE_MODULES
        .iter()
        .any(|path| file.path == Path::new(path));
    if is_crate_root(&file.path) {
        let folder = crate_folder(&file.path);
        let holds_unsafe = UNSAFE_MODULES
            .iter()
            .any(|path| Path::new(path).starts_with(&folder));
        let attribute = if holds_unsafe {
            "#![deny(unsafe_code)]"
        } else {
            "#![forbid(unsafe_code)]"
        };
        if !views.code.contains(attribute) {
            findings.push(Finding::error(
                &file.path,
                1,
                format!("lacks `{attribute}`"),
            ));
        }
    }
    if !allowed {
        for (line, code) in numbered(&views.code) {
            if has_word(code, "unsafe") {
                let text = "holds `unsafe`, which stands only in the system-call modules \
                            that tidy lists";
                findings.push(Finding::error(&file.path, line, text));
            }
        }
    }
    findings
}

fn length(file: &SourceFile) -> Option<Finding> {
    let is_tests = |part: Component| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs";
    if file.path.components().any(is_tests) {
        return None;
    }
    let count = lines_before_tests(&file.text);
    let text = format!("{count} lines before its tests: split it by subject (limit {LINES_MAX})");
    if count > LINES_MAX {
        Some(Finding::error(&file.path, 0, text))
    } else if count > LINES_WARN {
        Some(Finding::warning(&file.path, 0, text))
    } else {
        None
    }
}

fn lines(file: &SourceFile, views: &Views) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut error = |line, text: String| findings.push(Finding::error(&file.path, line, text));
    let views_of_lines = views.code.lines().zip(views.comments.lines());
    for ((line, text), (code, comment)) in numbered(&file.text).zip(views_of_lines) {
        let columns = text.chars().count();
        if columns - columns_that_stay_whole(text, code, comment) > COLUMNS_MAX {
            error(line, format!("{columns} columns, {COLUMNS_MAX} at most"));
        }
        if let Some(path) = machine_path(text) {
            error(line, format!("names a folder of some machine: `{path}`"));
        }
    }
    for (line, code) in numbered(&views.code) {
        for unfinished in UNFINISHED {
            if has_word(code, unfinished.trim_end_matches('!')) && code.contains(unfinished) {
                error(
                    line,
                    format!("holds `{unfinished}`: finish it or return an error"),
                );
            }
        }
        if code.contains("#[ignore]") {
            error(
                line,
                "ignores a test without a reason: `#[ignore = \"...\"]`".to_owned(),
            );
        }
    }
    for (line, comment) in numbered(&views.comments) {
        for word in [
            concat!("FIX", "ME"),
            concat!("XX", "X"),
            concat!("TO", "DO"),
        ] {
            if has_word(comment, word) {
                error(
                    line,
                    format!("says `{word}`: do it, or explain what is absent and why"),
                );
            }
        }
        if let Some(number) = issue_number(comment) {
            error(line, format!("refers to `{number}`: say the reason itself"));
        }
    }
    findings
}

/// How many characters of a line belong to what a line break would spoil: the inside of a
/// literal, or a row of a table in a comment.
fn columns_that_stay_whole(text: &str, code: &str, comment: &str) -> usize {
    if comment.trim_start_matches(['/', '!', ' ']).starts_with('|') {
        return text.chars().count();
    }
    let views = code.chars().zip(comment.chars());
    let in_literal =
        |(c, (code, comment)): &(char, (char, char))| *c != ' ' && *code == ' ' && *comment == ' ';
    text.chars().zip(views).filter(in_literal).count()
}

/// `lib.rs`, `main.rs` or a further program of a crate, where crate attributes stand.
fn is_crate_root(path: &Path) -> bool {
    let in_src = |name| path.ends_with(Path::new("src").join(name));
    let program = path
        .parent()
        .is_some_and(|folder| folder.ends_with("src/bin"));
    in_src("lib.rs") || in_src("main.rs") || program || path == Path::new("tests/lib.rs")
}

/// The folder of the crate that a crate root belongs to.
fn crate_folder(root: &Path) -> std::path::PathBuf {
    let parts = root.components();
    parts.take_while(|part| part.as_os_str() != "src").collect()
}

/// Lines that stand before the file's own test module.
fn lines_before_tests(text: &str) -> usize {
    let is_tests =
        |line: &str| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test");
    text.lines().take_while(|line| !is_tests(line)).count()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

fn has_word(text: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// An absolute path that exists on some machine only, if the line names one.
pub fn machine_path(line: &str) -> Option<&'static str> {
    const FOLDERS: [&str; 5] = [
        concat!("/", "work"),
        concat!("/", "home"),
        concat!("/", "root"),
        concat!("/", "tmp"),
        concat!("/", "Users"),
    ];
    FOLDERS.into_iter().find(|folder| {
        line.match_indices(folder).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + folder.len()..].chars().next();
            let starts_path = before.is_none_or(|c| !c.is_alphanumeric() && !"_-.})>/".contains(c));
            starts_path && after == Some('/')
        })
    })
}

/// A number of an issue (`#` and digits as a word of its own), if the line has one.
pub fn issue_number(line: &str) -> Option<&str> {
    line.match_indices('#').find_map(|(at, _)| {
        let before = line[..at].chars().next_back();
        let digits = line[at + 1..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let after = line[at + 1 + digits..].chars().next();
        let alone = before.is_none_or(|c| c.is_whitespace() || c == '(')
            && !after.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
        (digits > 0 && alone).then(|| &line[at..=at + digits])
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{said, tree};
    use super::*;

    fn findings(path: &str, text: &str) -> String {
        said(&check(&tree(&[(path, text)])))
    }

    #[test]
    fn a_good_file_gives_no_finding() {
        let text = "//! What it is.\n#![forbid(unsafe_code)]\n\nfn f() {} // see clause 9.1\n";
        assert_eq!(findings("crates/a/src/lib.rs", text), "");
    }

    #[test]
    fn heads_and_attributes_are_required() {
        assert_eq!(
            findings("crates/a/src/lib.rs", "fn f() {}\n"),
            "crates/a/src/lib.rs:1: opens without `//!`: say what this is, its invariants, its \
             source\ncrates/a/src/lib.rs:1: lacks `#![forbid(unsafe_code)]`"
        );
        assert_eq!(findings("crates/a/src/other.rs", "//! Other.\n"), "");
        let hidden = "//! A.\n// #![forbid(unsafe_code)]\n";
        assert!(findings("crates/a/src/main.rs", hidden).contains("lacks"));
    }

    #[test]
    fn unsafe_code_is_found_but_not_the_word() {
        let text = "//! Not unsafe.\nfn f() { \"unsafe\"; unsafe { g() } }\nfn unsafe_f() {}\n";
        let found = findings("crates/a/src/b.rs", text);
        assert!(
            found.starts_with("crates/a/src/b.rs:2: holds `unsafe`"),
            "{found}"
        );
        assert_eq!(found.lines().count(), 1);
    }

    #[test]
    fn tests_do_not_count_as_length() {
        let code = |lines: usize| format!("//! A.\n{}", "fn f() {}\n".repeat(lines - 1));
        let path = "crates/a/src/b.rs";
        assert_eq!(findings(path, &code(400)), "");
        assert!(findings(path, &code(401)).contains("warning: 401 lines"));
        assert!(findings(path, &code(601)).contains("b.rs: 601 lines"));
        let tested = format!("{}#[cfg(test)]\n{}", code(400), code(300));
        assert_eq!(findings(path, &tested), "");
        assert_eq!(findings("crates/a/tests/b.rs", &code(700)), "");
    }

    #[test]
    fn long_lines_and_unfinished_work_are_found() {
        let long = format!("//! A.\n// {}\n", "é".repeat(97));
        assert_eq!(findings("xtask/src/a.rs", &long), "");
        let longer = format!("//! A.\n// {}\n", "é".repeat(98));
        assert_eq!(
            findings("xtask/src/a.rs", &longer),
            "xtask/src/a.rs:2: 101 columns, 100 at most"
        );

        let literal = format!("//! A.\nf(\"{}\");\n", "é".repeat(300));
        assert_eq!(findings("xtask/src/a.rs", &literal), "");
        let code = format!("//! A.\n{}(\"é\");\n", "e".repeat(97));
        assert!(findings("xtask/src/a.rs", &code).contains("103 columns"));
        let row = format!("//! | a | {} |\n", "é".repeat(300));
        assert_eq!(findings("xtask/src/a.rs", &row), "");

        let macros = "//! A.\nfn f() { todo!() }\nfn g() { \"todo!\"; my_todo!() } // todo!\n";
        let found = findings("xtask/src/a.rs", macros);
        assert_eq!(
            found,
            "xtask/src/a.rs:2: holds `todo!`: finish it or return an error"
        );
        let ignored = "//! A.\n#[ignore]\nfn f() {}\n#[ignore = \"needs a drive\"]\nfn g() {}\n";
        assert!(findings("xtask/src/a.rs", ignored).starts_with("xtask/src/a.rs:2: ignores"));
        let marks = concat!("//! A.\n// FIX", "ME: later\n// PREFIX", "MES\n");
        let found = findings("xtask/src/a.rs", marks);
        assert!(found.starts_with("xtask/src/a.rs:2: says"), "{found}");
        assert_eq!(found.lines().count(), 1);
    }

    #[test]
    fn places_and_numbers_of_this_work_stay_out() {
        for line in [
            concat!("a /", "tmp/x"),
            concat!("`/", "home/me`"),
            concat!("\"/", "work/a\""),
        ] {
            assert!(machine_path(line).is_some(), "{line}");
        }
        for line in [
            "target/tmp/x",
            "$DIR/tmp/x",
            "{root}/work/x",
            "/usr/share",
            "/tmpfs/",
            "a/root/",
        ] {
            assert_eq!(machine_path(line), None, "{line}");
        }
        assert_eq!(issue_number("see #12."), Some("#12"));
        assert_eq!(issue_number("(#7)"), Some("#7"));
        for line in [
            "#[test]",
            "a#12",
            "[x](#2-words)",
            "# 12",
            "colour #12ab",
            "r#1",
        ] {
            assert_eq!(issue_number(line), None, "{line}");
        }
    }
}
