//! How much is done.

use std::time::Duration;

/// How much is done.
pub struct Size {
    pub smoke: bool,
    /// How many events the full ledger has.
    pub events: u64,
    /// How often each way is measured.
    pub rounds: usize,
    /// How long a way is measured at a time.
    pub turn: Duration,
    /// How often something is read.
    pub reads: usize,
    /// The one part that is measured, if it is not all of them.
    pub only: Option<String>,
}

impl Size {
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut size =
            Self { smoke: false, events: 200_000, rounds: 15, turn: Duration::from_secs(1), reads: 2_000, only: None };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--smoke" => {
                    let turn = Duration::from_millis(300);
                    size = Self { smoke: true, events: 2_000, rounds: 1, turn, reads: 50, only: size.only };
                }
                "--events" => size.events = arguments.next().unwrap().parse().unwrap(),
                "--rounds" => size.rounds = arguments.next().unwrap().parse().unwrap(),
                "--turn" => size.turn = Duration::from_millis(arguments.next().unwrap().parse().unwrap()),
                "--only" => size.only = arguments.next(),
                // What cargo adds.
                "--bench" => {}
                other => panic!(
                    "{other}? There are --smoke, --events NUMBER, --rounds NUMBER, --turn MILLISECONDS and --only PART"
                ),
            }
        }
        size
    }

    /// Whether a part is to be measured.
    pub fn includes(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}
