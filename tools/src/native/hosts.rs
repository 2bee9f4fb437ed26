//! Hosts: which there are, whether they report, what runs on them, without the bulk of their metadata.

use crate::{
    CallContext, Draft, Effect, Tool, Total,
    answer::Form,
    native::{Facts, Run, columns, plan, tool},
};
use async_trait::async_trait;
use datadog_client::Refusal;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

const LIST: &str = "v1.ListHosts";
/// Tag keys that tell where a host stands and whose it is; all tags are in `tags_by_source`.
const KEY_TAGS: [&str; 16] = [
    "env",
    "service",
    "team",
    "role",
    "version",
    "region",
    "availability-zone",
    "zone",
    "datacenter",
    "instance-type",
    "cluster_name",
    "kube_cluster_name",
    "kube_node_role",
    "autoscaling_group",
    "cloud_provider",
    "os",
];

/// The tools of this file.
pub(crate) fn tools() -> Vec<Tool> {
    vec![tool(HostsSearch)]
}

struct HostsSearch;

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Name fragment or tag, e.g. `env:prod`
    query: Option<String>,
    /// Hosts a page, e.g. 50
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
    /// Order, largest first, e.g. `cpu`
    sort: Option<Sort>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    Name,
    Cpu,
    Iowait,
    Load,
}

#[async_trait]
impl Run for HostsSearch {
    type Arguments = Arguments;

    const FACTS: Facts = Facts {
        name: "hosts_search",
        title: "Search hosts",
        description: "Hosts that reported in the last hours: up or not, last report, CPU, load, integrations, key tags, muted. \
            `query` is a fragment of the name or a tag, e.g. `web`, `env:prod`, `availability-zone:us-east-1a`. \
            Next: metrics_query `avg:system.cpu.user{host:NAME}`, logs_search `host:NAME`.",
        toolset: "core",
        effect: Effect::Read,
        idempotent: true,
        operations: &[LIST],
        view: true,
    };

    async fn run(&self, cx: &CallContext<'_>, arguments: Arguments) -> Result<Draft, Refusal> {
        let limit = arguments.limit.unwrap_or(100);
        let start = cx.page.and_then(|page| page.state.as_ref()).and_then(|state| state.get("start")).and_then(Value::as_u64).unwrap_or(0);
        let query = arguments.query.as_deref().map(str::trim).filter(|query| !query.is_empty() && *query != "*");
        let mut asked = json!({"count": limit, "start": start, "include_hosts_metadata": false, "include_muted_hosts_data": true});
        if let Some(query) = query {
            asked["filter"] = query.into();
        }
        if let Some(sort) = arguments.sort {
            let (field, direction) = match sort {
                Sort::Name => ("name", "asc"),
                Sort::Cpu => ("cpu", "desc"),
                Sort::Iowait => ("iowait", "desc"),
                Sort::Load => ("load", "desc"),
            };
            asked["sort_field"] = field.into();
            asked["sort_dir"] = direction.into();
        }
        let reply = cx.send(&plan(LIST, asked)?).await?;
        let (records, total) = hosts(reply.json()?);
        let count = records.len() as u64;
        let mut draft = Draft::rows(
            "hosts",
            records,
            columns(&[
                ("name", "name", Form::Id),
                ("up", "up", Form::Plain),
                ("last_reported_time", "last_reported", Form::Seconds),
                ("metrics.cpu", "cpu_pct", Form::Plain),
                ("metrics.load", "load", Form::Plain),
                ("apps", "apps", Form::Plain),
                ("is_muted", "muted", Form::Plain),
                ("key_tags", "tags", Form::Plain),
            ]),
        );
        draft.total = total.map_or(Total::Unknown, Total::Exact);
        draft.next = (count > 0 && total.map_or(count == limit, |total| start + count < total)).then(|| json!({"start": start + count}));
        draft.link = Some(cx.client.site().ui(&match query {
            Some(query) => format!("/infrastructure?{}", Serializer::new(String::new()).append_pair("text", query).finish()),
            None => "/infrastructure".to_owned(),
        }));
        draft.notes.push("Agent metadata (gohai, checks) is left out; every tag stands in `tags_by_source`.".to_owned());
        if count == 0 && start == 0 {
            draft.notes = vec!["No host matches among those that reported in the last hours. Try a shorter fragment of the name, or one tag; terminated hosts drop out after 2 to 3 hours.".to_owned()];
        }
        draft.heed(&reply);
        Ok(draft)
    }
}

/// Hosts with their key tags, without `meta`, and how many match.
fn hosts(mut answer: Value) -> (Vec<Value>, Option<u64>) {
    let total = answer.get("total_matching").and_then(Value::as_u64);
    let Some(Value::Array(mut hosts)) = answer.get_mut("host_list").map(Value::take) else {
        return (Vec::new(), total);
    };
    for host in &mut hosts {
        let tags = key_tags(host.get("tags_by_source"));
        let Some(host) = host.as_object_mut() else { continue };
        host.shift_remove("meta");
        if let Some(Value::Object(metrics)) = host.get_mut("metrics") {
            for (_, value) in metrics.iter_mut() {
                *value = value.as_f64().map_or(Value::Null, super::series::number);
            }
        }
        host.insert("key_tags".to_owned(), tags.into());
    }
    (hosts, total)
}

/// `env:prod service:web …` out of every source, each once.
fn key_tags(by_source: Option<&Value>) -> String {
    let mut tags: Vec<(usize, &str)> = by_source
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|sources| sources.values())
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|tag| Some((KEY_TAGS.iter().position(|key| tag.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')))?, tag)))
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags.into_iter().take(12).map(|(_, tag)| tag).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn metadata_goes_and_key_tags_come() {
        let (records, total) = hosts(json!({"total_matching": 41, "host_list": [{
            "name": "a", "meta": {"gohai": "x"}, "metrics": {"cpu": 29.417_09, "load": null},
            "tags_by_source": {"Datadog": ["host:a", "env:prod", "id:1"], "AWS": ["region:us-east-1", "env:prod"], "x": null},
        }]}));
        assert_eq!(total, Some(41));
        assert_eq!(records[0]["key_tags"], json!("env:prod region:us-east-1"));
        assert_eq!(records[0]["metrics"], json!({"cpu": 29.42, "load": null}));
        assert!(records[0].get("meta").is_none());
        assert_eq!(hosts(json!({})), (vec![], None));
    }
}
