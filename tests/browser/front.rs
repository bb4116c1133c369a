//! The address that the browser knows: it leads to one Envoy, and later perhaps to another, as a
//! load balancer does.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    target: Arc<watch::Sender<SocketAddr>>,
    server: AbortHandle,
}

impl Front {
    pub(crate) fn start(target: SocketAddr) -> Self {
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(watch::Sender::new(target));
        let server = RUNTIME.spawn(serve(listener, Arc::clone(&target))).abort_handle();
        Self { address, target, server }
    }

    /// Leads elsewhere. Connections to the place before are closed.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, target: Arc<watch::Sender<SocketAddr>>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(carry(client, target.subscribe()));
    }
}

async fn carry(mut client: TcpStream, mut target: watch::Receiver<SocketAddr>) {
    let to = *target.borrow_and_update();
    let Ok(mut server) = TcpStream::connect(to).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = target.changed() => {}
    }
}
