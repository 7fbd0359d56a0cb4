//! The types that an answer can be made of, and the fields of them that the twin knows. Their names are GitHub's.

/// An object type.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Each field, with its type if that is an object too.
    pub(super) fields: &'static [(&'static str, Option<&'static Kind>)],
}

pub(super) const CREATE_REF: Kind =
    Kind { name: "CreateRefPayload", fields: &[("clientMutationId", None), ("ref", Some(&REF))] };

pub(super) const CREATE_COMMIT: Kind = Kind {
    name: "CreateCommitOnBranchPayload",
    fields: &[("clientMutationId", None), ("commit", Some(&COMMIT)), ("ref", Some(&REF))],
};

pub(super) const CREATE_PULL_REQUEST: Kind = Kind {
    name: "CreatePullRequestPayload",
    fields: &[("clientMutationId", None), ("pullRequest", Some(&PULL_REQUEST))],
};

pub(super) const ENQUEUE_PULL_REQUEST: Kind = Kind {
    name: "EnqueuePullRequestPayload",
    fields: &[("clientMutationId", None), ("mergeQueueEntry", Some(&QUEUE_ENTRY))],
};

pub(super) const DEQUEUE_PULL_REQUEST: Kind = Kind {
    name: "DequeuePullRequestPayload",
    fields: &[("clientMutationId", None), ("mergeQueueEntry", Some(&QUEUE_ENTRY))],
};

pub(super) const REPOSITORY: Kind = Kind {
    name: "Repository",
    fields: &[("id", None), ("name", None), ("nameWithOwner", None), ("pullRequest", Some(&PULL_REQUEST))],
};

const QUEUE_ENTRY: Kind = Kind {
    name: "MergeQueueEntry",
    fields: &[
        ("id", None),
        ("position", None),
        ("state", None),
        ("enqueuedAt", None),
        ("estimatedTimeToMerge", None),
        ("jump", None),
        ("solo", None),
        ("enqueuer", Some(&ACTOR)),
        ("baseCommit", Some(&COMMIT)),
        ("headCommit", Some(&COMMIT)),
    ],
};

const ACTOR: Kind = Kind { name: "Actor", fields: &[("login", None)] };

pub(super) const ORGANIZATION: Kind = Kind { name: "Organization", fields: &[("login", None), ("team", Some(&TEAM))] };

const TEAM: Kind = Kind { name: "Team", fields: &[("slug", None), ("name", None), ("members", Some(&TEAM_MEMBERS))] };

const TEAM_MEMBERS: Kind =
    Kind { name: "TeamMemberConnection", fields: &[("totalCount", None), ("nodes", Some(&USER))] };

const USER: Kind = Kind { name: "User", fields: &[("login", None)] };

const REF: Kind =
    Kind { name: "Ref", fields: &[("id", None), ("name", None), ("prefix", None), ("target", Some(&GIT_OBJECT))] };

const GIT_OBJECT: Kind = Kind { name: "GitObject", fields: &[("id", None), ("oid", None)] };

const TREE: Kind = Kind { name: "Tree", fields: &[("id", None), ("oid", None)] };

const COMMIT: Kind = Kind {
    name: "Commit",
    fields: &[
        ("id", None),
        ("oid", None),
        ("url", None),
        ("message", None),
        ("tree", Some(&TREE)),
        ("parents", Some(&PARENTS)),
    ],
};

const PARENTS: Kind = Kind { name: "CommitConnection", fields: &[("totalCount", None), ("nodes", Some(&PARENT))] };

const PARENT: Kind = Kind { name: "Commit", fields: &[("id", None), ("oid", None)] };

pub(super) const PULL_REQUEST: Kind = Kind {
    name: "PullRequest",
    fields: &[
        ("id", None),
        ("number", None),
        ("url", None),
        ("title", None),
        ("body", None),
        ("state", None),
        ("isDraft", None),
        ("merged", None),
        ("mergedAt", None),
        ("closed", None),
        ("headRefName", None),
        ("headRefOid", None),
        ("baseRefName", None),
        ("baseRefOid", None),
        ("isInMergeQueue", None),
        ("isMergeQueueEnabled", None),
        ("mergeCommit", Some(&COMMIT)),
        ("mergeQueueEntry", Some(&QUEUE_ENTRY)),
    ],
};
