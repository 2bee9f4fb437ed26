//! Incidents: list, search (with its facets) and get. People are ids unless `include=users` is asked for.

use crate::call::{Call, Handler};
use crate::dice::Dice;
use crate::json::View;
use crate::query::{self, Searchable};
use crate::reply::{Answer, Reply};
use crate::story::World;
use crate::story::monitors::AUTHOR;
use crate::time::iso_offset;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.ListIncidents" => list,
        "v2.SearchIncidents" => search,
        "v2.GetIncident" => get,
        "v2.ListIncidentAttachments" | "v2.ListIncidentImpacts" | "v2.ListIncidentTodos" => |call| {
            find(call)?;
            Ok(Reply::json(&json!({"data": []})))
        },
        _ => return None,
    })
}

/// Title, severity, state, minutes since its creation, minutes it lasted, services, summary, cause.
type Row = (&'static str, &'static str, &'static str, i64, i64, &'static [&'static str], &'static str, Option<&'static str>);

const PAST: [Row; 11] = [
    (
        "Search answers slowly after the nightly reindex",
        "SEV-4",
        "stable",
        11 * 60,
        0,
        &["catalog"],
        "Search takes three times as long as usual since the reindex of the night.",
        None,
    ),
    (
        "Mails of the newsletter sent twice",
        "SEV-3",
        "resolved",
        4 * 1_440,
        190,
        &["notification"],
        "A worker was restarted between sending and acknowledging.",
        Some("At-least-once delivery without a key"),
    ),
    (
        "Card payments declined by stellapay",
        "SEV-2",
        "resolved",
        19 * 1_440,
        74,
        &["payment"],
        "The provider declined most cards for an hour.",
        Some("Outage of the provider"),
    ),
    (
        "Stock counts negative",
        "SEV-4",
        "resolved",
        33 * 1_440,
        1_600,
        &["inventory"],
        "Concurrent reservations were counted once.",
        Some("Missing row lock"),
    ),
    (
        "Shop unreachable from two networks",
        "SEV-1",
        "resolved",
        52 * 1_440,
        38,
        &["storefront"],
        "Routes of the content network were withdrawn.",
        Some("Provider change"),
    ),
    (
        "Wrong prices shown for bundles",
        "SEV-3",
        "resolved",
        61 * 1_440,
        240,
        &["catalog"],
        "Discounts were applied twice.",
        Some("Rounding in the price service"),
    ),
    (
        "Carts lost after Redis failover",
        "SEV-2",
        "resolved",
        80 * 1_440,
        55,
        &["cart"],
        "The replica was behind when it took over.",
        Some("Replication lag"),
    ),
    (
        "Checkout slow during the spring sale",
        "SEV-3",
        "resolved",
        120 * 1_440,
        310,
        &["checkout", "orders-db"],
        "The connection pool was too small.",
        Some("Capacity"),
    ),
    (
        "Image thumbnails missing",
        "SEV-5",
        "resolved",
        150 * 1_440,
        2_000,
        &["storefront"],
        "A bucket policy was changed.",
        Some("Change without review"),
    ),
    (
        "Order confirmation mails late",
        "SEV-4",
        "resolved",
        171 * 1_440,
        500,
        &["notification"],
        "The queue grew over night.",
        Some("Consumer stuck"),
    ),
    (
        "Login impossible for staff",
        "SEV-3",
        "resolved",
        200 * 1_440,
        44,
        &["storefront"],
        "A certificate expired.",
        Some("Expired certificate"),
    ),
];

/// Incidents, newest first.
fn all(world: &World) -> Vec<Value> {
    let story = &world.story;
    let summary = format!(
        "Since {} about four in ten checkouts in prod fail with 504. Monitor {} ({}) alerted. checkout logs statement timeouts of the reservation lookup; the connection pool is exhausted. Suspected start: shortly after 2.31.0 went out. Not yet rolled back.",
        crate::time::iso_seconds(story.alerted),
        story.monitor_id,
        story.monitor_name
    );
    let mut incidents = vec![incident(
        world,
        0,
        &story.incident_id,
        story.incident_public_id,
        story.declared,
        &("Customers cannot complete checkout", "SEV-2", "active", 0, 0, &["checkout", "storefront"], "", None),
    )];
    incidents[0]["attributes"]["fields"]["summary"]["value"] = json!(summary);
    incidents[0]["attributes"]["fields"]["detection_method"]["value"] = json!("monitor");
    incidents[0]["attributes"]["customer_impact_scope"] = json!("Customers in all countries: paying fails or takes many seconds");
    incidents[0]["attributes"]["customer_impact_start"] = json!(iso_offset(story.alerted));
    incidents[0]["attributes"]["customer_impacted"] = json!(true);
    for (nth, row) in PAST.iter().enumerate() {
        let id = Dice::of(world.seed, "incident", nth as u64).uuid();
        incidents.push(incident(world, nth + 1, &id, story.incident_public_id - 1 - nth as u64, world.now - row.3 * 60_000, row));
    }
    incidents
}

fn incident(world: &World, nth: usize, id: &str, public: u64, created: i64, row: &Row) -> Value {
    let (title, severity, state, _, lasted, services, summary, cause) = *row;
    let resolved = (state == "resolved").then(|| iso_offset(created + lasted * 60_000));
    let user = json!({"data": {"type": "users", "id": AUTHOR.2}});
    let field = |kind: &str, value: Value| json!({"type": kind, "value": value});
    let teams: &[&str] = if services.contains(&"checkout") { &["orders"] } else { &["web"] };
    let custom: Vec<Value> =
        (0..8).map(|field| json!({"type": "user_defined_field", "id": Dice::of(world.seed, "field", field).uuid()})).collect();
    json!({
        "type": "incidents",
        "id": id,
        "attributes": {
            "public_id": public, "incident_type_uuid": Dice::of(world.seed, "incident-type", 0).uuid(), "title": title, "resolved": resolved,
            "customer_impact_scope": Value::Null, "customer_impact_start": Value::Null, "customer_impact_end": Value::Null,
                "customer_impacted": nth % 3 == 2,
            "notification_handles": Value::Null, "last_modified_by_uuid": AUTHOR.2, "created": iso_offset(created),
                "modified": iso_offset(created + 240_000),
            "detected": iso_offset(created - 120_000), "created_by_uuid": AUTHOR.2, "creation_idempotency_key": Value::Null,
                "customer_impact_duration": 0,
            "time_to_detect": 120, "time_to_repair": lasted * 50, "time_to_internal_response": 60, "time_to_resolve": lasted * 60,
                "archived": Value::Null,
            "is_test": false, "declared": iso_offset(created), "declared_by_uuid": AUTHOR.2,
            "fields": {
                "state": field("dropdown", json!(state)), "severity": field("dropdown", json!(severity)), "summary": field("textbox", json!(summary)),
                "detection_method": field("dropdown", json!("employee")), "root_cause": field("textbox", json!(cause)),
                "services": field("autocomplete", json!(services)), "teams": field("autocomplete", json!(teams)),
                    "slug": field("textbox", json!(format!("IR-{public}"))),
            },
            "field_analytics": Value::Null, "severity": severity, "state": state, "non_datadog_creator": Value::Null,
                "visibility": "organization", "case_id": Value::Null,
        },
        "relationships": {
            "created_by_user": user, "last_modified_by_user": user,
                "commander_user": if state == "active" { user.clone() } else { json!({"data": Value::Null}) },
            "declared_by_user": user, "user_defined_fields": {"data": custom}, "integrations": {"data": []}, "attachments": {"data": []},
            "responders": {"data": []}, "impacts": {"data": []},
        },
    })
}

fn user() -> Value {
    json!({"type": "users", "id": AUTHOR.2, "attributes": {"name": AUTHOR.0, "handle": AUTHOR.1, "email": AUTHOR.1, "uuid": AUTHOR.2,
        "icon": "https://avatar.invalid/8d0f6c1e?s=48"}})
}

/// Offset paging, whose `next_offset` is always there, also behind the last page.
fn pagination(offset: usize, size: usize, shown: usize) -> Value {
    json!({"pagination": {"offset": offset, "next_offset": offset + size, "size": shown}})
}

fn list(call: &Call<'_>) -> Answer {
    let (size, offset) = (call.page_size("page[size]", 10, 100)?, call.offset("page[offset]")?);
    let page: Vec<Value> = all(call.world()).into_iter().skip(offset).take(size).collect();
    let mut answer = json!({"data": page, "meta": pagination(offset, size, page.len())});
    if call.params("include").contains(&"users") {
        answer["included"] = json!([user()]);
    }
    Ok(Reply::json(&answer))
}

/// One incident by its UUID; some clients know only the number.
fn find(call: &Call<'_>) -> Result<Value, Reply> {
    let wanted = call.segment("incident_id");
    let number: Option<u64> = Some(wanted.parse().unwrap_or_default());
    let fits = |incident: &Value| incident["id"] == wanted || incident["attributes"]["public_id"].as_u64() == number;
    all(call.world()).into_iter().find(fits).ok_or_else(|| Reply::errors(404, &["rpc error: code = NotFound desc = no such incident"]))
}

fn get(call: &Call<'_>) -> Answer {
    let mut answer = json!({"data": find(call)?});
    if call.params("include").contains(&"users") {
        answer["included"] = json!([user()]);
    }
    Ok(Reply::json(&answer))
}

struct Found<'a>(&'a Value);

impl Searchable for Found<'_> {
    fn message(&self) -> &str {
        self.0["attributes"]["title"].as_str().unwrap_or_default()
    }

    fn key(&self, name: &str, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        let attributes = &self.0["attributes"];
        let value = if attributes["fields"].get(name).is_some() { &attributes["fields"][name]["value"] } else { &attributes[name] };
        match value {
            Value::String(text) => see(View::Text(text)),
            Value::Bool(flag) => see(View::Flag(*flag)),
            Value::Number(number) => see(View::Float(number.as_f64().unwrap_or_default())),
            Value::Array(list) => list.iter().filter_map(Value::as_str).any(|text| see(View::Text(text))),
            _ => false,
        }
    }

    fn attribute(&self, _: &str) -> Option<View<'_>> {
        None
    }

    fn attributes(&self, _: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        false
    }
}

