use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use selfext_domain::ports::Verifier as _;
use selfext_domain::{Category, Limit, StageReport, StageResult, StageRules};

use crate::verifier::VerifierWorld;
use crate::verifier::change::{change_of, command, run_id, script};
use crate::verifier::process::{find, until};
use crate::verifier::scene::Scene;

/// How long a stage may take that ends at once, on a machine that is busy.
const AT_ONCE: Duration = Duration::from_secs(45);

fn limited(mut stage: StageRules, limit: Duration) -> StageRules {
    stage.timeout = limit;
    stage
}

fn worktree_in(report: &StageReport) -> PathBuf {
    let line = report.output.as_str().lines().find_map(|line| line.strip_prefix("worktree="));
    PathBuf::from(line.unwrap_or_else(|| panic!("no worktree in {report:?}")))
}

pub async fn the_time_limit_ends_the_whole_group<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let tree = "sh -c 'sleep 600 & echo grandchild=$!; wait' & echo child=$!; echo leader=$$; wait";
    let stage = limited(script(tree), Duration::from_secs(2));
    let began = Instant::now();
    let reports = scene.run(&candidate, &[stage, script("echo never")]).await;
    assert_eq!((reports.len(), reports[0].result), (1, StageResult::TimedOut));
    assert!(reports[0].duration_ms >= 2_000 && began.elapsed() < AT_ONCE, "{reports:?}");
    assert!(reports[0].output.as_str().contains("grandchild="), "{reports:?}");
    scene.assert_quiet();
}

pub async fn a_stage_that_ignores_signals_is_ended<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let stubborn = "trap '' TERM INT HUP; echo leader=$$; while :; do sleep 600; done";
    let report = scene.run_one(limited(script(stubborn), Duration::from_secs(1))).await;
    assert_eq!(report.result, StageResult::TimedOut);
    scene.assert_quiet();
}

pub async fn endless_output_is_ended_at_the_time_limit<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let began = Instant::now();
    let mut stage = limited(command("endless", &["yes"]), Duration::from_secs(1));
    stage.output_limit = 1_024;
    stage.limits.output_bytes = 1 << 40;
    let report = scene.run_one(stage).await;
    assert_eq!(report.result, StageResult::TimedOut);
    assert!(report.output_bytes > 1_024 && report.output.as_str().len() <= 1_024 && began.elapsed() < AT_ONCE);
}

pub async fn output_beyond_its_limit_ends_the_stage<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let began = Instant::now();
    let mut stage = command("endless", &["yes"]);
    (stage.output_limit, stage.limits.output_bytes) = (1_024, 100_000);
    let report = scene.run_one(stage).await;
    assert_eq!(report.result, StageResult::LimitHit { limit: Limit::Output });
    assert!(report.output_bytes > 100_000 && report.output.as_str().len() <= 1_024 && began.elapsed() < AT_ONCE);
    assert_eq!(report.category, Some(Category::Resource));
    scene.assert_quiet();
}

pub async fn processor_time_beyond_its_limit_ends_the_stage<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let mut stage = script("while :; do :; done");
    stage.limits.cpu_seconds = 1;
    assert_eq!(scene.run_one(stage).await.result, StageResult::LimitHit { limit: Limit::CpuTime });
}

pub async fn a_file_beyond_its_limit_ends_the_stage<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let mut stage = script("exec dd if=/dev/zero of=large bs=1024 count=100 2>/dev/null");
    stage.limits.file_bytes = 50 * 1024;
    assert_eq!(scene.run_one(stage).await.result, StageResult::LimitHit { limit: Limit::FileSize });
}

pub async fn a_grandchild_that_holds_the_output_does_not_hold_up_the_stage<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let began = Instant::now();
    let report = scene.run_one(script("sleep 600 & echo grandchild=$!; exit 0")).await;
    assert_eq!(report.result, StageResult::Passed);
    assert!(began.elapsed() < AT_ONCE);
    scene.assert_quiet();
}

