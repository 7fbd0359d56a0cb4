use selfext_domain::ports::{ForgeError, MergeAnswer, Publication, PullRequestState, SurveyScope};
use selfext_domain::{
    CommitMeta, EntryChange, GateRules, GateVerdict, PERMIT_CONTEXT, RepoPath, StatusState, TreeSha, evaluate_gate,
};
use serde_json::json;

use crate::forge::repository::changes;
use crate::forge::stage::{Stage, branch, evidence_in, failed, on_stage, on_stage_with_base, one_file, passed, text};
use crate::forge::world::{Answered, ForgeWorld, Misbehaviour, Step};

pub async fn a_change_goes_all_the_way<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let base = stage.forge.branch_head(&stage.base).await.unwrap();
        assert_eq!(Some(&base), stage.repository.head(&stage.base).as_ref());

        let (publication, published) = stage.published().await;
        assert_eq!(stage.repository.head(&stage.branch).as_ref(), Some(&published.head));
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
        assert_eq!(stage.repository.parents(&published.head), std::slice::from_ref(&base));
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert_eq!((pull.head, pull.branch), (published.head.clone(), publication.branch.clone()));
        assert_eq!((pull.base, pull.state, pull.draft), (stage.base.clone(), PullRequestState::Open, false));
        assert!(pull.url == published.url && pull.url.starts_with("http"), "{}", pull.url);

        let survey = stage
            .forge
            .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
            .await
            .unwrap();
        assert_eq!((survey.base_head, survey.pull_request.mergeable), (base.clone(), Some(true)));
        assert_eq!(evidence_in(&survey.gate), Stage::<W>::once(true));

        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        let MergeAnswer::Merged { commit } = answer else { panic!("{answer:?}") };
        assert_eq!(stage.repository.head(&stage.base).as_ref(), Some(&commit));
        let landed = stage.forge.commit(&commit).await.unwrap();
        assert_eq!((landed.tree, landed.parents), (publication.candidate.tree.clone(), vec![base]));
        assert!(CommitMeta::find(&landed.message).is_some(), "{}", landed.message);
        let pull = stage.forge.pull_request(published.pull_request).await.unwrap();
        assert_eq!(pull.state, PullRequestState::Merged { commit: Some(commit) });

        stage.forge.delete_branch(&stage.branch).await.unwrap();
        stage.forge.delete_branch(&stage.branch).await.unwrap();
        assert_eq!(stage.repository.branches(), ["main"]);
    })
    .await;
}

pub async fn a_message_that_needs_no_care_and_one_that_does_arrive_unchanged<W: ForgeWorld>() {
    for fresh in [true, false] {
        on_stage(async |stage: &Stage<W>| {
            let mut publication = Publication { fresh, ..stage.usual_publication() };
            publication.commit_message =
                publication.commit_message.replace("Because 42.", "# not a comment\n\n\n\tünï \\ \"x\" 🦀");
            let published = stage.forge.publish(&publication).await.unwrap();
            assert_eq!(stage.repository.message(&published.head), publication.commit_message.trim_end());
            assert!(CommitMeta::find(&stage.repository.message(&published.head)).is_some());
        })
        .await;
    }
}

pub async fn the_permits_status_says_whether_it_is_open<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        for (open, state) in [(true, StatusState::Success), (true, StatusState::Success), (false, StatusState::Pending)]
        {
            stage.forge.show_permit(&published.head, open).await.unwrap();
            let survey = stage
                .forge
                .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
                .await
                .unwrap();
            let said = survey.gate.statuses.iter().find(|status| status.context == PERMIT_CONTEXT).unwrap();
            assert_eq!(said.state, state);
        }
        stage.world.disturb(Step::SetStatus, Misbehaviour::LoseAnswer);
        let error = stage.forge.show_permit(&published.head, true).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
    })
    .await;
}

