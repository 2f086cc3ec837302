//! Logins step by step, as an initiator sees them.

use zerocopy::byteorder::big_endian::U32;

use super::super::chap::{Chap, Credentials};
use super::*;

const FIRST: &str = "InitiatorName=iqn.host\0TargetName=iqn.drive\0SessionType=Normal\0";

fn options(chap: bool) -> TargetOptions {
    let credentials = |user: &str, secret: &str| Credentials {
        user: user.to_owned(),
        secret: secret.into(),
    };
    TargetOptions {
        name: "iqn.drive".to_owned(),
        alias: None,
        chap: chap.then(|| Chap {
            initiator: credentials("host", "the host's secret"),
            target: Some(credentials("drive", "the drive's secret")),
        }),
        random: |bytes| {
            bytes.fill(0x2a);
            Ok(())
        },
    }
}

/// A request in a stage, which asks for the next one if that is given.
fn request(stage: u8, next: Option<u8>) -> LoginRequest {
    LoginRequest {
        flags: stage << 2 | next.map_or(0, |next| TRANSIT | next),
        task_tag: U32::new(5),
        cmd_sn: U32::new(9),
        ..LoginRequest::empty()
    }
}

/// What the target says: flags and text of a reply, or the refusal.
fn say(login: &mut Login<'_>, stage: u8, next: Option<u8>, text: &str) -> String {
    match login.step(&request(stage, next), text.as_bytes()) {
        Ok(Step::Reply(response, answers)) => {
            let text = format!("{:02x} {}", response.flags, answers.shown());
            text.trim_end().to_owned()
        }
        Ok(Step::Enter(response, answers, _)) => {
            format!("{:02x} {} (enter)", response.flags, answers.shown())
        }
        Err(Refusal([class, detail])) => format!("refused {class:02x}{detail:02x}"),
    }
}

#[test]
fn one_request_is_enough_without_a_secret() {
    let options = options(false);
    let mut login = Login::new(&options);
    let text = format!("{FIRST}HeaderDigest=CRC32C,None\0MaxRecvDataSegmentLength=65536\0");
    let step = login.step(&request(OPERATIONAL, Some(FULL_FEATURE)), text.as_bytes());
    let Ok(Step::Enter(response, answers, established)) = step else {
        panic!("{step:?}");
    };
    assert_eq!(response.flags, TRANSIT | OPERATIONAL << 2 | FULL_FEATURE);
    insta::assert_snapshot!(
        answers.shown(),
        @"HeaderDigest=CRC32C; TargetPortalGroupTag=1; MaxRecvDataSegmentLength=262144;"
    );
    assert_eq!(established.kind, SessionKind::Normal);
    assert_eq!(
        (established.initiator.as_str(), established.cmd_sn),
        ("iqn.host", 9)
    );
    assert_eq!(established.parameters.send_segment, 65_536);
    assert!(established.parameters.digests.header);
}

#[test]
fn names_may_come_in_pieces() {
    let options = options(false);
    let mut login = Login::new(&options);
    let (one, other) = FIRST.split_at(20);
    let mut first = request(SECURITY, None);
    first.flags |= CONTINUE;
    let step = login.step(&first, one.as_bytes()).unwrap();
    assert!(matches!(step, Step::Reply(response, _) if response.flags == 0));
    let text = format!("{other}AuthMethod=CHAP,None\0");
    assert_eq!(
        say(&mut login, SECURITY, Some(OPERATIONAL), &text),
        "81 AuthMethod=None; TargetPortalGroupTag=1;"
    );
    assert_eq!(
        say(
            &mut login,
            OPERATIONAL,
            Some(FULL_FEATURE),
            "InitialR2T=No\0"
        ),
        "87 InitialR2T=No; MaxRecvDataSegmentLength=262144; (enter)"
    );
}

#[test]
fn discovery_needs_no_targets_name() {
    let options = options(false);
    let mut login = Login::new(&options);
    let text = "InitiatorName=iqn.host\0SessionType=Discovery\0";
    let step = login.step(&request(OPERATIONAL, Some(FULL_FEATURE)), text.as_bytes());
    let Ok(Step::Enter(_, _, established)) = step else {
        panic!("{step:?}");
    };
    assert_eq!(established.kind, SessionKind::Discovery);
}

