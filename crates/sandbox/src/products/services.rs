//! Services: the names per env, definitions, the software catalogue, who calls whom.

use crate::aggregate::Function;
use crate::call::{Call, Handler};
use crate::dice::Dice;
use crate::reply::{Answer, Reply};
use crate::story::spans::Span;
use crate::story::topology::{SERVICES, Service, service};
use crate::time::iso_seconds;
use serde_json::{Map, Value, json};

pub(crate) fn handler(operation: &str) -> Option<Handler> {
    Some(match operation {
        "v2.GetServiceList" => names,
        "x.GetServiceStats" => stats,
        "x.ListServiceDependencies" => dependencies,
        "x.ListServiceOperationNames" => operations,
        "v2.ListServiceDefinitions" => definitions,
        "v2.GetServiceDefinition" => definition,
        "v2.ListCatalogEntity" => entities,
        _ => return None,
    })
}

/// Services seen in an env: all in prod, all but the database in staging.
fn in_env(env: &str) -> Vec<&'static Service> {
    match env {
        "prod" => SERVICES.iter().collect(),
        "staging" => SERVICES[..service::ORDERS_DB].iter().collect(),
        _ => Vec::new(),
    }
}

fn env<'a>(call: &'a Call<'_>, name: &str) -> Result<&'a str, Reply> {
    call.param(name).ok_or_else(|| Reply::stated(400, "Bad Request", &format!("the parameter {name} is required")))
}

fn names(call: &Call<'_>) -> Answer {
    let services = in_env(env(call, "filter[env]")?);
    let metadata: Vec<Value> = services.iter().map(|_| json!({"isTraced": true, "isUsm": false})).collect();
    let names: Vec<&str> = services.iter().map(|service| service.name).collect();
    Ok(Reply::json(
        &json!({"data": {"id": Dice::of(call.now as u64, "services", 0).uuid(), "type": "services_list", "attributes": {"services": names,
            "metadata": metadata}}}),
    ))
}

fn spans_of<'a>(call: &'a Call<'_>, env: &str) -> Result<Vec<&'a Span>, Reply> {
    let from = call.seconds("start")?.unwrap_or(call.now / 1_000 - 3_600).saturating_mul(1_000_000_000);
    let to = call.seconds("end")?.unwrap_or(call.now / 1_000).saturating_mul(1_000_000_000);
    let env = env.to_owned();
    Ok(call.world().spans().list.iter().filter(|span| (from..=to).contains(&span.start) && span.env == env).collect())
}

/// Hits, errors and latency of each service. The path is attested, its answer is not: this is the shape of the service list with rows.
fn stats(call: &Call<'_>) -> Answer {
    let env = env(call, "filter[env]")?;
    let spans = spans_of(call, env)?;
    let rows: Vec<Value> = in_env(env)
        .into_iter()
        .map(|service| {
            let own: Vec<&&Span> =
                spans.iter().filter(|span| span.service == service.name && matches!(span.kind, "web" | "sql" | "worker")).collect();
            let errors = own.iter().filter(|span| span.error).count();
            let seconds = |function: Function| function.of(own.iter().map(|span| span.duration as f64 / 1e9).collect());
            json!({"type": "service_stats", "id": service.name, "attributes": {
                "service": service.name, "env": env, "hits": own.len(), "errors": errors,
                    "error_rate": if own.is_empty() { 0.0 } else { errors as f64 / own.len() as f64 },
                "avg_s": seconds(Function::Avg), "p95_s": seconds(Function::Percentile(0.95)),
            }})
        })
        .collect();
    Ok(Reply::json(&json!({ "data": rows })))
}

fn dependencies(call: &Call<'_>) -> Answer {
    let env = env(call, "env")?;
    let map: Map<String, Value> =
        in_env(env).into_iter().map(|service| (service.name.to_owned(), json!({"calls": service.calls}))).collect();
    Ok(Reply::json(&Value::Object(map)))
}

fn operations(call: &Call<'_>) -> Answer {
    let wanted = call.segment("service");
    let spans = spans_of(call, call.param("env").unwrap_or("prod"))?;
    let mut names: Vec<&str> = spans.iter().filter(|span| span.service == wanted).map(|span| span.operation).collect();
    names.sort_unstable();
    names.dedup();
    Ok(Reply::json(&json!(names)))
}

