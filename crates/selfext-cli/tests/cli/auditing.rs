//! Sealing, auditing and proving from the command line.

use std::os::unix::fs::PermissionsExt as _;

use crate::world::{RULES, World, git};

/// A world with a run in its ledger and a key; answers the public one, and the run.
fn with_key() -> (World, String, String) {
    let world = World::with_agent(RULES);
    let run = world.promote_text("second\n").expect(0, &["promoted: "]).run_id();
    let made =
        world.run(["seal", "--new-key", "example.com/agent", "--key-file", "seal.key"]).expect(0, &["auditors need"]);
    let public = made.stdout.trim().to_owned();
    assert!(public.starts_with("example.com/agent+"), "{public}");
    (world, public, run)
}

#[test]
fn a_ledger_is_put_away_whole_and_a_new_one_continues_it() {
    let (world, public, _) = with_key();
    world.run(["pause", "--reason", "the ledger is put away", "--by", "op", "--wait"]).expect(0, &[]);
    world.run(["runs", "--open"]).expect(0, &["no such runs"]);
    world.run(["seal", "--key-file", "seal.key", "--to", "old.seal"]).expect(0, &["sealed 5 events"]);
    world.run(["export", "--to", "old.jsonl"]).expect(0, &["exported"]);
    let audit = ["audit", "--export", "old.jsonl", "--key", &public, "--checkpoint", "old.seal"];
    world.run(audit).expect(0, &["clean: 5 events"]);
    std::fs::rename(world.ledger(), world.path("old.db")).unwrap();
    for end in ["-wal", "-shm"] {
        // A process that ends leaves them behind, if it has no time to put away what is in them.
        let beside = world.ledger().with_file_name(format!("ledger.sqlite{end}"));
        if beside.exists() {
            std::fs::rename(beside, world.path(&format!("old.db{end}"))).unwrap();
        }
    }

    let note = std::fs::read_to_string(world.path("old.seal")).unwrap();
    let root = note.lines().skip(1).take(2).collect::<Vec<_>>().join(" ");
    world.run(["pause", "--reason", &format!("continues {root}"), "--by", "op"]).expect(0, &[]);
    world.run(["resume", "--by", "op"]).expect(0, &[]);
    world.promote_text("third\n").expect(0, &["promoted: "]);
    world.run(["seal", "--key-file", "seal.key", "--to", "new.seal"]).expect(0, &["sealed 6 events"]);
    world.run(["audit", "--key", &public, "--checkpoint", "new.seal"]).expect(0, &["clean: "]);
    world.run(["events", "--run", "control"]).expect(0, &[&root]);
    let old = format!("sqlite:{}", world.path("old.db").display());
    world
        .run(["--database", &old, "audit", "--key", &public, "--checkpoint", "old.seal"])
        .expect(0, &["clean: 5 events"]);
    // The two do not pass for one another.
    world.run(["audit", "--key", &public, "--checkpoint", "old.seal"]).expect(13, &[]);
}

