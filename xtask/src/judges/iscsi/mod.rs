//! The iSCSI target, judged by libiscsi's conformance tests and by QEMU's tools.
//!
//! The drive is served by the program itself, with a DVD-RAM in it: the conformance tests write
//! where they like.

mod conformance;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Judge;
use super::evidence::{Evidence, failed};
use super::report::Report;
use crate::command::{Program, last_lines};
use crate::served::Served;

pub const JUDGE: Judge = Judge {
    name: "iscsi",
    proves: "initiators that others wrote find, test, write and read a served drive",
    needs: &[
        ("iscsi-test-cu", "libiscsi-bin"),
        ("iscsi-ls", "libiscsi-bin"),
        ("iscsi-inq", "libiscsi-bin"),
        ("qemu-img", "qemu-utils"),
        ("qemu-io", "qemu-utils"),
        (BLOCK_DRIVER, "qemu-block-extra"),
    ],
    optional: false,
    run,
};

/// QEMU's own initiator, in a package that has no program.
const BLOCK_DRIVER: &str = "/usr/lib/x86_64-linux-gnu/qemu/block-iscsi.so";

/// So fast a drive that nobody waits for its mechanics.
const PACE: [&str; 2] = ["--pace", "1000000"];

/// How long an initiator may take for a question.
const PATIENCE: Duration = Duration::from_mins(1);

/// What two initiators write each, at the same time.
const MEGABYTES: usize = 64;

fn run(evidence: &Evidence, report: &mut Report) -> Result<(), String> {
    let folder = evidence.scratch("iscsi")?;
    let bench = Bench {
        evidence,
        disc: folder.join("dvd-ram"),
        folder: folder.clone(),
    };
    bench.create()?;
    bench.ask(report)?;
    bench.ask_for_secrets(report)?;
    bench.write_and_read(report)?;
    bench.break_off(report)?;
    conformance::run(&bench, report)?;
    evidence.discard(&folder)
}

/// A virtual disc and a folder to work in.
struct Bench<'a> {
    evidence: &'a Evidence,
    disc: PathBuf,
    folder: PathBuf,
}

