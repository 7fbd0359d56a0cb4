//! Webhooks: who is taken for GitHub, and that a waiting promotion goes on when GitHub tells of something.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ring::hmac;
use rustix::process::Signal;
use selfext_twin::{AutoCheck, StatusState};
use serde_json::Value;

use crate::github::Github;
use crate::live::Live;
use crate::world::World;

const SECRET: &str = "a secret of the tests";

const ABOUT_US: &str = r#"{"state":"success","repository":{"id":1,"full_name":"o/agent"}}"#;

/// Waits for hours and looks hardly ever.
const PATIENT_RULES: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\nwait_seconds = 100000\npoll_seconds = 3600\n\
                             [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\n";

/// A command that waits for webhooks.
struct Served {
    live: Live,
    address: String,
}

impl Served {
    fn start(world: &World) -> Self {
        let mut command = world.command(["serve", "--webhooks", "127.0.0.1:0", "--github", "o/agent", "--json"]);
        command.env("SELFEXT_WEBHOOK_SECRET", SECRET);
        let mut live = Live::start(command);
        let told: Value = serde_json::from_str(&live.wait_for("url")).unwrap();
        let url = told["url"].as_str().unwrap();
        Self { live, address: url.trim_start_matches("http://").trim_end_matches('/').to_owned() }
    }

    /// Sends a request, and answers the status and the text.
    fn send(&self, method: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let headers: String = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
        let (address, length) = (&self.address, body.len());
        let request = format!(
            "{method} /any/path HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        // A server that has read enough may answer before all of it is sent.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, text) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
        (head.split(' ').nth(1).unwrap().parse().unwrap(), text.trim_end().to_owned())
    }

    fn deliver(&self, event: &str, id: &str, body: &str, signature: &str) -> (u16, String) {
        let headers = [("X-GitHub-Event", event), ("X-GitHub-Delivery", id), ("X-Hub-Signature-256", signature)];
        self.send("POST", &headers, body)
    }

    fn end(self) -> String {
        self.live.signal(Signal::TERM);
        let (code, said) = self.live.end();
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

fn signature(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", hex::encode(hmac::sign(&key, body.as_bytes())))
}

#[test]
fn only_what_github_signed_is_taken_and_only_once() {
    let world = World::new();
    let served = Served::start(&world);
    let right = signature(SECRET, ABOUT_US);
    for wrong in [signature("another secret", ABOUT_US), signature(SECRET, "{}"), right[..20].to_owned(), String::new()]
    {
        let (status, said) = served.deliver("status", "1", ABOUT_US, &wrong);
        assert_eq!((status, said.as_str()), (401, "the signature is missing or wrong"), "{wrong}");
    }
    assert_eq!(served.send("POST", &[("X-GitHub-Event", "status"), ("X-GitHub-Delivery", "1")], ABOUT_US).0, 401);
    assert_eq!(served.send("GET", &[], "").0, 405);

    let deliver = |event: &str, id: &str, body: &str| served.deliver(event, id, body, &signature(SECRET, body));
    let told = |answer: (u16, String)| {
        assert_eq!(answer.0, 202, "{answer:?}");
        answer.1
    };
    assert_eq!(told(deliver("status", "1", ABOUT_US)), "waiting promotions look now");
    assert_eq!(told(deliver("status", "1", ABOUT_US)), "this was delivered before");
    assert_eq!(told(deliver("status", "2", ABOUT_US)), "this was delivered before");
    assert_eq!(told(deliver("ping", "3", ABOUT_US)), "nobody waits for this");
    assert_eq!(told(deliver("status", "4", &ABOUT_US.replace("agent", "other"))), "nobody waits for this");
    assert_eq!(told(deliver("status", "5", &ABOUT_US.replace("success", "pending"))), "waiting promotions look now");
    assert_eq!(deliver("status", "6", "payload=%7B%7D").0, 400);
    let large = ABOUT_US.replace("success", &"x".repeat(1024 * 1024));
    assert_eq!(deliver("status", "7", &large), (413, "the body has more than 1 MiB".to_owned()));

    let said = served.end();
    assert!(!said.contains(SECRET) && !said.contains(&right), "{said}");
}

#[test]
fn without_a_good_secret_nothing_is_served() {
    let world = World::new();
    let short = world.write("short", "too short\n");
    let args = ["serve", "--webhooks", "127.0.0.1:0", "--github", "o/agent"];
    world.run(args).expect(2, &["--webhook-secret-file", "SELFEXT_WEBHOOK_SECRET"]);
    world.run(args.iter().chain(&["--webhook-secret-file", "nowhere"])).expect(2, &["nowhere"]);
    let ran = world.run(args.iter().chain(&["--webhook-secret-file", &short])).expect(2, &["at least 16 characters"]);
    assert!(!format!("{ran:?}").contains("too short\\n"), "{ran:?}");
    assert!(!world.ledger().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_promotion_goes_on_at_once_when_github_tells_of_its_check() {
    let github = Github::with_rules(PATIENT_RULES).await;
    let twin = github.serving.handle();
    twin.on_new_head_set([AutoCheck::status("ci", StatusState::Pending)]);
    let served = Served::start(&github.world);
    let from = github.world.write("x", "second\n");
    let promote = ["promote", "--message", "Say why", "--file", &format!("agent.txt={from}")];
    let promotion = Live::start(github.quiet_command(&promote));

    // It looks a second time when it begins to listen, and then in an hour.
    let mut looks = HashSet::new();
    twin.wait_for(|exchange| {
        if exchange.path_and_query.contains("/status?") && exchange.ended.is_some() {
            looks.insert(exchange.sequence);
        }
        looks.len() == 2
    })
    .await;
    let head = twin.pulls().await[0].head_sha.clone();
    twin.set_check(&head, AutoCheck::status("ci", StatusState::Success)).await.unwrap();
    let body = ABOUT_US.replace("success", &head);
    assert_eq!(served.deliver("status", "1", &body, &signature(SECRET, &body)).0, 202);
    let (code, said) = promotion.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(github.on_main(), "second");
    served.end();
    github.serving.shutdown().await;
}