#[test]
fn a_sealed_ledger_is_audited_proved_and_exported() {
    let (world, public, run) = with_key();
    let secret = world.path("seal.key");
    assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    world.run(["seal", "--new-key", "x", "--key-file", "seal.key"]).expect(2, &["is there already"]);

    let sealed = world.run(["seal", "--key-file", "seal.key", "--to", "note", "--tag", "agent"]).expect(0, &["sealed"]);
    let note = std::fs::read_to_string(world.path("note")).unwrap();
    assert_eq!(sealed.stdout.trim_end(), note.trim_end());
    let tag = git(&world.path("agent"), ["for-each-ref", "--format=%(contents)", "refs/tags/selfext-seal"]);
    assert!(tag.contains(note.trim_end()), "{tag}");
    world.run(["seal", "--key-file", "seal.key"]).expect(0, &["nothing new"]);
    world.run(["seal", "--key-file", "seal.key", "--pull-request", "1"]).expect(2, &["--github <OWNER/NAME>"]);
    let on_pull_request = |number| ["seal", "--key-file", "seal.key", "--pull-request", number, "--local", "agent"];
    // There once, however often it is put there.
    for _ in 0..2 {
        world.run(on_pull_request("1")).expect(0, &["nothing new"]);
    }
    world.run(on_pull_request("7")).expect(1, &["could not be put on pull request 7"]);
    let state = std::fs::read_to_string(world.path("agent/.git/selfext-twin/state.json")).unwrap();
    let origin = note.lines().next().unwrap();
    assert_eq!(state.matches(&format!("    {origin}\\n")).count(), 1, "{state}");

    let audited = world.run(["audit", "--key", &public]).expect(0, &["clean: ", "1 runs, 0 of them open"]);
    assert!(audited.stdout.contains("sealed, by 1 seals that hold"), "{audited:?}");
    world.run(["audit"]).expect(16, &["--key names the key"]);
    world.write("keys", format!("# of the operators\n{public}\n"));
    let json = world.run(["audit", "--key", "keys", "--checkpoint", "note", "--json"]).expect(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json["outcome"].as_str(), json["findings_total"].as_u64()), (Some("clean"), Some(0)));

    world.run(["prove", &run, "--key", &public, "--to", "proof"]).expect(0, &[]);
    world
        .run(["verify", "proof", "--key", &public])
        .expect(0, &["proved: run", "proposed, tested, merge_started, promoted"]);
    let proof = std::fs::read_to_string(world.path("proof")).unwrap();
    world.write("changed", proof.replacen("second", "third", 1).replacen("promoted", "promotee", 1));
    world.run(["verify", "changed", "--key", &public]).expect(1, &["proves nothing"]);

    world.run(["export", "--to", "ledger.jsonl"]).expect(0, &["exported"]);
    world.run(["export", "--to", "ledger.jsonl"]).expect(2, &["is there already"]);
    world.run(["audit", "--export", "ledger.jsonl", "--key", &public]).expect(0, &["clean: "]);
    let export = std::fs::read_to_string(world.path("ledger.jsonl")).unwrap();
    let piped = world.run_with_input(["audit", "--export", "-", "--key", &public], &export);
    piped.expect(0, &["clean: "]);
    let (cut, _) = export.trim_end().rsplit_once('\n').unwrap();
    world.write("cut", cut);
    world.run(["audit", "--export", "cut", "--key", &public]).expect(1, &["is not whole"]);

    world.promote_text("third\n").expect(0, &["promoted: "]);
    world.run(["seal", "--key-file", "seal.key"]).expect(0, &["sealed"]);
    world.run(["prove", "--since", "note", "--key", &public, "--to", "continued"]).expect(0, &[]);
    world.run(["verify", "continued", "--key", &public]).expect(0, &["sealed first are the first of the"]);
}

#[test]
fn what_was_tampered_with_is_named_and_has_an_exit_code() {
    let (world, public, _) = with_key();
    world.run(["seal", "--key-file", "seal.key"]).expect(0, &[]);
    world.run(["export", "--to", "ledger.jsonl"]).expect(0, &[]);
    let export = std::fs::read_to_string(world.path("ledger.jsonl")).unwrap();
    let lines: Vec<&str> = export.lines().collect();
    let tampered = |name: &str, text: String| {
        world.write(name, text);
        world.run(["audit", "--export", name, "--key", &public])
    };
    let without = |gone: usize| {
        let kept: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| *line).collect();
        let events = lines.len() - 3;
        kept.join("\n").replace(&format!("\"events\":{events}"), &format!("\"events\":{}", events - 1)) + "\n"
    };
    tampered("edited", export.replacen("second", "nothing", 1).replacen("Say why", "Say not", 1))
        .expect(10, &["edited: run", "number 1", "hash"]);
    tampered("missing", without(2)).expect(11, &["missing: ", "number 2"]);
    // The last event: between it and the end stands the seal.
    tampered("cut", without(lines.len() - 3)).expect(14, &["cut-off: "]);
    world.run(["audit", "--export", "nowhere", "--key", &public]).expect(1, &["cannot be read"]);
    world.run(["audit", "--key", "nowhere"]).expect(2, &["neither a public key nor a file"]);
    world.run(["seal"]).expect(2, &["--key-file", "SELFEXT_SEAL_KEY"]);
    world.write("other.key", "PRIVATE+KEY+nonsense\n");
    let refused = world.run(["seal", "--key-file", "other.key"]).expect(2, &["the secret key is none"]);
    assert!(!refused.stderr.contains("nonsense"));
}
