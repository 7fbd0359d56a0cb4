//! The twin, driven by a client that is not selfext's: `PyGithub` goes the way of a promotion, so that client and twin cannot share
//! a misunderstanding. Where Python or the package index is missing the test says so; with `SELFEXT_TEST_TOOLS=all` it fails.

use std::fs::{File, rename};
use std::path::{Path, PathBuf};
use std::process::Command;

use selfext_contracts::app_key::{PKCS1, PUBLIC};
use selfext_twin::{AppIdentity, Twin, TwinApp, TwinConfig};
use serde_json::Value;

use crate::world::{RULES, Ran, World, git};

/// What the script does, in its own words.
const STEPS: &[&str] = &[
    "the repository and its base branch are read",
    "a blob is written and read back",
    "a tree is made on top of the base's",
    "a commit is made",
    "a branch with an odd name is made, found and moved",
    "a pull request is opened, found and edited",
    "it says that it can be merged",
    "statuses are set, combined and listed page by page",
    "check runs are made, ended and listed page by page",
    "comments are written, changed and listed page by page",
    "it is merged once, and only at the head that is meant",
    "the branch is deleted",
    "base and head are compared",
    "files are read by their path",
    "a pull request is closed without being merged",
];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pygithub")
}

/// A Python with what `requirements.txt` pins, made where cargo keeps what tests make, and made anew when the list changes.
/// Nothing if this machine cannot make one.
fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pygithub");
    std::fs::create_dir_all(&folder).unwrap();
    // Several runs of the tests may share the folder.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (venv, list) = (folder.join("venv"), sources().join("requirements.txt"));
    let (python, done) = (venv.join("bin/python"), venv.join("requirements.txt"));
    let wanted = std::fs::read(&list).unwrap();
    if std::fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Some(python);
    }
    let making = [
        Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv).output(),
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"])
            .args(["--only-binary", ":all:", "-r"])
            .arg(&list)
            .output(),
    ];
    for made in making {
        match made {
            Ok(output) if output.status.success() => {}
            Ok(output) => return missing(&String::from_utf8_lossy(&output.stderr)),
            Err(error) => return missing(&error.to_string()),
        }
    }
    // Last, and whole or not at all: it says that the rest is there.
    std::fs::write(venv.join("new"), wanted).unwrap();
    rename(venv.join("new"), done).unwrap();
    Some(python)
}

fn missing(why: &str) -> Option<PathBuf> {
    assert!(std::env::var_os("SELFEXT_TEST_TOOLS").is_none(), "PyGithub cannot be had on this machine: {why}");
    eprintln!("PyGithub cannot be had on this machine, so the twin was not driven by it: {why}");
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn pygithub_takes_a_change_through_the_twin() {
    let Some(python) = python() else { return };
    let world = World::with_agent(RULES);
    git(&world.path("."), ["clone", "-q", "--bare", "agent", "bare.git"]);
    let app = TwinApp::new(AppIdentity::new(77, "by-pygithub"), PUBLIC);
    let twin =
        Twin::open(&world.path("bare.git"), TwinConfig::new("o", "agent").require_token("any-token").github_app(app))
            .await
            .unwrap();
    let serving = twin.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let mut flow = Command::new(python);
    flow.arg("-I").arg(sources().join("flow.py")).arg(serving.base_url()).arg("o/agent");
    flow.arg("77").arg(world.write("app.pem", PKCS1));
    // A proxy of this machine's is no way to this machine.
    flow.env("NO_PROXY", "*").env_remove("HTTP_PROXY").env_remove("http_proxy");
    let ran = tokio::task::spawn_blocking(move || Ran::of(&mut flow)).await.unwrap().expect(0, STEPS);
    let made: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    let made = |name: &str| made[name].as_str().unwrap().to_owned();
    serving.shutdown().await;

    let git = |args: &[&str]| git(&world.path("bare.git"), args.iter().copied());
    assert_eq!(git(&["rev-parse", "main"]), made("landed"));
    assert_eq!(
        git(&["rev-list", "--parents", "main"]).lines().next().unwrap(),
        format!("{} {}", made("landed"), made("base"))
    );
    assert_eq!(git(&["rev-parse", "main^{tree}"]), git(&["rev-parse", &format!("{}^{{tree}}", made("head"))]));
    assert_eq!(git(&["log", "-1", "--format=%B", "main"]), "Say why (#1)\n\nAnd how.");
    assert_eq!(
        git(&["-c", "core.quotePath=false", "ls-tree", "-r", "--format=%(objectmode) %(path)", "main"]),
        "100644 .gitignore\n100644 agent.txt\n100644 bin/data\n100755 bin/run.sh\n100644 docs/ä file #1 50%.txt\n\
         100644 selfext.toml\n100644 test.sh"
    );
    assert_eq!(git(&["cat-file", "blob", "main:agent.txt"]), "second");
    assert_eq!(git(&["cat-file", "-s", "main:bin/data"]), "256");
    assert_eq!(git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main\nrefs/heads/selfext/given-up");
}
