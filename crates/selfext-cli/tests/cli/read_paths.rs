//! What stages may read on this machine, as its operator says.

use crate::world::{RULES, Ran, World};

/// A repository whose stage reads a file that is not its own.
fn world() -> World {
    let world = World::with_agent(RULES);
    world.write("shared/one/file", "known\n");
    world.write("shared/two/file", "known too\n");
    let test = format!(
        "cat '{0}/one/file' '{0}/two/file' && ! (: > '{0}/one/new') 2>/dev/null\n",
        world.path("shared").display()
    );
    world.write("agent/test.sh", test);
    world.commit("a test that reads elsewhere");
    world
}

fn promote(world: &World, options: &[&str], variable: Option<&str>) -> Ran {
    let from = world.write("new-agent.txt", format!("{options:?} {variable:?}\n"));
    let (agent, file) = (world.agent(), format!("agent.txt={from}"));
    let words = ["promote", "--local", &agent, "--message", "Say why", "--file", &file];
    let mut command = world.command(words.iter().chain(options));
    Ran::of(command.envs(variable.map(|paths| ("SELFEXT_READ_PATHS", paths))))
}

/// Whether the wall around files stood, by what the run's events say.
fn files_are_walled(world: &World, ran: &Ran) -> bool {
    let events = world.run(["events", "--json", "--run", &ran.run_id()]).expect(0, &[]).stdout;
    let walls = events.split("\"wall\":\"files\"").nth(1).unwrap_or_else(|| panic!("{events}"));
    !walls.split('}').next().unwrap().contains("missing")
}

#[test]
fn stages_read_what_the_operator_names_and_write_nothing_there() {
    let world = world();
    let (one, two) = (world.path("shared/one"), world.path("shared/two"));
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
    let unnamed = promote(&world, &[], None);
    if !files_are_walled(&world, &unnamed) {
        // Here everything can be read, and written too; the report says so.
        return;
    }
    unnamed.expect(4, &["the stage test failed"]);
    promote(&world, &["--read-path", one], None).expect(4, &["the stage test failed"]);
    promote(&world, &["--read-path", one, "--read-path", two], None).expect(0, &["promoted: "]);
    let both = format!("{one}::{two}");
    promote(&world, &[], Some(&both)).expect(0, &["promoted: "]);
    // The command line wins over the variable.
    promote(&world, &["--read-path", one], Some(&both)).expect(4, &["the stage test failed"]);
    assert!(!world.path("shared/one/new").exists());
}

#[test]
fn a_path_that_is_not_absolute_is_refused_before_anything_is_done() {
    let world = World::with_agent(RULES);
    for (options, variable) in [(&["--read-path", "shared"][..], None), (&[], Some("/usr:shared"))] {
        promote(&world, options, variable).expect(2, &["'shared'", "no absolute path", "--read-path"]);
    }
    assert!(!world.ledger().exists());
    promote(&world, &[], Some("")).expect(0, &["promoted: "]);
}
