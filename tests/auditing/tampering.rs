use crate::on_both;

mod cases {
    use selfext::audit::audit::FindingKind::{self, CutOff, Edited, Forged, Missing};

    use selfext::LedgerError;

    use crate::ground::Ground;

    /// What the owner of the database could do, by a name; on Postgres and on SQLite; and what the audit must find of it.
    type Tampering = (&'static str, &'static str, &'static str, &'static [FindingKind]);

    fn both(sql: &'static str) -> (&'static str, &'static str) {
        (sql, sql)
    }

    fn tamperings() -> Vec<Tampering> {
        let of = |name, (postgres, sqlite): (&'static str, &'static str), found| (name, postgres, sqlite, found);
        vec![
            of(
                "edits a content",
                both(
                    "UPDATE self_extension_events SET content = replace(content, 'agent', 'ghost') WHERE run_id = 'run 2' AND sequence = 2",
                ),
                &[Edited][..],
            ),
            of(
                "edits a hash",
                (
                    "UPDATE self_extension_events SET hash = decode(repeat('00', 32), 'hex') WHERE run_id = 'run 2' AND sequence = 2",
                    "UPDATE self_extension_events SET hash = zeroblob(32) WHERE run_id = 'run 2' AND sequence = 2",
                ),
                &[Edited],
            ),
            of(
                "drops an event in the middle",
                both("DELETE FROM self_extension_events WHERE run_id = 'run 2' AND sequence = 2"),
                &[Missing],
            ),
            of("drops a run", both("DELETE FROM self_extension_events WHERE run_id = 'run 2'"), &[Missing]),
            of("cuts the end off", both("DELETE FROM self_extension_events WHERE id > 9"), &[CutOff]),
            of("empties the ledger", both("DELETE FROM self_extension_events"), &[CutOff]),
        ]
    }

    pub async fn found(new: impl AsyncFn() -> Ground) {
        for (name, postgres, sqlite, expected) in tamperings() {
            let ground = new().await;
            ground.seal(11).await;
            assert_eq!(ground.kinds(&[]).await, [], "{name}");
            ground.tamper(postgres, sqlite).await;
            assert_eq!(ground.kinds(&[]).await, expected, "{name}");
        }
    }

    /// Every hash made right again, which the database itself can do.
    pub async fn a_consistent_forgery_contradicts_the_seal(ground: Ground) {
        ground.seal(11).await;
        let of_it = "WHERE run_id = 'run 2' AND sequence = 3";
        let postgres = format!(
            "UPDATE self_extension_events SET content = replace(content, '\"detail\":\"', '\"detail\":\"not ') {of_it};
             UPDATE self_extension_events SET content_hash = sha256(convert_to(content, 'UTF8')) {of_it};
             UPDATE self_extension_events SET hash = sha256(prev_hash || content_hash) {of_it}"
        );
        ground.tamper(&postgres, "").await;
        assert_eq!(ground.kinds(&[]).await, [Forged]);
    }

    /// Its own checkpoints gone too: only what was kept elsewhere shows it.
    /// A value that is not there does not stop an audit: the row is found, and what stands behind it is looked at.
    pub async fn what_cannot_be_read_is_found_and_the_rest_is_audited(new: impl AsyncFn() -> Ground, columns: &[&str]) {
        for column in columns {
            let ground = new().await;
            ground.seal(11).await;
            let gone =
                format!("UPDATE self_extension_events SET {column} = NULL WHERE run_id = 'run 2' AND sequence = 2");
            let behind = "UPDATE self_extension_events SET content = '{}' WHERE run_id = 'run 3' AND sequence = 3";
            let postgres = format!("ALTER TABLE self_extension_events ALTER {column} DROP NOT NULL; {gone}; {behind}");
            let sqlite = format!(
                "PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'self_extension_events';
                 PRAGMA writable_schema = RESET; {gone}; {behind}"
            );
            ground.tamper(&postgres, &sqlite).await;
            // Whoever reads the run gets it as it was, or is told; asking again would not help.
            let read = ground.read("run 2").await;
            assert!(matches!(read, Ok(_) | Err(LedgerError::Corrupt { .. })), "{column}: {read:?}");
            if column.ends_with("hash") {
                let told = read.unwrap_err().to_string();
                let expected = ["nothing where a value belongs; `selfext audit` says which", "hash is no SHA-256"];
                assert!(expected.iter().any(|expected| told.ends_with(expected)), "{column}: {told}");
            }
            let report = ground.audit_with(&[]).await.report;
            for event in [4, 8] {
                let found = report.findings.iter().find(|finding| finding.place.leaf == Some(event));
                assert!(found.is_some_and(|found| found.kind == Edited), "{column}: {event}: {:#?}", report.findings);
            }
        }
    }