#[test]
fn refusals_say_why() {
    let first = |text: &str| {
        let options = options(false);
        say(
            &mut Login::new(&options),
            OPERATIONAL,
            Some(FULL_FEATURE),
            text,
        )
    };
    assert_eq!(first("TargetName=iqn.drive\0"), "refused 0207");
    assert_eq!(first("InitiatorName=iqn.host\0"), "refused 0207");
    assert_eq!(
        first("InitiatorName=iqn.host\0TargetName=iqn.other\0"),
        "refused 0203"
    );
    assert_eq!(
        first(&format!("{FIRST}SessionType=Discovery\0")),
        "refused 0200"
    );
    let twice = "InitialR2T=No\0".repeat(2);
    assert_eq!(first(&format!("{FIRST}{twice}")), "refused 0200");
    assert_eq!(first("InitiatorName=a\0SessionType=Odd\0"), "refused 0209");
    assert_eq!(first("no key"), "refused 0200");
    assert_eq!(first(&"A=b\0".repeat(5000)), "refused 0200");

    let options = options(false);
    let mut version = request(OPERATIONAL, None);
    version.version_min = 1;
    let step = Login::new(&options).step(&version, FIRST.as_bytes());
    assert_eq!(step, Err(Refusal::VERSION));
    let mut login = Login::new(&options);
    assert_eq!(say(&mut login, FULL_FEATURE, None, FIRST), "refused 0200");
    let mut login = Login::new(&options);
    say(&mut login, SECURITY, None, FIRST);
    let mut other = request(SECURITY, None);
    other.task_tag = U32::new(6);
    assert_eq!(login.step(&other, b""), Err(Refusal::INVALID_REQUEST));
    let mut login = Login::new(&options);
    assert_eq!(
        say(&mut login, OPERATIONAL, Some(OPERATIONAL), FIRST),
        "refused 0200"
    );
}

/// What the initiator sends to answer the challenge of [`options`].
fn proof(secret: &str) -> String {
    let response = Algorithm::Md5.response(0x2a, secret.as_bytes(), &[0x2a; CHALLENGE_LEN]);
    format!("CHAP_N=host\0CHAP_R={}\0", hexadecimal(&response))
}

/// A login that was asked for its proof.
fn asked(options: &TargetOptions) -> Login<'_> {
    let mut login = Login::new(options);
    let text = format!("{FIRST}AuthMethod=CHAP,None\0");
    assert_eq!(
        say(&mut login, SECURITY, Some(OPERATIONAL), &text),
        "00 AuthMethod=CHAP; TargetPortalGroupTag=1;"
    );
    assert_eq!(
        say(&mut login, SECURITY, None, "CHAP_A=5\0"),
        "00 CHAP_A=5; CHAP_I=42; CHAP_C=0x2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a;"
    );
    login
}

#[test]
fn the_right_secret_opens_and_another_does_not() {
    let options = options(true);
    let right = proof("the host's secret");
    let mut login = asked(&options);
    assert_eq!(say(&mut login, SECURITY, Some(OPERATIONAL), &right), "81");
    let enters = say(&mut login, OPERATIONAL, Some(FULL_FEATURE), "");
    assert!(enters.ends_with("(enter)"), "{enters}");

    let wrong = proof("a guess");
    let says = say(&mut asked(&options), SECURITY, Some(OPERATIONAL), &wrong);
    assert_eq!(says, "refused 0201");
    let other = right.replace("host", "root");
    let says = say(&mut asked(&options), SECURITY, Some(OPERATIONAL), &other);
    assert_eq!(says, "refused 0201");
}

#[test]
fn no_way_leads_round_the_proof() {
    let options = options(true);
    let first = |stage, next, text: &str| say(&mut Login::new(&options), stage, next, text);
    assert_eq!(
        first(OPERATIONAL, Some(FULL_FEATURE), FIRST),
        "refused 0201"
    );
    let none = format!("{FIRST}AuthMethod=None\0");
    assert_eq!(first(SECURITY, Some(FULL_FEATURE), &none), "refused 0201");
    let silent = first(SECURITY, Some(FULL_FEATURE), FIRST);
    assert_eq!(silent, "00 TargetPortalGroupTag=1;", "it stays where it is");
    let early = format!("{FIRST}AuthMethod=CHAP\0{}", proof("the host's secret"));
    assert_eq!(first(SECURITY, Some(FULL_FEATURE), &early), "refused 0200");
    let unknown = format!("{FIRST}AuthMethod=CHAP\0CHAP_A=6\0");
    assert_eq!(first(SECURITY, None, &unknown), "refused 0201");
    let half = "CHAP_N=host\0";
    assert_eq!(
        say(&mut asked(&options), SECURITY, Some(FULL_FEATURE), half),
        "refused 0201"
    );
}

#[test]
fn the_target_proves_itself_but_not_with_its_own_question() {
    let options = options(true);
    let right = proof("the host's secret");
    let text = format!("{right}CHAP_I=1\0CHAP_C=0x0102\0");
    let expected = Algorithm::Md5.response(1, b"the drive's secret", &[1, 2]);
    assert_eq!(
        say(&mut asked(&options), SECURITY, Some(OPERATIONAL), &text),
        format!("81 CHAP_N=drive; CHAP_R={};", hexadecimal(&expected))
    );
    let mirrored = format!("{right}CHAP_I=1\0CHAP_C=0x{}\0", "2a".repeat(CHALLENGE_LEN));
    let says = say(&mut asked(&options), SECURITY, Some(OPERATIONAL), &mirrored);
    assert_eq!(says, "refused 0201");
    let half = format!("{right}CHAP_I=1\0");
    let says = say(&mut asked(&options), SECURITY, Some(OPERATIONAL), &half);
    assert_eq!(says, "refused 0201");
}
