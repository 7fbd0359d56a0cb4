//! The bytes of an event: what is stored, hashed and read back.

use serde::{Deserialize, Serialize};

use super::body::WireBody;
use super::{Event, EventBody, Subject, UnknownEvent};
use crate::canonical::{self, CanonicalError};
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

#[derive(Serialize, Deserialize)]
struct Wire {
    schema: u64,
    event_id: EventId,
    run_id: String,
    correlation_id: CorrelationId,
    actor_source: ActorSource,
    #[serde(default)]
    tool_name: Option<ToolName>,
    #[serde(default)]
    tool_call_id: Option<ToolCallId>,
    #[serde(default)]
    goal_id: Option<GoalId>,
    #[serde(default)]
    cycle_id: Option<CycleId>,
    #[serde(default)]
    sub_goal_id: Option<SubGoalId>,
    #[serde(default)]
    repository: Option<RepositoryName>,
    #[serde(default)]
    base: Option<BranchName>,
    #[serde(default)]
    fingerprint: Option<Fingerprint>,
    #[serde(default)]
    pull_request: Option<PullRequestNumber>,
    #[serde(flatten)]
    body: WireBody,
}

impl Event {
    /// The event's bytes in the canonical form (see [`canonical`]). The same event has the same bytes on every machine.
    ///
    /// # Errors
    /// [`EventError::Content`] if the payload of an unknown event holds a float.
    pub fn to_content(&self) -> Result<String, EventError> {
        let context = self.context.as_ref();
        let body = &self.body;
        let wire = Wire {
            schema: if let EventBody::Unknown(unknown) = body { unknown.schema } else { SCHEMA },
            event_id: self.id,
            run_id: self.stream.as_str().to_owned(),
            correlation_id: self.correlation_id.clone(),
            actor_source: self.actor_source.clone(),
            tool_name: context.map(|context| context.tool_name.clone()),
            tool_call_id: context.and_then(|context| context.tool_call_id.clone()),
            goal_id: context.and_then(|context| context.goal_id.clone()),
            cycle_id: context.and_then(|context| context.cycle_id.clone()),
            sub_goal_id: context.and_then(|context| context.sub_goal_id.clone()),
            repository: self.subject.as_ref().map(|subject| subject.repository.clone()),
            base: self.subject.as_ref().map(|subject| subject.base.clone()),
            fingerprint: self.subject.as_ref().map(|subject| subject.fingerprint),
            pull_request: self.pull_request,
            body: WireBody {
                event_type: body.event_type().to_owned(),
                stage: body.stage().to_owned(),
                payload: body.payload().map_err(CanonicalError::from)?,
            },
        };
        Ok(canonical::to_string(&wire)?)
    }

    /// Reads an event's bytes. A type or schema that this version does not know becomes [`EventBody::Unknown`].
    ///
    /// # Errors
    /// [`EventError`] says what the bytes are not.
    pub fn from_content(content: &str) -> Result<Self, EventError> {
        let wire: Wire = canonical::from_str(content)?;
        let stream = StreamId::parse(&wire.run_id)?;
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
        Ok(Self {
            id: wire.event_id,
            stream,
            correlation_id: wire.correlation_id,
            actor_source: wire.actor_source,
            context: origin,
            subject,
            pull_request: wire.pull_request,
            body: read_body(wire.schema, wire.body)?,
        })
    }
}

fn read_body(schema: u64, wire: WireBody) -> Result<EventBody, EventError> {
    let WireBody { event_type, stage, payload } = wire;
    let known = (schema == SCHEMA).then(|| EventBody::read(&event_type, payload.clone())).flatten();
    match known {
        None => Ok(EventBody::Unknown(UnknownEvent { event_type, stage, schema, payload })),
        Some(Err(source)) => Err(EventError::Payload { event_type, source }),
        Some(Ok(body)) if body.stage() != stage => {
            Err(EventError::Stage { found: stage, expected: body.stage().to_owned() })
        }
        Some(Ok(body)) => Ok(body),
    }
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