    pub async fn a_checkpoint_that_cannot_be_read_is_found(ground: Ground) {
        ground.seal(11).await;
        let postgres = "ALTER TABLE self_extension_checkpoints ALTER note DROP NOT NULL;
            UPDATE self_extension_checkpoints SET note = NULL, id = -1";
        let sqlite = "PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'self_extension_checkpoints';
            PRAGMA writable_schema = RESET;
            UPDATE self_extension_checkpoints SET note = NULL, id = -1";
        ground.tamper(postgres, sqlite).await;
        assert_eq!(ground.kinds(&[]).await, [Forged]);
    }

    /// Whoever reads its run sees it, but the audit does not come to it in order.
    pub async fn an_event_at_no_position_is_told(ground: Ground) {
        for id in ["-7", "0"] {
            let moved = format!("UPDATE self_extension_events SET id = {id} WHERE run_id = 'run 3' AND sequence = 3");
            let postgres = format!("ALTER TABLE self_extension_events ALTER id DROP IDENTITY IF EXISTS; {moved}");
            ground.tamper(&postgres, &moved).await;
            is_told(&ground, id).await;
        }
    }

    pub async fn an_event_of_no_transaction_is_told(ground: Ground) {
        for (transaction, told) in [("NULL", "nothing"), ("'9223372036854775807'", "9223372036854775807")] {
            let postgres = format!(
                "ALTER TABLE self_extension_events ALTER transaction_id DROP NOT NULL;
                 UPDATE self_extension_events SET transaction_id = {transaction} WHERE run_id = 'run 3' AND sequence = 3"
            );
            ground.tamper(&postgres, "").await;
            is_told(&ground, &format!("its transaction is {told}, ")).await;
        }
    }

    async fn is_told(ground: &Ground, how: &str) {
        let told = ground.audit_with(&[]).await.contradictions;
        let expected = "number 3 of run 3 stands at no position, one of 1 such events: ";
        assert!(matches!(&told[..], [one] if one.starts_with(expected) && one.contains(how)), "{how}: {told:?}");
    }

    pub async fn a_dropped_seal_is_found_by_one_that_was_kept(ground: Ground) {
        let sealed = ground.seal(11).await;
        let gone = "DELETE FROM self_extension_checkpoints; DELETE FROM self_extension_events WHERE run_id = 'run 3'";
        ground.tamper(gone, gone).await;
        assert_eq!(ground.kinds(&[]).await, []);
        assert_eq!(ground.kinds(&[sealed.note]).await, [Missing]);
    }

    pub async fn a_control_that_was_written_by_hand_is_found(ground: Ground) {
        ground.seal(11).await;
        let postgres = "UPDATE agent_state SET value = '{\"version\":1,\"paused\":true,\"by\":\"x\",\"reason\":\"\",\"allow_rollbacks\":false}'
            WHERE key = 'self_extension:promotion_control'";
        ground.tamper(postgres, postgres).await;
        let audit = ground.audit_with(&[]).await;
        assert!(audit.report.is_clean() && audit.contradictions.len() == 1, "{audit:?}");
    }
}

#[tokio::test]
async fn what_the_owner_tampers_with_is_found_on_postgres() {
    cases::found(crate::ground::Ground::on_postgres).await;
}

#[tokio::test]
async fn what_the_owner_tampers_with_is_found_on_sqlite() {
    cases::found(crate::ground::Ground::on_sqlite).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_found_and_the_rest_is_audited_on_postgres() {
    let columns = [
        "event_id",
        "run_id",
        "correlation_id",
        "stage",
        "event_type",
        "actor_source",
        "sequence",
        "content",
        "content_hash",
        "prev_hash",
        "hash",
    ];
    cases::what_cannot_be_read_is_found_and_the_rest_is_audited(crate::ground::Ground::on_postgres, &columns).await;
}

/// The other columns follow from the content there, whoever writes.
#[tokio::test]
async fn what_cannot_be_read_is_found_and_the_rest_is_audited_on_sqlite() {
    let columns = ["sequence", "content", "content_hash", "prev_hash", "hash"];
    cases::what_cannot_be_read_is_found_and_the_rest_is_audited(crate::ground::Ground::on_sqlite, &columns).await;
}

/// SQLite computes no hashes; what can, can do the same there.
#[tokio::test]
async fn a_consistent_forgery_contradicts_the_seal() {
    cases::a_consistent_forgery_contradicts_the_seal(crate::ground::Ground::on_postgres().await).await;
}

#[tokio::test]
async fn an_event_of_no_transaction_is_told() {
    cases::an_event_of_no_transaction_is_told(crate::ground::Ground::on_postgres().await).await;
}

on_both! {
    a_checkpoint_that_cannot_be_read_is_found
    an_event_at_no_position_is_told
    a_dropped_seal_is_found_by_one_that_was_kept
    a_control_that_was_written_by_hand_is_found
}
