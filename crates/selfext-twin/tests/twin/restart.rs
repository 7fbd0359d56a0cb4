//! What outlives the process.

use std::path::PathBuf;

use selfext_twin::{AutoCheck, CheckConclusion, Protection, StatusState, Twin, TwinError};
use serde_json::{Value, json};

use super::fixture::{Fixture, config, git};

#[tokio::test]
async fn pull_requests_checks_and_settings_survive_and_numbers_go_on() {
    let mut twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    twin.call("POST", &format!("/issues/{number}/comments"), json!({"body": "hi"})).await;
    let handle = twin.handle();
    handle.set_check(&sha, AutoCheck::status("ci", StatusState::Success)).await.expect("set");
    handle.set_check(&sha, AutoCheck::check_run("build", CheckConclusion::Failure)).await.expect("set");
    handle.protect("main", Protection::classic(["ci"])).await.expect("kept");
    let before = twin.pull_json(number).await;
    let id = before["id"].as_u64().expect("an id");
    twin.stop().await;
    let late = handle.set_check(&sha, AutoCheck::status("ci", StatusState::Error)).await;
    assert!(matches!(late, Err(TwinError::Closed)), "{late:?}");

    twin.start(config()).await;
    let after = twin.pull_json(number).await;
    for member in ["id", "title", "head/sha", "base/sha", "created_at", "mergeable_state"] {
        let pointer = format!("/{member}");
        assert_eq!(before.pointer(&pointer), after.pointer(&pointer), "{member}");
    }
    assert_eq!(twin.get(&format!("/commits/{sha}/status")).await.text("/state"), "success");
    assert_eq!(twin.get(&format!("/commits/{sha}/check-runs")).await.text("/check_runs/0/conclusion"), "failure");
    assert_eq!(twin.get("/branches/main/protection").await.status, 200);
    assert_eq!(twin.get(&format!("/issues/{number}/comments")).await.text("/0/body"), "hi");
    let (next, _) = twin.pull("b", "y", "y").await;
    assert_eq!(next, number + 1);
    assert!(twin.pull_json(next).await["id"].as_u64().expect("an id") > id);
}

/// Puts the state back to where a twin that was killed during a merge of pull request 1 as `commit` would have
/// left it.
fn die_while_merging(twin: &Fixture, commit: &str) {
    let path = twin.repository().join("selfext-twin/state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    let pull = &mut state["pulls"]["1"];
    pull["merging"] = json!({"commit": commit, "at": "2024-01-02T03:04:05Z", "by": "agent"});
    pull["open"] = json!(true);
    pull["merged"] = json!(null);
    pull["closed_at"] = json!(null);
    std::fs::write(&path, state.to_string()).expect("written");
}

/// The files that a twin which is killed now leaves behind.
fn files(twin: &Fixture) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(twin.repository().join("selfext-twin")).expect("read");
    let paths = entries.map(|entry| entry.expect("read").path()).filter(|path| path.is_file());
    paths.map(|path| (path.clone(), std::fs::read(path).expect("read"))).collect()
}

/// Puts them where a twin finds them that is started after that.
fn put_back(twin: &Fixture, files: &[(PathBuf, Vec<u8>)]) {
    for (path, _) in self::files(twin) {
        std::fs::remove_file(path).expect("removed");
    }
    for (path, data) in files {
        std::fs::write(path, data).expect("written");
    }
}

fn changes(files: &mut [(PathBuf, Vec<u8>)]) -> &mut Vec<u8> {
    let log = files.iter_mut().find(|(path, _)| path.extension().is_some_and(|end| end == "jsonl"));
    &mut log.expect("there are changes").1
}

#[tokio::test]
async fn what_was_answered_before_a_kill_is_found_and_half_a_change_is_not() {
    let mut twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let comments = format!("/issues/{number}/comments");
    twin.call("POST", &comments, json!({"body": "said"})).await;
    twin.handle().set_check(&sha, AutoCheck::check_run("build", CheckConclusion::Success)).await.expect("set");
    let mut killed = files(&twin);
    twin.call("POST", &comments, json!({"body": "never said"})).await;
    twin.stop().await;
    // It was writing the next change when it was killed.
    let whole = changes(&mut killed);
    let half = whole[..whole.len() / 2].to_vec();
    whole.extend(half.split(|byte| *byte == b'\n').next_back().expect("half a line"));
    put_back(&twin, &killed);
    twin.start(config()).await;
    assert_eq!(twin.handle().comments(number).await, ["said"]);
    assert_eq!(twin.get(&format!("/commits/{sha}/check-runs")).await.text("/check_runs/0/conclusion"), "success");
    twin.call("POST", &comments, json!({"body": "said after it"})).await;
    let again = files(&twin);
    twin.stop().await;
    put_back(&twin, &again);
    twin.start(config()).await;
    assert_eq!(twin.handle().comments(number).await, ["said", "said after it"]);
    twin.stop().await;

    let changed = changes(&mut killed);
    changed.splice(0..1, *b"x");
    put_back(&twin, &killed);
    let damaged = Twin::open(&twin.repository(), config()).await;
    assert!(matches!(damaged, Err(TwinError::DamagedState { .. })), "{damaged:?}");
}

