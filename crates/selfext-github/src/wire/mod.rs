//! GitHub's JSON, as far as it is read or written here. One file a resource.

mod app;
mod blob;
mod branch;
mod check_run;
mod comment;
mod commit;
mod comparison;
mod error_body;
mod graphql;
mod members;
mod merge;
mod merge_queue;
mod mutation;
mod pull_request;
mod reference;
mod repository;
mod review;
mod status;
mod tree;

pub(crate) use app::{InstallationBody, IssuedToken, NewToken, WhichApp};
pub(crate) use blob::{NewBlob, WrittenBlob};
pub(crate) use branch::{BranchBody, RuleBody};
pub(crate) use check_run::{CheckRunBody, CheckRunOutput, CheckRunPage, NewCheckRun, UpdatedCheckRun};
pub(crate) use comment::{CommentBody, NewComment};
pub(crate) use commit::{CommitBody, NewCommit};
pub(crate) use comparison::Comparison;
pub(crate) use error_body::ErrorBody;
pub(crate) use graphql::{GraphqlAnswer, GraphqlError, GraphqlRequest};
pub(crate) use members::{MEMBERS, MembersData, MembersVariables};
pub(crate) use merge::{AsyncMerge, AsyncMergeRequest, MergeRequest, MergeResult};
pub(crate) use merge_queue::{
    DEQUEUE, DequeueInput, ENQUEUE, EnqueueInput, EnqueuedData, Input, QUEUED, QueuedData, QueuedPull, QueuedVariables,
};
pub(crate) use mutation::{
    CommitMessage, CommittableBranch, CreateCommitOnBranch, CreatePullRequest, CreateRef, FileAddition, FileChanges,
    FileDeletion, MadeCommit, OpenedPullRequest, PUBLISH, PublishData, PublishVariables,
};
pub(crate) use pull_request::{CloseRequest, EditRequest, NewPullRequest, PullRequestBody};
pub(crate) use reference::{MoveReference, NewReference, ReferenceBody};
pub(crate) use repository::{RepositoryBody, RepositorySettings};
pub(crate) use review::{Permission, ReviewBody, User};
pub(crate) use status::{NewStatus, StatusBody, StatusPage};
pub(crate) use tree::{NewTree, NewTreeEntry, TreeSource, WrittenTree};
