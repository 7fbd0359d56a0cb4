//! Merge queues.

use selfext_twin::{
    AutoCheck, CheckConclusion, MergeMethod, Protection, QueueCommit, RequiredCheck, StatusState, TwinError,
};
use serde_json::{Value, json};

use super::client::Answer;
use super::fixture::{Fixture, config};
use super::graphql::error;

const ENQUEUE: &str = "mutation($i: EnqueuePullRequestInput!) { q: enqueuePullRequest(input: $i) {
  mergeQueueEntry { position state headCommit { oid } baseCommit { oid } } } }";
const DEQUEUE: &str = "mutation($i: DequeuePullRequestInput!) { q: dequeuePullRequest(input: $i) {
  mergeQueueEntry { id state position } } }";
const LOOK: &str = "query($n: Int!) { repository(owner: \"Owner\", name: \"name\") { pullRequest(number: $n) {
  id state merged headRefOid isInMergeQueue mergeCommit { oid }
  mergeQueueEntry { state position baseCommit { oid } headCommit { oid tree { oid } } } } } }";

impl Fixture {
    /// A twin whose `main` has a queue that wants `ci`, and the pull requests of these branches, whose heads have passed it.
    async fn with_queue(protection: Protection, branches: &[&str]) -> Self {
        let twin = Self::new().await;
        for branch in branches {
            let (_, sha) = twin.pull(branch, branch, branch).await;
            twin.handle().set_status(&sha, "ci", StatusState::Success, None).await.expect("set");
        }
        twin.handle().protect("main", protection).await.expect("kept");
        twin
    }

    async fn node(&self, number: u64) -> String {
        self.pull_json(number).await["node_id"].as_str().expect("an id").to_owned()
    }

    async fn enqueue(&self, number: u64) -> Answer {
        let input = json!({"pullRequestId": self.node(number).await});
        self.graphql(json!({"query": ENQUEUE, "variables": {"i": input}})).await
    }

    async fn dequeue(&self, number: u64) -> Answer {
        let input = json!({"id": self.node(number).await});
        self.graphql(json!({"query": DEQUEUE, "variables": {"i": input}})).await
    }

    async fn look(&self, number: u64) -> Value {
        let answer = self.graphql(json!({"query": LOOK, "variables": {"n": number}})).await;
        answer.body["data"]["repository"]["pullRequest"].clone()
    }

    async fn group(&self, number: u64) -> QueueCommit {
        let queue = self.handle().queue("main").await;
        queue.into_iter().find(|entry| entry.number == number).expect("in the queue").group.expect("a commit")
    }

    async fn numbers(&self) -> Vec<u64> {
        self.handle().queue("main").await.iter().map(|entry| entry.number).collect()
    }

    async fn say(&self, number: u64, state: StatusState) {
        let commit = self.group(number).await.sha;
        self.handle().set_status(&commit, "ci", state, None).await.expect("set");
    }

    fn queue_branches(&self) -> String {
        self.git(&["for-each-ref", "--format=%(refname)", "refs/heads/gh-readonly-queue"])
    }
}

fn queue() -> Protection {
    Protection::ruleset(["ci"]).merge_queue()
}

