//! Serving a repository.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::Signal;

use crate::live::Live;
use crate::world::{RULES, World};

fn get(url: &str, path: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_twin_says_where_it_is_answers_and_ends_well() {
    let world = World::with_agent(RULES);
    for signal in [Signal::INT, Signal::TERM] {
        let mut twin = Live::start(world.command(["twin", "--repo", "agent", "--name", "o/agent"]));
        let line = twin.wait_for("serving agent as o/agent on ");
        let answer = get(line.rsplit(' ').next().unwrap(), "/repos/o/agent");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"full_name\":\"o/agent\""), "{answer}");
        twin.signal(signal);
        assert_eq!(twin.end().0, Some(0));
    }
}

#[test]
fn the_twin_answers_in_json_too() {
    let world = World::with_agent(RULES);
    let mut twin = Live::start(world.command(["twin", "--repo", "agent", "--json"]));
    let line: serde_json::Value = serde_json::from_str(&twin.wait_for("url")).unwrap();
    assert!(get(line["url"].as_str().unwrap(), "/repos/twin/agent").starts_with("HTTP/1.1 200"));
    twin.signal(Signal::INT);
    assert_eq!(twin.end().0, Some(0));
}

#[test]
fn while_a_twin_serves_a_repository_a_local_promotion_says_so() {
    let world = World::with_agent(RULES);
    let mut twin = Live::start(world.command(["twin", "--repo", "agent"]));
    twin.wait_for("serving");
    world.promote_text("second\n").expect(1, &["is being served elsewhere", "end that first"]);
    twin.signal(Signal::INT);
    assert_eq!(twin.end().0, Some(0));
    world.promote_text("second\n").expect(0, &["promoted: "]);
}

#[test]
fn what_cannot_be_served_is_said() {
    let world = World::with_agent(RULES);
    std::fs::create_dir(world.path("plain")).unwrap();
    world.run(["twin", "--repo", "nowhere"]).expect(2, &["there is no such folder"]);
    world.run(["twin", "--repo", "plain"]).expect(2, &["not a git repository"]);
    world.run(["twin", "--repo", "agent", "--listen", "0.0.0.0:0"]).expect(2, &["not a loopback address"]);
    world.run(["twin", "--repo", "agent", "--name", "x"]).expect(2, &["owner/name"]);
}
