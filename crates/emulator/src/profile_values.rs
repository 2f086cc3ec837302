//! How the values of a profile stand in its file: times and speeds with their units, sense by
//! its three figures.

/// Times: `100 us`, `40 ms`, `8 s`, `2 min`.
pub(crate) mod duration {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    const UNITS: [(&str, u64); 4] = [
        ("min", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
        ("us", 1),
    ];

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let whole = UNITS.iter().find(|(_, size)| micros % size == 0);
        let (unit, size) = whole.unwrap_or(&("us", 1));
        to.serialize_str(&format!("{} {unit}", micros / size))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "\"{text}\" is no time; write a whole number and us, ms, s or min, as in \"40 ms\""
            ))
        })
    }

    fn parse(text: &str) -> Option<Duration> {
        let (number, unit) = text.split_once(' ')?;
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let micros = number.parse::<u64>().ok()?.checked_mul(*size)?;
        Some(Duration::from_micros(micros))
    }
}

/// One speed: `2x bd`, `16x dvd`, `48x cd`, or kilobytes a second as a number.
pub(crate) mod speed {
    use reburn_mmc::Speed;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    const SINGLES: [(&str, Speed); 3] = [
        ("bd", Speed::BD_1X),
        ("dvd", Speed::DVD_1X),
        ("cd", Speed::CD_1X),
    ];

    /// A speed as it stands in a file.
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        Kilobytes(u32),
        Times(String),
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde passes it
    pub fn serialize<S: Serializer>(speed: &Speed, to: S) -> Result<S::Ok, S::Error> {
        written(*speed).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Speed, D::Error> {
        speed(Written::deserialize(from)?).map_err(D::Error::custom)
    }

    fn written(speed: Speed) -> Written {
        let kilobytes = speed.kilobytes();
        let multiple = SINGLES
            .iter()
            .find(|(_, single)| kilobytes > 0 && kilobytes.is_multiple_of(single.kilobytes()));
        match multiple {
            Some((name, single)) => {
                Written::Times(format!("{}x {name}", kilobytes / single.kilobytes()))
            }
            None => Written::Kilobytes(kilobytes),
        }
    }

    fn speed(written: Written) -> Result<Speed, String> {
        match written {
            Written::Kilobytes(0) => Err("0 is no speed".into()),
            Written::Kilobytes(kilobytes) => Ok(Speed::from_kilobytes(kilobytes)),
            Written::Times(text) => parse(&text).ok_or_else(|| {
                format!(
                    "\"{text}\" is no speed; write kilobytes a second as a number, or a multiple \
                     of cd, dvd or bd, as in \"16x dvd\""
                )
            }),
        }
    }

    fn parse(text: &str) -> Option<Speed> {
        let (times, name) = text.split_once("x ")?;
        let (_, single) = SINGLES.iter().find(|(known, _)| *known == name)?;
        let times: u32 = times.parse().ok().filter(|times| *times > 0)?;
        Some(single.times(times))
    }

    /// Several of them.
    pub(crate) mod list {
        use super::{Speed, Written, speed, written};
        use serde::de::Error as _;
        use serde::{Deserialize, Deserializer, Serializer};

        pub fn serialize<S: Serializer>(speeds: &[Speed], to: S) -> Result<S::Ok, S::Error> {
            to.collect_seq(speeds.iter().map(|speed| written(*speed)))
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Speed>, D::Error> {
            let written = Vec::<Written>::deserialize(from)?;
            let speeds = written.into_iter().map(speed).collect::<Result<_, _>>();
            speeds.map_err(D::Error::custom)
        }
    }
}

/// Sense: `5/30/05`, hexadecimal.
pub(crate) mod sense {
    use reburn_mmc::{Sense, SenseKey};
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(sense: &Sense, to: S) -> Result<S::Ok, S::Error> {
        let (key, asc, ascq) = (sense.key as u8, sense.asc, sense.ascq);
        to.serialize_str(&format!("{key:X}/{asc:02X}/{ascq:02X}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Sense, D::Error> {
        let text = String::deserialize(from)?;
        parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "\"{text}\" is no sense; write key, code and qualifier in hexadecimal, as in \
                 \"5/30/05\""
            ))
        })
    }

    /// Sense, or `zeros` for none: blocks of zeros instead of a refusal.
    pub(crate) mod or_zeros {
        use super::{Deserialize, Deserializer, Sense, Serializer, parse};
        use serde::de::Error as _;

        const ZEROS: &str = "zeros";

        #[allow(clippy::ref_option)] // as serde passes it
        pub fn serialize<S: Serializer>(sense: &Option<Sense>, to: S) -> Result<S::Ok, S::Error> {
            match sense {
                Some(sense) => super::serialize(sense, to),
                None => to.serialize_str(ZEROS),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Sense>, D::Error> {
            let text = String::deserialize(from)?;
            if text == ZEROS {
                return Ok(None);
            }
            let bad = || D::Error::custom(format!("\"{text}\" is neither \"{ZEROS}\" nor a sense"));
            parse(&text).map(Some).ok_or_else(bad)
        }
    }

    fn parse(text: &str) -> Option<Sense> {
        let figures: Vec<_> = text.split('/').collect();
        let [key, asc, ascq] = figures[..] else {
            return None;
        };
        let figure = |text, most| u8::from_str_radix(text, 16).ok().filter(|n| *n <= most);
        let key = SenseKey::from_low_bits(figure(key, 15)?);
        Some(Sense::new(key, figure(asc, 0xff)?, figure(ascq, 0xff)?))
    }
}

/// Numbers of blocks.
pub(crate) mod blocks {
    use reburn_blocks::BlockCount;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde passes it
    pub fn serialize<S: Serializer>(blocks: &BlockCount, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(blocks.get())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BlockCount, D::Error> {
        u32::deserialize(from).map(BlockCount::new)
    }
}

/// Kinds of media, by name.
pub(crate) mod kinds {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::MediumKind;

    pub fn serialize<S: Serializer>(kinds: &[MediumKind], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(kinds.iter().map(|kind| kind.name()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<MediumKind>, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        let kinds = names.iter().map(|name| {
            MediumKind::from_name(name).ok_or_else(|| {
                let known = MediumKind::ALL.map(MediumKind::name).join(", ");
                D::Error::custom(format!(
                    "\"{name}\" is no kind of medium; there are {known}"
                ))
            })
        });
        kinds.collect()
    }
}
