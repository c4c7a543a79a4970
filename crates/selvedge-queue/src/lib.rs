//! The durable queue between intake and loading
