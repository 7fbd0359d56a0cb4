//! The rules file as it is written, and what its values may be.

use std::time::Duration;

use serde::Deserialize;

use super::wire_health::WireHealth;
use super::wire_verification::WireVerification;
use super::{
    ChangeLimits, EVIDENCE_CONTEXT, GateRules, MergeMethod, MergeQueueRule, PERMIT_CONTEXT, Pin, ProtectedPaths,
    RequiredContext, Rules, RulesError, StageRules,
};
use crate::invalid::check_label;
use crate::{Digest32, Login, TeamName};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    #[serde(default)]
    gate: WireGate,
    #[serde(default)]
    paths: WirePaths,
    #[serde(default)]
    limits: WireLimits,
    #[serde(default)]
    merge: WireMerge,
    health: Option<WireHealth>,
    #[serde(default)]
    verification: WireVerification,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireGate {
    required: Vec<WireRequired>,
    optional: Vec<String>,
    approvals: Option<u32>,
    approvals_by_team: Vec<String>,
    accept_skipped: bool,
    accept_neutral: bool,
    wait_seconds: Option<u64>,
    poll_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireRequired {
    Name(String),
    Pinned(WirePinned),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePinned {
    context: String,
    app_id: Option<u64>,
    creator: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WirePaths {
    protected: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireLimits {
    #[serde(rename = "max_files")]
    files: Option<u64>,
    #[serde(rename = "max_file_bytes")]
    file_bytes: Option<u64>,
    #[serde(rename = "max_total_bytes")]
    total_bytes: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireMerge {
    method: MergeMethod,
    asynchronous: bool,
    merge_queue: WireMergeQueue,
    queue_wait_seconds: Option<u64>,
    permit_status: bool,
    max_base_moves: Option<u32>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireMergeQueue {
    #[default]
    Refuse,
    Enqueue,
}

impl WireMerge {
    fn queue(&self) -> Result<MergeQueueRule, RulesError> {
        match self.merge_queue {
            WireMergeQueue::Refuse if self.queue_wait_seconds.is_some() => Err(value(
                "merge.queue_wait_seconds says something only with merge.merge_queue = \"enqueue\"".to_owned(),
            )),
            WireMergeQueue::Refuse => Ok(MergeQueueRule::Refuse),
            WireMergeQueue::Enqueue => {
                let wait = in_range("merge.queue_wait_seconds", self.queue_wait_seconds, 3_600, 60, 86_400)?;
                Ok(MergeQueueRule::Enqueue { wait: Duration::from_secs(wait) })
            }
        }
    }
}

pub(super) fn read(text: &str) -> Result<Rules, RulesError> {
    let wire: Wire = toml::from_str(text).map_err(|error| RulesError::Form(error.to_string().trim_end().to_owned()))?;
    if wire.version != 1 {
        return Err(value(format!("version is {}; this selfext knows version 1", wire.version)));
    }
    let defaults = ChangeLimits::default();
    let stages = wire.verification.read()?;
    Ok(Rules {
        gate: gate(wire.gate)?,
        protected: ProtectedPaths::new(wire.paths.protected.into_iter().chain(prepared_by(&stages)).collect())?,
        stages,
        limits: ChangeLimits {
            max_files: usize::try_from(in_range(
                "limits.max_files",
                wire.limits.files,
                defaults.max_files as u64,
                1,
                100_000,
            )?)
            .unwrap_or(usize::MAX),
            max_file_bytes: in_range(
                "limits.max_file_bytes",
                wire.limits.file_bytes,
                defaults.max_file_bytes,
                1,
                1 << 40,
            )?,
            max_total_bytes: in_range(
                "limits.max_total_bytes",
                wire.limits.total_bytes,
                defaults.max_total_bytes,
                1,
                1 << 40,
            )?,
        },
        merge_method: wire.merge.method,
        asynchronous_merge: wire.merge.asynchronous,
        merge_queue: wire.merge.queue()?,
        permit_status: wire.merge.permit_status,
        max_base_moves: u32::try_from(in_range(
            "merge.max_base_moves",
            wire.merge.max_base_moves.map(u64::from),
            3,
            0,
            100,
        )?)
        .unwrap_or(100),
        health: wire.health.map(WireHealth::read).transpose()?,
        digest: Digest32::of(text.as_bytes()),
    })
}

/// What decides which dependencies are prepared on the base, as patterns: a change of it runs code that prepares others.
fn prepared_by(stages: &[StageRules]) -> impl Iterator<Item = String> {
    stages.iter().filter_map(|stage| stage.on_base.as_ref()).flat_map(|on_base| {
        let lock_files = on_base.lock_files.iter().map(|path| globset::escape(path.as_str()));
        let kept = on_base.keep.iter().map(|path| format!("{}/**", globset::escape(path.as_str())));
        lock_files.chain(kept)
    })
}

pub(super) fn value(problem: String) -> RulesError {
    RulesError::Value(problem)
}

pub(super) fn in_range(key: &str, given: Option<u64>, default: u64, least: u64, most: u64) -> Result<u64, RulesError> {
    let number = given.unwrap_or(default);
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(value(format!("{key} is {number}; it may be {least} to {most}")))
    }
}

fn gate(wire: WireGate) -> Result<GateRules, RulesError> {
    let required = wire.required.into_iter().map(required).collect::<Result<Vec<_>, _>>()?;
    for name in required.iter().map(|required| &required.context).chain(&wire.optional) {
        check_label("context", name, 256).map_err(|error| value(format!("gate.required or gate.optional: {error}")))?;
    }
    for required in &required {
        if [EVIDENCE_CONTEXT, PERMIT_CONTEXT].contains(&required.context.as_str()) {
            return Err(value(format!(
                "gate.required names {}, which selfext sets itself; name a context of your CI",
                required.context
            )));
        }
        if wire.optional.contains(&required.context) {
            return Err(value(format!("gate.optional names {:?}, which gate.required names too", required.context)));
        }
    }
    let teams = teams(wire.approvals_by_team)?;
    let approvals = in_range("gate.approvals", wire.approvals.map(u64::from), 0, 0, 10)?;
    let approvals = u32::try_from(approvals).unwrap_or(10).max(u32::from(!teams.is_empty()));
    Ok(GateRules {
        required,
        optional: wire.optional,
        approvals,
        approvals_by_team: teams,
        accept_skipped: wire.accept_skipped,
        accept_neutral: wire.accept_neutral,
        wait: Duration::from_secs(in_range("gate.wait_seconds", wire.wait_seconds, 1_800, 0, 604_800)?),
        poll: Duration::from_secs(in_range("gate.poll_seconds", wire.poll_seconds, 10, 1, 3_600)?),
    })
}

fn required(entry: WireRequired) -> Result<RequiredContext, RulesError> {
    let WirePinned { context, app_id, creator } = match entry {
        WireRequired::Name(context) => WirePinned { context, app_id: None, creator: None },
        WireRequired::Pinned(pinned) => pinned,
    };
    let pin = match (app_id, creator) {
        (None, None) => None,
        (Some(app), None) => Some(Pin::App(app)),
        (None, Some(creator)) => {
            let login = Login::parse(creator).map_err(|error| value(format!("gate.required: creator: {error}")))?;
            Some(Pin::Creator(login))
        }
        (Some(_), Some(_)) => {
            return Err(value(format!(
                "gate.required pins {context:?} to an app_id, whose check runs count, and to a creator, whose statuses count; \
                 name one of them"
            )));
        }
    };
    Ok(RequiredContext { context, pin })
}

fn teams(named: Vec<String>) -> Result<Vec<TeamName>, RulesError> {
    in_range("the number of gate.approvals_by_team", u64::try_from(named.len()).ok(), 0, 0, 10)?;
    let mut teams: Vec<TeamName> = Vec::new();
    for name in named {
        let team = TeamName::parse(name).map_err(|error| value(format!("gate.approvals_by_team: {error}")))?;
        if teams.iter().any(|other| other.as_str().eq_ignore_ascii_case(team.as_str())) {
            return Err(value(format!("gate.approvals_by_team names {team} twice")));
        }
        teams.push(team);
    }
    Ok(teams)
}
