use selfext_domain::ports::{LedgerError, StoredCheckpoint};
use selfext_domain::{CONTROL_KEY, Position};

use super::reading::follow;
use crate::control::{pause_request, resume_request};
use crate::ledger::{LedgerFixture, Story, append};

fn checkpoint(size: u64, position: Position) -> StoredCheckpoint {
    let note = format!("a note over {size}\n\n\u{2014} nobody AAAA\n");
    StoredCheckpoint { size, position, frontier: format!("frontier {size}\n"), note }
}

/// The positions of the first events of a ledger that is full of them.
async fn positions<F: LedgerFixture>(fixture: &F) -> Vec<Position> {
    let (ledger, _) = fixture.ports();
    for name in ["run 1", "run 2"] {
        Story::new(name).begin(&ledger).await;
    }
    follow(&ledger, 10, 4).await.iter().map(|event| event.position).collect()
}

pub async fn rows_are_what_is_stored_in_the_order_of_positions<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run \u{241b}1");
    let _ = story.begin_merging(&ledger).await;
    append(&ledger, &story.blocked(), 4).await.unwrap();
    control.pause(&pause_request("deploy")).await.unwrap();
    // Where other transactions are open, events can be followed a little later than they are recorded.
    let events = follow(&ledger, 100, 5).await;
    let archive = fixture.archive();
    let rows = archive.rows_after(Position::START, 100).await.unwrap();
    assert_eq!(rows.last_position(), events.last().map(|event| event.position));
    let rows: Vec<_> = rows.iter().collect();
    assert_eq!((rows.len(), events.len()), (5, 5));
    for (row, event) in rows.iter().zip(&events) {
        assert_eq!((row.position, row.sequence), (event.position, i64::try_from(event.sequence).unwrap()));
        assert_eq!((row.content, row.written_by), (event.content.as_str(), event.written_by.as_str()));
        let link = &event.link;
        assert_eq!(
            (row.content_hash, row.prev_hash, row.hash),
            (&link.content_hash.as_bytes()[..], &link.prev_hash.as_bytes()[..], &link.hash.as_bytes()[..])
        );
        assert_eq!(
            (row.derived.event_id, row.derived.event_type),
            (event.event.id.to_string().as_str(), event.event.body.event_type())
        );
        assert_eq!(
            row.derived.pull_request,
            event.event.pull_request.map(|number| i64::try_from(number.get()).unwrap())
        );
        let recorded: chrono::DateTime<chrono::Utc> = row.created_at.parse().unwrap();
        assert_eq!(recorded, event.recorded_at);
    }
    assert_eq!((rows[0].derived.run_id, rows[0].derived.tool_name), ("run \u{241b}\u{241b}1", Some("write-file")));
    assert_eq!((rows[4].derived.run_id, rows[4].derived.repository), ("control", None));
    let behind = archive.rows_after(rows[1].position, 2).await.unwrap();
    assert_eq!(behind.iter().collect::<Vec<_>>(), rows[2..4]);
    assert!(archive.rows_after(rows[4].position, 2).await.unwrap().is_empty());
}

pub async fn checkpoints_follow_one_another<F: LedgerFixture>() {
    let fixture = F::start().await;
    let archive = fixture.archive();
    let at = positions(&fixture).await;
    assert_eq!(archive.last_checkpoint().await.unwrap(), None);
    let [first, second, third] = [checkpoint(1, at[0]), checkpoint(3, at[2]), checkpoint(4, at[3])];
    assert!(archive.add_checkpoint(&first, 0).await.unwrap());
    // Whoever did not see the first is not the one to add the second.
    assert!(!archive.add_checkpoint(&second, 0).await.unwrap());
    assert!(archive.add_checkpoint(&second, 1).await.unwrap());
    assert!(!archive.add_checkpoint(&third, 1).await.unwrap());
    assert_eq!(archive.last_checkpoint().await.unwrap(), Some(second.clone()));
    assert_eq!(archive.checkpoints_after(0, 10).await.unwrap(), [first.clone(), second.clone()]);
    assert_eq!(archive.checkpoints_after(0, 1).await.unwrap(), [first]);
    assert_eq!(archive.checkpoints_after(1, 10).await.unwrap(), [second]);
    for wrong in [
        checkpoint(3, at[3]),
        checkpoint(4, at[2]),
        checkpoint(2, at[3]),
        checkpoint(5, Position { id: 4_711, ..at[3] }),
    ] {
        let refused = archive.add_checkpoint(&wrong, 3).await;
        assert!(matches!(refused, Err(LedgerError::Refused { .. })), "{wrong:?}: {refused:?}");
    }
}

