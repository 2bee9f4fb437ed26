//! SLOs (list, get, search, history) and downtimes.

use crate::call::{Call, Handler};
use crate::dice::Dice;
use crate::reply::{Answer, Reply};
use crate::story::World;
use crate::story::monitors::AUTHOR;
use crate::time::iso_offset;
use serde_json::{Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v1.ListSLOs" => list,
        "v1.GetSLO" => |call| Ok(Reply::json(&json!({"data": find(call)?, "error": Value::Null}))),
        "v1.SearchSLO" => search,
        "v1.GetSLOHistory" => history,
        "v2.ListDowntimes" => downtimes,
        "v2.GetDowntime" => downtime,
        _ => return None,
    })
}

/// Name, description, service, target, numerator, denominator, days, SLI now, budget left in percent.
type Row = (&'static str, &'static str, &'static str, f64, &'static str, &'static str, &'static str, f64, f64);

const ROWS: [Row; 4] = [
    (
        "Checkout succeeds",
        "Of all orders placed, the share that is not answered with a fault of ours.",
        "checkout",
        99.5,
        "sum:trace.servlet.request.hits{service:checkout,env:prod}.as_count() - sum:trace.servlet.request.errors{service:checkout,env:prod}.as_count()",
        "sum:trace.servlet.request.hits{service:checkout,env:prod}.as_count()",
        "30d",
        99.31,
        -38.2,
    ),
    (
        "Product pages are there",
        "Share of product pages served.",
        "storefront",
        99.9,
        "sum:trace.web.request.hits{service:storefront,env:prod}.as_count() - sum:trace.web.request.errors{service:storefront,env:prod}.as_count()",
        "sum:trace.web.request.hits{service:storefront,env:prod}.as_count()",
        "30d",
        99.94,
        41.0,
    ),
    (
        "Payments are authorised",
        "Share of authorisations that get an answer.",
        "payment",
        99.9,
        "sum:trace.http.server.request.hits{service:payment,env:prod}.as_count() - sum:trace.http.server.request.errors{service:payment,env:prod}.as_count()",
        "sum:trace.http.server.request.hits{service:payment,env:prod}.as_count()",
        "7d",
        99.97,
        70.4,
    ),
    (
        "Mails arrive",
        "Share of mails that do not bounce.",
        "notification",
        98.0,
        "sum:shop.mail.sent{env:prod}.as_count() - sum:shop.mail.bounced{env:prod}.as_count()",
        "sum:shop.mail.sent{env:prod}.as_count()",
        "7d",
        99.2,
        60.1,
    ),
];

fn slo(world: &World, nth: usize) -> Value {
    let (name, about, service, target, numerator, denominator, days, _, _) = ROWS[nth];
    let id = if nth == 0 { world.story.slo_id.clone() } else { Dice::of(world.seed, "slo", nth as u64).hex(32) };
    let created = world.now / 1_000 - 250 * 86_400;
    json!({
        "id": id, "name": name, "description": about, "tags": [format!("service:{service}"), "env:prod"], "monitor_tags": [],
            "type": "metric", "type_id": 1,
        "thresholds": [{"timeframe": days, "target": target, "target_display": format!("{target}"), "warning": target + 0.05,
            "warning_display": format!("{}", target + 0.05)}],
        "timeframe": days, "target_threshold": target, "warning_threshold": target + 0.05, "query": {"numerator": numerator,
            "denominator": denominator},
        "creator": {"name": AUTHOR.0, "handle": AUTHOR.1, "email": AUTHOR.1}, "created_at": created, "modified_at": created + 86_400,
    })
}

fn all(world: &World) -> impl Iterator<Item = (usize, Value)> + '_ {
    (0..ROWS.len()).map(|nth| (nth, slo(world, nth)))
}

fn find(call: &Call<'_>) -> Result<Value, Reply> {
    let wanted = call.segment("slo_id");
    let found = all(call.world()).find(|(_, slo)| slo["id"] == wanted);
    found.map(|(_, slo)| slo).ok_or_else(|| Reply::errors(404, &["SLO not found"]))
}

