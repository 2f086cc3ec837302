//! Points in time, and their civil form without a time zone database.

// Every cast here is of a value that the calendar bounds.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::fmt;
use std::time::{Duration, SystemTime};

/// Days from 0000-03-01 to 1970-01-01 in the proleptic Gregorian calendar.
const DAYS_TO_EPOCH: i64 = 719_468;
const SECONDS_A_DAY: i64 = 86_400;
const MICROS_A_SECOND: i64 = 1_000_000;

/// A point in time in microseconds since 1970-01-01 00:00:00 UTC, the finest grain that any
/// optical file system records (ECMA-167 1/7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01 00:00:00 UTC.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From seconds since 1970 (saturating).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_A_SECOND))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_A_SECOND)
    }

    /// Microseconds past [`Timestamp::seconds`].
    pub const fn subsec_micros(self) -> u32 {
        self.0.rem_euclid(MICROS_A_SECOND) as u32
    }

    /// The same time without fractions of a second.
    #[must_use]
    pub const fn floor_to_seconds(self) -> Self {
        Self::from_seconds(self.seconds())
    }

    /// Date and time of day, UTC.
    pub fn civil(self) -> CivilTime {
        let seconds = self.seconds();
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_A_DAY));
        let of_day = seconds.rem_euclid(SECONDS_A_DAY);
        CivilTime {
            year,
            month,
            day,
            hour: (of_day / 3600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
            micros: self.subsec_micros(),
        }
    }

    /// The time that a date and time of day, UTC, name; `None` where there is no such date or
    /// the year is outside 0 to 9999.
    pub fn from_civil(civil: CivilTime) -> Option<Self> {
        let CivilTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
        } = civil;
        let valid = (0..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && micros < MICROS_A_SECOND as u32;
        let days = valid.then(|| days_from_civil(year, month, day))?;
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let micros = (days * SECONDS_A_DAY + of_day) * MICROS_A_SECOND + i64::from(micros);
        Some(Self(micros))
    }
}

/// The host's clock reading, cut to microseconds.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self(micros(after)),
            // Round down, as for times after 1970.
            Err(before) => {
                let nanos = before.duration().as_nanos().div_ceil(1000);
                Self(i64::try_from(nanos).map_or(i64::MIN, |n| -n))
            }
        }
    }
}

/// `YYYY-MM-DD HH:MM:SS`, UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CivilTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
            ..
        } = self.civil();
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        )
    }
}

/// A date and time of day, UTC, in the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilTime {
    /// Year, 0 to 9999 where a [`Timestamp`] is made of it.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
    /// Microseconds, below a million.
    pub micros: u32,
}

/// Days since 1970-01-01 of a date. Counts years from March, so that a leap day comes last.
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - DAYS_TO_EPOCH
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let days = days + DAYS_TO_EPOCH;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u8;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u8, day)
}

fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(Timestamp::EPOCH.to_string(), "1970-01-01 00:00:00");
        assert_eq!(
            Timestamp::from_seconds(951_782_400).to_string(),
            "2000-02-29 00:00:00"
        );
        assert_eq!(
            Timestamp::from_seconds(-1).to_string(),
            "1969-12-31 23:59:59"
        );
        assert_eq!(
            Timestamp::from_seconds(-2_208_988_800).to_string(),
            "1900-01-01 00:00:00"
        );
        assert_eq!(
            Timestamp::from_seconds(5_869_583_999).to_string(),
            "2155-12-31 23:59:59"
        );
    }

    #[test]
    fn impossible_dates_are_refused() {
        let leap = CivilTime {
            year: 2024,
            month: 2,
            day: 29,
            hour: 0,
            minute: 0,
            second: 0,
            micros: 0,
        };
        assert!(Timestamp::from_civil(leap).is_some());
        assert!(Timestamp::from_civil(CivilTime { year: 1900, ..leap }).is_none());
        assert!(Timestamp::from_civil(CivilTime { month: 13, ..leap }).is_none());
        assert!(Timestamp::from_civil(CivilTime { hour: 24, ..leap }).is_none());
    }

    proptest! {
        #[test]
        fn civil_form_round_trips(
            seconds in -62_167_219_200i64..253_402_300_800,
            micros in 0..1_000_000i64,
        ) {
            let time = Timestamp::from_micros(seconds * 1_000_000 + micros);
            prop_assert_eq!(Timestamp::from_civil(time.civil()), Some(time));
        }
    }
}
