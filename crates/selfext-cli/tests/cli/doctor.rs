//! What `doctor` finds, on a repository where everything is there and where something is not.

use selfext_twin::{Fault, FaultKind, MergeMethods, Protection};
use serde_json::{Value, json};

use crate::github::Github;
use crate::world::{RULES_WITH_CI, Ran};

/// What is said of each part, the worst where it is said more than once.
fn findings(ran: &Ran) -> Vec<(String, String)> {
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    answer["findings"].as_array().unwrap().iter().map(|it| (text(it, "about"), text(it, "condition"))).collect()
}

fn has(ran: &Ran, about: &str, condition: &str) -> bool {
    findings(ran).contains(&(about.to_owned(), condition.to_owned()))
}

fn doctor(github: &Github) -> Ran {
    Ran::of(&mut github.quiet_command(&["doctor", "--json"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_well_is_good_and_nothing_is_changed() {
    let github = Github::new().await;
    let from = github.world.write("x", "second\n");
    let promote = ["promote", "--message", "Say why", "--file", &format!("agent.txt={from}")];
    Ran::of(&mut github.quiet_command(&promote)).expect(0, &["promoted: "]);
    let handle = github.serving.handle();
    let (pulls, tip) = (handle.pulls().await, handle.branch_head("main").await.unwrap());
    let ran = doctor(&github).expect(0, &[]);
    for about in ["ledger", "token", "repository", "rights", "base", "rules", "merge-method", "required-contexts"] {
        assert!(has(&ran, about, "good") && !has(&ran, about, "bad"), "{about}: {}", ran.stdout);
    }
    assert_eq!((handle.pulls().await, handle.branch_head("main").await.unwrap()), (pulls, tip));
    assert_eq!(handle.branch_head("selfext/doctor/no-such-branch").await.unwrap(), None);
    Ran::of(&mut github.quiet_command(&["doctor"])).expect(0, &["promotions can land", "walls: "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_promotions_from_landing_is_named_with_what_mends_it() {
    let github = Github::new().await;
    let handle = github.serving.handle();
    handle.protect("main", Protection::ruleset(["never-set"]).merge_queue()).await.unwrap();
    handle.allow_merge_methods(MergeMethods { merge: true, squash: false, rebase: false }).await.unwrap();
    let no = json!({"message": "Resource not accessible by personal access token", "documentation_url": "x", "status": "403"});
    let refusal = FaultKind::Answer { status: 403, headers: Vec::new(), body: no };
    handle.add_fault(Fault::on("POST", "/repos/*/*/statuses/*", refusal));
    let ran = doctor(&github).expect(1, &[]);
    assert!(has(&ran, "merge-queue", "bad") && has(&ran, "merge-method", "bad") && has(&ran, "rights", "bad"));
    assert!(has(&ran, "required-contexts", "warning"), "{}", ran.stdout);
    assert!(ran.stdout.contains("never-set") && ran.stdout.contains("Commit statuses: read and write"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_and_a_ledger_that_is_out_of_reach_are_told_at_once() {
    let github = Github::new().await;
    let mut command = github.quiet_command(&["--database", "postgres://127.0.0.1:1/none", "doctor", "--json"]);
    let ran = Ran::of(command.env("SELFEXT_GITHUB_TOKEN", "another-token")).expect(1, &[]);
    assert!(has(&ran, "ledger", "bad") && has(&ran, "token", "bad"), "{}", ran.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_of_the_rules_that_github_does_not_show_is_told() {
    let rules = RULES_WITH_CI.replace("[gate]\n", "[gate]\napprovals_by_team = [\"my-org/security\"]\n");
    let github = Github::with_rules(&rules).await;
    let ran = doctor(&github).expect(1, &[]);
    assert!(
        has(&ran, "reviews", "bad") && ran.stdout.contains("does not show the team my-org/security"),
        "{}",
        ran.stdout
    );
    github.serving.handle().set_team("my-org", "security", &["ann"]).await.unwrap();
    let ran = doctor(&github).expect(0, &[]);
    assert!(has(&ran, "reviews", "good") && !has(&ran, "reviews", "bad"), "{}", ran.stdout);
}
