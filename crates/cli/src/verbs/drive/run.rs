//! `reburn drive run`: a program with a virtual disc in an emulated drive.

use std::process::ExitCode;

use crate::drive_args::Run;
use crate::failure::Failure;
use crate::progress::Terminal;

/// Runs the program; its exit status is ours, and 128 with the number of the signal that ended
/// it. Afterwards what the drive's buffer held stands on the disc.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub fn run(args: &Run, terminal: Terminal) -> Result<ExitCode, Failure> {
    linux::run(args, terminal)
}

/// Says that there is no such thing here.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub fn run(_: &Run, _: Terminal) -> Result<ExitCode, Failure> {
    Err(Failure::usage(
        "only Linux, on machines of 64 bits, lets another program's system calls be answered; \
         `reburn drive serve` offers the drive to other systems",
    ))
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux {
    use std::fs::File;
    use std::io::{self, BufWriter, Write};
    use std::os::unix::process::ExitStatusExt;
    use std::path::Path;
    use std::process::{Command, ExitCode, ExitStatus};
    use std::time::Duration;

    use reburn_attach::run::{RunError, run as run_program};
    use reburn_attach::{Pace, SharedDrive, TracedDrive};
    use reburn_drive::{Drive, DriveExt};
    use reburn_emulator::{Emulator, VirtualDisc};
    use reburn_mmc::Sense;

    use super::super::profile;
    use super::{Failure, Run, Terminal};

    /// How long, in the drive, what still runs when the program has ended may take.
    const END_LIMIT: Duration = Duration::from_hours(4);

    pub fn run(args: &Run, terminal: Terminal) -> Result<ExitCode, Failure> {
        if !args.device.is_absolute() {
            let device = args.device.display();
            return Err(Failure::usage(format!(
                "{device} is no absolute path; name the drive as in --device /dev/sr0"
            )));
        }
        let disc =
            VirtualDisc::open(&args.disc).map_err(|error| Failure::usage(error.to_string()))?;
        let profile = profile::of(args.profile.as_deref())?;
        let drive = Emulator::with_profile(profile, disc);
        let mut drive = SharedDrive::new(drive, Pace::times(args.pace));
        let failed = |error: reburn_drive::CommandError| Failure::drive(error.to_string());
        // As a kernel does when it finds a drive.
        drive.clear_attentions().map_err(failed)?;
        let (name, arguments) = args.program.split_first().ok_or_else(|| {
            Failure::usage("name a program: reburn drive run --disc PATH -- PROGRAM")
        })?;
        let mut program = Command::new(name);
        program.args(arguments);
        // An interrupt is the program's; the drive must outlive it.
        ctrlc::set_handler(|| ()).map_err(|error| Failure::usage(error.to_string()))?;
        let status = match &args.trace {
            None => start(drive.clone(), &args.device, program),
            Some(path) => traced(path, &drive, &args.device, program),
        };
        shut_down(&mut drive).map_err(|error| failed(error).of(args.disc.display()))?;
        let status = status?;
        if let Some(signal) = status.signal() {
            terminal.note(&format!("the program was ended by signal {signal}"));
        }
        Ok(exit_code(status))
    }

    fn traced(
        path: &Path,
        drive: &SharedDrive,
        device: &Path,
        program: Command,
    ) -> Result<ExitStatus, Failure> {
        let host = |error: io::Error| Failure::host(path, &error);
        let mut out = BufWriter::new(File::create(path).map_err(host)?);
        writeln!(
            out,
            "# seconds in the drive, how long it took: command | data | outcome"
        )
        .map_err(host)?;
        let mut traced = TracedDrive::new(drive.clone(), out);
        let status = start(&mut traced, device, program);
        traced.finish().map_err(host)?;
        status
    }

    fn start(
        drive: impl Drive + Send,
        device: &Path,
        program: Command,
    ) -> Result<ExitStatus, Failure> {
        run_program(drive, device, program).map_err(|error| match error {
            RunError::Lost { .. } => Failure::drive(error.to_string()),
            _ => Failure::usage(error.to_string()),
        })
    }

    /// Lets the drive finish what it does, and stops it.
    fn shut_down(drive: &mut SharedDrive) -> Result<(), reburn_drive::CommandError> {
        let ended = drive
            .clear_attentions()
            .and_then(|()| drive.wait_until_ready(END_LIMIT, &mut |_| ()))
            .and_then(|()| drive.shut_down());
        match ended {
            // The program ejected the disc: all is on it.
            Err(error) if error.is(&Sense::NO_MEDIUM_TRAY_OPEN) => Ok(()),
            ended => ended,
        }
    }

    fn exit_code(status: ExitStatus) -> ExitCode {
        let by_signal = || status.signal().map_or(1, |signal| signal + 128);
        let code = status.code().unwrap_or_else(by_signal);
        ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
    }
}
