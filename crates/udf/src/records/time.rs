//! Date and time (ECMA-167 1/7.3).

use reburn_record::little_endian::U16;
use reburn_record::{Record, record};
use reburn_tree::{CivilTime, Timestamp};

/// The zone that says that none is known (ECMA-167 1/7.3.1).
const ZONE_UNKNOWN: i16 = -2047;

record! {
    /// Local time, and its distance from UTC in minutes in the lower twelve bits of the first
    /// field. Twelve zero bytes mean that none is given.
    #[derive(Hash)]
    pub struct DiscTime: 12, "ECMA-167 1/7.3" {
        0  type_and_zone: U16, "1/7.3.1";
        2  year: U16, "1/7.3.2";
        4  month: u8, "1/7.3.3";
        5  day: u8, "1/7.3.4";
        6  hour: u8, "1/7.3.5";
        7  minute: u8, "1/7.3.6";
        8  second: u8, "1/7.3.7";
        9  centiseconds: u8, "1/7.3.8";
        10 hundreds_of_microseconds: u8, "1/7.3.9";
        11 microseconds: u8, "1/7.3.10";
    }
}

impl DiscTime {
    /// Minutes that local time is ahead of UTC; `None` where that is not stated.
    pub fn zone_minutes(&self) -> Option<i16> {
        // The sign of twelve bits, moved to where that of sixteen is.
        let zone = (self.type_and_zone.get() << 4).cast_signed() >> 4;
        (zone != ZONE_UNKNOWN).then_some(zone)
    }

    /// Whether no time is given.
    pub fn is_none(&self) -> bool {
        self.bytes().iter().all(|&byte| byte == 0)
    }

    /// The time; `None` where none is given or there is no such date. Without a zone it counts
    /// as UTC.
    pub fn timestamp(&self) -> Option<Timestamp> {
        let parts = [
            self.centiseconds,
            self.hundreds_of_microseconds,
            self.microseconds,
        ];
        let [centi, hundreds, micros] = parts.map(u32::from);
        // Fractions are never worth refusing a date for.
        let micros = (centi * 10_000 + hundreds * 100 + micros).min(999_999);
        let local = Timestamp::from_civil(CivilTime {
            year: self.year.get().cast_signed().into(),
            month: self.month,
            day: self.day,
            hour: self.hour,
            minute: self.minute,
            // A leap second is the last one of its minute.
            second: self.second.min(59),
            micros,
        })?;
        let zone = i64::from(self.zone_minutes().unwrap_or(0));
        Some(Timestamp::from_micros(local.micros() - zone * 60_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::golden;

    fn time(hex: &str) -> Option<String> {
        let bytes = golden(hex);
        let (time, _) = DiscTime::view(&bytes).unwrap();
        time.timestamp().map(|time| time.to_string())
    }

    #[test]
    fn golden_bytes() {
        let time = time("3c10df07 0108103a 3b3b0000");
        assert_eq!(time.as_deref(), Some("2015-01-08 15:58:59"));
    }

    #[test]
    fn zones_have_twelve_bits() {
        let mut time = DiscTime::zeroed();
        for (field, zone) in [
            (0x1000, Some(0)),
            (0x1078, Some(120)),
            (0x1e20, Some(-480)),
            (0x1801, None),
        ] {
            time.type_and_zone = U16::new(field);
            assert_eq!(time.zone_minutes(), zone, "{field:#x}");
        }
    }

    #[test]
    fn times_that_are_not_given_or_do_not_exist() {
        assert_eq!(time("00000000 00000000 00000000"), None);
        assert!(DiscTime::zeroed().is_none());
        assert_eq!(time("3c10df07 0d08103a 3b3b0000"), None);
    }
}
