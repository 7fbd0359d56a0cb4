//! Commit objects.

use chrono::{DateTime, FixedOffset, Utc};

use super::{GitError, Oid};
use crate::clock;

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    /// The name, without `<`, `>` and control characters.
    pub(crate) name: String,
    /// The address, without `<`, `>` and control characters.
    pub(crate) email: String,
    /// The time, in whole seconds, with its offset.
    pub(crate) at: DateTime<FixedOffset>,
}

impl Signature {
    /// A signature at a time in UTC.
    pub(crate) fn at(name: &str, email: &str, at: DateTime<Utc>) -> Self {
        Self { name: name.to_owned(), email: email.to_owned(), at: at.fixed_offset() }
    }

    /// The twin itself, now: the committer of what it merges.
    pub(crate) fn twin() -> Self {
        Self::at("selfext-twin", "twin@selfext.invalid", clock::now())
    }

    /// A user, now.
    pub(crate) fn user(login: &str) -> Self {
        let email = format!("{login}@users.noreply.selfext.invalid");
        Self::at(login, &email, clock::now())
    }

    /// Whether git would accept the name and the address.
    pub(crate) fn is_clean(&self) -> bool {
        let clean = |text: &str| !text.chars().any(|c| matches!(c, '<' | '>') || c.is_control());
        !self.name.trim().is_empty() && clean(&self.name) && clean(&self.email)
    }

    fn encode(&self) -> String {
        format!("{} <{}> {}", self.name.trim(), self.email.trim(), self.at.format("%s %z"))
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once(" <").or_else(|| text.strip_prefix('<').map(|rest| ("", rest)))?;
        let (email, when) = rest.rsplit_once("> ")?;
        let (seconds, zone) = when.split_once(' ')?;
        let offset: i32 = zone.parse().ok()?;
        let offset = FixedOffset::east_opt((offset / 100) * 3600 + (offset % 100) * 60)?;
        let at = DateTime::from_timestamp(seconds.parse().ok()?, 0)?;
        Some(Self { name: name.to_owned(), email: email.to_owned(), at: at.with_timezone(&offset) })
    }
}

/// A commit that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct NewCommit {
    /// The root tree.
    pub(crate) tree: Oid,
    /// The parents, in their order.
    pub(crate) parents: Vec<Oid>,
    /// Who wrote the change.
    pub(crate) author: Signature,
    /// Who made the commit.
    pub(crate) committer: Signature,
    /// The message, kept byte for byte.
    pub(crate) message: String,
    /// An armoured signature over the commit, if the caller gave one.
    pub(crate) signature: Option<String>,
}

impl NewCommit {
    pub(super) fn encode(&self) -> Vec<u8> {
        use std::fmt::Write as _;

        let mut text = format!("tree {}\n", self.tree);
        for parent in &self.parents {
            let _ = writeln!(text, "parent {parent}");
        }
        let _ = writeln!(text, "author {}", self.author.encode());
        let _ = writeln!(text, "committer {}", self.committer.encode());
        if let Some(signature) = &self.signature {
            let _ = writeln!(text, "gpgsig {}", signature.trim_end().replace('\n', "\n "));
        }
        text.push('\n');
        text.push_str(&self.message);
        text.into_bytes()
    }
}

/// A commit as it stands in the repository.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    /// The commit's id.
    pub(crate) oid: Oid,
    /// The root tree.
    pub(crate) tree: Oid,
    /// The parents, in their order.
    pub(crate) parents: Vec<Oid>,
    /// Who wrote the change.
    pub(crate) author: Signature,
    /// Who made the commit.
    pub(crate) committer: Signature,
    /// The message; bytes that are not UTF-8 are replaced.
    pub(crate) message: String,
}

impl Commit {
    pub(super) fn parse(oid: Oid, data: &[u8]) -> Result<Self, GitError> {
        let text = String::from_utf8_lossy(data);
        Self::read(oid, &text).ok_or_else(|| GitError::unexpected("cat-file", data))
    }

    fn read(oid: Oid, text: &str) -> Option<Self> {
        let (headers, message) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut tree = None;
        let mut parents = Vec::new();
        let mut author = None;
        let mut committer = None;
        for line in headers.lines() {
            match line.split_once(' ') {
                Some(("tree", id)) => tree = Oid::parse(id),
                Some(("parent", id)) => parents.push(Oid::parse(id)?),
                Some(("author", who)) => author = Signature::parse(who),
                Some(("committer", who)) => committer = Signature::parse(who),
                _ => {}
            }
        }
        Some(Self { oid, tree: tree?, parents, author: author?, committer: committer?, message: message.to_owned() })
    }

    /// The first line of the message.
    pub(crate) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The message after its first paragraph, trimmed.
    pub(crate) fn body(&self) -> &str {
        self.message.split_once('\n').map(|(_, rest)| rest.trim()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_reads_back_as_it_was_encoded() {
        let at = DateTime::parse_from_rfc3339("2024-05-06T07:08:09+02:00").expect("a time");
        let who = Signature { name: "A B".to_owned(), email: "a@b.invalid".to_owned(), at };
        let new = NewCommit {
            tree: Oid::parse(super::super::EMPTY_TREE).expect("an id"),
            parents: vec![Oid::ZERO],
            author: who.clone(),
            committer: who.clone(),
            message: "subject\n\nbody\n\nmore".to_owned(),
            signature: Some("-----BEGIN\nx\n-----END\n".to_owned()),
        };
        let read = Commit::parse(Oid::ZERO, &new.encode()).expect("a commit");
        assert_eq!(read.author, who);
        assert_eq!(read.parents, new.parents);
        assert_eq!(read.message, new.message);
        assert_eq!((read.subject(), read.body()), ("subject", "body\n\nmore"));
    }
}
