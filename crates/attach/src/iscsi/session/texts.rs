//! Text requests of a session: which targets there are, and what an initiator changes its mind
//! about.
//!
//! Source: RFC 7143, sections 11.10, 11.11 and 13, and appendix C.

use std::sync::atomic::Ordering;

use super::super::header::{FINAL, NO_TAG, RejectReason, TextRequest, TextResponse, be32};
use super::super::link::Stat;
use super::super::login::SessionKind;
use super::super::options::PORTAL_GROUP;
use super::super::parameters::Answer;
use super::super::text::{Answers, Pieces};
use super::super::wire::Pdu;
use super::{End, OWN_TAG, Reader};

/// The bit of a text that goes on (11.10.2).
const CONTINUE: u8 = 0x40;

impl Reader<'_> {
    /// Answers a text, or waits for the rest of it.
    pub(super) fn text(&mut self, pdu: &Pdu) -> Result<(), End> {
        let request = TextRequest::of(&pdu.header);
        if request.target_tag.get() == NO_TAG {
            self.text = Pieces::default();
        }
        if self.text.add(&pdu.data).is_err() {
            return self.refuse(&pdu.header, RejectReason::InvalidField);
        }
        let mut answer = TextResponse {
            lun: request.lun,
            task_tag: request.task_tag,
            target_tag: be32(OWN_TAG),
            ..TextResponse::empty()
        };
        let mut answers = Answers::default();
        if request.flags & CONTINUE == 0 {
            let Ok(pairs) = self.text.finish() else {
                return self.refuse(&pdu.header, RejectReason::InvalidField);
            };
            for (key, value) in &pairs {
                self.key(key, value, &mut answers)?;
            }
            if request.flags & FINAL != 0 {
                answer.flags = FINAL;
                answer.target_tag = be32(NO_TAG);
            }
        }
        // One target at one address: less than the 512 bytes that every initiator takes.
        Ok(self
            .session
            .link
            .send(answer, answers.as_bytes(), Stat::Status)?)
    }

    fn key(&self, key: &str, value: &str, answers: &mut Answers) -> Result<(), End> {
        let name = &self.target.options.name;
        if key == "SendTargets" {
            let all = value == "All" && self.session.kind == SessionKind::Discovery;
            let own = value.is_empty() && self.session.kind == SessionKind::Normal;
            if all || own || value.eq_ignore_ascii_case(name) {
                let address = self.session.stream.local_addr()?;
                answers.add("TargetName", name);
                answers.add("TargetAddress", &format!("{address},{PORTAL_GROUP}"));
            } else if value == "All" {
                answers.add(key, "Reject");
            }
            return Ok(());
        }
        let mut parameters = self.session.parameters;
        match parameters.answer(key, value) {
            Answer::Silence => {
                self.session
                    .send_segment
                    .store(parameters.send_segment, Ordering::Relaxed);
            }
            Answer::Value(answer) if answer == "NotUnderstood" => answers.add(key, &answer),
            // All others are for the login alone.
            Answer::Value(_) => answers.add(key, "Reject"),
        }
        Ok(())
    }
}
