//! A guest with a real kernel's optical drivers (`sr`, `sg`), its drives served by the program.
//!
//! QEMU attaches the drives over iSCSI and hands commands through, so the guest's kernel, the
//! burning program and `reburn` itself speak to the emulated drive as to a real one. One boot,
//! three drives: on the first, a disc that `reburn` recorded is mounted, edited by a plan
//! through SG_IO, and mounted again; on the second, growisofs burns a blank disc; on the third
//! is a UDF disc.

mod digests;
mod initrd;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::Judge;
use super::evidence::{Evidence, failed};
use super::packages::Packages;
use super::report::Report;
use crate::command::{Program, last_lines};
use crate::served::Served;
use crate::test;
use digests::{Digests, digests, parse_digests, same};
use initrd::Initrd;

pub const JUDGE: Judge = Judge {
    name: "vm",
    proves: "a guest's kernel, growisofs and reburn itself use served drives as real ones",
    needs: &[
        ("qemu-system-x86_64", "qemu-system-x86"),
        (BLOCK_DRIVER, "qemu-block-extra"),
        ("busybox", "busybox-static"),
        ("growisofs", "growisofs"),
        ("genisoimage", "genisoimage"),
        ("ldd", "libc-bin"),
        ("sha256sum", "coreutils"),
    ],
    optional: false,
    run,
};

/// QEMU's own initiator, in a package that has no program.
const BLOCK_DRIVER: &str = "/usr/lib/x86_64-linux-gnu/qemu/block-iscsi.so";

/// The package that stands for the newest kernel.
const KERNEL: &str = "linux-image-amd64";

/// Modules in the order of their needs.
const MODULES: [&str; 14] = [
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci",
    "drivers/scsi/scsi_common",
    "drivers/scsi/scsi_mod",
    "drivers/cdrom/cdrom",
    "drivers/scsi/sr_mod",
    "drivers/scsi/sg",
    "lib/crc-itu-t",
    "fs/udf/udf",
    "fs/isofs/isofs",
    "drivers/scsi/virtio_scsi",
];

/// How long the guest may take, from its kernel's first instruction on.
const PATIENCE: Duration = Duration::from_mins(6);

/// What the guest does, as its shell reads it; the names are those of the verdicts.
const STEPS: &str = "\
step 'mount ISO 9660' look sr0 iso9660
step 'mount UDF' look sr2 udf
step 'burn a plan' reburn burn --quiet /plan /dev/sr0
step 'mount what was edited' look sr0 iso9660
step 'growisofs' growisofs -Z /dev/sr1 -quiet -R -J /tree
step 'mount what growisofs burned' look sr1 iso9660
";

/// What `cargo xtask vm` takes.
#[derive(Debug, Args)]
pub struct Options {
    /// Keep the folder with discs and the guest's console (target/judges)
    #[arg(long)]
    keep: bool,
}

/// Hears this judge alone.
pub fn run_alone(options: &Options) -> ExitCode {
    test::run(&test::Options::only(&[JUDGE.name], false, options.keep))
}

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("vm")?;
    let kernel = super::target_folder().join("vm/kernel");
    Packages::new().unpack(KERNEL, &kernel)?;
    let bench = Bench {
        evidence,
        folder: folder.clone(),
        kernel,
    };
    let (before, after) = bench.trees()?;
    bench.discs(&before, &after)?;
    let (program, console) = bench.boot()?;
    let steps = steps(&console);
    bench.judge(&steps, &program, report, &before, &after)?;
    evidence.discard(&folder)
}

/// Files of one run.
struct Bench<'a> {
    evidence: &'a Evidence,
    folder: PathBuf,
    kernel: PathBuf,
}

