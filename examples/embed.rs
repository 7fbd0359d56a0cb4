//! An agent that rewrites its own greeting, and runs the new one only once it is on main.
//!
//! `cargo run -p selfext --example embed` shows it against a twin; on GitHub, leave out `github_url` and `git_source`.

use std::process::Command;

use selfext::{
    ChangeSet, DatabaseUrl, Ending, ExecutionContext, GitSource, RepoPath, RepositoryName, Selfext, ToolName,
};
use selfext_twin::{Twin, TwinConfig};

const RULES: &str =
    "version = 1\n[[verification.stage]]\nname = \"parses\"\ncommand = [\"sh\", \"-n\", \"greet.sh\"]\n";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let repository = home.path().join("agent");
    make_repository(&repository)?;
    let serving =
        Twin::open(&repository, TwinConfig::new("demo", "agent")).await?.serve("127.0.0.1:0".parse()?).await?;

    let selfext = Selfext::builder(RepositoryName::parse("demo/agent")?)
        .github_token(&std::env::var("SELFEXT_GITHUB_TOKEN").unwrap_or_else(|_| "none".into()))?
        .github_url(serving.base_url().parse()?)
        .git_source(GitSource::Path(repository))
        .cache(home.path().join("cache"))
        .database(DatabaseUrl::sqlite(home.path().join("ledger.sqlite")))
        .open() // and settles what an earlier life of this agent left open
        .await?;

    for (why, script) in [("Greet in French", "echo bonjour"), ("Greet in a hurry", "echo 'oops")] {
        let context = ExecutionContext::new(ToolName::parse("rewrite-greeting")?);
        let change = ChangeSet::builder(why, context).write(RepoPath::parse("greet.sh")?, script).build()?;
        match selfext.promote(&change).await?.ending {
            Ending::Promoted { commit, .. } => println!("{why}: on main as {commit}; restarting with it"),
            Ending::Blocked(refusal) => println!("{why}: not now, {refusal}"),
            Ending::VerificationFailed { refusal, .. } => println!("{why}: my change was wrong, {refusal}"),
            other => println!("{why}: {other:?}"),
        }
    }
    Ok(())
}

fn make_repository(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir(folder)?;
    std::fs::write(folder.join("greet.sh"), "echo hello\n")?;
    std::fs::write(folder.join("selfext.toml"), RULES)?;
    let who = ["-c", "user.name=agent", "-c", "user.email=agent@localhost"];
    for args in [&["init", "-q", "-b", "main"][..], &["add", "."], &["commit", "-q", "-m", "The agent"]] {
        assert!(Command::new("git").current_dir(folder).args(who).args(args).status()?.success());
    }
    Ok(())
}
