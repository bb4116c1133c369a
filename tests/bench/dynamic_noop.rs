//! The least that a native dynamic module costs: it takes part in every request and does nothing.
//! It allocates nothing for a request. `make bench` measures the native library beside it.
#![allow(unsafe_code, reason = "the ABI has names; no pointer is read")]

#[cfg(not(target_arch = "wasm32"))]
mod hooks {
    use std::ffi::{c_char, c_void};

    type Pointer = *const c_void;

    /// Any address but null, for the configuration and for each request. Nobody reads it.
    static SELF: u8 = 0;

    const fn itself() -> Pointer {
        (&raw const SELF).cast()
    }

    #[unsafe(export_name = "envoy_dynamic_module_on_program_init")]
    extern "C" fn program_init() -> *const c_char {
        c"v0.1.0".as_ptr()
    }

    #[repr(C)]
    struct Buffer(Pointer, usize);

    #[unsafe(export_name = "envoy_dynamic_module_on_http_filter_config_new")]
    const extern "C" fn config_new(_: Pointer, _: Buffer, _: Buffer) -> Pointer {
        itself()
    }

    #[unsafe(export_name = "envoy_dynamic_module_on_http_filter_new")]
    const extern "C" fn filter_new(_: Pointer, _: Pointer) -> Pointer {
        itself()
    }

    /// Hooks of these names, which take what is listed and answer 0.
    macro_rules! hooks {
        ($($link:literal $name:ident($($type:ty),*);)*) => {
            $(
                #[unsafe(export_name = concat!("envoy_dynamic_module_on_http_filter_", $link))]
                const extern "C" fn $name($(_: $type),*) -> u32 {
                    0
                }
            )*
        };
    }

    hooks! {
        "config_destroy" config_destroy(Pointer);
        "config_scheduled" config_scheduled(Pointer, Pointer, u64);
        "config_http_callout_done"
            config_callout_done(Pointer, Pointer, u64, u32, Pointer, usize, Pointer, usize);
        "destroy" destroy(Pointer);
        "request_headers" request_headers(Pointer, Pointer, bool);
        "request_body" request_body(Pointer, Pointer, bool);
        "request_trailers" request_trailers(Pointer, Pointer);
        "response_headers" response_headers(Pointer, Pointer, bool);
        "response_body" response_body(Pointer, Pointer, bool);
        "response_trailers" response_trailers(Pointer, Pointer);
        "stream_complete" stream_complete(Pointer, Pointer);
        "http_callout_done"
            callout_done(Pointer, Pointer, u64, u32, Pointer, usize, Pointer, usize);
        "scheduled" scheduled(Pointer, Pointer, u64);
        "http_stream_headers" stream_headers(Pointer, Pointer, u64, Pointer, usize, bool);
        "http_stream_data" stream_data(Pointer, Pointer, u64, Pointer, usize, bool);
        "http_stream_trailers" stream_trailers(Pointer, Pointer, u64, Pointer, usize);
        "http_stream_complete" stream_call_complete(Pointer, Pointer, u64);
        "http_stream_reset" stream_reset(Pointer, Pointer, u64, u32);
        "downstream_above_write_buffer_high_watermark" above_watermark(Pointer, Pointer);
        "downstream_below_write_buffer_low_watermark" below_watermark(Pointer, Pointer);
    }
}
