//! The bytes of an event: what is stored, hashed and read back.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use uuid::fmt::Hyphenated;

use super::{Event, EventBody, Subject, UnknownEvent};
use crate::canonical::{self, CanonicalError, ObjectWriter};
use crate::{
    ActorSource, BranchName, CorrelationId, CycleId, EventId, ExecutionContext, Fingerprint, GoalId, InvalidValue,
    PullRequestNumber, RepositoryName, StreamId, SubGoalId, ToolCallId, ToolName,
};

/// Why an event has no bytes, or bytes are no event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The content is not in the canonical form, or not of the documented shape.
    #[error("the event's content is not in the documented form")]
    Content(#[from] CanonicalError),
    /// The payload is not of the shape that its type has.
    #[error("the payload of {event_type} is not of the documented shape")]
    Payload {
        /// The event's type.
        event_type: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A value in it is illegal.
    #[error("the event holds an illegal value")]
    Value(#[from] InvalidValue),
    /// Only some of repository, base and fingerprint are there.
    #[error("the event names only a part of its subject")]
    PartialSubject,
    /// It says another stage than its type has.
    #[error("the event says stage {found}, but its type belongs to {expected}")]
    Stage {
        /// What it says.
        found: String,
        /// What its type says.
        expected: String,
    },
}

/// The schema that this version writes.
const SCHEMA: u64 = 1;

/// Most contents are shorter than this.
const USUAL_LENGTH: usize = 1024;

/// The content as it is read: in one pass, with the payload left as it stands until its type is known.
#[derive(Deserialize)]
pub(super) struct WireRead<'a> {
    pub schema: u64,
    pub event_id: EventId,
    #[serde(borrow)]
    pub run_id: Cow<'a, str>,
    pub correlation_id: CorrelationId,
    pub actor_source: ActorSource,
    #[serde(default)]
    pub tool_name: Option<ToolName>,
    #[serde(default)]
    pub tool_call_id: Option<ToolCallId>,
    #[serde(default)]
    pub goal_id: Option<GoalId>,
    #[serde(default)]
    pub cycle_id: Option<CycleId>,
    #[serde(default)]
    pub sub_goal_id: Option<SubGoalId>,
    #[serde(default)]
    pub repository: Option<RepositoryName>,
    #[serde(default)]
    pub base: Option<BranchName>,
    #[serde(default)]
    pub fingerprint: Option<Fingerprint>,
    #[serde(default)]
    pub pull_request: Option<PullRequestNumber>,
    #[serde(borrow)]
    pub event_type: Cow<'a, str>,
    #[serde(borrow)]
    pub stage: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "as_it_stands")]
    pub payload: &'a str,
}

fn as_it_stands<'de, D: Deserializer<'de>>(value: D) -> Result<&'de str, D::Error> {
    <&RawValue>::deserialize(value).map(RawValue::get)
}

impl Event {
    /// The event's bytes in the canonical form (see [`canonical`]). The same event has the same bytes on every machine.
    ///
    /// # Errors
    /// [`EventError::Content`] if the payload of an unknown event holds a float.
    pub fn to_content(&self) -> Result<String, EventError> {
        let (context, subject, body) = (self.context.as_ref(), self.subject.as_ref(), &self.body);
        let schema = if let EventBody::Unknown(unknown) = body { unknown.schema } else { SCHEMA };
        let (mut id, mut fingerprint) = ([0; Hyphenated::LENGTH], [0; 64]);
        let mut content = ObjectWriter::with_capacity(USUAL_LENGTH);
        content.text("actor_source", Some(self.actor_source.as_str()));
        content.text("base", subject.map(|subject| subject.base.as_str()));
        content.text("correlation_id", Some(self.correlation_id.as_str()));
        content.text("cycle_id", context.and_then(|context| context.cycle_id.as_ref()).map(CycleId::as_str));
        content.text("event_id", Some(self.id.as_uuid().hyphenated().encode_lower(&mut id)));
        content.text("event_type", Some(body.event_type()));
        content.text("fingerprint", subject.map(|subject| subject.fingerprint.digits(&mut fingerprint)));
        content.text("goal_id", context.and_then(|context| context.goal_id.as_ref()).map(GoalId::as_str));
        content.value("payload", &body.payload().map_err(CanonicalError::from)?)?;
        content.number("pull_request", self.pull_request.map(PullRequestNumber::get));
        content.text("repository", subject.map(|subject| subject.repository.as_str()));
        content.text("run_id", Some(self.stream.as_str()));
        content.number("schema", Some(schema));
        content.text("stage", Some(body.stage()));
        content.text("sub_goal_id", context.and_then(|context| context.sub_goal_id.as_ref()).map(SubGoalId::as_str));
        content.text("tool_call_id", context.and_then(|context| context.tool_call_id.as_ref()).map(ToolCallId::as_str));
        content.text("tool_name", context.map(|context| context.tool_name.as_str()));
        Ok(content.finish())
    }

