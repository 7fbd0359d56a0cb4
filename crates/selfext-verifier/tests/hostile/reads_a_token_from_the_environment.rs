use selfext_domain::{VariablePattern, Wall};

use crate::ground::{Outcome, SECRET, attacked, script};

/// The rules let everything pass, which must not mean secrets.
#[tokio::test]
async fn reads_a_token_from_the_environment() {
    attacked("token from the environment", &[Wall::Environment], async |ground| {
        let mut stage = script("env; tr '\\0' '\\n' < /proc/self/environ");
        stage.environment = vec![VariablePattern::parse("*").unwrap()];
        let report = ground.run(stage).await;
        let output = report.output.as_str();
        assert!(output.contains("HARMLESS=known"), "{output}");
        Outcome { harm: output.contains(SECRET).then(|| "the token".to_owned()), report }
    })
    .await;
}
