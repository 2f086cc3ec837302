//! Profiles of drives in files: TOML that says what differs from another profile.
//!
//! ```toml
//! base = "dvd-writer"        # one of DriveProfile::BUILT_IN; "bd-writer" if left out
//! product = "SLOW WRITER"
//! [mechanics]
//! load = "14 s"
//! [dvd_r]
//! write = "4x dvd"
//! write_choices = ["4x dvd", "2x dvd"]
//! ```
//!
//! Invariant: every key has a meaning and every value is checked; a file that is accepted gives
//! a drive that works.

use reburn_blocks::WriteUnit;
use toml::{Table, Value};

use crate::{DriveProfile, Mechanics};

/// Why a profile was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The text is no TOML.
    #[error("the profile is not TOML: {0}")]
    Syntax(Box<toml::de::Error>),
    /// The key `base` names no profile.
    #[error("base = {found}: there is no such profile; there are {}", known())]
    Base {
        /// What stands there.
        found: String,
    },
    /// A key or a value that a profile does not have.
    #[error("{0}")]
    Key(String),
    /// A value that no drive works with.
    #[error("{key}: {rule}")]
    Value {
        /// The key.
        key: String,
        /// What is asked of its value.
        rule: String,
    },
}

fn known() -> String {
    DriveProfile::BUILT_IN.join(", ")
}

/// The profiles that come with the crate.
const FILES: [(&str, &str); 4] = [
    ("bd-writer", include_str!("../profiles/bd-writer.toml")),
    (
        "bd-writer-strict",
        include_str!("../profiles/bd-writer-strict.toml"),
    ),
    ("dvd-writer", include_str!("../profiles/dvd-writer.toml")),
    ("cd-writer", include_str!("../profiles/cd-writer.toml")),
];

impl DriveProfile {
    /// The names of the profiles that come with the crate; the first one is
    /// [`DriveProfile::default`].
    pub const BUILT_IN: [&str; FILES.len()] = {
        let mut names = [""; FILES.len()];
        let mut index = 0;
        while index < FILES.len() {
            names[index] = FILES[index].0;
            index += 1;
        }
        names
    };

    /// A profile that comes with the crate, by name.
    pub fn built_in(name: &str) -> Option<Self> {
        let (_, text) = FILES.iter().find(|(known, _)| *known == name)?;
        let profile = Self::from_toml(text);
        Some(profile.expect("profiles of the crate are right; a test reads each"))
    }

    /// The profile in a file's text. What the text leaves out is as in its base.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let syntax = |error| ProfileError::Syntax(Box::new(error));
        let mut table: Table = text.parse().map_err(syntax)?;
        let mut whole = match table.remove("base") {
            None => Self::default(),
            Some(Value::String(name)) if Self::BUILT_IN.contains(&&*name) => {
                Self::built_in(&name).unwrap_or_default()
            }
            Some(found) => {
                return Err(ProfileError::Base {
                    found: found.to_string(),
                });
            }
        }
        .to_table();
        overlay(&mut whole, table);
        let profile: Self = whole
            .try_into()
            .map_err(|error: toml::de::Error| ProfileError::Key(one_line(&error)))?;
        profile.check()?;
        Ok(profile)
    }

    /// The profile as a file's text, every key with its value.
    pub fn to_toml(&self) -> String {
        self.to_table().to_string()
    }

    /// Every key with its value.
    fn to_table(&self) -> Table {
        Table::try_from(self).expect("a profile holds nothing but strings, numbers and tables")
    }

    /// Says which value no drive works with.
    fn check(&self) -> Result<(), ProfileError> {
        let fail = |key: &str, rule: String| {
            let key = key.to_owned();
            Err(ProfileError::Value { key, rule })
        };
        for (key, text, most) in [
            ("vendor", &self.vendor, 8),
            ("product", &self.product, 16),
            ("revision", &self.revision, 4),
        ] {
            if text.len() > most || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                return fail(key, format!("at most {most} ASCII characters are allowed"));
            }
        }
        for (key, bytes, unit) in [
            ("cd_buffer", self.cd_buffer, WriteUnit::FILE),
            ("dvd_buffer", self.dvd_buffer, WriteUnit::DVD),
            ("bd_buffer", self.bd_buffer, WriteUnit::BLU_RAY),
        ] {
            let least = unit.bytes();
            if bytes < least {
                return fail(key, format!("a write unit must fit in, {least} bytes"));
            }
        }
        for (key, speeds) in [
            ("cd", &self.cd),
            ("dvd_r", &self.dvd_r),
            ("dvd_plus_rw", &self.dvd_plus_rw),
            ("dvd_ram", &self.dvd_ram),
            ("bd_r", &self.bd_r),
            ("bd_re", &self.bd_re),
        ] {
            let choices = &speeds.write_choices;
            if !choices.contains(&speeds.write) {
                return fail(
                    &format!("{key}.write"),
                    "it must be one of write_choices".into(),
                );
            }
            if !choices.is_sorted_by(|faster, slower| faster > slower) {
                let key = format!("{key}.write_choices");
                return fail(&key, "they must stand fastest first".into());
            }
        }
        let Mechanics {
            seek_min, seek_max, ..
        } = self.mechanics;
        if seek_min > seek_max {
            let rule = "it must not be longer than seek_max".into();
            return fail("mechanics.seek_min", rule);
        }
        Ok(())
    }
}

