use selfext_domain::RepoPath;

use crate::ground::{Outcome, attacked, script};

/// A path like this cannot be said at all, so that no patch can bring it.
#[tokio::test]
async fn escapes_by_dots_in_a_path() {
    attacked("escapes by .. in a path", &[], async |ground| {
        for path in ["../x", "a/../../x", "/etc/passwd", "./x", "a//b", ".git/config", "a/.GIT/hooks/x", "..", ""] {
            assert!(RepoPath::parse(path).is_err(), "{path}");
        }
        let report = ground.run(script("true")).await;
        Outcome { report, harm: None }
    })
    .await;
}
