//! `reburn drive serve`: a virtual disc in an emulated drive, for hosts on the network.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use reburn_attach::iscsi::{Chap, Credentials, Target, TargetOptions};
use reburn_attach::{Pace, SharedDrive};
use reburn_drive::{CommandError, DriveExt};
use reburn_emulator::{Emulator, VirtualDisc};
use reburn_mmc::Sense;
use serde_json::json;

use super::profile;
use crate::drive_args::Serve;
use crate::failure::Failure;
use crate::progress::Terminal;

/// How long, in the drive, what still runs when serving ends may take.
const END_LIMIT: Duration = Duration::from_hours(4);

/// Serves the disc until an interrupt or a request to end; then what the drive's buffer holds
/// goes to the disc.
pub fn run(args: &Serve, terminal: Terminal) -> Result<ExitCode, Failure> {
    let options = options(args)?;
    let disc = VirtualDisc::open(&args.disc).map_err(|error| Failure::usage(error.to_string()))?;
    let profile = profile::of(args.profile.as_deref())?;
    let drive = Emulator::with_profile(profile, disc);
    let mut drive = SharedDrive::new(drive, Pace::times(args.pace));
    let target = Target::new(drive.clone(), options);
    let target = target.map_err(|error| Failure::usage(error.to_string()))?;
    if let Some(path) = &args.trace {
        let file = File::create(path).map_err(|error| Failure::host(path, &error))?;
        target.trace(file);
    }
    let at_address = |error: io::Error| Failure::usage(format!("{}: {error}", args.listen));
    let listener = TcpListener::bind(args.listen).map_err(at_address)?;
    let address = listener.local_addr().map_err(at_address)?;
    let stopped = target.clone();
    ctrlc::set_handler(move || stopped.stop())
        .map_err(|error| Failure::usage(format!("interrupts cannot be caught: {error}")))?;
    let (path, name) = (args.disc.display(), &args.name);
    terminal.result(
        &format!("{path}: served at iscsi://{address}/{name}/0"),
        &json!({ "disc": path.to_string(), "address": address.to_string(), "name": name }),
    );
    let served = target.serve(&listener).map_err(at_address);
    let ended = shut_down(&mut drive);
    ended.map_err(|error| Failure::drive(error.to_string()).of(path))?;
    if let Some(path) = &args.trace {
        target
            .end_trace()
            .map_err(|error| Failure::host(path, &error))?;
    }
    served.map(|()| ExitCode::SUCCESS)
}

/// The target's options; a drive that other machines reach asks them for a secret.
fn options(args: &Serve) -> Result<TargetOptions, Failure> {
    let initiator = credentials(args.chap_user.as_deref(), args.chap_secret_file.as_deref())?;
    let own = credentials(
        args.target_user.as_deref(),
        args.target_secret_file.as_deref(),
    )?;
    if initiator.is_none() && !args.listen.ip().is_loopback() {
        return Err(Failure::usage(format!(
            "{} is reached by other machines, and everyone on them could write to the disc; add \
             --chap-user and --chap-secret-file, or listen on 127.0.0.1",
            args.listen
        )));
    }
    Ok(TargetOptions {
        name: args.name.clone(),
        alias: None,
        chap: initiator.map(|initiator| Chap {
            initiator,
            target: own,
        }),
        random: |bytes| getrandom::fill(bytes).map_err(|error| io::Error::other(error.to_string())),
    })
}

fn credentials(user: Option<&str>, file: Option<&Path>) -> Result<Option<Credentials>, Failure> {
    let (Some(user), Some(file)) = (user, file) else {
        return Ok(None);
    };
    let mut secret = std::fs::read(file).map_err(|error| Failure::host(file, &error))?;
    for end in [b'\n', b'\r'] {
        if secret.last() == Some(&end) {
            secret.pop();
        }
    }
    let user = user.to_owned();
    Ok(Some(Credentials { user, secret }))
}

/// Lets the drive finish what it does, and stops it.
fn shut_down(drive: &mut SharedDrive) -> Result<(), CommandError> {
    let ended = drive
        .clear_attentions()
        .and_then(|()| drive.wait_until_ready(END_LIMIT, &mut |_| ()))
        .and_then(|()| drive.shut_down());
    match ended {
        // A host ejected the disc: all is on it.
        Err(error) if error.is(&Sense::NO_MEDIUM_TRAY_OPEN) => Ok(()),
        ended => ended,
    }
}