/// Puts the values of `over` in place of those of `base`, table by table.
fn overlay(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(base)), Value::Table(over)) => overlay(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// An error as one line that begins with the key.
fn one_line(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let mut lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.retain(|line| !line.is_empty());
    let key = lines
        .last()
        .and_then(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    match key {
        Some(key) => format!("{key}: {}", lines[..lines.len() - 1].join(" ")),
        None => lines.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use insta::assert_snapshot;
    use reburn_mmc::Speed;

    use super::*;
    use crate::MediumKind;

    #[test]
    fn the_default_is_written_down_whole() {
        let (_, text) = FILES[0];
        assert_eq!(
            DriveProfile::from_toml(text).unwrap(),
            DriveProfile::default()
        );
        let written: Table = text.parse().unwrap();
        assert_eq!(written, DriveProfile::default().to_table());
    }

    #[test]
    fn every_profile_of_the_crate_is_right() {
        for (name, text) in FILES {
            let profile = DriveProfile::from_toml(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(DriveProfile::built_in(name).as_ref(), Some(&profile));
            let again = DriveProfile::from_toml(&profile.to_toml()).unwrap();
            assert_eq!(again, profile, "{name}");
        }
        assert_eq!(DriveProfile::built_in("none"), None);
        let dvd = DriveProfile::built_in("dvd-writer").unwrap();
        assert!(!dvd.media.contains(&MediumKind::BdRe) && !dvd.ready_tells_of_flush);
    }

    #[test]
    fn a_file_says_what_differs_from_its_base() {
        let profile = DriveProfile::from_toml(
            "base = \"dvd-writer\"
             product = \"SLOW WRITER\"
             [mechanics]
             load = \"2 min\"
             [dvd_r]
             write = 2000
             write_choices = [\"2x dvd\", 2000]
             [sequential]
             unwritten_bd_read = \"3/11/05\"
             unwritten_dvd_read = \"zeros\"",
        )
        .unwrap();
        let base = DriveProfile::built_in("dvd-writer").unwrap();
        assert_eq!(profile.product, "SLOW WRITER");
        assert_eq!(profile.mechanics.load, Duration::from_mins(2));
        assert_eq!(profile.mechanics.eject, base.mechanics.eject);
        assert_eq!(profile.dvd_r.write, Speed::from_kilobytes(2000));
        assert_eq!(profile.dvd_r.read, base.dvd_r.read);
        assert_eq!(profile.dvd_buffer, 0x18_8000);
        assert_eq!(profile.sequential.unwritten_dvd_read, None);
    }

    /// The error, with what follows a semicolon or "expected" on a line of its own.
    #[track_caller]
    fn refusal(text: &str) -> String {
        let error = DriveProfile::from_toml(text).unwrap_err().to_string();
        error
            .replace("; ", ";\n")
            .replace(", expected", ",\nexpected")
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_right() {
        assert_snapshot!(
            refusal("base = \"none\""),
            @r#"
            base = "none": there is no such profile;
            there are bd-writer, bd-writer-strict, dvd-writer, cd-writer
            "#
        );
        assert_snapshot!(
            refusal("base = 1"),
            @r#"
            base = 1: there is no such profile;
            there are bd-writer, bd-writer-strict, dvd-writer, cd-writer
            "#
        );
        let unknown = refusal("vendr = \"X\"");
        assert!(
            unknown.starts_with("unknown field `vendr`,\nexpected one of `vendor`,"),
            "{unknown}"
        );
        let key = refusal("[mechanics]\nlaod = \"1 s\"");
        let start = "mechanics: unknown field `laod`,\nexpected one of `command`, `seek_min`,";
        assert!(key.starts_with(start), "{key}");
        assert_snapshot!(
            refusal("[mechanics]\nload = \"1 h\""),
            @r#"
            mechanics.load: "1 h" is no time;
            write a whole number and us, ms, s or min, as in "40 ms"
            "#
        );
        assert_snapshot!(
            refusal("[mechanics]\nload = 5"),
            @r#"
            mechanics.load: invalid type: integer `5`,
            expected a string
            "#
        );
        assert_snapshot!(
            refusal("when_full = \"waits\""),
            @r#"
            when_full: unknown variant `waits`,
            expected one of `holds`, `refuses-sequential`, `refuses`
            "#
        );
        assert_snapshot!(
            refusal("[cd]\nwrite_choices = [\"4x ld\"]"),
            @r#"
            cd.write_choices: "4x ld" is no speed;
            write kilobytes a second as a number, or a multiple of cd, dvd or bd, as in "16x dvd"
            "#
        );
        assert_snapshot!(
            refusal("unformatted_read = \"5/21\""),
            @r#"
            unformatted_read: "5/21" is no sense;
            write key, code and qualifier in hexadecimal, as in "5/30/05"
            "#
        );
        let medium = refusal("media = [\"laserdisc\"]");
        assert!(
            medium.starts_with("media: \"laserdisc\" is no kind of medium;\nthere are cd-r,"),
            "{medium}"
        );
        assert_snapshot!(
            refusal("dvd_buffer = 1024"),
            @r#"dvd_buffer: a write unit must fit in, 32768 bytes"#
        );
        assert_snapshot!(
            refusal("[cd]\nwrite = \"3x cd\""),
            @r#"cd.write: it must be one of write_choices"#
        );
        assert_snapshot!(
            refusal("product = \"A NAME THAT IS TOO LONG\""),
            @r#"product: at most 16 ASCII characters are allowed"#
        );
        assert!(refusal("product = ").starts_with("the profile is not TOML: "));
    }
}
