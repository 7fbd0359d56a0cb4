//! Check runs.

use selfext_domain::ports::Annotation;
use selfext_domain::{CheckRun, CommitSha};
use serde::{Deserialize, Serialize};

/// One page of the latest check runs.
#[derive(Deserialize)]
pub(crate) struct CheckRunPage {
    pub(crate) total_count: u64,
    pub(crate) check_runs: Vec<CheckRunBody>,
}

/// A check run as it is read.
#[derive(Deserialize)]
pub(crate) struct CheckRunBody {
    pub(crate) id: u64,
    pub(crate) head_sha: CommitSha,
    name: String,
    status: String,
    conclusion: Option<String>,
    app: Option<App>,
    #[serde(default)]
    output: ShownOutput,
}

impl CheckRunBody {
    /// Whether it is this App's, under this name.
    pub(crate) fn is_of(&self, app: u64, name: &str) -> bool {
        self.name == name && self.app.as_ref().is_some_and(|made_by| made_by.id == app)
    }

    /// Whether it says something of single lines.
    pub(crate) const fn is_annotated(&self) -> bool {
        self.output.annotations_count > 0
    }
}

#[derive(Default, Deserialize)]
struct ShownOutput {
    #[serde(default)]
    annotations_count: u64,
}

#[derive(Deserialize)]
struct App {
    id: u64,
}

impl From<CheckRunBody> for CheckRun {
    fn from(body: CheckRunBody) -> Self {
        Self {
            id: body.id,
            name: body.name,
            app_id: body.app.map(|app| app.id),
            status: body.status,
            conclusion: body.conclusion,
        }
    }
}

/// A check run to be made.
#[derive(Serialize)]
pub(crate) struct NewCheckRun<'a> {
    pub(crate) name: &'a str,
    pub(crate) head_sha: &'a CommitSha,
    #[serde(flatten)]
    pub(crate) update: UpdatedCheckRun<'a>,
}

/// What a check run comes to say.
#[derive(Serialize)]
pub(crate) struct UpdatedCheckRun<'a> {
    pub(crate) status: &'static str,
    pub(crate) conclusion: &'static str,
    pub(crate) output: CheckRunOutput<'a>,
}

/// What a check run shows.
#[derive(Serialize)]
pub(crate) struct CheckRunOutput<'a> {
    title: &'a str,
    summary: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<NewAnnotation<'a>>,
}

#[derive(Serialize)]
struct NewAnnotation<'a> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    annotation_level: &'static str,
    message: &'a str,
}

impl<'a> CheckRunOutput<'a> {
    pub(crate) fn new(title: &'a str, summary: &'a str, annotations: &'a [Annotation]) -> Self {
        let annotations = annotations.iter().map(|annotation| NewAnnotation {
            path: annotation.path.as_str(),
            start_line: annotation.line,
            end_line: annotation.line,
            annotation_level: "failure",
            message: &annotation.message,
        });
        Self { title, summary, annotations: annotations.collect() }
    }
}
