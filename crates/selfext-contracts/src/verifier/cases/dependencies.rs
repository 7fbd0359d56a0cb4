use selfext_domain::ports::Verifier as _;
use selfext_domain::{Candidate, Category, OnBase, StageKind, StageReport, StageResult, StageRules};

use crate::verifier::VerifierWorld;
use crate::verifier::change::{change_of, main_branch, path, run_id, script};
use crate::verifier::process::{find, until};
use crate::verifier::scene::Scene;

/// A stage on the base, whose lock file is `dir/file`, and which keeps `deps`.
fn prepares(text: &str) -> StageRules {
    let on_base = OnBase { lock_files: vec![path("dir/file")], keep: vec![path("deps")] };
    StageRules { name: "prepare".to_owned(), on_base: Some(on_base), ..script(text) }
}

/// Prepares something that comes out differently each time.
const DICE: &str = "mkdir deps && od -An -N8 -tx1 /dev/urandom | tee deps/made > \"$HOME/made\"";

/// What a stage on the candidate finds of it.
async fn found<W: VerifierWorld>(scene: &Scene<W>, candidate: &Candidate, prepare: &str) -> (StageReport, String) {
    let look = script(
        "cat deps/made && cmp deps/made \"$HOME/made\" && echo spoilt | tee deps/made deps/more > \"$HOME/made\"",
    );
    let reports = scene.run(candidate, &[prepares(prepare), look]).await;
    let [prepared, looked] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((prepared.result, looked.result), (StageResult::Passed, StageResult::Passed), "{reports:?}");
    (prepared.clone(), looked.output.as_str().to_owned())
}

fn reused(report: &StageReport) -> Option<bool> {
    report.prepared.map(|prepared| prepared.reused)
}

pub async fn dependencies_are_prepared_on_the_base_before_the_candidate_is_there<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.prepare(&change_of(&[("new", Some("n")), ("README", Some("changed\n"))])).await;
    let prepare =
        prepares("cat README; test ! -e new && mkdir deps && cp README deps/ && touch left && echo x > \"$HOME/made\"");
    let look = script("cat deps/README new README \"$HOME/made\" && test ! -e left");
    let reports = scene.run(&candidate, &[prepare, look]).await;
    let told: Vec<_> = reports.iter().map(|report| (report.result, report.output.as_str())).collect();
    assert_eq!(told, [(StageResult::Passed, "hello\n"), (StageResult::Passed, "hello\nnchanged\nx\n")]);
    assert_eq!((reused(&reports[0]), reused(&reports[1])), (Some(false), None));
    assert!(!reports[0].walls.is_empty());
}

pub async fn dependencies_are_prepared_once_for_the_same_lock_file<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let (first, made) = found(&scene, &scene.candidate().await, DICE).await;
    // Another base, another candidate, another verifier: the lock file is the same.
    scene.source.write("README", "later\n");
    let base = scene.source.commit();
    let verifier = scene.another_verifier();
    let candidate = verifier.prepare(&main_branch(), &base, &change_of(&[("other", Some("o"))])).await.unwrap();
    let (second, again) = found(&scene, &candidate, DICE).await;
    assert_eq!((reused(&first), reused(&second)), (Some(false), Some(true)));
    assert_eq!(made, again);
    assert_eq!(first.prepared.unwrap().key, second.prepared.unwrap().key);
    assert_eq!((first.output, first.walls), (second.output, second.walls));
}

pub async fn another_lock_file_or_stage_prepares_anew<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let (_, made) = found(&scene, &candidate, DICE).await;
    let (other, by_other) = found(&scene, &candidate, &format!("{DICE}; true")).await;
    assert_eq!(reused(&other), Some(false));
    assert_ne!(made, by_other);
    scene.source.write("dir/file", "other versions\n");
    let base = scene.source.commit();
    let later = scene.verifier.prepare(&main_branch(), &base, &change_of(&[("new", Some("n"))])).await.unwrap();
    let (later, for_later) = found(&scene, &later, DICE).await;
    assert_eq!(reused(&later), Some(false));
    assert_ne!(made, for_later);
}

pub async fn a_stage_that_is_called_otherwise_finds_what_it_prepared_under_its_new_name<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    scene.run(&candidate, &[prepares(DICE)]).await;
    let renamed = StageRules { name: "renamed".to_owned(), kind: StageKind::Setup, ..prepares(DICE) };
    let report = scene.run(&candidate, &[renamed]).await.remove(0);
    assert_eq!((report.name.as_str(), report.kind, reused(&report)), ("renamed", StageKind::Setup, Some(true)));
    assert_eq!(report.category, Some(Category::Setup));
}

pub async fn what_a_candidate_does_to_its_dependencies_ends_with_its_run<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let (_, made) = found(&scene, &candidate, DICE).await;
    for _ in 0..2 {
        assert_eq!(found(&scene, &candidate, DICE).await.1, made);
    }
}

pub async fn a_change_of_a_lock_file_is_prepared_on_the_candidate_and_not_kept<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let (_, made) = found(&scene, &scene.candidate().await, DICE).await;
    let changing = scene.prepare(&change_of(&[("dir/file", Some("mine\n"))])).await;
    for _ in 0..2 {
        let (prepared, other) = found(&scene, &changing, &format!("grep -q mine dir/file; {DICE}")).await;
        assert_eq!(reused(&prepared), None);
        assert_ne!(other, made);
    }
    let keeping = scene.prepare(&change_of(&[("deps/mine", Some("mine\n"))])).await;
    let reports = scene.run(&keeping, &[prepares("cat deps/mine")]).await;
    assert_eq!((reports[0].output.as_str(), reused(&reports[0])), ("mine\n", None));
    assert_eq!(found(&scene, &scene.candidate().await, DICE).await.1, made);
}

