//! Protected paths that are reached by another name: through symbolic links of the base, or names that differ and clash.

use std::os::unix::fs::symlink;

use selfext::{ChangeSet, Reason};

use crate::world::*;

/// A world whose base has files, and symbolic links: names and targets.
async fn world_with(files: &[(&str, &str)], links: &[(&str, &str)]) -> World {
    let world = World::new(Backend::Sqlite).await;
    let work = world.folder().join("work");
    let place = |name: &str| {
        std::fs::create_dir_all(work.join(name).parent().unwrap()).unwrap();
        work.join(name)
    };
    for (name, text) in files {
        std::fs::write(place(name), text).unwrap();
    }
    for (name, target) in links {
        symlink(target, place(name)).unwrap();
    }
    git(&work, &["add", "-A"]);
    git(&work, &["commit", "-q", "-m", "links"]);
    git(&work, &["push", "-q", world.bare.to_str().unwrap(), "main"]);
    world
}

fn write(name: &str) -> ChangeSet {
    builder("Reach").write(path(name), "reached\n").build().unwrap()
}

const WORKFLOW: &str = ".github/workflows/x.yml";

#[tokio::test]
async fn a_path_through_a_link_to_a_protected_folder_is_not_followed() {
    let world =
        world_with(&[(WORKFLOW, "on: push\n")], &[("ci", ".github"), ("deep/link", "../.github/workflows")]).await;
    for name in ["ci/workflows/x.yml", "ci/workflows/new.yml", "deep/link/x.yml"] {
        let outcome = world.promote(&write(name)).await;
        assert_eq!(reason(&outcome), Some(Reason::DoesNotApply), "{name}");
        assert_eq!(world.types(&outcome).await, ["proposed", "failed"], "nothing was run");
    }
    assert_eq!(world.branches(), Vec::<String>::new());
    world.end().await;
}

#[tokio::test]
async fn a_file_in_the_place_of_a_link_replaces_the_link_and_not_what_it_led_to() {
    let world = world_with(&[(WORKFLOW, "on: push\n")], &[("link", WORKFLOW), ("ci", ".github")]).await;
    promoted(&world.promote(&write("link")).await);
    let folder = builder("Folder").delete(path("ci")).write(path("ci/workflows/x.yml"), "reached\n").build().unwrap();
    promoted(&world.promote(&folder).await);
    assert_eq!(world.on_main(WORKFLOW).as_deref(), Some(&b"on: push\n"[..]));
    assert_eq!(world.on_main("ci/workflows/x.yml").as_deref(), Some(&b"reached\n"[..]));
    world.end().await;
}

#[tokio::test]
async fn a_rename_and_a_change_of_mode_alone_count() {
    let world = world_with(&[(WORKFLOW, "on: push\n")], &[]).await;
    let renamed = builder("Rename").delete(path(WORKFLOW)).write(path("elsewhere.yml"), "on: push\n").build().unwrap();
    let executable = selfext::FileChange::Write { content: (&b"on: push\n"[..]).into(), executable: Some(true) };
    let mode = builder("Mode").file(path(WORKFLOW), executable).build().unwrap();
    for change in [renamed, mode] {
        let outcome = world.promote(&change).await;
        let selfext::Ending::Blocked(refusal) = &outcome.ending else { panic!("{outcome:?}") };
        assert_eq!((refusal.reason, &refusal.paths), (Reason::ProtectedPath, &vec![path(WORKFLOW)]));
    }
    world.end().await;
}

#[tokio::test]
async fn what_a_protected_link_leads_to_is_protected() {
    let links = [(".gitlab-ci.yml", "ci/gitlab.yml"), (".circleci", "tools/circle"), ("tools", "real-tools")];
    let files = [("ci/gitlab.yml", "test: x\n"), ("real-tools/circle/config.yml", "version: 2\n")];
    let world = world_with(&files, &links).await;
    for (name, expected) in [
        ("ci/gitlab.yml", Reason::ProtectedPath),
        ("real-tools/circle/config.yml", Reason::ProtectedPath),
        ("real-tools/circle/new.yml", Reason::ProtectedPath),
        // Where a file system folds names this is the same file, which is no change that applies.
        ("CI/GitLab.yml", Reason::DoesNotApply),
    ] {
        let outcome = world.promote(&write(name)).await;
        assert_eq!(reason(&outcome), Some(expected), "{name}");
        assert!(!world.types(&outcome).await.contains(&"tested".to_owned()), "nothing was run");
    }
    world.end().await;
}

#[tokio::test]
async fn names_that_a_file_system_takes_for_the_same_clash() {
    let world = world_with(&[("caf\u{e9}/menu", "x\n"), ("stra\u{df}e", "x\n")], &[]).await;
    for name in ["cafe\u{301}/menu", "STRASSE", "\u{17f}tra\u{df}e"] {
        assert_eq!(reason(&world.promote(&write(name)).await), Some(Reason::DoesNotApply), "{name:?}");
    }
    world.end().await;
}
