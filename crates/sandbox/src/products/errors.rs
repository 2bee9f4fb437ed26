//! Error tracking: search, which answers ids and counts unless `include=issue`, and one issue.

use crate::call::{Call, Handler};
use crate::dice::Dice;
use crate::json::View;
use crate::query::{self, Searchable};
use crate::reply::{Answer, Reply};
use crate::story::World;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.SearchIssues" => search,
        "v2.GetIssue" => get,
        _ => return None,
    })
}

/// One issue. Times in milliseconds.
struct Issue {
    id: String,
    service: &'static str,
    track: &'static str,
    kind: &'static str,
    message: &'static str,
    file: &'static str,
    function: &'static str,
    language: &'static str,
    platform: &'static str,
    state: &'static str,
    first: i64,
    first_version: &'static str,
    last: i64,
    last_version: &'static str,
    count: u64,
    sessions: u64,
}

#[allow(clippy::too_many_lines)] // A list of data.
fn all(world: &World) -> Vec<Issue> {
    const DAY: i64 = 86_400_000;
    let story = &world.story;
    let id = |nth| Dice::of(world.seed, "issue", nth).uuid();
    let now = world.now;
    vec![
        Issue {
            id: story.issue_id.clone(),
            service: "checkout",
            track: "trace",
            kind: "org.springframework.dao.QueryTimeoutException",
            message: "PreparedStatementCallback; ERROR: canceling statement due to statement timeout",
            file: "ReservationRepository.java",
            function: "findOpenBySku",
            language: "JVM",
            platform: "BACKEND",
            state: "OPEN",
            first: story.deployed + 95_000,
            first_version: "2.31.0",
            last: now - 20_000,
            last_version: "2.31.0",
            count: 1_874,
            sessions: 1_102,
        },
        Issue {
            id: id(1),
            service: "storefront-web",
            track: "rum",
            kind: "CheckoutFailedError",
            message: "Checkout failed: server answered 504",
            file: "checkout-4f1c.js",
            function: "placeOrder",
            language: "JAVASCRIPT",
            platform: "BROWSER",
            state: "OPEN",
            first: now - 410 * DAY,
            first_version: "4.20.0",
            last: now - 25_000,
            last_version: "5.112.0",
            count: 1_655,
            sessions: 1_090,
        },
        Issue {
            id: id(2),
            service: "checkout",
            track: "logs",
            kind: "java.sql.SQLTransientConnectionException",
            message: "orders-pool - Connection is not available, request timed out after 3000ms",
            file: "HikariPool.java",
            function: "createTimeoutException",
            language: "JVM",
            platform: "BACKEND",
            state: "OPEN",
            first: now - 120 * DAY,
            first_version: "2.17.0",
            last: now - 40_000,
            last_version: "2.31.0",
            count: 1_120,
            sessions: 0,
        },
        Issue {
            id: id(3),
            service: "checkout",
            track: "trace",
            kind: "java.net.SocketException",
            message: "Connection reset",
            file: "PaymentClient.java",
            function: "authorise",
            language: "JVM",
            platform: "BACKEND",
            state: "ACKNOWLEDGED",
            first: now - 300 * DAY,
            first_version: "2.2.1",
            last: now - 50 * 60_000,
            last_version: "2.30.4",
            count: 41,
            sessions: 40,
        },
        Issue {
            id: id(4),
            service: "catalog",
            track: "trace",
            kind: "ConnectionResetError",
            message: "connection reset by peer",
            file: "search/client.py",
            function: "run_query",
            language: "PYTHON",
            platform: "BACKEND",
            state: "OPEN",
            first: now - 90 * DAY,
            first_version: "10.0.2",
            last: now - 3 * 3_600_000,
            last_version: "11.4.1",
            count: 63,
            sessions: 12,
        },
        Issue {
            id: id(5),
            service: "notification",
            track: "logs",
            kind: "TemplateError",
            message: "missing placeholder: first_name",
            file: "mail/render.py",
            function: "render",
            language: "PYTHON",
            platform: "BACKEND",
            state: "RESOLVED",
            first: now - 40 * DAY,
            first_version: "4.0.0",
            last: now - 9 * DAY,
            last_version: "4.1.9",
            count: 210,
            sessions: 0,
        },
    ]
}

