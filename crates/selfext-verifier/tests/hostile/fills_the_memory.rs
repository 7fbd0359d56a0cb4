use selfext_domain::Wall;

use crate::ground::{Outcome, attacked, script};

/// `tail` keeps a line in memory: 300 MB, if nobody stops it.
#[tokio::test]
async fn fills_the_memory() {
    attacked("fills the memory", &[Wall::Limits], async |ground| {
        let mut stage = script("head -c 300000000 /dev/zero | tail -n 1 > out; test $(wc -c < out) -eq 300000000");
        stage.limits.memory_bytes = 64 << 20;
        let report = ground.run(stage).await;
        Outcome { harm: report.result.passed().then(|| "300 MB".to_owned()), report }
    })
    .await;
}