    /// Reads an event's bytes. A type or schema that this version does not know becomes [`EventBody::Unknown`].
    ///
    /// # Errors
    /// [`EventError`] says what the bytes are not.
    pub fn from_content(content: &str) -> Result<Self, EventError> {
        Self::read(content, EventBody::read)
    }

    /// The event as [`Event::from_content`] reads it from `content`, its own bytes. They are read only where this version does not know
    /// what they say.
    ///
    /// # Errors
    /// As [`Event::from_content`], of [`EventBody::Unknown`] alone.
    pub fn as_read(&self, content: &str) -> Result<Self, EventError> {
        if matches!(self.body, EventBody::Unknown(_)) {
            return Self::from_content(content);
        }
        let mut read = self.clone();
        // The bytes name one actor.
        if let Some(context) = &mut read.context {
            context.actor_source = Some(self.actor_source.clone());
        }
        Ok(read)
    }

    /// As [`Event::from_content`], but the stage reports of `tested` and `failed` are left out unread: for readers of whole
    /// ledgers, to whom the outputs in them are only bytes. Such an event has other bytes than it was read from.
    ///
    /// # Errors
    /// As [`Event::from_content`].
    pub fn from_content_without_reports(content: &str) -> Result<Self, EventError> {
        Self::read(content, EventBody::read_without_reports)
    }

    fn read(content: &str, read_known: ReadKnown) -> Result<Self, EventError> {
        let plain = canonical::plain(content)?;
        let wire: WireRead<'_> = serde_json::from_str(&plain).map_err(CanonicalError::from)?;
        wire.into_event(read_known)
    }
}

impl WireRead<'_> {
    pub fn into_event(self, read_known: ReadKnown) -> Result<Event, EventError> {
        let wire = self;
        let stream = StreamId::parse(&wire.run_id)?;
        let body = read_body(wire.schema, &wire.event_type, &wire.stage, wire.payload, read_known)?;
        let origin = wire.tool_name.map(|tool_name| ExecutionContext {
            tool_name,
            tool_call_id: wire.tool_call_id,
            goal_id: wire.goal_id,
            cycle_id: wire.cycle_id,
            sub_goal_id: wire.sub_goal_id,
            actor_source: Some(wire.actor_source.clone()),
        });
        let subject = match (wire.repository, wire.base, wire.fingerprint) {
            (Some(repository), Some(base), Some(fingerprint)) => Some(Subject { repository, base, fingerprint }),
            (None, None, None) => None,
            _ => return Err(EventError::PartialSubject),
        };
        Ok(Event {
            id: wire.event_id,
            stream,
            correlation_id: wire.correlation_id,
            actor_source: wire.actor_source,
            context: origin,
            subject,
            pull_request: wire.pull_request,
            body,
        })
    }
}

/// Reads a payload, if its type is known.
pub(super) type ReadKnown = fn(&str, &str) -> Option<Result<EventBody, serde_json::Error>>;

