//! The steps before the first call: name, connection, proxy, TLS.

use super::link::{self, Link};
use super::report::Report;
use super::route::Route;
use super::tls;
use super::verdict::{Code, Finding};
use std::time::Instant;

/// A certificate that expires within this many days is a warning.
const FEW_DAYS: u64 = 14;

/// Tests these steps. `None` after a fault.
pub(super) fn open(route: &Route, report: &mut Report) -> Option<Link> {
    let client = report.step("authorities", || {
        let client = tls::Client::new(route)?;
        let text = client.authorities().to_owned();
        Ok((client, text))
    })?;
    let own = match &route.proxy {
        Some(proxy) if proxy.resolves => {
            report.skip("dns", format!("the proxy looks {} up", route.host));
            Vec::new()
        }
        Some(_) | None => report.step("dns", || {
            let addresses = link::resolve(&route.host, route.port)?;
            let shown: Vec<_> = addresses.iter().map(|it| it.ip().to_string()).collect();
            let text = format!("{} is {}", route.host, shown.join(", "));
            Ok((addresses, text))
        })?,
    };
    let tunnel = route.proxy.as_ref().map(|proxy| link::target(route, proxy, &own));
    let addresses = match &route.proxy {
        Some(proxy) => report.step("proxy dns", || {
            let addresses = link::resolve(&proxy.host, proxy.port)?;
            Ok((addresses, format!("{} port {}", proxy.host, proxy.port)))
        })?,
        None => own,
    };
    let mut tcp = report.step("tcp", || {
        let begun = Instant::now();
        let (tcp, address) = link::connect(&addresses, route.connect_timeout, tunnel.is_some())?;
        Ok((tcp, format!("{address} accepts, after {} ms", begun.elapsed().as_millis())))
    })?;
    if let Some(target) = &tunnel {
        report.step("proxy", || {
            link::tunnel(&mut tcp, target)?;
            Ok(((), format!("connects to {target}")))
        })?;
    }
    let days = report.step("tls", || {
        client.open(tcp)?;
        let (text, days) = tls::accepted(&client.certificate());
        Ok((days, text))
    })?;
    if days < FEW_DAYS {
        let problem = format!("the certificate expires in {days} days");
        let fix = "Duo renews its own; if a proxy on the way made it, renew it there";
        report.warn("tls", Finding::new(Code::CertificateExpiresSoon, problem, fix));
    }
    Some(Link { addresses, tunnel, client, connect_timeout: route.connect_timeout })
}
