//! The scenes: each promotes a change and looks, in the repository itself, what became of it.

use std::time::{Duration, Instant};

use anyhow::Result;
use selfext::{CommitSha, Ending, Found, Outcome, Reason, RunId, Tick, WatchConfig};
use selfext_twin::{AutoCheck, CheckConclusion};

use super::Scene;
use super::world::{World, green, greeting};
use crate::show;

/// How often the agent reports and the watchdog looks.
const LOOK: Duration = Duration::from_millis(300);

/// After how long the demo gives up on the watchdog.
const PATIENCE: Duration = Duration::from_mins(2);

pub async fn a_good_change(world: &World) -> Result<Scene> {
    world.say("A good change: verified, published, green, merged.");
    let script = greeting("good day, $1");
    let outcome = world.promote("Greet politely", &script).await?;
    let holds = promoted(&outcome) && world.script_on_main()? == script;
    Ok(Scene { title: "a good change", expected: "promoted, and on main", seen: word(&outcome), holds })
}

pub async fn a_failing_test(world: &World) -> Result<Scene> {
    world.say("A change that breaks the agent's own test: stopped by verification, before anybody sees it.");
    let before = world.script_on_main()?;
    let outcome = world.promote("Greet briefly", &greeting("hi")).await?;
    let stopped = matches!(outcome.ending, Ending::VerificationFailed { .. }) && outcome.pull_request.is_none();
    let holds = stopped && world.script_on_main()? == before;
    Ok(Scene { title: "a failing test", expected: "verification failed, main untouched", seen: word(&outcome), holds })
}

pub async fn a_red_check_run(world: &World) -> Result<Scene> {
    world.say("A change that a security scan finds fault with, though the required CI is green: stopped at the gate.");
    let before = world.script_on_main()?;
    world.twin.on_new_head_set([green(), AutoCheck::check_run("security-scan", CheckConclusion::Failure)]);
    let outcome = world.promote("Greet loudly", &greeting("HELLO, $1")).await?;
    world.twin.on_new_head_set([green()]);
    let holds = blocked(&outcome, Reason::StatusGate) && world.script_on_main()? == before;
    Ok(Scene {
        title: "a red check run",
        expected: "blocked by status-gate, main untouched",
        seen: word(&outcome),
        holds,
    })
}

pub async fn a_pause(world: &World) -> Result<Scene> {
    world.say("A pause: the same change is blocked while it lasts, and promoted after it.");
    let before = world.script_on_main()?;
    let script = greeting("welcome, $1");
    let pause = world.operations.pause(&world.operator, "looking into an incident", false).await?;
    let first = world.promote("Greet warmly", &script).await?;
    let untouched = world.script_on_main()? == before;
    world.operations.resume(&world.operator, Some("all clear")).await?;
    let second = world.promote("Greet warmly", &script).await?;
    let same_run = first.run == second.run;
    let holds = pause.in_flight.is_empty()
        && blocked(&first, Reason::PromotionPaused)
        && untouched
        && promoted(&second)
        && same_run
        && world.script_on_main()? == script;
    let seen = format!("{}, then {}", word(&first), word(&second));
    Ok(Scene { title: "a pause", expected: "blocked by promotion-paused, then promoted by the same run", seen, holds })
}

pub async fn a_sick_change(world: &World) -> Result<Scene> {
    world.say(
        "A change that passes every test and greets nobody but the test's guest: promoted, found sick, and taken back.",
    );
    let title = "a sick change";
    let expected = "promoted, found sick by its heartbeats, and taken back";
    world.ask_for_health()?;
    let before = world.script_on_main()?;
    let script = greeting("welcome, $1").replace("greet() {", "greet() { [ \"$1\" = world ] || return 1;");
    let outcome = world.promote("Greet the world", &script).await?;
    if !promoted(&outcome) {
        return Ok(Scene { title, expected, seen: word(&outcome), holds: false });
    }
    let landed = world.script_on_main()? == script;
    let watchdog = world.selfext.watchdog(WatchConfig::default());
    let began = Instant::now();
    let found = loop {
        world.agent_greets_and_reports().await?;
        let progress = show::Progress::new(None);
        let look = watchdog.tick(&progress).await?;
        progress.finish(true);
        if !look.has_open_window() || began.elapsed() > PATIENCE {
            break look;
        }
        tokio::time::sleep(LOOK).await;
    };
    watchdog.release().await?;
    let taken_back = taken_back(&found, &outcome.run);
    let holds = landed && taken_back.is_some() && world.script_on_main()? == before;
    let back =
        taken_back.map_or_else(|| "not taken back".to_owned(), |commit| format!("taken back by {}", commit.short()));
    let seen = format!("{}, then {back}", word(&outcome));
    Ok(Scene { title, expected, seen, holds })
}

/// The commit that took a run back in this look.
fn taken_back<'a>(look: &'a Tick, run: &RunId) -> Option<&'a CommitSha> {
    let Tick::Looked { findings, .. } = look else { return None };
    findings.iter().find(|finding| finding.run == *run).and_then(|finding| match &finding.found {
        Found::RolledBack { commit } => Some(commit),
        _ => None,
    })
}

fn promoted(outcome: &Outcome) -> bool {
    matches!(outcome.ending, Ending::Promoted { tree_matches: true, already: false, .. })
}

fn blocked(outcome: &Outcome, reason: Reason) -> bool {
    matches!(&outcome.ending, Ending::Blocked(refusal) if refusal.reason == reason)
}

fn word(outcome: &Outcome) -> String {
    match &outcome.ending {
        Ending::Promoted { commit, .. } => format!("promoted as {}", commit.short()),
        Ending::Blocked(refusal) => format!("blocked by {}", refusal.reason),
        Ending::VerificationFailed { refusal, .. } => format!("verification failed ({})", refusal.detail),
        Ending::Failed(refusal) => format!("failed by {}", refusal.reason),
        Ending::RolledBack { commit } => format!("taken back by {}", commit.short()),
        Ending::Abandoned => "abandoned".to_owned(),
        Ending::InDoubt { detail } => format!("in doubt: {detail}"),
    }
}
