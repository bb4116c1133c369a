//! Ends the VM where a test asks for it. No release has this: see the feature `wasm-faults`.

/// Ends the VM if the request has the header `x-duo-mfa-fault`.
#[cfg(feature = "wasm-faults")]
pub(super) fn at_request() {
    let headers = super::host::headers(proxy_wasm::types::MapType::HttpRequestHeaders);
    let headers = headers.unwrap_or_default();
    if headers.windows(b"x-duo-mfa-fault".len()).any(|bytes| bytes == b"x-duo-mfa-fault") {
        // A test looks for this text in the shipped module: the compiler may write the header's name as numbers.
        log::error!("a planted fault ends this VM");
        core::arch::wasm32::unreachable();
    }
}

#[cfg(not(feature = "wasm-faults"))]
pub(super) const fn at_request() {}
