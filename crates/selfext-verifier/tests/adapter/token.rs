use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfext_domain::ports::{Source, Verifier as _};
use selfext_verifier::{GitSource, Remote, RemoteAccess, RemoteUrl, Secret, VerifierConfig, WorktreeVerifier};

use crate::place::{Place, candidate, change, files, main_branch, read, run, script, unavailable};

const TOKEN: &str = "planted-7d20aa";
const URL: &str = "https://host.example/o/r.git";

fn coded() -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{TOKEN}"))
}

/// A git that tells its arguments and environment, and fetches from the source instead of from [`URL`].
fn verifier(place: &Place) -> WorktreeVerifier {
    let script = format!(
        "case \"$*\" in *' fetch '*)\n\
         printf '%s\\n' \"$@\" > '{told}/arguments'; env > '{told}/environment'\n\
         exec git -c protocol.file.allow=always -c 'url.{source}.insteadOf={URL}' \"$@\" -c protocol.file.allow=always;; esac",
        told = place.path("told").display(),
        source = place.source.folder().display(),
    );
    fs::create_dir(place.path("told")).unwrap();
    // The last `-c` wins, and they all stand before the word `fetch`.
    let script = script.replace(
        "\"$@\" -c protocol.file.allow=always;;",
        "$(printf '%s\\n' \"$@\" | sed '/^fetch$/i -c\\nprotocol.file.allow=always');;",
    );
    let source = GitSource::Https { url: RemoteUrl::parse(URL).unwrap(), token: Some(Secret::new(TOKEN)) };
    let config = VerifierConfig { source, git: place.git_that(&script), ..place.config() };
    WorktreeVerifier::new(config)
}

#[tokio::test]
async fn the_token_reaches_git_through_its_environment_alone_and_stays_nowhere() {
    let place = Place::make();
    let verifier = verifier(&place);
    let candidate = candidate(&verifier, &place.source.head()).await;
    let arguments = fs::read_to_string(place.path("told/arguments")).unwrap();
    assert!(arguments.contains(URL) && !arguments.contains(TOKEN) && !arguments.contains(&coded()), "{arguments}");
    let environment = fs::read_to_string(place.path("told/environment")).unwrap();
    assert!(environment.contains(&format!("GIT_CONFIG_KEY_0=http.{URL}.extraHeader")), "{environment}");
    assert!(environment.contains(&format!("GIT_CONFIG_VALUE_0=Authorization: Basic {}", coded())), "{environment}");
    let look = "env; tr '\\0' '\\n' < /proc/self/environ; find ../.. -type f -exec cat {} +";
    let output = run(&verifier, &candidate, script(look)).await.output.as_str().to_owned();
    assert!(!output.contains(TOKEN) && !output.contains(&coded()));
    for (path, bytes) in files(&place.cache()) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(TOKEN) && !text.contains(&coded()), "{}", path.display());
    }
    assert!(!format!("{verifier:?}").contains(TOKEN));
}

#[tokio::test]
async fn the_token_is_in_no_error() {
    let place = Place::make();
    let shouting = place.git_that("case \"$*\" in *' fetch '*) env >&2; exit 128;; esac");
    let source = GitSource::Https { url: RemoteUrl::parse(URL).unwrap(), token: Some(Secret::new(TOKEN)) };
    let verifier = WorktreeVerifier::new(VerifierConfig { source, git: shouting, ..place.config() });
    let told = unavailable(read(&verifier, &place.source.head()).await);
    assert!(told.contains("GIT_CONFIG") && !told.contains(TOKEN) && !told.contains(&coded()), "{told}");
    let told = unavailable(verifier.prepare(&main_branch(), &place.source.head(), &change(1)).await);
    assert!(!told.contains(TOKEN) && !told.contains(&coded()), "{told}");
}

/// Answers every request on loopback with the same words, until it goes; tells what it was asked.
struct Server {
    port: u16,
    asked: std::sync::mpsc::Receiver<String>,
}

