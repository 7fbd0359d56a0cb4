use std::time::Duration;

use selfext_domain::{StageResult, Wall};

use crate::ground::{Outcome, attacked, script};

#[tokio::test]
async fn sleeps_for_ever_holding_the_output() {
    attacked("sleeps, holding the output", &[Wall::Processes], async |ground| {
        let report = ground.run(script("setsid sleep 600 & sleep 600 & echo end")).await;
        assert_eq!((report.result, report.output.as_str()), (StageResult::Passed, "end\n"));
        let mut stage = script("setsid sleep 600 & exec sleep 600");
        stage.timeout = Duration::from_secs(1);
        let report = ground.run(stage).await;
        assert_eq!(report.result, StageResult::TimedOut);
        Outcome { report, harm: None }
    })
    .await;
}
