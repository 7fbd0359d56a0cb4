use crate::on_both;

mod cases {
    use selfext::audit::audit::FindingKind::{self, CutOff, Edited, Forged, Missing};

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

/// SQLite computes no hashes; what can, can do the same there.
#[tokio::test]
async fn a_consistent_forgery_contradicts_the_seal() {
    cases::a_consistent_forgery_contradicts_the_seal(crate::ground::Ground::on_postgres().await).await;
}

on_both! {
    a_dropped_seal_is_found_by_one_that_was_kept
    a_control_that_was_written_by_hand_is_found
}
