//! The time that an image is made at.

use reburn_tree::{CivilTime, Timestamp};

use crate::args::TimeArgs;
use crate::failure::Failure;

/// The variable that reproducible builds set, in seconds since 1970.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// A time for the volume, and whether files may not be later.
#[derive(Debug, Clone, Copy)]
pub struct BuildTime {
    /// For the volume's dates.
    pub volume: Timestamp,
    /// Later times of files become this.
    pub latest: Option<Timestamp>,
}

impl BuildTime {
    /// From the flag, else the environment, else the clock.
    pub fn new(args: &TimeArgs) -> Result<Self, Failure> {
        let fixed = match (args.time, std::env::var(SOURCE_DATE_EPOCH)) {
            (Some(time), _) => Some(time),
            (None, Ok(text)) => Some(parse(&text).map_err(|reason| {
                Failure::usage(format!("{SOURCE_DATE_EPOCH} is {text:?}: {reason}"))
            })?),
            (None, Err(_)) => None,
        };
        let volume = fixed.unwrap_or_else(|| std::time::SystemTime::now().into());
        Ok(Self {
            volume,
            latest: fixed,
        })
    }
}

/// Reads seconds since 1970, or `2024-01-31T12:00:00Z` with the time of day optional.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(Timestamp::from_seconds(seconds));
    }
    civil(text).and_then(Timestamp::from_civil).ok_or_else(|| {
        "give seconds since 1970, or a date and time in UTC as in 2024-01-31T12:00:00Z".into()
    })
}

fn civil(text: &str) -> Option<CivilTime> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let (year, month_day) = date.split_once('-')?;
    let (month, day) = month_day.split_once('-')?;
    let (hour, minute_second) = time.split_once(':')?;
    let (minute, second) = minute_second
        .split_once(':')
        .unwrap_or((minute_second, "0"));
    Some(CivilTime {
        year: year.parse().ok()?,
        month: month.parse().ok()?,
        day: day.parse().ok()?,
        hour: hour.parse().ok()?,
        minute: minute.parse().ok()?,
        second: second.parse().ok()?,
        micros: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(parse("0"), Ok(Timestamp::EPOCH));
        assert_eq!(parse("1700000000"), parse("2023-11-14T22:13:20Z"));
        assert_eq!(parse("1970-01-02"), Ok(Timestamp::from_seconds(86_400)));
        for wrong in [
            "",
            "yesterday",
            "2023-13-01",
            "2023-02-29",
            "2023-01-01T25:00",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
