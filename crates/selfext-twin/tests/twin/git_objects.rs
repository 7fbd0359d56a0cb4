//! Blobs, trees, commits, comparisons, contents.

use serde_json::{Value, json};

use super::client;
use super::fixture::Fixture;

#[tokio::test]
async fn blobs_keep_every_byte() {
    let twin = Fixture::new().await;
    let blob = twin.call("POST", "/git/blobs", json!({"content": "a\u{0}\r\nü"})).await;
    let sha = blob.text("/sha").to_owned();
    let read = twin.get(&format!("/git/blobs/{sha}")).await;
    assert_eq!((read.text("/content"), &read.body["size"]), ("YQANCsO8\n", &json!(6)));
    let target = format!("/repos/owner/name/git/blobs/{sha}");
    let accept = [("Accept", "application/vnd.github.raw+json")];
    let raw = client::send(twin.serving().addr(), "GET", &target, &accept, b"").await.expect("an answer");
    assert_eq!(raw.raw, "a\u{0}\r\nü".as_bytes());

    let wrong = twin.call("POST", "/git/blobs", json!({"content": "*", "encoding": "base64"})).await;
    wrong.refused(422, "content is not valid Base64");
    twin.call("POST", "/git/blobs", json!({})).await.refused(422, "\"content\" wasn't supplied.");
    twin.get("/git/blobs/main").await.refused(422, "The sha parameter must be exactly 40 characters");
    twin.get(&format!("/git/blobs/{}", "1".repeat(40))).await.refused(404, "Not Found");
}

#[tokio::test]
async fn malformed_tree_entries_are_refused() {
    let twin = Fixture::new().await;
    let base = twin.git(&["rev-parse", "main^{tree}"]);
    let blob = twin.git(&["rev-parse", "main:README.md"]);
    let gone = "1".repeat(40);
    let entry = |path: &str| json!({"path": path, "mode": "100644", "type": "blob", "content": "x"});
    let malformed = "tree.path contains a malformed path component";
    let cases: Vec<(Value, String)> = vec![
        (entry("../x"), malformed.into()),
        (entry("a/../../x"), malformed.into()),
        (entry(".git/config"), malformed.into()),
        (entry("a/.GIT"), malformed.into()),
        (entry("a//b"), malformed.into()),
        (entry(""), malformed.into()),
        (entry("/a"), "tree.path cannot start with a slash".into()),
        (json!({"path": "a", "mode": "100644", "sha": gone}), format!("tree.sha {gone} is not a valid blob")),
        (json!({"path": "a", "mode": "040000", "sha": blob}), format!("tree.sha {blob} is not a valid tree")),
        (json!({"path": "a", "mode": "100600", "sha": blob}), "Must supply a valid tree.mode".into()),
        (json!({"path": "a", "mode": "100644"}), "Must supply either tree.sha or tree.content".into()),
        (json!({"path": "no/such", "mode": "100644", "sha": null}), "GitRPC::BadObjectState".into()),
    ];
    for (entry, words) in cases {
        let answer = twin.call("POST", "/git/trees", json!({"base_tree": base, "tree": [entry]})).await;
        answer.refused(422, &words);
    }
    let wrong_base = json!({"base_tree": gone, "tree": [entry("a")]});
    twin.call("POST", "/git/trees", wrong_base).await.refused(422, "base_tree is not a valid tree oid");
}

