//! The demo's world: an agent's repository, a twin that serves it, a ledger, and selfext.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use selfext::{
    ChangeSet, CommitSha, DatabaseUrl, Ending, ExecutionContext, GitSource, GoalId, Operations, OperatorName, Outcome,
    RepoPath, RepositoryName, Selfext, ToolName,
};
use selfext_twin::{AutoCheck, Serving, StatusState, Twin, TwinConfig, TwinHandle};
use tempfile::TempDir;
use url::Url;

use crate::git::Git;
use crate::show;

/// What the agent is: a script that greets, and a test of it.
const AGENT: &str = "#!/bin/sh\n# The agent. It may rewrite this file.\ngreet() { echo \"hello, $1\"; }\n";
const TEST: &str = "set -e\n. ./agent.sh\nsaid=$(greet world)\ncase \"$said\" in\n  *world*) echo \"ok: $said\" ;;\n  *) echo \"the \
                    greeting lost its guest: $said\"; exit 1 ;;\nesac\n";
const RULES: &str = "version = 1\n\n[gate]\nrequired = [\"ci/test\"]\nwait_seconds = 60\npoll_seconds = 1\n\n[[verification.stage]]\nname \
                     = \"test\"\ncommand = [\"sh\", \"test.sh\"]\ntimeout_seconds = 60\n";

/// What an operator adds to the rules before the last scene: seconds, where a real agent takes minutes.
const HEALTH: &str = "\n[health]\nstart_seconds = 20\nhealthy_seconds = 2\nsamples = 5\nerror_budget = 1\nsilence_seconds = \
                      10\nwindow_seconds = 60\n";

/// The demo's world; it is gone when this is dropped.
pub struct World {
    folder: TempDir,
    bare: PathBuf,
    serving: Serving,
    quiet: bool,
    pub twin: TwinHandle,
    pub operations: Operations,
    pub selfext: Selfext,
    pub operator: OperatorName,
}

impl World {
    pub async fn make(quiet: bool) -> Result<Self> {
        let folder = tempfile::tempdir().context("no temporary folder could be made")?;
        let bare = make_repository(folder.path()).context("the demo's repository could not be made")?;
        let repository = RepositoryName::parse("demo/agent")?;
        let config = TwinConfig::new(repository.owner(), repository.name());
        let twin = Twin::open(&bare, config).await.context("the twin could not be made")?;
        let handle = twin.handle();
        handle.on_new_head_set([green()]);
        let serving =
            twin.serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.context("no port on loopback could be had")?;
        let database = DatabaseUrl::sqlite(folder.path().join("ledger.sqlite"));
        let selfext = Selfext::builder(repository)
            .github_token("no-token-is-asked-for")?
            .github_url(Url::parse(&serving.base_url())?)
            .git_source(GitSource::Path(bare.clone()))
            .cache(folder.path().join("cache"))
            .database(database.clone())
            .open()
            .await?;
        let operations = Operations::open(&database).await?;
        let operator = OperatorName::parse("demo-operator")?;
        Ok(Self { folder, bare, serving, quiet, twin: handle, operations, selfext, operator })
    }

    /// Tells what comes, where people read along.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            show::print(&format!("\n{text}"));
        }
    }

    /// Promotes a new text of the agent's script.
    pub async fn promote(&self, message: &str, script: &str) -> Result<Outcome> {
        let progress = show::Progress::new(None);
        let outcome = self.selfext.promote_as(&change(message, script)?, None, &progress).await?;
        progress.finish(matches!(outcome.ending, Ending::Promoted { .. }));
        Ok(outcome)
    }

    /// The agent's script as main has it now, read from the repository itself.
    pub fn script_on_main(&self) -> Result<String> {
        // Named as its own, so that git reads it although it is bare.
        let git = Git::in_folder(&self.bare).with("GIT_DIR", &self.bare);
        Ok(String::from_utf8(git.run(["cat-file", "blob", "refs/heads/main:agent.sh"])?)?)
    }

    /// An operator brings rules of health to main, by hand as rules come there.
    pub fn ask_for_health(&self) -> Result<()> {
        let work = self.folder.path().join("work");
        let there = Git::in_folder(&work);
        there.run(["fetch", "--quiet", "../agent.git", "main"])?;
        there.run(["-c", "core.autocrlf=false", "reset", "--quiet", "--hard", "FETCH_HEAD"])?;
        fs::write(work.join("selfext.toml"), format!("{RULES}{HEALTH}"))?;
        commit(&there, "Ask for health")?;
        there.run(["-c", "core.hooksPath=/dev/null", "push", "--quiet", "../agent.git", "HEAD:main"])?;
        Ok(())
    }

    /// The agent, as main has it now, greets a guest and says how that went.
    pub async fn agent_greets_and_reports(&self) -> Result<()> {
        let git = Git::in_folder(&self.bare).with("GIT_DIR", &self.bare);
        let tip = git.line(["rev-parse", "refs/heads/main"])?;
        let commit = CommitSha::parse(tip.to_string_lossy())?;
        let script = format!("{}\ngreet you\n", self.script_on_main()?);
        let greeted = tokio::process::Command::new("sh").arg("-c").arg(script).output().await?;
        let wrong = (!greeted.status.success()).then_some("a guest was not greeted");
        self.selfext.heartbeat(&commit, wrong.is_none(), wrong).await?;
        Ok(())
    }

    pub async fn end(self) {
        self.serving.shutdown().await;
        drop(self.folder);
    }
}

/// A CI that finds every pull request green.
pub fn green() -> AutoCheck {
    AutoCheck::status("ci/test", StatusState::Success)
}

/// The script with another way to greet.
pub fn greeting(words: &str) -> String {
    AGENT.replace("hello, $1", words)
}

fn change(message: &str, script: &str) -> Result<ChangeSet> {
    let mut context = ExecutionContext::new(ToolName::parse("rewrite-file")?);
    context.goal_id = Some(GoalId::parse("greet-better")?);
    Ok(ChangeSet::builder(message, context).write(RepoPath::parse("agent.sh")?, script).build()?)
}

fn make_repository(folder: &Path) -> Result<PathBuf> {
    let (work, bare) = (folder.join("work"), folder.join("agent.git"));
    fs::create_dir(&work)?;
    let here = Git::in_folder(folder);
    here.run(["init", "--quiet", "--initial-branch=main", "--object-format=sha1", "--template=", "work"])?;
    for (name, text) in [("agent.sh", AGENT), ("test.sh", TEST), ("selfext.toml", RULES)] {
        fs::write(work.join(name), text)?;
    }
    let there = Git::in_folder(&work);
    commit(&there, "The agent")?;
    here.run(["clone", "--quiet", "--bare", "--template=", "work", "agent.git"])?;
    Ok(bare)
}

/// Commits all there is, whatever the person's settings are.
fn commit(there: &Git, message: &str) -> Result<()> {
    there.run(["-c", "core.autocrlf=false", "add", "--all"])?;
    let settings = ["user.name=demo", "user.email=demo@localhost", "commit.gpgsign=false", "core.hooksPath=/dev/null"];
    let settings = settings.into_iter().flat_map(|setting| ["-c", setting]);
    there.run(settings.chain(["commit", "--quiet", "--message", message]))?;
    Ok(())
}
