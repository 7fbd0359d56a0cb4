//! The stages that `init` writes, run for real on a small repository of each language, where its tools are on this machine. With
//! `SELFEXT_TEST_TOOLS=all` they have to be.

use std::process::Command;

use regex::Regex;
use serde_json::Value;

use crate::world::{World, git};

/// A small project: its files, the one that a change replaces, and what that holds in a good and in a bad change.
struct Sample {
    tools: &'static [&'static str],
    kind: &'static str,
    files: &'static [(&'static str, &'static str)],
    changed: &'static str,
    good: &'static str,
    bad: &'static str,
    stages: &'static [&'static str],
}

const RUST_MANIFEST: &str = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const RUST_LOCK: &str = "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n";
const RUST_MAIN: &str = "fn one() -> u32 { 1 }\nfn main() { println!(\"{}\", one()); }\n#[test]\nfn it_is_one() { assert_eq!(one(), 1); }\n";

const RUST: Sample = Sample {
    tools: &["cargo"],
    kind: "Rust",
    files: &[
        ("Cargo.toml", RUST_MANIFEST),
        ("Cargo.lock", RUST_LOCK),
        ("src/main.rs", RUST_MAIN),
        (".gitignore", "/target\n"),
    ],
    changed: "src/main.rs",
    good: "fn one() -> u32 { 2 - 1 }\nfn main() { println!(\"{}\", one()); }\n#[test]\nfn it_is_one() { assert_eq!(one(), 1); }\n",
    bad: "fn one() -> u32 { 2 }\nfn main() { println!(\"{}\", one()); }\n#[test]\nfn it_is_one() { assert_eq!(one(), 1); }\n",
    stages: &["compile", "test"],
};

const NODE: Sample = Sample {
    tools: &["node", "npm"],
    kind: "Node",
    files: &[
        ("package.json", r#"{"name": "tiny", "version": "1.0.0", "scripts": {"test": "node --test"}}"#),
        ("index.js", "exports.one = () => 1;\n"),
        (
            "one.test.js",
            "require('node:test')('one', () => require('node:assert').equal(require('./index').one(), 1));\n",
        ),
    ],
    changed: "index.js",
    good: "exports.one = () => 2 - 1;\n",
    bad: "exports.one = () => 2;\n",
    stages: &["compile", "test"],
};

const NODE_LOCK: &str = r#"{"name": "tiny", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {
    "": {"name": "tiny", "version": "1.0.0", "dependencies": {"beside": "file:./beside"}},
    "beside": {"version": "1.0.0"}, "node_modules/beside": {"resolved": "beside", "link": true}}}"#;