impl Bench<'_> {
    fn create(&self) -> Result<(), String> {
        let create = self
            .evidence
            .reburn()?
            .args(["drive", "create"])
            .arg(&self.disc);
        let create = create.args(["--media", "dvd-ram"]);
        create.capture()?.require_success(&create).map(|_| ())
    }

    fn serve(&self, arguments: &[&str]) -> Result<Served, String> {
        let arguments = [&PACE, arguments].concat();
        Served::start(self.evidence.reburn()?, &self.disc, &arguments)
    }

    fn file(&self, name: &str, content: &[u8]) -> Result<PathBuf, String> {
        let path = self.folder.join(name);
        fs::write(&path, content).map_err(failed(&path))?;
        Ok(path)
    }

    /// Who is there?
    fn ask(&self, report: &mut Report) -> Result<(), String> {
        let served = self.serve(&[])?;
        let portal = format!("iscsi://{}", served.address);
        let expected = format!("Target:{} Portal:{},1", served.name, served.address);
        let list = Program::new("iscsi-ls")
            .arg("-s")
            .arg(&portal)
            .timeout(PATIENCE);
        report.verdict("discovery", &list, says(&list, &[&expected, "Type:MMC"]));
        let inquire = Program::new("iscsi-inq")
            .arg(served.url(""))
            .timeout(PATIENCE);
        let expected = ["Peripheral Device Type:MMC", "Removable:1"];
        report.verdict("inquiry", &inquire, says(&inquire, &expected));
        served.stop()
    }

    /// With a secret, without one, and with another one.
    fn ask_for_secrets(&self, report: &mut Report) -> Result<(), String> {
        let secret = self.file("secret", b"only for hosts\n")?;
        let own = self.file("own-secret", b"only for drives\n")?;
        let arguments = ["--chap-user", "host", "--chap-secret-file", utf8(&secret)?];
        let mutual = [
            "--target-user",
            "drive",
            "--target-secret-file",
            utf8(&own)?,
        ];
        let served = self.serve(&[arguments, mutual].concat())?;
        let cases = [
            ("right secret", "host%only for hosts@", "", true),
            ("wrong secret", "host%only for guests@", "", false),
            ("wrong user", "guest%only for hosts@", "", false),
            ("no secret", "", "", false),
            (
                "both secrets",
                "host%only for hosts@",
                "drive only for drives",
                true,
            ),
            (
                "wrong secret of the target",
                "host%only for hosts@",
                "drive a false one!",
                false,
            ),
        ];
        for (case, who, target, enters) in cases {
            let mut inquire = Program::new("iscsi-inq")
                .arg(served.url(who))
                .timeout(PATIENCE);
            if let Some((user, secret)) = target.split_once(' ') {
                inquire = inquire
                    .env("LIBISCSI_CHAP_TARGET_USERNAME", user)
                    .env("LIBISCSI_CHAP_TARGET_PASSWORD", secret);
            }
            let entered = says(&inquire, &["Peripheral Device Type:MMC"]);
            let verdict = match (entered, enters) {
                (Err(_), false) => Ok(()),
                (Ok(()), false) => Err("it was let in".to_owned()),
                (entered, true) => entered,
            };
            report.verdict(case, &inquire, verdict);
        }
        served.stop()
    }

    /// Two initiators at once, one with digests; then the disc is read back over the network
    /// and without it.
    fn write_and_read(&self, report: &mut Report) -> Result<(), String> {
        let served = self.serve(&[])?;
        let contents = [1, 2].map(|seed| noise(MEGABYTES << 20, seed));
        let mut writers = Vec::new();
        for (index, (content, digest)) in contents.iter().zip(["crc32c", "none"]).enumerate() {
            let source = self.file(&format!("source-{index}"), content)?;
            let convert = Program::new("qemu-img")
                .args(["convert", "-n", "-f", "raw", "--target-image-opts"])
                .arg(source)
                .arg(part(&served, index, digest))
                .timeout(PATIENCE);
            writers.push(std::thread::spawn(move || {
                let done = convert
                    .capture()
                    .and_then(|output| output.require_success(&convert));
                (convert, done.map(|_| ()))
            }));
        }
        for writer in writers {
            let (program, done) = writer.join().map_err(|_| "a writer panicked")?;
            report.verdict("write", &program, done);
        }
        for (index, content) in contents.iter().enumerate() {
            let path = self.folder.join("back");
            let convert = Program::new("qemu-img")
                .args(["convert", "-O", "raw", "--image-opts"])
                .arg(part(&served, index, "crc32c"))
                .arg(&path)
                .timeout(PATIENCE);
            let done = convert
                .capture()
                .and_then(|output| output.require_success(&convert));
            let same = done.and_then(|_| {
                let back = fs::read(&path).map_err(failed(&path))?;
                equal(&back, content)
            });
            report.verdict("read", &convert, same);
        }
        served.stop()?;
        let disc = reburn_emulator::VirtualDisc::open(&self.disc).map_err(|e| e.to_string())?;
        let mut blocks = vec![0; 2 * (MEGABYTES << 20)];
        reburn_blocks::BlockRead::read_blocks(&disc, reburn_blocks::Lba::ZERO, &mut blocks)
            .map_err(|error| error.to_string())?;
        let replay = Program::new("reburn").args(["drive", "serve"]);
        report.verdict("disc", &replay, equal(&blocks, &contents.concat()));
        Ok(())
    }

    /// An initiator that is killed while it writes disturbs nobody.
    fn break_off(&self, report: &mut Report) -> Result<(), String> {
        // Slow enough to be hit in the middle.
        let arguments = ["--pace", "20"];
        let served = Served::start(self.evidence.reburn()?, &self.disc, &arguments)?;
        let write = Program::new("qemu-io")
            .args(["-f", "raw"])
            .args(["-c", "write -P 0x5a 0 15M"].repeat(8))
            .arg(served.url(""));
        let killed = write
            .clone()
            .timeout(Duration::from_millis(400))
            .capture()?;
        let verdict = match killed.status {
            None => Ok(()),
            Some(_) => Err("it was done before it could be killed".to_owned()),
        };
        report.verdict("broken off", &write, verdict);
        let read = Program::new("qemu-io")
            .args(["-r", "-f", "raw", "-c", "read 64M 1M"])
            .arg(served.url(""))
            .timeout(PATIENCE);
        report.verdict(
            "another one",
            &read,
            says(&read, &["read 1048576/1048576 bytes"]),
        );
        served.stop()
    }
}

/// One initiator's part of the disc, as QEMU's programs take it.
fn part(served: &Served, index: usize, digest: &str) -> String {
    let (size, address, name) = (MEGABYTES << 20, &served.address, &served.name);
    let offset = index * size;
    format!(
        "driver=raw,offset={offset},size={size},file.driver=iscsi,file.transport=tcp,\
         file.portal={address},file.target={name},file.lun=0,file.header-digest={digest}"
    )
}

/// Runs a program that must succeed and print these texts.
fn says(program: &Program, texts: &[&str]) -> Result<(), String> {
    let said = program.capture()?.require_success(program)?.stdout_text();
    match texts.iter().find(|text| !said.contains(**text)) {
        None => Ok(()),
        Some(text) => Err(format!(
            "it does not say `{text}`:\n{}",
            last_lines(&said, 20)
        )),
    }
}

fn equal(seen: &[u8], expected: &[u8]) -> Result<(), String> {
    if seen == expected {
        return Ok(());
    }
    let place = seen.iter().zip(expected).position(|(a, b)| a != b);
    Err(format!("bytes differ, first at {place:?}"))
}

/// Bytes that look like none of their neighbours.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    use rand::{Rng, SeedableRng};
    let mut bytes = vec![0; len];
    rand_chacha::ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

fn utf8(path: &Path) -> Result<&str, String> {
    path.to_str()
        .ok_or_else(|| format!("{}: not a text", path.display()))
}