#[tokio::test]
async fn an_entry_lands_as_the_commit_that_was_tested() {
    let twin = Fixture::with_queue(queue(), &["a"]).await;
    twin.handle().delete_branch_on_merge(true).await.expect("kept");
    let base = twin.git(&["rev-parse", "main"]);
    let added = twin.enqueue(1).await;
    let group = twin.group(1).await;
    let entry = json!({"position": 1, "state": "AWAITING_CHECKS", "headCommit": {"oid": group.sha}, "baseCommit": {"oid": base}});
    assert_eq!(added.body, json!({"data": {"q": {"mergeQueueEntry": entry}}}));
    let branch = format!("gh-readonly-queue/main/pr-1-{base}");
    assert_eq!((&group.branch, &group.base_sha), (&branch, &base));
    assert_eq!(twin.get(&format!("/git/ref/heads/{branch}")).await.text("/object/sha"), group.sha);
    let waiting = twin.look(1).await;
    assert_eq!((&waiting["isInMergeQueue"], &waiting["state"]), (&json!(true), &json!("OPEN")));
    let tree = twin.git(&["rev-parse", "a^{tree}"]);
    assert_eq!(waiting["mergeQueueEntry"]["headCommit"], json!({"oid": group.sha, "tree": {"oid": tree}}));
    assert_eq!(twin.pull_json(1).await["mergeable_state"], "blocked");

    let status = json!({"state": "success", "context": "ci"});
    assert_eq!(twin.call("POST", &format!("/statuses/{}", group.sha), status).await.status, 201);
    assert_eq!(twin.git(&["rev-parse", "main"]), group.sha);
    assert_eq!(twin.git(&["log", "-1", "--format=%B|%P", "main"]), format!("write a (#1)|{base}"));
    assert_eq!((twin.queue_branches(), twin.handle().branch_head("a").await.expect("read")), (String::new(), None));
    let landed = twin.look(1).await;
    assert_eq!(
        (&landed["state"], &landed["merged"], &landed["isInMergeQueue"], &landed["mergeQueueEntry"]),
        (&json!("MERGED"), &json!(true), &json!(false), &Value::Null)
    );
    assert_eq!(landed["mergeCommit"], json!({"oid": group.sha}));
    let shown = twin.pull_json(1).await;
    assert_eq!((&shown["merge_commit_sha"], &shown["merged"]), (&json!(group.sha), &json!(true)));
    assert_eq!(shown["merged_by"]["login"], "github-merge-queue[bot]");
    twin.conforms();
}

#[tokio::test]
async fn a_pull_request_that_is_not_ready_is_not_enqueued() {
    let twin = Fixture::with_queue(queue(), &["a", "b", "c", "d", "e"]).await;
    let handle = twin.handle();
    twin.enqueue(1).await;
    handle.set_draft(2, true).await.expect("kept");
    twin.call("PATCH", "/pulls/3", json!({"state": "closed"})).await;
    handle.push_file("d", "more", b"more", "more").await.expect("pushed");
    handle.push_file("main", "e", b"other", "other").await.expect("pushed");
    let unfit = [
        (1, "Pull request is already in the queue"),
        (2, "Pull request is in draft state"),
        (3, "Pull request is closed"),
        (4, "Pull request Required status check \"ci\" is expected."),
        (5, "Pull request is not mergeable"),
    ];
    for (number, words) in unfit {
        assert_eq!(error(&twin.enqueue(number).await, "q"), ("UNPROCESSABLE", words));
    }
    handle.protect("main", queue().approvals(1)).await.expect("kept");
    assert!(error(&twin.enqueue(5).await, "q").1.contains("approving review is required"));
    handle.unprotect("main").await.expect("kept");
    assert!(error(&twin.enqueue(4).await, "q").1.contains("does not have a merge queue"));
    let stale = json!({"pullRequestId": twin.node(4).await, "expectedHeadOid": "1".repeat(40)});
    let stale = twin.graphql(json!({"query": ENQUEUE, "variables": {"i": stale}})).await;
    assert!(error(&stale, "q").1.contains("expected head oid"));
    let elsewhere = json!({"pullRequestId": "x"});
    assert_eq!(
        error(&twin.graphql(json!({"query": ENQUEUE, "variables": {"i": elsewhere}})).await, "q").0,
        "NOT_FOUND"
    );
    assert_eq!(twin.numbers().await, [0; 0], "without a rule there is no queue");
    twin.conforms();
}

#[tokio::test]
async fn one_behind_lies_on_the_one_ahead_and_lands_after_it() {
    let twin = Fixture::with_queue(queue(), &["a", "b"]).await;
    twin.enqueue(1).await;
    twin.enqueue(2).await;
    let (first, second) = (twin.group(1).await, twin.group(2).await);
    assert_eq!(second.base_sha, first.sha);
    twin.say(2, StatusState::Success).await;
    assert_eq!(twin.numbers().await, [1, 2], "the one ahead has not passed");
    assert_eq!(twin.look(2).await["mergeQueueEntry"]["state"], "MERGEABLE");
    twin.say(1, StatusState::Success).await;
    assert_eq!(twin.git(&["rev-parse", "main"]), second.sha);
    let merged: Vec<_> = twin.handle().pulls().await.into_iter().map(|pull| pull.merged_as).collect();
    assert_eq!(merged, [Some(first.sha), Some(second.sha)]);
}

