//! What is to be done to one path, by what the three commits have there.

use crate::candidate::{Entry, Kind};

/// What restores a path, or why nothing does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is as it was already.
    Restored,
    /// It goes.
    Delete,
    /// It holds what this object does.
    Write { object: String, executable: bool },
    /// Others changed it too: what landed is to be undone in what they made of it.
    Merge { now: Entry, landed: String, before: String, executable: bool },
    /// Somebody has to judge.
    Conflict(String),
}

/// Judges by what is at the path `before` the change, as it `landed`, and `now`.
pub(super) fn judge(before: Option<Entry>, landed: Option<Entry>, now: Option<Entry>) -> Verdict {
    if now == before {
        return Verdict::Restored;
    }
    if now == landed {
        return match before.map(|before| (before.kind, before.kind.executable(), before.object)) {
            None => Verdict::Delete,
            Some((_, Some(executable), object)) => Verdict::Write { object, executable },
            Some((kind, None, _)) => {
                Verdict::Conflict(format!("it was {}, which no change set can write", kind.words()))
            }
        };
    }
    let (before, landed, now) = match (before, landed, now) {
        (Some(before), Some(landed), Some(now)) => (before, landed, now),
        (_, _, None) => return conflict("others have deleted it since"),
        (None, _, Some(_)) => return conflict("it was new, and others have changed it since"),
        (Some(_), None, Some(now)) => {
            return Verdict::Conflict(format!("it was deleted, and others have put {} there since", now.kind.words()));
        }
    };
    let kinds = (before.kind.executable(), landed.kind.executable(), now.kind.executable());
    let (Some(was), Some(became), Some(is)) = kinds else { return of_other_kinds(before.kind, now.kind) };
    // Of three answers to one question two are the same, so that modes can always be merged.
    let executable = if is == became { was } else { is };
    if before.object == landed.object || now.object == before.object {
        return if executable == is { Verdict::Restored } else { Verdict::Write { object: now.object, executable } };
    }
    if now.object == landed.object {
        return Verdict::Write { object: before.object, executable };
    }
    Verdict::Merge { now, landed: landed.object, before: before.object, executable }
}

fn of_other_kinds(before: Kind, now: Kind) -> Verdict {
    let (is, was) = (now.words(), before.words());
    if now.executable().is_none() {
        return Verdict::Conflict(format!("others have made {is} of it since"));
    }
    if before.executable().is_none() {
        return Verdict::Conflict(format!("it was {was}, and others have changed since what it became"));
    }
    Verdict::Conflict("others have replaced since what it became".to_owned())
}

fn conflict(detail: &str) -> Verdict {
    Verdict::Conflict(detail.to_owned())
}

#[cfg(test)]
mod tests {
    use Kind::{Executable, File, Submodule, Symlink};

    use super::*;

    /// An entry, or that there is none.
    type Said = Option<(Kind, &'static str)>;

    fn judged(before: Said, landed: Said, now: Said) -> Verdict {
        let entry = |said: Said| said.map(|(kind, object)| Entry { kind, object: object.to_owned() });
        judge(entry(before), entry(landed), entry(now))
    }

    fn write(object: &str, executable: bool) -> Verdict {
        Verdict::Write { object: object.to_owned(), executable }
    }

    #[test]
    fn what_nobody_changed_since_is_restored() {
        let (a, b) = (Some((File, "a")), Some((File, "b")));
        assert_eq!(judged(a, b, b), write("a", false));
        assert_eq!(judged(None, b, b), Verdict::Delete);
        assert_eq!(judged(a, None, None), write("a", false));
        assert_eq!(judged(Some((Executable, "a")), a, a), write("a", true));
        assert_eq!(judged(a, Some((Symlink, "l")), Some((Symlink, "l"))), write("a", false));
    }

    #[test]
    fn what_is_as_it_was_is_left_alone() {
        for was in [None, Some((File, "a")), Some((Symlink, "a")), Some((Submodule, "a"))] {
            assert_eq!(judged(was, Some((File, "b")), was), Verdict::Restored);
        }
        // The mode is as it was, and the bytes are those of others.
        assert_eq!(judged(Some((File, "a")), Some((Executable, "a")), Some((File, "c"))), Verdict::Restored);
        // The bytes are as they were, and the mode is that of others.
        assert_eq!(judged(Some((File, "a")), Some((File, "b")), Some((Executable, "a"))), Verdict::Restored);
    }

    #[test]
    fn bytes_and_modes_are_undone_each_by_itself() {
        let (was, became) = (Some((File, "a")), Some((Executable, "a")));
        assert_eq!(judged(was, became, Some((Executable, "c"))), write("c", false));
        assert_eq!(judged(was, Some((File, "b")), Some((Executable, "b"))), write("a", true));
        assert_eq!(judged(was, Some((Executable, "b")), Some((Executable, "a"))), write("a", false));
        assert_eq!(judged(was, Some((Executable, "b")), Some((File, "b"))), write("a", false));
        let merge = |kind, executable| {
            let now = Entry { kind, object: "c".to_owned() };
            Verdict::Merge { now, landed: "b".to_owned(), before: "a".to_owned(), executable }
        };
        assert_eq!(judged(was, Some((Executable, "b")), Some((Executable, "c"))), merge(Executable, false));
        assert_eq!(judged(was, Some((File, "b")), Some((Executable, "c"))), merge(Executable, true));
    }

    #[test]
    fn what_cannot_be_written_or_was_changed_otherwise_is_a_conflict_that_says_so() {
        let (a, b, c) = (Some((File, "a")), Some((File, "b")), Some((File, "c")));
        let (link, other_link) = (Some((Symlink, "l")), Some((Symlink, "m")));
        for (before, landed, now, part) in [
            (link, b, b, "it was a symbolic link, which no change set can write"),
            (Some((Submodule, "s")), None, None, "it was a submodule"),
            (a, b, None, "others have deleted it"),
            (None, b, c, "it was new, and others have changed it"),
            (a, None, c, "others have put a file there"),
            (a, None, link, "others have put a symbolic link there"),
            (a, b, link, "others have made a symbolic link of it"),
            (link, b, c, "it was a symbolic link, and others have changed"),
            (link, other_link, Some((Symlink, "n")), "others have made a symbolic link of it"),
            (a, link, c, "others have replaced"),
        ] {
            let verdict = judged(before, landed, now);
            assert!(matches!(&verdict, Verdict::Conflict(detail) if detail.contains(part)), "{part}: {verdict:?}");
        }
    }
}
