use selfext_domain::{Limit, StageResult, Wall};

use crate::ground::{Outcome, attacked, script};

#[tokio::test]
async fn fills_the_output() {
    attacked("fills the output", &[Wall::Limits], async |ground| {
        let mut stage = script("exec yes 'a line that never ends'");
        stage.limits.output_bytes = 1 << 20;
        let report = ground.run(stage).await;
        assert_eq!(report.result, StageResult::LimitHit { limit: Limit::Output });
        assert!(report.output.as_str().len() <= 65_536 && report.output_bytes > 1 << 20);
        Outcome { report, harm: None }
    })
    .await;
}
