//! The steps in which walls are raised, by number, so that a child can name the one that failed without any memory of its own.

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(super) enum Step {
    Session = 1,
    Cgroup,
    Namespaces,
    UserMap,
    Keeper,
    Fork,
    FileSystem,
    Proc,
    Root,
    Loopback,
    Capabilities,
    Privileges,
    Landlock,
    Limits,
    Filter,
    Folder,
}

const ALL: &[(Step, &str)] = &[
    (Step::Session, "a session of its own"),
    (Step::Cgroup, "its control group"),
    (Step::Namespaces, "namespaces of its own"),
    (Step::UserMap, "the users of its namespace"),
    (Step::Keeper, "a keeper of its processes"),
    (Step::Fork, "a process for it"),
    (Step::FileSystem, "a file system of its own"),
    (Step::Proc, "a /proc of its own"),
    (Step::Root, "a root of its own"),
    (Step::Loopback, "a loopback of its own"),
    (Step::Capabilities, "giving up capabilities"),
    (Step::Privileges, "giving up new privileges"),
    (Step::Landlock, "Landlock"),
    (Step::Limits, "resource limits"),
    (Step::Filter, "the filter of system calls"),
    (Step::Folder, "its folder"),
];

/// The words for a step's number.
pub(super) fn words(step: i32) -> &'static str {
    ALL.iter().find(|(known, _)| *known as i32 == step).map_or("an unknown step", |(_, words)| *words)
}
