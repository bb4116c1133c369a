//! Another plugin with the same `vm_id`, which tries to reset the filter's limits. At a request with
//! `x-neighbor` it writes shared data under every name that it can know.

#[cfg(target_arch = "wasm32")]
mod filter {
    use proxy_wasm::traits::{Context, HttpContext, RootContext};
    use proxy_wasm::types::{Action, ContextType};

    struct Root;

    impl Context for Root {}

    impl RootContext for Root {
        fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
            Some(Box::new(Stream))
        }

        fn get_type(&self) -> Option<ContextType> {
            Some(ContextType::HttpContext)
        }
    }

    struct Stream;

    impl Context for Stream {}

    impl HttpContext for Stream {
        fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
            if self.get_http_request_header("x-neighbor").is_some() {
                // A bucket that was never used, by its layout without a MAC.
                let mut unused = [0; 200];
                unused[0] = 1;
                for bucket in 0..8_192 {
                    for name in [
                        format!("duo_mfa/limit/{bucket:04}"),
                        format!("duo_mfa/limit/{bucket:04x}"),
                        format!("duo_mfa/{bucket:04x}"),
                    ] {
                        let _ = self.set_shared_data(&name, Some(&unused), None);
                    }
                }
            }
            Action::Continue
        }
    }

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(Root));
    }}
}
