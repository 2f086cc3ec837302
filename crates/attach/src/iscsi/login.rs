//! The login: names, proof of a secret, negotiation, step by step.
//!
//! Invariants: no session begins without the names that it needs, nor, where the target has a
//! secret, without proof of it; nothing is negotiated twice; requests that continue a text are
//! bounded. It knows no connection: requests go in, responses come out.
//!
//! Source: RFC 7143, sections 6.3, 11.12, 11.13 and 12.

use std::collections::BTreeSet;

use zerocopy::byteorder::big_endian::U16;

use super::chap::{Algorithm, CHALLENGE_LEN};
use super::header::{LoginRequest, LoginResponse};
use super::options::{PORTAL_GROUP, TargetOptions};
use super::parameters::{Answer, DATA_SEGMENT_MAX, Parameters, choose};
use super::text::{Answers, Pieces, binary, hexadecimal, number};

const TRANSIT: u8 = 0x80;
const CONTINUE: u8 = 0x40;

const SECURITY: u8 = 0;
const OPERATIONAL: u8 = 1;
const FULL_FEATURE: u8 = 3;

/// Why a login ends without a session: class and detail (11.13.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal(pub [u8; 2]);

impl Refusal {
    pub const INITIATOR_ERROR: Self = Self([2, 0]);
    pub const AUTHENTICATION: Self = Self([2, 1]);
    pub const NOT_FOUND: Self = Self([2, 3]);
    pub const VERSION: Self = Self([2, 5]);
    pub const TOO_MANY_CONNECTIONS: Self = Self([2, 6]);
    pub const MISSING_PARAMETER: Self = Self([2, 7]);
    pub const SESSION_TYPE: Self = Self([2, 9]);
    pub const NO_SUCH_SESSION: Self = Self([2, 10]);
    pub const INVALID_REQUEST: Self = Self([2, 11]);
    pub const TARGET_ERROR: Self = Self([3, 0]);
    pub const OUT_OF_RESOURCES: Self = Self([3, 2]);
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionKind {
    /// The device's commands.
    Normal,
    /// Asking for targets.
    Discovery,
}

/// What a finished login led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Established {
    pub kind: SessionKind,
    pub initiator: String,
    pub isid: [u8; 6],
    pub cid: u16,
    pub parameters: Parameters,
    /// The CmdSN of the session's first command.
    pub cmd_sn: u32,
}

/// What follows from a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send this and go on.
    Reply(LoginResponse, Answers),
    /// Send this with the new session's handle, and the session begins.
    Enter(LoginResponse, Answers, Established),
}

/// How far the proof of a secret is.
#[derive(Debug)]
enum Proof {
    /// Nothing was said of it.
    Open,
    /// CHAP was agreed on.
    Algorithm,
    /// The initiator was asked.
    Asked {
        algorithm: Algorithm,
        identifier: u8,
        challenge: [u8; CHALLENGE_LEN],
    },
    /// It is proven, or needs no proof.
    Done,
}

/// A login that goes on.
#[derive(Debug)]
pub(super) struct Login<'a> {
    options: &'a TargetOptions,
    stage: Option<u8>,
    first: Option<LoginRequest>,
    pieces: Pieces,
    seen: BTreeSet<String>,
    names: Names,
    proof: Proof,
    declared: bool,
    parameters: Parameters,
}

#[derive(Debug, Default)]
struct Names {
    initiator: Option<String>,
    target: Option<String>,
    kind: Option<String>,
    checked: bool,
}

impl Names {
    /// Takes a name, if the key is one; it must not change.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, Refusal> {
        let name = match key {
            "InitiatorName" => &mut self.initiator,
            "TargetName" => &mut self.target,
            "SessionType" if !["Normal", "Discovery"].contains(&value) => {
                return Err(Refusal::SESSION_TYPE);
            }
            "SessionType" => &mut self.kind,
            _ => return Ok(false),
        };
        if name.get_or_insert_with(|| value.to_owned()) != value {
            return Err(Refusal::INITIATOR_ERROR);
        }
        Ok(true)
    }

    fn session_kind(&self) -> SessionKind {
        match self.kind.as_deref() {
            Some("Discovery") => SessionKind::Discovery,
            _ => SessionKind::Normal,
        }
    }
}

/// What an initiator says in answer to a challenge, and asks itself.
#[derive(Default)]
struct ChapKeys {
    name: Option<String>,
    response: Option<Vec<u8>>,
    identifier: Option<u8>,
    challenge: Option<Vec<u8>>,
}

