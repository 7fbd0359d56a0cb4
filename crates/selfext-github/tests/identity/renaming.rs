//! The repository is the one with its number: followed where it is renamed to, and refused where another has its name.

use std::sync::{Arc, Mutex};

use selfext_domain::ports::{Forge as _, ForgeError, LedgerError, MergeAnswer, Repositories};
use selfext_domain::{
    BranchName, CommitSha, EventId, MergeMethod, MergePermit, MergeWay, PermitTerms, PullRequestNumber, RepositoryName,
    RunId, TreeSha,
};
use selfext_twin::{Fault, FaultKind};

use crate::world::*;

fn branch(text: &str) -> BranchName {
    BranchName::parse(text).unwrap()
}

#[tokio::test]
async fn a_repository_that_is_renamed_meanwhile_is_followed_with_reads_and_writes() {
    for app in [false, true] {
        let world = World::new().await;
        let forge = if app { world.as_app() } else { world.with_token() };
        let head = forge.branch_head(&main_branch()).await.unwrap();
        world.asked();
        world.twin.rename("new-org", "new-agent");
        assert_eq!(forge.branch_head(&main_branch()).await.unwrap(), head);
        assert_eq!(
            world.asked(),
            [
                "GET /repos/octo-org/agent/git/ref/heads/main 301",
                "GET /repositories/4001 200",
                "GET /repos/new-org/new-agent/git/ref/heads/main 200"
            ]
        );
        // Its routes are below the new name from now on, its owner in filters, too.
        assert_eq!(forge.find_pull_request(&branch("selfext/a/b"), &main_branch()).await.unwrap(), None);
        let listed = world.twin.exchanges().pop().unwrap().path_and_query;
        assert!(listed.starts_with("/repos/new-org/new-agent/pulls?"), "{listed}");
        assert!(listed.ends_with("&head=new-org%3Aselfext%2Fa%2Fb"), "{listed}");

        // A write finds out by itself.
        world.git(&["branch", "selfext/a/b", "main"]);
        world.twin.rename("third-org", "third-agent");
        world.asked();
        forge.delete_branch(&branch("selfext/a/b")).await.unwrap();
        assert_eq!(
            world.asked(),
            [
                "DELETE /repos/new-org/new-agent/git/refs/heads/selfext/a/b 307",
                "GET /repositories/4001 200",
                "DELETE /repos/third-org/third-agent/git/refs/heads/selfext/a/b 204"
            ]
        );
        assert_eq!(world.git(&["for-each-ref", "refs/heads/selfext"]), "");
    }
}

#[tokio::test]
async fn a_repository_that_was_renamed_before_is_followed_by_its_old_name() {
    for app in [false, true] {
        let world = World::new().await;
        world.twin.rename("new-org", "new-agent");
        let forge = if app { world.as_app() } else { world.with_token() };
        forge.branch_head(&main_branch()).await.unwrap();
        forge.branch_head(&main_branch()).await.unwrap();
        let asked = world.asked();
        assert_eq!(asked.last().unwrap(), "GET /repos/new-org/new-agent/git/ref/heads/main 200");
        assert_eq!(count(&asked, "/repos/new-org/new-agent/git/ref/heads/main 200"), 2);
        assert_eq!(count(&asked, "GET /repositories/4001 200"), 1);
    }
}

#[tokio::test]
async fn another_repository_under_the_name_is_refused() {
    let world = World::new().await;
    let told = || world.builder().token(selfext_github::SecretToken::parse(TOKEN).unwrap()).repository_id(4001);
    told().build().unwrap().branch_head(&main_branch()).await.unwrap();
    world.twin.make_again().await.unwrap();
    world.asked();
    let forge = told().build().unwrap();
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Refused(_)), "{shown}");
    for words in ["octo-org/agent is another repository than before", "4002", "4001"] {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    // Nothing is written there, either.
    world.asked();
    assert!(forge.delete_branch(&branch("selfext/a/b")).await.is_err());
    let head = CommitSha::parse("a".repeat(40)).unwrap();
    assert!(forge.show_permit(&head, true).await.is_err());
    assert!(world.asked().iter().all(|asked| asked.starts_with("GET ")), "no write was sent");
    // Its own number is taken.
    let own = told().repository_id(4002).build().unwrap();
    own.branch_head(&main_branch()).await.unwrap();
}

