//! The base branch, with what GitHub itself asks of a merge into it.

use http::StatusCode;
use selfext_domain::ports::{ForgeError, LandedCommit};
use selfext_domain::{BranchName, BranchRules, CommitSha, MergeMethod, MergeQueue, RequiredContext};

use crate::client::Client;
use crate::wire::RuleBody;

/// How many rules a page has; GitHub's most.
const PER_PAGE: usize = 100;

/// How many pages of rules are read at most.
const MAX_PAGES: usize = 10;

impl Client {
    /// The tip of a branch and the rules for it, of classic protection and of rulesets: two requests at the same time.
    ///
    /// What classic protection requires stands in the branch itself, which whoever may read the repository may read; how many
    /// reviews it asks for only administrators may see, and GitHub refuses the merge by itself where they are missing.
    pub(crate) async fn base_with_rules(&self, branch: &BranchName) -> Result<(CommitSha, BranchRules), ForgeError> {
        let ((tip, required), mut rules) = tokio::try_join!(self.protected_branch(branch), self.ruleset_rules(branch))?;
        let mut all = required;
        all.append(&mut rules.required);
        rules.required = all;
        Ok((tip, rules))
    }

    async fn protected_branch(&self, branch: &BranchName) -> Result<(CommitSha, Vec<RequiredContext>), ForgeError> {
        let found = self.find_whole_branch(branch).await?;
        let found = found.ok_or_else(|| ForgeError::NotFound(format!("branch {branch}")))?;
        let tip: LandedCommit = found.commit.into();
        Ok((tip.sha, found.protection.required()))
    }

    async fn ruleset_rules(&self, branch: &BranchName) -> Result<BranchRules, ForgeError> {
        let mut rules = BranchRules::default();
        for page in 1..=MAX_PAGES {
            let route = self.at("rules/branches").branch(branch);
            let route = route.query("per_page", &PER_PAGE.to_string()).query("page", &page.to_string());
            let answer = self.get(route).await?;
            // A server from before there were rulesets has none; so has a repository whose plan has none.
            let none = answer.is(StatusCode::NOT_FOUND)
                || (answer.is(StatusCode::FORBIDDEN) && answer.message().contains("Upgrade to GitHub"));
            if none {
                return Ok(rules);
            }
            let found: Vec<RuleBody> = answer.expect(StatusCode::OK, &format!("the rules for {branch}"))?;
            let last = found.len() < PER_PAGE;
            for rule in found {
                add(&mut rules, rule);
            }
            if last {
                return Ok(rules);
            }
        }
        Err(ForgeError::Unreadable(format!("there are too many rules for {branch} to judge")))
    }
}

fn add(rules: &mut BranchRules, rule: RuleBody) {
    match rule {
        RuleBody::RequiredStatusChecks { parameters } => rules.required.extend(parameters.required()),
        RuleBody::PullRequest { parameters } => {
            rules.approvals = rules.approvals.max(parameters.required_approving_review_count);
            if let Some(methods) = parameters.methods() {
                // Each ruleset narrows what the others leave.
                let both = |method: &MergeMethod| rules.methods.as_ref().is_none_or(|known| known.contains(method));
                rules.methods = Some(methods.into_iter().filter(both).collect());
            }
        }
        // Where two rulesets have one, GitHub takes the stricter: each is asked for.
        RuleBody::MergeQueue { parameters } => {
            let (other, queue) = (rules.merge_queue, parameters.queue());
            rules.merge_queue = Some(other.map_or(queue, |other| MergeQueue {
                method: queue.method.filter(|method| other.method == Some(*method)),
                each_passes: queue.each_passes && other.each_passes,
            }));
        }
        RuleBody::Other => {}
    }
}
