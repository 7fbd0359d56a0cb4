//! Changes that make the agent sick in the ways that agents are, and one that does not.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;

use super::supervisor::Supervisor;
use crate::github::Github;
use crate::live::Live;
use crate::world::{Ran, World, git};

/// In seconds, so that a window that nothing happens in takes no longer than a test may.
const HEALTH: &str = "[health]\nstart_seconds = 12\nhealthy_seconds = 3\nsamples = 4\nerror_budget = 1\nsilence_seconds = 5\nwindow_seconds \
                      = 60\n";

const REST: &str = "[[verification.stage]]\nname = \"parses\"\ncommand = [\"sh\", \"-n\", \"agent.sh\"]\n";

const GATE: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\nwait_seconds = 30\npoll_seconds = 1\n";

/// One agent, its repository behind a twin, its supervisor and its watch.
struct Scene {
    github: Github,
    watch: Live,
    supervisor: Option<Supervisor>,
    /// The commit before the change.
    first: String,
}

impl Scene {
    /// An agent that behaves like this to begin with, and is asked by a probe if that is how it shows that it is well.
    async fn new(behaviour: &str) -> Self {
        let world = World::new();
        let host = world.path("host");
        std::fs::create_dir(&host).unwrap();
        assert!(Command::new("mkfifo").arg(host.join("questions")).status().unwrap().success());
        let probe = match behaviour {
            "probed" => probe(&world, &host),
            _ => String::new(),
        };
        git(&world.path("."), ["init", "-q", "-b", "main", "agent"]);
        for (name, text) in [
            ("agent.sh", include_str!("agent.sh")),
            ("behaviour", &format!("{behaviour}\n")),
            ("selfext.toml", &format!("{GATE}{HEALTH}{probe}{REST}")),
        ] {
            world.write(&format!("agent/{name}"), text);
        }
        world.commit("The agent");
        let github = Github::with_world(world).await;
        let first = git(&github.bare, ["rev-parse", "main"]);
        let supervisor = Some(Supervisor::start(&github, &host));
        let mut watch = Live::start(github.quiet_command(&["watch", "--interval-seconds", "1"]));
        watch.wait_for("watching --github o/agent");
        Self { github, watch, supervisor, first }
    }

    /// Promotes another behaviour, and answers the run and the commit that it landed as.
    fn promote(&self, behaviour: &str) -> (String, String) {
        let from = self.github.world.write("new-behaviour", format!("{behaviour}\n"));
        let file = format!("behaviour={from}");
        let args = ["promote", "--message", "Behave otherwise", "--file", &file];
        let ran = Ran::of(&mut self.github.quiet_command(&args)).expect(0, &["promoted: "]);
        let line = ran.stdout.lines().find_map(|line| line.strip_prefix("promoted: ")).unwrap();
        (ran.run_id(), line.to_owned())
    }

    /// Somebody else brings a file to main, past selfext.
    fn others_change(&self, name: &str) {
        let folder = self.github.world.path("others");
        git(&self.github.world.path("."), ["clone", "-q", self.github.bare.to_str().unwrap(), "others"]);
        std::fs::write(folder.join(name), "theirs\n").unwrap();
        git(&folder, ["add", "-A"]);
        git(&folder, ["commit", "-q", "-m", "Ours"]);
        git(&folder, ["push", "-q", "origin", "main"]);
    }

    fn status(&self) -> Ran {
        Ran::of(&mut self.github.world.command(["status"]))
    }

    /// Ends the watch as a service manager does, and then everything else. What the watch printed is the answer.
    async fn end(self) -> String {
        let Self { github, watch, supervisor, .. } = self;
        watch.signal(Signal::TERM);
        let (code, seen) = watch.end();
        assert_eq!(code, Some(0), "{seen}");
        drop(supervisor);
        github.serving.shutdown().await;
        seen
    }
}

/// The rules of a probe that asks the agent of this host.
fn probe(world: &World, host: &Path) -> String {
    let script = world.write("probe.sh", include_str!("probe.sh"));
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let host = host.to_str().unwrap();
    format!("[health.probe]\ncommand = [\"sh\", \"{script}\", \"{host}\"]\ninterval_seconds = 1\ntimeout_seconds = 1\n")
}

/// A change that makes the agent behave like this is taken back, for a reason that says `why`.
async fn is_rolled_back(before: &str, behaviour: &str, others: &[&str], why: &str) {
    let mut scene = Scene::new(before).await;
    let (run, landed) = scene.promote(behaviour);
    scene.watch.wait_for(&format!("run {run} has to prove itself as {}", &landed[..10]));
    for name in others {
        scene.others_change(name);
    }
    scene.watch.wait_for(&format!("run {run} is being taken back by run "));
    scene.watch.wait_for(&format!("run {run} was taken back by "));
    let bare = scene.github.bare.clone();
    assert_eq!(git(&bare, ["diff", "--name-only", &scene.first, "main"]), others.join("\n"), "{behaviour}");
    let ran = Ran::of(&mut scene.github.world.command(["events", "--run", &run]));
    ran.expect(0, &["health_window_failed", why, "rollback_started", "rolled_back"]);
    scene.status().expect(0, &[&format!("the baseline of o/agent main is {}", scene.first), "rolled-back"]);
    let seen = scene.end().await;
    assert!(seen.contains("ended; what was begun is in the ledger"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_way_a_change_makes_the_agent_sick_it_is_rolled_back_and_what_others_changed_stays() {
    tokio::join!(
        spawned(is_rolled_back("well", "crash", &["theirs.txt"], "was not seen running within 12 s")),
        spawned(is_rolled_back("probed", "slow", &[], "was not seen running within 12 s")),
        spawned(is_rolled_back("well", "errors", &[], "request 4 failed")),
        spawned(is_rolled_back("well", "hang", &[], "nothing was heard of it for more than 5 s")),
        spawned(is_rolled_back("well", "cut-off", &[], "nothing was heard of it for more than 5 s")),
        spawned(is_rolled_back("well", "keep-the-old", &[], "was not seen running within 12 s")),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_keeps_the_agent_well_moves_the_baseline() {
    tokio::join!(spawned(moves_the_baseline("well", "better")), spawned(moves_the_baseline("probed", "probed")));
}

/// A change after which the agent shows that it is well, by heartbeats or when it is asked.
async fn moves_the_baseline(before: &str, behaviour: &str) {
    let mut scene = Scene::new(before).await;
    // The last line of the file is a remark, so that the change changes something.
    let (run, landed) = scene.promote(&format!("{behaviour}\n# rewritten"));
    scene.watch.wait_for(&format!("run {run} is healthy after "));
    scene.status().expect(0, &[&format!("the baseline of o/agent main is {landed}"), "healthy"]);
    assert_eq!(git(&scene.github.bare, ["rev-parse", "main"]), landed);
    scene.end().await;
}

/// A scene on threads of its own, because what it waits for it waits for blocking.
async fn spawned(scene: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Handle::current();
    let ended = tokio::task::spawn_blocking(move || runtime.block_on(scene)).await;
    if let Err(error) = ended {
        std::panic::resume_unwind(error.into_panic());
    }
}
