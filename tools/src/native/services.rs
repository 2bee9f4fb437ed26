//! Services: names by environment, their traffic, and who owns them, from three calls at once of which two may fail.

use crate::{
    CallContext, Draft, Effect, TimeRange, Tool, Total,
    answer::{Column, Form},
    native::{Facts, Run, at_most, columns, plan, series::number, tool},
    rows,
};
use async_trait::async_trait;
use datadog_client::{Refusal, untrusted};
use futures::future::join3;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use url::form_urlencoded::Serializer;

const LIST: &str = "v2.GetServiceList";
const STATS: &str = "x.GetServiceStats";
const DEFINITIONS: &str = "v2.ListServiceDefinitions";
/// Definitions a page, and pages read.
const PAGE: usize = 100;
const PAGES: usize = 5;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(ServicesSearch)]
}

struct ServicesSearch;

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Fragment of name, team or owner, e.g. `check`
    query: Option<String>,
    /// Environment, e.g. `prod`; default every one
    env: Option<String>,
    /// Start of the statistics, e.g. `4h`; default `1h`
    from: Option<String>,
    /// End, e.g. `now`
    to: Option<String>,
    /// Most services, e.g. `20`
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

/// A service by name with what each source says of it.
type Services = BTreeMap<String, Map<String, Value>>;

#[async_trait]
impl Run for ServicesSearch {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "services_search",
        title: "Search services",
        description: "Services and their owners: exact names for `service:` filters, request and error statistics where Datadog gives them, team and tier from the catalog. \
            Narrow with `query` (`check`) and `env` (`prod`). Next: spans_search `service:NAME status:error`, errors_search, metrics_query over its trace metrics.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[LIST, STATS, DEFINITIONS],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let range = cx.range(arguments.from.as_deref(), arguments.to.as_deref(), "1h")?;
        let env = arguments.env.as_deref().map(str::trim).filter(|env| !env.is_empty()).unwrap_or("*");
        let (listed, stats, defined) = join3(names(cx, env), stats(cx, env, range), definitions(cx)).await;
        let mut services = Services::new();
        let mut notes = Vec::new();
        // Names alone or definitions alone are still an answer; neither is a refusal.
        match (listed, &defined) {
            (Ok(listed), _) => services.extend(listed),
            (Err(refusal), Err(_)) => return Err(refusal),
            (Err(refusal), Ok(_)) => notes.push(format!("Traced services could not be read: {}", refusal.message)),
        }
        let measured = match stats {
            Ok(stats) => {
                let measured = merge(&mut services, stats, true);
                if measured.is_empty() && env == "*" {
                    notes.push("Statistics are given for one environment: set `env`.".to_owned());
                }
                measured
            }
            Err(refusal) => {
                notes.push(format!("Statistics could not be read (an unofficial endpoint): {}", refusal.message));
                Vec::new()
            }
        };
        match defined {
            Ok((defined, whole)) => {
                merge(&mut services, defined, env == "*");
                if !whole {
                    notes.push(format!(
                        "Only the first {} definitions of the catalog were read; owners of others are missing.",
                        PAGE * PAGES
                    ));
                }
            }
            Err(refusal) => notes.push(format!("Owners could not be read: {}", refusal.message)),
        }
        let all = services.len();
        let mut records = chosen(services, arguments.query.as_deref().unwrap_or_default(), &measured);
        let total = records.len();
        notes.extend(at_most(&mut records, arguments.limit));
        let mut draft = Draft::rows("services", records, table(&measured));
        draft.total = Total::Exact(total as u64);
        draft.range = Some(range);
        draft.facts.push(if env == "*" { "every env".to_owned() } else { format!("env: {}", untrusted::shown(env, 40)) });
        draft.link = Some(cx.client.site().ui(&format!(
                "/services?{}",
                Serializer::new(String::new())
                    .append_pair("env", env)
                    .append_pair("query", arguments.query.as_deref().unwrap_or_default())
                    .finish()
            )));
        if total == 0 {
            let hint = if env == "*" { "try a shorter `query`" } else { "try a shorter `query`, or leave out `env`" };
            notes.push(format!("None of {all} services matches; {hint}."));
        }
        draft.notes = notes;
        Ok(draft)
    }
}

