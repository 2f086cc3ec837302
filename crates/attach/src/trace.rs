//! What hosts tell a drive, one line a command.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use reburn_drive::{Data, Drive, Reply, TransportError};
use reburn_mmc::{Cdb, Command};

use crate::SharedDrive;

/// Bytes of data that a line shows at most.
const BYTES_SHOWN: usize = 40;

/// A shared drive that writes down the commands of one of its hosts.
///
/// A line has the drive's modelled time in seconds, how long the command took in it, its name and
/// bytes, the first bytes of the data that moved, and what came of it:
///
/// ```text
/// 12.250100 +0.000100 READ CAPACITY: 25 00 00 00 00 00 00 00 00 00 | in 8: 00 b4 .. | good
/// ```
#[derive(Debug)]
pub struct TracedDrive<W> {
    drive: SharedDrive,
    trace: W,
    /// The first failure of the trace; lines are not written any more.
    failure: Option<io::Error>,
}

impl<W: Write> TracedDrive<W> {
    /// Writes the commands that come through this handle to `trace`.
    pub fn new(drive: SharedDrive, trace: W) -> Self {
        Self {
            drive,
            trace,
            failure: None,
        }
    }

    /// Ends the trace; why it is not whole, if it is not.
    pub fn finish(mut self) -> io::Result<()> {
        match self.failure {
            Some(error) => Err(error),
            None => self.trace.flush(),
        }
    }
}

impl<W: Write> Drive for TracedDrive<W> {
    fn execute(&mut self, cdb: &Cdb, mut data: Data<'_>) -> Result<Reply, TransportError> {
        let before = self.drive.with(|drive| drive.modelled_time());
        let outcome = self.drive.execute(cdb, data.reborrow());
        let after = self.drive.with(|drive| drive.modelled_time());
        let line = Line {
            at: before,
            took: after.saturating_sub(before),
            cdb,
            data: &data,
            outcome: &outcome,
        };
        if self.failure.is_none() {
            self.failure = writeln!(self.trace, "{line}").err();
        }
        outcome
    }

    fn wait(&mut self, time: Duration) {
        self.drive.wait(time);
    }

    fn transfer_limit(&self) -> usize {
        self.drive.transfer_limit()
    }
}

struct Line<'a> {
    at: Duration,
    took: Duration,
    cdb: &'a Cdb,
    data: &'a Data<'a>,
    outcome: &'a Result<Reply, TransportError>,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, took) = (self.at.as_secs_f64(), self.took.as_secs_f64());
        let name = Command::from_cdb(self.cdb).map_or("a refused command", |c| c.name());
        write!(f, "{at:.6} +{took:.6} {name}:")?;
        hex(f, self.cdb.as_bytes())?;
        let moved = self.outcome.as_ref().map_or(0, |reply| reply.transferred);
        match self.data {
            Data::None => {}
            Data::In(room) => {
                write!(f, " | in {moved}:")?;
                hex(f, &room[..moved.min(room.len())])?;
            }
            Data::Out(sent) => {
                write!(f, " | out {}:", sent.len())?;
                hex(f, sent)?;
            }
        }
        match self.outcome {
            Ok(Reply { sense: None, .. }) => f.write_str(" | good"),
            Ok(Reply {
                sense: Some(sense), ..
            }) => write!(f, " | {sense}"),
            Err(error) => write!(f, " | {error}"),
        }
    }
}

/// The first bytes, and dots for the rest.
fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for byte in bytes.iter().take(BYTES_SHOWN) {
        write!(f, " {byte:02x}")?;
    }
    if bytes.len() > BYTES_SHOWN {
        f.write_str(" ..")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use reburn_drive::DriveExt;
    use reburn_emulator::{Emulator, MediumKind, VirtualDisc};

    use super::*;
    use crate::Pace;

    #[test]
    fn a_line_a_command() {
        let disc = VirtualDisc::formatted(MediumKind::DvdRam);
        let shared = SharedDrive::new(Emulator::with_disc(disc), Pace::times(1));
        let mut text = Vec::new();
        let mut drive = TracedDrive::new(shared, &mut text);
        assert!(drive.test_unit_ready().is_err());
        drive.read_capacity().unwrap();
        drive.synchronize_cache().unwrap();
        drive.finish().unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<_> = text
            .lines()
            .map(|line| {
                line.split_once(" +0.")
                    .unwrap()
                    .1
                    .split_once(' ')
                    .unwrap()
                    .1
            })
            .collect();
        assert_eq!(
            lines,
            [
                "TEST UNIT READY: 00 00 00 00 00 00 | unit attention: power on, reset, or bus \
                 device reset occurred (6/29/00)",
                "READ CAPACITY: 25 00 00 00 00 00 00 00 00 00 | in 8: 00 22 21 1f 00 00 08 00 \
                 | good",
                "SYNCHRONIZE CACHE: 35 00 00 00 00 00 00 00 00 00 | good",
            ]
        );
    }
}
