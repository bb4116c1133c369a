//! Sockets: accepts connections, with or without TLS, and passes each request to the Auth API.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::api;
use crate::sim::Sim;

/// Serves the Auth API on `listener` until the program ends.
pub(crate) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, sim: Arc<Sim>) {
    loop {
        // A connection that fails before it is established is ignored.
        if let Ok((stream, peer)) = listener.accept().await {
            tokio::spawn(connection(stream, peer, tls.clone(), Arc::clone(&sim)));
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, sim: Arc<Sim>) {
    // Responses are small, and clients wait for them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => exchange(stream, false, sim).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => exchange(stream, true, sim).await,
            Err(error) if sim.settings.verbose => eprintln!("TLS with {peer} failed: {error}"),
            Err(_) => {}
        },
    }
}

async fn exchange<S>(stream: S, tls: bool, sim: Arc<Sim>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (head, body) = request.into_parts();
        api::serve(Arc::clone(&sim), head, Body::new(body), tls)
    });
    // An error here means that the client left, or that a fault switch closed the connection.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