async fn names(cx: &CallContext<'_>, env: &str) -> Result<Services, Refusal> {
    let answer = cx.send(&plan(LIST, json!({"filter[env]": env}))?).await?.json()?;
    let empty = Vec::new();
    let list = |name: &str| answer.pointer(&format!("/data/attributes/{name}")).and_then(Value::as_array).unwrap_or(&empty);
    let metadata = list("metadata");
    let one = |(at, name): (usize, &Value)| {
        let mut facts = Map::new();
        let flag = |key: &str| metadata.get(at).and_then(|facts| facts.get(key)).and_then(Value::as_bool) == Some(true);
        let seen: Vec<&str> =
            [("isTraced", "apm"), ("isUsm", "usm")].into_iter().filter(|(key, _)| flag(key)).map(|(_, word)| word).collect();
        facts.insert("seen_by".to_owned(), if seen.is_empty() { "apm".into() } else { seen.join("+").into() });
        Some((name.as_str()?.to_owned(), facts))
    };
    Ok(list("services").iter().enumerate().filter_map(one).collect())
}

/// Statistics by service. The endpoint is undocumented, so whatever numbers stand beside a service's name are taken.
async fn stats(cx: &CallContext<'_>, env: &str, range: TimeRange) -> Result<Services, Refusal> {
    let answer =
        cx.send(&plan(STATS, json!({"start": range.from_ms / 1_000, "end": range.to_ms / 1_000, "filter[env]": env}))?).await?.json()?;
    Ok(measured(answer))
}

fn measured(mut answer: Value) -> Services {
    // Either a list of records or lists inside `data.attributes`.
    let inner = answer
        .pointer_mut("/data/attributes")
        .and_then(Value::as_object_mut)
        .and_then(|attributes| attributes.values_mut().find(|value| value.is_array()).map(Value::take));
    let records =
        inner.map_or_else(|| rows::records(answer, None).rows, |list| if let Value::Array(list) = list { list } else { Vec::new() });
    let one = |record: Value| {
        let facts = record.get("attributes").unwrap_or(&record).as_object()?;
        let name = ["service", "service_name", "name"].into_iter().find_map(|key| facts.get(key).and_then(Value::as_str))?;
        let numbers: Map<String, Value> =
            facts.iter().filter_map(|(key, value)| Some((key.replace('.', "_"), number(value.as_f64()?)))).collect();
        // Without a number it is some other record that happens to have a name.
        (!numbers.is_empty()).then(|| (name.to_owned(), Map::from_iter([("stats".to_owned(), Value::Object(numbers))])))
    };
    records.into_iter().filter_map(one).collect()
}

/// Owner, tier and the like by service, and whether all definitions were read.
async fn definitions(cx: &CallContext<'_>) -> Result<(Services, bool), Refusal> {
    let mut found = Services::new();
    for page in 0..PAGES {
        let mut answer =
            cx.send(&plan(DEFINITIONS, json!({"page[size]": PAGE, "page[number]": page, "schema_version": "v2.2"}))?).await?.json()?;
        let Some(Value::Array(list)) = answer.get_mut("data").map(Value::take) else {
            return Ok((found, true));
        };
        let count = list.len();
        found.extend(list.iter().filter_map(defined));
        if count < PAGE {
            return Ok((found, true));
        }
    }
    Ok((found, false))
}

fn defined(definition: &Value) -> Option<(String, Map<String, Value>)> {
    let schema = definition.pointer("/attributes/schema")?;
    let text = |name: &str| schema.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    // The first schema kept everything a level deeper.
    let name = text("dd-service").or_else(|| schema.pointer("/info/dd-service").and_then(Value::as_str))?;
    let mut facts = Map::new();
    if let Some(team) = text("team").or_else(|| text("dd-team")).or_else(|| schema.pointer("/org/team").and_then(Value::as_str)) {
        facts.insert("team".to_owned(), team.into());
    }
    for key in ["tier", "lifecycle", "type", "application", "description"] {
        if let Some(value) = text(key) {
            facts.insert(key.to_owned(), value.into());
        }
    }
    for key in ["contacts", "links", "languages", "tags"] {
        if let Some(value) = schema.get(key).filter(|value| value.as_array().is_some_and(|list| !list.is_empty())) {
            facts.insert(key.to_owned(), value.clone());
        }
    }
    Some((name.to_owned(), facts))
}

