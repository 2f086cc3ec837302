//! What happened to the medium, and what the mechanism is doing.

use crate::DecodeError;
use crate::bytes::{Fields, with_length16};

const WHAT: &str = "GET EVENT STATUS NOTIFICATION";

/// What happened to the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaEvent {
    /// Nothing.
    None,
    /// Someone pressed the button.
    EjectRequest,
    /// A medium was put in.
    NewMedia,
    /// The medium was taken out.
    MediaRemoval,
    /// A background format is done.
    FormatCompleted,
    /// A background format goes on.
    FormatRestarted,
    /// Something else.
    Other(u8),
}

impl MediaEvent {
    const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::EjectRequest => 1,
            Self::NewMedia => 2,
            Self::MediaRemoval => 3,
            Self::FormatCompleted => 5,
            Self::FormatRestarted => 6,
            Self::Other(code) => code & 0x0f,
        }
    }

    const fn from_code(code: u8) -> Self {
        match code & 0x0f {
            0 => Self::None,
            1 => Self::EjectRequest,
            2 => Self::NewMedia,
            3 => Self::MediaRemoval,
            5 => Self::FormatCompleted,
            6 => Self::FormatRestarted,
            other => Self::Other(other),
        }
    }
}

/// The medium's event and how things stand now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaEventStatus {
    /// What happened.
    pub event: MediaEvent,
    /// Whether a medium is there.
    pub present: bool,
    /// Whether the tray is open.
    pub tray_open: bool,
}

/// The reply to GET EVENT STATUS NOTIFICATION: one event of the most urgent class asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventStatus {
    /// The classes that the drive supports, a bit each.
    pub supported: u8,
    /// The event; `None` if the drive has none of the classes asked for.
    pub event: Option<ClassEvent>,
}

/// An event of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassEvent {
    /// Class 4.
    Media(MediaEventStatus),
    /// Another class with its 4 bytes; all zero is "no change".
    Other(u8, [u8; 4]),
}

impl EventStatus {
    /// The number of the class of media events; its bit is 4.
    pub const MEDIA_CLASS: u8 = 4;

    /// The reply: 4 bytes, or 8 with an event.
    pub fn encode(&self) -> Vec<u8> {
        let reply = match self.event {
            None => vec![0, 0, 0x80, self.supported],
            Some(ClassEvent::Media(status)) => {
                let presence = u8::from(status.present) << 1 | u8::from(status.tray_open);
                let class = Self::MEDIA_CLASS;
                vec![
                    0,
                    0,
                    class,
                    self.supported,
                    status.event.code(),
                    presence,
                    0,
                    0,
                ]
            }
            Some(ClassEvent::Other(class, data)) => {
                [&[0, 0, class & 7, self.supported][..], &data].concat()
            }
        };
        with_length16(reply)
    }

    /// The reply in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, bytes, 4)?;
        let supported = fields.u8(3);
        if fields.bit(2, 7) {
            return Ok(Self {
                supported,
                event: None,
            });
        }
        let fields = fields.cut(8)?;
        let event = match fields.u8(2) & 7 {
            Self::MEDIA_CLASS => ClassEvent::Media(MediaEventStatus {
                event: MediaEvent::from_code(fields.u8(4)),
                present: fields.bit(5, 1),
                tray_open: fields.bit(5, 0),
            }),
            class => ClassEvent::Other(class, [4, 5, 6, 7].map(|offset| fields.u8(offset))),
        };
        Ok(Self {
            supported,
            event: Some(event),
        })
    }
}

/// The reply to MECHANISM STATUS of a drive without a changer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MechanismState {
    /// Whether the door is open.
    pub door_open: bool,
    /// What it does: 0 nothing, 1 playing, 2 scanning, 3 something for another host.
    pub state: u8,
}

impl MechanismState {
    /// The reply, 8 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let state = (self.state & 7) << 5 | u8::from(self.door_open) << 4;
        vec![0, state, 0, 0, 0, 0, 0, 0]
    }

    /// The reply in `bytes`, of which 8 must be present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new("MECHANISM STATUS", bytes, 8)?;
        Ok(Self {
            door_open: fields.bit(1, 4),
            state: fields.u8(1) >> 5,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(status: EventStatus, bytes: &[u8]) {
        assert_eq!(status.encode(), bytes);
        assert_eq!(EventStatus::decode(bytes), Ok(status));
        assert!(EventStatus::decode(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn golden_bytes() {
        let media = MediaEventStatus {
            event: MediaEvent::NewMedia,
            present: true,
            tray_open: false,
        };
        let event = Some(ClassEvent::Media(media));
        check(
            EventStatus {
                supported: 0x56,
                event,
            },
            &[0, 6, 4, 0x56, 2, 2, 0, 0],
        );
        check(
            EventStatus {
                supported: 0x56,
                event: None,
            },
            &[0, 2, 0x80, 0x56],
        );
        let event = Some(ClassEvent::Other(1, [0; 4]));
        check(
            EventStatus {
                supported: 0x56,
                event,
            },
            &[0, 6, 1, 0x56, 0, 0, 0, 0],
        );
        let mechanism = MechanismState {
            door_open: true,
            state: 0,
        };
        assert_eq!(mechanism.encode(), [0, 0x10, 0, 0, 0, 0, 0, 0]);
        assert_eq!(MechanismState::decode(&mechanism.encode()), Ok(mechanism));
        assert!(MechanismState::decode(&[0; 7]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            if let Ok(status) = EventStatus::decode(&bytes) {
                prop_assert_eq!(EventStatus::decode(&status.encode()), Ok(status));
            }
        }
    }
}
