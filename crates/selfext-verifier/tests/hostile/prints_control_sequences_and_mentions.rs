use selfext_domain::code_block;

use crate::ground::{Outcome, attacked, script};

const PRINT: &str = "printf '\\033]0;title\\007\\033[2J\\033[31mred\\033[0m \\r\\010\\010 @everyone @octocat #1\\n~~~\\n```\\n````\\n</details><img src=x>\\n\\342\\200\\256over\\n'; exit 1";

#[tokio::test]
async fn prints_control_sequences_and_mentions() {
    attacked("prints control codes and mentions", &[], async |ground| {
        let report = ground.run(script(PRINT)).await;
        let output = report.output.as_str();
        let control = output.chars().any(|c| c.is_control() && c != '\n' && c != '\t' || c == '\u{202e}');
        // On the pull request it stands in a fence that nothing in it closes, where nobody is mentioned.
        let block = code_block(&report.output);
        let fence: String = block.chars().take_while(|c| *c == '`' || *c == '~').collect();
        let closes = block.lines().skip(1).filter(|line| line.trim() == fence).count();
        assert!(fence.len() >= 3 && closes == 1, "{block}");
        Outcome { harm: control.then(|| format!("{output:?}")), report }
    })
    .await;
}