#[tokio::test]
async fn a_repository_that_is_made_again_while_a_client_lives_is_found_out_before_the_next_write_after_a_while() {
    let world = World::new().await;
    let builder = || world.builder().token(selfext_github::SecretToken::parse(TOKEN).unwrap());
    let (forge, later) =
        (builder().build().unwrap(), builder().repository_known_for(std::time::Duration::ZERO).build().unwrap());
    later.branch_head(&main_branch()).await.unwrap();
    forge.branch_head(&main_branch()).await.unwrap();
    world.twin.make_again().await.unwrap();
    // Its word was good a moment ago.
    forge.branch_head(&main_branch()).await.unwrap();
    world.asked();
    let head = CommitSha::parse("a".repeat(40)).unwrap();
    let error = later.show_permit(&head, true).await.unwrap_err();
    assert!(error.to_string().contains("another repository than before"), "{error}");
    assert_eq!(world.asked(), ["GET /repos/octo-org/agent 200"]);
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test has no ledger")]
async fn a_merge_whose_repository_is_not_told_in_time_is_not_sent_and_its_permit_given_back() {
    let world = World::new().await;
    let token = selfext_github::SecretToken::parse(TOKEN).unwrap();
    let forge = world.builder().token(token).build().unwrap();
    world.twin.add_fault(Fault::on("GET", "/repos/*/*", FaultKind::Hang));
    let permit = MergePermit::from_ledger(PermitTerms {
        id: EventId::from_uuid("0198f1d2-7b3c-7a00-8000-000000000001".parse().unwrap()),
        run: RunId::parse("run-1").unwrap(),
        repository: name("octo-org/agent"),
        base: main_branch(),
        base_commit: CommitSha::parse("a".repeat(40)).unwrap(),
        pull_request: PullRequestNumber::new(1).unwrap(),
        branch: branch("selfext/x/y-0123456789abcdef"),
        head: CommitSha::parse("b".repeat(40)).unwrap(),
        tree: TreeSha::parse("c".repeat(40)).unwrap(),
        method: MergeMethod::Squash,
        way: MergeWay::Direct,
        message: "Title".to_owned(),
        permit_status: false,
        health: None,
        holder: "a test".to_owned(),
        granted_at: chrono::DateTime::UNIX_EPOCH,
        deadline: chrono::DateTime::UNIX_EPOCH,
    });
    let answer = forge.merge(permit).await;
    assert!(matches!(answer, MergeAnswer::MayPass { .. }), "{answer:?}");
    assert!(world.twin.exchanges().iter().all(|asked| asked.method == "GET"), "nothing was asked to merge");
}

/// A memory that cannot be reached at first.
struct Memory {
    failures: std::sync::Mutex<usize>,
    first: u64,
    told: std::sync::Mutex<Vec<(String, String, u64)>>,
}

#[async_trait::async_trait]
impl Repositories for Memory {
    async fn remember(&self, forge: &str, repository: &RepositoryName, number: u64) -> Result<u64, LedgerError> {
        self.told.lock().unwrap().push((forge.to_owned(), repository.to_string(), number));
        let mut left = self.failures.lock().unwrap();
        if *left == 0 {
            return Ok(self.first);
        }
        *left -= 1;
        Err(LedgerError::unavailable("the database is away"))
    }
}

#[tokio::test]
async fn what_the_ledger_remembers_of_the_name_holds_unless_a_number_is_told() {
    let world = World::new().await;
    let with = |first, failures: usize, told: Option<u64>| {
        let memory = Arc::new(Memory { failures: failures.into(), first, told: Mutex::default() });
        let builder = world.builder().token(selfext_github::SecretToken::parse(TOKEN).unwrap());
        let builder = builder.remembering(Arc::clone(&memory) as Arc<dyn Repositories>);
        let builder = told.into_iter().fold(builder, selfext_github::OctocrabForgeBuilder::repository_id);
        (builder.build().unwrap(), memory)
    };
    let (forge, memory) = with(4001, 0, None);
    forge.branch_head(&main_branch()).await.unwrap();
    forge.branch_head(&main_branch()).await.unwrap();
    let told = [("loopback".to_owned(), "octo-org/agent".to_owned(), 4001)];
    assert_eq!(*memory.told.lock().unwrap(), told, "it is asked once, whatever the port");

    let (forge, _) = with(3999, 0, None);
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Refused(_)) && shown.contains("its id is 4001, not 3999"), "{shown}");
    let (forge, _) = with(3999, 0, Some(4001));
    forge.branch_head(&main_branch()).await.unwrap();
    let (forge, memory) = with(3999, 0, Some(4002));
    refusal(&forge).await;
    assert!(memory.told.lock().unwrap().is_empty(), "what was refused is not remembered");

    // It cannot be reached: for a moment, or longer.
    let (forge, _) = with(4001, 1, None);
    forge.branch_head(&main_branch()).await.unwrap();
    let (forge, _) = with(4001, 9, None);
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Unavailable(_)) && shown.contains("Unremembered"), "{shown}");
}

#[tokio::test]
async fn a_name_that_leads_to_another_repository_now_is_not_followed() {
    let world = World::new().await;
    let forge = world.with_token();
    forge.branch_head(&main_branch()).await.unwrap();
    world.twin.make_again().await.unwrap();
    world.twin.rename("new-org", "new-agent");
    let (error, shown) = refusal(&forge).await;
    assert!(matches!(error, ForgeError::Refused(_)) && shown.contains("its id is 4002, not 4001"), "{shown}");
}
