//! Duo's Auth API v2 as values: a typed request becomes a signed call, and the bytes of a response
//! become a typed reply or a typed error.
//!
//! In go [`Credentials`], a [`Request`] and the time on Duo's clock; out comes a [`SignedCall`]
//! that the host sends as it is. In goes a [`Response`]; out comes a typed result, or a
//! [`DuoError`] that knows whose fault it is. A response admits a user in exactly one case: HTTP
//! 200, `stat` exactly `OK`, `result` exactly `allow`.
//!
//! Duo's texts are data: each is a [`Text`], without control characters and of bounded length. This
//! module never learns who waits for a response. It knows no fail mode, cookie, page, application
//! header or host call.
//!
//! [`universal`] is the other API, for browsers that are redirected to Duo's page.
//!
//! Source: Duo, "Auth API" (<https://duo.com/docs/authapi>).

mod auth_status;
mod credentials;
mod device;
mod endpoint;
mod enrollment;
mod envelope;
mod error;
mod id;
mod members;
pub mod params;
mod preauth_response;
mod push_info;
mod request;
mod response;
pub mod sign;
mod text;
pub mod universal;

pub use auth_status::{AuthResult, AuthStatus, Status};
pub use credentials::{ApiHost, ApiHostFault, Credentials, Signature};
pub use device::{Capability, Device, DeviceChoice, DeviceKind};
pub use endpoint::Endpoint;
pub use enrollment::{Enrollment, EnrollmentState};
pub use envelope::{AskedWait, Response};
pub use error::{DuoError, Fault, Garbled, Malformed, Outage};
pub use id::{DeviceId, MalformedId, Txid, UserId};
pub use preauth_response::{PreauthResponse, Verification, is_lock_out};
pub use push_info::PushInfo;
pub use request::{Auth, AuthFactor, Enroll, EnrollStatus, Preauth, Request, SignedCall};
pub use text::Text;
