use std::os::unix::net::UnixListener;

use selfext_domain::Wall;

use crate::ground::{Outcome, attacked, script};

/// As the socket of Docker, behind which is root, or that of an agent for keys.
#[tokio::test]
async fn connects_to_a_local_socket() {
    attacked("connects to a local socket", &[Wall::Network, Wall::Files], async |ground| {
        let path = ground.outside("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let connect = format!(
            "perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) && print \"connected\"' '{}'; \
             echo tried",
            path.display()
        );
        let report = ground.run(script(&connect)).await;
        assert!(report.output.as_str().contains("tried"), "{report:?}");
        Outcome { harm: listener.accept().is_ok().then(|| "a connection".to_owned()), report }
    })
    .await;
}
