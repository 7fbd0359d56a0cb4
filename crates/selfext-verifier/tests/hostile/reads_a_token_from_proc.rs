use std::process::{Command, Stdio};

use selfext_domain::Wall;

use crate::ground::{Outcome, SECRET, attacked, script};

/// Another process of the same user holds a token in its environment, as the agent itself does.
#[tokio::test]
async fn reads_a_token_from_proc() {
    attacked("token from /proc of others", &[Wall::Neighbours, Wall::Files], async |ground| {
        let mut agent = Command::new("sleep").arg("60").env("AGENTS_TOKEN", SECRET).stdin(Stdio::null()).spawn().unwrap();
        // The shell has the pattern in its arguments, which are not looked at.
        let look = format!(
            "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c {SECRET}; cat /proc/1/environ /proc/$PPID/environ \
             /proc/$PPID/maps 2>/dev/null | tr '\\0' '\\n' | grep -c CARGO_ "
        );
        let report = ground.run(script(&look)).await;
        agent.kill().unwrap();
        agent.wait().unwrap();
        let lines: Vec<&str> = report.output.as_str().lines().collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        let harm = (lines != ["0", "0"]).then(|| format!("{lines:?} lines of other environments"));
        Outcome { report, harm }
    })
    .await;
}
