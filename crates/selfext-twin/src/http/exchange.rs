//! One request from its arrival to its answer.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use tokio::sync::mpsc;

use super::conditional::tagged;
use super::connection::Scissors;
use super::render::{json_reply, plain_reply, rendered, send};
use crate::api::{self, Call, Reply, Target};
use crate::fault::FaultKind;
use crate::record::Entry;
use crate::world::World;

/// The largest body that is read, in bytes: the largest blob that GitHub takes, in base64.
const LARGEST_BODY: usize = 64 << 20;

/// What the server hands to every request.
pub(super) struct Shared {
    pub(super) world: Arc<World>,
    /// Dropped with the last request: that is how the server knows that nothing is under way any more.
    pub(super) _busy: mpsc::Sender<()>,
}

/// What becomes of a connection when the work on a request is done.
enum Ending {
    Send(Response),
    SendCut(Response, usize),
    Drop,
    Hang,
}

/// Answers one request. The work itself is a task of its own: a client that goes away does not undo it.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response {
    let world = Arc::clone(&shared.world);
    let (head, body) = request.into_parts();
    let path_and_query = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let inside = below(&world.config.path, path_and_query);
    let target = Target::parse(head.method.as_str(), inside.unwrap_or(path_and_query)).by_name(&world.identity());
    let route = inside.and_then(|_| api::find(&target));
    let template = route.as_ref().map(|(route, _)| route.template);
    let entry = world.recorder.begin(head.method.as_str(), path_and_query, template);
    if route.is_none() {
        tracing::warn!(method = %head.method, path = path_and_query, "the twin has no such route");
    }
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        let reply = plain_reply(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large");
        return send(&world, &entry, reply);
    };
    entry.request_body(&body);

    let job = Job { shared, entry: entry.clone(), target, route, uri: head.uri.clone(), headers: head.headers, body };
    let ending = match tokio::spawn(job.carry_out()).await {
        Ok(ending) => ending,
        Err(error) => {
            tracing::error!(%error, "a request broke off");
            Ending::Send(send(&world, &entry, plain_reply(StatusCode::INTERNAL_SERVER_ERROR, "Server Error")))
        }
    };
    match ending {
        Ending::Send(response) => response,
        Ending::SendCut(response, bytes) => {
            scissors.cut_in_body(bytes);
            response
        }
        Ending::Drop => {
            scissors.cut();
            Response::default()
        }
        Ending::Hang => {
            world.closing().await;
            scissors.cut();
            Response::default()
        }
    }
}

/// What is left of a request's target below the path of the API, if it is there.
fn below<'a>(path: &str, target: &'a str) -> Option<&'a str> {
    // GitHub Enterprise Server's GraphQL is beside its REST API, which is below `/api/v3`.
    if let Some(beside) = path.strip_suffix("/v3").and_then(|above| target.strip_prefix(above))
        && beside == "/graphql"
    {
        return Some(beside);
    }
    let rest = target.strip_prefix(path)?;
    (path.is_empty() || rest.starts_with('/')).then_some(rest)
}

struct Job {
    shared: Arc<Shared>,
    entry: Entry,
    target: Target,
    route: Option<(&'static api::Route, api::Params)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Job {
    async fn carry_out(self) -> Ending {
        let shared = Arc::clone(&self.shared);
        let world = &shared.world;
        let entry = self.entry.clone();
        if !self.is_local() {
            let words = "The twin answers only programs that address it directly";
            return Ending::Send(send(world, &entry, plain_reply(StatusCode::FORBIDDEN, words)));
        }
        if let Some(refusal) = world.meter.admit(&self.target.method) {
            return Ending::Send(send(world, &entry, refusal));
        }
        let fault = world.knobs.fault_for(&self.target.method, &self.target.segments);
        if let Some(fault) = &fault {
            entry.fault(fault.word());
        }
        if !self.wait(world, fault.as_ref()).await {
            entry.given_up();
            return Ending::Drop;
        }
        match &fault {
            Some(FaultKind::Answer { status, headers, body }) => {
                let mut reply = json_reply(*status, body.clone());
                let headers = headers.iter().filter_map(|(name, value)| {
                    Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
                });
                reply.headers.extend(headers);
                return Ending::Send(send(world, &entry, reply));
            }
            Some(FaultKind::Drop) => {
                entry.given_up();
                return Ending::Drop;
            }
            Some(FaultKind::Hang) => return Ending::Hang,
            _ => {}
        }
        let (method, headers) = (self.target.method.clone(), self.headers.clone());
        let reply = tagged(&method, &headers, self.perform(world).await);
        if reply.status == StatusCode::NOT_MODIFIED {
            world.meter.uncount();
        }
        entry.performed(reply.status.as_u16());
        finish(world, &entry, reply, fault).await
    }

    /// Waits as long as latency and faults want it; `false` if the twin closes meanwhile.
    async fn wait(&self, world: &World, fault: Option<&FaultKind>) -> bool {
        let waiting = async {
            let latency = world.knobs.latency();
            if !latency.is_zero() {
                tokio::time::sleep(latency).await;
            }
            match fault {
                Some(FaultKind::Delay(time)) => tokio::time::sleep(*time).await,
                Some(FaultKind::Hold(gate)) => gate.pass().await,
                _ => {}
            }
        };
        tokio::select! {
            biased;
            () = waiting => true,
            () = world.closing() => false,
        }
    }

    async fn perform(self, world: &World) -> Reply {
        let (route, params) = self.route.map_or_else(Default::default, |(route, params)| (Some(route), params));
        let call =
            Call { world, target: &self.target, uri: &self.uri, params, headers: &self.headers, body: self.body };
        api::perform(world, route, &call).await
    }

    /// Whether the request was made to the twin by name or address and not by a page in somebody's browser: such a
    /// page could otherwise change the repository through a name of its own that it points at this machine.
    fn is_local(&self) -> bool {
        if self.headers.contains_key(ORIGIN) {
            return false;
        }
        let Some(host) = self.headers.get(HOST) else {
            return true;
        };
        let host = host.to_str().unwrap_or_default();
        let address = host.parse::<std::net::SocketAddr>().is_ok() || host.parse::<std::net::IpAddr>().is_ok();
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        address || name.eq_ignore_ascii_case("localhost")
    }
}

/// Plays what a fault wants of an answer that is ready.
async fn finish(world: &World, entry: &Entry, reply: Reply, fault: Option<FaultKind>) -> Ending {
    match fault {
        Some(FaultKind::LoseAnswer) => {
            entry.given_up();
            Ending::Drop
        }
        Some(FaultKind::HangAfterwards) => Ending::Hang,
        Some(FaultKind::AnswerAfterwards { status, body }) => {
            Ending::Send(send(world, entry, json_reply(status, body)))
        }
        Some(FaultKind::HoldAnswer(gate)) => {
            tokio::select! {
                biased;
                () = gate.pass() => Ending::Send(send(world, entry, reply)),
                () = world.closing() => {
                    entry.given_up();
                    Ending::Drop
                }
            }
        }
        Some(FaultKind::HalfJson) => {
            let (mut head, body) = rendered(world, reply);
            entry.answered(head.status().as_u16(), None, body.len());
            *head.body_mut() = Body::from(body.slice(..body.len() / 2));
            Ending::Send(head)
        }
        Some(FaultKind::CutBody) => {
            let (mut head, body) = rendered(world, reply);
            entry.answered(head.status().as_u16(), None, body.len());
            let half = body.len() / 2;
            *head.body_mut() = Body::from(body);
            Ending::SendCut(head, half)
        }
        _ => Ending::Send(send(world, entry, reply)),
    }
}
