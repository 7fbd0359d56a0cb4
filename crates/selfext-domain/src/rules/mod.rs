//! The rules file `selfext.toml`, read from the base commit and never from the candidate.

mod always;
mod health;
mod merge;
mod output_rule;
mod protected;
mod stage;
mod variable;
mod wire;
mod wire_health;
mod wire_verification;

use std::time::Duration;

pub use health::{BreakerRules, HealthRules, ProbeRules, ProbeTarget};
pub use merge::{MergeMethod, MergeQueueRule, MergeWay};
pub use output_rule::OutputRule;
pub use protected::ProtectedPaths;
pub use stage::{Isolation, OnBase, StageKind, StageLimits, StageRules};
pub use variable::VariablePattern;

use crate::{Digest32, Login, TeamName};

/// Where the rules file is in a repository.
pub const RULES_PATH: &str = "selfext.toml";

/// The name of the commit status with which selfext publishes its own evidence.
pub const EVIDENCE_CONTEXT: &str = "selfext/verification";

/// The name of the commit status that says whether a merge permit is open for a commit, where the rules ask for it.
pub const PERMIT_CONTEXT: &str = "selfext/permit";

/// Why a text is no rules file. The message names the key and what it may be.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// It is not TOML of the documented form.
    #[error("{RULES_PATH} is not of the documented form: {0}")]
    Form(String),
    /// A value is out of its range or contradicts another.
    #[error("{RULES_PATH}: {0}")]
    Value(String),
}

/// A context that must be green.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredContext {
    /// Its name.
    pub context: String,
    /// From whom alone it counts.
    pub pin: Option<Pin>,
}

/// From whom alone a context counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The check runs of the app with this number.
    App(u64),
    /// The commit statuses that this account set.
    Creator(Login),
}

/// The rules of the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRules {
    /// The contexts that must be there and green.
    pub required: Vec<RequiredContext>,
    /// The contexts that may be red. A required one is never optional.
    pub optional: Vec<String>,
    /// How many people must have approved the head; at least one where teams are asked for.
    pub approvals: u32,
    /// The teams of each of which one member must be among them.
    pub approvals_by_team: Vec<TeamName>,
    /// Whether a skipped check run is taken for success.
    pub accept_skipped: bool,
    /// Whether a neutral check run is taken for success.
    pub accept_neutral: bool,
    /// For how long one promotion waits for missing and pending contexts.
    pub wait: Duration,
    /// How long it waits between the first two looks. While nothing changes the pauses grow up to six times, and to a minute at
    /// most; a longer one stays as it is.
    pub poll: Duration,
}

impl GateRules {
    /// Whether it has to be known who set the statuses.
    #[must_use]
    pub fn name_creators(&self) -> bool {
        self.required.iter().any(|required| matches!(required.pin, Some(Pin::Creator(_))))
    }
}

impl Default for GateRules {
    fn default() -> Self {
        Self {
            required: Vec::new(),
            optional: Vec::new(),
            approvals: 0,
            approvals_by_team: Vec::new(),
            accept_skipped: false,
            accept_neutral: false,
            wait: Duration::from_mins(30),
            poll: Duration::from_secs(10),
        }
    }
}

impl GateRules {
    /// Whether a context may be red. Selfext's own word on its permit is always: it is set after the gate, not for it.
    #[must_use]
    pub fn is_optional(&self, context: &str) -> bool {
        context == PERMIT_CONTEXT || self.optional.iter().any(|name| name == context)
    }
}

/// How large a change may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeLimits {
    /// Files written or deleted.
    pub max_files: usize,
    /// Bytes of one file.
    pub max_file_bytes: u64,
    /// Bytes of all files together.
    pub max_total_bytes: u64,
}

impl Default for ChangeLimits {
    fn default() -> Self {
        Self { max_files: 1_000, max_file_bytes: 5 * 1024 * 1024, max_total_bytes: 30 * 1024 * 1024 }
    }
}

