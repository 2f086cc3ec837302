//! The two forms of date and time.
//!
//! Both state local time and its distance from Greenwich in quarters of an hour. Dates made
//! here are in Greenwich time, so the same instant has the same bytes everywhere.

use reburn_record::{Record, record};
use reburn_tree::{CivilTime, Timestamp};

const SECONDS_A_QUARTER: i64 = 15 * 60;
const MICROS_A_HUNDREDTH: u32 = 10_000;

record! {
    /// Date and time in a directory record: seconds, 1900 to 2155. Seven zero bytes mean that
    /// none is given.
    #[derive(Hash)]
    pub struct DirectoryDate: 7, "ECMA-119 9.1.5" {
        0 years_since_1900: u8, "9.1.5";
        1 month: u8, "9.1.5";
        2 day: u8, "9.1.5";
        3 hour: u8, "9.1.5";
        4 minute: u8, "9.1.5";
        5 second: u8, "9.1.5";
        6 zone: i8, "9.1.5";
    }
}

record! {
    /// Date and time as digits, in volume descriptors and long time stamps: hundredths of a
    /// second, the years 1 to 9999. Sixteen digits zero and a zero byte mean that none is
    /// given.
    #[derive(Hash)]
    pub struct VolumeDate: 17, "ECMA-119 8.4.26.1" {
        0  year: [u8; 4], "8.4.26.1";
        4  month: [u8; 2], "8.4.26.1";
        6  day: [u8; 2], "8.4.26.1";
        8  hour: [u8; 2], "8.4.26.1";
        10 minute: [u8; 2], "8.4.26.1";
        12 second: [u8; 2], "8.4.26.1";
        14 hundredths: [u8; 2], "8.4.26.1";
        16 zone: i8, "8.4.26.1";
    }
}

impl DirectoryDate {
    /// The first time that can be stated, 1900-01-01 00:00:00.
    pub const MIN: Timestamp = Timestamp::from_seconds(-2_208_988_800);
    /// The last time that can be stated, 2155-12-31 23:59:59.
    pub const MAX: Timestamp = Timestamp::from_seconds(5_869_583_999);

    /// The time, without fractions of a second. Times outside 1900 to 2155 become the
    /// first or the last one that can be stated.
    pub fn new(time: Timestamp) -> Self {
        let civil = time.clamp(Self::MIN, Self::MAX).civil();
        Self {
            years_since_1900: u8::try_from(civil.year - 1900).unwrap_or(u8::MAX),
            month: civil.month,
            day: civil.day,
            hour: civil.hour,
            minute: civil.minute,
            second: civil.second,
            zone: 0,
        }
    }

    /// Whether the time comes back from [`DirectoryDate::new`] as it was.
    pub fn is_exact(time: Timestamp) -> bool {
        time.subsec_micros() == 0 && (Self::MIN..=Self::MAX).contains(&time)
    }

    /// The time; `None` where none is given or the date does not exist.
    pub fn timestamp(&self) -> Option<Timestamp> {
        let civil = CivilTime {
            year: 1900 + i32::from(self.years_since_1900),
            month: self.month,
            day: self.day,
            hour: self.hour,
            minute: self.minute,
            second: self.second,
            micros: 0,
        };
        Timestamp::from_civil(civil).map(|local| to_greenwich(local, self.zone))
    }
}

impl VolumeDate {
    /// No date.
    pub const UNSET: Self = Self {
        year: *b"0000",
        month: *b"00",
        day: *b"00",
        hour: *b"00",
        minute: *b"00",
        second: *b"00",
        hundredths: *b"00",
        zone: 0,
    };
    /// The first time that can be stated, 0001-01-01 00:00:00.
    pub const MIN: Timestamp = Timestamp::from_seconds(-62_135_596_800);
    /// The last time that can be stated, 9999-12-31 23:59:59.99.
    pub const MAX: Timestamp = Timestamp::from_micros(253_402_300_799_990_000);

    /// The time, cut to hundredths of a second. Times outside the years 1 to 9999 become the
    /// first or the last one that can be stated.
    pub fn new(time: Timestamp) -> Self {
        let civil = time.clamp(Self::MIN, Self::MAX).civil();
        Self {
            year: digits(civil.year.unsigned_abs()),
            month: digits(civil.month.into()),
            day: digits(civil.day.into()),
            hour: digits(civil.hour.into()),
            minute: digits(civil.minute.into()),
            second: digits(civil.second.into()),
            hundredths: digits(civil.micros / MICROS_A_HUNDREDTH),
            zone: 0,
        }
    }

