//! Contents of which nothing is believed, read and checked in one pass: for readers of whole ledgers.

use std::borrow::Cow;
use std::str::FromStr;

use uuid::Uuid;

use super::content::WireRead;
use super::{Event, EventBody, EventError};
use crate::canonical::{self, Member, NotCanonical};
use crate::{EventId, Fingerprint};

/// What a content is.
#[derive(Debug)]
pub struct JudgedContent {
    /// Whether it is in the canonical form: what [`canonical::check`] says.
    pub form: Result<(), NotCanonical>,
    /// The event without its stage reports: what [`Event::from_content_without_reports`] says.
    pub event: Result<Event, EventError>,
    /// Whether it holds an [escape](canonical::ESCAPE) of the canonical form's own.
    pub is_escaped: bool,
}

impl JudgedContent {
    /// Reads a content. Most are read on the way through the check of their form; those in which anything is unusual are read
    /// in the way of every other reader.
    #[must_use]
    pub fn of(content: &str) -> Self {
        let mut members = Members::default();
        let form = canonical::check_members(content, |member| members.take(&member));
        if form == Ok(false)
            && let Some(event) = members.event()
        {
            return Self { form: Ok(()), event: Ok(event), is_escaped: false };
        }
        Self {
            form: form.map(|_| ()),
            event: Event::from_content_without_reports(content),
            is_escaped: content.contains(canonical::ESCAPE),
        }
    }
}

/// The members of a content, as they are written.
#[derive(Default)]
struct Members<'a> {
    schema: Option<&'a str>,
    event_id: Option<&'a str>,
    run_id: Option<&'a str>,
    correlation_id: Option<&'a str>,
    actor_source: Option<&'a str>,
    tool_name: Option<&'a str>,
    tool_call_id: Option<&'a str>,
    goal_id: Option<&'a str>,
    cycle_id: Option<&'a str>,
    sub_goal_id: Option<&'a str>,
    repository: Option<&'a str>,
    base: Option<&'a str>,
    fingerprint: Option<&'a str>,
    pull_request: Option<&'a str>,
    event_type: Option<&'a str>,
    stage: Option<&'a str>,
    payload: Option<&'a str>,
    /// Whether one that should be a text is none, or does not stand there as it is.
    is_unusual: bool,
}

impl<'a> Members<'a> {
    fn take(&mut self, &Member { key, value, is_plain }: &Member<'a>) {
        let text = match key {
            "schema" => return self.schema = Some(value),
            "pull_request" => return self.pull_request = Some(value),
            "payload" => return self.payload = Some(value),
            "event_id" => &mut self.event_id,
            "run_id" => &mut self.run_id,
            "correlation_id" => &mut self.correlation_id,
            "actor_source" => &mut self.actor_source,
            "tool_name" => &mut self.tool_name,
            "tool_call_id" => &mut self.tool_call_id,
            "goal_id" => &mut self.goal_id,
            "cycle_id" => &mut self.cycle_id,
            "sub_goal_id" => &mut self.sub_goal_id,
            "repository" => &mut self.repository,
            "base" => &mut self.base,
            "fingerprint" => &mut self.fingerprint,
            "event_type" => &mut self.event_type,
            "stage" => &mut self.stage,
            _ => return,
        };
        let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        *text = inside.filter(|_| is_plain);
        self.is_unusual |= text.is_none();
    }

    /// The event, if all is as usual.
    fn event(self) -> Option<Event> {
        if self.is_unusual {
            return None;
        }
        let wire = WireRead {
            schema: self.schema?.parse().ok()?,
            event_id: EventId::from_uuid(Uuid::try_parse(self.event_id?).ok()?),
            run_id: Cow::Borrowed(self.run_id?),
            correlation_id: self.correlation_id?.parse().ok()?,
            actor_source: self.actor_source?.parse().ok()?,
            tool_name: optional(self.tool_name)?,
            tool_call_id: optional(self.tool_call_id)?,
            goal_id: optional(self.goal_id)?,
            cycle_id: optional(self.cycle_id)?,
            sub_goal_id: optional(self.sub_goal_id)?,
            repository: optional(self.repository)?,
            base: optional(self.base)?,
            fingerprint: self.fingerprint.map(Fingerprint::parse).transpose().ok()?,
            pull_request: optional(self.pull_request)?,
            event_type: Cow::Borrowed(self.event_type?),
            stage: Cow::Borrowed(self.stage?),
            payload: self.payload?,
        };
        wire.into_event(EventBody::read_without_reports).ok()
    }
}

