//! The pause storm: promoting processes are killed and started at random moments, the twin delays, drops and loses what it
//! likes, and an operator pauses and resumes. Whether anything merged inside a pause is judged from the repository alone.
//!
//! `SELFEXT_STORM_PAUSES` says how many pauses there are on each database, and `SELFEXT_STORM_SEED` repeats the dice of a run.

mod evidence;
mod operator;
mod promoter;
mod verdict;
mod weather;

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;
use selfext::{BranchName, Selfext};

use self::operator::Operator;
use self::verdict::Verdict;
use self::weather::Weather;
use crate::world::*;

/// The branches that changes land on.
const BASES: [&str; 2] = ["main", "second"];

/// How many pauses the short form has on each database.
const PAUSES: usize = 16;

/// For how long a permit lasts here: short, so that what a killed process leaves open is fenced while the storm goes on.
const PERMIT: Duration = Duration::from_secs(1);

/// What the environment says, if it says anything.
fn said<T: FromStr<Err: Display>>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// selfext as every process of the storm opens it.
async fn open_for(base: &str, api: &str, bare: &Path, cache: &Path, ledger: &str, holder: String) -> Selfext {
    unopened(api, bare, cache.to_owned(), ledger.parse().unwrap())
        .base(BranchName::parse(base).unwrap())
        .holder(holder)
        .permit_deadline(PERMIT)
        .retry_pause(Duration::from_millis(50))
        .open()
        .await
        .unwrap()
}

async fn storm(backend: Backend) {
    let seed = said("SELFEXT_STORM_SEED").unwrap_or_else(|| fastrand::u64(..));
    let pauses = said("SELFEXT_STORM_PAUSES").unwrap_or(PAUSES);
    println!("pause storm on {backend:?}: {pauses} pauses, seed {seed}");
    let mut random = Rng::with_seed(seed);
    let world = World::new(backend).await;
    world.git(&["branch", "second", "main"]);

    let mut weather = Weather::new(&world, random.fork());
    let held = weather.held();
    let mut operator = Operator::new(&world, held.clone(), random.fork()).await;
    tokio::select! {
        () = operator.pause_and_resume(pauses) => {}
        () = weather.blow() => {}
    }
    let kills = weather.calm().await;
    operator.reconcile().await;
    held.release_all();
    weather::all_arrived(&world).await;

    let Verdict { merges, fences, wrong } = Verdict::of(&world).await;
    operator.violations.extend(wrong);
    let Operator { pauses, in_flight, late, violations, .. } = &operator;
    println!(
        "pause storm on {backend:?}: {pauses} pauses ({in_flight} with merges in flight), {kills} kills, {merges} merges, \
         {fences} fences, {late} held requests let go in a pause, {} violations; seed {seed}",
        violations.len(),
    );
    assert!(violations.is_empty(), "{}", violations.join("\n\n"));
    assert!(operator.was_a_storm() && kills > pauses / 10 && *late >= pauses / 50, "no storm: it proves nothing");
    drop(operator);
    world.end_disturbed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_merges_inside_a_pause_on_postgres() {
    storm(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_merges_inside_a_pause_on_sqlite() {
    storm(Backend::Sqlite).await;
}