fn search(call: &Call<'_>) -> Answer {
    let Some(text) = call.param("query") else {
        return Err(Reply::errors(400, &["Missing required parameter 'query'"]));
    };
    let query = query::parse(text).map_err(|error| Reply::errors(400, &[&format!("Invalid query: {error}")]))?;
    let (size, offset) = (call.page_size("page[size]", 10, 100)?, call.offset("page[offset]")?);
    let mut found: Vec<Value> = all(call.world()).into_iter().filter(|incident| query.fits(&Found(incident))).collect();
    if call.param("sort") == Some("created") {
        found.reverse();
    }
    let facets = facets(&found);
    let total = found.len();
    let page: Vec<Value> = found
        .into_iter()
        .skip(offset)
        .take(size)
        .map(|mut incident| {
            // Search shows people with their names, and flat.
            incident["attributes"]["created_by"] = json!({"data": user()});
            incident["attributes"]["last_modified_by"] = json!({"data": user()});
            incident["attributes"]["commander"] = Value::Null;
            incident
        })
        .collect();
    let meta = pagination(offset, size, page.len());
    // The incidents come twice: as results, and as what a relationship includes.
    let related: Vec<Value> = page.iter().map(|incident| json!({"type": "incidents", "id": incident["id"]})).collect();
    let results: Vec<Value> = page.iter().map(|incident| json!({ "data": incident })).collect();
    Ok(Reply::json(&json!({
        "data": {
            "type": "incidents_search_results",
            "attributes": {"total": total, "facets": facets, "incidents": results},
            "relationships": {"incidents_relationship": {"data": related}},
        },
        "included": page,
        "meta": meta,
    })))
}

