//! What an agent answers to a probe.

use selfext_domain::CommitSha;
use serde_json::{Map, Value};

use super::{Look, MOST};
use crate::heartbeat::worded;

/// Reads an answer whose sender says by other means, a status or an exit code, whether it is well: `unwell` tells how it is not.
///
/// Nothing of an answer that cannot be understood is repeated.
pub(super) fn read(answer: &[u8], unwell: Option<&str>) -> Look {
    match parts(answer) {
        Ok((commit, healthy, detail)) => {
            let detail = match (unwell, detail) {
                (Some(unwell), Some(detail)) => Some(format!("{unwell}; {detail}")),
                (Some(unwell), None) => Some(unwell.to_owned()),
                (None, detail) => detail,
            };
            let detail = detail.as_deref().and_then(worded);
            Look::Seen { commit, healthy: healthy && unwell.is_none(), detail }
        }
        Err(problem) => {
            let before = unwell.map(|unwell| format!("{unwell}, and ")).unwrap_or_default();
            Look::nothing(&format!("{before}{problem}, so it is not known which commit runs"))
        }
    }
}

/// An answer that is longer than what is read of one.
pub(super) fn too_long() -> Look {
    Look::nothing(&format!("its answer is longer than {MOST} bytes, so nothing of it counts"))
}

fn parts(answer: &[u8]) -> Result<(CommitSha, bool, Option<String>), &'static str> {
    let read: Map<String, Value> = serde_json::from_slice(answer).map_err(|_| {
        if answer.trim_ascii().is_empty() { "its answer is empty" } else { "its answer is no JSON object" }
    })?;
    let commit = match read.get("commit") {
        None | Some(Value::Null) => return Err("its answer names no `commit`"),
        Some(Value::String(text)) => CommitSha::parse(text.as_str()).ok(),
        Some(_) => None,
    };
    let commit = commit.ok_or("its `commit` is not a commit's full name in lower-case hexadecimal digits")?;
    let healthy = match read.get("healthy") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(healthy)) => *healthy,
        Some(_) => return Err("its `healthy` is neither true nor false"),
    };
    let detail = match read.get("detail") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => return Err("its `detail` is no text"),
    };
    Ok((commit, healthy, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn seen(healthy: bool, detail: Option<&str>) -> Look {
        Look::Seen { commit: CommitSha::parse(COMMIT).unwrap(), healthy, detail: detail.map(str::to_owned) }
    }

    fn said(look: Look) -> String {
        let Look::Nothing { detail } = look else { panic!("{look:?}") };
        detail
    }

    #[test]
    fn an_answer_says_which_commit_runs_and_how_it_is() {
        let read = |rest: &str, unwell| read(format!("{{\"commit\": \"{COMMIT}\"{rest}}}\n").as_bytes(), unwell);
        assert_eq!(read("", None), seen(true, None));
        assert_eq!(read(", \"healthy\": null, \"detail\": null, \"uptime\": 3", None), seen(true, None));
        assert_eq!(read(", \"healthy\": false", None), seen(false, None));
        assert_eq!(read(", \"healthy\": true, \"detail\": \"full disk\"", None), seen(true, Some("full disk")));
        assert_eq!(read(", \"healthy\": true", Some("status 503")), seen(false, Some("status 503")));
        assert_eq!(read(", \"detail\": \"no queue\"", Some("status 500")), seen(false, Some("status 500; no queue")));
    }

    #[test]
    fn an_answer_of_another_form_is_no_sample_and_says_what_is_wrong() {
        for (answer, word) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("ok", "no JSON object"),
            ("[]", "no JSON object"),
            ("{\"commit\": \"x\"", "no JSON object"),
            ("{}", "names no `commit`"),
            ("{\"commit\": 7}", "`commit` is not"),
            ("{\"commit\": \"0123456\"}", "`commit` is not"),
            ("{\"commit\": \"0000000000000000000000000000000000000000\"}", "`commit` is not"),
            (&format!("{{\"commit\": \"{COMMIT}\", \"healthy\": \"yes\"}}"), "`healthy` is neither"),
            (&format!("{{\"commit\": \"{COMMIT}\", \"detail\": [1]}}"), "`detail` is no text"),
        ] {
            let said = said(read(answer.as_bytes(), None));
            assert!(said.contains(word), "{answer}: {said}");
        }
        assert!(said(read(b"oops", Some("status 500"))).starts_with("status 500, and its answer is no JSON object"));
    }

    #[test]
    fn a_deeply_nested_answer_is_refused() {
        let deep = format!("{{\"commit\": \"{COMMIT}\", \"x\": {}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(said(read(deep.as_bytes(), None)).contains("no JSON object"));
    }

    #[test]
    fn a_secret_in_a_detail_is_not_kept_and_a_huge_one_is_cut() {
        let token = format!("ghp_{}", "a1B2".repeat(9));
        let answer = format!("{{\"commit\": \"{COMMIT}\", \"detail\": \"{token} {}\"}}", "x\\u0000".repeat(5_000));
        let Look::Seen { detail: Some(detail), .. } = read(answer.as_bytes(), None) else { panic!() };
        assert!(!detail.contains(&token) && !detail.contains('\0'), "{detail}");
        assert!(detail.len() <= crate::heartbeat::DETAIL, "{}", detail.len());
    }
}
