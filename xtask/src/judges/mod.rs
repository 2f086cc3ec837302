//! Judges: programs that others wrote, asked about images that `reburn` wrote, and `reburn`
//! asked about images that others wrote.
//!
//! - Own readers never judge own writers alone.
//! - What a judge is known not to give back is a named tolerance with its reason; everything
//!   else it says counts.
//! - Every judge that compares must also refuse an image with one wrong bit, so that it is
//!   known to look.
//! - A judge that is missing is installed (Debian, as root), else skipped in print; with
//!   `CI=true` it is a failure.

mod bsdtar;
mod burning;
pub mod crash;
mod evidence;
mod foreign;
mod foreign_udf;
mod guest;
mod iscsi;
mod isoinfo;
mod kernel;
mod kernel_udf;
mod names;
mod packages;
mod pycdlib;
mod read_back;
mod read_back_udf;
mod report;
mod seven_zip;
mod seven_zip_udf;
mod tolerances;
mod udf_labels;
pub mod vm;
mod volume_kinds;
mod volumes;
mod xorriso;

use std::path::PathBuf;

use crate::test::Outcome;
use crate::workspace;
use evidence::{Evidence, Maker};
use packages::Packages;
use report::Report;

/// What the judges are asked to do.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Full size instead of a sample.
    pub full: bool,
    /// Keep images and extracted trees.
    pub keep: bool,
    /// Let xorriso write the images, to see what judges say of somebody else's work.
    pub foreign_maker: bool,
}

/// One outside program, or a family of them.
pub struct Judge {
    /// Its name among the steps.
    pub name: &'static str,
    /// What its verdict proves.
    pub proves: &'static str,
    /// The programs it needs and the Debian packages that hold them.
    needs: &'static [(&'static str, &'static str)],
    /// Whether it may be missing even in an unattended run.
    optional: bool,
    /// Looks at the evidence and reports.
    run: fn(&Evidence, &mut Report) -> Result<(), String>,
}

/// Every judge, in the order in which they are heard.
pub const JUDGES: [Judge; 23] = [
    xorriso::JUDGE,
    isoinfo::JUDGE,
    bsdtar::JUDGE,
    seven_zip::JUDGE,
    kernel::JUDGE,
    kernel_udf::JUDGE,
    udf_labels::UDFINFO,
    udf_labels::BLKID,
    seven_zip_udf::JUDGE,
    read_back::JUDGE,
    read_back_udf::JUDGE,
    foreign::JUDGE,
    foreign_udf::JUDGE,
    pycdlib::JUDGE,
    crash::lost_units::JUDGE,
    crash::cuts::JUDGE,
    iscsi::JUDGE,
    vm::JUDGE,
    burning::cdrskin::JUDGE,
    burning::xorriso::JUDGE,
    burning::growisofs::JUDGE,
    burning::dvd_format::JUDGE,
    burning::wodim::JUDGE,
];

/// The judges of one run and what they share.
pub struct Court {
    evidence: Evidence,
    packages: Packages,
}

impl Court {
    /// Makes a folder for images and trees; nothing is built before a judge asks for it.
    pub fn open(settings: Settings) -> Result<Self, String> {
        let maker = if settings.foreign_maker {
            Maker::Xorriso
        } else {
            Maker::Reburn
        };
        let folder = target_folder();
        let evidence = Evidence::new(&folder, maker, settings)?;
        Ok(Self {
            evidence,
            packages: Packages::new(),
        })
    }

    /// Hears one judge.
    pub fn hear(&self, judge: &Judge) -> Outcome {
        if let Err(reason) = self.packages.provide(judge.needs) {
            let must = workspace::is_ci() && !judge.optional;
            return if must {
                Outcome::Failed(reason)
            } else {
                Outcome::Skipped(reason)
            };
        }
        let mut report = Report::default();
        let run = (judge.run)(&self.evidence, &mut report);
        report.into_outcome(run)
    }
}

/// What the tests of single crates ask, besides the judges here: program and package.
const ASKED_BY_TESTS: [(&str, &str); 8] = [
    ("xorriso", "xorriso"),
    ("genisoimage", "genisoimage"),
    ("isovfy", "genisoimage"),
    ("bsdtar", "libarchive-tools"),
    ("7z", "p7zip-full"),
    ("mkudffs", "udftools"),
    ("udfinfo", "udftools"),
    ("xz", "xz-utils"),
];

/// Installs what the tests of single crates ask, where that is possible. A test whose program
/// is missing says so itself, and fails in an unattended run.
pub fn install_for_tests() {
    if let Err(reason) = Packages::new().provide(&ASKED_BY_TESTS) {
        println!("some tests will skip: {reason}");
    }
}

/// The folder that cargo builds in, where images may lie: big, and ignored by version control.
fn target_folder() -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    workspace::root().join(set.unwrap_or_else(|| "target".into()))
}
