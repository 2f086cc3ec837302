//! Proof of a secret that both sides know, without sending it.
//!
//! - The challenge comes from outside, so that nothing here draws random numbers.
//! - A challenge that comes back from the other side is refused: whoever sends it wants this
//!   side to compute the answer to its own question.
//!
//! Source: RFC 7143, section 12.1.3; RFC 1994.

use md5::{Digest, Md5};
use sha2::Sha256;

/// Bytes of a challenge.
pub(super) const CHALLENGE_LEN: usize = 16;

/// A name and the secret that proves it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub user: String,
    /// What proves it: 12 to 255 bytes.
    pub secret: Vec<u8>,
}

/// The secret is not shown.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { user, .. } = self;
        f.debug_struct("Credentials")
            .field("user", user)
            .finish_non_exhaustive()
    }
}

/// What an initiator must prove, and what the target proves to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chap {
    /// What every initiator must prove.
    pub initiator: Credentials,
    /// What the target proves if an initiator asks.
    pub target: Option<Credentials>,
}

/// The ways to compute a response, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha256,
    Md5,
}

impl Algorithm {
    /// The first of an initiator's list that is known here (`CHAP_A`).
    pub fn choose(offered: &str) -> Option<Self> {
        offered.split(',').find_map(|number| match number {
            "5" => Some(Self::Md5),
            "7" => Some(Self::Sha256),
            _ => None,
        })
    }

    /// Its number in `CHAP_A`.
    pub fn number(self) -> &'static str {
        match self {
            Self::Md5 => "5",
            Self::Sha256 => "7",
        }
    }

    /// The response that proves `secret`.
    pub fn response(self, identifier: u8, secret: &[u8], challenge: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => response::<Md5>(identifier, secret, challenge),
            Self::Sha256 => response::<Sha256>(identifier, secret, challenge),
        }
    }

    /// Whether a response proves `secret`; it takes as long whichever byte is wrong.
    pub fn proves(self, response: &[u8], identifier: u8, secret: &[u8], challenge: &[u8]) -> bool {
        let expected = self.response(identifier, secret, challenge);
        let differing = expected
            .iter()
            .zip(response)
            .fold(0, |all, (a, b)| all | (a ^ b));
        expected.len() == response.len() && differing == 0
    }
}

fn response<D: Digest>(identifier: u8, secret: &[u8], challenge: &[u8]) -> Vec<u8> {
    let mut digest = D::new();
    digest.update([identifier]);
    digest.update(secret);
    digest.update(challenge);
    digest.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of md5sum and sha256sum over the same bytes.
    #[test]
    fn responses_are_digests_of_identifier_secret_and_challenge() {
        let hex = |bytes: Vec<u8>| super::super::text::hexadecimal(&bytes);
        let md5 = Algorithm::Md5.response(b'a', b"secret", b"challenge");
        assert_eq!(hex(md5), "0x34e892f522562971aba340caf9a434d6");
        let sha = Algorithm::Sha256.response(b'a', b"secret", b"challenge");
        assert_eq!(
            hex(sha),
            "0xc42797017bda39f1c2fc18caba0217dd87657f96467a87b0697e9365e6d4ecd7"
        );
    }

    #[test]
    fn only_the_right_secret_proves() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let response = algorithm.response(7, b"a long secret", b"challenge");
            assert!(algorithm.proves(&response, 7, b"a long secret", b"challenge"));
            assert!(!algorithm.proves(&response, 8, b"a long secret", b"challenge"));
            assert!(!algorithm.proves(&response, 7, b"another secret", b"challenge"));
            assert!(!algorithm.proves(&response[1..], 7, b"a long secret", b"challenge"));
            assert!(!algorithm.proves(&[], 7, b"a long secret", b"challenge"));
        }
    }

    #[test]
    fn the_initiators_order_counts() {
        assert_eq!(Algorithm::choose("5"), Some(Algorithm::Md5));
        assert_eq!(Algorithm::choose("6,7,5"), Some(Algorithm::Sha256));
        assert_eq!(Algorithm::choose("6,8"), None);
    }

    #[test]
    fn secrets_are_not_shown() {
        let user = "me".to_owned();
        let shown = format!(
            "{:?}",
            Credentials {
                user,
                secret: b"hush".to_vec()
            }
        );
        assert_eq!(shown, r#"Credentials { user: "me", .. }"#);
    }
}
