use std::time::Duration;

use selfext_domain::EntryChange;
use selfext_domain::ports::{MergeAnswer, SurveyScope};

use crate::forge::repository::changes;
use crate::forge::stage::{Stage, on_stage, passed, text};
use crate::forge::world::ForgeWorld;

/// Long beside the machine's hiccups, so that requests that are sent at the same time overlap.
const LATENCY: Duration = Duration::from_millis(150);

/// How many requests were made since the last count, and how many of them one after another.
fn count<W: ForgeWorld>(stage: &Stage<W>) -> (usize, usize) {
    let counted = (stage.world.exchanges().len(), stage.world.longest_chain());
    stage.world.forget_exchanges();
    counted
}

pub async fn each_call_has_its_number_of_requests<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        stage.world.set_latency(LATENCY);
        let publication = stage.usual_publication();
        let published = stage.forge.publish(&publication).await.unwrap();
        assert_eq!(count(stage), (1, 1), "publish");
        stage.forge.show_evidence(&published.head, &passed()).await.unwrap();
        assert_eq!(count(stage), (1, 1), "show_evidence");
        stage.forge.find_published(&stage.branch, &stage.base).await.unwrap().unwrap();
        assert_eq!(count(stage), (2, 1), "find_published");
        stage.forge.survey(published.pull_request, &published.head, &stage.base, SurveyScope::default()).await.unwrap();
        assert_eq!(count(stage), (5, 1), "survey");
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        assert!(matches!(answer, MergeAnswer::Merged { .. }), "{answer:?}");
        assert_eq!(count(stage), (1, 1), "merge");
        stage.forge.branch_head(&stage.base).await.unwrap();
        assert_eq!(count(stage), (1, 1), "branch_head");
        stage.forge.delete_branch(&stage.branch).await.unwrap();
        assert_eq!(count(stage), (1, 1), "delete_branch");

        // Files cost no request more, unless one is executable: then those that are no plain text cost one each.
        let many = (0..20).map(|n| format!("file{n}.txt")).collect::<Vec<_>>();
        let mut files = changes(many.iter().map(|path| (path.as_str(), text("text\n"))));
        files.extend(changes(["a", "b", "c", "d"].map(|path| (path, text("\0")))));
        stage.forge.publish(&stage.publication(stage.candidate(&files))).await.unwrap();
        assert_eq!(count(stage), (1, 1), "publish, many files");
        stage.forge.delete_branch(&stage.branch).await.unwrap();
        let executable = EntryChange::Write { content: b"#!/bin/sh\n".as_slice().into(), executable: true };
        files.extend(changes([("e.sh", executable)]));
        count(stage);
        stage.forge.publish(&stage.publication(stage.candidate(&files))).await.unwrap();
        assert_eq!(count(stage), (8, 8), "publish, an executable file among them");
    })
    .await;
}

pub async fn a_first_read_waits_for_no_other_request<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        // An adapter that fetches its token has to do that first.
        if stage.world.fetched_token().is_some() {
            return;
        }
        stage.world.set_latency(LATENCY);
        let fresh = stage.world.forge(&stage.token(), LATENCY * 100);
        fresh.branch_head(&stage.base).await.unwrap();
        assert_eq!(count(stage), (2, 1), "which repository it is, beside the read");
        fresh.branch_head(&stage.base).await.unwrap();
        assert_eq!(count(stage), (1, 1));
    })
    .await;
}

pub async fn a_whole_promotion_fits_its_budget<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        stage.world.set_latency(LATENCY);
        stage.forge.branch_head(&stage.base).await.unwrap();
        let publication = stage.usual_publication();
        let published = stage.forge.publish(&publication).await.unwrap();
        let evidence = passed();
        let (shown, survey) = tokio::join!(
            stage.forge.show_evidence(&published.head, &evidence),
            stage.forge.survey(published.pull_request, &published.head, &stage.base, SurveyScope::default()),
        );
        shown.unwrap();
        survey.unwrap();
        let answer = stage.forge.merge(stage.permit(&publication, &published)).await;
        let MergeAnswer::Merged { commit } = answer else { panic!("{answer:?}") };
        let (landed, deleted) = tokio::join!(stage.forge.commit(&commit), stage.forge.delete_branch(&stage.branch));
        assert_eq!(landed.unwrap().tree, publication.candidate.tree);
        deleted.unwrap();
        assert_eq!(count(stage), (11, 5));
    })
    .await;
}

pub async fn a_repeated_look_costs_nothing_of_the_limit<W: ForgeWorld>() {
    on_stage(async |stage: &Stage<W>| {
        let publication = stage.usual_publication();
        let published = stage.forge.publish(&publication).await.unwrap();
        let survey = async || {
            stage.world.forget_exchanges();
            stage
                .forge
                .survey(published.pull_request, &published.head, &stage.base, SurveyScope::default())
                .await
                .unwrap()
        };
        let first = survey().await;
        assert_eq!(survey().await, first);
        let statuses: Vec<_> = stage.world.exchanges().iter().map(|exchange| exchange.status).collect();
        assert_eq!(statuses, [Some(304); 5], "GitHub counts no answer that says that nothing changed");
        stage.world.set_status(&published.head, "ci", "success").await;
        assert_eq!(survey().await.gate.statuses.len(), first.gate.statuses.len() + 1);
    })
    .await;
}
