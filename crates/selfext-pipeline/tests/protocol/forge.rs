//! The forge: main, one branch a run with its pull requests, and the requests that are on their way to it.

use crate::Run;

/// A commit on a run's branch. Its tree follows from the run and the base it was verified on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commit {
    pub id: u8,
    pub base: u8,
}

impl Commit {
    /// Every fence commit: no request to merge names one, so they need not be told apart.
    pub const FENCE: Self = Self { id: 1, base: 0 };

    pub const fn is_fence(self) -> bool {
        self.id == Self::FENCE.id
    }
}

/// A pull request, with the head that its record shows. Only an open one follows its branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pull {
    #[default]
    Absent,
    Open(Commit),
    Closed(Commit),
    Merged(Commit),
}

impl Pull {
    pub const fn record(self) -> Option<Commit> {
        match self {
            Self::Absent => None,
            Self::Open(head) | Self::Closed(head) | Self::Merged(head) => Some(head),
        }
    }
}

/// How many pull requests a run may get in its life.
pub const PULLS: usize = 2;

/// What the forge has of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Site {
    pub branch: Option<Commit>,
    pub pulls: [Pull; PULLS],
    /// How often a merge of this run landed on main.
    pub landed: u8,
}

impl Site {
    pub fn pull(&self, pull: u8) -> Pull {
        self.pulls[usize::from(pull)]
    }

    pub fn open_pull(&self) -> Option<u8> {
        (0..).zip(&self.pulls).find(|(_, pull)| matches!(pull, Pull::Open(_))).map(|(number, _)| number)
    }

    pub fn set_branch(&mut self, commit: Commit) {
        self.branch = Some(commit);
        for pull in &mut self.pulls {
            if matches!(pull, Pull::Open(_)) {
                *pull = Pull::Open(commit);
            }
        }
    }

    /// GitHub closes the pull requests of a branch that is deleted.
    pub fn delete_branch(&mut self) {
        self.branch = None;
        self.close_all();
    }

    pub fn close_all(&mut self) {
        for number in 0..PULLS {
            self.close(number);
        }
    }

    pub fn close(&mut self, number: usize) {
        if let Pull::Open(head) = self.pulls[number] {
            self.pulls[number] = Pull::Closed(head);
        }
    }

    /// Opens a pull request, or finds the one that is open.
    pub fn open(&mut self) -> Option<u8> {
        let head = self.branch?;
        if let Some(number) = self.open_pull() {
            return Some(number);
        }
        let free = self.pulls.iter().position(|pull| *pull == Pull::Absent)?;
        self.pulls[free] = Pull::Open(head);
        u8::try_from(free).ok()
    }

    /// Whether people may open a closed pull request again: its branch exists, and no other one is open.
    pub fn may_reopen(&self, number: usize) -> bool {
        matches!(self.pulls[number], Pull::Closed(_)) && self.branch.is_some() && self.open_pull().is_none()
    }
}

/// Who waits for the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sender {
    /// The sender died or waits no longer; the request may still arrive.
    Gone,
    Process(u8),
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ask {
    CreateBranch(Commit),
    /// For the branch and the pull request at once.
    Publish(Commit),
    ForceBranch(Commit),
    OpenPull,
    Merge {
        pull: u8,
        head: Commit,
    },
}

/// A request that was sent and has not arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    pub run: Run,
    pub from: Sender,
    pub ask: Ask,
}

/// The most requests on their way at once: one a process, and the strays.
pub const ON_THE_WAY: usize = 6;

/// The network, as a sorted multiset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Network {
    requests: [Option<Request>; ON_THE_WAY],
}

impl Network {
    pub fn iter(&self) -> impl Iterator<Item = (usize, Request)> + '_ {
        self.requests.iter().enumerate().filter_map(|(slot, request)| request.map(|request| (slot, request)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Request> {
        self.requests.iter_mut().flatten()
    }

    pub fn send(&mut self, request: Request) {
        let free =
            self.requests.iter().position(Option::is_none).expect("room for one request a process, and the strays");
        self.requests[free] = Some(request);
    }

    pub fn take(&mut self, slot: usize) -> Option<Request> {
        self.requests[slot].take()
    }

    pub fn retain(&mut self, keep: impl Fn(&Request) -> bool) {
        for slot in &mut self.requests {
            *slot = slot.filter(|request| keep(request));
        }
    }

    pub fn of(&self, process: u8) -> Option<usize> {
        self.iter().find(|(_, request)| request.from == Sender::Process(process)).map(|(slot, _)| slot)
    }

    pub fn strays(&self) -> usize {
        self.iter().filter(|(_, request)| request.from == Sender::Gone).count()
    }

    pub fn sort(&mut self) {
        self.requests.sort_unstable();
    }
}
