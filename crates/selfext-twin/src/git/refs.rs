//! Reading and moving refs.

use super::launcher::succeeded;
use super::{Git, GitError, ObjectInfo, Oid, RefName};

/// What a ref points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefTarget {
    /// The object's id, not peeled.
    pub(crate) oid: Oid,
    /// The object's kind.
    pub(crate) kind: String,
}

/// How an attempt to move a ref ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefChange {
    /// The ref has the new value.
    Done,
    /// The ref was not where the caller believed it to be; nothing was changed.
    Moved,
    /// Git refused although the ref was where the caller believed it to be: its name collides with another ref's.
    Refused,
}

impl Git {
    /// Reads one ref.
    pub(crate) async fn find_ref(&self, name: &RefName) -> Result<Option<RefTarget>, GitError> {
        Ok(self.find_refs(std::slice::from_ref(name)).await?.pop().flatten())
    }

    /// Reads several refs at once, in their order.
    ///
    /// The long-lived reader takes a name as `git rev-parse` does, so a missing `refs/heads/x` could be answered
    /// with `refs/heads/refs/heads/x`. Every name under which that could happen is asked for beside the real one;
    /// if any of them exists, or the name has the form of `git describe`, the exact but slower listing decides.
    pub(crate) async fn find_refs(&self, names: &[RefName]) -> Result<Vec<Option<RefTarget>>, GitError> {
        let questions: Vec<String> = names.iter().flat_map(asked_beside).collect();
        let answers = self.look_up(&questions).await?;
        let mut found = Vec::with_capacity(names.len());
        for (name, answers) in names.iter().zip(answers.chunks_exact(6)) {
            let doubtful = name.looks_described() || answers[1..].iter().any(Option::is_some);
            found.push(match &answers[0] {
                None => None,
                Some(_) if doubtful => self.listed_ref(name).await?,
                Some(info) => Some(RefTarget::from(info)),
            });
        }
        Ok(found)
    }

    async fn listed_ref(&self, name: &RefName) -> Result<Option<RefTarget>, GitError> {
        let listed = self.list(name.as_str()).await?;
        Ok(listed.into_iter().find(|(listed, _)| listed == name.as_str()).map(|(_, target)| target))
    }

    /// All refs whose full name begins with `prefix`, in the order of their names.
    pub(crate) async fn refs_with_prefix(&self, prefix: &str) -> Result<Vec<(String, RefTarget)>, GitError> {
        let mut listed = self.list("refs").await?;
        listed.retain(|(name, _)| name.starts_with(prefix));
        Ok(listed)
    }

    async fn list(&self, pattern: &str) -> Result<Vec<(String, RefTarget)>, GitError> {
        let format = "--format=%(objectname) %(objecttype) %(refname)";
        let output = self.launcher.run(&["for-each-ref", format, "--", pattern]).await?;
        let text = String::from_utf8_lossy(&output);
        text.lines()
            .map(|line| {
                let mut words = line.splitn(3, ' ');
                let target = words.next().and_then(Oid::parse).zip(words.next());
                match (target, words.next()) {
                    (Some((oid, kind)), Some(name)) => {
                        let kind = kind.to_owned();
                        Ok((name.to_owned(), RefTarget { oid, kind }))
                    }
                    _ => Err(GitError::unexpected("for-each-ref", line.as_bytes())),
                }
            })
            .collect()
    }

    /// Moves a ref from `old` to `new` if it is still at `old`; `None` stands for "does not exist".
    pub(crate) async fn move_ref(
        &self,
        name: &RefName,
        old: Option<Oid>,
        new: Option<Oid>,
    ) -> Result<RefChange, GitError> {
        let old_text = old.unwrap_or(Oid::ZERO).to_string();
        let new_text = new.unwrap_or(Oid::ZERO).to_string();
        let message = "selfext-twin: API request";
        let arguments = ["update-ref", "--no-deref", "-m", message, "--", name.as_str(), &new_text, &old_text];
        let output = self.launcher.answer(&arguments).await?;
        if output.status.success() {
            return Ok(RefChange::Done);
        }
        let now = self.find_ref(name).await?.map(|target| target.oid);
        if now != old {
            return Ok(RefChange::Moved);
        }
        let collides = String::from_utf8_lossy(&output.stderr).contains("cannot create");
        if collides {
            return Ok(RefChange::Refused);
        }
        succeeded("update-ref", output).map(|_| RefChange::Done)
    }
}

/// The name itself, and the five names that git tries when it finds no ref of that name.
fn asked_beside(name: &RefName) -> [String; 6] {
    [
        name.to_string(),
        format!("refs/{name}"),
        format!("refs/tags/{name}"),
        format!("refs/heads/{name}"),
        format!("refs/remotes/{name}"),
        format!("refs/remotes/{name}/HEAD"),
    ]
}

impl From<&ObjectInfo> for RefTarget {
    fn from(info: &ObjectInfo) -> Self {
        Self { oid: info.oid, kind: info.kind.clone() }
    }
}
