//! The protocol as a state machine: its states, its actions, and what must hold.

use stateright::{Model, Property};

use crate::forge::{Ask, Network, PULLS, Request, Sender, Site};
use crate::ledger::{Ledger, Past, Phase};
use crate::operator::Outside;
use crate::process::{Move, Process};
use crate::rules::{Bounds, Rule};
use crate::{PROCESSES, RUNS, Run};

/// The protocol, within its bounds, perhaps without one of its rules.
#[derive(Clone, Debug)]
pub struct Protocol {
    pub bounds: Bounds,
    pub without: Option<Rule>,
    pub aim: Aim,
    /// Whether states that differ only in which process is which count once. Not where a trace is to be read.
    pub symmetric: bool,
}

/// What the checker looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// That everything holds that must.
    Safety,
    /// A breach of this one property.
    Breach(&'static str),
    /// That this can happen.
    Witness(Witness),
}

/// Something that can happen, and is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    Landed,
    Resumed,
    LandedAfterResume,
    DoubtFoundLanded,
    FenceFailed,
    FenceFoundLanded,
    TakenOver,
}

impl Witness {
    pub const ALL: [Self; 6] = [
        Self::Landed,
        Self::LandedAfterResume,
        Self::DoubtFoundLanded,
        Self::FenceFailed,
        Self::FenceFoundLanded,
        Self::TakenOver,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Landed => "a merge lands",
            Self::Resumed => "promotion is resumed",
            Self::LandedAfterResume => "a merge lands after a pause and a resume",
            Self::DoubtFoundLanded => "a merge in doubt is found landed",
            Self::FenceFailed => "a fence ends a run as failed",
            Self::FenceFoundLanded => "a fence finds the merge landed",
            Self::TakenOver => "a merge is taken over",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct State {
    pub ledger: Ledger,
    pub past: Past,
    /// The database's own history: how many failovers there were.
    pub history: u8,
    pub sites: [Site; RUNS],
    /// How many merges are on main.
    pub main: u8,
    pub network: Network,
    pub processes: [Process; PROCESSES],
    /// How many more pauses there may be.
    pub pauses: u8,
    /// How many more acts of people there may be.
    pub people: u8,
    /// Every branch was fenced since the history changed.
    pub swept: bool,
    /// A pause answered "nothing in flight", and nobody has resumed since.
    pub quiet: bool,
    pub landed_in_quiet: bool,
    pub landed_elsewhere: bool,
    /// A merge was asked for while the control said paused.
    pub asked_in_pause: bool,
    /// How many `promoted` each run ever got.
    pub promoted: [u8; RUNS],
    witnessed: u8,
}

impl State {
    pub fn process(&self, number: u8) -> &Process {
        &self.processes[usize::from(number)]
    }

    pub fn process_mut(&mut self, number: u8) -> &mut Process {
        &mut self.processes[usize::from(number)]
    }

    pub fn site(&self, run: Run) -> &Site {
        &self.sites[usize::from(run)]
    }

    pub fn site_mut(&mut self, run: Run) -> &mut Site {
        &mut self.sites[usize::from(run)]
    }

    pub fn send(&mut self, run: Run, number: u8, ask: Ask) {
        self.asked_in_pause |= self.ledger.paused && matches!(ask, Ask::Merge { .. });
        self.network.send(Request { run, from: Sender::Process(number), ask });
    }

    pub const fn witness(&mut self, protocol: &Protocol, witness: Witness) {
        if matches!(protocol.aim, Aim::Witness(_)) {
            self.witnessed |= 1 << witness as u8;
        }
    }

    pub const fn has_witnessed(&self, witness: Witness) -> bool {
        self.witnessed & (1 << witness as u8) != 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Process(u8, Move),
    /// A request arrives, and is carried out or, a merge alone, refused.
    Deliver(Request, usize),
    Refuse(Request, usize),
    Outside(Outside),
}

/// After `pause` answered "nothing in flight", no merge lands until `resume`.
pub const QUIET: &str = "nothing lands after a pause said so";
/// A pause that is written stops all asking, so that what is in flight comes to an end.
pub const STILL: &str = "nothing is asked for under a pause";
/// At most one merge lands for one run.
pub const ONCE: &str = "a run lands at most once";
/// A run whose change is on main has an open permit, or is promoted: it is neither failed nor blocked.
pub const TRUTH: &str = "what landed is neither failed nor blocked";
/// What lands, lands on the base it was verified on.
pub const BASE: &str = "what lands was verified on its base";
/// A run is never promoted twice.
pub const PROMOTED_ONCE: &str = "a run is promoted at most once";

impl Protocol {
    pub fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// Sorting puts the processes that there are not first, where nobody does anything.
    fn place(&self, number: u8) -> u8 {
        let absent = if self.symmetric { PROCESSES - usize::from(self.bounds.processes) } else { 0 };
        number + u8::try_from(absent).expect("a few")
    }

    fn safety(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::always(QUIET, |_, state: &State| !state.landed_in_quiet),
            Property::always(STILL, |_, state: &State| !state.asked_in_pause),
            Property::always(ONCE, |_, state: &State| state.sites.iter().all(|site| site.landed < 2)),
        ];
        if self.bounds.failovers == 0 {
            all.push(Property::always(TRUTH, |_, state: &State| {
                let mut runs = state.sites.iter().zip(&state.ledger.streams);
                runs.all(|(site, stream)| {
                    site.landed == 0 || stream.open_permit().is_some() || stream.phase == Phase::Promoted
                })
            }));
            all.push(Property::always(BASE, |_, state: &State| !state.landed_elsewhere));
            all.push(Property::always(PROMOTED_ONCE, |_, state: &State| state.promoted.iter().all(|times| *times < 2)));
        }
        all
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut state = State {
            ledger: Ledger::default(),
            past: Past::default(),
            history: 0,
            sites: [Site::default(); RUNS],
            main: 0,
            network: Network::default(),
            processes: [Process::default(); PROCESSES],
            pauses: self.bounds.pauses,
            people: self.bounds.people,
            swept: false,
            quiet: false,
            landed_in_quiet: false,
            landed_elsewhere: false,
            asked_in_pause: false,
            promoted: [0; RUNS],
            witnessed: 0,
        };
        for (tip, stream) in (1..).zip(&mut state.ledger.streams) {
            stream.tip = tip;
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let mut moves = Vec::new();
        for number in 0..self.bounds.processes {
            state.process(self.place(number)).moves(self, &mut moves);
            actions.extend(moves.drain(..).map(|what| Action::Process(self.place(number), what)));
        }
        for (slot, request) in state.network.iter() {
            actions.push(Action::Deliver(request, slot));
            if matches!(request.ask, Ask::Merge { .. }) && request.from != Sender::Gone {
                actions.push(Action::Refuse(request, slot));
            }
        }
        let bounds = &self.bounds;
        let mut outside = |what| actions.push(Action::Outside(what));
        if bounds.pauses > 0 {
            outside(Outside::Pause);
            outside(Outside::Answer);
        }
        outside(Outside::Resume);
        if bounds.failovers > 0 {
            outside(Outside::Sweep);
            (0..=bounds.lost).for_each(|lost| outside(Outside::Failover { lost }));
        }
        for run in 0..bounds.runs {
            outside(Outside::FindLanded(run));
            outside(Outside::End(run));
            outside(Outside::CloseOver(run));
            outside(Outside::DeleteOver(run));
            if state.people > 0 {
                outside(Outside::PeopleDelete(run));
            }
            for pull in (0..PULLS).filter(|_| state.people > 0) {
                outside(Outside::PeopleClose(run, pull));
                outside(Outside::PeopleReopen(run, pull));
                outside(Outside::PeopleRestore(run, pull));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Process(number, what) => self.make(&mut state, number, what)?,
            Action::Deliver(_, slot) => self.deliver(&mut state, slot, false)?,
            Action::Refuse(_, slot) => self.deliver(&mut state, slot, true)?,
            Action::Outside(what) => self.outside(&mut state, what)?,
        }
        self.canonical(&mut state);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        match self.aim {
            Aim::Safety => self.safety(),
            Aim::Breach(name) => self.safety().into_iter().filter(|property| property.name == name).collect(),
            Aim::Witness(witness) => {
                vec![Property::sometimes(
                    witness.name(),
                    |protocol: &Self, state: &State| matches!(protocol.aim, Aim::Witness(wanted) if state.has_witnessed(wanted)),
                )]
            }
        }
    }
}
