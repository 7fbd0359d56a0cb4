//! What holds, within each set of bounds; and that what should happen can.

use crate::check::{happens, holds};
use crate::model::{Aim, Protocol, Witness};
use crate::rules::{Bounds, Rule};

/// Two processes and one run, with a pause.
pub const PAIR: Bounds = Bounds { runs: 1, processes: 2, strays: 2, pauses: 1, failovers: 0, lost: 0, people: 0 };

pub const fn protocol(bounds: Bounds, aim: Aim) -> Protocol {
    Protocol { bounds, without: None, aim, symmetric: matches!(aim, Aim::Safety) }
}

fn safe(bounds: Bounds) {
    holds(&format!("permit protocol, {bounds}"), protocol(bounds, Aim::Safety));
}

/// Bounds that take minutes are explored where that is asked for.
fn is_long() -> bool {
    std::env::var("SELFEXT_MODEL").is_ok_and(|value| value == "long")
}

#[test]
fn a_pause_holds_and_a_run_lands_once_with_three_processes() {
    safe(Bounds { processes: 3, pauses: 2, ..PAIR });
    if is_long() {
        safe(Bounds { processes: 3, strays: 3, pauses: 2, people: 2, ..PAIR });
    }
}

#[test]
fn it_holds_where_people_close_reopen_delete_and_restore() {
    safe(Bounds { people: 3, ..PAIR });
    if is_long() {
        safe(Bounds { strays: 3, pauses: 2, people: 3, ..PAIR });
    }
}

#[test]
fn two_acts_of_people_are_survived_where_only_the_fenced_record_is_looked_at() {
    let bounds = Bounds { people: 2, ..PAIR };
    let protocol = Protocol { without: Some(Rule::EveryRecordCounts), ..protocol(bounds, Aim::Safety) };
    holds(&format!("permit protocol, only the fenced record counts, {bounds}"), protocol);
}

#[test]
fn two_runs_land_each_on_the_base_it_was_verified_on() {
    safe(Bounds { runs: 2, strays: 1, pauses: 0, ..PAIR });
    safe(Bounds { runs: 2, strays: 0, ..PAIR });
    if is_long() {
        safe(Bounds { runs: 2, ..PAIR });
        safe(Bounds { runs: 2, strays: 1, people: 1, ..PAIR });
        safe(Bounds { runs: 2, processes: 3, strays: 0, ..PAIR });
    }
}

#[test]
fn a_pause_holds_over_a_failover_that_loses_what_was_written_last() {
    safe(Bounds { strays: 1, failovers: 1, lost: 3, ..PAIR });
    if is_long() {
        safe(Bounds { failovers: 1, lost: 4, pauses: 2, ..PAIR });
        safe(Bounds { failovers: 1, lost: 1, people: 2, ..PAIR });
    }
}

#[test]
fn what_should_happen_can() {
    for witness in Witness::ALL {
        happens("permit protocol", protocol(PAIR, Aim::Witness(witness)));
    }
}