#[tokio::test]
async fn trees_are_made_of_all_modes_and_read_back() {
    let twin = Fixture::new().await;
    let base = twin.git(&["rev-parse", "main"]);
    let src = twin.git(&["rev-parse", "main:src"]);
    let entries = json!([
        {"path": "copy", "mode": "040000", "type": "tree", "sha": src},
        {"path": "exec", "mode": "100755", "type": "blob", "content": "x"},
        {"path": "link2", "mode": "120000", "type": "blob", "content": "exec"},
        {"path": "module", "mode": "160000", "type": "commit", "sha": "1".repeat(40)},
        {"path": "bin/run", "mode": "100755", "type": "blob", "sha": null},
        {"path": "copy/deep/er", "mode": "100644", "type": "blob", "content": "y"},
    ]);
    let tree = twin.call("POST", "/git/trees", json!({"base_tree": base, "tree": entries})).await;
    assert_eq!(tree.status, 201, "{tree:?}");
    let sha = tree.text("/sha");
    let all = twin.get(&format!("/git/trees/{sha}?recursive=1")).await;
    let listed: Vec<String> = all.body["tree"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| format!("{} {}", entry["mode"].as_str().expect("mode"), entry["path"].as_str().expect("path")))
        .collect();
    // The directory that took the place of `copy` holds what was written below it, as a later entry overrules an
    // earlier one above it.
    let expected = [
        "100644 README.md",
        "040000 copy",
        "040000 copy/deep",
        "100644 copy/deep/er",
        "100755 exec",
        "120000 link",
        "120000 link2",
        "160000 module",
        "040000 src",
        "100644 src/a.txt",
    ];
    assert_eq!(listed, expected);
    twin.git(&["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test]
async fn the_same_commit_always_has_the_same_id() {
    let twin = Fixture::new().await;
    let base = twin.git(&["rev-parse", "main"]);
    let tree = twin.git(&["rev-parse", "main^{tree}"]);
    let who = json!({"name": "A", "email": "a@selfext.invalid", "date": "2024-01-02T03:04:05+02:00"});
    let commit = json!({"message": "m", "tree": tree, "parents": [base], "author": who, "committer": who});
    let first = twin.call("POST", "/git/commits", commit.clone()).await;
    let second = twin.call("POST", "/git/commits", commit).await;
    assert_eq!((first.status, first.text("/sha")), (201, second.text("/sha")));
    assert_eq!(first.text("/author/date"), "2024-01-02T01:04:05Z");
    let sha = first.text("/sha");
    assert_eq!(twin.git(&["log", "-1", "--format=%an %ai", sha]), "A 2024-01-02 03:04:05 +0200");
    assert_eq!(twin.get(&format!("/git/commits/{sha}")).await.text("/message"), "m");
    let rich = twin.get("/commits/main").await;
    assert_eq!((rich.text("/sha"), &rich.body["stats"]["additions"]), (base.as_str(), &json!(6)));
    assert_eq!(twin.get(&format!("/commits/{}", &base[..8])).await.text("/sha"), base);

    let gone = "1".repeat(40);
    twin.call("POST", "/git/commits", json!({"message": "m", "tree": gone}))
        .await
        .refused(422, "Tree SHA does not exist");
    let bad = json!({"message": "m", "tree": tree, "parents": [tree]});
    twin.call("POST", "/git/commits", bad).await.refused(422, "Parent SHA does not exist or is not a commit object");
    let forged = json!({"message": "m", "tree": tree, "author": {"name": "A>\nparent x", "email": "e"}});
    twin.call("POST", "/git/commits", forged).await.refused(422, "author is not a valid identity");
    twin.get("/commits/nothing").await.refused(422, "No commit found for SHA: nothing");
}

#[tokio::test]
async fn commits_are_compared() {
    let twin = Fixture::new().await;
    let base = twin.git(&["rev-parse", "main"]);
    let head = twin.branch("feature/a#1", "src/new.txt", "one\ntwo\n").await;
    let ahead = twin.get("/compare/main...feature/a%231").await;
    assert_eq!((ahead.status, ahead.text("/status"), &ahead.body["ahead_by"]), (200, "ahead", &json!(1)));
    assert_eq!((ahead.text("/commits/0/sha"), ahead.text("/files/0/filename")), (head.as_str(), "src/new.txt"));
    assert_eq!(twin.get("/compare/feature%2Fa%231...main").await.text("/status"), "behind");
    assert_eq!(twin.get(&format!("/compare/{base}...owner:main")).await.text("/status"), "identical");
    twin.handle().push_file("main", "other", b"x", "other").await.expect("pushed");
    let diverged = twin.get("/compare/main...feature%2Fa%231").await;
    assert_eq!((diverged.text("/status"), diverged.text("/merge_base_commit/sha")), ("diverged", base.as_str()));
    twin.get("/compare/main...nothing").await.refused(404, "Not Found");
    twin.get("/compare/main").await.refused(404, "Not Found");
}

#[tokio::test]
async fn contents_are_files_directories_and_links() {
    let twin = Fixture::new().await;
    let file = twin.get("/contents/src/a.txt").await;
    assert_eq!((file.text("/type"), file.text("/content"), file.text("/encoding")), ("file", "YQpiCmMK\n", "base64"));
    let link = twin.get("/contents/link?ref=main").await;
    assert_eq!((link.text("/type"), link.text("/path"), link.text("/content")), ("file", "link", "aGVsbG8K\n"));
    let root = twin.get("/contents/?ref=refs/heads/main").await;
    let names: Vec<_> = root.body.as_array().expect("a list").iter().map(|entry| entry["name"].clone()).collect();
    assert_eq!(names, ["README.md", "bin", "link", "src"]);
    assert_eq!(twin.get("/contents/src").await.text("/0/path"), "src/a.txt");
    twin.get("/contents/none").await.refused(404, "Not Found");
    twin.get("/contents/src/a.txt/x").await.refused(404, "Not Found");
    twin.get("/contents/src%2F..%2FREADME.md").await.refused(404, "Not Found");
    twin.get("/contents/README.md?ref=nothing").await.refused(404, "No commit found for the ref nothing");
}

#[tokio::test]
async fn an_empty_repository_is_a_conflict() {
    let mut twin = Fixture::unserved();
    twin.git(&["update-ref", "-d", "refs/heads/main"]);
    twin.start(super::fixture::config()).await;
    twin.get("/git/ref/heads/main").await.refused(409, "Git Repository is empty.");
    twin.call("POST", "/git/blobs", json!({"content": "x"})).await.refused(409, "Git Repository is empty.");
}
