//! A process that promotes one change after another, until it is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fastrand::Rng;
use selfext::{ChangeSet, Ending, PromoteError, Selfext};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use super::{BASES, open_for};
use crate::world::*;

const API: &str = "SELFEXT_STORM_API";
const BARE: &str = "SELFEXT_STORM_REPOSITORY";
const FOLDER: &str = "SELFEXT_STORM_FOLDER";
const LEDGER: &str = "SELFEXT_STORM_LEDGER";
const PLACE: &str = "SELFEXT_STORM_PLACE";
const DICE: &str = "SELFEXT_STORM_DICE";

/// A place that one process after another takes, with a cache and changes of its own.
pub struct Promoter {
    place: usize,
    folder: PathBuf,
    /// None only between two.
    process: Option<Child>,
}

impl Promoter {
    pub fn start(world: &World, place: usize, random: &mut Rng) -> Self {
        let folder = world.folder().join(format!("promoter-{place}"));
        std::fs::create_dir_all(&folder).unwrap();
        let process = Some(start(world, place, &folder, random.u64(..)));
        Self { place, folder, process }
    }

    /// Kills the process, and starts another one in its place.
    pub async fn replace(&mut self, world: &World, random: &mut Rng) {
        self.kill().await;
        self.process = Some(start(world, self.place, &self.folder, random.u64(..)));
    }

    pub async fn kill(&mut self) {
        // Taken, because the storm may end while this waits.
        let Some(mut process) = self.process.take() else { return };
        if let Some(status) = process.try_wait().unwrap() {
            let said = std::fs::read_to_string(self.folder.join("said")).unwrap();
            panic!("promoter {} ended by itself with {status}: {said}", self.place);
        }
        process.kill().await.unwrap();
    }
}

fn start(world: &World, place: usize, folder: &Path, dice: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "storm::promoter::child", "--nocapture"])
        .env(API, world.api())
        .env(BARE, &world.bare)
        .env(FOLDER, folder)
        .env(LEDGER, world.ledger_url())
        .env(PLACE, place.to_string())
        .env(DICE, dice.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("said")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// What the process does; by itself this test has nothing to promote.
#[tokio::test]
#[ignore = "it is a process of this suite, which starts and kills it"]
async fn child() {
    let told = |name| std::env::var(name).unwrap();
    let (folder, place) = (PathBuf::from(told(FOLDER)), told(PLACE).parse::<usize>().unwrap());
    let (api, bare, cache, ledger) = (told(API), PathBuf::from(told(BARE)), folder.join("cache"), told(LEDGER));
    let holder = format!("promoter-{place}:{}", std::process::id());
    let random = Rng::with_seed(told(DICE).parse().unwrap());
    let promoting = async {
        let selfext = open_for(BASES[place % BASES.len()], &api, &bare, &cache, &ledger, holder).await;
        promote_for_ever(&selfext, place, &folder, random).await;
    };
    let mut nothing = [0];
    let mut stdin = tokio::io::stdin();
    tokio::select! {
        () = promoting => {}
        // A storm that was killed itself leaves nobody behind.
        _ = stdin.read(&mut nothing) => {}
    }
}

/// Which change is under way is kept in a file, so that a new process can go on with the change of the killed one.
async fn promote_for_ever(selfext: &Selfext, place: usize, folder: &Path, mut random: Rng) {
    let under_way = folder.join("under-way");
    let mut number: u64 = std::fs::read_to_string(&under_way).map_or(0, |text| text.parse().unwrap());
    if random.u8(..4) == 0 {
        number += 1;
    }
    loop {
        std::fs::write(&under_way, number.to_string()).unwrap();
        match selfext.promote(&change_of(place, number)).await {
            Ok(outcome) if matches!(outcome.ending, Ending::Promoted { .. }) => number += 1,
            Ok(_) | Err(PromoteError::Contended(_)) => number += u64::from(random.u8(..4) == 0),
            Err(error) => panic!("{error:?}"),
        }
        // A refused agent does something else for a moment.
        tokio::time::sleep(Duration::from_millis(random.u64(..40))).await;
    }
}

fn change_of(place: usize, number: u64) -> ChangeSet {
    let name = format!("{place}/{number}.txt");
    builder("One of very many").write(path(&name), format!("{name}\n")).build().unwrap()
}