fn defined(call: &Call<'_>, service: &Service) -> Value {
    let mut dice = Dice::of(call.world().seed, service.name, 0);
    let changed = call.world().now - dice.between(20, 400) * 86_400_000;
    json!({
        "type": "service-definition",
        "id": dice.hex(32),
        "attributes": {
            "meta": {"last-modified-time": iso_seconds(changed),
                "github-html-url": format!("https://git.larkspur.example/shop/{}", service.name), "ingestion-source": "github",
                    "origin": "unknown", "origin-detail": "", "warnings": [], "ingested-schema-version": "v2.2"},
            "schema": {
                "schema-version": "v2.2", "dd-service": service.name, "team": service.team, "description": service.about,
                    "tier": service.tier, "lifecycle": "production",
                "application": "larkspur-shop", "languages": if service.language.is_empty() { vec![] } else { vec![service.language] },
                    "type": if service.tier == "database" { "db" } else { "web" },
                "contacts": [{"name": "Team channel", "type": "slack",
                    "contact": format!("https://larkspur.slack.example/{}", service.team)}, {"name": "Mail", "type": "email",
                        "contact": format!("{}@larkspur.example", service.team)}],
                "links": [{"name": "Runbook", "type": "runbook",
                    "url": format!("https://wiki.larkspur.example/runbooks/{}", service.name)}, {"name": "Source", "type": "repo",
                        "provider": "git", "url": format!("https://git.larkspur.example/shop/{}", service.name)}],
                "tags": [format!("team:{}", service.team), "business_unit:shop"],
                    "integrations": {"pagerduty": {"service-url": format!("https://larkspur.pagerduty.example/{}", service.name)}},
            },
        },
    })
}

fn definitions(call: &Call<'_>) -> Answer {
    let (size, page) = (call.page_size("page[size]", 10, 100)?, call.offset("page[number]")?);
    let rows: Vec<Value> = SERVICES.iter().skip(page * size).take(size).map(|service| defined(call, service)).collect();
    Ok(Reply::json(&json!({ "data": rows })))
}

fn definition(call: &Call<'_>) -> Answer {
    let wanted = call.segment("service_name");
    let service = SERVICES.iter().find(|service| service.name == wanted).ok_or_else(|| Reply::errors(404, &["Not Found"]))?;
    Ok(Reply::json(&json!({"data": defined(call, service)})))
}

fn entities(call: &Call<'_>) -> Answer {
    let (limit, offset) = (call.page_size("page[limit]", 100, 100)?, call.offset("page[offset]")?);
    let kind = |service: &Service| if service.tier == "database" { "datastore" } else { "service" };
    let fits = |service: &&Service| {
        call.param("filter[name]").is_none_or(|name| name == service.name)
            && call.param("filter[kind]").is_none_or(|wanted| wanted == kind(service))
            && call.param("filter[owner]").is_none_or(|owner| owner == service.team)
            && call.param("filter[ref]").is_none_or(|reference| reference == format!("{}:default/{}", kind(service), service.name))
    };
    let row = |service: &Service| {
        let mut dice = Dice::of(call.world().seed, service.name, 1);
        let created = call.world().now - dice.between(300, 900) * 86_400_000;
        json!({
            "id": dice.uuid(), "type": "entity",
            "attributes": {"apiVersion": "v3", "kind": kind(service), "name": service.name, "displayName": service.name,
                "namespace": "default", "owner": service.team, "description": service.about,
                    "tags": [format!("team:{}", service.team), format!("tier:{}", service.tier)]},
            "meta": {"createdAt": iso_seconds(created), "modifiedAt": iso_seconds(created + 86_400_000), "ingestionSource": "github",
                "origin": "unknown"},
        })
    };
    let found: Vec<&Service> = SERVICES.iter().filter(fits).collect();
    let rows: Vec<Value> = found.iter().skip(offset).take(limit).map(|service| row(service)).collect();
    Ok(Reply::json_api(&json!({"data": rows, "included": [], "meta": {"count": found.len(), "includeCount": 0},
            "links": {"self": format!("{}/api/v2/catalog/entity", call.base)}})))
}