/// Counts by everything, and a hundred people who could be responders: most of a real answer.
fn facets(found: &[Value]) -> Value {
    let count = |field: &str, value: &str| found.iter().filter(|incident| incident["attributes"][field] == value).count();
    let of =
        |field: &str, values: &[&str]| values.iter().map(|value| json!({"name": value, "count": count(field, value)})).collect::<Vec<_>>();
    let people: Vec<Value> = (0..100)
        .map(|nth| {
            let uuid = Dice::of(0, "person", nth).uuid();
            json!({"name": format!("person{nth}@larkspur.example"), "count": u64::from(nth == 0),
                "handle": format!("person{nth}@larkspur.example"), "uuid": uuid, "email": format!("person{nth}@larkspur.example")})
        })
        .collect();
    json!({
        "severity": of("severity", &["SEV-1", "SEV-2", "SEV-3", "SEV-4", "SEV-5", "UNKNOWN"]), "state": of("state", &["active", "stable",
            "resolved"]),
        "customer_impacted": [{"name": true, "count": found.iter().filter(|incident| incident["attributes"]["customer_impacted"] == true).count()}],
        "responder": people, "commander": people, "created_by": [], "last_modified_by": [], "fields": [], "impact": [], "postmortem": [],
        "time_to_repair": [{"name": "time_to_repair", "aggregates": {"min": Value::Null, "max": Value::Null}}],
        "time_to_resolve": [{"name": "time_to_resolve", "aggregates": {"min": Value::Null, "max": Value::Null}}],
    })
}
