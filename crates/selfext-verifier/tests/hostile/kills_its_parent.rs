use selfext_domain::{StageResult, Wall};

use crate::ground::{Outcome, attacked, script};

#[tokio::test]
async fn kills_its_parent() {
    attacked("kills its parent", &[Wall::Processes], async |ground| {
        let kill = "setsid sleep 600 & kill -STOP $PPID; kill -9 $PPID; kill -9 -$PPID; kill -9 1; sleep 0.2; echo survived; exit 7";
        // Where this may be root without namespaces, the first process of the machine is not to be aimed at.
        let kill = if rustix::process::geteuid().is_root() { kill.replace("kill -9 1; ", "") } else { kill.to_owned() };
        let report = ground.run(script(&kill)).await;
        let own_end = StageResult::Failed { exit_code: Some(7), signal: None };
        assert!(report.output.as_str().contains("survived"), "{report:?}");
        Outcome { harm: (report.result != own_end).then(|| format!("the report says {}", report.result)), report }
    })
    .await;
}