impl Server {
    fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, asked) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                let mut chunk = [0; 4096];
                while !request.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut chunk).unwrap() {
                        0 => break,
                        read => request.extend_from_slice(&chunk[..read]),
                    }
                }
                if tell.send(String::from_utf8(request).unwrap()).is_err() {
                    return;
                }
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { port, asked }
    }

    fn verifier(&self, place: &Place) -> WorktreeVerifier {
        let url = RemoteUrl::parse(format!("http://127.0.0.1:{}/o/r.git", self.port)).unwrap();
        let source = GitSource::Https { url, token: Some(Secret::new(TOKEN)) };
        WorktreeVerifier::new(VerifierConfig { source, ..place.config() })
    }
}

#[tokio::test]
async fn the_token_is_sent_and_not_carried_to_where_a_redirect_points() {
    let place = Place::make();
    let elsewhere = Server::answering("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let to = format!(
        "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:{}/o/r.git/info/refs?service=git-upload-pack\r\n\
         Connection: close\r\nContent-Length: 0\r\n\r\n",
        elsewhere.port
    );
    let server = Server::answering(to.leak());
    let told = unavailable(read(&server.verifier(&place), &place.source.head()).await);
    assert!(told.contains("has moved"), "{told}");
    let asked = server.asked.try_recv().unwrap();
    assert!(asked.contains(&format!("Authorization: Basic {}", coded())), "{asked}");
    assert!(elsewhere.asked.try_recv().is_err());
}

#[tokio::test]
async fn a_refused_token_is_told_without_a_prompt() {
    let place = Place::make();
    let refusing = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let server = Server::answering(refusing);
    let told = unavailable(read(&server.verifier(&place), &place.source.head()).await);
    assert!(told.contains("refuses the token") && !told.contains(TOKEN), "{told}");
}

/// Knows two places, and gives the second once it is asked for another.
#[derive(Debug)]
struct Changing {
    places: [Remote; 2],
    asked: std::sync::atomic::AtomicUsize,
}

#[async_trait::async_trait]
impl RemoteAccess for Changing {
    async fn remote(&self) -> Result<Remote, Source> {
        Ok(self.places[0].clone())
    }

    async fn instead(&self) -> Result<Option<Remote>, Source> {
        let asked = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok((asked == 0).then(|| self.places[1].clone()))
    }
}

#[tokio::test]
async fn a_source_that_may_change_is_asked_once_more_after_a_refusal_or_a_move() {
    const REFUSED: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    const MOVED: &str = "HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    for (first, words) in [(REFUSED, "refuses the token"), (MOVED, "has moved")] {
        let place = Place::make();
        let (before, after) = (Server::answering(first), Server::answering(first));
        let at = |server: &Server, token: &str| Remote {
            url: RemoteUrl::parse(format!("http://127.0.0.1:{}/o/r.git", server.port)).unwrap(),
            token: Some(Secret::new(token)),
        };
        let access = Arc::new(Changing { places: [at(&before, TOKEN), at(&after, "second")], asked: 0.into() });
        let source = GitSource::Asked(Arc::clone(&access) as Arc<dyn RemoteAccess>);
        let verifier = WorktreeVerifier::new(VerifierConfig { source, ..place.config() });
        let told = unavailable(read(&verifier, &place.source.head()).await);
        assert!(told.contains(words), "{told}");
        assert!(before.asked.try_recv().unwrap().contains(&coded()));
        let second = STANDARD.encode("x-access-token:second");
        assert!(after.asked.try_recv().unwrap().contains(&format!("Authorization: Basic {second}")));
        assert_eq!(access.asked.load(std::sync::atomic::Ordering::Relaxed), 1, "once a fetch");
        assert!(!told.contains(TOKEN) && !told.contains(&second), "{told}");
        // There is nothing else any more.
        unavailable(read(&verifier, &place.source.head()).await);
        assert_eq!(access.asked.load(std::sync::atomic::Ordering::Relaxed), 2);
        assert!(after.asked.try_recv().is_err());
    }
}