/// Adds what another source says; gives the names of the statistics. New services are added only when `add`.
fn merge(services: &mut Services, other: Services, add: bool) -> Vec<String> {
    let mut stats: Vec<String> = Vec::new();
    for (name, facts) in other {
        if let Some(numbers) = facts.get("stats").and_then(Value::as_object) {
            for key in numbers.keys() {
                if !stats.contains(key) {
                    stats.push(key.clone());
                }
            }
        }
        if add || services.contains_key(&name) {
            services.entry(name).or_default().extend(facts);
        }
    }
    stats
}

/// Services that have the fragment, by traffic where it is known, else by name.
fn chosen(services: Services, query: &str, measured: &[String]) -> Vec<Value> {
    let query = query.trim().to_lowercase();
    let traffic = ["requests", "hits", "request_count", "total_hits"].into_iter().find(|key| measured.iter().any(|known| known == key));
    let matches = |name: &str, facts: &Map<String, Value>| {
        query.is_empty()
            || name.to_lowercase().contains(&query)
            || ["team", "application", "description"]
                .iter()
                .any(|key| facts.get(*key).and_then(Value::as_str).is_some_and(|text| text.to_lowercase().contains(&query)))
    };
    let mut found: Vec<(f64, Value)> = Vec::new();
    for (name, facts) in services {
        if !matches(&name, &facts) {
            continue;
        }
        let weight = traffic.and_then(|key| facts.get("stats")?.get(key)?.as_f64()).unwrap_or(0.0);
        let mut record = Map::from_iter([("service".to_owned(), Value::from(name))]);
        record.extend(facts);
        found.push((weight, record.into()));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, record)| record).collect()
}

fn table(measured: &[String]) -> Vec<Column> {
    let mut table = columns(&[("service", "service", Form::Id)]);
    table.extend(measured.iter().map(|key| Column { path: format!("stats.{key}"), name: key.clone(), form: Form::Plain }));
    table.extend(columns(&[
        ("team", "team", Form::Plain),
        ("tier", "tier", Form::Plain),
        ("lifecycle", "lifecycle", Form::Plain),
        ("application", "application", Form::Plain),
        ("seen_by", "seen_by", Form::Plain),
        ("description", "description", Form::Plain),
    ]));
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn statistics_are_taken_however_they_stand() {
        let flat = json!({"data": [{"id": "a", "attributes": {"service": "shop", "hits": 1234.56, "error.rate": 0.5, "env": "prod"}}]});
        let lists = json!({"data": {"id": "x", "attributes": {"services": [{"service": "shop", "hits": 1234.56, "error.rate": 0.5}]}}});
        for answer in [flat, lists] {
            assert_eq!(Value::Object(measured(answer)["shop"].clone()), json!({"stats": {"hits": 1235, "error_rate": 0.5}}));
        }
        assert!(measured(json!(null)).is_empty());
        assert!(measured(json!({"data": "x"})).is_empty());
        assert!(measured(json!({"data": [{"id": "a", "attributes": {"name": "shop"}}]})).is_empty());
    }

    #[test]
    fn definitions_of_every_schema_name_their_owner() {
        let new = json!({"attributes": {"schema": {"schema-version": "v2.2", "dd-service": "shop", "team": "a", "tier": "1", "contacts": [], "links": [{"name": "x"}]}}});
        assert_eq!(defined(&new).unwrap().1, *json!({"team": "a", "tier": "1", "links": [{"name": "x"}]}).as_object().unwrap());
        let old = json!({"attributes": {"schema": {"info": {"dd-service": "shop"}, "org": {"team": "b"}}}});
        assert_eq!(defined(&old).unwrap(), ("shop".to_owned(), json!({"team": "b"}).as_object().unwrap().clone()));
        assert!(defined(&json!({"id": "x"})).is_none());
    }

    #[test]
    fn the_busiest_come_first_and_owners_join() {
        let mut services: Services = ["a", "b"].map(|name| (name.to_owned(), Map::new())).into();
        let stats = merge(&mut services, measured(json!([{"service": "b", "hits": 5}, {"service": "c", "hits": 9}])), true);
        merge(
            &mut services,
            Services::from([("a".to_owned(), json!({"team": "shop"}).as_object().unwrap().clone()), ("zz".to_owned(), Map::new())]),
            false,
        );
        let names: Vec<String> =
            chosen(services.clone(), "", &stats).iter().map(|one| one["service"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, ["c", "b", "a"]);
        assert_eq!(chosen(services, "SHOP", &stats).len(), 1);
    }
}