impl Searchable for Issue {
    fn message(&self) -> &str {
        self.message
    }

    fn key(&self, name: &str, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        let value = match name {
            "service" => self.service,
            "env" => "prod",
            "version" => self.last_version,
            "status" | "state" => self.state,
            _ => return false,
        };
        see(View::Text(value))
    }

    fn attribute(&self, path: &str) -> Option<View<'_>> {
        let value = match path {
            "error.type" | "error.kind" => self.kind,
            "error.message" => self.message,
            "error.file" => self.file,
            "language" => self.language,
            "issue.id" => &self.id,
            _ => return None,
        };
        Some(View::Text(value))
    }

    fn attributes(&self, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        [self.kind, self.message, self.file, self.function].into_iter().any(|text| see(View::Text(text)))
    }
}

fn shown(world: &World, issue: &Issue) -> Value {
    let case = Dice::of(world.seed, &issue.id, 0).uuid();
    json!({"id": issue.id, "type": "issue", "attributes": {
        "error_message": issue.message, "error_type": issue.kind, "file_path": issue.file, "first_seen": issue.first, "first_seen_version": issue.first_version,
        "function_name": issue.function, "is_crash": false, "languages": [issue.language], "last_seen": issue.last, "last_seen_version": issue.last_version,
        "platform": issue.platform, "service": issue.service, "state": issue.state,
    }, "relationships": {"case": {"data": {"id": case, "type": "case"}}}})
}

fn search(call: &Call<'_>) -> Answer {
    let bad = |detail: String| Reply::stated(400, "Bad Request", &detail);
    let attributes = &call.body["data"]["attributes"];
    let (Some(text), Some(from), Some(to)) = (attributes["query"].as_str(), attributes["from"].as_i64(), attributes["to"].as_i64()) else {
        return Err(bad("query, from and to are required; times in milliseconds".to_owned()));
    };
    let query = query::parse(text).map_err(|error| bad(error.to_string()))?;
    let tracks: &[&str] = match (attributes["track"].as_str(), attributes["persona"].as_str()) {
        (Some(track @ ("trace" | "logs" | "rum")), None) => match track {
            "trace" => &["trace"],
            "logs" => &["logs"],
            _ => &["rum"],
        },
        (None, Some("ALL")) => &["trace", "logs", "rum"],
        (None, Some("BROWSER" | "MOBILE")) => &["rum"],
        (None, Some("BACKEND")) => &["trace", "logs"],
        (Some(other), None) => return Err(bad(format!("invalid json value for TrackType: {other}"))),
        _ => return Err(bad("one of track and persona is required".to_owned())),
    };
    let world = call.world();
    let mut found: Vec<Issue> = all(world)
        .into_iter()
        .filter(|issue| tracks.contains(&issue.track) && issue.last >= from && issue.first <= to && query.fits(issue))
        .collect();
    match attributes["order_by"].as_str() {
        None | Some("TOTAL_COUNT" | "PRIORITY") => found.sort_by_key(|issue| std::cmp::Reverse(issue.count)),
        Some("FIRST_SEEN") => found.sort_by_key(|issue| std::cmp::Reverse(issue.first)),
        Some("IMPACTED_SESSIONS") => found.sort_by_key(|issue| std::cmp::Reverse(issue.sessions)),
        Some(other) => return Err(bad(format!("invalid json value for OrderBy: {other}"))),
    }
    let rows: Vec<Value> = found
        .iter()
        .map(|issue| json!({"id": issue.id, "type": "error_tracking_search_result", "attributes": {"impacted_sessions": issue.sessions, "total_count": issue.count},
            "relationships": {"issue": {"data": {"id": issue.id, "type": "issue"}}}}))
        .collect();
    let mut answer = json!({ "data": rows });
    if call.params("include").contains(&"issue") {
        answer["included"] = found.iter().map(|issue| shown(world, issue)).collect();
    }
    Ok(Reply::json_api(&answer))
}

fn get(call: &Call<'_>) -> Answer {
    let wanted = call.segment("issue_id");
    let issue =
        all(call.world()).into_iter().find(|issue| issue.id == wanted).ok_or_else(|| Reply::stated(404, "Not Found", "issue not found"))?;
    Ok(Reply::json_api(&json!({"data": shown(call.world(), &issue)})))
}
