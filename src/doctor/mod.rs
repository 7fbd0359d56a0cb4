//! Whether everything that a promotion needs is there, before one needs it.

mod judge;

use selfext_domain::ports::{Forge as _, Verifier};
use selfext_domain::{
    BaseLinks, BranchName, Candidate, CommitSha, Isolation, RULES_PATH, RepoPath, Rules, RunId, StageReport,
    StageRules, error_chain,
};
use selfext_github::{Access, OctocrabForge};
use selfext_store::{Store, StoreError};

use crate::SelfextBuilder;
use crate::builder::Parts;

/// How a part of selfext's surroundings stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// As it should be.
    Good,
    /// Promotions work; something is missing that would make them safer, or may surprise.
    Warning,
    /// Promotions cannot land.
    Bad,
}

impl Condition {
    /// A word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// What was found of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The part: a word that a program can match on, such as `token` or `required-contexts`.
    pub about: &'static str,
    /// How it stands.
    pub condition: Condition,
    /// What was seen.
    pub says: String,
    /// What mends it; nothing if nothing has to be mended.
    pub mend: Option<String>,
}

impl Finding {
    fn good(about: &'static str, says: impl Into<String>) -> Self {
        Self { about, condition: Condition::Good, says: says.into(), mend: None }
    }

    fn warning(about: &'static str, says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { about, condition: Condition::Warning, says: says.into(), mend: Some(mend.into()) }
    }

    fn bad(about: &'static str, says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { about, condition: Condition::Bad, says: says.into(), mend: Some(mend.into()) }
    }
}

/// Whoever this is: a login that is looked for in a team, to see whether GitHub shows the team.
const SOMEBODY: &str = "octocat";

impl SelfextBuilder {
    /// Looks at everything that a promotion needs: the ledger, the credential and its rights, the repository and its number, the
    /// base branch with the forge's own rules for it, the contexts that must be green, the way of merging, the rules file, and the
    /// walls around verification, which are raised around a stage that does nothing. Nothing is changed anywhere but in the
    /// verifier's cache. May be repeated.
    pub async fn examine(self) -> Vec<Finding> {
        let parts = match self.parts().await {
            Ok(parts) => parts,
            Err(error) => {
                let mend = "Say it as `selfext promote --help` describes.";
                return vec![Finding::bad("settings", error_chain(&error), mend)];
            }
        };
        let Parts { forge, store, verifier, base } = parts;
        let (mut findings, access) = tokio::join!(look_at_ledger(store), forge.access(&base));
        match access {
            Err(error) => findings.push(judge::unreachable(&error)),
            Ok(access) => findings.extend(look_at_repository(&forge, &*verifier, &base, &access).await),
        }
        findings
    }
}

async fn look_at_ledger(store: Result<Store, StoreError>) -> Vec<Finding> {
    match store {
        Err(error) => vec![judge::no_ledger(&error)],
        Ok(store) => vec![judge::ledger(store.queries().overview(1).await)],
    }
}

async fn look_at_repository(
    forge: &OctocrabForge,
    verifier: &dyn Verifier,
    base: &BranchName,
    access: &Access,
) -> Vec<Finding> {
    let mut findings = judge::repository(base, access);
    let Ok((tip, forges_rules)) = &access.base else { return findings };
    match read_rules(verifier, base, tip).await {
        Err(finding) => findings.push(finding),
        Ok(rules) => {
            findings.push(Finding::good("rules", format!("{RULES_PATH} on {base} has {} stages", rules.stages.len())));
            findings.extend(judge::rules(&rules, forges_rules, access));
            for team in &rules.gate.approvals_by_team {
                // Whether anybody is in it tells nothing here.
                let anybody = [SOMEBODY.to_owned()];
                findings.push(judge::team(team, forge.members_among(team, &anybody).await.map(drop)));
            }
        }
    }
    findings.extend(judge::walls(raise_walls(forge, verifier, tip).await));
    findings
}

async fn read_rules(verifier: &dyn Verifier, base: &BranchName, tip: &CommitSha) -> Result<Rules, Finding> {
    let no_path = |_| Finding::bad("rules", format!("{RULES_PATH} is no path"), "Report this.");
    let path = RepoPath::parse(RULES_PATH).map_err(no_path)?;
    let read = verifier.read_file(base, tip, &path).await.map_err(|error| {
        Finding::bad("git", error_chain(&error), "Make sure that git can fetch the repository from this machine.")
    })?;
    let Some(bytes) = read else {
        let mend = "Run `selfext init` in the repository, read what it wrote, and bring it to the base branch by hand.";
        return Err(Finding::bad("rules", format!("{base} has no {RULES_PATH}"), mend));
    };
    let mend = "Mend it on the base branch.";
    let text =
        String::from_utf8(bytes).map_err(|_| Finding::bad("rules", format!("{RULES_PATH} is not UTF-8"), mend))?;
    Rules::parse(&text).map_err(|error| Finding::bad("rules", error.to_string(), mend))
}

/// Runs a stage that does nothing on the base itself.
async fn raise_walls(
    forge: &OctocrabForge,
    verifier: &dyn Verifier,
    tip: &CommitSha,
) -> Result<Vec<StageReport>, String> {
    let commit = forge.commit(tip).await.map_err(|error| error_chain(&error))?;
    let candidate = Candidate {
        base: tip.clone(),
        base_tree: commit.tree.clone(),
        tree: commit.tree,
        entries: Vec::new(),
        links: BaseLinks::default(),
        irreversible: Vec::new(),
    };
    let run = RunId::parse("doctor").map_err(|error| error.to_string())?;
    let stage = StageRules { isolation: Isolation::BestEffort, ..StageRules::new("doctor", vec!["true".to_owned()]) };
    verifier.run_stages(&run, &candidate, &[stage]).await.map_err(|error| error_chain(&error))
}