impl Bench<'_> {
    /// A tree, and the same tree after some changes.
    fn trees(&self) -> Result<(PathBuf, PathBuf), String> {
        let (before, after) = (self.folder.join("tree"), self.folder.join("changed"));
        for tree in [&before, &after] {
            for (seed, (name, len)) in (0..).zip(FILES) {
                let path = tree.join(name);
                let above = path.parent().unwrap_or(tree);
                fs::create_dir_all(above).map_err(failed(above))?;
                fs::write(&path, noise(len, seed)).map_err(failed(&path))?;
            }
        }
        let new = after.join("folder/new");
        fs::write(&new, noise(300_000, 99)).map_err(failed(&new))?;
        let changed = after.join(FILES[0].0);
        fs::write(&changed, noise(5000, 98)).map_err(failed(&changed))?;
        let gone = after.join(FILES[1].0);
        fs::remove_file(&gone).map_err(failed(&gone))?;
        Ok((before, after))
    }

    fn disc(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn reburn(&self, arguments: &[&str]) -> Result<(), String> {
        let program = self
            .evidence
            .reburn()?
            .args(arguments)
            .current_dir(&self.folder);
        program.capture()?.require_success(&program).map(|_| ())
    }

    /// Two discs with the tree, a blank one, and a plan for the first.
    fn discs(&self, before: &Path, after: &Path) -> Result<(), String> {
        let (before, after) = (text(before)?, text(after)?);
        self.reburn(&["make", before, "-o", "iso", "--media", "bd-re"])?;
        self.reburn(&["burn", "iso", "virtual:sr0", "--media", "bd-re"])?;
        self.reburn(&[
            "make", before, "-o", "udf", "--fs", "udf-2.01", "--media", "dvd-ram",
        ])?;
        self.reburn(&["burn", "udf", "virtual:sr2", "--media", "dvd-ram"])?;
        self.reburn(&["drive", "create", "sr1", "--media", "dvd+r"])?;
        self.reburn(&["edit", "virtual:sr0", "--sync", after, "-o", "plan"])
    }

    /// Boots the guest with its three drives; what its console said.
    fn boot(&self) -> Result<(Program, String), String> {
        let initrd = self.folder.join("initrd");
        fs::write(&initrd, self.initrd()?).map_err(failed(&initrd))?;
        let mut drives = Vec::new();
        for name in ["sr0", "sr1", "sr2"] {
            let arguments = ["--pace", "10000"];
            drives.push(Served::start(
                self.evidence.reburn()?,
                &self.disc(name),
                &arguments,
            )?);
        }
        let mut qemu = Program::new("qemu-system-x86_64")
            .args([
                "-accel",
                "tcg",
                "-cpu",
                "max",
                "-m",
                "512",
                "-nodefaults",
                "-no-reboot",
            ])
            .args(["-display", "none", "-serial", "stdio", "-append"])
            .arg("console=ttyS0 quiet panic=-1")
            .arg("-kernel")
            .arg(self.boot_file("vmlinuz")?)
            .arg("-initrd")
            .arg(&initrd)
            .args(["-device", "virtio-scsi-pci,id=scsi"])
            .timeout(PATIENCE);
        for (number, served) in drives.iter().enumerate() {
            let Served { address, name, .. } = served;
            qemu = qemu.arg("-drive").arg(format!(
                "if=none,id=drive{number},format=raw,file.driver=iscsi,file.transport=tcp,\
                 file.portal={address},file.target={name},file.lun=0"
            ));
            qemu = qemu.arg("-device").arg(format!(
                "scsi-generic,drive=drive{number},bus=scsi.0,scsi-id={number}"
            ));
        }
        let output = qemu.capture()?;
        let console = format!("\n{}", output.stdout_text().replace('\r', ""));
        let kept = self.folder.join("console");
        fs::write(&kept, &console).map_err(failed(&kept))?;
        for served in drives {
            served.stop()?;
        }
        if !console.contains("\n@done") {
            let (tail, errors) = (last_lines(&console, 25), output.stderr_text());
            return Err(format!(
                "`{qemu}` did not come to its end; the guest's console ends in:\n{tail}\n{}",
                last_lines(&errors, 10)
            ));
        }
        Ok((qemu, console))
    }

    /// A file of the kernel's package whose name ends with its version.
    fn boot_file(&self, name: &str) -> Result<PathBuf, String> {
        only_entry(&self.kernel.join("boot"), name)
    }

    fn initrd(&self) -> Result<Vec<u8>, String> {
        let mut initrd = Initrd::default();
        initrd.file(Path::new("/init"), 0o755, include_bytes!("guest.sh"));
        initrd.file(Path::new("/steps"), 0o644, STEPS.as_bytes());
        initrd.file(Path::new("/last-drive"), 0o644, b"sr2\n");
        let modules = only_entry(&self.kernel.join("lib/modules"), "")?.join("kernel");
        let mut order = String::new();
        for module in MODULES {
            let name = module.rsplit('/').next().unwrap_or(module);
            let to = format!("/modules/{name}.ko");
            initrd.copy(&modules.join(format!("{module}.ko")), Path::new(&to))?;
            order += name;
            order += "\n";
        }
        initrd.file(Path::new("/modules/order"), 0o644, order.as_bytes());
        initrd.program(&in_path("busybox")?, Path::new("/bin/busybox"))?;
        for name in ["growisofs", "genisoimage"] {
            let to = format!("/usr/bin/{name}");
            initrd.program(&in_path(name)?, Path::new(&to))?;
        }
        initrd.link(Path::new("/usr/bin/mkisofs"), "genisoimage");
        initrd.program(&self.evidence.reburn_path()?, Path::new("/usr/bin/reburn"))?;
        initrd.tree(&self.folder.join("tree"), Path::new("/tree"))?;
        initrd.copy(&self.folder.join("plan"), Path::new("/plan"))?;
        Ok(initrd.finish())
    }

    /// Compares what the guest saw with the trees, and looks at the discs again.
    fn judge(
        &self,
        steps: &BTreeMap<&str, Step<'_>>,
        replay: &Program,
        report: &mut Report,
        before: &Path,
        after: &Path,
    ) -> Result<(), String> {
        let (old, new) = (digests(before)?, digests(after)?);
        let seen = [
            ("mount ISO 9660", Some(&old)),
            ("mount UDF", Some(&old)),
            ("burn a plan", None),
            ("mount what was edited", Some(&new)),
            ("growisofs", None),
            ("mount what growisofs burned", Some(&old)),
        ];
        for (name, expected) in seen {
            let verdict = match steps.get(name) {
                None => Err("the guest did not come to it".to_owned()),
                Some(step) => step.verdict(expected),
            };
            report.verdict(name, replay, verdict);
        }
        for (disc, expected) in [("sr0", &new), ("sr1", &old), ("sr2", &old)] {
            let out = self.folder.join(format!("{disc}-out"));
            let name = format!("virtual:{disc}");
            let get = self
                .evidence
                .reburn()?
                .args(["get", name.as_str(), "-o"])
                .arg(&out);
            let get = get.current_dir(&self.folder);
            let got = get
                .capture()
                .and_then(|output| output.require_success(&get));
            let verdict = got.and_then(|_| same(&digests(&out)?, expected));
            report.verdict(&format!("{disc}, without the guest"), &get, verdict);
        }
        Ok(())
    }
}

