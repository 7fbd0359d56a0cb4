use selfext_domain::{Limit, StageResult, Wall};

use crate::ground::{Outcome, attacked, script};

#[tokio::test]
async fn fills_the_disk_with_one_file() {
    attacked("fills the disk, one file", &[Wall::Limits], async |ground| {
        let mut stage = script("exec dd if=/dev/zero of=big bs=65536 count=1600 2>/dev/null");
        stage.limits.file_bytes = 16 << 20;
        let report = ground.run(stage).await;
        assert_eq!(report.result, StageResult::LimitHit { limit: Limit::FileSize });
        Outcome { report, harm: None }
    })
    .await;
}

/// At most 160 MB, if nobody stops it.
#[tokio::test]
async fn fills_the_disk_with_many_files() {
    attacked("fills the disk, many files", &[Wall::Limits], async |ground| {
        let fill = "n=0; while [ $n -lt 20 ]; do dd if=/dev/zero of=$TMPDIR/f$n bs=65536 count=128 2>/dev/null; n=$((n+1)); done; sleep 15";
        let mut stage = script(fill);
        stage.limits.disk_bytes = 32 << 20;
        let report = ground.run(stage).await;
        assert_eq!(report.result, StageResult::LimitHit { limit: Limit::Disk });
        Outcome { report, harm: None }
    })
    .await;
}
