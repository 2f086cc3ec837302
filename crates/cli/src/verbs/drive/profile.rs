//! The model of an emulated drive, by the name of one that comes with the program or by a file.

use std::path::Path;

use reburn_emulator::DriveProfile;

use crate::failure::Failure;

/// The profile that was asked for, or the default one.
pub fn of(name: Option<&str>) -> Result<DriveProfile, Failure> {
    let Some(name) = name else {
        return Ok(DriveProfile::default());
    };
    if let Some(profile) = DriveProfile::built_in(name) {
        return Ok(profile);
    }
    let text = std::fs::read_to_string(name).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let known = DriveProfile::BUILT_IN.join(", ");
            Failure::usage(format!(
                "{name} is neither a file nor a profile that comes with the program: {known}"
            ))
        }
        _ => Failure::host(Path::new(name), &error),
    })?;
    DriveProfile::from_toml(&text).map_err(|error| Failure::usage(error.to_string()).of(name))
}
