//! The mutations and the query of GraphQL.

use selfext_twin::{Fault, FaultKind, Protection};
use serde_json::{Value, json};

use super::app;
use super::client::{Answer, send};
use super::fixture::Fixture;

const DOCUMENT: &str =
    "mutation($ref: CreateRefInput!, $commit: CreateCommitOnBranchInput!, $pull: CreatePullRequestInput!) {
  ref: createRef(input: $ref) { ref { name prefix target { oid } } }
  createCommitOnBranch(input: $commit) { commit { oid message tree { oid } parents(first: 1) { nodes { oid } } } }
  pull: createPullRequest(input: $pull) { pullRequest { number headRefOid state } }
}";

impl Fixture {
    pub async fn graphql(&self, body: Value) -> Answer {
        let body = body.to_string();
        send(self.serving().addr(), "POST", "/graphql", &[], body.as_bytes()).await.expect("an answer")
    }

    async fn mutate(&self, variables: Value) -> Answer {
        self.graphql(json!({ "query": DOCUMENT, "variables": variables })).await
    }

    /// What publishes one file on a new branch `b`.
    async fn variables(&self, path: &str, contents: &str) -> Value {
        let base = self.git(&["rev-parse", "main"]);
        let id = self.get("").await.text("/node_id").to_owned();
        json!({
            "ref": { "repositoryId": id, "name": "refs/heads/b", "oid": base },
            "commit": {
                "branch": { "repositoryNameWithOwner": "Owner/name", "branchName": "b" },
                "expectedHeadOid": base,
                "message": { "headline": "Say", "body": "Why\n\nKey: {}\n" },
                "fileChanges": { "additions": [{ "path": path, "contents": contents }], "deletions": [{ "path": "README.md" }] },
            },
            "pull": { "repositoryId": id, "headRefName": "b", "baseRefName": "main", "title": "T", "body": "B" },
        })
    }
}

/// The kind and the words of an answer's only error, which is about this field.
pub fn error<'a>(answer: &'a Answer, field: &str) -> (&'a str, &'a str) {
    let errors = answer.body["errors"].as_array().expect("errors");
    assert_eq!((answer.status, errors.len(), &errors[0]["path"]), (200, 1, &json!([field])), "{answer:?}");
    assert_eq!(answer.body["data"][field], Value::Null, "{answer:?}");
    (answer.text("/errors/0/type"), answer.text("/errors/0/message"))
}