pub async fn a_grandchild_that_left_the_group_and_holds_the_output_does_not_hold_up_the_stage<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let began = Instant::now();
    // It would end by itself; by then the stage must have ended long ago.
    let leave = "setsid sh -c ': > told; exec sleep 90' & until [ -e told ]; do sleep 0.01; done; echo end";
    let report = scene.run_one(script(leave)).await;
    assert_eq!(report.result, StageResult::Passed, "{report:?}");
    assert!(report.output.as_str().ends_with("end\n") && began.elapsed() < AT_ONCE, "{report:?}");
    scene.assert_quiet();
}

pub async fn dropping_ends_the_stage_and_removes_the_worktree<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let wait = "sleep 600 & setsid sleep 600 & : > begun; wait";
    let stages = [script(wait)];
    let run = run_id("dropped");
    let file = {
        let room = scene.room();
        tokio::select! {
            ended = scene.verifier.run_stages(&run, &candidate, &stages) => panic!("it ended by itself: {ended:?}"),
            found = until("the stage has begun", || find(&room, "begun").pop()) => found,
        }
    };
    assert!(!file.parent().unwrap().exists(), "the worktree is gone when the future is");
    scene.assert_quiet();
    assert!(scene.run(&candidate, &[script("true")]).await[0].result.passed());
}

pub async fn the_worktree_is_gone_however_the_stage_ended<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let here = "echo \"worktree=$PWD\"";
    for (rest, limit) in [("true", 60), ("exit 1", 60), ("kill -9 $$", 60), ("sleep 600", 1)] {
        let stage = limited(script(&format!("{here}; {rest}")), Duration::from_secs(limit));
        let reports = scene.run(&candidate, &[stage]).await;
        assert!(!worktree_in(&reports[0]).exists(), "{rest}");
    }
    let reports = scene.run(&candidate, &[script(here), command("none", &["no-such-program"])]).await;
    assert_eq!(reports[1].result, StageResult::CouldNotStart);
    assert!(!worktree_in(&reports[0]).exists());
}

pub async fn read_only_folders_are_removed_too<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let close = "echo \"worktree=$PWD\"
        for d in . \"$HOME\" \"$TMPDIR\"; do
            mkdir -p \"$d/a/b\"; touch \"$d/a/b/c\"; chmod 000 \"$d/a/b\"; chmod 500 \"$d/a\" \"$d\"
        done";
    let report = scene.run_one(script(close)).await;
    assert_eq!(report.result, StageResult::Passed, "{report:?}");
    assert!(!worktree_in(&report).exists());
    assert_eq!(find(&scene.room(), "c"), Vec::<PathBuf>::new());
}

pub async fn runs_at_once_share_nothing<W: VerifierWorld>() {
    let scene = Arc::new(Scene::<W>::set());
    let candidate = scene.prepare(&change_of(&[("new", Some("x"))])).await;
    let other = scene.another_verifier();
    // Each leaves marks that the other must not find, while both are there.
    let mark = "for d in . \"$HOME\" \"$TMPDIR\"; do test ! -e \"$d/mark\" || exit 9; touch \"$d/mark\"; done
        touch here; until [ -e go ]; do sleep 0.01; done; echo \"worktree=$PWD\"";
    let stages = [script(mark)];
    let run = run_id("the same");
    let let_go = async {
        let room = scene.room();
        let both = until("both runs are there", || Some(find(&room, "here")).filter(|found| found.len() == 2)).await;
        for here in both {
            fs::write(here.with_file_name("go"), "").unwrap();
        }
    };
    let (one, two, ()) = tokio::join!(
        scene.verifier.run_stages(&run, &candidate, &stages),
        other.run_stages(&run, &candidate, &stages),
        let_go
    );
    let (one, two) = (one.unwrap().remove(0), two.unwrap().remove(0));
    assert_eq!((one.result, two.result), (StageResult::Passed, StageResult::Passed));
    let gone = |path: &Path| !path.exists();
    assert!(worktree_in(&one) != worktree_in(&two) && gone(&worktree_in(&one)) && gone(&worktree_in(&two)));
}
