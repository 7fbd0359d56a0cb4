//! Branch names: which are legal, and which one a change set gets.

use sha2::{Digest, Sha256};

use crate::invalid::holds_invisible;
use crate::newtype::text_newtype;
use crate::{ExecutionContext, Fingerprint, InvalidValue};

/// The longest branch name selfext takes, in bytes; git's loose refs are files, whose names end at 255.
const MAX_BYTES: usize = 244;

text_newtype!(
    /// The name of a branch without `refs/heads/`, legal by `git check-ref-format` and by GitHub's rules.
    BranchName,
    check_branch
);

fn check_branch(text: &str) -> Result<(), InvalidValue> {
    let refuse = |problem: &str| Err(InvalidValue::new("branch name", text, problem));
    if text.is_empty() {
        return refuse("is empty");
    }
    if text.len() > MAX_BYTES {
        return refuse("is longer than 244 bytes");
    }
    if holds_invisible(text) {
        return refuse("holds a control or invisible character");
    }
    if let Some(c) = text.chars().find(|c| " ~^:?*[\\".contains(*c)) {
        return refuse(&format!("holds {c:?}, which git refuses"));
    }
    if text.contains("..") || text.contains("@{") || text == "@" || text.ends_with('.') {
        return refuse("holds `..`, `@{` or ends with a dot, which git refuses");
    }
    if text.split('/').any(|part| part.is_empty() || part.starts_with('.') || ends_with_lock(part)) {
        return refuse("has a part that is empty, begins with a dot or ends with `.lock`");
    }
    if text.starts_with('-') || text == "HEAD" || text.starts_with("refs/") {
        return refuse("begins with `-` or `refs/`, or is HEAD");
    }
    if (text.len() == 40 || text.len() == 64) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return refuse("looks like an object name");
    }
    Ok(())
}

fn ends_with_lock(part: &str) -> bool {
    part.len() >= 5 && part.as_bytes()[part.len() - 5..].eq_ignore_ascii_case(b".lock")
}

impl BranchName {
    /// The branch of one change set: `selfext/<tool>/<goal and sub-goal>-<16 hex>`.
    ///
    /// The digits come from the fingerprint, the base branch and the context, so the same change for the same goal has
    /// the same branch on every machine and at every time, and another base branch has another one.
    #[must_use]
    pub fn for_change(context: &ExecutionContext, fingerprint: &Fingerprint, base: &BranchName) -> Self {
        let goal = context.goal_id.as_ref().map_or("", |id| id.as_str());
        let sub_goal = context.sub_goal_id.as_ref().map_or("", |id| id.as_str());
        let mut hash = Sha256::new();
        for part in
            ["selfext branch 1", &fingerprint.to_string(), base.as_str(), context.tool_name.as_str(), goal, sub_goal]
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digits = hex::encode(&hash.finalize()[..8]);
        let about = slug(&format!("{goal} {sub_goal}"), "change");
        Self(format!("selfext/{}/{about}-{digits}", slug(context.tool_name.as_str(), "tool")))
    }

    /// Whether this is a branch of selfext's own making.
    #[must_use]
    pub fn is_selfext(&self) -> bool {
        self.0.starts_with("selfext/")
    }
}

/// Lower-case ASCII letters and digits of a text, other runs of characters as one `-`, at most 40 characters.
fn slug(text: &str, otherwise: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() >= 40 {
            break;
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() { otherwise.to_owned() } else { out.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{GoalId, ToolName};

    #[test]
    fn branch_names_follow_git() {
        for good in ["main", "release/2.x", "feature/a#b", "ünï", "a@b", "selfext/tool/x-0123456789abcdef"] {
            assert!(BranchName::parse(good).is_ok(), "{good}");
        }
        let sha = "a".repeat(40);
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a..b",
            "a b",
            "a~b",
            "a^b",
            "a:b",
            "a?b",
            "a*b",
            "a[b",
            "a\\b",
            "a@{b",
            "@",
            "a.",
            "-a",
            "HEAD",
            "refs/heads/main",
            "a\u{7f}b",
            &sha,
        ] {
            assert!(BranchName::parse(bad).is_err(), "{bad:?}");
        }
    }

    fn context(tool: &str, goal: Option<&str>) -> ExecutionContext {
        let mut context = ExecutionContext::new(ToolName::parse(tool).unwrap());
        context.goal_id = goal.map(|goal| GoalId::parse(goal).unwrap());
        context
    }

    #[test]
    fn the_same_change_for_the_same_goal_has_the_same_branch_and_others_have_another() {
        let print = Fingerprint::from_bytes([7; 32]);
        let main = BranchName::parse("main").unwrap();
        let dev = BranchName::parse("dev").unwrap();
        let branch = |tool, goal, base| BranchName::for_change(&context(tool, goal), &print, base);
        assert_eq!(branch("write", Some("g"), &main), branch("write", Some("g"), &main));
        assert_ne!(branch("write", Some("g"), &main), branch("write", Some("h"), &main));
        assert_ne!(branch("write", Some("g"), &main), branch("write", Some("g"), &dev));
        assert!(branch("Write File!", Some("goal 7"), &main).as_str().starts_with("selfext/write-file/goal-7-"));
    }

    proptest! {
        #[test]
        fn every_context_yields_a_legal_branch(tool in "\\PC{1,60}", goal in proptest::option::of("\\PC{1,200}")) {
            let Ok(tool) = ToolName::parse(tool) else { return Ok(()) };
            let mut context = ExecutionContext::new(tool);
            context.goal_id = goal.and_then(|goal| GoalId::parse(goal).ok());
            let branch = BranchName::for_change(&context, &Fingerprint::from_bytes([1; 32]), &BranchName::parse("main")?);
            prop_assert!(BranchName::parse(branch.as_str()).is_ok());
            prop_assert!(branch.is_selfext());
        }
    }
}