fn read_body(
    schema: u64,
    event_type: &str,
    stage: &str,
    payload: &str,
    read_known: ReadKnown,
) -> Result<EventBody, EventError> {
    let wrong = |source| EventError::Payload { event_type: event_type.to_owned(), source };
    let known = if schema == SCHEMA { read_known(event_type, payload) } else { None };
    let Some(read) = known else {
        let payload = serde_json::from_str(payload).map_err(wrong)?;
        let (event_type, stage) = (event_type.to_owned(), stage.to_owned());
        return Ok(EventBody::Unknown(UnknownEvent { event_type, stage, schema, payload }));
    };
    let body = read.map_err(wrong)?;
    if body.stage() != stage {
        return Err(EventError::Stage { found: stage.to_owned(), expected: body.stage().to_owned() });
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{CommitSha, Promoted, RunId, TreeSha};

    fn event(run: &str) -> Event {
        let run = RunId::parse(run).unwrap();
        let mut context = ExecutionContext::new(ToolName::parse("write").unwrap());
        context.actor_source = Some(ActorSource::agent());
        Event {
            id: EventId::from_uuid(Uuid::from_u128(7)),
            correlation_id: CorrelationId::from(&run),
            stream: run.into(),
            actor_source: ActorSource::agent(),
            context: Some(context),
            subject: None,
            pull_request: Some(PullRequestNumber::new(12).unwrap()),
            body: Promoted {
                commit: CommitSha::parse("a".repeat(40)).unwrap(),
                tree: TreeSha::parse("b".repeat(40)).unwrap(),
                tree_matches: true,
                checked_in_queue: false,
                health: None,
            }
            .into(),
        }
    }

    #[test]
    fn an_event_has_the_published_bytes_and_reads_back() {
        let content = event("r1").to_content().unwrap();
        let expected = format!(
            "{{\"actor_source\":\"agent\",\"correlation_id\":\"r1\",\"event_id\":\"00000000-0000-0000-0000-000000000007\",\
             \"event_type\":\"promoted\",\"payload\":{{\"commit\":\"{}\",\"tree\":\"{}\",\"tree_matches\":true}},\
             \"pull_request\":12,\"run_id\":\"r1\",\"schema\":1,\"stage\":\"promotion-merge\",\"tool_name\":\"write\"}}",
            "a".repeat(40),
            "b".repeat(40)
        );
        assert_eq!(content, expected);
        assert_eq!(Event::from_content(&content).unwrap(), event("r1"));
    }

    #[test]
    fn an_unknown_type_and_a_later_schema_survive_reading() {
        let content = event("r1").to_content().unwrap();
        for later in [content.replace("promoted", "teleported"), content.replace("\"schema\":1", "\"schema\":2")] {
            let read = Event::from_content(&later).unwrap();
            assert!(matches!(read.body, EventBody::Unknown(_)));
            assert_eq!(read.to_content().unwrap(), later);
        }
    }

    #[test]
    fn an_event_without_its_reports_is_the_same_but_for_them() {
        let tested = r#"{"attempt":1,"base_commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"x","holder":"h","rules_sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","stages":[{"duration_ms":1,"kind":"check","name":"t","output":"o","output_bytes":1,"result":"passed"}],"title":"T","tree":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}"#;
        let failed = r#"{"detail":"d","reason":"verification-failed","stage":"verification","stages":[{"duration_ms":1,"kind":"check","name":"t","output":"o","output_bytes":1,"result":"passed"}]}"#;
        for (event_type, payload) in [("tested", tested), ("failed", failed)] {
            let content = format!(
                r#"{{"actor_source":"agent","correlation_id":"r1","event_id":"00000000-0000-0000-0000-000000000007","event_type":"{event_type}","payload":{payload},"run_id":"r1","schema":1,"stage":"verification"}}"#
            );
            let whole = Event::from_content(&content).unwrap();
            assert_eq!(whole.to_content().unwrap(), content);
            let mut expected = whole.clone();
            match &mut expected.body {
                EventBody::Tested(tested) => tested.stages.clear(),
                EventBody::Failed(failed) => failed.stages.clear(),
                other => panic!("{other:?}"),
            }
            assert_ne!(whole, expected);
            assert_eq!(Event::from_content_without_reports(&content).unwrap(), expected);
            for wrong in [content.replace("\"stages\":[", "\"stages\":0,\"x\":["), content.replace("aaaa\"", "\"")] {
                let whole = Event::from_content(&wrong).is_ok();
                assert_eq!(Event::from_content_without_reports(&wrong).is_ok(), whole, "{wrong}");
            }
        }
        let content = event("r1").to_content().unwrap();
        assert_eq!(Event::from_content_without_reports(&content).unwrap(), event("r1"));
    }

    #[test]
    fn a_forged_stage_a_wrong_payload_and_half_a_subject_are_errors() {
        let content = event("r1").to_content().unwrap();
        let bad = [
            content.replace("promotion-merge", "rollback"),
            content.replace("\"tree_matches\":true", "\"tree_matches\":\"yes\""),
            content.replace("\"run_id\"", "\"repository\":\"a/b\",\"run_id\""),
            content.replace("\"r1\",\"schema\"", "\" \",\"schema\""),
        ];
        for content in bad {
            assert!(Event::from_content(&content).is_err(), "{content}");
        }
    }
}