#[tokio::test]
async fn one_that_fails_is_thrown_out_and_those_behind_are_built_anew() {
    let twin = Fixture::with_queue(queue(), &["a", "b"]).await;
    twin.enqueue(1).await;
    twin.enqueue(2).await;
    let before = twin.group(2).await;
    twin.say(1, StatusState::Failure).await;
    let after = twin.group(2).await;
    assert_eq!((twin.numbers().await, after.base_sha), (vec![2], twin.git(&["rev-parse", "main"])));
    assert_ne!(before.sha, after.sha);
    assert_eq!(twin.queue_branches(), format!("refs/heads/{}", after.branch));
    let out = twin.look(1).await;
    assert_eq!((&out["state"], &out["isInMergeQueue"]), (&json!("OPEN"), &json!(false)));
    // Once more, it is another commit, on which nothing has been reported.
    twin.handle().throw_out(2).await.expect("thrown out");
    twin.enqueue(1).await;
    assert_eq!(twin.look(1).await["mergeQueueEntry"]["state"], "AWAITING_CHECKS");
}

#[tokio::test]
async fn one_that_does_not_fit_onto_those_ahead_is_thrown_out() {
    let twin = Fixture::with_queue(Protection::ruleset([""; 0]), &[]).await;
    twin.pull("one", "same", "1").await;
    twin.pull("two", "same", "2").await;
    twin.handle().protect("main", queue()).await.expect("kept");
    for sha in [twin.git(&["rev-parse", "one"]), twin.git(&["rev-parse", "two"])] {
        twin.handle().set_status(&sha, "ci", StatusState::Success, None).await.expect("set");
    }
    twin.enqueue(1).await;
    let added = twin.enqueue(2).await;
    assert_eq!(added.text("/data/q/mergeQueueEntry/state"), "QUEUED");
    assert_eq!((twin.numbers().await, twin.look(2).await["isInMergeQueue"].clone()), (vec![1], json!(false)));
}

#[tokio::test]
async fn a_failure_behind_waits_for_the_one_ahead() {
    let twin = Fixture::with_queue(queue(), &["a", "b"]).await;
    twin.enqueue(1).await;
    twin.enqueue(2).await;
    twin.say(2, StatusState::Failure).await;
    assert_eq!(twin.look(2).await["mergeQueueEntry"]["state"], "UNMERGEABLE");
    twin.say(1, StatusState::Success).await;
    assert_eq!((twin.numbers().await, twin.look(1).await["state"].clone()), (vec![], json!("MERGED")));
    assert_eq!(twin.look(2).await["state"], "OPEN");
}

#[tokio::test]
async fn where_the_last_of_a_group_is_enough_those_ahead_land_with_it() {
    let twin = Fixture::with_queue(queue().head_green(), &["a", "b", "c"]).await;
    for number in [1, 2, 3] {
        twin.enqueue(number).await;
    }
    let (first, second) = (twin.group(1).await, twin.group(2).await);
    twin.say(1, StatusState::Failure).await;
    assert_eq!(twin.numbers().await, [1, 2, 3], "it may still land with one behind it");
    twin.say(2, StatusState::Success).await;
    assert_eq!((twin.numbers().await, twin.git(&["rev-parse", "main"])), (vec![3], second.sha.clone()));
    let merged: Vec<_> = twin.handle().pulls().await.into_iter().map(|pull| pull.merged_as).collect();
    assert_eq!(merged, [Some(first.sha), Some(second.sha), None]);
    twin.say(3, StatusState::Error).await;
    assert_eq!(twin.numbers().await, [0; 0]);
    let rules = twin.get("/rules/branches/main").await;
    assert_eq!(rules.text("/3/parameters/grouping_strategy"), "HEADGREEN");
    twin.conforms();
}