/// A value that may be absent; nothing if it is there and illegal.
#[expect(clippy::option_option, reason = "the outer one is for `?`")]
fn optional<T: FromStr>(text: Option<&str>) -> Option<Option<T>> {
    text.map(str::parse).transpose().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What one pass must agree with: the check of the form, and the way in which everybody else reads.
    fn assert_as_in_two_passes(content: &str) {
        let judged = JudgedContent::of(content);
        assert_eq!(judged.form, canonical::check(content), "{content}");
        assert_eq!(judged.is_escaped, content.contains(canonical::ESCAPE), "{content}");
        match (judged.event, Event::from_content_without_reports(content)) {
            (Ok(event), Ok(expected)) => assert_eq!(event, expected, "{content}"),
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected.to_string(), "{content}"),
            (event, expected) => panic!("{content}: {event:?}, but {expected:?}"),
        }
    }

    const RUN: &str = r#"{"actor_source":"agent","base":"main","correlation_id":"r1","cycle_id":"c","event_id":"00000000-0000-0000-0000-000000000007","event_type":"TYPE","fingerprint":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","goal_id":"g","payload":PAYLOAD,"pull_request":12,"repository":"acme/agent","run_id":"r1","schema":1,"stage":"STAGE","sub_goal_id":"s","tool_call_id":"call 1","tool_name":"write"}"#;
    const CONTROL: &str = r#"{"actor_source":"operator","correlation_id":"control","event_id":"00000000-0000-0000-0000-000000000007","event_type":"TYPE","payload":PAYLOAD,"run_id":"control","schema":1,"stage":"STAGE"}"#;

    fn contents() -> Vec<String> {
        [
            (RUN, "proposed", "staging", r#"{"branch":"x","files":[{"action":"write","bytes":1,"path":"a\"b","sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}],"message":"m"}"#),
            (RUN, "tested", "verification", r#"{"attempt":1,"base_commit":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","branch":"x","holder":"h","rules_sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","stages":[{"output":"…\n\u001b"}],"title":"T","tree":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}"#),
            (RUN, "promotion_blocked", "promotion-gate", r#"{"detail":"a␛0b␛␛","reason":"checks-pending","stage":"promotion-gate"}"#),
            (RUN, "teleported", "elsewhere", r#"[{"a":true},-1]"#),
            (CONTROL, "promotion_pause_changed", "promotion-control", r#"{"allow_rollbacks":false,"by":"op","paused":true}"#),
        ]
        .map(|(whole, name, stage, payload)| {
            whole.replace("TYPE", name).replace("STAGE", stage).replace("PAYLOAD", payload)
        })
        .into()
    }

    #[test]
    fn an_event_is_read_as_in_two_passes() {
        for content in contents() {
            assert!(JudgedContent::of(&content).event.is_ok() && canonical::check(&content).is_ok(), "{content}");
            assert_as_in_two_passes(&content);
        }
    }

    #[test]
    fn what_is_unusual_is_read_as_in_two_passes() {
        let [content, ..] = &contents()[..] else { panic!("there is one") };
        for (from, to) in [
            ("\"r1\"", "\"r␛␛1\""),
            ("\"r1\"", "\"r␛1\""),
            ("\"r1\"", "\"r…\""),
            ("\"r1\"", "\"r\\\"\""),
            ("\"r1\"", "\"r\\u0001\""),
            ("\"r1\"", "\"\""),
            ("\"r1\"", "\" \""),
            ("\"r1\"", "1"),
            ("\"r1\"", "null"),
            ("\"r1\"", "[\"r1\"]"),
            ("\"run_id\":\"r1\"", "\"run_id\":\"control\""),
            ("\"schema\":1", "\"schema\":2"),
            ("\"schema\":1", "\"schema\":-1"),
            ("\"schema\":1", "\"schema\":\"1\""),
            ("\"schema\":1,", ""),
            ("\"pull_request\":12", "\"pull_request\":0"),
            ("\"pull_request\":12", "\"pull_request\":18446744073709551615"),
            ("\"pull_request\":12,", ""),
            ("00000000-0000-0000-0000-000000000007", "00000000000000000000000000000007"),
            ("00000000-0000-0000-0000-000000000007", "{00000000-0000-0000-0000-000000000007}"),
            ("00000000-0000-0000-0000-000000000007", "7"),
            ("\"fingerprint\":\"a", "\"fingerprint\":\"A"),
            ("\"fingerprint\":\"a", "\"fingerprint\":\"g"),
            ("\"repository\":\"acme/agent\",", ""),
            ("\"tool_name\":\"write\"", "\"tool_names\":\"write\""),
            ("\"stage\":\"staging\"", "\"stage\":\"rollback\""),
            ("\"payload\":{", "\"payload\":{\"x\":1,"),
            ("\"message\":\"m\"", "\"message\":1"),
            ("\"schema\":1", "\"schema\":1,\"schema\":1"),
            ("\"schema\":1", "\"schema\": 1"),
            ("{\"actor", "[{\"actor"),
        ] {
            let changed = content.replace(from, to);
            assert_ne!(&changed, content, "{from}");
            assert_as_in_two_passes(&changed);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_changed_is_read_as_in_two_passes(
            which in 0..5_usize, at in any::<prop::sample::Index>(), bytes in 0..4_usize, with in "[-\"\\\\{}\\[\\],:0-9a-f␛… ]{0,3}"
        ) {
            let mut content = contents()[which].clone();
            let begin = at.index(content.len());
            let end = (begin + bytes).min(content.len());
            if content.is_char_boundary(begin) && content.is_char_boundary(end) {
                content.replace_range(begin..end, &with);
            }
            assert_as_in_two_passes(&content);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            assert_as_in_two_passes(&text);
        }
    }
}
