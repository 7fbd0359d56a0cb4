//! The part of the rules file that is about verification, as it is written.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::wire::{in_range, value};
use super::{Isolation, OnBase, OutputRule, RulesError, StageKind, StageLimits, StageRules, VariablePattern};
use crate::RepoPath;
use crate::invalid::check_label;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireVerification {
    isolation: Isolation,
    environment: Vec<String>,
    limits: WireStageLimits,
    stage: Vec<WireStage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireStage {
    name: String,
    #[serde(default)]
    kind: StageKind,
    command: Vec<String>,
    timeout_seconds: Option<u64>,
    output_limit_bytes: Option<u64>,
    must_match: Option<String>,
    #[serde(default)]
    environment: Vec<String>,
    #[serde(default)]
    network: bool,
    #[serde(default)]
    limits: WireStageLimits,
    on_base: Option<WireOnBase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOnBase {
    lock_files: Vec<String>,
    #[serde(default)]
    keep: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireStageLimits {
    cpu_seconds: Option<u64>,
    memory_bytes: Option<u64>,
    file_bytes: Option<u64>,
    disk_bytes: Option<u64>,
    open_files: Option<u64>,
    processes: Option<u64>,
    output_bytes: Option<u64>,
}

impl WireStageLimits {
    fn over(&self, above: StageLimits) -> Result<StageLimits, RulesError> {
        let limit = |key: &str, given, default, least, most| {
            in_range(&format!("verification limits.{key}"), given, default, least, most)
        };
        Ok(StageLimits {
            cpu_seconds: limit("cpu_seconds", self.cpu_seconds, above.cpu_seconds, 1, 86_400)?,
            memory_bytes: limit("memory_bytes", self.memory_bytes, above.memory_bytes, 1 << 20, 1 << 46)?,
            file_bytes: limit("file_bytes", self.file_bytes, above.file_bytes, 1 << 10, 1 << 46)?,
            disk_bytes: limit("disk_bytes", self.disk_bytes, above.disk_bytes, 1 << 20, 1 << 46)?,
            open_files: limit("open_files", self.open_files, above.open_files, 16, 1 << 20)?,
            processes: limit("processes", self.processes, above.processes, 1, 1 << 22)?,
            output_bytes: limit("output_bytes", self.output_bytes, above.output_bytes, 1 << 10, 1 << 40)?,
        })
    }
}

impl WireVerification {
    pub(super) fn read(self) -> Result<Vec<StageRules>, RulesError> {
        if self.stage.is_empty() {
            return Err(value(
                "it has no [[verification.stage]]; a change that nothing tries is not promoted".to_owned(),
            ));
        }
        let everywhere = patterns(&self.environment)?;
        let limits = self.limits.over(StageLimits::default())?;
        let mut names = BTreeSet::new();
        let read: Result<Vec<_>, _> = self
            .stage
            .into_iter()
            .map(|wire| {
                let stage = stage(wire, &everywhere, limits, self.isolation)?;
                if names.insert(stage.name.clone()) {
                    Ok(stage)
                } else {
                    Err(value(format!("the verification stage {:?} is there twice", stage.name)))
                }
            })
            .collect();
        let stages = read?;
        apart(&stages)?;
        match stages.iter().skip_while(|stage| stage.on_base.is_some()).find(|stage| stage.on_base.is_some()) {
            None => Ok(stages),
            Some(late) => {
                let name = &late.name;
                Err(value(format!(
                    "the verification stage {name:?} has on_base, so it has to come before those that have not"
                )))
            }
        }
    }
}

fn stage(
    wire: WireStage,
    everywhere: &[VariablePattern],
    limits: StageLimits,
    isolation: Isolation,
) -> Result<StageRules, RulesError> {
    check_label("verification.stage name", &wire.name, 64).map_err(|error| value(error.to_string()))?;
    if wire.command.first().is_none_or(String::is_empty) || wire.command.iter().any(|word| word.contains('\0')) {
        return Err(value(format!(
            "the command of stage {:?} needs a program, and no word of it may hold NUL",
            wire.name
        )));
    }
    let kept = in_range("output_limit_bytes", wire.output_limit_bytes, 65_536, 1_024, 1 << 20)?;
    let must_match = wire.must_match.as_deref().map(OutputRule::parse).transpose();
    Ok(StageRules {
        kind: wire.kind,
        timeout: Duration::from_secs(in_range("timeout_seconds", wire.timeout_seconds, 600, 1, 86_400)?),
        output_limit: usize::try_from(kept).unwrap_or(65_536),
        must_match: must_match.map_err(|error| value(format!("must_match of stage {:?}: {error}", wire.name)))?,
        limits: wire.limits.over(limits)?,
        environment: everywhere.iter().cloned().chain(patterns(&wire.environment)?).collect(),
        network: wire.network,
        isolation,
        on_base: wire.on_base.map(|wire_on_base| on_base(&wire.name, wire_on_base)).transpose()?,
        ..StageRules::new(wire.name, wire.command)
    })
}

/// What stages keep must not lie in one another: the one would take the other with it.
fn apart(stages: &[StageRules]) -> Result<(), RulesError> {
    let kept: Vec<&RepoPath> =
        stages.iter().filter_map(|stage| stage.on_base.as_ref()).flat_map(|on_base| &on_base.keep).collect();
    for inner in &kept {
        if let Some(outer) = kept.iter().find(|outer| inner.ancestors().any(|above| above == outer.as_str())) {
            return Err(value(format!("on_base.keep names {inner}, which lies in {outer}, which it names too")));
        }
    }
    Ok(())
}

fn on_base(stage: &str, wire: WireOnBase) -> Result<OnBase, RulesError> {
    let paths = |key: &str, texts: Vec<String>| -> Result<Vec<RepoPath>, RulesError> {
        let wrong = |error| value(format!("on_base.{key} of stage {stage:?}: {error}"));
        texts.into_iter().map(|text| RepoPath::parse(text).map_err(wrong)).collect()
    };
    let read = OnBase { lock_files: paths("lock_files", wire.lock_files)?, keep: paths("keep", wire.keep)? };
    if read.lock_files.is_empty() {
        return Err(value(format!(
            "on_base.lock_files of stage {stage:?} names no file; what it made would never be made anew"
        )));
    }
    if let Some(both) = read.keep.iter().find(|kept| {
        read.lock_files.iter().any(|lock| lock == *kept || lock.ancestors().any(|above| above == kept.as_str()))
    }) {
        return Err(value(format!(
            "on_base.keep of stage {stage:?} names {both}, which is or holds one of its lock files"
        )));
    }
    Ok(read)
}

fn patterns(texts: &[String]) -> Result<Vec<VariablePattern>, RulesError> {
    let read = |text: &String| {
        VariablePattern::parse(text).map_err(|problem| value(format!("verification environment: {text:?} {problem}")))
    };
    texts.iter().map(read).collect()
}
