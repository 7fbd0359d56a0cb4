//! Opening, listing, changing and closing pull requests.

use serde_json::{Value, json};

use super::fixture::Fixture;

#[tokio::test]
async fn opening_a_pull_request_is_refused_as_github_refuses_it() {
    let twin = Fixture::new().await;
    twin.pull("a", "x", "x").await;
    twin.git(&["branch", "same", "main"]);
    let tree = twin.git(&["rev-parse", "main^{tree}"]);
    let alien = twin.git(&["-c", "user.name=x", "-c", "user.email=x@selfext.invalid", "commit-tree", "-m", "x", &tree]);
    twin.git(&["branch", "alien", &alien]);
    let pull = |head: &str, base: &str| json!({"title": "t", "head": head, "base": base});
    let cases = [
        (pull("a", "main"), "A pull request already exists for owner:a."),
        (pull("same", "main"), "No commits between main and same"),
        (pull("alien", "main"), "The alien branch has no history in common with main"),
        (pull("none", "main"), "{\"code\":\"invalid\",\"field\":\"head\",\"resource\":\"PullRequest\"}"),
        (pull("other:a", "main"), "{\"code\":\"invalid\",\"field\":\"head\",\"resource\":\"PullRequest\"}"),
        (pull("a", "none"), "{\"code\":\"invalid\",\"field\":\"base\",\"resource\":\"PullRequest\"}"),
        (json!({"head": "a", "base": "main"}), "missing_field"),
        (json!({"title": "t", "base": "main"}), "\"head\" wasn't supplied."),
    ];
    for (body, words) in cases {
        let answer = twin.call("POST", "/pulls", body).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        let told = answer.body.to_string();
        assert!(told.contains(words) || told.contains(&json!(words).to_string()[1..words.len()]), "{words} in {told}");
    }
}

#[tokio::test]
async fn lists_come_in_pages_and_are_filtered() {
    let twin = Fixture::new().await;
    let sha = twin.commit("main", "x", "x").await;
    for number in 1..=5 {
        twin.git(&["branch", &format!("b{number}"), &sha]);
        assert_eq!(twin.open(&format!("b{number}")).await.status, 201);
    }
    twin.call("PATCH", "/pulls/3", json!({"state": "closed"})).await;
    let numbers = |list: &Value| -> Vec<u64> {
        let pulls = list.as_array().expect("a list");
        pulls.iter().map(|pull| pull["number"].as_u64().expect("a number")).collect()
    };
    let first = twin.get("/pulls?per_page=2&state=all").await;
    assert_eq!(numbers(&first.body), [5, 4]);
    let link = first.header("link").expect("a link").to_owned();
    assert!(link.contains("page=2>; rel=\"next\"") && link.contains("page=3>; rel=\"last\""), "{link}");
    assert!(link.starts_with(&format!("<{}/repos/", twin.serving().base_url())), "{link}");
    let last = twin.get("/pulls?per_page=2&state=all&page=3").await;
    assert_eq!(numbers(&last.body), [1]);
    let link = last.header("link").expect("a link");
    assert!(
        link.contains("rel=\"prev\"") && link.contains("rel=\"first\"") && !link.contains("rel=\"next\""),
        "{link}"
    );
    assert_eq!(numbers(&twin.get("/pulls").await.body), [5, 4, 2, 1]);
    assert_eq!(twin.get("/pulls").await.header("link"), None);
    assert_eq!(numbers(&twin.get("/pulls?state=closed").await.body), [3]);
    assert_eq!(numbers(&twin.get("/pulls?head=owner:b4").await.body), [4]);
    assert_eq!(numbers(&twin.get("/pulls?head=other:b4").await.body), [] as [u64; 0]);
    // Without an owner the filter is ignored, as GitHub ignores it.
    assert_eq!(numbers(&twin.get("/pulls?head=b4&direction=asc").await.body), [1, 2, 4, 5]);
    assert_eq!(numbers(&twin.get("/pulls?base=other").await.body), [] as [u64; 0]);
    assert_eq!(numbers(&twin.get(&format!("/commits/{sha}/pulls?per_page=1")).await.body), [1]);
}