pub async fn publishing_twice_keeps_one_branch_and_one_pull_request<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        assert_eq!(stage.forge.publish(&publication).await.unwrap(), published);
        assert_eq!(stage.repository.branches(), ["main", publication.branch.as_str()]);
        assert_eq!(stage.repository.head(&stage.branch), Some(published.head));
        assert_eq!(stage.world.pull_requests().await.len(), 1);
    })
    .await;
}

pub async fn publishing_anew_brings_title_and_body_up_to_date<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (mut publication, published) = stage.published().await;
        "Answer best".clone_into(&mut publication.title);
        "New evidence.".clone_into(&mut publication.body);
        assert_eq!(stage.forge.publish(&publication).await.unwrap(), published);
        let pulls = stage.world.pull_requests().await;
        assert_eq!((pulls.len(), pulls[0].title.as_str(), pulls[0].body.as_str()), (1, "Answer best", "New evidence."));
    })
    .await;
}

pub async fn a_moved_base_moves_the_branch_and_keeps_the_pull_request<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, first) = stage.published().await;
        let moved = stage.repository.push(&stage.base, &changes([("other.txt", text("x\n"))]), "Somebody's");
        let second = stage.publish(&stage.usual_publication()).await;
        assert_eq!(second.pull_request, first.pull_request);
        assert_ne!(second.head, first.head);
        assert_eq!(stage.repository.head(&stage.branch).as_ref(), Some(&second.head));
        assert_eq!(stage.repository.parents(&second.head), [moved]);
        let survey =
            stage.forge.survey(second.pull_request, &second.head, &stage.base, SurveyScope::default()).await.unwrap();
        assert_eq!((survey.pull_request.head, evidence_in(&survey.gate)), (second.head, Stage::<W>::once(true)));
        assert_eq!(stage.world.pull_requests().await.len(), 1);
    })
    .await;
}

pub async fn a_closed_pull_request_gets_a_successor<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, first) = stage.published().await;
        stage.forge.close_pull_request(first.pull_request).await.unwrap();
        let second = stage.forge.publish(&publication).await.unwrap();
        assert!(second.pull_request > first.pull_request && second.head == first.head);
        let open: Vec<bool> = stage.world.pull_requests().await.iter().map(|pull| pull.open).collect();
        assert_eq!(open, [false, true]);
    })
    .await;
}

pub async fn a_branch_with_somebody_elses_commit_is_left_alone<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        stage.repository.set(&stage.branch, &stage.repository.head(&stage.base).unwrap());
        let theirs = stage.repository.push(&stage.branch, &changes([("a.txt", text("a"))]), "Somebody's");
        let error = stage.forge.publish(&stage.usual_publication()).await.unwrap_err();
        assert!(
            matches!(&error, ForgeError::BranchTaken { branch, head } if *branch == stage.branch && *head == theirs),
            "{error:?}"
        );
        assert_eq!(stage.repository.head(&stage.branch).as_ref(), Some(&theirs));
        assert!(stage.world.pull_requests().await.is_empty());

        // Where the branch was believed not to exist, a pull request is opened before it is seen.
        let surprised = Publication { fresh: true, ..stage.usual_publication() };
        assert!(matches!(stage.forge.publish(&surprised).await, Err(ForgeError::BranchTaken { .. })));
        assert_eq!(stage.repository.head(&stage.branch), Some(theirs));
        assert_eq!(stage.open_pull_requests().await, 0);
    })
    .await;
}

pub async fn a_branch_that_is_not_selfexts_is_never_written<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let before = stage.repository.head(&stage.base);
        let mut publication = stage.usual_publication();
        publication.branch = stage.base.clone();
        assert!(matches!(stage.forge.publish(&publication).await, Err(ForgeError::Refused(_))));
        assert!(matches!(stage.forge.delete_branch(&stage.base).await, Err(ForgeError::Refused(_))));
        assert_eq!(stage.repository.head(&stage.base), before);
        assert!(stage.world.exchanges().is_empty(), "nothing was even asked for");
    })
    .await;
}

