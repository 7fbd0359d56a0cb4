//! Kills, latency, and a twin that delays, drops and loses.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use fastrand::Rng;
use futures::FutureExt as _;
use selfext_twin::{Exchange, Fault, FaultKind, Gate};
use serde_json::json;

use super::promoter::Promoter;
use crate::world::*;

/// The request for a merge.
pub const MERGE: (&str, &str) = ("PUT", "/repos/*/*/pulls/*/merge");

/// The last request before the gate's: whoever is held here has looked at the control, and has no permit yet.
pub const STATUS: (&str, &str) = ("POST", "/repos/*/*/statuses/*");

/// How many processes promote: two on one base, and one beside them on the other.
const PROMOTERS: usize = 3;

/// How many faults lie ready at any time.
const FAULTS: usize = 8;

/// How many merges the twin leaves without any answer. No more: the client gives up on one only after a minute.
const SILENCES: u32 = 3;

/// Requests that the twin holds until somebody lets them go.
#[derive(Clone, Default)]
pub struct Held(Rc<RefCell<Vec<Gate>>>);

impl Held {
    fn gate(&self) -> Gate {
        let gate = Gate::new();
        self.0.borrow_mut().push(gate.clone());
        gate
    }

    /// Holds the next such request that nothing else happens to.
    pub fn hold_next(&self, world: &World, (method, path): (&str, &str)) -> Gate {
        let gate = self.gate();
        world.twin.add_fault(Fault::on(method, path, FaultKind::Hold(gate.clone())));
        gate
    }

    /// Lets those go that `which` picks of the requests that are held; answers how many.
    pub fn release(&self, mut which: impl FnMut() -> bool) -> usize {
        let mut gates = self.0.borrow_mut();
        let before = gates.len();
        gates.retain(|gate| {
            let goes = gate.arrived(1).now_or_never().is_some() && which();
            if goes {
                gate.open();
            }
            !goes
        });
        before - gates.len()
    }

    /// Lets all go that are held, and all that were to be.
    pub fn release_all(&self) {
        for gate in self.0.borrow_mut().drain(..) {
            gate.open();
        }
    }
}

pub struct Weather<'a> {
    world: &'a World,
    random: Rng,
    held: Held,
    promoters: Vec<Promoter>,
    silences: u32,
    kills: usize,
}

impl<'a> Weather<'a> {
    pub fn new(world: &'a World, mut random: Rng) -> Self {
        let promoters = (0..PROMOTERS).map(|place| Promoter::start(world, place, &mut random)).collect();
        Self { world, random, held: Held::default(), promoters, silences: 0, kills: 0 }
    }

    pub fn held(&self) -> Held {
        self.held.clone()
    }

    /// Goes on until it is dropped.
    pub async fn blow(&mut self) {
        loop {
            while self.world.twin.faults_left() < FAULTS {
                let fault = self.fault();
                self.world.twin.add_fault(fault);
            }
            match self.random.u8(..10) {
                0..=3 => {
                    let place = self.random.usize(..PROMOTERS);
                    self.kill(place..=place).await;
                }
                4 => self.kill(0..=PROMOTERS - 1).await,
                5..=6 => self.world.twin.set_latency(Duration::from_millis(self.random.u64(..15))),
                _ => {
                    self.held.release(|| self.random.bool());
                }
            }
            // The pause is the weather itself; nobody waits for anything by it.
            tokio::time::sleep(Duration::from_millis(self.random.u64(20..600))).await;
        }
    }

    /// Kills processes, and starts others in their places.
    async fn kill(&mut self, places: RangeInclusive<usize>) {
        for promoter in &mut self.promoters[places] {
            promoter.replace(self.world, &mut self.random).await;
            self.kills += 1;
        }
    }

    /// Ends the storm but for what was sent and has not arrived; answers how many processes were killed in it.
    pub async fn calm(mut self) -> usize {
        for promoter in &mut self.promoters {
            promoter.kill().await;
        }
        self.world.twin.clear_faults();
        self.world.twin.set_latency(Duration::ZERO);
        self.kills
    }

    fn fault(&mut self) -> Fault {
        let soon = self.random.u32(1..4);
        if self.random.u8(..3) > 0 {
            return Fault::on(MERGE.0, MERGE.1, self.of_a_merge()).nth(soon);
        }
        let method = self.random.choice(["GET", "POST", "PATCH", "DELETE"]).unwrap();
        let kind = match self.random.u8(..5) {
            0 => FaultKind::Delay(Duration::from_millis(self.random.u64(..500))),
            1 => FaultKind::LoseAnswer,
            2 => FaultKind::Drop,
            3 => FaultKind::CutBody,
            _ => bad_gateway(),
        };
        Fault::on(method, "/**", kind).nth(soon * 10)
    }

    fn of_a_merge(&mut self) -> FaultKind {
        match self.random.u8(..16) {
            0..=3 => FaultKind::Hold(self.held.gate()),
            4 => FaultKind::HoldAnswer(self.held.gate()),
            // Longer than a permit, so that a request of a killed process arrives after its fence.
            5..=7 => FaultKind::Delay(Duration::from_millis(self.random.u64(..2500))),
            8..=9 => FaultKind::LoseAnswer,
            10 => FaultKind::Drop,
            11 => FaultKind::HalfJson,
            12 => bad_gateway(),
            13 if self.silences < SILENCES => {
                self.silences += 1;
                FaultKind::HangAfterwards
            }
            13..=14 => FaultKind::AnswerAfterwards { status: 502, body: json!({ "message": "Server Error" }) },
            _ => FaultKind::Answer {
                status: 405,
                headers: Vec::new(),
                body: json!({
                    "message": "Base branch was modified. Review and try the merge again.",
                    "documentation_url": "https://docs.github.com/rest/pulls/pulls#merge-a-pull-request",
                }),
            },
        }
    }
}

fn bad_gateway() -> FaultKind {
    FaultKind::Answer { status: 502, headers: Vec::new(), body: json!({ "message": "Server Error" }) }
}

/// Waits until nothing that was sent to the twin is on its way any more.
pub async fn all_arrived(world: &World) {
    let arrived = |exchange: &Exchange| exchange.ended.is_some() || exchange.performed.is_some();
    for under_way in world.twin.exchanges().into_iter().filter(|exchange| !arrived(exchange)) {
        world.twin.wait_for(|exchange| exchange.sequence == under_way.sequence && arrived(exchange)).await;
    }
}