const NODE_WITH_A_DEPENDENCY: Sample = Sample {
    files: &[
        (
            "package.json",
            r#"{"name": "tiny", "version": "1.0.0", "scripts": {"test": "node --test"}, "dependencies": {"beside": "file:./beside"}}"#,
        ),
        ("package-lock.json", NODE_LOCK),
        ("beside/package.json", r#"{"name": "beside", "version": "1.0.0"}"#),
        ("beside/index.js", "exports.half = 0.5;\n"),
        ("index.js", "exports.one = () => 1;\n"),
        (
            "one.test.js",
            "require('node:test')('one', () => require('node:assert').equal(require('./index').one(), 1));\n",
        ),
    ],
    good: "exports.one = () => 2 * require('beside').half;\n",
    bad: "exports.one = () => 3 * require('beside').half;\n",
    stages: &["install", "compile", "test"],
    ..NODE
};

const PYTHON: Sample = Sample {
    tools: &["python3"],
    kind: "Python",
    files: &[
        (
            "pyproject.toml",
            "[project]\nname = \"tiny\"\nversion = \"1\"\n[project.scripts]\ntiny = \"tiny.cli:main\"\n",
        ),
        ("tiny/__init__.py", ""),
        ("tiny/cli.py", "def one():\n    return 1\n\ndef main():\n    print(one())\n"),
        (
            "tests/test_one.py",
            "import unittest\nfrom tiny.cli import one\n\nclass One(unittest.TestCase):\n    def test_one(self):\n        self.assertEqual(one(), 1)\n",
        ),
        ("tests/__init__.py", ""),
    ],
    changed: "tiny/cli.py",
    good: "def one():\n    return 2 - 1\n\ndef main():\n    print(one())\n",
    bad: "def one():\n    return 2\n\ndef main():\n    print(one())\n",
    stages: &["compile", "test", "start-up"],
};

/// Its dependency is fetched from the package index, or from what `PIP_*` names.
const PYTEST: Sample = Sample {
    tools: &["python3", "venv"],
    kind: "Python",
    files: &[
        ("requirements.txt", "iniconfig==2.0.0\n"),
        ("pytest.ini", "[pytest]\n"),
        ("one.py", "def one():\n    return 1\n"),
        ("tests/test_one.py", "import iniconfig\nfrom one import one\n\ndef test_one():\n    assert one() == 1\n"),
        (".gitignore", "/.venv\n"),
    ],
    changed: "one.py",
    good: "def one():\n    return 2 - 1\n",
    bad: "def one():\n    return 2\n",
    stages: &["install", "compile", "test"],
};

const GO: Sample = Sample {
    tools: &["go"],
    kind: "Go",
    files: &[
        ("go.mod", "module example.com/tiny\n\ngo 1.20\n"),
        ("one.go", "package tiny\n\nfunc One() int { return 1 }\n"),
        (
            "one_test.go",
            "package tiny\n\nimport \"testing\"\n\nfunc TestOne(t *testing.T) {\n\tif One() != 1 {\n\t\tt.Fatal(One())\n\t}\n}\n",
        ),
    ],
    changed: "one.go",
    good: "package tiny\n\nfunc One() int { return 2 - 1 }\n",
    bad: "package tiny\n\nfunc One() int { return 2 }\n",
    stages: &["compile", "vet", "test"],
};

/// Whether a command of this machine works: one that tells a version, or what is written out.
fn is_here(tool: &str) -> bool {
    let words: Vec<&str> = match tool {
        "go" => vec!["go", "version"],
        "venv" => vec!["python3", "-c", "import venv, ensurepip"],
        tool => vec![tool, "--version"],
    };
    let here = Command::new(words[0]).args(&words[1..]).output().is_ok_and(|output| output.status.success());
    assert!(here || std::env::var_os("SELFEXT_TEST_TOOLS").is_none(), "{tool} is not on this machine");
    here
}

fn repository(samples: &[&Sample]) -> World {
    let world = World::new();
    git(&world.path("."), ["init", "-q", "-b", "main", "agent"]);
    for (name, text) in samples.iter().flat_map(|sample| sample.files) {
        world.write(&format!("agent/{name}"), text);
    }
    world
}

fn promote(world: &World, sample: &Sample, text: &str) -> crate::world::Ran {
    let from = world.write("new", text);
    world.promote(["--file", &format!("{}={from}", sample.changed)])
}

/// The pattern that the template suggests for a stage.
fn pattern(rules: &str, stage: &str) -> Option<Regex> {
    let own = rules.split("[[verification.stage]]").find(|part| part.contains(&format!("name = \"{stage}\"")))?;
    let line = own.lines().find_map(|line| line.strip_prefix("must_match = '"))?;
    Some(Regex::new(line.strip_suffix('\'').unwrap()).unwrap())
}

/// The stages that an event of the run tells of.
fn stages_of(world: &World, run: &str, event_type: &str) -> Vec<Value> {
    let events = world.run(["events", "--json", "--run", run]).expect(0, &[]).stdout;
    let mut contents = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["content"].take());
    let content = contents.find(|content| content["event_type"] == event_type).unwrap();
    content["payload"]["stages"].as_array().unwrap().clone()
}

/// The stages of the run's `tested` event: names and outputs.
fn tested(world: &World, run: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    stages_of(world, run, "tested").iter().map(|stage| (text(&stage["name"]), text(&stage["output"]))).collect()
}

/// Promotes a good and a bad change. Answers the world and the run of each, if the tools are here.
fn try_for_real(sample: &Sample) -> Option<(World, [String; 2])> {
    if !sample.tools.iter().all(|tool| is_here(tool)) {
        eprintln!("{} is not on this machine: its template was not run", sample.kind);
        return None;
    }
    let world = repository(&[sample]);
    world.run(["init", "agent"]).expect(0, &[sample.kind]);
    // Where this machine finds its packages is no matter of the repository's.
    let rules = std::fs::read_to_string(world.path("agent/selfext.toml")).unwrap();
    world.write("agent/selfext.toml", rules.replace("[verification]\n", "[verification]\nenvironment = [\"PIP_*\"]\n"));
    world.commit("first");
    let run = promote(&world, sample, sample.good).expect(0, &["promoted: "]).run_id();
    let stages = tested(&world, &run);
    let names: Vec<&str> = stages.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, sample.stages);
    let rules = world.on_main("selfext.toml").unwrap();
    let (_, output) = stages.iter().find(|(name, _)| name == "test").unwrap();
    let pattern = pattern(&rules, "test").unwrap();
    assert!(pattern.is_match(output), "{pattern} in {output}");
    let failed =
        promote(&world, sample, sample.bad).expect(4, &["verification failed: the stage test failed"]).run_id();
    Some((world, [run, failed]))
}

