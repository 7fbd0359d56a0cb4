//! Reading objects.

use super::coprocess::{Coprocess, Lease};
use super::{Commit, Git, GitError, Oid};

/// How many questions are written before their answers are read; their answers fit into any pipe's buffer.
const BATCH: usize = 64;

/// What git knows of an object without its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectInfo {
    /// The object's id.
    pub(crate) oid: Oid,
    /// `blob`, `tree`, `commit` or `tag`.
    pub(crate) kind: String,
    /// The size of the contents in bytes.
    pub(crate) size: u64,
}

/// The long-lived `git cat-file`.
pub(super) struct ObjectReader {
    process: Coprocess,
}

impl ObjectReader {
    pub(super) fn new() -> Self {
        Self { process: Coprocess::new("cat-file", vec!["cat-file", "--batch-command"]) }
    }
}

impl Git {
    /// Looks up several names at once. A name is an object id or a full ref; it is the caller's duty that it holds
    /// neither a line break nor one of git's revision operators.
    pub(super) async fn look_up(&self, names: &[String]) -> Result<Vec<Option<ObjectInfo>>, GitError> {
        let mut lease = self.reader.process.lease(&self.launcher).await?;
        let mut found = Vec::with_capacity(names.len());
        for batch in names.chunks(BATCH) {
            let questions: String = batch.iter().flat_map(|name| ["info ", name.as_str(), "\n"]).collect();
            lease.say(&questions).await?;
            for _ in batch {
                found.push(header(&mut lease).await?);
            }
        }
        lease.keep();
        Ok(found)
    }

    /// What is known of one object, or `None` if there is no such object.
    pub(crate) async fn info(&self, oid: Oid) -> Result<Option<ObjectInfo>, GitError> {
        Ok(self.look_up(&[oid.to_string()]).await?.pop().flatten())
    }

    /// What is known of several objects, in their order.
    pub(crate) async fn infos(&self, oids: &[Oid]) -> Result<Vec<Option<ObjectInfo>>, GitError> {
        let names: Vec<String> = oids.iter().map(Oid::to_string).collect();
        self.look_up(&names).await
    }

    /// An object with its contents, or `None` if there is no such object.
    pub(crate) async fn object(&self, oid: Oid) -> Result<Option<(ObjectInfo, Vec<u8>)>, GitError> {
        let mut lease = self.reader.process.lease(&self.launcher).await?;
        let object = read_object(&mut lease, oid).await?;
        lease.keep();
        Ok(object)
    }

    /// A commit, or `None` if the id names no commit.
    pub(crate) async fn commit(&self, oid: Oid) -> Result<Option<Commit>, GitError> {
        match self.object(oid).await? {
            Some((info, data)) if info.kind == "commit" => Commit::parse(oid, &data).map(Some),
            _ => Ok(None),
        }
    }

    /// The commit that an id names, through annotated tags; `None` if there is none at the end.
    pub(crate) async fn peel_to_commit(&self, oid: Oid) -> Result<Option<Oid>, GitError> {
        let mut here = oid;
        // Tags of tags are legal; nobody stacks more than a few.
        for _ in 0..8 {
            match self.info(here).await? {
                Some(info) if info.kind == "commit" => return Ok(Some(here)),
                Some(info) if info.kind == "tag" => {}
                _ => return Ok(None),
            }
            let Some((_, data)) = self.object(here).await? else {
                return Ok(None);
            };
            let text = String::from_utf8_lossy(&data);
            match text.strip_prefix("object ").and_then(|rest| Oid::parse(rest.get(..40)?)) {
                Some(tagged) => here = tagged,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Several commits, in their order; ids that name none are left out.
    pub(crate) async fn commits(&self, oids: &[Oid]) -> Result<Vec<Commit>, GitError> {
        let mut lease = self.reader.process.lease(&self.launcher).await?;
        let mut commits = Vec::with_capacity(oids.len());
        for oid in oids {
            if let Some((info, data)) = read_object(&mut lease, *oid).await?
                && info.kind == "commit"
            {
                commits.push(Commit::parse(*oid, &data)?);
            }
        }
        lease.keep();
        Ok(commits)
    }

    /// The id of the commit whose id begins with `prefix`, if exactly one does.
    pub(crate) async fn abbreviated_commit(&self, prefix: &str) -> Result<Option<Oid>, GitError> {
        let wanted = 4..40;
        if !wanted.contains(&prefix.len()) || !prefix.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let name = format!("{prefix}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &name];
        let answer = self.launcher.answer(&arguments).await?;
        Ok(Oid::parse(String::from_utf8_lossy(&answer.stdout).trim()))
    }
}

async fn read_object(lease: &mut Lease<'_>, oid: Oid) -> Result<Option<(ObjectInfo, Vec<u8>)>, GitError> {
    lease.say(&format!("contents {oid}\n")).await?;
    let Some(info) = header(lease).await? else {
        return Ok(None);
    };
    let length = usize::try_from(info.size).map_err(|_| GitError::unexpected("cat-file", b"size"))?;
    let mut data = lease.bytes(length + 1).await?;
    data.pop();
    Ok(Some((info, data)))
}

/// Reads `<oid> <kind> <size>`, or one of the two ways in which git says that there is no such object.
async fn header(lease: &mut Lease<'_>) -> Result<Option<ObjectInfo>, GitError> {
    let line = lease.line().await?;
    if line.ends_with(" missing") || line.ends_with(" ambiguous") {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let info = (|| {
        Some(ObjectInfo {
            oid: Oid::parse(words.next()?)?,
            kind: words.next()?.to_owned(),
            size: words.next()?.parse().ok()?,
        })
    })();
    match info {
        Some(info) => Ok(Some(info)),
        None => Err(GitError::unexpected("cat-file", line.as_bytes())),
    }
}
