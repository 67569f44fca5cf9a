//! Listening on this machine, and stopping.

use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sanbao_contract::Fault;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// Connections at a time; more wait.
const MOST_CONNECTIONS: usize = 256;
/// How long a connection may say nothing, or be in the middle of its headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// How long requests that are under way when the server is stopped may take to end.
const END_WITHIN: Duration = Duration::from_secs(3);
/// Pause after a connection could not be taken, as when too many files are open.
const BREATH: Duration = Duration::from_millis(50);

/// Opens the first port of the list that is free; 0 stands for any.
///
/// # Errors
/// When none can be opened.
pub async fn open(ports: impl IntoIterator<Item = u16>) -> Result<(TcpListener, u16), Fault> {
    let mut last = Fault::new("serve.no_port", "no port was given to listen on");
    for port in ports {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => match listener.local_addr() {
                Ok(address) => return Ok((listener, address.port())),
                Err(error) => last = no_port(port, &error),
            },
            Err(error) => last = no_port(port, &error),
        }
    }
    Err(last)
}

fn no_port(port: u16, error: &std::io::Error) -> Fault {
    let message = format!("port {port} of this machine cannot be opened ({error}); use another");
    Fault::new("serve.no_port", message).with("port", port)
}

/// Tells that a server is to stop.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Waits until it is to stop.
    pub async fn wait(&mut self) {
        // An error means that nobody is left who could say so: the same.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// A server that runs. It stops when it is dropped.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts to serve what `router` makes. Answers without an end have to watch [`Stopping`].
    pub fn start(listener: TcpListener, router: impl FnOnce(Stopping) -> Router) -> Self {
        let (stop, stopped) = watch::channel(false);
        let stopping = Stopping(stopped);
        let task = tokio::spawn(accept(listener, router(stopping.clone()), stopping));
        Self { stop, task }
    }

    /// Stops: nothing new is taken, what is under way has three seconds, then the port is free.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

async fn accept(listener: TcpListener, router: Router, mut stopping: Stopping) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopping.wait() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, router.clone(), stopping.clone()));
                }
                Err(_) => sleep(BREATH).await,
            },
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(END_WITHIN, ended).await.is_err() {
        connections.shutdown().await;
    }
}

/// Serves one connection. What fails here fails for a client that is gone or speaks no HTTP.
async fn serve(stream: TcpStream, router: Router, mut stopping: Stopping) {
    // Words of an answer are small, and should not wait for the next ones.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopping.wait() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
