//! What the org answers, one file per product; each says which operations it knows.

pub(crate) mod aggregate_request;
mod dashboards;
mod dbm;
mod errors;
mod events;
mod hosts;
mod incidents;
mod logs;
mod metrics;
pub(crate) mod monitors;
mod objectives;
mod people;
mod query_v2;
mod rum;
mod services;
mod spans;
mod traces;

use crate::call::Handler;

/// The handler of an operation, if it is simulated.
pub(crate) fn handler(operation: &str) -> Option<Handler> {
    const PRODUCTS: [fn(&str) -> Option<Handler>; 16] = [
        logs::handler,
        spans::handler,
        traces::handler,
        dbm::handler,
        metrics::handler,
        query_v2::handler,
        monitors::handler,
        events::handler,
        incidents::handler,
        hosts::handler,
        services::handler,
        dashboards::handler,
        errors::handler,
        rum::handler,
        objectives::handler,
        people::handler,
    ];
    PRODUCTS.iter().find_map(|product| product(operation))
}
