//! Running the program in a folder of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder that is gone after the test, and the program run in it.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// A folder with two files below `src`, and their image `disc.iso`.
    pub fn new() -> Self {
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        place.write("src/one.txt", b"one");
        place.write("src/sub/two.bin", &[2; 5000]);
        place.ok(&["make", "src", "-o", "disc.iso", "--time", "1700000000"]);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// A file of that many bytes, which take no room.
    pub fn sparse(&self, name: &str, len: u64) {
        File::create(self.path(name)).unwrap().set_len(len).unwrap();
    }

    pub fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_remove("SOURCE_DATE_EPOCH");
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(Path::new(env!("CARGO_BIN_EXE_reburn")), args)
            .output()
            .unwrap()
    }

    /// What the program prints, if it succeeds.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "reburn {} failed: {said}",
            args.join(" ")
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The exit code of a failure, and the one sentence that the program says.
    pub fn fails(&self, args: &[&str]) -> (i32, String) {
        failure(&self.run(args))
    }
}

/// The exit code of a failure, and what the program says without its name.
pub fn failure(output: &Output) -> (i32, String) {
    let said = String::from_utf8_lossy(&output.stderr);
    let sentence = said.strip_prefix("reburn: ").unwrap_or(&said).trim_end();
    assert_eq!(sentence.lines().count(), 1, "not one line: {said}");
    assert!(output.stdout.is_empty(), "a failure printed a result");
    (output.status.code().unwrap(), sentence.to_owned())
}
