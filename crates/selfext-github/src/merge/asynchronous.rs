//! Asking for a merge that GitHub carries out in the background, and for its result.

use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use selfext_domain::PermitTerms;

use super::{Verdict, request, unsent};
use crate::answer::Answer;
use crate::client::Client;
use crate::message::clean;
use crate::wire::{AsyncMerge, AsyncMergeRequest};

/// Whether the server merges in the background, as far as it has said.
#[derive(Debug, Default)]
pub(crate) struct AsyncSupport {
    missing: AtomicBool,
}

impl Client {
    /// Asks for the merge in the background, and then for its result. GitHub keeps one such request a pull request, so that asking
    /// again finds the one that is under way. A server that has no such way is asked directly.
    pub(super) async fn ask_async(&self, terms: &PermitTerms) -> Verdict {
        if self.inner.asynchronous.missing.load(Ordering::Relaxed) {
            return self.ask_directly(terms).await;
        }
        let request = AsyncMergeRequest { merge: request(terms), merge_action: "direct_merge" };
        let route = self.at("pulls").pull_request(terms.pull_request).then("merge-async");
        match self.put_merge(route, &request).await {
            Ok(answer) if answer.is(StatusCode::NOT_FOUND) => {
                let verdict = self.ask_directly(terms).await;
                // The same answer stands for a pull request that is not there.
                if matches!(verdict, Verdict::Merged(_)) {
                    self.inner.asynchronous.missing.store(true, Ordering::Relaxed);
                }
                verdict
            }
            Ok(answer) => self.judge_async(terms, &answer).await,
            Err(error) => unsent(error),
        }
    }

    async fn judge_async(&self, terms: &PermitTerms, answer: &Answer) -> Verdict {
        let merge = match answer.status {
            StatusCode::OK | StatusCode::ACCEPTED | StatusCode::CONFLICT | StatusCode::BAD_REQUEST => {
                answer.decode::<AsyncMerge>("the merge")
            }
            _ => return self.judge(terms, answer).await,
        };
        match merge {
            Ok(merge) if merge.status == "pending" => self.await_result(terms, merge).await,
            // It may have been merged at another head, by somebody else.
            Ok(merge) if merge.status == "merged" => self.judge_not_allowed(terms, said(&merge)).await,
            Ok(merge) => self.judge_result(terms, merge).await,
            // Nothing of it can have been taken in with these.
            Err(_) if answer.refusal().is_some() && answer.status.is_client_error() => self.judge(terms, answer).await,
            Err(error) => Verdict::InDoubt(format!("{}, but {error}", answer.status.as_u16())),
        }
    }

    /// Asks for the result until it is there, or in doubt because it takes too long.
    async fn await_result(&self, terms: &PermitTerms, taken: AsyncMerge) -> Verdict {
        let said = said(&taken);
        let details = taken.details;
        let other_head = details.expected_head_sha.as_ref().is_some_and(|head| *head != terms.head);
        let other_method = details.merge_method.as_ref().is_some_and(|method| method != terms.method.as_str());
        if other_head || other_method {
            // Somebody else's: it takes its own course, and is over soon.
            return Verdict::MayPass(format!("another merge of the pull request is under way ({said})"));
        }
        let Some(uuid) = details.uuid else {
            return Verdict::InDoubt(format!("{said}, without a number to ask for"));
        };
        let mut waits = self.inner.merge_patience.begin();
        while waits.pause().await {
            let route = self.at("pulls").pull_request(terms.pull_request).then("merge-async").part(&uuid);
            let answer = match self.get(route).await {
                Ok(answer) if answer.is(StatusCode::OK) => answer,
                Ok(answer) => return Verdict::InDoubt(format!("{said}, and its result: {}", answer.error("merge"))),
                Err(error) => return Verdict::InDoubt(format!("{said}, and its result: {error}")),
            };
            match answer.decode::<AsyncMerge>("the merge") {
                Ok(merge) if merge.status == "pending" => {}
                Ok(merge) => return self.judge_result(terms, merge).await,
                Err(error) => return Verdict::InDoubt(format!("{said}, but {error}")),
            }
        }
        Verdict::InDoubt(said)
    }

    async fn judge_result(&self, terms: &PermitTerms, merge: AsyncMerge) -> Verdict {
        let said = said(&merge);
        match (merge.status.as_str(), merge.details.sha) {
            ("merged", Some(commit)) => Verdict::Merged(commit),
            ("enqueued", _) => Verdict::Enqueued,
            ("failed", _) => match self.find_branch(&terms.branch).await {
                Ok(Some(tip)) if tip != terms.head => self.judge_conflict(terms, said).await,
                _ => self.judge_not_allowed(terms, said).await,
            },
            _ => Verdict::InDoubt(said),
        }
    }
}

fn said(merge: &AsyncMerge) -> String {
    clean(&format!("{}: {}", merge.status, merge.details.message))
}
