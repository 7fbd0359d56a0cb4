use selfext_domain::{StageResult, Wall};

use crate::ground::{Outcome, attacked, script};

/// Harmless even if it goes off: it makes 120 processes that sleep.
#[tokio::test]
async fn fork_bomb() {
    attacked("fork bomb", &[Wall::Limits, Wall::Processes], async |ground| {
        let mut stage = script("n=0; while [ $n -lt 120 ]; do sleep 15 & n=$((n+1)); done; echo all of them");
        stage.limits.processes = 40;
        let report = ground.run(stage).await;
        let all = report.output.as_str().contains("all of them") && report.result == StageResult::Passed;
        Outcome { harm: all.then(|| "120 processes at once".to_owned()), report }
    })
    .await;
}