#[tokio::test]
async fn the_queue_merges_by_its_own_method_with_the_usual_words() {
    for (method, word, subject, parents) in [
        (MergeMethod::Merge, "MERGE", "Merge pull request #1 from owner/a", 2),
        (MergeMethod::Squash, "SQUASH", "write a (#1)", 1),
        (MergeMethod::Rebase, "REBASE", "write a", 1),
    ] {
        let twin = Fixture::with_queue(queue().queue_method(method), &["a"]).await;
        let rules = twin.get("/rules/branches/main").await;
        assert_eq!((rules.text("/3/type"), rules.text("/3/parameters/merge_method")), ("merge_queue", word));
        twin.enqueue(1).await;
        twin.say(1, StatusState::Success).await;
        assert_eq!(twin.git(&["log", "-1", "--format=%s", "main"]), subject);
        assert_eq!(twin.git(&["log", "-1", "--format=%P", "main"]).split(' ').count(), parents);
        assert_eq!(twin.look(1).await["merged"], true);
    }
}

#[tokio::test]
async fn the_checks_of_the_queues_commit_count_and_those_of_the_pinned_app_alone() {
    let mut rule = Protection::ruleset([""; 0]).merge_queue();
    rule.required = vec![RequiredCheck::new("build").by_app(15_368)];
    let twin = Fixture::with_queue(Protection::ruleset([""; 0]).merge_queue(), &["a"]).await;
    let handle = twin.handle();
    let head = twin.git(&["rev-parse", "a"]);
    handle.set_check(&head, AutoCheck::check_run("build", CheckConclusion::Success)).await.expect("set");
    handle.protect("main", rule).await.expect("kept");
    twin.enqueue(1).await;
    let commit = twin.group(1).await.sha;
    handle.set_status(&commit, "build", StatusState::Success, None).await.expect("set");
    assert_eq!(twin.look(1).await["mergeQueueEntry"]["state"], "AWAITING_CHECKS");
    handle.set_check(&commit, AutoCheck::check_run("build", CheckConclusion::Skipped)).await.expect("set");
    assert_eq!(twin.look(1).await["mergeCommit"]["oid"], json!(commit));
}

#[tokio::test]
async fn without_required_checks_it_lands_at_the_next_look() {
    let twin = Fixture::with_queue(Protection::ruleset([""; 0]).merge_queue(), &["a"]).await;
    let added = twin.enqueue(1).await;
    assert_eq!(added.text("/data/q/mergeQueueEntry/state"), "MERGEABLE");
    let commit = twin.group(1).await.sha;
    assert_ne!(twin.git(&["rev-parse", "main"]), commit);
    assert_eq!(twin.get("/git/ref/heads/main").await.text("/object/sha"), commit);
}

#[tokio::test]
async fn checks_come_by_themselves_where_a_rule_says_so() {
    let twin = Fixture::with_queue(queue(), &["a"]).await;
    twin.handle().on_new_head_set([AutoCheck::status("ci", StatusState::Success)]);
    twin.enqueue(1).await;
    assert_eq!(twin.look(1).await["mergeQueueEntry"]["state"], "AWAITING_CHECKS", "heads are no commits of a queue");
    twin.dequeue(1).await;
    twin.handle().on_queue_commit_set([AutoCheck::status("ci", StatusState::Success)]);
    twin.enqueue(1).await;
    assert_eq!(twin.look(1).await["state"], "MERGED");
}

#[tokio::test]
async fn whoever_moves_the_base_has_the_queue_built_anew() {
    let twin = Fixture::with_queue(queue(), &["a", "b"]).await;
    twin.enqueue(1).await;
    twin.enqueue(2).await;
    let before = twin.group(1).await;
    let base = twin.handle().push_file("main", "z", b"z", "other").await.expect("pushed");
    let (first, second) = (twin.group(1).await, twin.group(2).await);
    assert_eq!((&first.base_sha, &second.base_sha), (&base, &first.sha));
    twin.handle().set_status(&before.sha, "ci", StatusState::Success, None).await.expect("set");
    assert_eq!(twin.git(&["rev-parse", "main"]), base, "what was tested would not be what lands");
    // The same behind the twin's back, and into the first one's file.
    twin.git(&["update-ref", "refs/heads/main", &twin.commit("main", "a", "other").await]);
    let waiting = twin.look(2).await;
    assert_eq!(waiting["mergeQueueEntry"]["position"], 1, "the first one conflicts");
    assert_eq!(twin.look(1).await["isInMergeQueue"], false);
    twin.say(2, StatusState::Success).await;
    assert_eq!(twin.git(&["show", "main:b"]), "b");
}

