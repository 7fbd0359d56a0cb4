//! The evidence as it stands beside a commit.

use std::fmt::Write as _;

use super::annotations::annotations;
use super::{isolation, stage_section, status_summary};
use crate::ports::Evidence;
use crate::{ChangeSet, StageReport};

/// The longest text, in bytes. GitHub takes 65,535 characters.
const TEXT: usize = 65_535;

/// How many of these are kept free for the word about what is left out.
const LEFT_OUT: usize = 100;

/// What is shown on a commit of how its verification ended: `passed` is the verdict, which the rules may also refuse to stages
/// that did.
#[must_use]
pub fn evidence_of(passed: bool, stages: &[StageReport], change: &ChangeSet) -> Evidence {
    let annotations = if passed { Vec::new() } else { annotations(stages, change) };
    Evidence { passed, annotations, ..evidence_of_success(stages) }
}

/// The same for one that passed.
#[must_use]
pub fn evidence_of_success(stages: &[StageReport]) -> Evidence {
    Evidence { passed: true, summary: status_summary(stages), text: text(stages), annotations: Vec::new() }
}

/// Each stage and its walls. Where that is too long, stages that passed are left out first, and the last ones among them.
fn text(stages: &[StageReport]) -> String {
    let walls = isolation(stages);
    let mut room = TEXT.saturating_sub(LEFT_OUT);
    let mut sections: Vec<Option<String>> = vec![None; stages.len()];
    let failed = |wanted: bool| move |(_, stage): &(usize, &StageReport)| stage.result.passed() != wanted;
    let by_need = stages.iter().enumerate().filter(failed(true)).chain(stages.iter().enumerate().filter(failed(false)));
    let mut left_out = 0;
    for (at, stage) in by_need {
        let section = stage_section(stage);
        if section.len() > room {
            left_out += 1;
        } else {
            room -= section.len();
            sections[at] = Some(section);
        }
    }
    let mut text: String = sections.into_iter().flatten().collect();
    if left_out > 0 {
        let _ = writeln!(text, "{left_out} more stages are not shown here.\n");
    }
    if walls.len() <= room {
        text.push_str(&walls);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RedactedText, StageResult, TextCap};

    fn stage(name: &str, exit_code: Option<i32>, output: &str) -> StageReport {
        let result = match exit_code {
            None => StageResult::Passed,
            code => StageResult::Failed { exit_code: code, signal: None },
        };
        let report =
            serde_json::json!({"name": name, "result": "passed", "duration_ms": 4, "output_bytes": 5, "output": ""});
        let report: StageReport = serde_json::from_value(report).unwrap();
        StageReport { result, output: RedactedText::from_text(output, TextCap::tail(100_000)), ..report }
    }

    fn change() -> ChangeSet {
        super::super::annotations::tests::change(&["src/lib.rs"])
    }

    #[test]
    fn it_says_what_each_stage_did_and_is_never_too_long() {
        let stages = [stage("build", None, "built"), stage("test", Some(3), "src/lib.rs:7: it is @wrong")];
        let evidence = evidence_of(false, &stages, &change());
        assert!(!evidence.passed && evidence.summary.starts_with("test "), "{}", evidence.summary);
        for words in ["**build** passed", "**test** ", "built", "src/lib.rs:7: it is"] {
            assert!(evidence.text.contains(words), "{words}: {}", evidence.text);
        }
        assert!(!evidence.text.contains("@wrong"), "somebody is mentioned");
        assert_eq!(evidence.annotations.len(), 1);
        assert!(evidence_of(true, &stages, &change()).annotations.is_empty());

        let backticks = "`@a ".repeat(4_000);
        let mut many: Vec<_> = (0..60).map(|at| stage(&format!("s{at}"), None, &backticks)).collect();
        many.push(stage("last", Some(1), &backticks));
        let text = evidence_of(false, &many, &change()).text;
        assert!(text.len() <= TEXT && text.len() > TEXT / 2, "{}", text.len());
        assert!(text.contains("**s0**") && text.contains("**last**") && text.contains("more stages are not shown"));
    }

    #[test]
    fn a_secret_of_the_output_is_not_in_it() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        let stages = [stage("test", Some(1), &format!("src/lib.rs:1: {token}"))];
        let shown = format!("{:?}", evidence_of(false, &stages, &change()));
        assert!(!shown.contains(&token), "{shown}");
    }
}