/// Whether the words of a search stand in name or tags.
fn says(slo: &Value, query: &str) -> bool {
    let text = format!("{} {}", slo["name"], slo["tags"]).to_lowercase();
    query.to_lowercase().split_whitespace().all(|word| text.contains(word.trim_matches('"')))
}

fn list(call: &Call<'_>) -> Answer {
    let ids = call.params("ids");
    let (limit, offset) = (call.page_size("limit", 1_000, 1_000)?, call.offset("offset")?);
    let fits = |slo: &Value| {
        (ids.is_empty() || ids.iter().any(|id| slo["id"] == *id))
            && call.param("query").is_none_or(|query| says(slo, query))
            && call.param("tags_query").is_none_or(|query| says(slo, query))
    };
    let found: Vec<Value> = all(call.world()).map(|(_, slo)| slo).filter(fits).collect();
    let filtered = found.len();
    let page: Vec<Value> = found.into_iter().skip(offset).take(limit).collect();
    Ok(Reply::json(
        &json!({"data": page, "error": Value::Null, "metadata": {"page": {"total_count": ROWS.len(), "total_filtered_count": filtered}}}),
    ))
}

fn state(nth: usize) -> &'static str {
    if ROWS[nth].8 < 0.0 { "breached" } else { "ok" }
}

fn search(call: &Call<'_>) -> Answer {
    let (size, number) = (call.page_size("page[size]", 10, 100)?, call.offset("page[number]")?);
    let query = call.param("query").unwrap_or_default();
    let found: Vec<(usize, Value)> = all(call.world()).filter(|(_, slo)| says(slo, query)).collect();
    let row = |(nth, slo): &(usize, Value)| {
        let (days, sli, budget) = (ROWS[*nth].6, ROWS[*nth].7, ROWS[*nth].8);
        let common = |mut status: Value| {
            status["error_budget_remaining"] = json!(budget);
            status["raw_error_budget_remaining"] = json!({"value": budget * 100.0, "unit": "requests"});
            status["indexed_at"] = json!(call.now / 1_000);
            status["span_precision"] = json!(2);
            status["state"] = json!(state(*nth));
            status
        };
        let status = common(json!({"sli": sli, "calculation_error": Value::Null}));
        let overall = common(json!({"status": sli, "error": Value::Null, "target": ROWS[*nth].3, "timeframe": days}));
        json!({"data": {"type": "slo", "id": slo["id"], "attributes": {
            "name": slo["name"], "description": slo["description"], "slo_type": "metric", "all_tags": slo["tags"],
                "env_tags": ["env:prod"], "service_tags": [format!("service:{}", ROWS[*nth].2)], "team_tags": [],
            "thresholds": slo["thresholds"], "timeframe": slo["timeframe"], "target_threshold": slo["target_threshold"],
                "warning_threshold": slo["warning_threshold"], "query": slo["query"],
            "status": status, "overall_status": [overall], "groups": Value::Null, "monitor_ids": Value::Null, "creator": {"name": AUTHOR.0,
                "id": AUTHOR.3, "email": AUTHOR.1}, "created_at": slo["created_at"], "modified_at": slo["modified_at"],
        }}})
    };
    let rows: Vec<Value> = found.iter().skip(number * size).take(size).map(row).collect();
    // A next page is always named, also behind the last.
    Ok(Reply::json(&json!({
        "data": {"type": "service_level_objective_search_results", "attributes": {"slos": rows, "facets": {"tags": [], "service_tags": []}}},
        "meta": {"pagination": {"number": number, "first_number": 0, "prev_number": number.saturating_sub(1), "next_number": number + 1,
            "last_number": found.len().saturating_sub(1) / size, "size": size, "type": "number_size", "total": found.len()}},
        "links": {"self": format!("{}/api/v1/slo/search", call.base),
            "next": format!("{}/api/v1/slo/search?page[number]={}&page[size]={size}", call.base, number + 1), "prev": Value::Null,
                "first": Value::Null, "last": Value::Null},
    })))
}

