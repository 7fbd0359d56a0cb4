use std::time::Duration;

use selfext_domain::{StageResult, Wall};

use crate::ground::{Outcome, attacked, script};

#[tokio::test]
async fn ignores_sigterm() {
    attacked("ignores SIGTERM", &[Wall::Processes], async |ground| {
        let mut stage = script("trap '' TERM INT HUP QUIT XCPU USR1; while :; do sleep 5; done");
        stage.timeout = Duration::from_secs(1);
        let report = ground.run(stage).await;
        assert_eq!(report.result, StageResult::TimedOut);
        Outcome { report, harm: None }
    })
    .await;
}