#[tokio::test]
async fn what_is_done_to_a_pull_request_takes_it_out_of_the_queue() {
    let twin = Fixture::with_queue(queue(), &["a", "b", "c", "d", "e"]).await;
    let handle = twin.handle();
    for number in 1..=5 {
        twin.enqueue(number).await;
    }
    handle.push_file("a", "more", b"more", "more").await.expect("pushed");
    assert_eq!(twin.numbers().await, [2, 3, 4, 5], "its head has moved");
    twin.call("PATCH", "/pulls/2", json!({"state": "closed"})).await;
    assert_eq!(twin.numbers().await, [3, 4, 5], "it is closed");
    handle.set_draft(3, true).await.expect("kept");
    assert_eq!(twin.numbers().await, [4, 5], "it is a draft");
    let removed = twin.dequeue(4).await;
    let entry = &removed.body["data"]["q"]["mergeQueueEntry"];
    assert_eq!((&entry["state"], &entry["position"]), (&json!("AWAITING_CHECKS"), &json!(1)));
    assert_eq!(twin.numbers().await, [5], "it was dequeued");
    assert_eq!(error(&twin.dequeue(4).await, "q").0, "UNPROCESSABLE");
    let last = twin.group(5).await;
    assert_eq!(
        (twin.queue_branches(), &last.base_sha),
        (format!("refs/heads/{}", last.branch), &twin.git(&["rev-parse", "main"]))
    );
    twin.git(&["update-ref", "-d", "refs/heads/e"]);
    assert_eq!((twin.look(5).await["state"].clone(), twin.queue_branches()), (json!("CLOSED"), String::new()));
    twin.conforms();
}

#[tokio::test]
async fn others_can_be_put_ahead_and_behind() {
    let twin = Fixture::with_queue(queue(), &["a", "b", "c"]).await;
    let handle = twin.handle();
    twin.enqueue(1).await;
    handle.enqueue_ahead(2).await.expect("put");
    handle.enqueue(3).await.expect("put");
    assert_eq!(twin.numbers().await, [2, 1, 3]);
    assert_eq!(twin.group(1).await.base_sha, twin.group(2).await.sha);
    assert_eq!(twin.look(1).await["mergeQueueEntry"]["position"], 2);
    assert!(matches!(handle.enqueue(1).await, Err(TwinError::Refused(_))));
    assert!(matches!(handle.throw_out(9).await, Err(TwinError::NoSuchThing(_))));
}

#[tokio::test]
async fn a_queue_goes_on_after_a_restart() {
    let mut twin = Fixture::with_queue(queue(), &["a", "b"]).await;
    twin.enqueue(1).await;
    twin.enqueue(2).await;
    let before = twin.handle().queue("main").await;
    twin.stop().await;
    twin.git(&["update-ref", "-d", &format!("refs/heads/{}", before[0].group.as_ref().expect("a commit").branch)]);
    twin.start(config()).await;
    assert_eq!(twin.handle().queue("main").await, before);
    assert_eq!(twin.queue_branches().lines().count(), 2, "the branch that was missing is made good");
    twin.say(1, StatusState::Success).await;
    twin.say(2, StatusState::Success).await;
    assert_eq!(twin.handle().pulls().await.iter().filter(|pull| pull.merged_as.is_some()).count(), 2);
}

