use std::fs;
use std::path::PathBuf;

use selfext_domain::Wall;

use crate::ground::{Outcome, attacked, script};

#[tokio::test]
async fn installs_a_git_hook() {
    attacked("installs a git hook", &[Wall::Files], async |ground| {
        let canary = ground.outside("canary");
        let hooks: [PathBuf; 2] = [ground.cache().join("sha1.git/hooks"), ground.source.folder().join(".git/hooks")];
        let install = format!(
            "git init -q . 2>/dev/null; for h in '{}' '{}' .git/hooks; do mkdir -p \"$h\"; for n in post-checkout pre-commit \
             reference-transaction post-index-change; do printf '#!/bin/sh\\n: > {}\\n' > \"$h/$n\"; chmod +x \"$h/$n\"; done; done 2>/dev/null; \
             printf '[core]\\nhooksPath = %s\\nfsmonitor = touch {}\\n' \"$PWD/.git/hooks\" > \"$HOME/.gitconfig\"; exit 0",
            hooks[0].display(),
            hooks[1].display(),
            canary.display(),
            canary.display(),
        );
        let report = ground.run(script(&install)).await;
        let installed = hooks.iter().any(|folder| folder.join("pre-commit").exists());
        // Whatever was installed, nothing of it runs when selfext goes on.
        let next = ground.candidate_of(&[("next", "x")]).await;
        assert!(ground.run_on(&next, script("true")).await.result.passed());
        assert!(!canary.exists(), "a hook ran");
        for folder in &hooks {
            let _ = fs::remove_dir_all(folder);
        }
        Outcome { harm: installed.then(|| "hooks, of which none ran".to_owned()), report }
    })
    .await;
}