pub async fn another_tree_leaves_nothing<W: ForgeWorld>() {
    for fresh in [true, false] {
        on_stage(async |stage: &Stage<W>| {
            let mut publication = Publication { fresh, ..stage.usual_publication() };
            let actual = publication.candidate.tree.clone();
            publication.candidate.tree = TreeSha::parse("1".repeat(40)).unwrap();
            let error = stage.forge.publish(&publication).await.unwrap_err();
            assert!(
                matches!(&error, ForgeError::TreeDiffers { expected, actual: made } if *expected == publication.candidate.tree && *made == actual),
                "{error:?}"
            );
            assert_eq!(stage.repository.branches(), ["main"]);
            assert_eq!(stage.open_pull_requests().await, 0);
            assert!(fresh || stage.world.pull_requests().await.is_empty(), "step by step it is never seen");

            // Nor is a branch left that got no further than the base; somebody else's is.
            stage.repository.set(&stage.branch, &publication.candidate.base);
            publication.fresh = false;
            assert!(matches!(stage.forge.publish(&publication).await, Err(ForgeError::TreeDiffers { .. })));
            assert_eq!(stage.repository.branches(), ["main"]);
            stage.repository.set(&stage.branch, &publication.candidate.base);
            let theirs = stage.repository.push(&stage.branch, &changes([("a.txt", text("a"))]), "Somebody's");
            assert!(matches!(stage.forge.publish(&publication).await, Err(ForgeError::TreeDiffers { .. })));
            assert_eq!(stage.repository.head(&stage.branch), Some(theirs));
        })
        .await;
    }
}

pub async fn another_tree_that_could_not_be_taken_away_is_taken_away_by_repeating<W: ForgeWorld>() {
    for (step, misbehaviour) in [
        (Step::ReadBranch, Misbehaviour::Drop),
        (Step::MoveBranch, Misbehaviour::LoseAnswer),
        (Step::EditPullRequest, Misbehaviour::Drop),
        (Step::DeleteBranch, Misbehaviour::Drop),
    ] {
        on_stage(async |stage: &Stage<W>| {
            let mut publication = stage.usual_publication();
            publication.candidate.tree = TreeSha::parse("1".repeat(40)).unwrap();
            stage.world.disturb(step, misbehaviour.clone());
            let error = stage.forge.publish(&publication).await.unwrap_err();
            assert!(matches!(error, ForgeError::Unavailable(_)), "{step:?}: {error:?}");
            publication.fresh = false;
            let error = stage.forge.publish(&publication).await.unwrap_err();
            assert!(matches!(error, ForgeError::TreeDiffers { .. }), "{step:?}: {error:?}");
            assert_eq!((stage.repository.branches(), stage.open_pull_requests().await), (vec!["main".to_owned()], 0));
        })
        .await;
    }
}

pub async fn every_kind_of_file_arrives_unchanged<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let bytes = |bytes: &[u8], executable| EntryChange::Write { content: bytes.into(), executable };
        let large_text = "0123456789abcdef\n".repeat(20_000);
        let large_bytes: Vec<u8> = (0..300_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        let files = changes([
            ("README.md", EntryChange::Delete),
            ("old/notes.txt", EntryChange::Delete),
            ("run.sh", bytes(b"#!/bin/sh\nexit 1\n", true)),
            ("src/lib.rs", bytes(b"pub fn answer() -> u32 {\n    41\n}\n", true)),
            ("empty", bytes(b"", false)),
            ("image.png", bytes(b"\x89PNG\r\n\x1a\n\0\xff\xfe", false)),
            ("latin1.txt", bytes(b"caf\xe9\n", false)),
            ("nul.txt", bytes(b"a\0b", false)),
            ("mark.txt", text("\u{FEFF}begins with a mark\n")),
            ("windows.txt", text("a\r\nb\r\n")),
            ("unended.txt", text("no line break")),
            ("large.txt", text(&large_text)),
            ("large.bin", bytes(&large_bytes, false)),
            ("a folder/b c#d.txt", text("1")),
            ("100%.txt", text("2")),
            ("50%25.txt", text("3")),
            ("ä/ö ü.txt", text("4")),
            ("日本/語.txt", text("5")),
            ("-x", text("6")),
            ("q?&=+;,.txt", text("7")),
            ("\"quoted\" 'text'.txt", text("8")),
            ("ab:c@{d}~e^f*[g]", text("9")),
            (".github/workflows/x.yml", text("on: push\n")),
        ]);
        let mut publication = stage.publication(stage.candidate(&files));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);

        // Without executable files they may all travel in one request.
        stage.repository.delete(&stage.branch);
        let plain = files
            .into_iter()
            .filter(|(_, change)| matches!(change, EntryChange::Delete | EntryChange::Write { executable: false, .. }));
        publication = stage.publication(stage.candidate(&plain.collect()));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
    })
    .await;
}

