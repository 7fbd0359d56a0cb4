use std::collections::BTreeSet;
use std::fs::File;
use std::os::fd::AsRawFd as _;

use crate::verifier::VerifierWorld;
use crate::verifier::change::script;
use crate::verifier::process::number;
use crate::verifier::scene::Scene;

pub async fn home_and_temporary_folder_are_fresh_and_private<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.candidate().await;
    let look =
        script("for d in \"$HOME\" \"$TMPDIR\"; do ls -A \"$d\"; ls -ld \"$d\" | cut -c1-10; echo \"$d\"; done; pwd");
    let mut before = None;
    for _ in 0..2 {
        let report = scene.run(&candidate, std::slice::from_ref(&look)).await.remove(0);
        let lines: Vec<String> = report.output.as_str().lines().map(str::to_owned).collect();
        let [home_rights, home, temporary_rights, temporary, worktree] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((home_rights.as_str(), temporary_rights.as_str()), ("drwx------", "drwx------"));
        let places = BTreeSet::from([home.clone(), temporary.clone(), worktree.clone()]);
        assert_eq!(places.len(), 3);
        // None of them is inside the worktree, where it would be taken for a part of the candidate.
        let inside = format!("{worktree}/");
        assert!(!home.starts_with(&inside) && !temporary.starts_with(&inside));
        if let Some(before) = before.replace(places.clone()) {
            assert!(before.is_disjoint(&places), "{places:?}");
        }
    }
}

pub async fn variables_of_the_agent_are_not_seen<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let report = scene.run_one(script("env; echo; tr '\\0' '\\n' < /proc/self/environ 2>&1")).await;
    // What a shell sets by itself, what a stage is given, and what says where a tool chain is.
    let passed = [
        "PATH",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
        "LANG",
        "HOME",
        "TMPDIR",
        "CI",
        "RUSTUP_HOME",
        "PYENV_ROOT",
        "NVM_DIR",
        "VOLTA_HOME",
        "GOROOT",
        "JAVA_HOME",
    ];
    let seen: BTreeSet<&str> =
        report.output.as_str().lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    for name in ["PATH", "LANG", "HOME", "TMPDIR", "CI", "SELFEXT"] {
        assert!(seen.contains(name), "{name}");
    }
    let ours: Vec<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    assert!(ours.iter().any(|name| name.starts_with("CARGO_")), "cargo sets variables that must not be seen");
    for name in ours.iter().filter(|name| !passed.contains(&name.as_str())) {
        assert!(!seen.contains(name.as_str()), "{name} is seen");
    }
    let home = std::env::var("HOME").unwrap_or_default();
    assert!(!report.output.as_str().lines().any(|line| line == format!("HOME={home}")));
}

pub async fn descriptors_of_the_agent_are_closed<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let kept = scene.place().join("kept");
    let file = File::create(&kept).unwrap();
    // A duplicate is one that programs inherit unless somebody sees to it.
    let inherited: Vec<_> = (0..3).map(|_| rustix::io::dup(&file).unwrap()).collect();
    let numbers: Vec<String> = inherited.iter().map(|descriptor| descriptor.as_raw_fd().to_string()).collect();
    let tries = format!(
        "for n in {}; do if [ -e /dev/fd/$n ] && [ /dev/fd/$n -ef '{}' ]; then echo leaked $n; fi; done; echo looked",
        numbers.join(" "),
        kept.display()
    );
    let report = scene.run_one(script(&tries)).await;
    assert_eq!(report.output.as_str(), "looked\n");
}

pub async fn a_stage_leads_its_own_session<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let report = scene
        .run_one(script("echo me=$$; ps -o pgid= -o sid= -p $$ | { read g s; echo group=$g; echo session=$s; }"))
        .await;
    let output = report.output.as_str();
    let me = number(output, "me");
    assert_eq!((number(output, "group"), number(output, "session")), (me, me));
}
