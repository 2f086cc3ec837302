//! Where judges come from: Debian packages, installed on demand if this is Debian and the
//! user is root.

use std::cell::OnceCell;
use std::path::Path;
use std::time::Duration;

use crate::command::{Program, is_installed};

/// Installs what is missing, at most one update of the package lists a run.
pub struct Packages {
    updated: OnceCell<Result<(), String>>,
}

impl Packages {
    pub fn new() -> Self {
        Self {
            updated: OnceCell::new(),
        }
    }

    /// Makes sure that these programs are installed; each comes with its package's name.
    /// `Err` names what is missing and how to get it.
    pub fn provide(&self, needs: &[(&str, &str)]) -> Result<(), String> {
        let missing = |needs: &[(&str, &str)]| -> Vec<String> {
            let missing = needs.iter().filter(|(program, _)| !is_installed(program));
            let mut packages: Vec<_> = missing.map(|(_, package)| (*package).to_owned()).collect();
            packages.sort();
            packages.dedup();
            packages
        };
        let packages = missing(needs);
        if packages.is_empty() {
            return Ok(());
        }
        let wanted = packages.join(" ");
        if !may_install() {
            return Err(format!(
                "not installed; on Debian: apt-get install {wanted}"
            ));
        }
        self.update()?;
        let install = apt(&["install", "--yes", "--no-install-recommends"]).args(&packages);
        install.capture()?.require_success(&install)?;
        let still = missing(needs);
        if still.is_empty() {
            return Ok(());
        }
        Err(format!(
            "still missing after `{install}`: {}",
            still.join(" ")
        ))
    }

    /// Unpacks a package, or the one that it stands for, into a folder, without installing it;
    /// one that is there already stays.
    pub fn unpack(&self, package: &str, folder: &Path) -> Result<(), String> {
        let done = folder.join("unpacked");
        if done.exists() {
            return Ok(());
        }
        if !is_installed("apt-get") {
            return Err(format!(
                "{package} is a package of Debian, which this system is not"
            ));
        }
        self.update()?;
        let depends = Program::new("apt-cache").args(["depends", "--important", package]);
        let listed = depends.capture()?.require_success(&depends)?.stdout_text();
        let stands_for = listed
            .lines()
            .find_map(|line| line.trim().strip_prefix("Depends: "));
        let wanted = stands_for
            .filter(|name| !name.contains('<'))
            .unwrap_or(package);
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::create_dir_all(folder).map_err(failed)?;
        let download = apt(&["download", wanted]).current_dir(folder);
        download.capture()?.require_success(&download)?;
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                let unpack = Program::new("dpkg").arg("-x").arg(&path).arg(folder);
                unpack.capture()?.require_success(&unpack)?;
                std::fs::remove_file(&path).map_err(failed)?;
            }
        }
        std::fs::write(done, wanted).map_err(failed)
    }

    fn update(&self) -> Result<(), String> {
        let update = || {
            let update = apt(&["update"]);
            update.capture()?.require_success(&update).map(|_| ())
        };
        self.updated.get_or_init(update).clone()
    }
}

fn apt(arguments: &[&str]) -> Program {
    Program::new("apt-get")
        .args(["--quiet", "-o", "DPkg::Lock::Timeout=120"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .timeout(Duration::from_mins(5))
}

/// Whether this is Debian and the user may install packages.
fn may_install() -> bool {
    Path::new("/etc/debian_version").exists() && is_root() && is_installed("apt-get")
}

/// Whether the user is the superuser.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
