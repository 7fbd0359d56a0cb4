use selfext_domain::Wall;

use crate::ground::{Outcome, attacked, script};

/// Root needs no capability for most of them. Each is written with what it holds.
#[tokio::test]
async fn changes_settings_of_the_kernel() {
    attacked("changes the kernel's settings", &[Wall::Files], async |ground| {
        let write = "f=/proc/sys/kernel/core_pattern; v=$(cat $f) && printf '%s' \"$v\" 2>/dev/null > $f && echo written; exit 0";
        let report = ground.run(script(&format!("({write}) 2>/dev/null"))).await;
        Outcome { harm: report.output.as_str().contains("written").then(|| "core_pattern".to_owned()), report }
    })
    .await;
}
