//! The operator, who pauses, clears what is in flight, looks at the branches, and resumes.

use std::time::Duration;

use fastrand::Rng;
use selfext::{BranchName, OperatorName, PauseAnswer, PermitTerms, PromoteError, Reason, Selfext, Silent};
use selfext_twin::Gate;
use tokio::time::{sleep, timeout};

use super::weather::{Held, MERGE, STATUS};
use super::{BASES, PERMIT, evidence, open_for};
use crate::world::*;

/// More looks than any pause needs until nothing is in flight, so that one that never comes to an end fails.
const MANY: u32 = 200;

pub struct Operator<'a> {
    world: &'a World,
    held: Held,
    /// Where a request that has not come yet will be held.
    awaited: Option<Gate>,
    random: Rng,
    name: OperatorName,
    /// One a base.
    selfexts: Vec<(BranchName, Selfext)>,
    pub pauses: usize,
    /// How many pauses found merges in flight.
    pub in_flight: usize,
    /// How many requests the twin held until nothing was in flight, and let go then.
    pub late: usize,
    pub violations: Vec<String>,
    /// How many merges the operator fenced off.
    fences: usize,
    /// How many pauses found a base elsewhere than the one before.
    moves: usize,
    last_seen: [String; BASES.len()],
}

impl<'a> Operator<'a> {
    pub async fn new(world: &'a World, held: Held, random: Rng) -> Self {
        let mut selfexts = Vec::new();
        for base in BASES {
            let cache = world.folder().join("operator");
            let holder = "operator".to_owned();
            let selfext = open_for(base, &world.api(), &world.bare, &cache, &world.ledger_url(), holder).await;
            selfexts.push((BranchName::parse(base).unwrap(), selfext));
        }
        let mut operator = Self {
            world,
            held,
            awaited: None,
            random,
            name: OperatorName::parse("ops").unwrap(),
            selfexts,
            pauses: 0,
            in_flight: 0,
            late: 0,
            violations: Vec::new(),
            fences: 0,
            moves: 0,
            last_seen: BASES.map(ToOwned::to_owned),
        };
        operator.last_seen = operator.tips();
        operator
    }

    /// At least so many pauses, and more where a slow machine had not had its storm by then.
    pub async fn pause_and_resume(&mut self, pauses: usize) {
        while self.pauses < pauses || (!self.was_a_storm() && self.pauses < pauses * 10) {
            self.pauses += 1;
            self.let_time_pass().await;
            let answer = self.pause().await;
            self.in_flight += usize::from(!answer.in_flight.is_empty());
            self.clear(answer).await;
            let before = self.tips();
            self.moves += usize::from(before != self.last_seen);
            self.pass_the_pause().await;
            let after = self.tips();
            for (base, (before, after)) in BASES.iter().zip(before.iter().zip(&after)) {
                if before != after {
                    let (pause, evidence) = (self.pauses, evidence::between(self.world, before, after).await);
                    self.violations.push(format!("in pause {pause}, {base} went from {before} to {after}\n{evidence}"));
                }
            }
            self.last_seen = after;
            self.world.operations.resume(&self.name, None).await.unwrap();
        }
    }

    /// Whether enough happened for the absence of violations to mean something.
    pub const fn was_a_storm(&self) -> bool {
        let least = self.pauses / 10;
        self.in_flight > least && self.fences > least && self.moves > least
    }

    /// Up to a random moment: any, or one at which somebody is about to ask for a permit, or has used it.
    async fn let_time_pass(&mut self) {
        let time = Duration::from_millis(self.random.u64(..600));
        if self.random.u8(..3) == 0 {
            sleep(time).await;
        } else {
            // It may be that none comes, for example because everything else waits for a permit that nobody uses.
            let request = if self.random.bool() { MERGE } else { STATUS };
            let held = self.awaited.take().unwrap_or_else(|| self.held.hold_next(self.world, request));
            if timeout(time * 3, held.arrived(1)).await.is_err() {
                self.awaited = Some(held);
            }
            sleep(Duration::from_millis(self.random.u64(..20))).await;
        }
    }

    async fn pause(&self) -> PauseAnswer {
        self.world.operations.pause(&self.name, "storm", false).await.unwrap()
    }

    /// Until a pause answers that nothing can merge.
    async fn clear(&mut self, mut answer: PauseAnswer) {
        for _ in 0..MANY {
            if answer.nothing_can_merge() {
                return;
            }
            for terms in &answer.in_flight {
                if self.random.bool() || !self.resolves(terms).await {
                    self.fence(terms).await;
                }
            }
            answer = self.pause().await;
        }
        panic!("this stays in flight: {answer:?}");
    }

    /// Whether a merge comes to its end by itself before its time is over.
    async fn resolves(&self, terms: &PermitTerms) -> bool {
        let open = async || {
            let status = self.world.operations.status(0).await.unwrap();
            status.in_flight.iter().any(|open| open.run == terms.run)
        };
        let resolved = async {
            while open().await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PERMIT, resolved).await.is_ok()
    }

    /// A fence that the twin's faults kept from being finished leaves the merge in flight, and the next pause says so.
    async fn fence(&mut self, terms: &PermitTerms) {
        let (_, selfext) = self.selfexts.iter().find(|(base, _)| *base == terms.base).unwrap();
        match selfext.fence_merge(&terms.run, "the operator pauses", &Silent).await {
            Ok(outcome) => self.fences += usize::from(reason(&outcome) == Some(Reason::MergeFenced)),
            Err(PromoteError::Contended(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// While promotion is paused, what was sent before arrives, and is gone on from.
    async fn pass_the_pause(&mut self) {
        sleep(Duration::from_millis(self.random.u64(..100))).await;
        self.late += self.held.release(|| self.random.u8(..4) > 0);
        sleep(Duration::from_millis(self.random.u64(..300))).await;
    }

    /// Where the bases are. Their files are read, because a git process would take so long that a merge just after the
    /// pause's answer was not seen.
    fn tips(&self) -> [String; BASES.len()] {
        BASES.map(|base| {
            let name = format!("refs/heads/{base}");
            match std::fs::read_to_string(self.world.bare.join(&name)) {
                Ok(tip) => tip.trim_end().to_owned(),
                // git keeps what has not moved since the clone in one file.
                Err(_) => self.world.git(&["rev-parse", &name]),
            }
        })
    }

    /// Settles all that the storm left in flight.
    pub async fn reconcile(&self) {
        for _ in 0..MANY {
            for (_, selfext) in &self.selfexts {
                selfext.reconcile(&Silent).await.unwrap();
            }
            if self.world.operations.status(0).await.unwrap().in_flight.is_empty() {
                return;
            }
        }
        panic!("merges stay open");
    }
}