#[tokio::test]
async fn a_head_that_moves_is_seen_at_once_and_kept_when_its_branch_is_deleted() {
    let twin = Fixture::new().await;
    let (number, _) = twin.pull("a", "x", "x").await;
    let pushed = twin.handle().push_file("a", "y", b"y", "more").await.expect("pushed");
    let pull = twin.pull_json(number).await;
    assert_eq!((&pull["head"]["sha"], &pull["commits"]), (&json!(pushed), &json!(2)));
    // The same behind the twin's back.
    let tree = twin.git(&["rev-parse", "a^{tree}"]);
    let identity = ["-c", "user.name=x", "-c", "user.email=x@selfext.invalid"];
    let commit = twin.git(&[&identity[..], &["commit-tree", "-p", "a", "-m", "z", &tree]].concat());
    twin.git(&["update-ref", "refs/heads/a", &commit]);
    assert_eq!(twin.pull_json(number).await["head"]["sha"], json!(commit));

    twin.call("DELETE", "/git/refs/heads/a", json!(null)).await;
    assert!(!twin.handle().pulls().await[0].open, "closed before anybody looked");
    let pull = twin.pull_json(number).await;
    assert_eq!((&pull["state"], &pull["head"]["sha"]), (&json!("closed"), &json!(commit)));
    assert_eq!((&pull["merged"], &pull["mergeable"]), (&json!(false), &json!(null)));
    let reopened = twin.call("PATCH", &format!("/pulls/{number}"), json!({"state": "open"})).await;
    reopened.refused(422, "state cannot be changed. The a branch has been deleted.");
}

#[tokio::test]
async fn a_head_moved_to_its_base_closes_the_pull_request_unmerged() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let base = twin.git(&["rev-parse", "main"]);
    twin.call("PATCH", "/git/refs/heads/a", json!({"sha": base, "force": true})).await;
    let pull = twin.pull_json(number).await;
    assert_eq!((&pull["state"], &pull["merged"]), (&json!("closed"), &json!(false)));
    twin.merge(number, json!({"sha": sha})).await.refused(405, "Pull Request is not mergeable");
    let refused = twin.call("PATCH", &format!("/pulls/{number}"), json!({"state": "open"})).await;
    refused.refused(422, "There are no new commits on the a branch.");
}

#[tokio::test]
async fn a_pull_request_is_changed_closed_and_reopened() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let path = format!("/pulls/{number}");
    let changed = twin.call("PATCH", &path, json!({"title": "T", "body": "B"})).await;
    assert_eq!((changed.status, changed.text("/title"), changed.text("/body")), (200, "T", "B"));
    assert_eq!(twin.call("PATCH", &path, json!({"state": "closed"})).await.text("/state"), "closed");
    twin.merge(number, json!({"sha": sha})).await.refused(405, "Pull Request is not mergeable");
    assert_eq!(twin.call("PATCH", &path, json!({"state": "open"})).await.text("/state"), "open");
    twin.call("PATCH", &path, json!({"state": "closed"})).await;
    assert_eq!(twin.open("a").await.status, 201);
    let refused = twin.call("PATCH", &path, json!({"state": "open"})).await;
    refused.refused(422, "state cannot be changed. There is already an open pull request from a to main.");
    let refused = twin.call("PATCH", &path, json!({"base": "x"})).await;
    refused.refused(422, "Cannot change the base branch of a closed pull request.");
    twin.call("PATCH", "/pulls/99", json!({})).await.refused(404, "Not Found");
    twin.call("PATCH", &path, json!({"title": " "})).await.refused(422, "missing_field");
}

#[tokio::test]
async fn comments_and_files_are_listed() {
    let twin = Fixture::new().await;
    let (number, _) = twin.pull("a", "src/a.txt", "a\nB\nc\n").await;
    let path = format!("/issues/{number}/comments");
    let comment = twin.call("POST", &path, json!({"body": "evidence"})).await;
    assert_eq!(comment.status, 201);
    let edit = format!("/issues/comments/{}", comment.body["id"]);
    assert_eq!(twin.call("PATCH", &edit, json!({"body": "more"})).await.text("/body"), "more");
    assert_eq!(twin.get(&path).await.text("/0/body"), "more");
    twin.call("POST", &path, json!({"body": ""})).await.refused(422, "missing_field");
    twin.get("/issues/99/comments").await.refused(404, "Not Found");
    let files = twin.get(&format!("/pulls/{number}/files")).await;
    assert_eq!((files.text("/0/filename"), &files.body[0]["changes"]), ("src/a.txt", &json!(2)));
    assert_eq!(twin.pull_json(number).await["comments"], 1);
}
