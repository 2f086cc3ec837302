//! Files that appear whole or not at all.
//!
//! Invariant: what stood under the name before stays there until the new file is complete.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file being written beside the place it is meant for.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    kept: bool,
}

impl Output {
    /// Starts a file that will be `path`.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            let what = path.display();
            return Err(Failure::usage(format!(
                "{what} exists and is not a file; name another"
            )));
        }
        let name = path
            .file_name()
            .ok_or_else(|| Failure::usage(format!("{} does not name a file", path.display())))?;
        let mut partial_name = std::ffi::OsString::from(".");
        partial_name.push(name);
        partial_name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(partial_name);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&partial);
        let file = file.map_err(|error| Failure::host(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            file,
            kept: false,
        })
    }

    /// The file, to write to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts the complete file in its place.
    pub fn keep(mut self) -> Result<(), Failure> {
        fs::rename(&self.partial, &self.path).map_err(|error| Failure::host(&self.path, &error))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done about a file that will not go.
            let _ = fs::remove_file(&self.partial);
        }
    }
}