/// The rules of one repository, as its base commit states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What the pull request's head must show.
    pub gate: GateRules,
    /// What no change may touch.
    pub protected: ProtectedPaths,
    /// What runs on the candidate, in this order, until one does not pass.
    pub stages: Vec<StageRules>,
    /// How large a change may be.
    pub limits: ChangeLimits,
    /// How the pull request is merged.
    pub merge_method: MergeMethod,
    /// Whether the forge is asked to merge in the background, where it has that.
    pub asynchronous_merge: bool,
    /// What is done where the base takes changes through a merge queue.
    pub merge_queue: MergeQueueRule,
    /// Whether the commit status [`PERMIT_CONTEXT`] is green on a head exactly while a merge permit for it is open.
    pub permit_status: bool,
    /// How often a change is verified again because the base moved.
    pub max_base_moves: u32,
    /// How promoted changes prove themselves; `None` opens no health windows.
    pub health: Option<HealthRules>,
    /// The SHA-256 of the file.
    pub digest: Digest32,
}

impl Rules {
    /// Reads a rules file.
    ///
    /// # Errors
    /// [`RulesError`] names the key that is wrong and what it may be. Unknown keys are errors: a misspelt rule must not
    /// silently be no rule.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        wire::read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HealthTerms, RepoPath};

    const STAGE: &str = "version = 1\n[[verification.stage]]\nname = \"t\"\ncommand = [\"true\"]\n";

    #[test]
    fn a_short_file_has_careful_defaults() {
        let rules = Rules::parse(STAGE).unwrap();
        assert_eq!(rules.merge_method, MergeMethod::Squash);
        assert_eq!((rules.asynchronous_merge, rules.merge_queue), (false, MergeQueueRule::Refuse));
        assert!(!rules.gate.accept_skipped && !rules.gate.accept_neutral && rules.gate.required.is_empty());
        assert_eq!((rules.stages[0].timeout, rules.health), (Duration::from_mins(10), None));
        assert_eq!(rules.digest, Digest32::of(STAGE.as_bytes()));
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
            version = 1
            [gate]
            required = ["ci/test", { context = "build", app_id = 15368 }]
            optional = ["lint"]
            approvals = 2
            accept_skipped = true
            accept_neutral = true
            wait_seconds = 60
            poll_seconds = 5
            [paths]
            protected = ["infra/**"]
            [limits]
            max_files = 3
            max_file_bytes = 4
            max_total_bytes = 5
            [merge]
            method = "rebase"
            asynchronous = true
            merge_queue = "enqueue"
            queue_wait_seconds = 600
            max_base_moves = 2
            [health]
            start_seconds = 1
            healthy_seconds = 2
            samples = 3
            error_budget = 2
            silence_seconds = 4
            window_seconds = 6
            queue = true
            [health.probe]
            command = ["./health", "--json"]
            interval_seconds = 2
            timeout_seconds = 1
            [health.breaker]
            rollbacks = 5
            within_seconds = 3600
            [verification]
            isolation = "required"
            environment = ["CI_*"]
            [verification.limits]
            memory_bytes = 2147483648
            processes = 50
            [[verification.stage]]
            name = "install"
            command = ["npm", "ci"]
            network = true
            on_base = { lock_files = ["package-lock.json"], keep = ["node_modules"] }
            [[verification.stage]]
            name = "test"
            kind = "start-up"
            command = ["cargo", "test"]
            timeout_seconds = 7
            output_limit_bytes = 2048
            must_match = "^test result: ok. [1-9]"
            environment = ["TZ"]
            network = true
            [verification.stage.limits]
            processes = 70
            cpu_seconds = 5
        "#;
        let rules = Rules::parse(text).unwrap();
        assert_eq!(rules.gate.required[1], RequiredContext { context: "build".into(), pin: Some(Pin::App(15368)) });
        assert_eq!(rules.gate.approvals, 2);
        assert!(rules.gate.is_optional("lint") && rules.gate.accept_skipped && rules.gate.accept_neutral);
        assert_eq!((rules.gate.wait, rules.gate.poll), (Duration::from_mins(1), Duration::from_secs(5)));
        assert_eq!(rules.limits, ChangeLimits { max_files: 3, max_file_bytes: 4, max_total_bytes: 5 });
        assert_eq!((rules.merge_method, rules.max_base_moves), (MergeMethod::Rebase, 2));
        let queue = MergeQueueRule::Enqueue { wait: Duration::from_mins(10) };
        assert_eq!((rules.asynchronous_merge, rules.merge_queue), (true, queue));
        let health = rules.health.clone().unwrap();
        let terms = HealthTerms {
            start_seconds: 1,
            healthy_seconds: 2,
            samples: 3,
            error_budget: 2,
            silence_seconds: 4,
            window_seconds: 6,
        };
        assert_eq!((health.terms, health.queue), (terms, true));
        let probe = health.probe.unwrap();
        assert_eq!(probe.target, ProbeTarget::Command(vec!["./health".into(), "--json".into()]));
        assert_eq!((probe.interval, probe.timeout), (Duration::from_secs(2), Duration::from_secs(1)));
        assert_eq!(health.breaker, BreakerRules { rollbacks: 5, within: Duration::from_hours(1) });
        let [install, stage] = &rules.stages[..] else { panic!("{rules:?}") };
        let paths = |text: &str| vec![RepoPath::parse(text).unwrap()];
        let on_base = OnBase { lock_files: paths("package-lock.json"), keep: paths("node_modules") };
        assert_eq!((&install.on_base, &stage.on_base), (&Some(on_base), &None));
        assert_eq!((stage.timeout, stage.output_limit), (Duration::from_secs(7), 2048));
        assert_eq!((stage.kind, stage.isolation, stage.network), (StageKind::StartUp, Isolation::Required, true));
        let given = StageLimits { memory_bytes: 2 << 30, processes: 70, cpu_seconds: 5, ..StageLimits::default() };
        assert_eq!(stage.limits, given);
        let passing: Vec<_> = stage.environment.iter().map(VariablePattern::as_str).collect();
        assert_eq!(passing, ["CI_*", "TZ"]);
        let rule = stage.must_match.as_ref().unwrap();
        assert!(rule.matches("x\ntest result: ok. 3 passed") && !rule.matches("test result: ok. 0 passed"));
    }

