//! Changes as large as the rules let them be, and larger.

use crate::world::World;

const RULES: &str = "version = 1\n[gate]\nwait_seconds = 0\npoll_seconds = 1\n[limits]\nmax_file_bytes = 100\n\
                     [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\ntimeout_seconds = 60\n";

#[test]
fn a_file_of_the_greatest_size_lands_and_one_byte_more_is_refused_before_anything_runs() {
    let world = World::with_agent(RULES);
    world.promote_text(&"x".repeat(100)).expect(0, &["promoted: "]);
    let words = ["limit-exceeded", "agent.txt has 101 bytes; limits.max_file_bytes allows 100"];
    let refused = world.promote_text(&"x".repeat(101)).expect(1, &words);
    let events = world.run(["events", "--json", "--run", &refused.run_id()]).expect(0, &[]).stdout;
    assert!(!events.contains("\"tested\"") && !events.contains("\"stages\""), "{events}");
    assert_eq!(world.on_main("agent.txt").map(|text| text.len()), Some(100));
}

/// Fifty megabytes in a file are refused by the rules, not by what gives out on the way.
#[test]
fn a_huge_file_is_refused_by_its_size() {
    let world = World::with_agent(crate::world::RULES);
    let huge = world.write("huge", vec![0; 50 << 20]);
    world.promote(["--file", &format!("huge={huge}")]).expect(1, &["huge has 52428800 bytes", "limits.max_file_bytes"]);
    assert_eq!(world.on_main("huge"), None);
}

/// Each of them is as long as a path may be.
#[test]
fn a_thousand_of_the_longest_paths_are_refused_in_a_moment() {
    let begun = std::time::Instant::now();
    let world = World::with_agent(crate::world::RULES);
    let deep = "d/".repeat(1_020);
    let files: Vec<_> =
        (0..1_000).map(|number| serde_json::json!({"path": format!("{number}/{deep}f"), "content": "x"})).collect();
    let change = serde_json::json!({"message": "Say why", "context": {"tool_name": "t"}, "files": files}).to_string();
    let refused = world.run_with_input(["promote", "--local", &world.agent(), "--stdin"], &change);
    refused.expect(1, &["does-not-apply", "1021 folders deep in 0; at most 128"]);
    assert!(begun.elapsed() < std::time::Duration::from_mins(3), "{:?}", begun.elapsed());
}
