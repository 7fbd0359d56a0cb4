//! Refs.

use serde_json::json;

use super::fixture::Fixture;

#[tokio::test]
async fn branch_names_with_slashes_and_hashes_work_encoded_and_plain() {
    let twin = Fixture::new().await;
    let sha = twin.branch("feat/a#b%c", "x", "x").await;
    for path in ["heads/feat/a%23b%25c", "heads%2Ffeat%2Fa%23b%25c"] {
        let found = twin.get(&format!("/git/ref/{path}")).await;
        assert_eq!((found.status, found.text("/ref")), (200, "refs/heads/feat/a#b%c"), "{path}");
        assert!(found.text("/url").ends_with("/git/refs/heads/feat/a%23b%25c"));
    }
    assert_eq!(twin.get("/branches/feat/a%23b%25c").await.text("/commit/sha"), sha);
    assert_eq!(twin.get("/commits/feat%2Fa%23b%25c/status").await.text("/sha"), sha);
    let opened = twin.open("owner:feat/a#b%c").await;
    assert_eq!((opened.status, opened.text("/head/ref")), (201, "feat/a#b%c"));
    let listed = twin.get("/pulls?head=owner:feat%2Fa%23b%25c").await;
    assert_eq!(listed.body.as_array().map(Vec::len), Some(1));
    let deleted = twin.call("DELETE", "/git/refs/heads/feat%2Fa%23b%25c", json!(null)).await;
    assert_eq!(deleted.status, 204);
}

#[tokio::test]
async fn creating_a_ref_is_refused_as_github_refuses_it() {
    let twin = Fixture::new().await;
    let sha = twin.git(&["rev-parse", "main"]);
    let tree = twin.git(&["rev-parse", "main^{tree}"]);
    let create = |name: &str, sha: &str| json!({"ref": name, "sha": sha});
    let must_start = "Reference name must start with 'refs/' and have at least two slashes.";
    let cases = [
        (create("refs/heads/main", &sha), "Reference already exists"),
        (create("refs/heads/x", &"1".repeat(40)), "Object does not exist"),
        (create("refs/heads/x", "main"), "The sha parameter must be exactly 40 characters"),
        (create("refs/heads/x", &tree), "Reference update failed"),
        (create("refs/heads/main/below", &sha), "Reference update failed"),
        (create("heads/x", &sha), must_start),
        (create("refs/x", &sha), must_start),
        (create("refs/heads/a..b", &sha), "refs/heads/a..b is not a valid ref name."),
        (create("refs/heads/../../config", &sha), "refs/heads/../../config is not a valid ref name."),
        (json!({"ref": "refs/heads/x"}), "\"sha\" wasn't supplied."),
        (json!({"ref": 1, "sha": sha}), "For 'properties/ref', 1 is not a string."),
    ];
    for (body, words) in cases {
        twin.call("POST", "/git/refs", body).await.refused(422, words);
    }
    assert_eq!(twin.call("POST", "/git/refs", create("refs/tags/v1", &sha)).await.status, 201);
}

#[tokio::test]
async fn a_ref_moves_forward_only_unless_forced() {
    let twin = Fixture::new().await;
    let base = twin.git(&["rev-parse", "main"]);
    let sha = twin.branch("b", "x", "x").await;
    let update = |sha: &str, force: bool| json!({"sha": sha, "force": force});
    let back = twin.call("PATCH", "/git/refs/heads/b", update(&base, false)).await;
    back.refused(422, "Update is not a fast forward");
    let forced = twin.call("PATCH", "/git/refs/heads/b", update(&base, true)).await;
    assert_eq!((forced.status, forced.text("/object/sha")), (200, base.as_str()));
    assert_eq!(twin.call("PATCH", "/git/refs/heads/b", json!({"sha": sha})).await.status, 200);
    let missing = twin.call("PATCH", "/git/refs/heads/none", update(&sha, true)).await;
    missing.refused(422, "Reference does not exist");
    let unknown = twin.call("PATCH", "/git/refs/heads/b", update(&"1".repeat(40), true)).await;
    unknown.refused(422, "Object does not exist");
    twin.call("DELETE", "/git/refs/heads/none", json!(null)).await.refused(422, "Reference does not exist");
    twin.call("DELETE", "/git/refs/heads/main", json!(null)).await.refused(422, "Cannot delete the default branch");
}

#[tokio::test]
async fn matching_refs_begin_with_the_name_and_an_exact_ref_is_exact() {
    let twin = Fixture::new().await;
    let sha = twin.git(&["rev-parse", "main"]);
    for name in ["feat", "feature/a", "feature/b"] {
        twin.git(&["update-ref", &format!("refs/heads/{name}"), &sha]);
    }
    let listed = twin.get("/git/matching-refs/heads/feat").await;
    let names: Vec<_> = listed.body.as_array().expect("a list").iter().map(|found| found["ref"].clone()).collect();
    assert_eq!(names, ["refs/heads/feat", "refs/heads/feature/a", "refs/heads/feature/b"]);
    assert_eq!(twin.get("/git/matching-refs/heads/none").await.body, json!([]));
    twin.get("/git/ref/heads/feature").await.refused(404, "Not Found");
}

#[tokio::test]
async fn what_git_would_guess_at_is_not_a_ref() {
    let twin = Fixture::new().await;
    let sha = twin.git(&["rev-parse", "main"]);
    // Git would read the first as the output of `git describe`, and the second as a shorthand.
    twin.get(&format!("/git/ref/heads/tool-g{}", &sha[..7])).await.refused(404, "Not Found");
    twin.git(&["update-ref", "refs/heads/refs/heads/shadow", &sha]);
    twin.get("/git/ref/heads/shadow").await.refused(404, "Not Found");
    assert_eq!(twin.get("/git/ref/heads/refs/heads/shadow").await.status, 200);
    let name = format!("refs/heads/tool-g{}", &sha[..7]);
    twin.git(&["update-ref", &name, &sha]);
    assert_eq!(twin.get(&format!("/git/{}", name.replacen("refs", "ref", 1))).await.status, 200);
}
