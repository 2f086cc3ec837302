//! libiscsi's conformance tests: every test passes, skips, or is on a list with its reason.
//!
//! A listed test that passes is a finding too: the list would hide the next failure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Bench, Report};
use crate::command::{Program, last_lines};

/// How long all tests may take; those that wait for silence wait some seconds each.
const PATIENCE: Duration = Duration::from_mins(5);

/// Tests that must have run: the rest is for disks, and skips on an optical drive.
const RUN_AT_LEAST: usize = 35;

const NO_COMPARISON: &str = "it asks the drive to compare bytes (BytChk), which optical drives \
                             refuse with 5/24/00";

/// Tests that fail, and why they do.
const FAILS: [(&str, &str); 11] = [
    (
        "StartStopUnit.Simple",
        "it takes 6/28/00 after loading a disc for an error",
    ),
    (
        "StartStopUnit.NoLoej",
        "it sets the bit that forbids disks to flush, which chooses a layer's format on discs",
    ),
    ("Verify10.Simple", NO_COMPARISON),
    ("Verify10.BeyondEol", NO_COMPARISON),
    ("Verify10.ZeroBlocks", NO_COMPARISON),
    ("Verify10.Flags", NO_COMPARISON),
    ("Verify10.Mismatch", NO_COMPARISON),
    ("WriteVerify10.Simple", NO_COMPARISON),
    ("WriteVerify10.BeyondEol", NO_COMPARISON),
    ("WriteVerify10.Flags", NO_COMPARISON),
    (
        "iSCSIResiduals.Read10Invalid",
        "it wants a READ to succeed for a host that says that it writes",
    ),
];

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Passed,
    /// It passed because it looked at nothing.
    Skipped,
    Failed,
}

pub(super) fn run(bench: &Bench<'_>, report: &mut Report) -> Result<(), String> {
    let served = bench.serve(&[])?;
    let program = Program::new("iscsi-test-cu")
        .args(["--verbose", "--dataloss", "--test=ALL"])
        .arg(served.url(""))
        .timeout(PATIENCE);
    let said = program.capture()?.stdout_text(); // it fails when some test fails
    served.stop()?;
    let endings = endings(&said);
    let ran = endings
        .values()
        .filter(|ending| **ending != Ending::Skipped)
        .count();
    report.note(format!(
        "conformance: {} tests, {ran} of them not for disks alone",
        endings.len()
    ));
    if ran < RUN_AT_LEAST {
        let said = last_lines(&said, 20);
        return Err(format!(
            "`{program}` ran {ran} tests, {RUN_AT_LEAST} at least:\n{said}"
        ));
    }
    for (test, verdict) in verdicts(&endings) {
        report.verdict(&test, &program, verdict);
    }
    Ok(())
}

/// What is to be said of each test.
fn verdicts(endings: &BTreeMap<String, Ending>) -> Vec<(String, Result<(), String>)> {
    let listed = |test: &str| FAILS.iter().find(|(name, _)| *name == test);
    let judged = endings.iter().map(|(test, ending)| {
        let verdict = match (ending, listed(test)) {
            (Ending::Failed, None) => Err("it fails, and is not on the list".to_owned()),
            (Ending::Passed | Ending::Skipped, Some((_, because))) => Err(format!(
                "it is on the list of those that fail because {because}; take it off"
            )),
            _ => Ok(()),
        };
        (test.clone(), verdict)
    });
    let missing = FAILS
        .iter()
        .filter(|(name, _)| !endings.contains_key(*name));
    let missing = missing.map(|(name, _)| {
        let text = "it is on the list of those that fail, and did not run";
        ((*name).to_owned(), Err(text.to_owned()))
    });
    judged.chain(missing).collect()
}

/// The tests by their full names. What a test logs may stand before its ending, on its own line
/// or on others.
fn endings(said: &str) -> BTreeMap<String, Ending> {
    let (tests, _) = said.split_once("Run Summary:").unwrap_or((said, ""));
    let mut endings = BTreeMap::new();
    for suite in tests.split("\nSuite: ").skip(1) {
        let (name, tests) = suite.split_once('\n').unwrap_or((suite, ""));
        for test in tests.split("  Test: ").skip(1) {
            let Some((test, log)) = test.split_once(" ...") else {
                continue;
            };
            let starts = |word: &str| log.lines().any(|line| line.starts_with(word));
            let ending = if starts("FAILED") || !starts("passed") {
                Ending::Failed
            } else if is_skipped(log) {
                Ending::Skipped
            } else {
                Ending::Passed
            };
            endings.insert(format!("{}.{test}", name.trim()), ending);
        }
    }
    endings
}

/// Whether a test said before its end that it skips. Behind that, its suite may speak.
fn is_skipped(log: &str) -> bool {
    let mut before_end = log.lines().take_while(|line| !line.starts_with("passed"));
    before_end.any(|line| line.contains("[SKIPPED]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\nSuite: Inquiry\n  \
        Test: Standard ...passed\n  \
        Test: BlockLimits ...    [SKIPPED] Not SBC device. Skipping test\n\
        passed    [SKIPPED] PERSISTENT RESERVE IN is not implemented.\n\n\
        Suite: Verify10\n  \
        Test: Simple ...    [FAILED] VERIFY10 command failed\n    [FAILED] again\nFAILED\n    \
        1. test.c:43  - CU_ASSERT_EQUAL(_r,0)\n  \
        Test: Dpo ...passed    [SKIPPED] PERSISTENT RESERVE IN is not implemented.\n  \
        Test: Broken ...\n\nRun Summary:    Type  Total\n";

    #[test]
    fn endings_are_found_among_what_is_logged() {
        let endings = endings(SAID);
        let told: Vec<_> = endings
            .iter()
            .map(|(test, ending)| (test.as_str(), *ending))
            .collect();
        assert_eq!(
            told,
            [
                ("Inquiry.BlockLimits", Ending::Skipped),
                ("Inquiry.Standard", Ending::Passed),
                ("Verify10.Broken", Ending::Failed),
                ("Verify10.Dpo", Ending::Passed),
                ("Verify10.Simple", Ending::Failed),
            ]
        );
    }

    #[test]
    fn what_is_not_as_listed_is_told() {
        let mut endings: BTreeMap<_, _> = FAILS
            .iter()
            .map(|(name, _)| ((*name).to_owned(), Ending::Failed))
            .collect();
        endings.insert("Read10.Simple".to_owned(), Ending::Passed);
        let faults = |endings: &BTreeMap<String, Ending>| {
            let verdicts = verdicts(endings);
            let faults = verdicts.into_iter().filter(|(_, verdict)| verdict.is_err());
            faults.map(|(test, _)| test).collect::<Vec<_>>()
        };
        assert_eq!(faults(&endings), [""; 0]);
        endings.insert("Read10.Simple".to_owned(), Ending::Failed);
        endings.insert("Verify10.Flags".to_owned(), Ending::Passed);
        endings.remove("Verify10.Simple");
        assert_eq!(
            faults(&endings),
            ["Read10.Simple", "Verify10.Flags", "Verify10.Simple"]
        );
    }
}
