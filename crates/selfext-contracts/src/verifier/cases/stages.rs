use selfext_domain::{Category, OutputRule, StageKind, StageResult, Wall};

use crate::verifier::VerifierWorld;
use crate::verifier::change::{change, change_of, command, path, script, write_as};
use crate::verifier::scene::Scene;

pub async fn a_stage_sees_the_candidates_files<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate =
        scene.prepare(&change_of(&[("README", Some("changed\n")), ("dir/file", None), ("x/new", Some("n"))])).await;
    let look = "cat README x/new; ls dir; ./run; readlink link; test -d sub && test ! -e dir/file";
    let report = &scene.run(&candidate, &[script(look)]).await[0];
    assert_eq!(report.output.as_str(), "changed\nnother\nran\nREADME\n");
    assert_eq!((report.name.as_str(), report.result), ("script", StageResult::Passed));
}

pub async fn stages_run_in_order_and_share_the_worktree<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let write = script("echo 1 >> made; echo 1 >> \"$HOME/made\"; echo 1 >> \"$TMPDIR/made\"");
    let read = command("read", &["sh", "-c", "cat made \"$HOME/made\" \"$TMPDIR/made\""]);
    let reports = scene.run(&candidate, &[write.clone(), write.clone(), read.clone()]).await;
    let told: Vec<_> = reports.iter().map(|report| (report.name.as_str(), report.result)).collect();
    assert_eq!(told, [("script", StageResult::Passed), ("script", StageResult::Passed), ("read", StageResult::Passed)]);
    assert_eq!(reports[2].output.as_str(), "1\n1\n1\n1\n1\n1\n");
    // Nothing of it is there for the next run.
    assert!(!scene.run(&candidate, &[read]).await[0].result.passed());
}

pub async fn a_failing_stage_stops_the_rest<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let reports = scene.run(&candidate, &[script("exit 0"), script("echo why; exit 3"), script("echo never")]).await;
    let results: Vec<_> = reports.iter().map(|report| report.result).collect();
    assert_eq!(results, [StageResult::Passed, StageResult::Failed { exit_code: Some(3), signal: None }]);
    assert_eq!(reports[1].output.as_str(), "why\n");
}

pub async fn a_signal_is_told<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let report = scene.run_one(script("kill -TERM $$")).await;
    assert_eq!(report.result, StageResult::Failed { exit_code: None, signal: Some(15) });
}

pub async fn a_program_that_is_not_there_could_not_start<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    for program in ["no-such-program", "./no-such-program", "README", "./README", "./dir"] {
        let reports = scene.run(&candidate, &[command("odd", &[program]), script("true")]).await;
        assert_eq!((reports.len(), reports[0].result), (1, StageResult::CouldNotStart), "{program}");
        assert!(reports[0].output.as_str().contains(program), "{:?}", reports[0]);
        assert_eq!(reports[0].output_bytes, 0);
    }
}

pub async fn a_program_of_the_candidates_is_started<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let checks = write_as("#!/bin/sh\necho \"checked $1\"\n", true);
    let candidate = scene.prepare(&change().file(path("checks/all"), checks).build().unwrap()).await;
    let reports = scene.run(&candidate, &[command("checks", &["./checks/all", "it"])]).await;
    assert_eq!((reports[0].result, reports[0].output.as_str()), (StageResult::Passed, "checked it\n"));
}

pub async fn there_is_no_shell_and_no_input<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let words = command("words", &["printf", "%s\n", "$HOME", "a b", "; exit 3", "*", "ünï"]);
    let reports = scene.run(&candidate, &[words, command("input", &["cat"])]).await;
    assert_eq!(reports[0].output.as_str(), "$HOME\na b\n; exit 3\n*\nünï\n");
    assert_eq!((reports[1].result, reports[1].output_bytes), (StageResult::Passed, 0));
}

pub async fn output_and_errors_are_in_the_order_they_were_written<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let report = scene.run_one(script("for n in 1 2 3 4 5; do echo out $n; echo err $n >&2; done")).await;
    let expected: String = (1..=5).flat_map(|n| [format!("out {n}\n"), format!("err {n}\n")]).collect();
    assert_eq!((report.output.as_str(), report.output_bytes), (expected.as_str(), 60));
}

pub async fn the_tail_of_the_output_is_kept_and_all_of_it_is_counted<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let mut stage =
        script("i=0; while [ $i -lt 2000 ]; do echo \"line $i of the output\"; i=$((i+1)); done; echo the end");
    stage.output_limit = 2_048;
    let report = scene.run_one(stage).await;
    let written: usize = (0..2_000).map(|n| format!("line {n} of the output\n").len()).sum();
    assert_eq!(report.output_bytes, (written + "the end\n".len()) as u64);
    let kept = report.output.as_str();
    assert!(kept.ends_with("line 1999 of the output\nthe end\n") && !kept.contains("line 0 "), "{kept}");
    assert!(kept.len() <= 2_048, "{}", kept.len());
    assert_eq!(report.result, StageResult::Passed);
}

pub async fn a_token_in_the_output_is_redacted<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    // Put together here, so that no scanner takes this file for a leak.
    let secret = "a1B2c3D4e5".repeat(4).chars().take(36).collect::<String>();
    let report =
        scene.run_one(script(&format!("echo before; printf 'ghp_'; echo {secret} >&2; echo after; exit 1"))).await;
    let output = report.output.as_str();
    assert!(output.contains("before") && output.contains("after") && !output.contains(&secret), "{output}");
}

pub async fn no_stage_is_no_report<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    assert_eq!(scene.run(&candidate, &[]).await, []);
}

pub async fn output_that_the_rules_do_not_ask_for_is_no_success<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let mut stage = script("echo 'ok. 0 passed'");
    stage.kind = StageKind::Test;
    stage.must_match = Some(OutputRule::parse("^ok\\. [1-9][0-9]* passed").unwrap());
    let reports = scene.run(&candidate, &[stage.clone(), script("echo never")]).await;
    assert_eq!((reports.len(), reports[0].result), (1, StageResult::OutputUnmatched));
    assert_eq!((reports[0].category, reports[0].must_match.is_some()), (Some(Category::Test), true));
    stage.command = ["sh", "-c", "echo; echo 'ok. 12 passed'"].map(str::to_owned).into();
    assert!(scene.run(&candidate, &[stage]).await[0].result.passed());
}

pub async fn a_report_says_what_ran_and_behind_which_walls<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let secret = format!("ghp_{}", "a1B2c3D4e5f6".repeat(3));
    let report = scene.run_one(command("odd", &["echo", &secret, "x"])).await;
    assert_eq!((report.command[0].as_str(), report.command[2].as_str()), ("echo", "x"));
    assert!(!report.command[1].contains(&secret));
    let walls: Vec<Wall> = report.walls.iter().map(|wall| wall.wall).collect();
    let all = [Wall::Environment, Wall::Files, Wall::Network, Wall::Processes, Wall::Neighbours, Wall::Limits];
    assert_eq!(walls, all);
    assert_eq!(report.walls[0].missing(), None);
}
