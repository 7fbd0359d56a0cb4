use std::fs;
use std::os::unix::fs::symlink;

use selfext_domain::{OnBase, RepoPath, StageRules, Wall};

use crate::ground::{Outcome, attacked, script};

/// By their place in the cache, which the attack knows, by links to them, and through its own copy.
#[tokio::test]
async fn spoils_prepared_dependencies() {
    attacked("spoils prepared dependencies", &[Wall::Files], async |ground| {
        let parse = |path: &str| RepoPath::parse(path).unwrap();
        let on_base = OnBase { lock_files: vec![parse("README")], keep: vec![parse("deps")] };
        let make = "mkdir deps && echo whole > deps/made && cp deps/made \"$HOME/made\"";
        let prepare = StageRules { name: "prepare".to_owned(), on_base: Some(on_base), ..script(make) };
        let look = script("cat deps/made \"$HOME/made\"; ls deps");
        let stages = [prepare.clone(), look];
        let before = ground.run_all(&stages).await.remove(1);

        let cache = ground.cache().join("prepared");
        symlink(&cache, ground.outside("elsewhere")).unwrap();
        let attack = format!(
            "(echo bad > deps/made; echo bad > \"$HOME/made\"; echo bad > deps/more; \
              for d in '{}' '{}'; do for l in \"$d\"/*; do \
                echo bad > \"$l/kept/0/made\"; echo bad > \"$l/home/made\"; ln \"$l/home/made\" link && echo bad > link; \
                rm -rf \"$l\"; mv \"$l\" away; done; done) 2>/dev/null; echo tried",
            cache.display(),
            ground.outside("elsewhere").display()
        );
        let report = ground.run_all(&[prepare, script(&attack)]).await.remove(1);
        assert!(report.output.as_str().contains("tried"), "{report:?}");

        let after = ground.run_all(&stages).await;
        fs::remove_file(ground.outside("elsewhere")).unwrap();
        let same = after[1].output == before.output && after[0].prepared.is_some_and(|prepared| prepared.reused);
        Outcome { harm: (!same).then(|| format!("the next run finds {:?}", after[1].output)), report }
    })
    .await;
}