    #[test]
    fn what_prepared_dependencies_hang_on_is_protected() {
        let on_base = "on_base = { lock_files = [\"a[1]/lock\"], keep = [\"deps\"] }";
        let rules = Rules::parse(&format!("{STAGE}{on_base}")).unwrap();
        for (path, is_protected) in
            [("a[1]/lock", true), ("deps/x", true), ("deps", true), ("a1/lock", false), ("x/deps", false)]
        {
            assert_eq!(rules.protected.contains(&RepoPath::parse(path).unwrap()), is_protected, "{path}");
        }
    }

    #[test]
    fn a_context_is_pinned_to_an_app_or_to_an_account() {
        let text = format!(
            "{STAGE}\n[gate]\nrequired = [{{ context = \"a\", creator = \"ci[bot]\" }}, {{ context = \"b\", app_id = 7 }}, {{ context = \"c\" }}]"
        );
        let gate = Rules::parse(&text).unwrap().gate;
        let pins: Vec<_> = gate.required.into_iter().map(|required| required.pin).collect();
        assert_eq!(pins, [Some(Pin::Creator(Login::parse("ci[bot]").unwrap())), Some(Pin::App(7)), None]);
    }

    #[test]
    fn a_team_is_one_approval_at_least() {
        for (given, approvals) in [("", 1), ("approvals = 0", 1), ("approvals = 3", 3)] {
            let text = format!("{STAGE}\n[gate]\n{given}\napprovals_by_team = [\"o/security\", \"o/web\"]");
            let gate = Rules::parse(&text).unwrap().gate;
            assert_eq!((gate.approvals, gate.approvals_by_team.len()), (approvals, 2), "{given}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("", "version"),
            ("version = 2", "version"),
            ("version = 1", "verification"),
            (&format!("{STAGE}\n[gate]\nrequird = []"), "requird"),
            (&format!("{STAGE}\n[gate]\nrequired = [\"\"]"), "required"),
            (&format!("{STAGE}\n[gate]\nrequired = [\"a\"]\noptional = [\"a\"]"), "optional"),
            (&format!("{STAGE}\n[gate]\nrequired = [\"selfext/verification\"]"), "selfext/verification"),
            (
                &format!("{STAGE}\n[gate]\nrequired = [{{ context = \"ci\", app_id = 7, creator = \"bot\" }}]"),
                "name one of them",
            ),
            (&format!("{STAGE}\n[gate]\nrequired = [{{ context = \"ci\", creator = \"@bot\" }}]"), "creator: login"),
            (&format!("{STAGE}\n[gate]\napprovals = 11"), "approvals"),
            (&format!("{STAGE}\n[gate]\napprovals_by_team = [\"security\"]"), "organization/team"),
            (&format!("{STAGE}\n[gate]\napprovals_by_team = [\"o/s\", \"O/S\"]"), "twice"),
            (&format!("{STAGE}\n[gate]\npoll_seconds = 0"), "poll_seconds"),
            (&format!("{STAGE}\n[paths]\nprotected = [\"a[\"]"), "protected"),
            (&format!("{STAGE}\n[paths]\nprotected = [\"[\u{e0}-\u{f6}]\"]"), "ASCII"),
            (&format!("{STAGE}\n[limits]\nmax_files = 0"), "max_files"),
            (&format!("{STAGE}\n[merge]\nmethod = \"octopus\""), "octopus"),
            (&format!("{STAGE}\n[merge]\nmerge_queue = \"jump\""), "jump"),
            (&format!("{STAGE}\n[merge]\nqueue_wait_seconds = 60"), "merge_queue = \"enqueue\""),
            (&format!("{STAGE}\n[merge]\nmerge_queue = \"enqueue\"\nqueue_wait_seconds = 59"), "queue_wait_seconds"),
            (&format!("{STAGE}\n[[verification.stage]]\nname = \"t\"\ncommand = [\"true\"]"), "twice"),
            (&format!("{STAGE}[health]\nwindow_seconds = 60"), "window_seconds"),
            (&format!("{STAGE}[health]\nsamples = 1"), "error_budget"),
            (&format!("{STAGE}[health]\nsilence_seconds = 0"), "silence_seconds"),
            (&format!("{STAGE}[health.probe]\ninterval_seconds = 1"), "url or a command"),
            (&format!("{STAGE}[health.probe]\nurl = \"localhost\""), "http://"),
            (&format!("{STAGE}[health.probe]\ncommand = []"), "command"),
            (&format!("{STAGE}[health.probe]\ncommand = [\"x\"]\ninterval_seconds = 61"), "interval_seconds"),
            (&format!("{STAGE}[health.breaker]\nrollbacks = 0"), "breaker"),
            ("version = 1\n[[verification.stage]]\nname = \"t\"\ncommand = []", "command"),
            ("version = 1\n[[verification.stage]]\nname = \"\"\ncommand = [\"x\"]", "name"),
            ("version = 1\n[[verification.stage]]\nname = \"t\"\ncommand = [\"a\\u0000b\"]", "command"),
            (&format!("{STAGE}timeout_seconds = 0"), "timeout_seconds"),
            (&format!("{STAGE}kind = \"tests\""), "tests"),
            (&format!("{STAGE}must_match = \"(\""), "must_match"),
            (&format!("{STAGE}environment = [\"GITHUB_TOKEN\"]"), "GITHUB_TOKEN"),
            (&format!("{STAGE}limits = {{ processes = 0 }}"), "processes"),
            (&format!("{STAGE}[verification]\nisolation = \"none\""), "isolation"),
            (&format!("{STAGE}on_base = {{ lock_files = [] }}"), "lock_files"),
            (&format!("{STAGE}on_base = {{ lock_files = [\"../x\"] }}"), "lock_files"),
            (&format!("{STAGE}on_base = {{ lock_files = [\"x\"], keep = [\"/x\"] }}"), "keep"),
            (&format!("{STAGE}on_base = {{ lock_files = [\"x/y\"], keep = [\"x\"] }}"), "keep"),
            (
                &format!(
                    "{STAGE}[[verification.stage]]\nname = \"u\"\ncommand = [\"x\"]\non_base = {{ lock_files = [\"x\"] }}"
                ),
                "before",
            ),
        ] {
            let error = Rules::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}\n{error}");
        }
    }
}
