//! What both sides of a session agree on.
//!
//! Keys that are not negotiated keep the standard's defaults. Every key of the standard has an
//! answer here but those of a login's security, of names and of discovery.
//!
//! Source: RFC 7143, section 13; `iSCSIProtocolLevel` RFC 7144.

use super::text::number;
use super::wire::Digests;

/// The longest data segment that the target takes.
pub(super) const DATA_SEGMENT_MAX: usize = 256 * 1024;
/// The most data that the target takes without having asked for them, a command.
const FIRST_BURST_MAX: u32 = 64 * 1024;
/// The most data that the target asks for at once.
const MAX_BURST_MAX: u32 = 1024 * 1024;
/// What the length of a segment or a burst may be (13.12 to 13.14).
const LENGTHS: std::ops::RangeInclusive<u32> = 512..=(1 << 24) - 1;

/// The answer to a key that this side does not know.
const NOT_UNDERSTOOD: &str = "NotUnderstood";
/// The answer to a value that is not allowed.
const REJECT: &str = "Reject";

/// What is agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameters {
    /// Digests from the full feature phase on.
    pub digests: Digests,
    /// The longest data segment that the initiator takes.
    pub send_segment: usize,
    /// The most data that come unasked for, a command.
    pub first_burst: usize,
    /// The most data asked for or sent as one sequence.
    pub max_burst: usize,
    /// Whether data beyond a command's own segment come only when asked for.
    pub initial_r2t: bool,
    /// Whether a command may bring data with it.
    pub immediate_data: bool,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            digests: Digests::default(),
            send_segment: 8192,
            first_burst: 65536,
            max_burst: 262_144,
            initial_r2t: true,
            immediate_data: true,
        }
    }
}

/// What follows from an offered key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing is to be said.
    Silence,
    /// The key's value as it is now.
    Value(String),
}

