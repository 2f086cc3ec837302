//! Typed calls for media that are recorded track by track and session by session.

use reburn_blocks::BlockCount;
use reburn_mmc::command::{
    Blank, CloseFunction, CloseTrackSession, ModeSelect, ReadToc, RepairTrack, Reservation,
    ReserveTrack, TocFormat,
};
use reburn_mmc::reply::{ModePage, ModeParameters, TocSessions, WriteParametersPage};

use crate::calls::decoded;
use crate::{CommandError, Data, Drive, DriveExt};

/// The commands that record tracks and close sessions, as typed calls. Those that take long
/// return once they have begun: TEST UNIT READY, or READ DISC INFORMATION where a drive does not
/// own up to it there, tells when they are done.
pub trait RecordingExt: DriveExt {
    /// Where the last closed session starts (READ TOC, format 1).
    fn last_closed_session(&mut self) -> Result<TocSessions, CommandError> {
        let mut buf = [0; 12];
        let command = ReadToc {
            msf: false,
            format: TocFormat::Sessions,
            first: 0,
            allocation: 12,
        };
        let len = self.command(command, Data::In(&mut buf))?;
        decoded("READ TOC/PMA/ATIP", TocSessions::decode(&buf[..len]))
    }

    /// How tracks are recorded (MODE SENSE, page 05h); `None` where the drive has no such page.
    fn write_parameters(&mut self) -> Result<Option<WriteParametersPage>, CommandError> {
        const PAGE: u8 = 0x05;
        Ok(match self.mode_page(PAGE)? {
            Some(ModePage::WriteParameters(page)) => Some(page),
            _ => None,
        })
    }

    /// Says how tracks are recorded from now on (MODE SELECT, page 05h).
    fn set_write_parameters(&mut self, page: WriteParametersPage) -> Result<(), CommandError> {
        let parameters = ModeParameters {
            write_protected: false,
            pages: vec![ModePage::WriteParameters(page)],
        };
        let mut list = parameters.encode();
        // Its length field is reserved (SPC-3 6.8).
        list[..2].fill(0);
        let command = ModeSelect {
            save: false,
            list_length: u16::try_from(list.len()).unwrap_or(u16::MAX),
        };
        self.command(command, Data::Out(&list)).map(drop)
    }

    /// Sets blocks aside for the next track (RESERVE TRACK).
    fn reserve_track(&mut self, blocks: BlockCount) -> Result<(), CommandError> {
        let reservation = Reservation::Size(blocks);
        self.command(ReserveTrack { reservation }, Data::None)
            .map(drop)
    }

    /// Begins to make a track whole that an interruption damaged (REPAIR TRACK).
    fn begin_repair(&mut self, track: u16) -> Result<(), CommandError> {
        let command = RepairTrack {
            immediate: true,
            track,
        };
        self.command(command, Data::None).map(drop)
    }

    /// Begins to close a track, a session or the disc (CLOSE TRACK SESSION).
    fn begin_close(&mut self, function: CloseFunction, track: u16) -> Result<(), CommandError> {
        let command = CloseTrackSession {
            immediate: true,
            function,
            track,
        };
        self.command(command, Data::None).map(drop)
    }

    /// Begins to blank a CD-RW or DVD-RW, in full or as little as possible (BLANK).
    fn begin_blank(&mut self, is_full: bool) -> Result<(), CommandError> {
        let command = Blank {
            immediate: true,
            kind: u8::from(!is_full),
            start: 0,
        };
        self.command(command, Data::None).map(drop)
    }
}

impl<D: Drive + ?Sized> RecordingExt for D {}
