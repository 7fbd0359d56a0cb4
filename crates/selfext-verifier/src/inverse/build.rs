//! Putting an inverse together.

use std::path::Path;
use std::sync::Arc;

use selfext_domain::ports::VerifierError;
use selfext_domain::{CommitSha, FileChange, Inverse, InverseConflict, RepoPath};

use super::difference::{Changed, difference};
use super::merge::{Merged, Texts};
use super::verdict::{Verdict, judge};
use crate::cache::{Base, Repository};
use crate::candidate::{BaseTree, Budget, keep_applicable};
use crate::error::{unavailable, unavailable_by, words};
use crate::run_folder::RunFolder;

const UNREADABLE: &str = "what is to be restored cannot be read";

/// What takes `landed` back on a base. Five calls of git, and one or two for each file that has to be merged.
pub(crate) async fn build(base: Base, landed: &CommitSha, runs: &Path) -> Result<Inverse, VerifierError> {
    let Base { repository, tree } = base;
    let changes = difference(&repository, landed).await?;
    let tree = BaseTree::read(&repository, &tree).await?;
    let verdicts = changes.into_iter().map(|Changed { path, before, landed }| {
        let now = tree.get(path.as_str()).cloned();
        let became_folder = now.is_none() && landed.is_some() && tree.below(path.as_str()).next().is_some();
        match judge(before, landed, now) {
            Verdict::Conflict(_) if became_folder => {
                (path, Verdict::Conflict("others have made a folder of it since".to_owned()))
            }
            verdict => (path, verdict),
        }
    });
    let verdicts = read(&repository, verdicts.collect()).await?;
    let mut draft = Draft { repository: &repository, runs, folder: None, inverse: Inverse::default() };
    for (path, verdict, contents) in verdicts {
        draft.add(path, verdict, &contents).await?;
    }
    finish(tree, draft.finish().await).await
}

/// Reads what the verdicts are about. Those for which that would be too much are none any more.
async fn read(
    repository: &Repository,
    mut verdicts: Vec<(RepoPath, Verdict)>,
) -> Result<Vec<(RepoPath, Verdict, Vec<Arc<[u8]>>)>, VerifierError> {
    let objects: Vec<&str> = verdicts.iter().flat_map(|(_, verdict)| verdict.objects()).collect();
    let mut sizes = repository.sizes(UNREADABLE, &objects).await?.into_iter();
    let mut budget = Budget::new();
    for (_, verdict) in &mut verdicts {
        let size: u64 = sizes.by_ref().take(verdict.objects().len()).sum();
        if !budget.take(size) {
            let limit = Budget::MEBIBYTES;
            let detail =
                format!("restoring it reads {size} bytes, and with the other files that is more than {limit} MiB");
            *verdict = Verdict::Conflict(detail);
        }
    }
    let objects: Vec<&str> = verdicts.iter().flat_map(|(_, verdict)| verdict.objects()).collect();
    let mut blobs = repository.blobs(UNREADABLE, &objects).await?.into_iter();
    let with_contents = verdicts.into_iter().map(|(path, verdict)| {
        let contents = blobs.by_ref().take(verdict.objects().len()).collect();
        (path, verdict, contents)
    });
    Ok(with_contents.collect())
}

impl Verdict {
    /// The objects that have to be read for it.
    fn objects(&self) -> Vec<&str> {
        match self {
            Self::Write { object, .. } => vec![object],
            Self::Merge { now, landed, before, .. } => vec![&now.object, landed, before],
            Self::Restored | Self::Delete | Self::Conflict(_) => Vec::new(),
        }
    }
}

/// An inverse that is being put together.
struct Draft<'a> {
    repository: &'a Repository,
    runs: &'a Path,
    /// Where files are merged, once one is.
    folder: Option<RunFolder>,
    inverse: Inverse,
}

/// What becomes of one path.
enum Outcome {
    Nothing,
    Change(FileChange),
    Conflict { detail: String, marked: Option<Arc<[u8]>> },
}

impl Draft<'_> {
    async fn add(&mut self, path: RepoPath, verdict: Verdict, contents: &[Arc<[u8]>]) -> Result<(), VerifierError> {
        match self.outcome(verdict, contents).await? {
            Outcome::Nothing => {}
            Outcome::Change(change) => {
                self.inverse.files.insert(path, change);
            }
            Outcome::Conflict { detail, marked } => {
                self.inverse.conflicts.push(InverseConflict { path, detail, marked });
            }
        }
        Ok(())
    }

    async fn outcome(&mut self, verdict: Verdict, contents: &[Arc<[u8]>]) -> Result<Outcome, VerifierError> {
        let write = |content: Arc<[u8]>, executable| {
            Outcome::Change(FileChange::Write { content, executable: Some(executable) })
        };
        let outcome = match (verdict, contents) {
            (Verdict::Restored, _) => Outcome::Nothing,
            (Verdict::Delete, _) => Outcome::Change(FileChange::Delete),
            (Verdict::Conflict(detail), _) => Outcome::Conflict { detail, marked: None },
            (Verdict::Write { executable, .. }, [content]) => write(Arc::clone(content), executable),
            (Verdict::Merge { now, executable, .. }, [is, landed, before]) => {
                let same_mode = now.kind.executable() == Some(executable);
                let texts = Texts { now: Arc::clone(is), landed: Arc::clone(landed), before: Arc::clone(before) };
                match self.merge(&texts).await? {
                    Merged::Clean(bytes) if same_mode && bytes == **is => Outcome::Nothing,
                    Merged::Clean(bytes) => write(bytes.into(), executable),
                    Merged::Marked(bytes) => {
                        let detail = "others have changed the same lines since".to_owned();
                        Outcome::Conflict { detail, marked: Some(bytes.into()) }
                    }
                    Merged::Impossible(detail) => Outcome::Conflict { detail, marked: None },
                }
            }
            (Verdict::Write { .. } | Verdict::Merge { .. }, _) => return Err(unavailable(UNREADABLE)),
        };
        Ok(outcome)
    }

    async fn merge(&mut self, texts: &Texts) -> Result<Merged, VerifierError> {
        let folder = match &mut self.folder {
            Some(folder) => folder,
            none => none.insert(RunFolder::create(self.runs, "invert").await?),
        };
        texts.merge(self.repository, folder).await
    }

    async fn finish(self) -> Inverse {
        if let Some(folder) = self.folder {
            folder.remove().await;
        }
        self.inverse
    }
}

/// Makes a conflict of what would not apply to the base, because others put something in its way.
async fn finish(tree: BaseTree, mut inverse: Inverse) -> Result<Inverse, VerifierError> {
    let work = move || {
        let obstacles = keep_applicable(&tree, &mut inverse.files);
        let conflicts = obstacles.into_iter().map(|obstacle| {
            let detail = words(&format!("a change that restores it {}", obstacle.clause));
            InverseConflict { path: obstacle.path, detail, marked: None }
        });
        inverse.conflicts.extend(conflicts);
        inverse.conflicts.sort_by(|one, other| one.path.cmp(&other.path));
        inverse
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| unavailable_by("the inverse cannot be planned", error))
}
