//! What a target is called and whom it lets in.

use std::io;

use super::chap::{Chap, Credentials};

/// The one group of addresses that a target has.
pub(super) const PORTAL_GROUP: &str = "1";

/// The bytes of a name (RFC 7143, 4.2.7.1).
const NAME_MAX: usize = 223;

/// The bytes of a secret: as many as RFC 7143, 12.1.3 asks for where nothing else protects a
/// connection, and no more than a value may have.
const SECRET_LENGTHS: std::ops::RangeInclusive<usize> = 12..=255;

/// A target's name, and what it asks of its initiators.
#[derive(Debug, Clone)]
pub struct TargetOptions {
    /// The name, as in `iqn.2026-11.org.example:drive`: lower case, at most 223 bytes.
    pub name: String,
    /// A name for people.
    pub alias: Option<String>,
    /// The proof that initiators must give; `None` lets everyone in.
    pub chap: Option<Chap>,
    /// Fills bytes that nobody can guess: the operating system's. Used with CHAP only.
    pub random: fn(&mut [u8]) -> io::Result<()>,
}

/// What is wrong with a target's options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// The name is not one of the standard's three kinds.
    #[error(
        "`{0}` is no name of a target: it begins with iqn., eui. or naa. and has up to 223 \
         small letters, digits, dots, colons and hyphens"
    )]
    Name(String),
    /// A secret is too short to withstand guessing, or too long to be sent.
    #[error("the secret of `{user}` has {length} bytes; it must have 12 to 255")]
    Secret {
        /// Whose.
        user: String,
        /// Its bytes.
        length: usize,
    },
    /// Both sides have the same secret, so that either could pretend to be the other.
    #[error("the target's secret is the initiator's too; give it another one")]
    SameSecret,
}

impl TargetOptions {
    /// Says what is wrong with the options.
    pub(super) fn check(&self) -> Result<(), OptionsError> {
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".:-".contains(c);
        let is_kind = ["iqn.", "eui.", "naa."]
            .iter()
            .any(|kind| self.name.starts_with(kind));
        let is_name = is_kind && self.name.len() <= NAME_MAX && self.name.chars().all(is_letter);
        if !is_name {
            return Err(OptionsError::Name(self.name.clone()));
        }
        let Some(chap) = &self.chap else {
            return Ok(());
        };
        for Credentials { user, secret } in [Some(&chap.initiator), chap.target.as_ref()]
            .into_iter()
            .flatten()
        {
            if !SECRET_LENGTHS.contains(&secret.len()) {
                return Err(OptionsError::Secret {
                    user: user.clone(),
                    length: secret.len(),
                });
            }
        }
        match &chap.target {
            Some(own) if own.secret == chap.initiator.secret => Err(OptionsError::SameSecret),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(name: &str, secrets: Option<(&str, Option<&str>)>) -> TargetOptions {
        let credentials = |secret: &str| Credentials {
            user: "me".to_owned(),
            secret: secret.into(),
        };
        TargetOptions {
            name: name.to_owned(),
            alias: None,
            chap: secrets.map(|(initiator, target)| Chap {
                initiator: credentials(initiator),
                target: target.map(credentials),
            }),
            random: |_| Ok(()),
        }
    }

    #[test]
    fn bad_options_are_sentences() {
        let says = |name, secrets| match options(name, secrets).check() {
            Ok(()) => "fine".to_owned(),
            Err(error) => error.to_string(),
        };
        let name = "iqn.2026-11.org.example:drive";
        assert_eq!(says(name, None), "fine");
        let long = format!("iqn.{}", "a".repeat(220));
        for bad in ["drive", "iqn.Drive", "iqn.a b", long.as_str()] {
            assert!(says(bad, None).contains("no name of a target"), "{bad}");
        }
        let (secret, other) = ("twelve bytes", "twelve other bytes");
        assert_eq!(says(name, Some((secret, Some(other)))), "fine");
        assert_eq!(
            says(name, Some(("short", None))),
            "the secret of `me` has 5 bytes; it must have 12 to 255"
        );
        assert!(says(name, Some((secret, Some("short")))).contains("has 5 bytes"));
        assert!(says(name, Some((secret, Some(secret)))).contains("another one"));
    }
}
