//! The write parameters (MMC-6, mode page 05h): how the next track is recorded.
//!
//! | medium | write type | track mode | else |
//! |---|---|---|---|
//! | CD | track at once | 4 | blocks of 2048 bytes |
//! | DVD-R, DVD-RW in pieces | packet | 5 | packets of 16 blocks, linked by 16 |
//! | DVD-R, DVD-RW at once | session at once | 4 | |
//!
//! Other media take no notice of the page, so it is left as it is.

use reburn_drive::{CommandError, RecordingExt};
use reburn_mmc::reply::{WriteParametersPage, WriteType};
use reburn_mmc::{Profile, Sense};

use crate::close::is_cd;
use crate::link::Link;
use crate::options::Close;
use crate::{Options, RecordError};

/// Another session can follow.
const OPEN_END: u8 = 0b11;

/// Whether a medium can be recorded with the laser off.
pub(crate) const fn has_test_write(profile: Profile) -> bool {
    is_cd(profile) || is_dvd_minus(profile)
}

/// Whether it is a DVD-R or DVD-RW that is recorded one block after the other.
pub(crate) const fn is_dvd_minus(profile: Profile) -> bool {
    matches!(
        profile,
        Profile::DVD_R | Profile::DVD_RW_SEQUENTIAL | Profile::DVD_R_DL_SEQUENTIAL
    )
}

/// Tells the drive how the next track is recorded, where the medium has a choice.
pub(crate) fn set(
    link: &mut Link<'_>,
    profile: Profile,
    at_once: bool,
    options: Options,
) -> Result<(), RecordError> {
    if !has_test_write(profile) {
        return Ok(());
    }
    let Some(old) = link.ask(|drive| drive.write_parameters())? else {
        return Ok(());
    };
    let mut page = wanted(old, profile, at_once, options);
    let mut set = |page| link.ask(|drive| drive.set_write_parameters(page));
    let mut result = set(page);
    let refused = |error: &CommandError| error.is(&Sense::INVALID_FIELD_IN_PARAMETERS);
    if matches!(&result, Err(RecordError::Command(error)) if refused(error)) {
        // A drive that cannot bridge an empty buffer does without.
        page.underrun_protection = false;
        result = set(page);
    }
    result.map_err(|error| match error {
        RecordError::Command(source @ CommandError::Sense { .. }) => {
            RecordError::WriteParameters { profile, source }
        }
        error => error,
    })
}

fn wanted(
    old: WriteParametersPage,
    profile: Profile,
    at_once: bool,
    options: Options,
) -> WriteParametersPage {
    let page = WriteParametersPage {
        underrun_protection: true,
        test_write: options.simulate,
        multi_session: match options.close {
            Close::Finalise => 0,
            Close::LeaveOpen | Close::Session if at_once => 0,
            Close::LeaveOpen | Close::Session => OPEN_END,
        },
        copy: false,
        session_format: 0,
        data_block_type: 8,
        ..old
    };
    let plain = WriteParametersPage {
        track_mode: 4,
        link_size_valid: false,
        fixed_packet: false,
        packet_size: 0,
        ..page
    };
    if is_cd(profile) {
        WriteParametersPage {
            write_type: WriteType::TRACK_AT_ONCE,
            ..plain
        }
    } else if at_once {
        WriteParametersPage {
            write_type: WriteType::SESSION_AT_ONCE,
            ..plain
        }
    } else {
        WriteParametersPage {
            write_type: WriteType::PACKET,
            track_mode: 5,
            link_size_valid: true,
            link_size: 16,
            fixed_packet: true,
            packet_size: 16,
            ..page
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_medium_has_its_way() {
        let options = Options::default();
        let page =
            |profile, at_once| wanted(WriteParametersPage::default(), profile, at_once, options);
        let cd = page(Profile::CD_R, false);
        assert_eq!((cd.write_type, cd.track_mode), (WriteType(1), 4));
        assert_eq!((cd.data_block_type, cd.multi_session), (8, 3));
        let pieces = page(Profile::DVD_R, false);
        assert_eq!((pieces.write_type, pieces.packet_size), (WriteType(0), 16));
        assert!(pieces.fixed_packet && pieces.link_size_valid);
        let at_once = page(Profile::DVD_R, true);
        assert_eq!((at_once.write_type.0, at_once.multi_session), (2, 0));
        assert!(!at_once.fixed_packet);
    }

    #[test]
    fn closing_for_good_and_testing_are_said_in_advance() {
        let options = Options {
            close: Close::Finalise,
            simulate: true,
            ..Options::default()
        };
        let page = wanted(
            WriteParametersPage::default(),
            Profile::CD_RW,
            false,
            options,
        );
        assert_eq!((page.multi_session, page.test_write), (0, true));
    }
}
