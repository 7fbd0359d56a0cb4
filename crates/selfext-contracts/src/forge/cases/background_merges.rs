//! Merges that the service carries out in the background.

use selfext_domain::ports::{MergeAnswer, Publication, Published};
use selfext_domain::{MergePermit, MergeWay, PermitTerms, Reason};
use serde_json::json;

use super::merging::reason;
use crate::forge::repository::changes;
use crate::forge::stage::{Stage, on_stage, permit, text};
use crate::forge::world::{ForgeWorld, Misbehaviour, Step};

fn in_background<W: ForgeWorld>(stage: &Stage<W>, publication: &Publication, published: &Published) -> MergePermit {
    permit(PermitTerms { way: MergeWay::Asynchronous, ..stage.terms(publication, published) })
}

fn puts<W: ForgeWorld>(stage: &Stage<W>) -> Vec<String> {
    let exchanges = stage.world.exchanges().into_iter().filter(|exchange| exchange.method == "PUT");
    exchanges.filter_map(|exchange| exchange.path_and_query.rsplit('/').next().map(str::to_owned)).collect()
}

pub async fn a_merge_in_the_background_is_waited_for<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.world.forget_exchanges();
        let answer = stage.forge.merge(in_background(stage, &publication, &published)).await;
        let MergeAnswer::Merged { commit } = answer else { panic!("{answer:?}") };
        assert_eq!(stage.repository.head(&stage.base).as_ref(), Some(&commit));
        assert_eq!(stage.repository.tree(&commit), publication.candidate.tree);
        assert_eq!(stage.repository.message(&commit), publication.commit_message.trim_end());
        assert_eq!(puts(stage), ["merge-async"]);

        let again = stage.forge.merge(in_background(stage, &publication, &published)).await;
        assert!(matches!(&again, MergeAnswer::Merged { commit: same } if *same == commit), "{again:?}");
    })
    .await;
}

pub async fn one_that_takes_too_long_is_in_doubt_and_found_again<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        let base = publication.candidate.base.clone();
        stage.world.hold_merges(true).await;
        for _ in 0..2 {
            let answer = stage.forge.merge(in_background(stage, &publication, &published)).await;
            assert!(matches!(&answer, MergeAnswer::InDoubt { message } if message.contains("pending")), "{answer:?}");
            assert_eq!(stage.repository.head(&stage.base).as_ref(), Some(&base));
        }
        stage.world.hold_merges(false).await;
        let answer = stage.forge.merge(in_background(stage, &publication, &published)).await;
        let MergeAnswer::Merged { commit } = answer else { panic!("{answer:?}") };
        assert_eq!((stage.repository.head(&stage.base), stage.repository.parents(&commit)), (Some(commit), vec![base]));
    })
    .await;
}

pub async fn one_that_fails_has_its_reason<W: ForgeWorld>() {
    for (moved_head, expected) in [(false, Reason::MergeConflict), (true, Reason::HeadMoved)] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = stage.published().await;
            stage.world.hold_merges(true).await;
            let first = stage.forge.merge(in_background(stage, &publication, &published)).await;
            assert!(matches!(first, MergeAnswer::InDoubt { .. }), "{first:?}");
            let base = if moved_head {
                stage.repository.push(&stage.branch, &changes([("a.txt", text("a\n"))]), "Somebody's");
                publication.candidate.base.clone()
            } else {
                stage.repository.push(&stage.base, &changes([("src/lib.rs", text("nothing\n"))]), "Somebody's")
            };
            // Asked again while it is pending, it is carried out and fails while its result is asked for.
            let (answer, ()) = tokio::join!(
                stage.forge.merge(in_background(stage, &publication, &published)),
                stage.world.hold_merges(false)
            );
            assert_eq!(reason(&answer), expected);
            assert_eq!(stage.repository.head(&stage.base), Some(base));
        })
        .await;
    }
}

pub async fn one_that_is_fenced_never_lands<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.world.hold_merges(true).await;
        let answer = stage.forge.merge(in_background(stage, &publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::InDoubt { .. }), "{answer:?}");
        stage.forge.fence_branch(&stage.branch, &published.head).await.unwrap();
        stage.forge.close_pull_request(published.pull_request).await.unwrap();
        stage.world.hold_merges(false).await;
        assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base));
    })
    .await;
}