#[tokio::test]
async fn a_change_is_written_by_itself_however_much_there_is() {
    let twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    for n in 0..30 {
        let text = "long ".repeat(1_000);
        twin.pull(&format!("other-{n}"), "x", &text).await;
    }
    for n in 0..30 {
        twin.handle().set_status(&sha, &format!("ci/{n}"), StatusState::Success, None).await.expect("set");
    }
    let before = changes(&mut files(&twin)).len();
    twin.call("POST", &format!("/issues/{number}/comments"), json!({"body": "short"})).await;
    let written = changes(&mut files(&twin)).len() - before;
    assert!((1..1_000).contains(&written), "{written} bytes");
}

#[tokio::test]
async fn a_state_of_an_earlier_version_is_taken_up() {
    let mut twin = Fixture::new().await;
    let (number, _) = twin.pull("a", "x", "x").await;
    twin.stop().await;
    let path = twin.repository().join("selfext-twin/state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    state["version"] = json!(1);
    state.as_object_mut().expect("an object").remove("generation");
    put_back(&twin, &[(path.clone(), state.to_string().into_bytes())]);
    twin.start(config()).await;
    assert_eq!(twin.pull("b", "y", "y").await.0, number + 1);
    let written: Value = serde_json::from_slice(&std::fs::read(&path).expect("read")).expect("JSON");
    assert_eq!(written["version"], 2, "an earlier twin would not find the changes");
    twin.stop().await;
    twin.start(config()).await;
    assert_eq!(twin.handle().pulls().await.len(), 2);
}

#[tokio::test]
async fn a_crash_after_the_base_moved_is_found_to_be_a_merge() {
    let mut twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let merged = twin.merge(number, json!({"sha": sha, "merge_method": "squash"})).await;
    let landed = merged.text("/sha").to_owned();
    twin.stop().await;
    die_while_merging(&twin, &landed);
    twin.start(config()).await;
    assert_eq!(twin.handle().pulls().await[0].merged_as.as_deref(), Some(landed.as_str()));
    let pull = twin.pull_json(number).await;
    assert_eq!((&pull["merged"], &pull["merged_at"]), (&json!(true), &json!("2024-01-02T03:04:05Z")));
    assert_eq!(twin.git(&["rev-list", "--count", "main"]), "2");
}

#[tokio::test]
async fn a_crash_before_the_base_moved_is_found_to_be_no_merge() {
    let mut twin = Fixture::new().await;
    let (number, sha) = twin.pull("a", "x", "x").await;
    let never = twin.commit("main", "x", "x").await;
    twin.stop().await;
    die_while_merging(&twin, &never);
    twin.start(config()).await;
    let pull = twin.pull_json(number).await;
    assert_eq!((&pull["merged"], &pull["state"]), (&json!(false), &json!("open")));
    assert_eq!(twin.merge(number, json!({"sha": sha})).await.status, 200);
}

#[tokio::test]
async fn what_happened_while_no_twin_was_there_is_seen_at_once() {
    let mut twin = Fixture::new().await;
    twin.pull("a", "x", "x").await;
    let (_, landed) = twin.pull("b", "y", "y").await;
    twin.stop().await;
    twin.git(&["update-ref", "-d", "refs/heads/a"]);
    twin.git(&["update-ref", "refs/heads/main", &landed]);
    twin.start(config()).await;
    let pulls = twin.handle().pulls().await;
    assert_eq!((pulls[0].open, &pulls[0].merged_as), (false, &None));
    assert_eq!((pulls[1].open, pulls[1].merged_as.as_ref()), (false, Some(&landed)));
}

#[tokio::test]
async fn a_second_twin_is_kept_away_and_a_damaged_state_refused() {
    let mut twin = Fixture::new().await;
    let second = Twin::open(&twin.repository(), config()).await;
    assert!(matches!(second, Err(TwinError::InUse(_))), "{second:?}");
    twin.pull("a", "x", "x").await;
    twin.stop().await;
    let path = twin.repository().join("selfext-twin/state.json");
    let whole = std::fs::read(&path).expect("read");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("written");
    let damaged = Twin::open(&twin.repository(), config()).await;
    assert!(matches!(damaged, Err(TwinError::DamagedState { .. })), "{damaged:?}");
    std::fs::write(&path, r#"{"version": 99}"#).expect("written");
    let newer = Twin::open(&twin.repository(), config()).await;
    assert!(matches!(newer, Err(TwinError::NewerState { found: 99, .. })), "{newer:?}");
}

#[tokio::test]
async fn a_repository_with_a_working_tree_is_served_and_hooks_do_not_run() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let root = directory.path().join("work");
    git(directory.path(), &["init", "--quiet", "-b", "trunk", "work"]);
    let identity = ["-c", "user.name=x", "-c", "user.email=x@selfext.invalid"];
    git(&root, &[&identity[..], &["commit", "--quiet", "--allow-empty", "-m", "first"]].concat());
    let hook = root.join(".git/hooks/reference-transaction");
    std::fs::write(&hook, "#!/bin/sh\ntouch \"$(dirname \"$0\")/ran\"\nexit 1\n").expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("set");
    }
    let twin = Twin::open(&root, config()).await.expect("opened");
    let handle = twin.handle();
    let sha = handle.push_file("trunk", "a", b"a", "m").await.expect("pushed");
    assert_eq!(git(&root, &["rev-parse", "trunk"]), sha);
    assert!(!root.join(".git/hooks/ran").exists());
    drop(twin);
    let not_one = Twin::open(&root.join(".git/objects/info"), config()).await;
    assert!(matches!(not_one, Err(TwinError::Git(_))), "directories above are not looked at: {not_one:?}");
}
