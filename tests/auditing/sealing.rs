use crate::on_both;

mod cases {
    use selfext::SealError;
    use selfext::audit::audit::Auditor;
    use selfext::audit::audit::StoredRow;
    use selfext::audit::export::{ExportLine, ExportReader};
    use selfext::audit::note::{KeyName, SignerKey};

    use crate::ground::Ground;

    pub async fn a_seal_goes_on_from_the_last_one_and_holds(mut ground: Ground) {
        let first = ground.seal(11).await;
        assert!(first.is_new && first.checkpoint.size == 11, "{first:?}");
        let again = ground.operations.seal(&ground.key).await.unwrap();
        assert_eq!((again.is_new, &again.note), (false, &first.note));
        ground.begin("run 4").await;
        let second = ground.seal(14).await;
        assert_eq!(second.checkpoint.size, 14);
        let audit = ground.audit_with(&[first.note, second.note]).await;
        assert!(audit.is_clean(), "{audit:?}");
        assert_eq!((audit.report.sealed, audit.report.counts.events, audit.report.counts.runs), (14, 14, 4));
        assert_eq!(audit.report.root, second.checkpoint.root);
    }

    pub async fn only_the_key_that_sealed_first_seals_on(ground: Ground) {
        ground.seal(11).await;
        let other = SignerKey::generate(KeyName::parse("example.com/other").unwrap(), &[8; 32]);
        let refused = ground.operations.seal(&other).await;
        assert!(matches!(refused, Err(SealError::OtherKey(_))), "{refused:?}");
        let audit = ground.operations.audit(Vec::new(), &[], |_| ()).await.unwrap();
        assert!(
            audit.report.counts.checkpoints_unjudged >= 1 && !audit.is_clean() && audit.report.counts.findings == 0,
            "{audit:?}"
        );
    }

    pub async fn an_export_is_audited_without_the_database(mut ground: Ground) {
        ground.seal(11).await;
        ground.begin("run 4").await;
        ground.seal(14).await;
        let mut text = Vec::new();
        let done = ground.operations.export(&mut text).await.unwrap();
        // Where transactions were open, it was sealed in more steps than two.
        assert!(done.events == 14 && done.checkpoints >= 2, "{done:?}");
        let lines: Vec<ExportLine> = ExportReader::new(&text[..]).unwrap().map(Result::unwrap).collect();
        let mut auditor = Auditor::new(ground.public());
        for line in &lines {
            if let ExportLine::Checkpoint(note) = line {
                auditor.checkpoint(note);
            }
        }
        for line in &lines {
            if let ExportLine::Event(event) = line {
                auditor.event(&StoredRow::from(&**event));
            }
        }
        let report = auditor.finish();
        assert!(report.is_clean() && report.sealed == 14, "{report:?}");
    }
}

on_both! {
    a_seal_goes_on_from_the_last_one_and_holds
    only_the_key_that_sealed_first_seals_on
    an_export_is_audited_without_the_database
}