#[test]
fn the_rust_template_passes_a_good_change_and_stops_a_failing_test() {
    try_for_real(&RUST);
}

#[test]
fn the_node_template_passes_a_good_change_and_stops_a_failing_test() {
    try_for_real(&NODE);
}

#[test]
fn the_node_template_installs_dependencies_on_the_base_and_once() {
    let Some((world, [first, second])) = try_for_real(&NODE_WITH_A_DEPENDENCY) else { return };
    let told = |run: &str, event_type: &str| stages_of(&world, run, event_type)[0]["prepared"]["reused"].clone();
    assert_eq!((told(&first, "tested"), told(&second, "failed")), (false.into(), true.into()));
    let lock = world.write("lock", NODE_LOCK.replace("\"1.0.0\"", "\"2.0.0\""));
    let blocked = world.promote(["--file", &format!("package-lock.json={lock}")]);
    blocked.expect(3, &["protected paths: package-lock.json", "selfext allow"]);
}

#[test]
fn the_python_template_passes_a_good_change_and_stops_a_failing_test() {
    try_for_real(&PYTHON);
}

#[test]
fn the_python_template_installs_a_list_of_requirements_on_the_base_and_once() {
    let Some((world, [first, second])) = try_for_real(&PYTEST) else { return };
    let told = |run: &str, event_type: &str| stages_of(&world, run, event_type)[0]["prepared"]["reused"].clone();
    assert_eq!((told(&first, "tested"), told(&second, "failed")), (false.into(), true.into()));
}

#[test]
fn the_go_template_passes_a_good_change_and_stops_a_failing_test() {
    try_for_real(&GO);
}

#[test]
fn several_languages_at_once_give_the_stages_of_each() {
    let world = repository(&[&RUST, &NODE, &PYTHON, &GO]);
    world.run(["init", "agent"]).expect(0, &["of the kind: Rust and Node and Python and Go"]);
    let rules = std::fs::read_to_string(world.path("agent/selfext.toml")).unwrap();
    for name in [
        "rust-compile",
        "rust-test",
        "node-compile",
        "node-test",
        "python-test",
        "python-start-up",
        "go-vet",
        "go-test",
    ] {
        assert!(rules.contains(&format!("name = \"{name}\"")), "{name} is not in {rules}");
    }
}

