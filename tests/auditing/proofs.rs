use crate::on_both;

mod cases {
    use selfext::audit::note::{KeyName, SignerKey};
    use selfext::audit::proof::{ConsistencyProof, RunProof, verify};
    use selfext::{ProveError, RunId};

    use crate::ground::Ground;

    pub async fn a_run_is_proved_with_the_public_key_alone(mut ground: Ground) {
        let unsealed = ground.operations.prove(&ground.runs[0], &ground.public()).await;
        assert!(matches!(unsealed, Err(ProveError::Unsealed)), "{unsealed:?}");
        ground.seal(11).await;
        ground.begin("run 4").await;
        let run = ground.runs[1].clone();
        let document = ground.operations.prove(&run, &ground.public()).await.unwrap().to_json().unwrap();
        let read = RunProof::from_json(&document).unwrap();
        let verified = verify(&read, &ground.public()).unwrap();
        assert_eq!((verified.run(), verified.events().len()), (&run, 3));
        let other = SignerKey::generate(KeyName::parse("example.com/tests").unwrap(), &[8; 32]);
        assert!(verify(&read, &[other.verifier().clone()]).is_err());
        let changed = document.replacen("failed", "tested", 1);
        assert!(
            changed != document
                && RunProof::from_json(&changed).is_ok_and(|proof| verify(&proof, &ground.public()).is_err())
        );
        // What was not sealed cannot be proved.
        assert!(ground.operations.prove(&ground.runs[3], &ground.public()).await.is_err());
        assert!(ground.operations.prove(&RunId::parse("none").unwrap(), &ground.public()).await.is_err());
    }

    pub async fn a_later_seal_is_shown_to_continue_an_earlier_one(mut ground: Ground) {
        let first = ground.seal(11).await;
        ground.begin("run 4").await;
        let second = ground.seal(14).await;
        let proof = ground.operations.prove_consistency(&first.note, &ground.public()).await.unwrap();
        let read = ConsistencyProof::from_json(&proof.to_json().unwrap()).unwrap();
        let (old, new) = read.verify(&ground.public()).unwrap();
        assert_eq!((old.checkpoint(), new.checkpoint()), (&first.checkpoint, &second.checkpoint));
    }
}

on_both! {
    a_run_is_proved_with_the_public_key_alone
    a_later_seal_is_shown_to_continue_an_earlier_one
}
