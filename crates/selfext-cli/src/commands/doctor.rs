//! `doctor`.

use anyhow::Result;
use selfext::{Condition, Finding};
use serde_json::{Value, json};

use super::Ledger;
use super::target::Place;
use crate::args::Target;
use crate::exit::Exit;
use crate::show;

pub async fn run(ledger: &Ledger, target: &Target) -> Result<Exit> {
    let findings = Place::find(target).await?.examine(ledger, &target.base).await?;
    let bad = findings.iter().any(|finding| finding.condition == Condition::Bad);
    let exit = if bad { Exit::Failed } else { Exit::Done };
    if ledger.json {
        let findings: Vec<Value> = findings.iter().map(as_json).collect();
        show::print_json(&json!({"outcome": "examined", "findings": findings, "exit_code": exit as u8}));
    } else {
        for finding in &findings {
            show::print(&words(finding));
        }
        show::print(if bad { "promotions cannot land until what is bad is mended" } else { "promotions can land" });
    }
    Ok(exit)
}

fn words(finding: &Finding) -> String {
    let condition = finding.condition.as_str();
    let line = format!("{condition:<8}{}: {}", finding.about, show::clean_line(&finding.says));
    match &finding.mend {
        Some(mend) => format!("{line}\n        {}", show::clean_line(mend)),
        None => line,
    }
}

fn as_json(finding: &Finding) -> Value {
    json!({
        "about": finding.about,
        "condition": finding.condition.as_str(),
        "says": finding.says,
        "mend": finding.mend,
    })
}
