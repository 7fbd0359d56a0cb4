//! Where branch protection requires selfext's permit, nobody merges a pull request of selfext's without it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use selfext::{OperatorName, Reason};
use selfext_twin::{Fault, FaultKind, Gate, Protection};
use serde_json::json;

use crate::world::*;

const ASK_FOR_MERGE: (&str, &str) = ("PUT", "/repos/*/*/pulls/*/merge");

async fn protected(backend: Backend) -> World {
    let rules = RULES.replace("[[verification", "[merge]\npermit_status = true\n[[verification");
    let world = World::with_rules(backend, &rules).await;
    world.twin.protect("main", Protection::classic(["ci", "selfext/permit"])).await.unwrap();
    world
}

/// Asks for a merge as a person would, past selfext; the status of the answer.
async fn merge_by_hand(world: &World) -> u16 {
    let number = world.twin.pulls().await[0].number;
    let address = world.api().trim_start_matches("http://").to_owned();
    let asking = move || {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(
            stream,
            "PUT /repos/o/agent/pulls/{number}/merge HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer the-token\r\n\
             Connection: close\r\nContent-Length: 25\r\n\r\n{{\"merge_method\":\"squash\"}}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    };
    tokio::task::spawn_blocking(asking).await.unwrap()
}

on_both! {
    async fn without_an_open_permit_nobody_merges_and_in_a_pause_neither(backend) {
        let world = protected(backend).await;
        let (before, ops) = (world.main_tip(), OperatorName::parse("ops").unwrap());
        let no = json!({"message": "Squash merges are not allowed on this repository.", "documentation_url": "x", "status": "405"});
        let refusal = FaultKind::Answer { status: 405, headers: Vec::new(), body: no };
        world.twin.add_fault(Fault::on(ASK_FOR_MERGE.0, ASK_FOR_MERGE.1, refusal));
        let blocked = world.promote(&change("second\n")).await;
        assert_eq!(reason(&blocked), Some(Reason::MergeRefused));
        assert_eq!(merge_by_hand(&world).await, 405, "the permit is closed");
        assert!(world.operations.pause(&ops, "incident", false).await.unwrap().nothing_can_merge());
        assert_eq!(merge_by_hand(&world).await, 405, "nothing can merge, for people either");
        assert_eq!(world.main_tip(), before);
        world.operations.resume(&ops, None).await.unwrap();
        promoted(&world.promote(&change("second\n")).await);
        world.end_disturbed().await;
    }

    async fn what_people_can_merge_is_what_a_pause_lists(backend) {
        let world = protected(backend).await;
        let gate = Gate::new();
        world.twin.add_fault(Fault::on(ASK_FOR_MERGE.0, ASK_FOR_MERGE.1, FaultKind::Hold(gate.clone())));
        let selfext = world.selfext.clone();
        let promotion = tokio::spawn(async move { selfext.promote(&change("second\n")).await.unwrap() });
        gate.arrived(1).await;
        let ops = OperatorName::parse("ops").unwrap();
        assert_eq!(world.operations.pause(&ops, "incident", false).await.unwrap().in_flight.len(), 1);
        assert_eq!(merge_by_hand(&world).await, 200);
        gate.open();
        assert_eq!(promoted(&promotion.await.unwrap()), world.main_tip());
        assert_eq!(world.git(&["rev-list", "--count", "main"]), "2");
        assert!(world.operations.pause(&ops, "again", false).await.unwrap().nothing_can_merge());
        world.end_disturbed().await;
    }

    async fn a_status_that_is_not_seen_everywhere_yet_is_waited_for(backend) {
        let world = protected(backend).await;
        let lags = json!({"message": "Required status check \"selfext/permit\" is expected.", "documentation_url": "x", "status": "405"});
        let lag = FaultKind::Answer { status: 405, headers: Vec::new(), body: lags };
        world.twin.add_fault(Fault::on(ASK_FOR_MERGE.0, ASK_FOR_MERGE.1, lag));
        promoted(&world.promote(&change("second\n")).await);
        world.end_disturbed().await;
    }
}
