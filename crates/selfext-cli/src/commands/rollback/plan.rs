//! What a rollback would do and would have to pass.

use anyhow::Result;
use selfext::{FileChange, RollbackPlan, RunId, Selfext};
use serde_json::{Value, json};

use super::diff;
use crate::exit::Exit;
use crate::show;

/// Shows what taking a run back would do. Nothing is written.
pub async fn show(selfext: &Selfext, run: &RunId, json: bool) -> Result<Exit> {
    let plan = match selfext.plan_rollback(run).await? {
        Ok(plan) => plan,
        Err(refusal) => {
            if json {
                let exit_code = Exit::Blocked as u8;
                show::print_json(
                    &json!({"outcome": "waiting", "run": run, "refusal": refusal, "exit_code": exit_code}),
                );
            } else {
                show::print(&format!("cannot be told now: {}\n{}", refusal.reason, show::clean(&refusal.detail)));
            }
            return Ok(Exit::Blocked);
        }
    };
    let diff = diff::of(selfext, &plan).await?;
    // What would end as a failed rollback is told by the exit code, too.
    let exit = if plan.inverse.conflicts.is_empty() { Exit::Done } else { Exit::Failed };
    if json {
        show::print_json(&as_json(&plan, &diff, exit));
    } else {
        print(&plan, &diff);
    }
    Ok(exit)
}

fn as_json(plan: &RollbackPlan, diff: &str, exit: Exit) -> Value {
    let files: Vec<Value> =
        plan.inverse.files.iter().map(|(path, change)| json!({"path": path, "action": action(change)})).collect();
    let conflicts: Vec<Value> = plan
        .inverse
        .conflicts
        .iter()
        .map(|conflict| json!({"path": conflict.path, "detail": conflict.detail}))
        .collect();
    json!({
        "outcome": "rollback-plan",
        "run": plan.run,
        "landed": plan.landed,
        "base": plan.base,
        "files": files,
        "conflicts": conflicts,
        "diff": diff,
        "stages": plan.rules.stages.iter().map(|stage| &stage.name).collect::<Vec<_>>(),
        "required": plan.rules.gate.required.iter().map(|required| &required.context).collect::<Vec<_>>(),
        "approvals": plan.rules.gate.approvals,
        "exit_code": exit as u8,
    })
}

const fn action(change: &FileChange) -> &'static str {
    match change {
        FileChange::Write { .. } => "write",
        FileChange::Delete => "delete",
    }
}

fn print(plan: &RollbackPlan, diff: &str) {
    show::print(&format!(
        "run {} landed as {}; taking it back on {} would do this, and nothing was done",
        show::clean(plan.run.as_str()),
        plan.landed.short(),
        plan.base.short()
    ));
    if diff.is_empty() && plan.inverse.conflicts.is_empty() {
        show::print("nothing: everything that it changed is as it was before");
        return;
    }
    if !diff.is_empty() {
        show::print(show::clean_text(diff).trim_end());
    }
    for conflict in &plan.inverse.conflicts {
        show::print(&format!(
            "conflict: {}: {}",
            show::clean(conflict.path.as_str()),
            show::clean_line(&conflict.detail)
        ));
    }
    if !plan.inverse.conflicts.is_empty() {
        show::print("it would end as rollback_failed, with what could be restored on a pull request for a person");
        return;
    }
    let names = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let stages = plan.rules.stages.iter().map(|stage| show::clean(&stage.name)).collect();
    let required = plan.rules.gate.required.iter().map(|required| show::clean(&required.context)).collect();
    show::print(&format!("stages that it must pass: {}", names(stages)));
    show::print(&format!("contexts that must be green: {}", names(required)));
    if plan.rules.gate.approvals > 0 {
        show::print(&format!("people who must approve it: {}", plan.rules.gate.approvals));
    }
}
