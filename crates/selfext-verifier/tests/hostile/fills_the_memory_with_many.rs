use selfext_domain::{Limit, StageResult, Wall};

use crate::ground::{Outcome, attacked, script};

/// Each stays below the limit on one process: 8 times 40 MB.
#[tokio::test]
async fn fills_the_memory_with_many() {
    attacked("fills the memory, many processes", &[Wall::Limits], async |ground| {
        let hold = "for n in 1 2 3 4 5 6 7 8; do (head -c 40000000 /dev/zero; sleep 15) | tail -n 1 > /dev/null & done; wait; echo all";
        let mut stage = script(hold);
        stage.limits.memory_bytes = 100 << 20;
        let report = ground.run(stage).await;
        let over = report.result != StageResult::LimitHit { limit: Limit::Memory };
        Outcome { harm: (over && report.result.passed()).then(|| "320 MB".to_owned()), report }
    })
    .await;
}