pub async fn somebody_elses_takes_its_course_first<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let (publication, published) = stage.published().await;
        stage.world.hold_merges(true).await;
        let theirs = stage.terms(&publication, &published);
        let theirs = PermitTerms { method: selfext_domain::MergeMethod::Merge, way: MergeWay::Asynchronous, ..theirs };
        let answer = stage.forge.merge(permit(theirs)).await;
        assert!(matches!(answer, MergeAnswer::InDoubt { .. }), "{answer:?}");
        let answer = stage.forge.merge(in_background(stage, &publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::MayPass { .. }), "{answer:?}");
    })
    .await;
}

pub async fn a_server_that_has_no_such_way_is_asked_directly<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        stage.world.merges_in_background(false);
        for expected in [&["merge-async", "merge"][..], &["merge"]] {
            let (publication, published) = stage.published().await;
            stage.world.forget_exchanges();
            let answer = stage.forge.merge(in_background(stage, &publication, &published)).await;
            assert!(matches!(answer, MergeAnswer::Merged { .. }), "{answer:?}");
            assert_eq!(puts(stage), expected);
            stage.repository.delete(&stage.branch);
            stage.repository.push(&stage.base, &changes([("src/lib.rs", text("pub fn answer() {}\n"))]), "Somebody's");
        }
    })
    .await;
}

/// What is made of an answer.
enum Expected {
    Doubt,
    MayPass,
    Refused(Reason),
    Enqueued,
}

pub async fn each_answer_is_told_from_doubt<W: ForgeWorld>() {
    use Expected::{Doubt, Enqueued, MayPass, Refused};
    let answer = |status, body| Misbehaviour::Answer { status, headers: Vec::new(), body };
    let state = |status: &str| json!({"status": status, "details": {"message": "said"}});
    for (step, misbehaviour, expected) in [
        (Step::MergeInBackground, Misbehaviour::LoseAnswer, Doubt),
        (Step::MergeInBackground, Misbehaviour::Drop, Doubt),
        (Step::MergeInBackground, Misbehaviour::HalfJson, Doubt),
        (Step::MergeInBackground, Misbehaviour::refusal(502, "Bad Gateway"), Doubt),
        (Step::MergeInBackground, answer(202, state("pending")), Doubt),
        (Step::MergeInBackground, answer(202, json!({})), Doubt),
        (Step::MergeInBackground, answer(200, state("enqueued")), Enqueued),
        (Step::MergeInBackground, answer(200, state("thought-about")), Doubt),
        (Step::MergeInBackground, answer(400, state("failed")), Refused(Reason::MergeRefused)),
        (Step::MergeInBackground, Misbehaviour::refusal(403, "Resource not accessible"), Refused(Reason::ForgeRefused)),
        (Step::MergeInBackground, Misbehaviour::refusal(422, "Validation Failed"), Refused(Reason::MergeRefused)),
        (Step::MergeInBackground, Misbehaviour::refusal(429, "API rate limit exceeded"), MayPass),
        (Step::MergeResult, Misbehaviour::Drop, Doubt),
        (Step::MergeResult, Misbehaviour::refusal(404, "Not Found"), Doubt),
        (Step::MergeResult, answer(200, state("merged")), Doubt),
    ] {
        on_stage(async |stage: &Stage<W>| {
            let (publication, published) = stage.published().await;
            stage.world.hold_merges(true).await;
            stage.world.disturb(step, misbehaviour.clone());
            let answer = stage.forge.merge(in_background(stage, &publication, &published)).await;
            match expected {
                Doubt => assert!(matches!(answer, MergeAnswer::InDoubt { .. }), "{misbehaviour:?}: {answer:?}"),
                MayPass => assert!(matches!(answer, MergeAnswer::MayPass { .. }), "{misbehaviour:?}: {answer:?}"),
                Enqueued => assert!(matches!(answer, MergeAnswer::Enqueued), "{misbehaviour:?}: {answer:?}"),
                Refused(expected) => assert_eq!(reason(&answer), expected, "{misbehaviour:?}"),
            }
            assert_eq!(stage.repository.head(&stage.base), Some(publication.candidate.base));
        })
        .await;
    }
}
