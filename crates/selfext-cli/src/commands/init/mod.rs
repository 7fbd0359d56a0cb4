//! `init`.

mod go;
mod node;
mod project;
mod python;
mod rust;
mod stage;
mod template;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use selfext::{RULES_PATH, Rules};
use serde_json::json;

use crate::exit::{Exit, usage};
use crate::git::Git;
use crate::show;

pub fn run(folder: &Path, json: bool) -> Result<Exit> {
    if !folder.is_dir() {
        return Err(usage(format!("{} is no folder", folder.display())));
    }
    if let Some(top) = top_above(folder) {
        let (folder, top) = (folder.display(), top.display());
        return Err(usage(format!(
            "{folder} is inside of the repository {top}, whose rules belong to its top: selfext init {top}"
        )));
    }
    let path = folder.join(RULES_PATH);
    let mut projects = project::find(folder);
    let is_known = !projects.is_empty();
    if !is_known {
        projects.push(project::unknown());
    }
    let kind = projects.iter().map(|project| project.kind).collect::<Vec<_>>().join(" and ");
    let text = template::write(&projects);
    Rules::parse(&text).context("the rules file that would be written is wrong; this is a fault of selfext")?;
    let mut file = match std::fs::File::create_new(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(usage(format!("{} is there already and was left as it is", path.display())));
        }
        Err(error) => return Err(error).with_context(|| format!("{} could not be written", path.display())),
    };
    file.write_all(text.as_bytes()).with_context(|| format!("{} could not be written", path.display()))?;
    if json {
        let path = path.display().to_string();
        show::print_json(
            &json!({"outcome": "written", "written": path, "project": kind, "exit_code": Exit::Done as u8}),
        );
    } else {
        let advice = if is_known { "" } else { "say how a change of it is tested, " };
        show::print(&format!("wrote {} for a project of the kind: {kind}", path.display()));
        show::print(&format!(
            "next: read it, {advice}set gate.required to what your CI reports, and bring it to your main branch by hand"
        ));
    }
    Ok(Exit::Done)
}

/// The top of the repository that a folder is in, if it is another folder.
fn top_above(folder: &Path) -> Option<PathBuf> {
    let top = PathBuf::from(Git::in_folder(folder).line(["rev-parse", "--show-toplevel"]).ok()?);
    let same = top.canonicalize().ok()? == folder.canonicalize().ok()?;
    (!same).then_some(top)
}