pub async fn three_hundred_files_are_one_commit<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let file =
            |n: usize| (RepoPath::parse(format!("d{}/f{n}.txt", n % 7)).unwrap(), text(&format!("{n}\n").repeat(99)));
        let publication = stage.publication(stage.candidate(&(0..300).map(file).collect()));
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree);
        assert_eq!(stage.repository.parents(&published.head), [publication.candidate.base]);
    })
    .await;
}

pub async fn bases_with_slash_and_hash_work<W: ForgeWorld>() {
    for base in ["release/2.x", "fix#7", "ünï/50%25&x=y+z"] {
        on_stage_with_base(base, async |stage: &Stage<W>| {
            let before = stage.forge.branch_head(&stage.base).await.unwrap();
            assert_eq!(stage.repository.head(&stage.base).as_ref(), Some(&before));
            let (publication, published) = stage.published().await;
            assert_eq!(stage.forge.publish(&publication).await.unwrap(), published);
            let survey = stage
                .forge
                .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
                .await
                .unwrap();
            assert_eq!((&survey.base_head, &survey.pull_request.base), (&before, &stage.base));
            let found = stage.forge.find_pull_request(&stage.branch, &stage.base).await.unwrap().unwrap();
            assert_eq!(found.number, published.pull_request);
            let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
            assert!(matches!(answer, MergeAnswer::Merged { .. }), "{answer:?}");
        })
        .await;
    }
    on_stage(async |stage: &Stage<W>| {
        let mut publication = stage.usual_publication();
        publication.branch = branch("selfext/a#b/50%25&x=y+ü");
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(stage.forge.publish(&publication).await.unwrap(), published);
        stage.forge.fence_branch(&publication.branch, &published.head).await.unwrap();
        assert_ne!(stage.repository.head(&publication.branch), Some(published.head));
        stage.forge.delete_branch(&publication.branch).await.unwrap();
        assert_eq!(stage.repository.branches(), ["main"]);
    })
    .await;
}

