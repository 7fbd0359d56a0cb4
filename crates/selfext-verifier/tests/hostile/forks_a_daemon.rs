use std::fs;

use selfext_domain::Wall;

use crate::ground::{Outcome, attacked, living, script};

/// It leaves session and group, lets its parents end, clears its environment and goes to another folder.
#[tokio::test]
async fn forks_a_daemon() {
    attacked("forks a daemon", &[Wall::Processes], async |ground| {
        // A number that is in no other command line.
        let mark = format!("77{}", std::process::id());
        let fork = format!(
            "(setsid sh -c '(cd / && exec setsid env -i sleep {mark}) & : > begun' &) & until [ -e begun ]; do sleep 0.01; done; exit 0"
        );
        let report = ground.run(script(&fork)).await;
        assert!(report.result.passed(), "{report:?}");
        let lives = living(|about| {
            let words = fs::read(about.join("cmdline")).unwrap_or_default();
            words.starts_with(format!("sleep\0{mark}").as_bytes())
        });
        Outcome { harm: (!lives.is_empty()).then(|| format!("{lives:?} lives on")), report }
    })
    .await;
}
