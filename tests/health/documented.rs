//! What `docs/health.md` says of the rules is what they are.

use std::fs;

use selfext::{BreakerRules, HealthTerms, Rules};

const STAGE: &str = "version = 1\n[[verification.stage]]\nname = \"t\"\ncommand = [\"true\"]\n";

fn docs() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/health.md")).unwrap()
}

/// The second and the third cell of the row that begins with this key.
fn row(docs: &str, key: &str) -> (String, String) {
    let begins = format!("| `{key}` | ");
    let line = docs.lines().find_map(|line| line.strip_prefix(&begins)).unwrap_or_else(|| panic!("no row of {key}"));
    let mut cells = line.split(" | ").map(str::to_owned);
    (cells.next().unwrap(), cells.next().unwrap())
}

#[test]
fn the_documented_defaults_and_limits_are_the_rules() {
    let (docs, terms) = (docs(), HealthTerms::default());
    for (key, default) in [
        ("start_seconds", terms.start_seconds),
        ("healthy_seconds", terms.healthy_seconds),
        ("samples", terms.samples),
        ("error_budget", terms.error_budget),
        ("silence_seconds", terms.silence_seconds),
        ("window_seconds", terms.window_seconds),
    ] {
        let (said, limits) = row(&docs, key);
        assert_eq!(said, default.to_string(), "{key}");
        for limit in limits.split(", ").filter_map(|limit| limit.parse::<i64>().ok()) {
            let parse = |value: i64| Rules::parse(&format!("{STAGE}[health]\n{key} = {value}\n"));
            let (low, high) = (parse(limit - 1).is_ok(), parse(limit + 1).is_ok());
            let beyond = if limit < 2 { low } else { high };
            assert!(!beyond, "{key} may be beyond {limit}");
        }
    }
    assert!(docs.contains("| `queue` | false | "), "queue");
    let breaker = BreakerRules::default();
    let words = format!(
        "after `rollbacks` ({}) that ended within `within_seconds` ({})",
        breaker.rollbacks,
        breaker.within.as_secs()
    );
    assert!(docs.replace('\n', " ").contains(&words), "{words}");
}

#[test]
fn the_documented_probe_is_one_that_the_rules_take() {
    let docs = docs();
    let example = docs.split("```toml\n").nth(1).and_then(|text| text.split("```").next()).unwrap();
    let probe = Rules::parse(&format!("{STAGE}[health]\n{example}")).unwrap().health.unwrap().probe.unwrap();
    let without = "[health]\n[health.probe]\nurl = \"http://127.0.0.1:8080/health\"\n";
    assert_eq!(Rules::parse(&format!("{STAGE}{without}")).unwrap().health.unwrap().probe.unwrap(), probe);
}