impl<'a> Login<'a> {
    pub fn new(options: &'a TargetOptions) -> Self {
        Self {
            options,
            stage: None,
            first: None,
            pieces: Pieces::default(),
            seen: BTreeSet::new(),
            names: Names::default(),
            proof: Proof::Open,
            declared: false,
            parameters: Parameters::default(),
        }
    }

    /// Takes the next request.
    pub fn step(&mut self, request: &LoginRequest, data: &[u8]) -> Result<Step, Refusal> {
        let stage = self.admit(request)?;
        let added = self.pieces.add(data);
        added.map_err(|_| Refusal::INITIATOR_ERROR)?;
        let mut response = LoginResponse {
            flags: stage << 2,
            isid: request.isid,
            tsih: request.tsih,
            task_tag: request.task_tag,
            ..LoginResponse::empty()
        };
        let mut answers = Answers::default();
        if request.flags & CONTINUE != 0 {
            if request.flags & TRANSIT != 0 {
                return Err(Refusal::INITIATOR_ERROR);
            }
            return Ok(Step::Reply(response, answers));
        }
        let pairs = self.pieces.finish().map_err(|_| Refusal::INITIATOR_ERROR)?;
        self.answer(&pairs, &mut answers)?;
        self.check_names(&mut answers)?;
        if stage == OPERATIONAL && !self.declared {
            self.declared = true;
            answers.add("MaxRecvDataSegmentLength", &DATA_SEGMENT_MAX.to_string());
        }
        let proven = stage == OPERATIONAL || self.may_leave_security();
        if request.flags & TRANSIT == 0 || !proven {
            return Ok(Step::Reply(response, answers));
        }
        let next = request.flags & 3;
        if next <= stage || next == 2 {
            return Err(Refusal::INITIATOR_ERROR);
        }
        response.flags |= TRANSIT | next;
        self.stage = Some(next);
        if next != FULL_FEATURE {
            return Ok(Step::Reply(response, answers));
        }
        let established = self.established(request);
        Ok(Step::Enter(response, answers, established))
    }

    /// The stage of a request that belongs to this login.
    fn admit(&mut self, request: &LoginRequest) -> Result<u8, Refusal> {
        let asked = request.flags >> 2 & 3;
        let first = *self.first.get_or_insert(*request);
        if request.version_min > 0 {
            return Err(Refusal::VERSION);
        }
        let same =
            |request: &LoginRequest| (request.isid, request.tsih, request.cid, request.task_tag);
        if same(&first) != same(request) {
            return Err(Refusal::INVALID_REQUEST);
        }
        match self.stage {
            None if asked == SECURITY => {}
            None if asked == OPERATIONAL => {
                if self.options.chap.is_some() {
                    return Err(Refusal::AUTHENTICATION);
                }
            }
            Some(stage) if stage == asked => {}
            _ => return Err(Refusal::INITIATOR_ERROR),
        }
        self.stage = Some(asked);
        Ok(asked)
    }

    fn answer(&mut self, pairs: &[(String, String)], answers: &mut Answers) -> Result<(), Refusal> {
        let mut chap = ChapKeys::default();
        for (key, value) in pairs {
            // Some initiators say who they are in each stage.
            if self.names.take(key, value)? {
                continue;
            }
            if !self.seen.insert(key.clone()) {
                return Err(Refusal::INITIATOR_ERROR);
            }
            match key.as_str() {
                "AuthMethod" => self.choose_method(value, answers)?,
                "CHAP_A" => self.ask(value, answers)?,
                "CHAP_N" => chap.name = Some(value.clone()),
                "CHAP_R" => chap.response = binary(value),
                "CHAP_I" => chap.identifier = number(value).and_then(|n| u8::try_from(n).ok()),
                "CHAP_C" => chap.challenge = binary(value),
                _ => {
                    if let Answer::Value(answer) = self.parameters.answer(key, value) {
                        answers.add(key, &answer);
                    }
                }
            }
        }
        if pairs
            .iter()
            .any(|(key, _)| key == "CHAP_R" || key == "CHAP_N")
        {
            self.hear_proof(&chap, answers)?;
        }
        Ok(())
    }