pub async fn a_preparation_that_fails_is_told_and_not_kept<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let failing = prepares("echo why; exit 3");
    for _ in 0..2 {
        let reports = scene.run(&candidate, &[failing.clone(), script("echo never")]).await;
        let [report] = &reports[..] else { panic!("{reports:?}") };
        assert_eq!(report.result, StageResult::Failed { exit_code: Some(3), signal: None });
        assert_eq!((report.output.as_str(), reused(report)), ("why\n", Some(false)));
    }
}

pub async fn stages_on_the_base_build_on_one_another<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let first = prepares(DICE);
    let second = |text: &str| StageRules {
        name: "second".to_owned(),
        on_base: Some(OnBase { lock_files: vec![path("README")], keep: vec![path("more/deps")] }),
        ..script(text)
    };
    let look = script("cmp deps/made more/deps/made && cat more/deps/made");
    let copy = "mkdir -p more/deps && cp deps/made more/deps/";
    let told = |reports: &[StageReport]| reports.iter().map(reused).collect::<Vec<_>>();
    let reports = scene.run(&candidate, &[first.clone(), second(copy), look.clone()]).await;
    assert!(reports.iter().all(|report| report.result.passed()), "{reports:?}");
    assert_eq!(told(&reports), [Some(false), Some(false), None]);
    let made = reports[2].output.clone();
    let other = format!("{copy}; true");
    let reports = scene.run(&candidate, &[first.clone(), second(&other), look.clone()]).await;
    assert_eq!((told(&reports), &reports[2].output), (vec![Some(true), Some(false), None], &made));
    // A candidate that changes the second's lock file has the second run on itself, on top of what the first prepared.
    let changing = scene.prepare(&change_of(&[("README", Some("changed\n"))])).await;
    let reports = scene.run(&changing, &[first, second(copy), look]).await;
    assert_eq!((told(&reports), &reports[2].output), (vec![Some(true), None, None], &made));
}

pub async fn a_missing_lock_file_and_what_is_in_the_way_are_named<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let with = |lock_file: &str, keep: &str| StageRules {
        on_base: Some(OnBase { lock_files: vec![path(lock_file)], keep: vec![path(keep)] }),
        ..script("true")
    };
    for (stage, named) in [
        (with("no/such", "deps"), "no/such"),
        (with("link", "deps"), "link"),
        (with("README", "dir"), "dir"),
        (with("README", "dir/file"), "dir/file"),
        (with("README", "link/deps"), "link"),
    ] {
        let reports = scene.run(&candidate, &[stage, script("true")]).await;
        let [report] = &reports[..] else { panic!("{reports:?}") };
        assert_eq!(report.result, StageResult::CouldNotStart);
        assert!(report.output.as_str().contains(named), "{}", report.output.as_str());
    }
    // A candidate that puts something else in the place of a folder on the way.
    let stage = with("README", "on/the/way");
    assert!(scene.run(&candidate, std::slice::from_ref(&stage)).await[0].result.passed());
    let blocking = scene.prepare(&change_of(&[("on", Some("a file\n"))])).await;
    let reports = scene.run(&blocking, &[stage, script("true")]).await;
    assert_eq!((reports.len(), reports[0].result), (1, StageResult::CouldNotStart), "{reports:?}");
}

pub async fn a_link_that_preparing_leaves_leads_nothing_out<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let outside = scene.place().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("deps"), "not ours\n").unwrap();
    let candidate = scene.candidate().await;
    let on_base = OnBase { lock_files: vec![path("README")], keep: vec![path("way/deps"), path("deps")] };
    let leave = format!("ln -s '{0}' way; ln -s '{0}' deps; ln -s '{0}' \"$HOME/deps\"", outside.display());
    let stage = StageRules { on_base: Some(on_base), ..script(&leave) };
    for _ in 0..2 {
        let reports =
            scene.run(&candidate, &[stage.clone(), script("readlink deps; echo x > deps/made; test ! -e way")]).await;
        assert!(reports.iter().all(|report| report.result.passed()), "{reports:?}");
    }
    let left: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["deps"]);
}

pub async fn two_runs_at_once_prepare_once<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let other = scene.another_verifier();
    // Not before the test has seen that somebody prepares.
    let stages =
        [prepares(&format!("touch here; until [ -e go ]; do sleep 0.01; done; {DICE}")), script("cat deps/made")];
    let (one, two) = (run_id("one"), run_id("two"));
    let let_go = async {
        let here = until("one of them prepares", || find(&scene.room(), "here").pop()).await;
        std::fs::write(here.with_file_name("go"), "").unwrap();
    };
    let (one, two, ()) = tokio::join!(
        scene.verifier.run_stages(&one, &candidate, &stages),
        other.run_stages(&two, &candidate, &stages),
        let_go
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    let mut told = [reused(&one[0]), reused(&two[0])];
    told.sort();
    assert_eq!(told, [Some(false), Some(true)]);
    assert_eq!(one[1].output, two[1].output);
}

pub async fn dropping_a_preparation_keeps_nothing_and_lets_the_next_one_prepare<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let stages = [prepares("touch here; exec sleep 600")];
    let run = run_id("run-1");
    {
        let mut preparing = std::pin::pin!(scene.verifier.run_stages(&run, &candidate, &stages));
        let here = until("it prepares", || find(&scene.room(), "here").pop());
        tokio::select! {
            ended = &mut preparing => panic!("{ended:?}"),
            _ = here => {}
        }
    }
    scene.assert_quiet();
    assert!(find(&scene.room(), "here").is_empty());
    let (prepared, _) = found(&scene, &candidate, DICE).await;
    assert_eq!(reused(&prepared), Some(false));
}
