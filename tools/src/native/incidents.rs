//! Incidents: search, and one incident by its number or UUID with the names of its people.

use crate::{
    CallContext, Content, Draft, Effect, Tool, Total,
    answer::Form,
    native::{Facts, Run, columns, plan, tool},
};
use async_trait::async_trait;
use datadog_client::{Fix, Kind, Refusal, Reply, untrusted};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

const SEARCH: &str = "v2.SearchIncidents";
const GET: &str = "v2.GetIncident";
/// Incidents looked through for a public number, a hundred a page.
const LOOKUP_PAGES: u64 = 3;

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(IncidentsSearch), tool(IncidentGet)]
}

struct IncidentsSearch;

#[derive(Debug, Deserialize, JsonSchema)]
struct SearchArguments {
    /// Facets, e.g. `state:active AND severity:(SEV-1 OR SEV-2)`; default `state:active`
    query: Option<String>,
    /// Incidents a page, e.g. 20
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u64>,
    /// Order by creation, e.g. `oldest`
    sort: Option<Sort>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Newest,
    Oldest,
}

#[async_trait]
impl Run for IncidentsSearch {
    type Arguments = SearchArguments;

    const FACTS: Facts = Facts {
        name: "incidents_search",
        title: "Search incidents",
        description: "Declared incidents: is somebody working on this already, what happened before? Active ones by default. \
            `query` joins facets by AND, values by OR: `state:(active OR stable OR resolved)`, `severity:SEV-1`, `services:checkout`, `commander:\"Jane Doe\"`. \
            Next: incident_get by its number.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[SEARCH],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: SearchArguments) -> Result<Draft, Refusal> {
        let query = arguments.query.as_deref().map(str::trim).filter(|query| !query.is_empty()).unwrap_or("state:active");
        let limit = arguments.limit.unwrap_or(20);
        let offset =
            cx.page.and_then(|page| page.state.as_ref()).and_then(|state| state.get("offset")).and_then(Value::as_u64).unwrap_or(0);
        let sort = arguments.sort.unwrap_or_default();
        let reply = search(cx, query, sort, limit, offset).await?;
        let (records, total) = incidents(reply.json()?);
        let count = records.len() as u64;
        let mut draft = Draft::rows(
            "incidents",
            records,
            columns(&[
                ("public_id", "number", Form::Id),
                ("severity", "severity", Form::Plain),
                ("state", "state", Form::Plain),
                ("title", "title", Form::Plain),
                ("created", "created", Form::Time),
                ("resolved", "resolved", Form::Time),
                ("commander", "commander", Form::Plain),
                ("customer_impact_scope", "customer_impact", Form::Plain),
                ("fields.services", "services", Form::Plain),
                ("fields.teams", "teams", Form::Plain),
                ("fields.summary", "summary", Form::Plain),
                ("fields.root_cause", "root_cause", Form::Plain),
            ]),
        );
        draft.total = total.map_or(Total::Unknown, Total::Exact);
        // The envelope names a next offset even behind the last page; the total decides.
        draft.next = (count == limit && total.is_none_or(|total| offset + count < total)).then(|| json!({"offset": offset + count}));
        draft.facts.push(format!("query: {}", untrusted::shown(query, 120)));
        draft.link = Some(
            cx.client
                .site()
                .ui(&format!("/incidents?{}", url::form_urlencoded::Serializer::new(String::new()).append_pair("query", query).finish())),
        );
        if count == 0 && offset == 0 {
            draft.notes.push(nothing(cx, query).await);
        }
        draft.heed(&reply);
        Ok(draft)
    }
}

/// Says whether there are incidents in any state when a search found none.
async fn nothing(cx: &CallContext<'_>, query: &str) -> String {
    let every = "state:(active OR stable OR resolved)";
    if query == every {
        return "No incident in any state is visible to this credential.".to_owned();
    }
    match search(cx, every, Sort::Newest, 1, 0).await.and_then(|reply| reply.json()) {
        Ok(answer) => match incidents(answer).1 {
            Some(0) | None => "There is no incident in any other state either.".to_owned(),
            Some(total) => format!("{total} incidents exist in all states: query `{every}`."),
        },
        Err(refusal) => format!("Whether there are others could not be told: {}", refusal.message),
    }
}

struct IncidentGet;

#[derive(Debug, Deserialize, JsonSchema)]
struct GetArguments {
    /// Number or UUID, e.g. `4821`
    incident: String,
    /// Answer size, e.g. `8000`
    #[expect(dead_code, reason = "the way of a call takes it out; `CallContext::budget` is what comes of it")]
    max_tokens: Option<usize>,
}

#[async_trait]
impl Run for IncidentGet {
    type Arguments = GetArguments;

