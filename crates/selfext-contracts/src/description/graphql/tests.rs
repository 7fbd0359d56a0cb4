use serde_json::{Value, json};

use crate::GithubDescription;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

const DOCUMENT: &str = "mutation M($input: CreateCommitOnBranchInput!) {
  made: createCommitOnBranch(input: $input) { commit { oid tree { oid } parents(first: 1) { nodes { oid } } url } }
}";

fn wrong(query: &str, variables: &Value, response: &Value) -> Vec<String> {
    let request = json!({ "query": query, "variables": variables });
    GithubDescription::load().check("POST", "/graphql", Some(&request), 200, Some(response)).err().unwrap_or_default()
}

fn variables() -> Value {
    json!({ "input": {
        "branch": { "repositoryNameWithOwner": "o/r", "branchName": "a" },
        "expectedHeadOid": SHA,
        "message": { "headline": "A" },
        "fileChanges": { "additions": [{ "path": "a", "contents": "eA==" }], "deletions": [{ "path": "b" }] },
    } })
}

fn answer() -> Value {
    let parents = json!({ "nodes": [{ "oid": SHA }] });
    let commit = json!({ "oid": SHA, "tree": { "oid": SHA }, "parents": parents, "url": "https://github.example/c" });
    json!({ "data": { "made": { "commit": commit } } })
}

/// What is said of a value that was changed at this place.
fn spoilt(mut value: Value, place: &str, to: Value, check: impl Fn(&Value) -> Vec<String>) -> Vec<String> {
    *value.pointer_mut(place).unwrap() = to;
    check(&value)
}

#[test]
fn a_good_exchange_passes_and_so_does_a_failed_field() {
    let none = Vec::<String>::new();
    assert_eq!(wrong(DOCUMENT, &variables(), &answer()), none);
    let error = json!({ "type": "STALE_DATA", "path": ["made"], "locations": [{ "line": 2, "column": 3 }], "message": "Stale" });
    assert_eq!(wrong(DOCUMENT, &variables(), &json!({ "data": { "made": null }, "errors": [error] })), none);
    assert_eq!(wrong(DOCUMENT, &variables(), &json!({ "errors": [{ "message": "Something" }] })), none);
}

#[test]
fn a_document_that_the_schema_does_not_allow_is_found() {
    for (from, to) in [
        ("createCommitOnBranch(", "createCommitOnBrunch("),
        ("tree { oid }", "tree { sha }"),
        ("tree { oid }", "tree"),
        ("url", "url { x }"),
        ("CreateCommitOnBranchInput!", "CreateRefInput!"),
        ("CreateCommitOnBranchInput!", "CreateCommitOnBranchInput"),
        ("$input)", "$inputs)"),
        ("first: 1", "first: \"1\""),
        ("}\n}", "}"),
    ] {
        let found = wrong(&DOCUMENT.replace(from, to), &variables(), &answer());
        assert!(!found.is_empty() && found[0].contains("the document"), "{to}: {found:?}");
    }
}

#[test]
fn variables_that_the_schema_does_not_allow_are_found() {
    let check = |variables: &Value| wrong(DOCUMENT, variables, &answer());
    for (place, to) in [
        ("/input", Value::Null),
        ("/input/expectedHeadOid", Value::Null),
        ("/input/message/headline", json!(7)),
        ("/input/fileChanges/additions/0", json!({ "path": "a" })),
        ("/input/fileChanges/deletions/0", json!({ "path": "a", "mode": "100755" })),
        ("/input/branch", json!({ "name": "a" })),
    ] {
        assert_eq!(spoilt(variables(), place, to, check).len(), 1, "{place}");
    }
    let mut more = variables();
    more["other"] = json!(1);
    assert_eq!(check(&more), ["POST /graphql: the variable `other` is not declared"]);
    assert_eq!(check(&json!({})).len(), 1);
}

#[test]
fn an_answer_that_the_schema_does_not_allow_is_found() {
    let check = |answer: &Value| wrong(DOCUMENT, &variables(), answer);
    for (place, to) in [
        ("", json!([])),
        ("/data", json!({})),
        ("/data", Value::Null),
        ("/data/made", Value::Null),
        ("/data/made", json!("x")),
        ("/data/made/commit", json!({ "oid": SHA })),
        ("/data/made/commit/oid", json!("0123")),
        ("/data/made/commit/tree/oid", Value::Null),
        ("/data/made/commit/parents/nodes", json!({ "oid": SHA })),
        ("/data/made/commit/url", json!(7)),
    ] {
        assert!(!spoilt(answer(), place, to, check).is_empty(), "{place}");
    }
    let with = |name: &str, value: Value| {
        let mut more = answer();
        more[name] = value;
        check(&more)
    };
    assert_eq!(with("message", json!("x")).len(), 1);
    for errors in
        [json!([]), Value::Null, json!([{ "path": ["made"] }]), json!([{ "message": "x", "code": 1 }]), json!(["x"])]
    {
        assert!(!with("errors", errors.clone()).is_empty(), "{errors}");
    }
    let mut more = answer();
    more["data"]["made"]["commit"]["message"] = json!("x");
    assert_eq!(check(&more), ["POST /graphql: data.made.commit.message was not asked for"]);
}

#[test]
fn a_request_that_is_none_and_a_status_that_is_not_graphqls_are_found() {
    let description = GithubDescription::load();
    let check = |request: &Value, status| description.check("POST", "/graphql", Some(request), status, Some(&answer()));
    let good = json!({ "query": DOCUMENT, "variables": variables() });
    assert_eq!(check(&good, 200), Ok(()));
    for status in [201, 302, 422] {
        assert!(check(&good, status).is_err(), "{status}");
    }
    for bad in [json!([]), json!({}), json!({ "query": 1 }), json!({ "query": DOCUMENT, "variable": {} })] {
        assert!(check(&bad, 200).is_err(), "{bad}");
    }
    assert!(description.check("GET", "/graphql", None, 200, None).is_err());
}