#[tokio::test]
async fn the_other_ways_of_merging_are_refused_while_it_is_in_the_queue() {
    let twin = Fixture::with_queue(queue(), &["a"]).await;
    twin.merge(1, json!({})).await.refused(405, "Changes must be made through the merge queue");
    twin.enqueue(1).await;
    twin.merge(1, json!({})).await.refused(405, "Pull Request is in the merge queue");
    let update = twin.call("PUT", "/pulls/1/update-branch", json!({})).await;
    update.refused(422, "Branches that are queued for merging cannot be updated");
}

#[tokio::test]
async fn a_merge_in_the_background_goes_through_the_queue() {
    let twin = Fixture::with_queue(queue(), &["a", "b", "c"]).await;
    let handle = twin.handle();
    handle.hold_async_merges();
    for (number, action, status) in
        [(1, "default", "enqueued"), (2, "merge_queue", "enqueued"), (3, "direct_merge", "failed")]
    {
        let path = format!("/pulls/{number}/merge-async");
        let asked = twin.call("PUT", &path, json!({"merge_action": action})).await;
        handle.release_async_merges().await.expect("carried out");
        handle.hold_async_merges();
        let result = twin.get(&format!("{path}/{}", asked.text("/details/uuid"))).await;
        assert_eq!(result.text("/status"), status, "{action}: {result:?}");
    }
    assert_eq!(twin.numbers().await, [1, 2]);
    let again = twin.call("PUT", "/pulls/1/merge-async", json!({})).await;
    assert_eq!((again.status, again.text("/status")), (200, "enqueued"));
    twin.say(1, StatusState::Success).await;
    let landed = twin.call("PUT", "/pulls/1/merge-async", json!({})).await;
    assert_eq!((landed.status, landed.text("/details/sha")), (200, twin.git(&["rev-parse", "main"]).as_str()));
    twin.conforms();
}

#[tokio::test]
async fn a_query_for_a_pull_request_that_is_not_there_says_so() {
    let twin = Fixture::new().await;
    let look = async |query: &str| twin.graphql(json!({"query": query})).await;
    let missing =
        look("{ r: repository(owner: \"owner\", name: \"name\") { name pullRequest(number: 9) { id } } }").await;
    assert_eq!(missing.body["data"], json!({"r": {"name": "name", "pullRequest": null}}));
    assert_eq!(missing.body["errors"][0]["path"], json!(["r", "pullRequest"]));
    let elsewhere = look("{ r: repository(owner: \"owner\", name: \"other\") { name } }").await;
    assert_eq!(error(&elsewhere, "r").0, "NOT_FOUND");
    twin.conforms();
}

#[tokio::test]
async fn a_pull_request_is_found_by_the_ids_of_the_repository_and_of_its_own() {
    const NODE: &str = "query($id: ID!) { node(id: $id) { id
      ... on Repository { nameWithOwner pullRequest(number: 1) { number isMergeQueueEnabled } }
      ... on PullRequest { number mergeCommit { oid } } } }";
    let twin = Fixture::with_queue(queue(), &["a"]).await;
    let node = async |id: &str| twin.graphql(json!({"query": NODE, "variables": {"id": id}})).await;
    let repository = twin.get("").await.text("/node_id").to_owned();
    let found = json!({"id": repository, "nameWithOwner": "owner/name",
        "pullRequest": {"number": 1, "isMergeQueueEnabled": true}});
    assert_eq!(node(&repository).await.body, json!({"data": {"node": found}}));
    let pull = twin.node(1).await;
    let found = json!({"id": pull, "number": 1, "mergeCommit": null});
    assert_eq!(node(&pull).await.body, json!({"data": {"node": found}}));
    twin.handle().make_again().await.expect("made");
    for id in [&repository, &pull] {
        assert_eq!(error(&node(id).await, "node").0, "NOT_FOUND");
    }
    twin.conforms();
}