    /// Names come with the first request, or in what continues it.
    fn check_names(&mut self, answers: &mut Answers) -> Result<(), Refusal> {
        if self.names.checked {
            return Ok(());
        }
        self.names.checked = true;
        match &self.names.initiator {
            Some(name) if !name.is_empty() => {}
            _ => return Err(Refusal::MISSING_PARAMETER),
        }
        if self.names.session_kind() == SessionKind::Discovery {
            return Ok(());
        }
        match &self.names.target {
            None => return Err(Refusal::MISSING_PARAMETER),
            Some(name) if !name.eq_ignore_ascii_case(&self.options.name) => {
                return Err(Refusal::NOT_FOUND);
            }
            Some(_) => {}
        }
        if let Some(alias) = &self.options.alias {
            answers.add("TargetAlias", alias);
        }
        answers.add("TargetPortalGroupTag", PORTAL_GROUP);
        Ok(())
    }

    fn choose_method(&mut self, offered: &str, answers: &mut Answers) -> Result<(), Refusal> {
        let (method, proof) = match &self.options.chap {
            Some(_) => ("CHAP", Proof::Algorithm),
            None => ("None", Proof::Done),
        };
        if choose(offered, &[method], |_| {}) != Answer::Value(method.to_owned()) {
            return Err(Refusal::AUTHENTICATION);
        }
        answers.add("AuthMethod", method);
        self.proof = proof;
        Ok(())
    }

    /// Asks the initiator to prove its secret.
    fn ask(&mut self, offered: &str, answers: &mut Answers) -> Result<(), Refusal> {
        if !matches!(self.proof, Proof::Algorithm) {
            return Err(Refusal::INITIATOR_ERROR);
        }
        let algorithm = Algorithm::choose(offered).ok_or(Refusal::AUTHENTICATION)?;
        let mut random = [0; CHALLENGE_LEN + 1];
        (self.options.random)(&mut random).map_err(|_| Refusal::TARGET_ERROR)?;
        let [identifier, challenge @ ..] = random;
        answers.add("CHAP_A", algorithm.number());
        answers.add("CHAP_I", &identifier.to_string());
        answers.add("CHAP_C", &hexadecimal(&challenge));
        self.proof = Proof::Asked {
            algorithm,
            identifier,
            challenge,
        };
        Ok(())
    }

    fn hear_proof(&mut self, said: &ChapKeys, answers: &mut Answers) -> Result<(), Refusal> {
        let (
            Proof::Asked {
                algorithm,
                identifier,
                challenge,
            },
            Some(chap),
        ) = (&self.proof, &self.options.chap)
        else {
            return Err(Refusal::INITIATOR_ERROR);
        };
        let (Some(name), Some(response)) = (&said.name, &said.response) else {
            return Err(Refusal::AUTHENTICATION);
        };
        let known = *name == chap.initiator.user;
        let proven = algorithm.proves(response, *identifier, &chap.initiator.secret, challenge);
        if !known || !proven {
            return Err(Refusal::AUTHENTICATION);
        }
        match (said.identifier, &said.challenge, &chap.target) {
            (None, None, _) => {}
            (Some(identifier), Some(theirs), Some(own)) => {
                let is_fair =
                    !theirs.is_empty() && theirs.len() <= 1024 && theirs[..] != challenge[..];
                if !is_fair {
                    return Err(Refusal::AUTHENTICATION);
                }
                let response = algorithm.response(identifier, &own.secret, theirs);
                answers.add("CHAP_N", &own.user);
                answers.add("CHAP_R", &hexadecimal(&response));
            }
            _ => return Err(Refusal::AUTHENTICATION),
        }
        self.proof = Proof::Done;
        Ok(())
    }

    fn may_leave_security(&self) -> bool {
        match self.proof {
            Proof::Done => true,
            Proof::Open => self.options.chap.is_none(),
            Proof::Algorithm | Proof::Asked { .. } => false,
        }
    }

    fn established(&mut self, request: &LoginRequest) -> Established {
        self.parameters.settle();
        Established {
            kind: self.names.session_kind(),
            initiator: self.names.initiator.take().unwrap_or_default(),
            isid: request.isid,
            cid: request.cid.get(),
            parameters: self.parameters,
            cmd_sn: request.cmd_sn.get(),
        }
    }
}

/// The response that ends a login without a session.
pub(super) fn refused(request: &LoginRequest, Refusal(status): Refusal) -> LoginResponse {
    LoginResponse {
        isid: request.isid,
        tsih: U16::new(0),
        task_tag: request.task_tag,
        status,
        ..LoginResponse::empty()
    }
}

#[cfg(test)]
mod tests;
