use std::net::TcpListener;

use selfext_domain::{Wall, WallState};

use crate::ground::{Outcome, attacked, script};

const CONNECT: &str =
    "bash -c 'exec 3<>/dev/tcp/127.0.0.1/PORT && echo secret >&3 && echo connected' 2>/dev/null; echo tried";

#[tokio::test]
async fn connects_to_the_network() {
    attacked("opens a network connection", &[Wall::Network], async |ground| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let connect = CONNECT.replace("PORT", &listener.local_addr().unwrap().port().to_string());
        let report = ground.run(script(&connect)).await;
        assert!(report.output.as_str().contains("tried"), "{report:?}");
        let reached = listener.accept().is_ok();
        // Where the rules open it, it is open, and the report says so.
        let mut open = script(&connect);
        open.network = true;
        let opened = ground.run(open).await;
        assert!(opened.output.as_str().contains("connected") && listener.accept().is_ok(), "{opened:?}");
        assert!(opened.walls.iter().any(|wall| wall.wall == Wall::Network && wall.state == WallState::Opened));
        Outcome { harm: reached.then(|| "a connection".to_owned()), report }
    })
    .await;
}
