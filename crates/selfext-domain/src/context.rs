//! The execution context of a change.

use serde::{Deserialize, Serialize};

use crate::{ActorSource, CycleId, GoalId, SubGoalId, ToolCallId, ToolName};

/// Where in the agent's work a change was made. All but the tool name is optional.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutionContext {
    /// The tool that made the change.
    pub tool_name: ToolName,
    /// The one call of that tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<ToolCallId>,
    /// The goal it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal_id: Option<GoalId>,
    /// The cycle in which it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle_id: Option<CycleId>,
    /// The part of the goal it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_goal_id: Option<SubGoalId>,
    /// What kind of actor asked for it; [`ActorSource::agent`] where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_source: Option<ActorSource>,
}

impl ExecutionContext {
    /// A context that names only the tool.
    #[must_use]
    pub const fn new(tool_name: ToolName) -> Self {
        Self { tool_name, tool_call_id: None, goal_id: None, cycle_id: None, sub_goal_id: None, actor_source: None }
    }

    /// The actor that events of this context name.
    #[must_use]
    pub fn actor(&self) -> ActorSource {
        self.actor_source.clone().unwrap_or_else(ActorSource::agent)
    }
}
