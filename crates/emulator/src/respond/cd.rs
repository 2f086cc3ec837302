//! What only CDs have: cue sheets, sessions recorded at once, whole sectors.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_drive::{Data, Reply, TransportError};
use reburn_mmc::command::{ReadCd, ReadCdMsf, SectorParts, SectorType};
use reburn_mmc::reply::{CueSheet, WriteType};
use reburn_mmc::{Cdb, SectorAddress, Sense};

use crate::Emulator;
use crate::cd_sector::{CORRECTION, HEADER, SECTOR_SIZE, SYNC, USER_DATA, mode_1};

impl Emulator {
    /// SEND CUE SHEET: the next WRITE begins the session that it describes.
    pub(super) fn cue_sheet(&mut self, list: &[u8]) -> Result<(), Sense> {
        let first = self.ask(|rules, now| rules.writable(now));
        first?;
        let sheet = CueSheet::decode(list).map_err(|error| error.as_sense())?;
        self.flush_all()?;
        let session = self.ask(|rules, now| rules.session_at_once(now, &sheet))?;
        self.loaded_mut()?.at_once = Some(session);
        Ok(())
    }

    /// How many of the blocks of a WRITE stand before the session that is recorded at once, and
    /// are no blocks of the user.
    ///
    /// A session that begins now puts its tracks on the medium first.
    pub(super) fn before_session(
        &mut self,
        address: SectorAddress,
        count: BlockCount,
    ) -> Result<u32, Sense> {
        let at_once = self.settings.write_parameters().write_type == WriteType::SESSION_AT_ONCE;
        if !at_once || !self.loaded()?.disc.kind().is_cd() {
            return Ok(0);
        }
        self.ask(|rules, now| rules.writable(now))?;
        let session = self.loaded()?.at_once.clone();
        let session = session.ok_or(Sense::COMMAND_SEQUENCE_ERROR)?;
        if session.next != address {
            return Err(Sense::INVALID_ADDRESS_FOR_WRITE);
        }
        if count.get() > session.left() {
            return Err(Sense::END_OF_USER_AREA);
        }
        if !session.is_begun() && !count.is_zero() {
            self.begin_session()?;
        }
        Ok(session.before_first(count.get()))
    }

    fn begin_session(&mut self) -> Result<(), Sense> {
        let simulated = self.settings.write_parameters().test_write;
        let medium = self.loaded_mut()?;
        let Some(session) = &medium.at_once else {
            return Ok(());
        };
        let state = session.begun(medium.disc.state());
        if simulated {
            *medium.live_mut() = state;
            return Ok(());
        }
        let stored = medium.disc.set_state(state);
        stored.map_err(|_| Sense::WRITE_ERROR)
    }

    /// The session that is recorded at once goes on behind so many sectors.
    pub(super) fn session_goes_on(&mut self, count: BlockCount) {
        if let Some(medium) = &mut self.medium
            && let Some(session) = &mut medium.at_once
        {
            session.advance(count.get());
        }
    }

    /// READ CD MSF, as the READ CD that it stands for.
    pub(crate) fn by_address(command: &ReadCdMsf) -> Result<ReadCd, Sense> {
        let bad = Sense::INVALID_FIELD_IN_CDB;
        let start = command.start.address().ok_or(bad)?;
        let end = command.end.address().ok_or(bad)?;
        let sectors = u32::try_from(end.get() - start.get()).map_err(|_| bad)?;
        Ok(ReadCd {
            expected: command.expected,
            address: start,
            sectors,
            parts: command.parts,
        })
    }

    /// Sends sectors, or parts of them, to the host.
    pub(crate) fn send_sectors(
        &mut self,
        cdb: &Cdb,
        command: &ReadCd,
        data: Data<'_>,
    ) -> Result<Reply, TransportError> {
        let range = match self.sectors(command) {
            Err(sense) => return Ok(Reply::refused(sense)),
            Ok(None) => return Ok(Reply::good(0)),
            Ok(Some(range)) => range,
        };
        let Data::In(room) = data else {
            return Err(TransportError::Data {
                cdb: *cdb,
                reason: "it reads sectors, for which there is no room",
            });
        };
        let mut transferred = 0;
        let mut block = [0; BLOCK_SIZE];
        let size = sector_len(command.parts);
        for (lba, room) in (range.start_lba().get()..).zip(room.chunks_exact_mut(size.max(1))) {
            let one = BlockRange::single(Lba::new(lba));
            if lba > range.end_lba().get() || size == 0 {
                break;
            }
            if let (_, Err(sense)) = self.fill(one, &mut block) {
                return Ok(Reply {
                    transferred,
                    sense: Some(sense),
                });
            }
            copy_parts(&mode_1(one.start_lba(), &block), command.parts, room);
            transferred += size;
        }
        Ok(Reply::good(transferred))
    }

    /// The blocks of a READ CD, if the medium has them in sectors of that kind.
    fn sectors(&self, command: &ReadCd) -> Result<Option<BlockRange>, Sense> {
        if !self.loaded()?.disc.kind().is_cd() {
            return Err(Sense::CANNOT_READ_FORMAT);
        }
        if command.parts.sub_channel != 0 {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        let lba = command.address.block()?;
        let range = self.readable(lba, BlockCount::new(command.sectors))?;
        match command.expected {
            SectorType::ANY | SectorType::MODE_1 => Ok(range),
            _ => Err(Sense::ILLEGAL_MODE_FOR_TRACK),
        }
    }
}

/// Bytes of error flags of a sector: a bit for each byte, and the two bytes of sums.
const fn error_flags_len(parts: SectorParts) -> usize {
    match parts.error_flags {
        0 => 0,
        1 => SECTOR_SIZE / 8,
        _ => SECTOR_SIZE / 8 + 2,
    }
}

/// The parts of a sector that are wanted; those of mode 1 have no sub-header.
fn wanted(parts: SectorParts) -> impl Iterator<Item = std::ops::Range<usize>> {
    [
        (parts.sync, SYNC..HEADER),
        (parts.header, HEADER..USER_DATA),
        (parts.user_data, USER_DATA..CORRECTION),
        (parts.correction, CORRECTION..SECTOR_SIZE),
    ]
    .into_iter()
    .filter_map(|(wanted, range)| wanted.then_some(range))
}

fn sector_len(parts: SectorParts) -> usize {
    wanted(parts).map(|range| range.len()).sum::<usize>() + error_flags_len(parts)
}

/// Copies the parts that are wanted, and flags of no error behind them.
fn copy_parts(sector: &[u8; SECTOR_SIZE], parts: SectorParts, room: &mut [u8]) {
    let mut filled = 0;
    for range in wanted(parts) {
        let len = range.len();
        room[filled..filled + len].copy_from_slice(&sector[range]);
        filled += len;
    }
    room[filled..].fill(0);
}