pub async fn a_lost_answer_anywhere_is_mended_by_publishing_again<W: ForgeWorld>() {
    let at_once = (Step::PublishAtOnce, true);
    let steps = Step::PUBLICATION.into_iter().map(|step| (step, false)).chain([at_once]);
    for ((step, fresh), again) in steps.flat_map(|first| [(first, true), (first, false)]) {
        on_stage(async |stage: &Stage<W>| {
            stage.world.disturb(step, Misbehaviour::LoseAnswer);
            let mut publication = Publication { fresh, ..stage.usual_publication() };
            let error = stage.forge.publish(&publication).await.unwrap_err();
            assert!(matches!(error, ForgeError::Unavailable(_)), "{step:?}: {error:?}");
            publication.fresh = again;
            let published = stage.publish(&publication).await;
            assert_eq!(stage.repository.head(&stage.branch).as_ref(), Some(&published.head), "{step:?}");
            assert_eq!(stage.world.pull_requests().await.len(), 1, "{step:?}");
            let survey = stage
                .forge
                .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
                .await
                .unwrap();
            assert_eq!(evidence_in(&survey.gate), Stage::<W>::once(true), "{step:?}");
        })
        .await;
    }
    on_stage(async |stage: &Stage<W>| {
        for lost in [Misbehaviour::LoseAnswer, Misbehaviour::HalfJson, Misbehaviour::Drop] {
            stage.move_base();
            stage.forge.delete_branch(&stage.branch).await.unwrap();
            let published = stage.forge.publish(&stage.usual_publication()).await.unwrap();
            stage.world.disturb(W::EVIDENCE, lost.clone());
            let shown = stage.forge.show_evidence(&published.head, &passed()).await;
            // A status has no answer that is read.
            assert_eq!(shown.is_ok(), W::EVIDENCE == Step::SetStatus && lost == Misbehaviour::HalfJson, "{shown:?}");
            stage.world.forget_exchanges();
            stage.forge.show_evidence(&published.head, &passed()).await.unwrap();
            let made = usize::from(lost == Misbehaviour::Drop);
            assert!(
                W::EVIDENCE == Step::SetStatus || stage.asked(Step::MakeCheckRun) == made,
                "{lost:?}: a second one"
            );
        }
    })
    .await;
}

pub async fn evidence_that_speaks_against_a_change_is_red<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.forge.show_evidence(&published.head, &failed()).await.unwrap();
        let survey = stage
            .forge
            .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
            .await
            .unwrap();
        assert_eq!(evidence_in(&survey.gate), Stage::<W>::once(false));
        assert!(matches!(evaluate_gate(&GateRules::default(), &survey.gate), GateVerdict::Refuse(_)));
    })
    .await;
}

pub async fn evidence_is_shown_once_however_often_and_by_whomever<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, published) = stage.published().await;
        stage.world.forget_exchanges();
        let another = stage.hurried().await;
        for _ in 0..2 {
            stage.forge.show_evidence(&published.head, &failed()).await.unwrap();
            another.show_evidence(&published.head, &failed()).await.unwrap();
        }
        assert_eq!(stage.asked(Step::MakeCheckRun), 0, "it was made before");
        if W::EVIDENCE == Step::MakeCheckRun {
            let sent: Vec<_> = stage.world.exchanges().into_iter().filter(|asked| asked.method == "PATCH").collect();
            assert_eq!(sent.len(), 4);
            let annotated =
                |asked: &&Answered| asked.request_body.as_ref().unwrap()["output"]["annotations"].is_array();
            assert_eq!(sent.iter().filter(annotated).count(), 1, "GitHub adds annotations to those that are there");
            let shown = sent[3].response_body.as_ref().unwrap();
            assert_eq!(
                (&shown["output"]["annotations_count"], &shown["output"]["title"]),
                (&json!(1), &json!("test failed"))
            );
        }
        let survey = stage
            .forge
            .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
            .await
            .unwrap();
        assert_eq!(evidence_in(&survey.gate), Stage::<W>::once(false));
    })
    .await;
}

pub async fn references_that_lag_behind_are_waited_for<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        stage.world.set_lag(2);
        let (publication, published) = stage.published().await;
        assert_eq!(stage.forge.publish(&publication).await.unwrap(), published);
        stage.repository.push(&stage.base, &changes([("other.txt", text("x\n"))]), "Somebody's");
        let moved = stage.forge.publish(&stage.usual_publication()).await.unwrap();
        assert_eq!(moved.pull_request, published.pull_request);
        assert_eq!(stage.repository.head(&stage.branch), Some(moved.head));
    })
    .await;
    on_stage(async |stage: &Stage<W>| {
        stage.world.set_lag(1000);
        let publication = stage.known_publication();
        let published = stage.publish(&publication).await;
        let error = stage.forge.publish(&publication).await.unwrap_err();
        assert!(matches!(error, ForgeError::Unavailable(_)), "it gives up in the end: {error:?}");
        assert_eq!(stage.repository.head(&stage.branch), Some(published.head));
    })
    .await;
}

