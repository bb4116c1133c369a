//! Before a variant is measured it shows that it does its job.

use crate::Fault;
use crate::client::Client;
use crate::credential::{COOKIE, Credential, Kind, USER};
use crate::server::ECHO;
use crate::variant::Variant;

/// A valid credential passes and reaches the application in the right shape; a tampered one, and
/// one under another user's name, do not.
pub(crate) async fn prove(
    variant: Variant,
    port: u16,
    credential: &Credential,
) -> Result<(), Fault> {
    let mut client = Client::connect(port).await?;
    for (kind, must_pass) in [
        (Kind::Valid, true),
        (Kind::Tampered, !variant.guards()),
        (Kind::OtherUser, !variant.reads_cookie()),
        (Kind::Valid, true),
    ] {
        let status = client.exchange(&credential.request("/", kind)).await?;
        let is_right = if must_pass { status == 200 } else { matches!(status, 401 | 403) };
        if !is_right {
            return Err(format!("{variant}: {kind:?} request got {status}").into());
        }
    }
    let status = client.exchange(&credential.request(ECHO, Kind::Valid)).await?;
    let head = String::from_utf8_lossy(client.body());
    let has = |line: String| head.lines().any(|sent| sent == line);
    let is_right = status == 200
        && (!variant.names_user() || has(format!("x-duo-mfa-user: {USER}")))
        && has(format!("cookie: {}", credential.foreign_cookies())) == variant.is_product()
        && head.contains(&format!("{COOKIE}=")) != variant.is_product();
    if is_right {
        Ok(())
    } else {
        Err(format!("{variant}: the upstream answered {status} to\n{head}").into())
    }
}