    const FACTS: Facts = Facts {
        name: "incident_get",
        title: "Get an incident",
        description: "One incident whole: severity, state, impact, timeline, fields such as summary and root cause, who commands it. \
            Takes the number people use (`4821`, `IR-4821`) or the UUID; incidents_search finds both. Next: logs_search and monitors_search over its services and time.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[GET, SEARCH],
        view: false,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: GetArguments) -> Result<Draft, Refusal> {
        let asked = id_in(&arguments.incident);
        let uuid = if is_uuid(&asked) { asked } else { by_number(cx, &arguments.incident, &asked).await? };
        let reply = cx.send(&plan(GET, json!({"incident_id": uuid, "include": "users"}))?).await?;
        let mut answer = reply.json()?;
        let people = names(answer.get("included"));
        let record = answer.get_mut("data").map(Value::take).map(|data| told(data, &people)).unwrap_or_default();
        let number = record.get("public_id").map(Value::to_string).unwrap_or_default();
        let mut draft = Draft::new("incident", Content::Record(record));
        draft.total = Total::Exact(1);
        draft.link = Some(cx.client.site().ui(&format!("/incidents/{number}")));
        draft.notes.push("Left out: null fields, icons, ids of people whose names are given.".to_owned());
        draft.heed(&reply);
        Ok(draft)
    }
}

async fn search(cx: &CallContext<'_>, query: &str, sort: Sort, limit: u64, offset: u64) -> Result<Reply, Refusal> {
    let sort = match sort {
        Sort::Newest => "-created",
        Sort::Oldest => "created",
    };
    cx.send(&plan(SEARCH, json!({"query": query, "sort": sort, "page[size]": limit, "page[offset]": offset}))?).await
}

/// Incidents of a search and how many match; facets (95 % of such an answer) and everything twice said are dropped.
fn incidents(mut answer: Value) -> (Vec<Value>, Option<u64>) {
    let total = answer.pointer("/data/attributes/total").and_then(Value::as_u64);
    let people = names(answer.get("included"));
    let found = answer.pointer_mut("/data/attributes/incidents").map(Value::take);
    let records = match found {
        Some(Value::Array(found)) => {
            found.into_iter().map(|mut one| told(one.get_mut("data").map(Value::take).unwrap_or(one), &people)).collect()
        }
        _ => Vec::new(),
    };
    (records, total)
}

/// Names of people by id.
fn names(included: Option<&Value>) -> HashMap<String, String> {
    let one = |user: &Value| {
        let attributes = user.get("attributes")?;
        let name = ["name", "handle", "email"]
            .into_iter()
            .find_map(|key| attributes.get(key).and_then(Value::as_str).filter(|name| !name.is_empty()))?;
        Some((user.get("id")?.as_str()?.to_owned(), name.to_owned()))
    };
    included.and_then(Value::as_array).into_iter().flatten().filter_map(one).collect()
}

/// One incident flat: attributes, fields by name, people by name.
fn told(mut data: Value, people: &HashMap<String, String>) -> Value {
    let mut told = Map::new();
    let id = data.get("id").cloned().unwrap_or_default();
    let relationships = data.get_mut("relationships").map(Value::take).unwrap_or_default();
    let Some(Value::Object(mut attributes)) = data.get_mut("attributes").map(Value::take) else {
        return data;
    };
    for name in ["public_id", "title", "severity", "state", "created", "detected", "declared", "resolved"] {
        if let Some(value) = attributes.shift_remove(name).filter(|value| !value.is_null()) {
            told.insert(name.to_owned(), value);
        }
    }
    for (relation, name) in [
        ("commander_user", "commander"),
        ("created_by_user", "created_by"),
        ("declared_by_user", "declared_by"),
        ("last_modified_by_user", "last_modified_by"),
    ] {
        let inline = attributes.shift_remove(name).and_then(|person| names(Some(&json!([person.get("data")?]))).into_values().next());
        let id = relationships.pointer(&format!("/{relation}/data/id")).and_then(Value::as_str);
        let uuid = attributes.shift_remove(&format!("{name}_uuid")).and_then(|uuid| uuid.as_str().map(str::to_owned));
        let person = inline.or_else(|| id.and_then(|id| people.get(id).cloned())).or_else(|| id.map(str::to_owned)).or(uuid);
        if let Some(person) = person {
            told.insert(name.to_owned(), person.into());
        }
    }
    if let Some(Value::Object(fields)) = attributes.shift_remove("fields") {
        let field = |(name, field): (String, Value)| {
            let value = if field.get("type").is_some() { field.get("value").cloned().unwrap_or_default() } else { field };
            // Severity and state stand at the top already.
            let twice = told.get(&name).is_some_and(|top| *top == value);
            (!twice && says(&value)).then_some((name, value))
        };
        let fields: Map<String, Value> = fields.into_iter().filter_map(field).collect();
        if !fields.is_empty() {
            told.insert("fields".to_owned(), fields.into());
        }
    }
    // Which state it was in from when to when, in seconds: the one part of the analytics that tells something.
    attributes.shift_remove("field_analytics");
    attributes.shift_remove("creation_idempotency_key");
    told.extend(attributes.into_iter().filter(|(_, value)| says(value)));
    for (name, relation) in relationships.as_object().into_iter().flatten() {
        let linked = relation.get("data").and_then(Value::as_array).map_or(0, Vec::len);
        if linked > 0 && name != "user_defined_fields" {
            told.insert(format!("{name}_count"), linked.into());
        }
    }
    told.insert("id".to_owned(), id);
    Value::Object(told)
}

