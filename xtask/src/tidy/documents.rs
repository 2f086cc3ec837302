//! Rules of documents: they speak of the project alone, and the jobs they show exist.

use clap::CommandFactory;

use super::sources::{issue_number, machine_path};
use super::{Finding, SourceTree};

/// Runs the rules of this module on every document, manifest and script.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let others = tree
        .files
        .iter()
        .filter(|file| file.path.extension().is_none_or(|e| e != "rs"));
    for file in others {
        for (index, line) in file.text.lines().enumerate() {
            let mut error = |text| findings.push(Finding::error(&file.path, index + 1, text));
            if let Some(path) = machine_path(line) {
                error(format!("names a folder of some machine: `{path}`"));
            }
            if let Some(number) = issue_number(line) {
                error(format!("refers to `{number}`: say the reason itself"));
            }
        }
    }
    for file in tree.with_extension("md") {
        for command in shown_commands(&file.text) {
            if let Err(text) = job_exists(&command.words) {
                findings.push(Finding::error(&file.path, command.line, text));
            }
        }
    }
    findings
}

/// A command that a document shows in a block of shell code.
#[derive(Debug, PartialEq, Eq)]
struct ShownCommand {
    /// Its line in the document, counted from one.
    line: usize,
    /// Its words; a comment behind it is left out.
    words: Vec<String>,
}

/// Every command in the document's shell blocks: each line of ` ```sh `, and those with a
/// prompt (`$ `) of ` ```console `, where the others are output.
fn shown_commands(text: &str) -> Vec<ShownCommand> {
    let mut commands = Vec::new();
    let mut language = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if let Some(opened) = line.strip_prefix("```") {
            language = if language.is_none() {
                Some(opened.trim())
            } else {
                None
            };
            continue;
        }
        let line = match language {
            Some("sh" | "bash" | "shell") => line,
            Some("console") => match line.strip_prefix("$ ") {
                Some(command) => command,
                None => continue,
            },
            _ => continue,
        };
        let words: Vec<_> = line
            .split_whitespace()
            .take_while(|word| !word.starts_with('#'))
            .map(str::to_owned)
            .collect();
        if !words.is_empty() {
            commands.push(ShownCommand {
                line: index + 1,
                words,
            });
        }
    }
    commands
}

/// Whether a shown `cargo xtask JOB --flag` is one that this program takes.
pub(super) fn job_exists(words: &[String]) -> Result<(), String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["cargo", "xtask", job, arguments @ ..] = words.as_slice() else {
        return Ok(());
    };
    let program = crate::Arguments::command();
    let job = program
        .find_subcommand(job)
        .ok_or_else(|| format!("shows the job `{job}`, which does not exist"))?;
    for flag in arguments.iter().filter_map(|word| word.strip_prefix("--")) {
        let flag = flag.split('=').next().unwrap_or(flag);
        if !job
            .get_arguments()
            .any(|argument| argument.get_long() == Some(flag))
        {
            return Err(format!(
                "shows `--{flag}`, which `{}` does not take",
                job.get_name()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{said, tree};
    use super::*;

    fn findings(text: &str) -> String {
        said(&check(&tree(&[("README.md", text)])))
    }

    #[test]
    fn shown_jobs_must_exist() {
        let shell = |command: &str| format!("# Title\n\n```console\n{command}\n```\n");
        assert_eq!(
            findings(&shell("$ cargo xtask test --full # all of it")),
            ""
        );
        assert_eq!(findings(&shell("$ cargo build --release")), "");
        assert_eq!(
            findings(&shell("$ cargo xtask fly --high")),
            "README.md:4: shows the job `fly`, which does not exist"
        );
        assert_eq!(
            findings(&shell("$ cargo xtask test --fully")),
            "README.md:4: shows `--fully`, which `test` does not take"
        );
        assert_eq!(findings(&shell("cargo xtask fly: no such job")), "");
        let script = "```sh\ncargo xtask fly\n```\n";
        assert_eq!(
            findings(script),
            "README.md:2: shows the job `fly`, which does not exist"
        );
        assert_eq!(
            findings("```rust\ncargo xtask fly\n```\ncargo xtask fly\n"),
            ""
        );
    }

    #[test]
    fn documents_name_no_machine_and_no_issue() {
        let text = concat!("Put it in /", "home/me.\nSee #4.\n[here](#4-words)\n");
        assert_eq!(
            findings(text),
            concat!(
                "README.md:1: names a folder of some machine: `/",
                "home`\n",
                "README.md:2: refers to `#4`: say the reason itself"
            )
        );
    }
}