    /// The time; `None` where none is given, a digit is not one, or the date does not exist.
    pub fn timestamp(&self) -> Option<Timestamp> {
        let civil = CivilTime {
            year: number(&self.year)?,
            month: number(&self.month)?,
            day: number(&self.day)?,
            hour: number(&self.hour)?,
            minute: number(&self.minute)?,
            second: number(&self.second)?,
            micros: number::<u32>(&self.hundredths)? * MICROS_A_HUNDREDTH,
        };
        Timestamp::from_civil(civil).map(|local| to_greenwich(local, self.zone))
    }

    /// Whether no date is given. Writers also use zero bytes and spaces for it.
    pub fn is_unset(&self) -> bool {
        let digits = &self.bytes()[..16];
        [b'0', 0, b' ']
            .iter()
            .any(|filler| digits.iter().all(|digit| digit == filler))
    }
}

/// Local time `zone` quarters of an hour east of Greenwich. Distances that no place has are
/// taken for none, as Linux does.
fn to_greenwich(local: Timestamp, zone: i8) -> Timestamp {
    let quarters = if (-52..=52).contains(&zone) { zone } else { 0 };
    let micros = i64::from(quarters) * SECONDS_A_QUARTER * 1_000_000;
    Timestamp::from_micros(local.micros() - micros)
}

/// The last `N` decimal digits of a number.
fn digits<const N: usize>(mut number: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
    digits
}

/// The number that decimal digits name.
fn number<T: TryFrom<u32>>(digits: &[u8]) -> Option<T> {
    let number = digits.iter().try_fold(0, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        Some(number * 10 + u32::from(digit))
    })?;
    T::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_bytes() {
        let time = Timestamp::from_micros(951_827_415_678_901);
        assert_eq!(time.to_string(), "2000-02-29 12:30:15");
        assert_eq!(
            DirectoryDate::new(time).bytes(),
            [100, 2, 29, 12, 30, 15, 0]
        );
        assert_eq!(VolumeDate::new(time).bytes(), b"2000022912301567\0");
    }

    #[test]
    fn zones_count_quarters_of_an_hour() {
        let mut date = DirectoryDate::new(Timestamp::from_seconds(100_000));
        date.zone = -20;
        assert_eq!(date.timestamp(), Some(Timestamp::from_seconds(118_000)));
        date.zone = 100;
        assert_eq!(date.timestamp(), Some(Timestamp::from_seconds(100_000)));
    }

    #[test]
    fn no_date_is_not_a_date() {
        assert_eq!(DirectoryDate::zeroed().timestamp(), None);
        assert_eq!(VolumeDate::UNSET.timestamp(), None);
        assert!(VolumeDate::UNSET.is_unset());
        assert!(VolumeDate::zeroed().is_unset());
        let (letters, _) = VolumeDate::view(b"20000229123015xx\0").unwrap();
        assert_eq!(letters.timestamp(), None);
        assert!(!letters.is_unset());
    }

    #[test]
    fn times_out_of_range_become_the_nearest() {
        let early = Timestamp::from_seconds(-3_000_000_000);
        assert_eq!(
            DirectoryDate::new(early).timestamp(),
            Some(DirectoryDate::MIN)
        );
        let late = Timestamp::from_micros(i64::MAX);
        assert_eq!(
            DirectoryDate::new(late).timestamp(),
            Some(DirectoryDate::MAX)
        );
        assert_eq!(VolumeDate::new(late).timestamp(), Some(VolumeDate::MAX));
        let before_christ = Timestamp::from_micros(i64::MIN / 4);
        assert_eq!(
            VolumeDate::new(before_christ).timestamp(),
            Some(VolumeDate::MIN)
        );
    }

    proptest! {
        #[test]
        fn directory_dates_round_trip(seconds in -2_208_988_800i64..=5_869_583_999) {
            let time = Timestamp::from_seconds(seconds);
            prop_assert_eq!(DirectoryDate::new(time).timestamp(), Some(time));
            prop_assert!(DirectoryDate::is_exact(time));
        }

        #[test]
        fn volume_dates_round_trip(hundredths in -6_213_559_680_000i64..25_340_230_080_000) {
            let time = Timestamp::from_micros(hundredths * 10_000);
            prop_assert_eq!(VolumeDate::new(time).timestamp(), Some(time));
        }
    }
}
