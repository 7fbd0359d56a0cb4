//! A server of one repository for git alone, by its plain HTTP protocol: git asks for files, and gets them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Serves for as long as the process lives.
pub struct GitServer {
    pub url: String,
    authorizations: Arc<Mutex<Vec<String>>>,
}

impl GitServer {
    pub fn start(bare: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/agent.git", listener.local_addr().unwrap());
        let authorizations = Arc::new(Mutex::new(Vec::new()));
        let (bare, seen) = (bare.to_owned(), Arc::clone(&authorizations));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (bare, seen) = (bare.clone(), Arc::clone(&seen));
                std::thread::spawn(move || answer(&stream, &bare, &seen));
            }
        });
        Self { url, authorizations }
    }

    /// The credentials that came with each request; empty where none came.
    pub fn authorizations(&self) -> Vec<String> {
        self.authorizations.lock().unwrap().clone()
    }
}

fn answer(stream: &TcpStream, bare: &Path, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
    loop {
        let first = lines.next()?;
        let mut authorization = String::new();
        for line in lines.by_ref().take_while(|line| !line.is_empty()) {
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("authorization")
            {
                value.clone_into(&mut authorization);
            }
        }
        seen.lock().unwrap().push(authorization);
        let path = first.split(' ').nth(1)?.split('?').next()?.strip_prefix("/agent.git/")?.to_owned();
        if path == "info/refs" {
            crate::world::git(bare, ["update-server-info"]);
        }
        send(stream, std::fs::read(place(bare, &path)).ok())?;
    }
}

fn place(bare: &Path, path: &str) -> PathBuf {
    assert!(!path.contains(".."));
    bare.join(path)
}

fn send(mut stream: &TcpStream, body: Option<Vec<u8>>) -> Option<()> {
    let (status, body) = body.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()
}