pub async fn one_of_two_that_seal_at_once_adds_its_checkpoint<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (archive, other) = (fixture.archive(), fixture.archive());
    let at = positions(&fixture).await;
    let (one, two) = (checkpoint(3, at[2]), checkpoint(4, at[3]));
    let (first, second) = tokio::join!(archive.add_checkpoint(&one, 0), other.add_checkpoint(&two, 0));
    assert_eq!([first.unwrap(), second.unwrap()].iter().filter(|added| **added).count(), 1);
    assert_eq!(archive.checkpoints_after(0, 10).await.unwrap().len(), 1);
}

pub async fn a_checkpoint_stays_as_it_is<F: LedgerFixture>() {
    let fixture = F::start().await;
    let archive = fixture.archive();
    let at = positions(&fixture).await;
    archive.add_checkpoint(&checkpoint(4, at[3]), 0).await.unwrap();
    for sql in [
        "DELETE FROM self_extension_checkpoints",
        "UPDATE self_extension_checkpoints SET note = ''",
        "INSERT INTO self_extension_checkpoints SELECT * FROM self_extension_checkpoints",
    ] {
        assert!(fixture.sql(sql).await.is_err(), "{sql}");
    }
    assert_eq!(archive.last_checkpoint().await.unwrap(), Some(checkpoint(4, at[3])));
}

pub async fn what_contradicts_the_ledger_is_told<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let archive = fixture.archive();
    let (merging, over, open) = (Story::new("merging"), Story::new("over"), Story::new("open"));
    let _ = merging.begin_merging(&ledger).await;
    over.begin(&ledger).await;
    append(&ledger, &over.failed(), 3).await.unwrap();
    open.begin(&ledger).await;
    assert_eq!(archive.contradictions().await.unwrap(), Vec::<String>::new());
    control.pause(&pause_request("deploy")).await.unwrap();
    assert_eq!(archive.contradictions().await.unwrap(), Vec::<String>::new());
    control.resume(&resume_request()).await.unwrap();
    assert_eq!(archive.contradictions().await.unwrap(), Vec::<String>::new());

    for value in [None, Some("{}"), Some(r#"{"version":1,"paused":true,"by":"x","reason":"","allow_rollbacks":false}"#)]
    {
        let before = fixture.state(CONTROL_KEY).await.unwrap().to_string();
        fixture.set_state(CONTROL_KEY, value).await;
        let told = archive.contradictions().await.unwrap();
        assert!(told.len() == 1 && told[0].contains("promotion control"), "{value:?}: {told:?}");
        fixture.set_state(CONTROL_KEY, Some(&before)).await;
    }
    assert_eq!(archive.contradictions().await.unwrap(), Vec::<String>::new());

    fixture.forge_lists("UPDATE self_extension_open_runs SET permit = NULL WHERE run_id = 'merging'").await;
    fixture.forge_lists("INSERT INTO self_extension_open_runs (run_id, proposed) SELECT run_id, id FROM self_extension_events WHERE run_id = 'over' AND sequence = 1").await;
    fixture.forge_lists("INSERT INTO self_extension_open_runs (run_id, proposed) VALUES ('never', 4711)").await;
    fixture.forge_lists("DELETE FROM self_extension_open_runs WHERE run_id = 'open'").await;
    let mut told = archive.contradictions().await.unwrap();
    told.sort();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].contains("run merging") && told[0].contains("permit"), "{told:?}");
    assert!(told[1].contains("run never") && told[3].contains("run over"), "{told:?}");
    assert_eq!(told[2], "the run open is open, but is not listed as open");
}