/// Neither null nor empty.
fn says(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => true,
    }
}

/// The id in `IR-4821`, `#4821`, a link.
fn id_in(text: &str) -> String {
    let text = text.trim().trim_start_matches('#');
    let text =
        text.rsplit_once("incidents/").map_or(text, |(_, rest)| rest.split(['?', '#', '/']).next().unwrap_or(rest)).to_ascii_lowercase();
    if is_uuid(&text) { text } else { text.strip_prefix("ir-").unwrap_or(&text).to_owned() }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| if [8, 13, 18, 23].contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// UUID of an incident by its public number: asked for by facet, then looked for in the newest ones, whose numbers fall.
async fn by_number(cx: &CallContext<'_>, given: &str, text: &str) -> Result<String, Refusal> {
    let shown = untrusted::shown(given, 60);
    let Ok(number) = text.parse::<u64>() else {
        return Err(Refusal::invalid(format!("`{shown}` is no incident."))
            .because("An incident is named by its number, e.g. `4821`, or its UUID.")
            .fix(Fix::new("incidents_search", "Lists incidents with their numbers.")));
    };
    let uuid = |records: &[Value]| {
        records
            .iter()
            .find(|one| one.get("public_id").and_then(Value::as_u64) == Some(number))
            .and_then(|one| one.get("id")?.as_str().map(str::to_owned))
    };
    let first = search(cx, &format!("public_id:{number}"), Sort::Newest, 10, 0).await;
    match first.and_then(|reply| reply.json()) {
        Ok(answer) => {
            if let Some(uuid) = uuid(&incidents(answer).0) {
                return Ok(uuid);
            }
        }
        // A search that refuses the facet may still list.
        Err(refusal) if refusal.kind == Kind::InvalidArguments || refusal.status == Some(400) => {}
        Err(refusal) => return Err(refusal),
    }
    for page in 0..LOOKUP_PAGES {
        let (records, _) = incidents(search(cx, "state:(active OR stable OR resolved)", Sort::Newest, 100, page * 100).await?.json()?);
        if let Some(uuid) = uuid(&records) {
            return Ok(uuid);
        }
        let lowest = records.iter().filter_map(|one| one.get("public_id").and_then(Value::as_u64)).min();
        if records.len() < 100 || lowest.is_none_or(|lowest| lowest < number) {
            break;
        }
    }
    Err(Refusal::new(Kind::NotFound, format!("There is no incident {number} among those this credential sees."))
        .on(SEARCH)
        .fix(Fix::new("incidents_search", "Lists incidents with their numbers.").with("query", "state:(active OR stable OR resolved)")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn ids_are_read_as_people_write_them() {
        for (text, id) in [
            ("4821", "4821"),
            ("IR-4821", "4821"),
            (" #4821 ", "4821"),
            ("https://app.datadoghq.com/incidents/4821?x=1", "4821"),
            ("https://app.datadoghq.com/incidents/4821", "4821"),
            ("19C87E47-487a-5ce4-8841-61d23ea414d4", "19c87e47-487a-5ce4-8841-61d23ea414d4"),
        ] {
            assert_eq!(id_in(text), id);
        }
        assert!(!is_uuid("19c87e47x487a-5ce4-8841-61d23ea414d4"));
    }

    #[test]
    fn an_incident_is_flat_with_names() {
        let people = names(Some(&json!([{"id": "u1", "type": "users", "attributes": {"name": "Jane", "icon": "x"}}])));
        let told = told(
            json!({"type": "incidents", "id": "uuid", "attributes": {
                "public_id": 7, "title": "t", "severity": "SEV-2", "state": "active", "resolved": null, "created": "2026-01-01T00:00:00+00:00", "created_by_uuid": "u1",
                "commander": {"data": {"id": "u2", "attributes": {"name": "Joe"}}}, "customer_impact_scope": "", "time_to_detect": 5, "field_analytics": {"state": {}},
                "fields": {"severity": {"type": "dropdown", "value": "SEV-2"}, "services": {"type": "autocomplete", "value": ["a"]}, "root_cause": {"type": "textbox", "value": null}},
            }, "relationships": {"created_by_user": {"data": {"type": "users", "id": "u1"}}, "attachments": {"data": [{"id": "x"}]}, "responders": {"data": []}}}),
            &people,
        );
        assert_eq!(
            told,
            json!({"public_id": 7, "title": "t", "severity": "SEV-2", "state": "active", "created": "2026-01-01T00:00:00+00:00", "commander": "Joe", "created_by": "Jane",
                "fields": {"services": ["a"]}, "time_to_detect": 5, "attachments_count": 1, "id": "uuid"})
        );
    }

    #[test]
    fn the_facets_are_dropped_and_the_total_kept() {
        let (records, total) = incidents(
            json!({"data": {"attributes": {"total": 1703, "facets": {"x": [1]}, "incidents": [{"data": {"id": "a", "attributes": {"public_id": 1}}}]}}, "included": []}),
        );
        assert_eq!((records, total), (vec![json!({"public_id": 1, "id": "a"})], Some(1703)));
        assert_eq!(incidents(json!({})), (vec![], None));
    }
}