impl Answer {
    fn value(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

impl Parameters {
    /// Answers an offered key.
    pub fn answer(&mut self, key: &str, value: &str) -> Answer {
        match key {
            "HeaderDigest" => choose(value, &["CRC32C", "None"], |chosen| {
                self.digests.header = chosen == "CRC32C";
            }),
            "DataDigest" => choose(value, &["CRC32C", "None"], |chosen| {
                self.digests.data = chosen == "CRC32C";
            }),
            "TaskReporting" => choose(value, &["RFC3720"], |_| {}),
            "MaxRecvDataSegmentLength" => match number(value).filter(|n| LENGTHS.contains(n)) {
                Some(length) => {
                    self.send_segment = usize_of(length);
                    Answer::Silence // each side declares its own
                }
                None => Answer::value(REJECT),
            },
            "MaxBurstLength" => smaller(value, LENGTHS, MAX_BURST_MAX, |length| {
                self.max_burst = usize_of(length);
            }),
            "FirstBurstLength" => smaller(value, LENGTHS, FIRST_BURST_MAX, |length| {
                self.first_burst = usize_of(length);
            }),
            "InitialR2T" => boolean(value, |offered| {
                self.initial_r2t = offered; // the result is "or", and this side says no
                offered
            }),
            "ImmediateData" => boolean(value, |offered| {
                self.immediate_data = offered;
                offered
            }),
            "MaxConnections" => smaller(value, 1..=65535, 1, |_| {}),
            "MaxOutstandingR2T" => smaller(value, 1..=65535, 1, |_| {}),
            "ErrorRecoveryLevel" => smaller(value, 0..=2, 0, |_| {}),
            "DefaultTime2Retain" => smaller(value, 0..=3600, 0, |_| {}),
            // The larger one counts, and this side needs none.
            "DefaultTime2Wait" => smaller(value, 0..=3600, 3600, |_| {}),
            "iSCSIProtocolLevel" => smaller(value, 0..=31, 1, |_| {}),
            // What is out of order is never sent nor taken.
            "DataPDUInOrder" | "DataSequenceInOrder" => boolean(value, |_| true),
            // Obsolete, but to be answered so (13.25).
            "IFMarker" | "OFMarker" => Answer::value("No"),
            "IFMarkInt" | "OFMarkInt" => Answer::value(REJECT),
            "InitiatorAlias" => Answer::Silence,
            _ => Answer::value(NOT_UNDERSTOOD),
        }
    }

    /// Settles what follows from several keys together.
    pub fn settle(&mut self) {
        self.first_burst = self.first_burst.min(self.max_burst);
    }
}

/// The first of the offered values that this side knows.
pub(super) fn choose(offered: &str, known: &[&str], mut set: impl FnMut(&str)) -> Answer {
    match offered.split(',').find(|value| known.contains(value)) {
        Some(value) => {
            set(value);
            Answer::value(value)
        }
        None => Answer::value(REJECT),
    }
}

/// The smaller of the offered value and this side's.
fn smaller(
    offered: &str,
    allowed: std::ops::RangeInclusive<u32>,
    own: u32,
    set: impl FnOnce(u32),
) -> Answer {
    match number(offered).filter(|value| allowed.contains(value)) {
        Some(value) => {
            let value = value.min(own);
            set(value);
            Answer::value(&value.to_string())
        }
        None => Answer::value(REJECT),
    }
}

/// What `result` makes of an offered `Yes` or `No`.
fn boolean(offered: &str, result: impl FnOnce(bool) -> bool) -> Answer {
    let offered = match offered {
        "Yes" => true,
        "No" => false,
        _ => return Answer::value(REJECT),
    };
    Answer::value(if result(offered) { "Yes" } else { "No" })
}

fn usize_of(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// Offers and answers, as `key=value -> answer` lines.
    fn answers(offers: &[(&str, &str)]) -> (Parameters, String) {
        let mut parameters = Parameters::default();
        let mut text = String::new();
        for (key, value) in offers {
            let answer = match parameters.answer(key, value) {
                Answer::Silence => "-".to_owned(),
                Answer::Value(value) => value,
            };
            writeln!(text, "{key}={value} -> {answer}").unwrap();
        }
        parameters.settle();
        (parameters, text)
    }

    /// What open-iscsi offers unless told otherwise.
    #[test]
    fn offers_of_a_common_initiator() {
        let (parameters, text) = answers(&[
            ("HeaderDigest", "None"),
            ("DataDigest", "None"),
            ("DefaultTime2Wait", "2"),
            ("DefaultTime2Retain", "0"),
            ("IFMarker", "No"),
            ("OFMarker", "No"),
            ("ErrorRecoveryLevel", "0"),
            ("InitialR2T", "No"),
            ("ImmediateData", "Yes"),
            ("MaxBurstLength", "16776192"),
            ("FirstBurstLength", "262144"),
            ("MaxOutstandingR2T", "1"),
            ("MaxConnections", "1"),
            ("DataPDUInOrder", "Yes"),
            ("DataSequenceInOrder", "Yes"),
            ("MaxRecvDataSegmentLength", "262144"),
        ]);
        insta::assert_snapshot!(text, @r"
        HeaderDigest=None -> None
        DataDigest=None -> None
        DefaultTime2Wait=2 -> 2
        DefaultTime2Retain=0 -> 0
        IFMarker=No -> No
        OFMarker=No -> No
        ErrorRecoveryLevel=0 -> 0
        InitialR2T=No -> No
        ImmediateData=Yes -> Yes
        MaxBurstLength=16776192 -> 1048576
        FirstBurstLength=262144 -> 65536
        MaxOutstandingR2T=1 -> 1
        MaxConnections=1 -> 1
        DataPDUInOrder=Yes -> Yes
        DataSequenceInOrder=Yes -> Yes
        MaxRecvDataSegmentLength=262144 -> -
        ");
        assert_eq!(
            parameters,
            Parameters {
                digests: Digests::default(),
                send_segment: 262_144,
                first_burst: 65_536,
                max_burst: 1_048_576,
                initial_r2t: false,
                immediate_data: true,
            }
        );
    }

    #[test]
    fn odd_offers_are_answered_too() {
        let (parameters, text) = answers(&[
            ("HeaderDigest", "x-own,CRC32C,None"),
            ("DataDigest", "SHA"),
            ("TaskReporting", "FastAbort,RFC3720"),
            ("MaxBurstLength", "0x800"),
            ("FirstBurstLength", "511"),
            ("MaxConnections", "8"),
            ("ErrorRecoveryLevel", "2"),
            ("DataPDUInOrder", "No"),
            ("ImmediateData", "no"),
            ("MaxRecvDataSegmentLength", "16777216"),
            ("IFMarkInt", "2048~8192"),
            ("iSCSIProtocolLevel", "2"),
            ("X-com.example.key", "1"),
            ("InitiatorAlias", "here"),
        ]);
        insta::assert_snapshot!(text, @r"
        HeaderDigest=x-own,CRC32C,None -> CRC32C
        DataDigest=SHA -> Reject
        TaskReporting=FastAbort,RFC3720 -> RFC3720
        MaxBurstLength=0x800 -> 2048
        FirstBurstLength=511 -> Reject
        MaxConnections=8 -> 1
        ErrorRecoveryLevel=2 -> 0
        DataPDUInOrder=No -> Yes
        ImmediateData=no -> Reject
        MaxRecvDataSegmentLength=16777216 -> Reject
        IFMarkInt=2048~8192 -> Reject
        iSCSIProtocolLevel=2 -> 1
        X-com.example.key=1 -> NotUnderstood
        InitiatorAlias=here -> -
        ");
        assert!(parameters.digests.header && !parameters.digests.data);
        assert_eq!(
            parameters.first_burst, 2048,
            "never more than a whole burst"
        );
    }
}