fn history(call: &Call<'_>) -> Answer {
    let (Some(from), Some(to)) = (call.seconds("from_ts")?, call.seconds("to_ts")?) else {
        return Err(Reply::errors(400, &["from_ts and to_ts are required, in seconds"]));
    };
    if from >= to {
        return Err(Reply::errors(400, &["from_ts must be before to_ts"]));
    }
    let slo = find(call)?;
    let nth = all(call.world()).position(|(_, own)| own["id"] == slo["id"]).unwrap_or_default();
    let (target, days, sli, budget) = (ROWS[nth].3, ROWS[nth].6, ROWS[nth].7, ROWS[nth].8);
    let count = 12;
    let step = (to - from) / count;
    let times: Vec<i64> = (0..count).map(|at| (from + at * step) * 1_000).collect();
    let good: Vec<f64> = times.iter().map(|_| (step.max(1) as f64 * 4.0 * sli / 100.0).round()).collect();
    let total: Vec<f64> = times.iter().map(|_| step.max(1) as f64 * 4.0).collect();
    let side = |query: &Value, values: &[f64]| {
        json!({"count": values.len(), "sum": values.iter().sum::<f64>(), "values": values,
        "metadata": {"aggr": "sum", "expression": query, "scope": "env:prod", "tag_set": [], "unit": Value::Null, "query_index": 0}})
    };
    Ok(Reply::json(&json!({"data": {
        "from_ts": from, "to_ts": to, "type": "metric", "type_id": 1, "slo": slo, "group_by": [], "thresholds": {days: slo["thresholds"][0]},
        "overall": {"sli_value": sli, "error_budget_remaining": {days: budget}, "state": state(nth), "span_precision": 2,
            "precision": {days: 2}, "uptime": sli, "corrections": [], "errors": [], "target": target},
        "series": {"res_type": "time_series", "resp_version": 2, "interval": step, "times": times, "from_date": from * 1_000,
            "to_date": to * 1_000, "message": "", "query": slo["query"]["numerator"],
            "numerator": side(&slo["query"]["numerator"], &good), "denominator": side(&slo["query"]["denominator"], &total)},
    }, "errors": Value::Null})))
}

/// Two downtimes in force and one to come.
fn all_downtimes(world: &World) -> Vec<Value> {
    let rows = [
        ("env:staging", json!({"monitor_tags": ["env:staging"]}), "Staging feed is being rebuilt", "active", -3 * 1_440, None),
        (
            "service:catalog AND env:prod",
            json!({"monitor_tags": ["service:catalog"]}),
            "Reindex with the new mapping",
            "scheduled",
            600,
            Some(780),
        ),
        ("kube_deployment:notification", json!({"monitor_tags": ["*"]}), "Load test of the mail queue", "active", -60, Some(180)),
    ];
    rows.into_iter()
        .enumerate()
        .map(|(nth, (scope, monitors, message, status, start, end))| {
            let time = |minutes: i64| iso_offset(world.now + minutes * 60_000);
            json!({"type": "downtime", "id": Dice::of(world.seed, "downtime", nth as u64).uuid(), "attributes": {
                "scope": scope, "monitor_identifier": monitors, "message": message, "status": status, "schedule": {"start": time(start),
                    "end": end.map(time)}, "display_timezone": "UTC",
                "mute_first_recovery_notification": false, "notify_end_states": ["alert", "no data", "warn"],
                    "notify_end_types": ["expired"], "created": time(start.min(0) - 90), "modified": time(start.min(0) - 90), "canceled": Value::Null,
            }})
        })
        .collect()
}

fn downtimes(call: &Call<'_>) -> Answer {
    let (limit, offset) = (call.page_size("page[limit]", 30, 1_000)?, call.offset("page[offset]")?);
    let found: Vec<Value> = all_downtimes(call.world())
        .into_iter()
        .filter(|downtime| !call.flag("current_only") || downtime["attributes"]["status"] == "active")
        .collect();
    let total = found.len();
    let page: Vec<Value> = found.into_iter().skip(offset).take(limit).collect();
    Ok(Reply::json(&json!({"data": page, "meta": {"page": {"total_filtered_count": total}}})))
}

fn downtime(call: &Call<'_>) -> Answer {
    let wanted = call.segment("downtime_id");
    let found = all_downtimes(call.world()).into_iter().find(|downtime| downtime["id"] == wanted);
    found.map(|downtime| Reply::json(&json!({"data": downtime}))).ok_or_else(|| Reply::errors(404, &["Downtime not found"]))
}
