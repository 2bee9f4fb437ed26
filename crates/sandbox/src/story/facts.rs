//! The truth behind the telemetry, so that a test or a demo can check what an investigation found.

use crate::dice::Dice;
use crate::time::iso;
use serde::Serialize;

/// Facts of the story. Every id here is found in the API's answers under the same value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// When the sandbox thinks it is; all else is relative to it.
    pub now: String,
    /// Service whose deploy is the cause.
    pub service: String,
    /// Service whose customers see it.
    pub front_service: String,
    /// Where it happens.
    pub env: String,
    /// Version that brought the fault.
    pub bad_version: String,
    /// Version before it.
    pub good_version: String,
    /// Commit of the bad version.
    pub commit: String,
    /// When the bad version went out.
    pub deployed_at: String,
    /// When the monitor alerted.
    pub alerted_at: String,
    /// When the incident was declared.
    pub declared_at: String,
    /// Id of the deploy in the event stream.
    pub deploy_event_id: String,
    /// Id of the monitor's alert in the event stream.
    pub alert_event_id: String,
    /// The monitor in state Alert.
    pub monitor_id: u64,
    /// Its name.
    pub monitor_name: String,
    /// UUID of the active incident.
    pub incident_id: String,
    /// Its number.
    pub incident_public_id: u64,
    /// A trace of one failed checkout, decimal; above `i64::MAX`.
    pub trace_id: String,
    /// The same in 32 hexadecimal digits.
    pub trace_id_hex: String,
    /// The database span in it that takes the time.
    pub slow_span_id: String,
    /// Signature of the statement that lost its index: in span attributes, samples, plans and query metrics.
    pub query_signature: String,
    /// The statement, normalised.
    pub statement: String,
    /// Signature of its explain plan.
    pub plan_signature: String,
    /// The index that is no longer used.
    pub index: String,
    /// Table that is read whole.
    pub table: String,
    /// Database node.
    pub database_instance: String,
    /// Error tracking issue of the failure.
    pub issue_id: String,
    /// RUM application of the shop's pages.
    pub rum_application_id: String,
    /// A trace of thousands of spans (the nightly reindex), decimal.
    pub huge_trace_id: String,
    /// How many spans it has.
    pub huge_trace_spans: usize,
    /// Dashboard of the checkout service.
    pub dashboard_id: String,
    /// SLO that the incident eats.
    pub slo_id: String,
    /// Milliseconds of `deployed_at`.
    #[serde(skip)]
    pub(crate) deployed: i64,
    /// Milliseconds of `alerted_at`.
    #[serde(skip)]
    pub(crate) alerted: i64,
    /// Milliseconds of `declared_at`.
    #[serde(skip)]
    pub(crate) declared: i64,
    /// `trace_id` as a number.
    #[serde(skip)]
    pub(crate) trace: u64,
    /// `huge_trace_id` as a number.
    #[serde(skip)]
    pub(crate) huge_trace: u64,
}

/// How long before `now` the bad version went out.
const DEPLOYED_AGO: i64 = 40 * 60_000;

impl Story {
    pub(crate) fn new(seed: u64, now: i64) -> Self {
        let mut dice = Dice::of(seed, "story", 0);
        let (deployed, alerted, declared) = (now - DEPLOYED_AGO, now - 31 * 60_000, now - 27 * 60_000);
        let trace = dice.next() | 1 << 63;
        let huge_trace = dice.next() >> 1;
        Self {
            now: iso(now),
            service: "checkout".into(),
            front_service: "storefront".into(),
            env: "prod".into(),
            bad_version: "2.31.0".into(),
            good_version: "2.30.4".into(),
            commit: dice.hex(40),
            deployed_at: iso(deployed),
            alerted_at: iso(alerted),
            declared_at: iso(declared),
            deploy_event_id: (6_000_000_000_000_000_000 + dice.below(1 << 58)).to_string(),
            alert_event_id: (6_000_000_000_000_000_000 + dice.below(1 << 58)).to_string(),
            monitor_id: 140_000_000 + dice.below(9_000_000),
            monitor_name: "[checkout] Error rate above 5 % in prod".into(),
            incident_id: dice.uuid(),
            incident_public_id: 4_000 + dice.below(900),
            trace_id: trace.to_string(),
            trace_id_hex: hex_trace(trace, deployed),
            slow_span_id: super::spans::span_id(trace, super::spans::SLOW_QUERY).to_string(),
            query_signature: dice.hex(16),
            statement:
                "SELECT id, sku, quantity, expires_at FROM reservations WHERE lower(sku) = lower($1) AND released_at IS NULL FOR UPDATE"
                    .into(),
            plan_signature: dice.hex(16),
            index: "idx_reservations_sku_open".into(),
            table: "reservations".into(),
            database_instance: "orders-db-0".into(),
            issue_id: dice.uuid(),
            rum_application_id: dice.uuid(),
            huge_trace_id: huge_trace.to_string(),
            huge_trace_spans: 20_000,
            dashboard_id: format!("{}-{}-{}", dice.hex(3), dice.hex(3), dice.hex(3)),
            slo_id: dice.hex(32),
            deployed,
            alerted,
            declared,
            trace,
            huge_trace,
        }
    }
}

/// The 128-bit form of a trace id: seconds of its start in the upper half, as tracers make it.
pub(crate) fn hex_trace(trace: u64, at: i64) -> String {
    format!("{:08x}00000000{trace:016x}", at / 1_000)
}