#[test]
fn what_is_prepared_on_the_base_comes_first_in_every_mixture() {
    let fetched = ("Cargo.lock", "[[package]]\nname = \"x\"\nsource = \"registry+x\"\n");
    let lists = [("requirements.txt", "flask\n"), ("go.mod", ""), ("go.sum", "")];
    let rules = written(&[RUST.files, NODE_WITH_A_DEPENDENCY.files, &[fetched], &lists].concat());
    let names: Vec<&str> = rules.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    assert_eq!(names[..4], [r#""rust-fetch""#, r#""node-install""#, r#""python-install""#, r#""go-fetch""#]);
}

#[test]
fn what_nothing_tells_fails_until_it_is_filled_in() {
    let world = repository(&[]);
    world.write("agent/agent.txt", "first\n");
    world.run(["init", "agent"]).expect(0, &["of the kind: unknown", "say how a change of it is tested"]);
    world.commit("first");
    world.promote_text("second\n").expect(4, &["does not say yet how a change of this repository is tested"]);
}

/// The stages that `init` writes for files, as lines of names and commands.
fn written(files: &[(&str, &str)]) -> String {
    let world = World::new();
    for (name, text) in files {
        world.write(&format!("agent/{name}"), text);
    }
    world.run(["init", "agent"]).expect(0, &[]);
    std::fs::read_to_string(world.path("agent/selfext.toml")).unwrap()
}

#[test]
fn lock_files_scripts_and_test_runners_are_heeded() {
    let pytest =
        "[project]\nname = \"x\"\ndependencies = [\"flask\"]\n[project.optional-dependencies]\ntest = [\"pytest\"]\n";
    let node = |rest: &str| format!("{{\"devDependencies\": {{\"jest\": \"1\", \"commander\": \"1\"}}, {rest}}}");
    let jest = node(r#""scripts": {"test": "jest", "build": "tsc"}, "bin": "./cli.js""#);
    let clap = "[package]\nname = \"tool\"\n[dependencies]\nclap = \"4\"\n";
    let fetched = "[[package]]\nname = \"clap\"\nsource = \"registry+x\"\n";
    for (files, words) in [
        (
            &[("Cargo.toml", clap), ("Cargo.lock", fetched), ("src/main.rs", "")][..],
            &[
                r#"command = ["cargo", "fetch", "--locked"]"#,
                r#"on_base = { lock_files = ["Cargo.lock"] }"#,
                r#"command = ["cargo", "build", "--locked", "--offline", "--all-targets"]"#,
                r#"["cargo", "run", "--quiet", "--locked", "--offline", "--bin", "tool", "--", "--help"]"#,
            ][..],
        ),
        (
            &[("Cargo.toml", "[workspace]\nmembers = []\n"), ("Cargo.lock", "")],
            &[r#"["cargo", "test", "--locked", "--offline", "--workspace"]"#],
        ),
        (&[("Cargo.toml", RUST_MANIFEST), ("src/main.rs", "")], &["Commit one", "# name = \"start-up\""]),
        (
            &[("package.json", &jest), ("package-lock.json", "{}"), ("cli.js", "")],
            &[
                r#"["npm", "ci", "--no-audit", "--no-fund"]"#,
                r#"on_base = { lock_files = ["package.json", "package-lock.json"], keep = ["node_modules"] }"#,
                r#"["npm", "run", "build"]"#,
                "\ncommand = [\"node\", \"cli.js\", \"--help\"]",
                "Tests:",
            ],
        ),
        (
            &[("package.json", &jest), ("pnpm-lock.yaml", "")],
            &[r#"["pnpm", "install", "--frozen-lockfile"]"#, r#"["pnpm", "test"]"#],
        ),
        (&[("package.json", &jest), ("yarn.lock", "")], &[r#"["yarn", "install", "--frozen-lockfile"]"#]),
        (
            &[("package.json", &jest), ("yarn.lock", ""), (".yarnrc.yml", "")],
            &[r#"["yarn", "install", "--immutable"]"#],
        ),
        (&[("package.json", "{}")], &["say how it is tested", r#"["node", "--test"]"#]),
        (
            &[("pyproject.toml", pytest)],
            &["pip install --quiet -e '.[test]'", r#"[".venv/bin/python", "-m", "pytest"]"#, "[1-9][0-9]* passed"],
        ),
        (
            &[("requirements.txt", "flask\n"), ("pytest.ini", "")],
            &[
                "pip install --quiet -r requirements.txt pytest\"",
                r#"on_base = { lock_files = ["requirements.txt"], keep = [".venv"] }"#,
            ],
        ),
        (
            &[("pyproject.toml", "[project]\n"), ("uv.lock", "")],
            &[r#"["uv", "sync", "--frozen"]"#, r#"["uv", "run", "--frozen", "python", "-m", "unittest", "discover"]"#],
        ),
        (&[("setup.py", ""), ("poetry.lock", "")], &[r#"["poetry", "run", "python", "-m", "unittest", "discover"]"#]),
        (
            &[("go.mod", ""), ("go.sum", ""), ("cmd/tool/main.go", "")],
            &[r#"on_base = { lock_files = ["go.mod", "go.sum"] }"#, r#"# command = ["go", "run", "./cmd/tool", "-h"]"#],
        ),
    ] {
        let rules = written(files);
        for word in words {
            assert!(rules.contains(word), "{word} is not in {rules}");
        }
    }
}

#[test]
fn files_that_cannot_be_read_as_what_they_are_get_a_template_all_the_same() {
    for (file, text) in [
        ("Cargo.toml", "[["),
        ("package.json", "{"),
        ("pyproject.toml", "= ="),
        ("package.json", "[]"),
        ("Cargo.toml", "workspace = 1"),
    ] {
        written(&[(file, text)]);
    }
}
