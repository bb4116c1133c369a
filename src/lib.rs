//! Duo two-factor authentication at the proxy: the core of the filter.