#[tokio::test]
async fn three_mutations_make_branch_commit_and_pull_request() {
    let twin = Fixture::new().await;
    let base = twin.git(&["rev-parse", "main"]);
    let made = twin.mutate(twin.variables("src/new.bin", "AP8=").await).await;
    assert_eq!((made.status, made.header("x-ratelimit-resource")), (200, Some("graphql")), "{made:?}");
    assert_eq!(made.body.get("errors"), None, "{made:?}");
    let data = &made.body["data"];
    assert_eq!(data["ref"]["ref"], json!({ "name": "b", "prefix": "refs/heads/", "target": { "oid": base } }));
    let commit = &data["createCommitOnBranch"]["commit"];
    assert_eq!(
        (&commit["message"], &commit["parents"]),
        (&json!("Say\n\nWhy\n\nKey: {}\n"), &json!({ "nodes": [{ "oid": base }] }))
    );
    assert_eq!(commit["oid"], json!(twin.git(&["rev-parse", "b"])));
    assert_eq!(commit["tree"]["oid"], json!(twin.git(&["rev-parse", "b^{tree}"])));
    assert_eq!(twin.git(&["diff", "--name-status", "main", "b"]), "D\tREADME.md\nA\tsrc/new.bin");
    assert_eq!(twin.handle().file("b", "src/new.bin").await.unwrap(), Some(vec![0, 255]));
    assert_eq!(data["pull"]["pullRequest"], json!({ "number": 1, "headRefOid": commit["oid"], "state": "OPEN" }));
    let pull = twin.pull_json(1).await;
    assert_eq!((&pull["title"], &pull["body"], &pull["head"]["sha"]), (&json!("T"), &json!("B"), &commit["oid"]));
    let record = twin.handle().exchanges().pop().expect("an exchange");
    assert_eq!(
        (record.method.as_str(), record.route, record.performed),
        ("GET", Some("/repos/{owner}/{repo}/pulls/{pull_number}"), Some(200))
    );
    assert_eq!(twin.handle().unknown_routes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_field_that_fails_is_null_and_the_later_ones_are_carried_out() {
    let twin = Fixture::new().await;
    let variables = twin.variables("x", "eA==").await;
    twin.git(&["branch", "b", "main"]);
    let made = twin.mutate(variables.clone()).await;
    assert_eq!(
        error(&made, "ref"),
        ("UNPROCESSABLE", "A ref named \"refs/heads/b\" already exists in the repository.")
    );
    assert_eq!(made.body["data"]["pull"]["pullRequest"]["number"], json!(1));

    let again = twin.mutate(variables).await;
    let said = |at: usize| (again.text(&format!("/errors/{at}/type")), again.text(&format!("/errors/{at}/message")));
    let base = twin.git(&["rev-parse", "main"]);
    let stale = format!("Expected branch to point to \"{base}\" but it did not. Pull and try again.");
    assert_eq!(said(1), ("STALE_DATA", stale.as_str()));
    assert_eq!(said(2), ("UNPROCESSABLE", "A pull request already exists for owner:b."));
    assert_eq!(again.body["data"], json!({ "ref": null, "createCommitOnBranch": null, "pull": null }));
}

#[tokio::test]
async fn each_mutation_is_refused_as_github_refuses_it() {
    let twin = Fixture::new().await;
    let usual = twin.variables("x", "eA==").await;
    let commit = async |change: &dyn Fn(&mut Value)| {
        let mut input = usual["commit"].clone();
        change(&mut input);
        let query =
            "mutation($i: CreateCommitOnBranchInput!) { c: createCommitOnBranch(input: $i) { commit { oid } } }";
        twin.graphql(json!({ "query": query, "variables": { "i": input } })).await
    };
    assert_eq!(error(&commit(&|_| {}).await, "c"), ("NOT_FOUND", "Branch \"b\" not found"));
    twin.git(&["branch", "b", "main"]);
    let elsewhere = commit(&|input| input["branch"]["repositoryNameWithOwner"] = json!("o/other")).await;
    assert_eq!(error(&elsewhere, "c").0, "NOT_FOUND");
    let nothing = commit(&|input| input["fileChanges"]["deletions"][0]["path"] = json!("none")).await;
    assert!(error(&nothing, "c").1.starts_with("A path was requested for deletion which does not exist"));
    let escaping = commit(&|input| input["fileChanges"]["additions"][0]["path"] = json!("../x")).await;
    assert_eq!(error(&escaping, "c"), ("UNPROCESSABLE", "A path was malformed: ../x"));
    twin.handle().protect("b", Protection::classic(["ci"])).await.unwrap();
    assert!(error(&commit(&|_| {}).await, "c").1.contains("Required status check"));
    assert_eq!(twin.git(&["rev-parse", "b"]), twin.git(&["rev-parse", "main"]), "nothing was moved");

    let query = "mutation($i: CreatePullRequestInput!) { p: createPullRequest(input: $i) { pullRequest { number } } }";
    let pull = async |name: &str, value: &str| {
        let mut input = usual["pull"].clone();
        input[name] = json!(value);
        twin.graphql(json!({ "query": query, "variables": { "i": input } })).await
    };
    assert_eq!(error(&pull("title", "T").await, "p"), ("UNPROCESSABLE", "No commits between main and b"));
    assert!(error(&pull("headRefName", "none").await, "p").1.contains("Head ref must be a branch"));
    assert_eq!(error(&pull("repositoryId", "x").await, "p").0, "NOT_FOUND");
}

#[tokio::test]
async fn a_file_that_is_there_keeps_its_mode() {
    let twin = Fixture::new().await;
    let made = twin.mutate(twin.variables("bin/run", "eA==").await).await;
    assert_eq!(made.body.get("errors"), None, "{made:?}");
    assert!(twin.git(&["ls-tree", "b", "bin/run"]).starts_with("100755"));
}

#[tokio::test]
async fn a_document_that_is_wrong_does_nothing() {
    let twin = Fixture::new().await;
    let usual = twin.variables("x", "eA==").await;
    let changed = |pointer: &str, value: Value| {
        let mut variables = usual.clone();
        *variables.pointer_mut(pointer).expect("a member") = value;
        json!({ "query": DOCUMENT, "variables": variables })
    };
    let written = |from: &str, to: &str| json!({ "query": DOCUMENT.replace(from, to), "variables": usual });
    for body in [
        json!({}),
        json!({ "query": 7 }),
        json!({ "query": "{ viewer { login } }" }),
        written("createRef(", "createReef("),
        written("prefix", "prefax"),
        written("tree { oid }", "tree"),
        written("oid message", "oid { x } message"),
        written("}\n}", "}"),
        changed("/ref/oid", Value::Null),
        changed("/commit/expectedHeadOid", json!("main")),
        changed("/commit/message", json!({})),
        changed("/commit/fileChanges/additions/0/contents", json!("*")),
        changed("/commit/fileChanges/additions", json!(["x"])),
        changed("/pull/title", json!(7)),
    ] {
        let answer = twin.graphql(body.clone()).await;
        assert_eq!((answer.status, answer.body.get("data")), (200, None), "{body} {answer:?}");
        assert!(!answer.text("/errors/0/message").is_empty());
    }
    assert_eq!(twin.git(&["branch", "--format=%(refname:short)"]), "main");
    let broken = send(twin.serving().addr(), "POST", "/graphql", &[], b"{").await.expect("an answer");
    broken.refused(400, "Problems parsing JSON");
}

#[tokio::test]
async fn token_faults_and_record_are_those_of_the_rest_of_the_api() {
    let twin = Fixture::with(|config| config.require_token("hush")).await;
    let body = json!({ "query": DOCUMENT }).to_string();
    let ask = async |headers: &[(&str, &str)]| {
        send(twin.serving().addr(), "POST", "/graphql", headers, body.as_bytes()).await
    };
    ask(&[]).await.expect("an answer").refused(401, "Bad credentials");
    ask(&[("authorization", "bearer other")]).await.expect("an answer").refused(401, "Bad credentials");
    let known = [("authorization", "bearer hush")];
    assert_eq!(ask(&known).await.expect("an answer").status, 200);
    twin.handle().add_fault(Fault::on("POST", "/graphql", FaultKind::LoseAnswer));
    assert!(ask(&known).await.is_err());
    let record = twin.handle().exchanges().pop().expect("an exchange");
    assert_eq!((record.route, record.fault, record.performed), (Some("/graphql"), Some("lose-answer"), Some(200)));
}

#[tokio::test]
async fn a_query_tells_who_is_in_a_team_to_whoever_may_know_it() {
    const MEMBERS: &str = "query($q: String) { organization(login: \"O\") { team(slug: \"t\") {
        members(query: $q, first: 1) { totalCount nodes { login } } } } }";
    let twin = Fixture::new().await;
    let ask = async |query: &str, searched: &str| {
        twin.graphql(json!({ "query": query, "variables": { "q": searched } })).await
    };
    assert_eq!(error(&ask(MEMBERS, "").await, "organization").0, "NOT_FOUND");
    twin.handle().set_team("o", "other", &["ann"]).await.expect("set");
    assert_eq!(ask(MEMBERS, "").await.body["data"], json!({ "organization": { "team": null } }));
    twin.handle().set_team("o", "t", &["ann", "Hannah", "bob"]).await.expect("set");
    let found = ask(MEMBERS, "ANN").await.body;
    let members = json!({ "totalCount": 2, "nodes": [{ "login": "ann" }] });
    assert_eq!(found, json!({ "data": { "organization": { "team": { "members": members } } } }));
    for wrong in [
        "{ organization { team(slug: \"t\") { members(first: 1) { nodes { login } } } } }",
        "{ organization(login: \"o\") { team(slug: \"t\") { members { nodes { login } } } } }",
        "{ organization(login: \"o\") { team(slug: \"t\") { members(first: 1) { nodes { email } } } } }",
        "{ organization(login: \"o\") { login } }",
        "{ viewer { login } }",
    ] {
        let answer = ask(wrong, "").await.body;
        assert!(answer.get("data").is_none() && answer["errors"].is_array(), "{wrong}: {answer}");
    }

    for (members, told) in [(Some(("members", "read")), true), (None, false)] {
        let given = [("metadata", "read")].into_iter().chain(members);
        let twin = app::twin(|app| app.permissions(given)).await;
        twin.handle().set_team("o", "t", &["ann"]).await.expect("set");
        let token = app::token(&twin).await;
        let answer = app::ask(&twin, "POST", "/graphql", &token, json!({ "query": MEMBERS, "variables": {} })).await;
        assert_eq!(answer.body.get("errors").is_none(), told, "{answer:?}");
    }
}