pub async fn a_fenced_branch_can_be_published_to_again<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (_, first) = stage.published().await;
        stage.forge.fence_branch(&stage.branch, &first.head).await.unwrap();
        stage.forge.close_pull_request(first.pull_request).await.unwrap();
        let mut files = one_file();
        files.extend(changes([("more.txt", text("more\n"))]));
        let publication = stage.publication(stage.candidate(&files));
        let second = stage.forge.publish(&publication).await.unwrap();
        assert!(second.pull_request > first.pull_request);
        assert_eq!(stage.repository.tree(&second.head), publication.candidate.tree);
        assert_eq!(stage.repository.parents(&second.head), [publication.candidate.base]);
    })
    .await;
}

pub async fn what_was_just_made_and_is_not_known_everywhere_is_asked_for_again<W: ForgeWorld>() {
    let invalid = |error: serde_json::Value| Misbehaviour::Answer {
        status: 422,
        headers: Vec::new(),
        body: json!({ "message": "Validation Failed", "errors": [error], "documentation_url": "u" }),
    };
    for (step, misbehaviour) in [
        (Step::WriteCommit, Misbehaviour::refusal(422, "Tree SHA does not exist")),
        (Step::CreateBranch, Misbehaviour::refusal(422, "Object does not exist")),
        (W::EVIDENCE, Misbehaviour::refusal(422, "No commit found for SHA: 1234")),
        (Step::OpenPullRequest, invalid(json!({ "resource": "PullRequest", "field": "head", "code": "invalid" }))),
    ] {
        on_stage(async |stage: &Stage<W>| {
            stage.world.disturb(step, misbehaviour.clone());
            let publication = stage.known_publication();
            let published = stage.publish(&publication).await;
            assert_eq!(stage.repository.tree(&published.head), publication.candidate.tree, "{step:?}");

            // In the end it is a refusal.
            stage.forge.delete_branch(&stage.branch).await.unwrap();
            stage.move_base();
            let publication = stage.known_publication();
            for _ in 0..4 {
                stage.world.disturb(step, misbehaviour.clone());
            }
            let again = async || {
                let published = stage.forge.publish(&publication).await?;
                stage.forge.show_evidence(&published.head, &passed()).await
            };
            let error = again().await.unwrap_err();
            assert!(matches!(error, ForgeError::Refused(_)), "{step:?}: {error:?}");
        })
        .await;
    }
    on_stage(async |stage: &Stage<W>| {
        let base = stage.repository.head(&stage.base).unwrap();
        stage.world.disturb(Step::ReadCommit, Misbehaviour::refusal(404, "Not Found"));
        assert_eq!(stage.forge.commit(&base).await.unwrap().tree, stage.repository.tree(&base));
    })
    .await;
}

pub async fn a_refusal_for_good_is_not_asked_for_again<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let invalid = json!({ "resource": "PullRequest", "field": "base", "code": "invalid" });
        let body = json!({ "message": "Validation Failed", "errors": [invalid] });
        for (step, misbehaviour, requests) in [
            (Step::WriteTree, Misbehaviour::refusal(422, "tree.path contains a malformed path component"), 1),
            (Step::CreateBranch, Misbehaviour::refusal(422, "Reference update failed"), 3),
            (Step::OpenPullRequest, Misbehaviour::Answer { status: 422, headers: Vec::new(), body }, 4),
        ] {
            stage.world.forget_exchanges();
            stage.world.disturb(step, misbehaviour);
            let error = stage.forge.publish(&stage.known_publication()).await.unwrap_err();
            assert!(matches!(error, ForgeError::Refused(_)), "{step:?}: {error:?}");
            assert_eq!(stage.world.exchanges().len(), requests, "{step:?}");
        }
    })
    .await;
}