#[tokio::test]
async fn nobody_else_changes_the_branches_of_a_queue() {
    let twin = Fixture::with_queue(queue(), &["a"]).await;
    twin.enqueue(1).await;
    let group = twin.group(1).await;
    let other = twin.git(&["rev-parse", "main"]);
    let path = format!("/git/refs/heads/{}", group.branch);
    let words = "Cannot update this protected ref.";
    twin.call("PATCH", &path, json!({"sha": other, "force": true})).await.refused(422, words);
    twin.call("DELETE", &path, Value::Null).await.refused(422, words);
    let mine = json!({"ref": "refs/heads/gh-readonly-queue/main/pr-9-x", "sha": other});
    twin.call("POST", "/git/refs", mine).await.refused(422, words);
    // Behind the twin's back it can be done, and is put right.
    twin.git(&["update-ref", &format!("refs/heads/{}", group.branch), &other]);
    assert_eq!(twin.get(&format!("/git/ref/heads/{}", group.branch)).await.text("/object/sha"), group.sha);
    twin.conforms();
}

#[tokio::test]
async fn no_more_entries_are_built_at_once_than_the_rule_says() {
    let mut rule = queue();
    rule.queue.build_at_once = 1;
    let twin = Fixture::with_queue(rule, &["a", "b"]).await;
    twin.enqueue(1).await;
    let waiting = twin.enqueue(2).await;
    let entry = json!({"position": 2, "state": "QUEUED", "headCommit": null, "baseCommit": null});
    assert_eq!(waiting.body["data"]["q"]["mergeQueueEntry"], entry);
    assert_eq!(twin.queue_branches().lines().count(), 1);
    twin.say(1, StatusState::Success).await;
    assert_eq!(twin.group(2).await.base_sha, twin.git(&["rev-parse", "main"]));
    twin.conforms();
}

/// Stops the twin and lets these entries be found as by one that was killed while they landed.
async fn die_while_landing(twin: &mut Fixture, numbers: &[u64]) {
    twin.stop().await;
    let path = twin.repository().join("selfext-twin/state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    for number in numbers {
        let pull = &mut state["pulls"][number.to_string()];
        let commit = pull["group"]["commit"].clone();
        pull["merging"] = json!({"commit": commit, "at": "2024-01-02T03:04:05Z", "by": "github-merge-queue[bot]"});
    }
    std::fs::write(&path, state.to_string()).expect("written");
}

#[tokio::test]
async fn a_crash_while_entries_land_loses_none_and_lands_none_twice() {
    for moved in [true, false] {
        let mut twin = Fixture::with_queue(queue().head_green(), &["a", "b", "c"]).await;
        for number in [1, 2, 3] {
            twin.enqueue(number).await;
        }
        let groups = [twin.group(1).await, twin.group(2).await, twin.group(3).await].map(|group| group.sha);
        die_while_landing(&mut twin, &[1, 2]).await;
        if moved {
            twin.git(&["update-ref", "refs/heads/main", &groups[1]]);
        }
        twin.start(config()).await;
        if !moved {
            assert_eq!(twin.numbers().await, [1, 2, 3]);
            twin.say(2, StatusState::Success).await;
        }
        let merged: Vec<_> = twin.handle().pulls().await.into_iter().map(|pull| pull.merged_as).collect();
        assert_eq!(merged, [Some(groups[0].clone()), Some(groups[1].clone()), None], "{moved}");
        assert_eq!((twin.numbers().await, twin.git(&["rev-list", "--count", "main"])), (vec![3], "3".to_owned()));
        assert_eq!(twin.group(3).await.sha, groups[2], "what lies on what landed need not be made anew");
        assert_eq!(twin.queue_branches().lines().count(), 1);
    }
}

#[tokio::test]
async fn squashing_several_commits_takes_the_title_and_lists_them() {
    let twin = Fixture::new().await;
    twin.branch("a", "a", "a").await;
    twin.handle().push_file("a", "b", b"b", "write b").await.expect("pushed");
    let number = twin.handle().open_pull("a", "main", "Two of them").await.expect("opened");
    twin.handle().protect("main", Protection::ruleset([""; 0]).merge_queue()).await.expect("kept");
    twin.enqueue(number).await;
    assert_eq!(twin.look(number).await["merged"], true);
    assert_eq!(twin.git(&["log", "-1", "--format=%B", "main"]), "Two of them (#1)\n\n* write a\n\n* write b");
    assert!(matches!(twin.handle().open_pull("none", "main", "T").await, Err(TwinError::Refused(_))));
}
