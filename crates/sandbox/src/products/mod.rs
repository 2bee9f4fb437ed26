//! What the org answers, one file per product; each says which operations it knows.

pub(crate) mod aggregate_request;
pub(crate) mod dbm;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod monitors;
pub(crate) mod query_v2;
pub(crate) mod spans;
pub(crate) mod traces;

use crate::call::Handler;

/// The handler of an operation, if it is simulated.
pub(crate) fn handler(operation: &str) -> Option<Handler> {
    let products: [fn(&str) -> Option<Handler>; 7] =
        [logs::handler, spans::handler, traces::handler, dbm::handler, monitors::handler, metrics::handler, query_v2::handler];
    products.iter().find_map(|product| product(operation))
}
