use serde_json::{Value, json};

use super::GithubDescription;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn wrong(method: &str, path: &str, request: Option<&Value>, status: u16, response: Option<&Value>) -> Vec<String> {
    GithubDescription::load().check(method, path, request, status, response).err().unwrap_or_default()
}

fn git_ref() -> Value {
    let url = format!("http://127.0.0.1:8080/repos/o/r/git/commits/{SHA}");
    json!({
        "ref": "refs/heads/a/b",
        "node_id": "x",
        "url": "http://127.0.0.1:8080/repos/o/r/git/refs/heads/a/b",
        "object": { "type": "commit", "sha": SHA, "url": url },
    })
}

#[test]
fn every_schema_of_the_description_compiles() {
    let description = GithubDescription::load();
    let mut places = Vec::new();
    find_schemas(&description.document, "", &mut places);
    assert!(places.len() > 100, "{}", places.len());
    for place in places {
        if let Err(error) = super::schema::compile(&description.document, &place) {
            panic!("{place}: {error}");
        }
    }
}

/// The places of everything that a request or an answer is checked against.
fn find_schemas(value: &Value, place: &str, places: &mut Vec<String>) {
    if let Value::Object(object) = value {
        for (name, value) in object {
            let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
            if name == "schema" {
                places.push(place);
            } else {
                find_schemas(value, &place, places);
            }
        }
    } else if let Value::Array(values) = value {
        for (index, value) in values.iter().enumerate() {
            find_schemas(value, &format!("{place}/{index}"), places);
        }
    }
}

#[test]
fn good_exchanges_pass() {
    let none = Vec::<String>::new();
    for path in ["/repos/o/r/git/ref/heads/a/b", "/repos/o/r/git/ref/heads%2Fa%2Fb"] {
        assert_eq!(wrong("GET", path, None, 200, Some(&git_ref())), none);
    }
    let asked = json!({ "ref": "refs/heads/a/b", "sha": SHA });
    assert_eq!(wrong("POST", "/repos/o/r/git/refs", Some(&asked), 201, Some(&git_ref())), none);
    assert_eq!(wrong("delete", "/repos/o/r/git/refs/heads/a/b", None, 204, None), none);
    let merge = json!({ "sha": SHA, "merge_method": "squash" });
    let merged = json!({ "sha": SHA, "merged": true, "message": "merged" });
    assert_eq!(wrong("PUT", "/repos/o/r/pulls/12/merge", Some(&merge), 200, Some(&merged)), none);
}

#[test]
fn a_null_is_allowed_where_the_description_says_nullable() {
    let with_sha = |sha: Value| json!({ "tree": [{ "path": "a", "mode": "100644", "type": "blob", "sha": sha }] });
    let missing = json!({ "message": "Not Found" });
    let check = |body: &Value| wrong("POST", "/repos/o/r/git/trees", Some(body), 404, Some(&missing));
    assert_eq!(check(&with_sha(Value::Null)), Vec::<String>::new());
    assert_eq!(check(&with_sha(json!(12))).len(), 1);
}

#[test]
fn an_error_without_a_described_body_may_have_one() {
    let not_merged = json!({ "message": "Not Found", "documentation_url": "https://docs.example/" });
    let path = "/repos/o/r/pulls/12/merge";
    assert_eq!(wrong("GET", path, None, 404, Some(&not_merged)), Vec::<String>::new());
    assert_eq!(wrong("GET", path, None, 404, None), Vec::<String>::new());
    assert_eq!(wrong("GET", path, None, 204, Some(&not_merged)).len(), 1);
}

#[test]
fn an_operation_that_does_not_exist_is_named() {
    let found = wrong("GET", "/repos/o/r/pull/12", None, 200, None);
    assert_eq!(found, ["GET /repos/o/r/pull/12: GitHub describes no such operation"]);
    assert_eq!(wrong("PUT", "/repos/o/r/pulls", None, 200, None).len(), 1);
}

#[test]
fn the_longest_literal_path_counts() {
    // Also `GET /repos/{owner}/{repo}/branches/{branch}`, with the branch `main/protection`.
    let found = wrong("GET", "/repos/o/r/branches/main/protection", None, 301, None);
    assert_eq!(found, ["GET /repos/o/r/branches/main/protection: the status 301 is not described"]);
}

#[test]
fn parameters_are_checked_by_name_and_type() {
    let pulls = |query: &str| wrong("GET", &format!("/repos/o/r/pulls?{query}"), None, 200, Some(&json!([])));
    assert_eq!(pulls("state=open&head=o%3Aselfext%2Fx&per_page=100&page=2"), Vec::<String>::new());
    for query in ["perpage=1", "per_page=many", "state=opened"] {
        assert_eq!(pulls(query).len(), 1, "{query}");
    }
    let found = wrong("GET", "/repos/o/r/pulls/twelve", None, 404, Some(&json!({})));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`pull_number`"), "{found:?}");
}

#[test]
fn a_request_body_is_checked_against_its_schema_and_unknown_properties_are_named() {
    let post = |body: Option<&Value>| wrong("POST", "/repos/o/r/git/refs", body, 201, Some(&git_ref()));
    assert_eq!(post(None).len(), 1);
    assert_eq!(post(Some(&json!({ "ref": "refs/heads/a" }))).len(), 1);
    assert_eq!(post(Some(&json!({ "ref": "refs/heads/a", "sha": 5 }))).len(), 1);
    let found = post(Some(&json!({ "ref": "refs/heads/a", "sha": SHA, "froce": true })));
    assert_eq!(found, ["POST /repos/o/r/git/refs: the request body's `/froce` is not described"]);
    let sent = json!({ "unasked": 1 });
    let found = wrong("GET", "/repos/o/r/git/ref/heads/a", Some(&sent), 200, Some(&git_ref()));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn an_answer_is_checked_against_the_schema_of_its_status() {
    let get = |status: u16, body: Option<&Value>| wrong("GET", "/repos/o/r/git/ref/heads/a", None, status, body);
    assert_eq!(get(200, None).len(), 1);
    assert_eq!(get(418, Some(&git_ref())).len(), 1);
    let mut short = git_ref();
    short["object"]["sha"] = json!("0123");
    short["url"] = json!("not a url");
    short.as_object_mut().unwrap().remove("node_id");
    let found = get(200, Some(&short));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().any(|what| what.contains("at /object/sha")), "{found:?}");
    assert_eq!(get(404, Some(&json!({ "message": 404 }))).len(), 1);
}