/// Names and lengths of the files on the discs.
const FILES: [(&str, usize); 6] = [
    ("changes", 4000),
    ("folder/goes", 70_000),
    ("folder/below/large", 1_500_000),
    ("folder/ünicode and spaces", 2048),
    ("empty", 0),
    ("one byte", 1),
];

/// What the guest did in one step.
#[derive(Debug, PartialEq, Eq)]
struct Step<'a> {
    said: &'a str,
    status: &'a str,
}

impl Step<'_> {
    /// Whether it went well, and the guest saw what it should.
    fn verdict(&self, expected: Option<&Digests>) -> Result<(), String> {
        let said = last_lines(self.said, 25);
        if self.status != "0" {
            let status = self.status;
            return Err(format!(
                "in the guest, it ended with status {status}:\n{said}"
            ));
        }
        let Some(expected) = expected else {
            return Ok(());
        };
        same(&parse_digests(self.said), expected)
            .map_err(|difference| format!("{difference}; the guest's console:\n{said}"))
    }
}

/// The steps that the guest came to the end of.
fn steps(console: &str) -> BTreeMap<&str, Step<'_>> {
    let parts = console.split("\n@step ").skip(1);
    let steps = parts.filter_map(|part| {
        let (name, rest) = part.split_once('\n')?;
        let (said, rest) = match rest.strip_prefix("@status ") {
            Some(rest) => ("", rest),
            None => rest.split_once("\n@status ")?,
        };
        let status = rest.lines().next()?;
        Some((name, Step { said, status }))
    });
    steps.collect()
}

/// The only entry of a folder whose name begins so.
fn only_entry(folder: &Path, prefix: &str) -> Result<PathBuf, String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            found.push(entry.path());
        }
    }
    match found.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(format!(
            "{}: {} entries `{prefix}...`",
            folder.display(),
            found.len()
        )),
    }
}

/// Where a program stands in the search path.
fn in_path(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places
        .find(|place| place.is_file())
        .ok_or_else(|| format!("`{name}` is not in the search path"))
}

fn noise(len: usize, seed: u64) -> Vec<u8> {
    super::iscsi::noise(len, seed)
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str()
        .ok_or_else(|| format!("{}: not a text", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_on_a_console() {
        let console = "boot\n@step one\nsome\nlines\n@status 0\nnoise\n@step two\n@status 3\n\
                       @step three\nhangs\n";
        let found = steps(console);
        let step = |said, status| Step { said, status };
        assert_eq!(found.len(), 2);
        assert_eq!(found["one"], step("some\nlines", "0"));
        assert_eq!(found["two"], step("", "3"));
        let fault = found["two"].verdict(None).unwrap_err();
        assert!(fault.contains("status 3"), "{fault}");
    }
}
