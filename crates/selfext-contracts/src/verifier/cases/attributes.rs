use std::process::Command;

use selfext_domain::ChangeSet;

use crate::verifier::VerifierWorld;
use crate::verifier::change::{change, path, script};
use crate::verifier::scene::Scene;

/// What is known of every file: its name, whether it can be started, and its bytes or where it leads.
const LOOK: &str = "find . -name .git -prune -o ! -type d -print | LC_ALL=C sort | while read -r f; do \
                    if [ -L \"$f\" ]; then echo \"$f -> $(readlink \"$f\")\"; elif [ -x \"$f\" ]; then echo \"$f* $(cksum < \"$f\")\"; \
                    else echo \"$f $(cksum < \"$f\")\"; fi; done";

/// Everything that attributes can ask of git itself, and of programs.
const ATTRIBUTES: &[u8] = b"*.bat text eol=crlf\n*.auto text=auto eol=crlf\n*.id ident\n*.wide text working-tree-encoding=UTF-16\n\
    *.le working-tree-encoding=UTF-16LE-BOM eol=crlf\n*.odd working-tree-encoding=no-such-encoding\n*.subst export-subst\n\
    *.hidden export-ignore\n*.driven filter=canary diff=canary merge=canary\n[attr]both ident eol=crlf\n*.both both\n";

/// Files for each of them, as git keeps them. Some names sort before that of the attributes.
const FILES: &[(&str, &[u8])] = &[
    ("!first.bat", b"a\nb\n"),
    ("x.bat", b"a\nb\n"),
    ("mixed.bat", b"a\r\nb\n"),
    ("x.auto", b"a\nb\n"),
    ("binary.auto", b"a\n\0b\n"),
    ("x.id", b"$Id$ and $Id: old $\n"),
    ("x.wide", "w\u{ef}de\n".as_bytes()),
    ("broken.wide", b"\xff\xfe\n"),
    ("x.le", b"le\n"),
    ("x.odd", b"odd\n"),
    ("x.subst", b"$Format:%H$\n"),
    ("x.hidden", b"hidden\n"),
    ("x.driven", b"driven\n"),
    ("x.both", b"$Id$\n"),
    ("dir/x.bat", b"a\nb\n"),
    ("dir/x.id", b"$Id$\n"),
];

/// Attributes of a folder, which come before those above.
const INNER: &[u8] = b"*.bat -text\n*.id -ident\n";

fn change_of_all() -> ChangeSet {
    let files = FILES.iter().fold(change(), |change, (name, content)| change.write(path(name), *content));
    files.write(path(".gitattributes"), ATTRIBUTES).write(path("dir/.gitattributes"), INNER).build().unwrap()
}

/// Puts the same into the source, as it is.
fn commit_all<W: VerifierWorld>(scene: &Scene<W>) {
    for (name, content) in FILES {
        scene.source.put(name, "100644", content);
    }
    scene.source.put(".gitattributes", "100644", ATTRIBUTES);
    scene.source.put("dir/.gitattributes", "100644", INNER);
    scene.source.git(&["commit", "--quiet", "--message=attributes"]);
}

/// What a clone of the source holds that somebody made without any configuration.
fn cloned<W: VerifierWorld>(scene: &Scene<W>) -> String {
    let clone = scene.place().join("clone");
    scene.source.git(&["clone", "--quiet", ".", clone.to_str().unwrap()]);
    let looked = Command::new("sh").args(["-c", LOOK]).current_dir(clone).output().unwrap();
    String::from_utf8(looked.stdout).unwrap()
}

/// What was tested is what lands: who takes what landed has the bytes that the stages saw.
pub async fn a_stage_sees_the_bytes_of_an_ordinary_clone<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.prepare(&change_of_all()).await;
    commit_all(&scene);
    assert_eq!(candidate.tree, scene.source.tree());
    let cloned = cloned(&scene);
    assert!(cloned.lines().count() > FILES.len(), "{cloned}");
    let report = scene.run(&candidate, &[script(LOOK)]).await.remove(0);
    assert_eq!(report.output.as_str(), cloned);
}

/// The attributes of the base are there, whatever the change says or leaves alone.
pub async fn attributes_of_the_base_act_as_in_a_clone<W: VerifierWorld>() {
    let mut scene = Scene::<W>::set();
    commit_all(&scene);
    scene.base = scene.source.head();
    let candidate = scene.prepare(&change().write(path("new.bat"), "a\nb\n").build().unwrap()).await;
    scene.source.put("new.bat", "100644", b"a\nb\n");
    scene.source.git(&["commit", "--quiet", "--message=new"]);
    let cloned = cloned(&scene);
    let report = scene.run(&candidate, &[script(LOOK), script("wc -c < new.bat")]).await;
    assert_eq!(report[0].output.as_str(), cloned);
    assert_eq!(report[1].output.as_str().trim(), "6");
}

/// What `git archive` would leave out or fill in is neither left out nor filled in, and an encoding that nobody knows or that does
/// not fit leaves the bytes as they are.
pub async fn what_only_archives_do_is_not_done<W: VerifierWorld>() {
    let scene = Scene::<W>::set();
    let candidate = scene.prepare(&change_of_all()).await;
    let report = scene.run(&candidate, &[script("cat x.subst x.hidden x.odd x.driven")]).await.remove(0);
    assert_eq!(report.output.as_str(), "$Format:%H$\nhidden\nodd\ndriven\n", "{report:?}");
}
