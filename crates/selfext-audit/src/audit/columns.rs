//! What the database derived from a content, compared with what the content says.

use std::borrow::Cow;

use selfext_domain::canonical::spelled;
use selfext_domain::ports::DerivedColumns;
use selfext_domain::{CycleId, Event, GoalId, PullRequestNumber, SubGoalId, ToolCallId};
use uuid::Uuid;

/// Calls `differs` with the name of each column that differs, what the content says, and what the column says; an empty text where
/// they say nothing.
///
/// `escaped` says whether the content holds an escape of the canonical form at all; without one, every text is spelled as it is.
pub(super) fn compare(
    event: &Event,
    columns: &DerivedColumns<'_>,
    escaped: bool,
    mut differs: impl FnMut(&'static str, &str, &str),
) {
    let mut text = |name, said: Option<&str>, column: Option<&str>| {
        let said = said.map(|said| if escaped { spelled(said) } else { Cow::Borrowed(said) });
        if said.as_deref() != column {
            differs(name, said.as_deref().unwrap_or_default(), column.unwrap_or_default());
        }
    };
    let context = event.context.as_ref();
    let subject = event.subject.as_ref();
    text("run_id", Some(event.stream.as_str()), Some(columns.run_id));
    text("correlation_id", Some(event.correlation_id.as_str()), Some(columns.correlation_id));
    text("stage", Some(event.body.stage()), Some(columns.stage));
    text("event_type", Some(event.body.event_type()), Some(columns.event_type));
    text("actor_source", Some(event.actor_source.as_str()), Some(columns.actor_source));
    text("tool_name", context.map(|context| context.tool_name.as_str()), columns.tool_name);
    let call = context.and_then(|context| context.tool_call_id.as_ref()).map(ToolCallId::as_str);
    text("tool_call_id", call, columns.tool_call_id);
    let goal = context.and_then(|context| context.goal_id.as_ref()).map(GoalId::as_str);
    text("goal_id", goal, columns.goal_id);
    let cycle = context.and_then(|context| context.cycle_id.as_ref()).map(CycleId::as_str);
    text("cycle_id", cycle, columns.cycle_id);
    let sub_goal = context.and_then(|context| context.sub_goal_id.as_ref()).map(SubGoalId::as_str);
    text("sub_goal_id", sub_goal, columns.sub_goal_id);
    text("repository", subject.map(|subject| subject.repository.as_str()), columns.repository);
    text("base", subject.map(|subject| subject.base.as_str()), columns.base);
    let mut room = [0; 64];
    let fingerprint = subject.map(|subject| subject.fingerprint.digits(&mut room));
    text("fingerprint", fingerprint, columns.fingerprint);
    // A database may spell a UUID in its own way.
    if Uuid::try_parse(columns.event_id).ok().as_ref() != Some(event.id.as_uuid()) {
        differs("event_id", &event.id.to_string(), columns.event_id);
    }
    let number = event.pull_request.map(PullRequestNumber::get);
    if number != columns.pull_request.and_then(|number| number.try_into().ok()) {
        let said = number.map(|number| number.to_string());
        let column = columns.pull_request.map(|number| number.to_string());
        differs("pull_request", &said.unwrap_or_default(), &column.unwrap_or_default());
    }
}
